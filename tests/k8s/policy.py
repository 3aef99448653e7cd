"""What every pod of ours must keep to, whatever it runs.

Each rule is a function of objects that says what breaks it, one line each.
policy_test.py has an offender for every rule in RULES.
"""

import re
from typing import Callable, Iterator

from tests.k8s.rendering import Object, containers, pods

Rule = Callable[[list[Object]], Iterator[str]]
RULES: dict[str, Rule] = {}

# On a workload's pod template: why it mounts a folder of the node.
HOST_PATH_REASON = "hybridserve/host-path-reason"
# A version or a digest: what it names never changes.
FIXED_IMAGE = re.compile(r".+(:v?\d+\.\d+\.\d+(-[\w.]+)?|@sha256:[0-9a-f]{64})")


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def violations(objects: list[Object]) -> list[str]:
    return [f"{name}: {problem}" for name, check in RULES.items()
            for problem in check(objects)]


@rule
def limits(objects: list[Object]) -> Iterator[str]:
    """CPU and memory are asked for and limited; memory is what is asked for,
    so that nobody is killed for the memory of others."""
    for where, container, _ in containers(objects):
        resources = container.get("resources", {})
        for part in ("requests", "limits"):
            for resource in ("cpu", "memory"):
                if resource not in resources.get(part, {}):
                    yield f"{where} has no resources.{part}.{resource}"
        if (resources.get("requests", {}).get("memory")
                != resources.get("limits", {}).get("memory")):
            yield f"{where} may use more memory than it asks for"


@rule
def probes(objects: list[Object]) -> Iterator[str]:
    """What serves can be seen to start, to be ready and to be alive."""
    for name, pod in pods(objects):
        if name.startswith("Job/"):
            continue  # Its exit code says it.
        for container in pod["spec"]["containers"]:
            where = f"{name}/{container['name']}"
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe not in container:
                    yield f"{where} has no {probe}"
                elif container[probe].get("timeoutSeconds", 1) < 2:
                    yield f"{where}: a busy node breaks {probe}'s timeout"


@rule
def non_root(objects: list[Object]) -> Iterator[str]:
    for where, container, pod in containers(objects):
        security = {**pod.get("securityContext", {}),
                    **container.get("securityContext", {})}
        if security.get("runAsNonRoot") is not True:
            yield f"{where} may run as root"
        if not security.get("runAsUser"):
            yield f"{where} names no user, or root"


@rule
def read_only_root(objects: list[Object]) -> Iterator[str]:
    for where, container, _ in containers(objects):
        security = container.get("securityContext", {})
        if security.get("readOnlyRootFilesystem") is not True:
            yield f"{where} may write to its root file system"


@rule
def dropped_rights(objects: list[Object]) -> Iterator[str]:
    """No capability, no way to get more rights, the runtime's seccomp."""
    for where, container, pod in containers(objects):
        security = {**pod.get("securityContext", {}),
                    **container.get("securityContext", {})}
        if security.get("allowPrivilegeEscalation") is not False:
            yield f"{where} may get more rights"
        if security.get("privileged"):
            yield f"{where} is privileged"
        capabilities = security.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or capabilities.get("add"):
            yield f"{where} keeps capabilities"
        if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{where} has no seccomp profile"


@rule
def fixed_images(objects: list[Object]) -> Iterator[str]:
    """No latest, no tag that moves."""
    for where, container, _ in containers(objects):
        if not FIXED_IMAGE.fullmatch(container["image"]):
            yield f"{where}: image {container['image']} is not one version"


@rule
def no_host(objects: list[Object]) -> Iterator[str]:
    """Nothing of the node: no namespaces, no ports, and no folder unless an
    annotation of the pod says why."""
    for name, pod in pods(objects):
        spec = pod["spec"]
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field):
                yield f"{name} has {field}"
        for container in spec["containers"]:
            for port in container.get("ports", []):
                if "hostPort" in port:
                    yield f"{name}/{container['name']} has a hostPort"
        reason = pod["metadata"].get("annotations", {}).get(HOST_PATH_REASON)
        for volume in spec.get("volumes", []):
            if "hostPath" in volume and not reason:
                yield (f"{name} mounts {volume['hostPath']['path']} of the "
                       f"node, and no {HOST_PATH_REASON} says why")


@rule
def no_token(objects: list[Object]) -> Iterator[str]:
    """An account of its own, and no key to the Kubernetes API."""
    for name, pod in pods(objects):
        spec = pod["spec"]
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name} gets a token"
        if spec.get("serviceAccountName", "default") == "default":
            yield f"{name} shares the default account"
    for item in objects:
        if (item["kind"] == "ServiceAccount"
                and item.get("automountServiceAccountToken") is not False):
            yield f"account {item['metadata']['name']} hands out tokens"
