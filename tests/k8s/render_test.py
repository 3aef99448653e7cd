"""The manifests render, satisfy Kubernetes' schemas and keep our policies.

Usage: render_test.py SCHEDULER WORKER. The programs are asked for their flags,
so that no manifest passes one that does not exist.
"""

import pathlib
import re
import subprocess
import sys
import unittest

import kubernetes_validate
import yaml

BASE = pathlib.Path(__file__).resolve().parents[2] / "k8s" / "base"
KUBERNETES_VERSION = "1.27"  # The first with generally available gRPC probes.
PROGRAMS: dict[str, str] = {}


def render() -> list[dict]:
    rendered = subprocess.run(
        ["kubectl", "kustomize", str(BASE)],
        check=True, capture_output=True, text=True).stdout
    return [item for item in yaml.safe_load_all(rendered) if item]


def flags_of(program: str) -> set[str]:
    shown = subprocess.run([program, "--help"], check=True,
                           capture_output=True, text=True).stdout
    return set(re.findall(r"--(?:\[no\])?([a-z][a-z0-9_]*)", shown))


class RenderTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.items = render()
        cls.workloads = {
            item["metadata"]["name"]: item for item in cls.items
            if item["kind"] in ("Deployment", "StatefulSet")}

    def container(self, name: str) -> dict:
        spec = self.workloads[name]["spec"]["template"]["spec"]
        self.assertEqual(len(spec["containers"]), 1)
        return spec["containers"][0]

    def test_every_object_satisfies_its_schema_strictly(self):
        for item in self.items:
            with self.subTest(kind=item["kind"], name=item["metadata"]["name"]):
                kubernetes_validate.validate(item, KUBERNETES_VERSION,
                                             strict=True)

    def test_deploys_a_scheduler_and_workers_that_dial_it(self):
        self.assertEqual(set(self.workloads), {"scheduler", "worker"})
        services = {item["metadata"]["name"]: item for item in self.items
                    if item["kind"] == "Service"}
        ports = {port["name"]: port["port"]
                 for port in services["scheduler"]["spec"]["ports"]}
        self.assertIn(f"--scheduler=scheduler:{ports['grpc']}",
                      self.container("worker")["args"])
        self.assertTrue(
            services["scheduler"]["spec"]["publishNotReadyAddresses"])
        self.assertEqual(self.workloads["scheduler"]["spec"]["strategy"],
                         {"type": "Recreate"})

    def test_services_select_the_pods(self):
        for item in self.items:
            if item["kind"] != "Service":
                continue
            name = item["metadata"]["name"]
            labels = self.workloads[name]["spec"]["template"]["metadata"][
                "labels"]
            for key, value in item["spec"]["selector"].items():
                self.assertEqual(labels.get(key), value, name)

    def test_args_are_flags_that_the_programs_have(self):
        for name in self.workloads:
            known = flags_of(PROGRAMS[name])
            for arg in self.container(name)["args"]:
                flag = re.match(r"--([a-z0-9_]+)", arg).group(1)
                self.assertIn(flag, known, f"{name}: {arg}")

    def test_ports_match_the_flags(self):
        for name in self.workloads:
            container = self.container(name)
            ports = {port["name"]: port["containerPort"]
                     for port in container["ports"]}
            self.assertIn(f"--listen=0.0.0.0:{ports['grpc']}",
                          container["args"])
            self.assertIn(f"--metrics_listen=0.0.0.0:{ports['metrics']}",
                          container["args"])

    def test_probes_limits_and_rights(self):
        for name, workload in self.workloads.items():
            container = self.container(name)
            pod = workload["spec"]["template"]["spec"]
            with self.subTest(name):
                for probe in ("startupProbe", "readinessProbe",
                              "livenessProbe"):
                    self.assertIn(probe, container)
                self.assertEqual(container["resources"]["limits"]["memory"],
                                 container["resources"]["requests"]["memory"])
                self.assertIn("cpu", container["resources"]["limits"])
                security = container["securityContext"]
                self.assertFalse(security["allowPrivilegeEscalation"])
                self.assertTrue(security["readOnlyRootFilesystem"])
                self.assertEqual(security["capabilities"]["drop"], ["ALL"])
                self.assertTrue(pod["securityContext"]["runAsNonRoot"])
                self.assertFalse(pod["automountServiceAccountToken"])
                self.assertNotIn("volumes", pod)
                tag = container["image"].partition(":")[2]
                self.assertRegex(tag, r"^[0-9]+\.[0-9]+\.[0-9]+$")

    def test_grace_covers_pre_stop_and_drain(self):
        for name, workload in self.workloads.items():
            pod = workload["spec"]["template"]["spec"]
            container = self.container(name)
            pre_stop = container["lifecycle"]["preStop"]["exec"]["command"]
            drain = next((int(arg.split("=")[1].rstrip("s"))
                          for arg in container["args"]
                          if arg.startswith("--drain_timeout=")), 60)
            self.assertGreater(pod["terminationGracePeriodSeconds"],
                               int(pre_stop[1]) + drain, name)


if __name__ == "__main__":
    PROGRAMS["scheduler"], PROGRAMS["worker"] = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main(verbosity=2)
