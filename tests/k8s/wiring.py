"""Whether the objects fit each other and the programs that they run.

Each rule gets the objects that are judged, those that are there besides, and
the flags of the programs. wiring_test.py has an offender for every rule in
RULES.
"""

import dataclasses
import re
import subprocess
from typing import Callable, Iterator

from tests.k8s.rendering import (Object, containers, environment, find,
                                 flag_values, name_of, of_kind, pods)


@dataclasses.dataclass
class World:
    judged: list[Object]
    all: list[Object]  # judged, and what it is applied beside.
    flags: dict[str, set[str]]  # By the program's file name.


# What is behind --listen; gRPC if not named here.
SERVES = {"hybridserve-openai": "http"}

Rule = Callable[[World], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def violations(world: World) -> list[str]:
    return [f"{name}: {problem}" for name, check in RULES.items()
            for problem in check(world)]


def flags_of(program: str) -> set[str]:
    """As its --help says."""
    shown = subprocess.run([program, "--help"], check=True,
                           capture_output=True, text=True, timeout=60).stdout
    return set(re.findall(r"^  --(?:\[no\])?([a-z][a-z0-9_]*)", shown, re.M))


def seconds_of(duration: str) -> float:
    """Of a flag such as 1m30s."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", duration)
    if not parts or "".join(n + unit for n, unit in parts) != duration:
        raise ValueError(f"{duration!r} is no duration")
    return sum(float(number) * units[unit] for number, unit in parts)


def pre_stop_seconds(container: Object) -> float:
    hook = container.get("lifecycle", {}).get("preStop")
    if hook is None:
        return 0
    command = hook["exec"]["command"]
    if len(command) != 2 or command[0] != "sleep":
        raise ValueError(f"preStop {command} is not a sleep")
    return float(command[1])


def program_of(container: Object) -> str:
    return container.get("command", ["?"])[0].rpartition("/")[2]


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Of a label selector, or of the plain map of a Service."""
    if not ({"matchLabels", "matchExpressions"} & set(selector)):
        selector = {"matchLabels": selector}
    for expression in selector.get("matchExpressions", []):
        value = labels.get(expression["key"])
        inside = value in expression.get("values", [])
        fits = {"In": inside, "NotIn": not inside,
                "Exists": value is not None,
                "DoesNotExist": value is None}[expression["operator"]]
        if not fits:
            return False
    return all(labels.get(key) == value for key, value in
               selector.get("matchLabels", {}).items())


def selected_pods(world: World, selector: Object) -> list[Object]:
    return [pod for _, pod in pods(world.all)
            if selects(selector, pod["metadata"].get("labels", {}))]


def port_names(pod: Object) -> dict[str, int]:
    return {port["name"]: port["containerPort"]
            for container in pod["spec"]["containers"]
            for port in container.get("ports", [])}


@rule
def known_flags(world: World) -> Iterator[str]:
    """Arguments and HYBRIDSERVE_* are flags that the program has."""
    for where, container, _ in containers(world.judged):
        known = world.flags.get(program_of(container))
        if known is None:
            continue
        for flag in flag_values(container, world.all):
            if flag not in known:
                yield f"{where}: {program_of(container)} has no --{flag}"


@rule
def variables(world: World) -> Iterator[str]:
    """$(NAME) in arguments is a variable of the container."""
    for where, container, _ in containers(world.judged):
        known = environment(container, world.all)
        for arg in container.get("args", []):
            for name in re.findall(r"\$\((\w+)\)", arg):
                if name not in known:
                    yield f"{where}: no variable {name} for {arg}"


@rule
def listened_ports(world: World) -> Iterator[str]:
    """What the flags listen on is what the container says, and the other way
    round."""
    for where, container, _ in containers(world.judged):
        flags = flag_values(container, world.all)
        served = SERVES.get(program_of(container), "grpc")
        listened = {name: flags[flag] for name, flag in
                    ((served, "listen"), ("metrics", "metrics_listen"))
                    if flag in flags}
        ports = {port["name"]: port["containerPort"]
                 for port in container.get("ports", [])}
        if world.flags.get(program_of(container)) is None:
            continue
        if {name: f"0.0.0.0:{port}" for name, port in ports.items()
                } != listened:
            yield f"{where} listens on {listened} and names {ports}"


@rule
def probed_ports(world: World) -> Iterator[str]:
    """Probes ask at ports that there are."""
    for where, container, _ in containers(world.judged):
        ports = {port["name"]: port["containerPort"]
                 for port in container.get("ports", [])}
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(kind, {})
            for action in ("grpc", "httpGet", "tcpSocket"):
                if action not in probe:
                    continue
                port = probe[action]["port"]
                if port not in ports and port not in ports.values():
                    yield f"{where}: {kind} asks at {port} of {ports}"


@rule
def selectors(world: World) -> Iterator[str]:
    """Whatever selects pods selects some; a workload selects its own."""
    for item in of_kind(world.judged, "Deployment", "StatefulSet"):
        labels = item["spec"]["template"]["metadata"]["labels"]
        if not selects(item["spec"]["selector"], labels):
            yield f"{name_of(item)} does not select its own pods"
    for item in world.judged:
        selector = item.get("spec", {}).get(
            "podSelector" if item["kind"] == "NetworkPolicy" else "selector")
        if (item["kind"] in ("Service", "PodDisruptionBudget", "InferencePool",
                             "NetworkPolicy")
                and not selected_pods(world, selector)):
            yield f"{name_of(item)} selects no pod"


@rule
def service_ports(world: World) -> Iterator[str]:
    """Services, pools and network policies name ports of their pods."""
    for item in of_kind(world.judged, "Service"):
        for pod in selected_pods(world, item["spec"]["selector"]):
            for port in item["spec"]["ports"]:
                target = port.get("targetPort", port["port"])
                if (target not in port_names(pod)
                        and target not in port_names(pod).values()):
                    yield f"{name_of(item)}: no pod's port is {target}"
    for item in of_kind(world.judged, "InferencePool"):
        for pod in selected_pods(world, item["spec"]["selector"]):
            for port in item["spec"]["targetPorts"]:
                if port["number"] not in port_names(pod).values():
                    yield f"{name_of(item)}: no port {port['number']}"
    for item in of_kind(world.judged, "NetworkPolicy"):
        for entry in item["spec"].get("ingress", []):
            for pod in selected_pods(world, item["spec"]["podSelector"]):
                for port in entry.get("ports", []):
                    if (port["port"] not in port_names(pod)
                            and port["port"] not in port_names(pod).values()):
                        yield f"{name_of(item)}: no port {port['port']}"


@rule
def dialled_services(world: World) -> Iterator[str]:
    """--scheduler and --server name a Service and its port; workers one that
    is there before a scheduler is ready, clients one that is not. Workers one
    of a single cell: two schedulers would share them."""
    services = {item["metadata"]["name"]: item
                for item in of_kind(world.all, "Service")}
    for where, container, _ in containers(world.judged):
        flags = flag_values(container, world.all)
        for flag, not_ready in (("scheduler", True), ("server", False)):
            if flag not in flags:
                continue
            name, _, port = flags[flag].partition(":")
            spec = services.get(name, {}).get("spec", {})
            if port not in [str(p["port"]) for p in spec.get("ports", [])]:
                yield f"{where}: no Service serves {flags[flag]}"
            elif spec.get("publishNotReadyAddresses", False) != not_ready:
                yield f"{where}: {name} is not for --{flag}"
            elif flag == "scheduler" and len(
                    selected_pods(world, spec["selector"])) != 1:
                yield f"{where}: {name} is of several cells"


@rule
def references(world: World) -> Iterator[str]:
    """What pods refer to by name is there, or a certificate's secret."""
    names = {name_of(item) for item in world.all}
    names |= {f"Secret/{item['spec']['secretName']}"
              for item in of_kind(world.all, "Certificate")}
    for name, pod in pods(world.judged):
        spec = pod["spec"]
        wanted = {f"ServiceAccount/{spec.get('serviceAccountName')}"}
        for volume in spec.get("volumes", []):
            for kind, field, key in (
                    ("ConfigMap", "configMap", "name"),
                    ("Secret", "secret", "secretName"),
                    ("PersistentVolumeClaim", "persistentVolumeClaim",
                     "claimName")):
                if field in volume:
                    wanted.add(f"{kind}/{volume[field][key]}")
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        for container in spec["containers"]:
            mounts = {m["name"] for m in container.get("volumeMounts", [])}
            if not mounts <= volumes:
                yield f"{name}: mounts {mounts} and has {volumes}"
        for missing in sorted(wanted - names):
            yield f"{name}: there is no {missing}"
    for item in of_kind(world.judged, "HorizontalPodAutoscaler"):
        target = item["spec"]["scaleTargetRef"]
        if f"{target['kind']}/{target['name']}" not in names:
            yield f"{name_of(item)}: scales nothing"
        elif "replicas" in find(world.all, f"{target['kind']}/"
                                f"{target['name']}")["spec"]:
            yield f"{name_of(item)}: each apply would set replicas back"


@rule
def mounted_files(world: World) -> Iterator[str]:
    """Files that flags name are on a volume or in the image."""
    file_flags = ("tls_certificate", "tls_key", "tls_ca", "https_certificate",
                  "https_key", "https_ca", "chat_template", "model_dir",
                  "input", "output_file")
    for where, container, _ in containers(world.judged):
        mounts = [m["mountPath"] for m in container.get("volumeMounts", [])]
        for flag, value in flag_values(container, world.all).items():
            if flag in file_flags and not any(
                    value.startswith(f"{folder}/")
                    for folder in [*mounts, "/opt/hybridserve"]):
                yield f"{where}: --{flag}={value} is on no volume"


@rule
def grace(world: World) -> Iterator[str]:
    """Nobody is killed while it does as it was told."""
    for where, container, pod in containers(world.judged):
        period = pod.get("terminationGracePeriodSeconds", 30)
        drain = flag_values(container, world.all).get("drain_timeout")
        if drain is None and "drain_timeout" in world.flags.get(
                program_of(container), set()):
            yield f"{where} leaves --drain_timeout unsaid"
            continue
        needed = pre_stop_seconds(container) + seconds_of(drain or "0s")
        if period <= needed:
            yield f"{where} is killed after {period} s and needs {needed:.0f} s"


@rule
def late_termination(world: World) -> Iterator[str]:
    """A pod that clients reach by a Service waits before it ends, until
    nobody is sent to it any more."""
    for item in of_kind(world.judged, "Service"):
        if item["spec"].get("clusterIP") == "None":
            continue  # Names, not a way in.
        for pod in selected_pods(world, item["spec"]["selector"]):
            for container in pod["spec"]["containers"]:
                if pre_stop_seconds(container) < 5:
                    yield (f"{name_of(item)}: {container['name']} ends before "
                           "its endpoint does")


@rule
def steady_liveness(world: World) -> Iterator[str]:
    """Liveness is asked of what works, not of gRPC's threads, which answer for
    a core that hangs: /metrics, or whether a gateway lives. Neither is ended
    by a drain, which turns the server's health."""
    for where, container, _ in containers(world.judged):
        if (world.flags.get(program_of(container)) is None
                or "livenessProbe" not in container):
            continue
        path = container["livenessProbe"].get("httpGet", {}).get("path")
        if path not in ("/metrics", "/health/live"):
            yield f"{where}: a drain would have it killed, or a hang not"


@rule
def shards(world: World) -> Iterator[str]:
    """An Indexed Job has as many pods as its flag says shards."""
    for item in of_kind(world.judged, "Job"):
        for container in item["spec"]["template"]["spec"]["containers"]:
            shard = flag_values(container, world.all).get("shard")
            count = item["spec"]["completions"]
            if shard != f"$(JOB_COMPLETION_INDEX)/{count}":
                yield f"{name_of(item)}: --shard={shard}"
