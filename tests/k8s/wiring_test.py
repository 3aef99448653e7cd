"""Each wiring rule finds its offender."""

import unittest
from typing import Callable

from tests.k8s import wiring
from tests.k8s.rendering import Object, find, render, render_world

# As far as the manifests use them; render_test asks the programs.
FLAGS = {
    "scheduler": {
        "listen", "metrics_listen", "drain_timeout", "insecure", "policy",
        "log_format", "max_queue_requests", "max_queue_tokens", "tls_ca",
        "tls_certificate", "tls_key"},
    "worker": {
        "scheduler", "listen", "metrics_listen", "worker_name",
        "drain_timeout", "insecure", "threads", "log_format", "model_dir",
        "host_memory", "device", "device_memory", "tls_ca", "tls_certificate",
        "tls_key"},
    "hybridserve": {"server", "input", "output_file", "shard"},
    "hybridserve-openai": {
        "server", "listen", "metrics_listen", "drain_timeout", "insecure",
        "max_connections", "max_body_size", "log_format", "chat_template",
        "tls_ca", "tls_certificate", "tls_key"},
}
SCHEDULER, WORKER = "Deployment/scheduler", "StatefulSet/worker"
OPENAI = "Deployment/openai"
Change = Callable[[list[Object]], object]


def pod(objects: list[Object], name: str) -> Object:
    return find(objects, name)["spec"]["template"]["spec"]


def container(objects: list[Object], name: str) -> Object:
    return pod(objects, name)["containers"][0]


def with_arg(name: str, old: str, *new: str) -> Change:
    def change(objects: list[Object]) -> None:
        args = container(objects, name)["args"]
        at = args.index(old)
        args[at:at + 1] = new
    return change


def without(name: str, field: str) -> Change:
    return lambda objects: container(objects, name).pop(field)


# By rule: the folder, and what breaks it there.
OFFENDERS: dict[str, list[tuple[str, Change]]] = {
    "known_flags": [
        ("base", with_arg(SCHEDULER, "--insecure", "--insecur")),
        ("base", lambda o: container(o, WORKER)["env"].append(
            {"name": "HYBRIDSERVE_THREAD", "value": "2"})),
        ("base", lambda o: next(
            item for item in o if item["metadata"]["name"].startswith(
                "scheduler-flags"))["data"].update(HYBRIDSERVE_POLICIES="kv")),
    ],
    "variables": [
        ("base", lambda o: container(o, WORKER)["env"].pop(0)),
        ("overlays/batch-job", without("Job/batch", "env")),
    ],
    "listened_ports": [
        ("base", with_arg(SCHEDULER, "--listen=0.0.0.0:50051",
                          "--listen=0.0.0.0:50050")),
        ("base", with_arg(WORKER, "--listen=0.0.0.0:50052",
                          "--listen=127.0.0.1:50052")),
        ("base", with_arg(WORKER, "--metrics_listen=0.0.0.0:9400")),
        ("base", lambda o: container(o, SCHEDULER)["ports"].pop()),
        ("overlays/openai", lambda o: container(o, OPENAI)["ports"][0].update(
            name="grpc")),
    ],
    "probed_ports": [
        ("base", lambda o: container(o, WORKER)["readinessProbe"]["grpc"
                                                                  ].update(
            port=50051)),
        ("base", lambda o: container(o, WORKER)["livenessProbe"]["httpGet"
                                                                 ].update(
            port="metric")),
    ],
    "selectors": [
        ("base", lambda o: find(o, "Service/scheduler")["spec"][
            "selector"].update({"app.kubernetes.io/name": "schedule"})),
        ("base", lambda o: find(o, "PodDisruptionBudget/worker")["spec"][
            "selector"]["matchLabels"].update(a="b")),
        ("base", lambda o: find(o, "NetworkPolicy/worker")["spec"][
            "podSelector"]["matchLabels"].update(a="b")),
        ("base", lambda o: find(o, SCHEDULER)["spec"]["template"][
            "metadata"].update(labels={"a": "b"})),
        ("overlays/inference-pool",
         lambda o: find(o, "InferencePool/hybridserve")["spec"]["selector"][
             "matchLabels"].update(a="b")),
    ],
    "service_ports": [
        ("base", lambda o: find(o, "Service/scheduler")["spec"]["ports"][
            0].update(targetPort="rpc")),
        ("base", lambda o: find(o, "NetworkPolicy/scheduler")["spec"][
            "ingress"][0]["ports"][0].update(port="rpc")),
        ("overlays/inference-pool",
         lambda o: find(o, "InferencePool/hybridserve")["spec"][
             "targetPorts"][0].update(number=50050)),
        ("overlays/inference-pool",
         lambda o: find(o, "NetworkPolicy/picker")["spec"]["ingress"][0][
             "ports"][0].update(port=9001)),
    ],
    "dialled_services": [
        ("base", with_arg(WORKER, "--scheduler=$(SCHEDULER):50051",
                          "--scheduler=scheduler-worker:50051")),
        ("base", with_arg(WORKER, "--scheduler=$(SCHEDULER):50051",
                          "--scheduler=scheduler-workers:50050")),
        # Not there until a worker is: neither would ever come up.
        ("base", with_arg(WORKER, "--scheduler=$(SCHEDULER):50051",
                          "--scheduler=scheduler:50051")),
        ("overlays/two-cells",
         lambda o: find(o, "Service/scheduler-workers-a")["spec"][
             "selector"].pop("hybridserve/cell")),
        ("overlays/batch-job",
         with_arg("Job/batch", "--server=scheduler:50051",
                  "--server=scheduler-workers:50051")),
        ("overlays/openai", with_arg(OPENAI, "--server=scheduler:50051",
                                     "--server=scheduler-workers:50051")),
    ],
    "references": [
        ("base", lambda o: pod(o, WORKER).update(serviceAccountName="a")),
        ("overlays/gpu", lambda o: o.remove(
            find(o, "PersistentVolumeClaim/models"))),
        ("overlays/tls", lambda o: o.remove(find(o, "Certificate/worker"))),
        ("overlays/tls", lambda o: pod(o, WORKER).pop("volumes")),
        ("base", lambda o: find(o, "HorizontalPodAutoscaler/worker")["spec"][
            "scaleTargetRef"].update(name="workers")),
        ("base", lambda o: find(o, WORKER)["spec"].update(replicas=1)),
    ],
    "mounted_files": [
        ("overlays/gpu", without(WORKER, "volumeMounts")),
        ("overlays/tls", without(SCHEDULER, "volumeMounts")),
        ("overlays/batch-job",
         with_arg("Job/batch", "--input=/data/requests.jsonl",
                  "--input=requests.jsonl")),
        ("overlays/openai", with_arg(OPENAI, "--insecure", "--insecure",
                                     "--chat_template=/chat/template")),
    ],
    "grace": [
        ("base", lambda o: pod(o, SCHEDULER).update(
            terminationGracePeriodSeconds=65)),
        ("base", lambda o: pod(o, WORKER).pop(
            "terminationGracePeriodSeconds")),
        ("base", with_arg(WORKER, "--drain_timeout=60s",
                          "--drain_timeout=1m30s")),
        ("base", with_arg(WORKER, "--drain_timeout=60s")),
        ("overlays/gateway", lambda o: pod(o, "Deployment/gateway").update(
            terminationGracePeriodSeconds=70)),
    ],
    "late_termination": [
        ("base", without(SCHEDULER, "lifecycle")),
        ("base", lambda o: container(o, SCHEDULER)["lifecycle"]["preStop"][
            "exec"].update(command=["sleep", "1"])),
    ],
    "steady_liveness": [
        ("base", lambda o: container(o, SCHEDULER).update(
            livenessProbe=container(o, SCHEDULER)["startupProbe"])),
        ("base", lambda o: container(o, SCHEDULER).update(
            livenessProbe=container(o, SCHEDULER)["readinessProbe"])),
        ("base", lambda o: container(o, SCHEDULER)["livenessProbe"][
            "httpGet"].update(path="/")),
        ("base", lambda o: container(o, WORKER).update(
            livenessProbe=container(o, WORKER)["readinessProbe"])),
        ("overlays/tls", lambda o: container(o, SCHEDULER)["livenessProbe"][
            "httpGet"].update(path="/")),
        ("overlays/openai", lambda o: container(o, OPENAI)["livenessProbe"][
            "httpGet"].update(path="/health")),
    ],
    "shards": [
        ("overlays/batch-job",
         lambda o: find(o, "Job/batch")["spec"].update(completions=5)),
        ("overlays/batch-job",
         with_arg("Job/batch", "--shard=$(JOB_COMPLETION_INDEX)/4",
                  "--shard=0/4")),
    ],
}


def world(folder: str, change: Change | None = None) -> wiring.World:
    judged = render(folder)
    beside = [item for item in render_world(folder) if item not in judged]
    if change is not None:
        change(judged)
    return wiring.World(judged=judged, all=judged + beside, flags=FLAGS)


class WiringTest(unittest.TestCase):
    def test_every_rule_has_an_offender(self):
        self.assertEqual(set(OFFENDERS), set(wiring.RULES))

    def test_each_offender_is_found_by_its_rule(self):
        for name, cases in OFFENDERS.items():
            for number, (folder, change) in enumerate(cases):
                with self.subTest(rule=name, case=number):
                    rule = wiring.RULES[name]
                    self.assertEqual(list(rule(world(folder))), [])
                    self.assertTrue(list(rule(world(folder, change))))

    def test_durations(self):
        for text, seconds in (("60s", 60), ("1m", 60), ("1m30s", 90),
                              ("1.5s", 1.5), ("250ms", 0.25), ("2h", 7200)):
            self.assertEqual(wiring.seconds_of(text), seconds)
        for text in ("", "60", "1x"):
            with self.assertRaises(ValueError):
                wiring.seconds_of(text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
