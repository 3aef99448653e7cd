"""What the overlays promise beyond fitting: who is Guaranteed what, what is
encrypted, what scales by which metric."""

import json
import re
import unittest

import yaml

from tests.k8s import policy, schema, wiring
from tests.k8s.rendering import (K8S, Object, environment, find, flag_values,
                                 name_of, of_kind, pods, render, render_own,
                                 render_with, render_world)
from tests.k8s.wiring import seconds_of, selects

METRICS = K8S.parent / "docs" / "metrics.md"
TLS_FLAGS = ("tls_certificate", "tls_key", "tls_ca")
RETRIES = K8S.parent / "docs" / "grpc_service_config.json"


def documented_metrics() -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", METRICS.read_text(), re.M))


def pod(objects: list[Object], name: str) -> Object:
    return find(objects, name)["spec"]["template"]["spec"]


class BaseTest(unittest.TestCase):
    def setUp(self):
        self.objects = render("base")

    def test_updates_replace_the_scheduler_and_roll_through_workers(self):
        scheduler = find(self.objects, "Deployment/scheduler")["spec"]
        self.assertEqual(scheduler["strategy"], {"type": "Recreate"})
        self.assertEqual(scheduler["replicas"], 1)
        worker = find(self.objects, "StatefulSet/worker")["spec"]
        self.assertEqual(worker["updateStrategy"]["type"], "RollingUpdate")
        for name in ("scheduler", "worker"):
            budget = find(self.objects, f"PodDisruptionBudget/{name}")
            self.assertEqual(budget["spec"]["maxUnavailable"], 1)

    def test_the_longest_wait_for_a_scheduler_is_retried_through(self):
        """Four pauses, each up to a fifth shorter than it says."""
        policy = json.loads(RETRIES.read_text())["methodConfig"][0][
            "retryPolicy"]
        self.assertLessEqual(policy["maxAttempts"], 5)  # gRPC's own limit.
        pauses = [min(seconds_of(policy["maxBackoff"]),
                      seconds_of(policy["initialBackoff"])
                      * policy["backoffMultiplier"] ** n)
                  for n in range(policy["maxAttempts"] - 1)]
        flags = flag_values(pod(self.objects, "Deployment/scheduler")[
            "containers"][0], self.objects)
        self.assertGreater(0.8 * sum(pauses),
                           seconds_of(flags["drain_timeout"]))

    def test_nobody_but_monitoring_reaches_workers_and_metrics(self):
        everything = find(self.objects, "NetworkPolicy/deny-all")["spec"]
        self.assertEqual(everything, {"podSelector": {},
                                      "policyTypes": ["Ingress", "Egress"]})
        monitoring = [{"namespaceSelector": {
            "matchLabels": {"hybridserve/monitoring": "true"}}}]
        worker = find(self.objects, "NetworkPolicy/worker")["spec"]
        self.assertEqual(worker["ingress"],
                         [{"from": monitoring, "ports": [{"port": "metrics"}]}])
        scheduler = find(self.objects, "NetworkPolicy/scheduler")["spec"]
        for entry in scheduler["ingress"]:
            self.assertTrue(entry["from"])
            if {"port": "metrics"} in entry["ports"]:
                self.assertEqual(entry["from"], monitoring)
                self.assertEqual(entry["ports"], [{"port": "metrics"}])
        self.assertNotIn("egress", scheduler)

    def test_the_autoscaler_asks_for_metrics_that_the_adapter_makes(self):
        autoscaler = find(self.objects, "HorizontalPodAutoscaler/worker")[
            "spec"]
        self.assertGreaterEqual(autoscaler["minReplicas"], 1)
        asked = {metric["external"]["metric"]["name"]
                 for metric in autoscaler["metrics"]}
        rules = yaml.safe_load(
            (K8S / "adapters" / "prometheus_adapter.yaml").read_text())[
                "rules"]["external"]
        self.assertEqual(asked, {rule["name"]["as"] for rule in rules})
        for rule in rules:
            self.assertIn(rule["seriesQuery"].partition("{")[0],
                          documented_metrics())
            # One series, as the autoscaler adds up what it gets.
            self.assertRegex(rule["metricsQuery"], r"^(sum|max)\(")
        self.assertGreaterEqual(
            autoscaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"],
            1800)


class GpuTest(unittest.TestCase):
    def setUp(self):
        self.objects = render("overlays/gpu")
        self.pod = pod(self.objects, "StatefulSet/worker")

    def test_the_worker_is_guaranteed_whole_cores_memory_and_a_gpu(self):
        for container in self.pod["containers"]:
            resources = container["resources"]
            self.assertEqual(resources["requests"], resources["limits"])
            self.assertTrue(str(resources["limits"]["cpu"]).isdigit())
            self.assertEqual(resources["limits"]["nvidia.com/gpu"], 1)

    def test_pinned_memory_is_inside_the_limit(self):
        container = self.pod["containers"][0]
        flags = flag_values(container, self.objects)
        gib = {name: int(size.removesuffix("GiB").removesuffix("Gi"))
               for name, size in
               (("cache", flags["host_memory"]),
                ("limit", container["resources"]["limits"]["memory"]))}
        # Beside the cache: 26 GB of weights, and the rest.
        self.assertGreaterEqual(gib["limit"] - gib["cache"], 40)
        self.assertEqual(flags["device"], "cuda")

    def test_the_image_has_what_a_gpu_needs(self):
        self.assertTrue(self.pod["containers"][0]["image"].startswith(
            "hybridserve-worker-cuda:"))

    def test_one_worker_a_node_that_has_a_gpu(self):
        affinity = self.pod["affinity"]
        apart = affinity["podAntiAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"]
        self.assertEqual(apart[0]["topologyKey"], "kubernetes.io/hostname")
        labels = find(self.objects, "StatefulSet/worker")["spec"]["template"][
            "metadata"]["labels"]
        self.assertTrue(selects(apart[0]["labelSelector"], labels))
        self.assertEqual(self.pod["nodeSelector"]["nvidia.com/gpu.present"],
                         "true")
        self.assertIn("nvidia.com/gpu",
                      [t["key"] for t in self.pod["tolerations"]])

    def test_models_are_read_only(self):
        mount = self.pod["containers"][0]["volumeMounts"][0]
        self.assertTrue(mount["readOnly"])
        flags = flag_values(self.pod["containers"][0], self.objects)
        self.assertTrue(
            flags["model_dir"].startswith(mount["mountPath"] + "/"))


class TlsTest(unittest.TestCase):
    def setUp(self):
        self.objects = render("overlays/tls")

    def flags(self, name: str) -> dict[str, str]:
        return flag_values(pod(self.objects, name)["containers"][0],
                           self.objects)

    def test_the_scheduler_has_a_certificate_and_wants_one(self):
        flags = self.flags("Deployment/scheduler")
        self.assertNotIn("insecure", flags)
        self.assertLessEqual(set(TLS_FLAGS), set(flags))

    def test_workers_verify_the_scheduler_and_show_a_certificate(self):
        self.assertLessEqual(set(TLS_FLAGS),
                             set(self.flags("StatefulSet/worker")))

    def test_the_certificate_names_what_is_dialled(self):
        names = find(self.objects, "Certificate/scheduler")["spec"]["dnsNames"]
        dialled = self.flags("StatefulSet/worker")["scheduler"]
        self.assertIn(dialled.partition(":")[0], names)
        self.assertIn("scheduler", names)

    def test_the_certificate_names_the_namespace_that_there_is(self):
        here, elsewhere = ({"namespace": name}
                           for name in ("hybridserve", "elsewhere"))
        gpu, tls = ["k8s/overlays/gpu"], ["k8s/components/tls"]
        names = ["k8s/components/tls/names"]
        for layers in (
                [{**here, "resources": gpu, "components": tls}],
                # Changed below the component.
                [{**elsewhere, "resources": gpu},
                 {**elsewhere, "components": tls}],
                # Beside it, where it has its say first; and above it.
                [{**elsewhere, "resources": gpu, "components": tls,
                  "transformers": names}],
                [{**elsewhere, "resources": ["k8s/overlays/tls"],
                  "transformers": names}]):
            with self.subTest(layers):
                objects = render_own(*layers)
                namespace = layers[-1]["namespace"]
                for name in ("Service/scheduler", "Certificate/scheduler"):
                    self.assertEqual(find(objects, name)["metadata"][
                        "namespace"], namespace)
                certificate = find(objects, "Certificate/scheduler")
                self.assertEqual(certificate["spec"]["dnsNames"], [
                    "scheduler", f"scheduler.{namespace}",
                    f"scheduler.{namespace}.svc",
                    f"scheduler.{namespace}.svc.cluster.local",
                    "scheduler-workers", "localhost"])

    def test_leaves_are_of_the_authority_that_all_trust(self):
        for item in of_kind(self.objects, "Certificate"):
            if item["spec"].get("isCA"):
                authority = item["spec"]["secretName"]
        issuer = find(self.objects, "Issuer/authority")
        self.assertEqual(issuer["spec"]["ca"]["secretName"], authority)
        for name in ("scheduler", "worker", "client"):
            leaf = find(self.objects, f"Certificate/{name}")
            self.assertEqual(leaf["spec"]["issuerRef"]["name"], "authority")

    def test_the_component_goes_on_any_overlay(self):
        for overlay in ("cpu-demo", "gpu"):
            with self.subTest(overlay):
                objects = render_with(overlay, "tls")
                self.assertEqual(policy.violations(objects), [])
                for item in objects:
                    self.assertIsNone(schema.problem_of(item))
                scheduler = pod(objects, "Deployment/scheduler")
                self.assertNotIn("insecure", flag_values(
                    scheduler["containers"][0], objects))
                worker = pod(objects, "StatefulSet/worker")
                self.assertLessEqual(set(TLS_FLAGS), set(flag_values(
                    worker["containers"][0], objects)))
                # What the overlay had is still there.
                before = pod(render(f"overlays/{overlay}"),
                             "StatefulSet/worker")
                self.assertEqual(worker["containers"][0]["resources"],
                                 before["containers"][0]["resources"])
                for volume in before.get("volumes", []):
                    self.assertIn(volume, worker["volumes"])


class BesideTlsTest(unittest.TestCase):
    def test_before_a_cell_with_tls_they_verify_and_show_a_certificate(self):
        cell = render("overlays/tls")
        for overlay, component, name in (
                ("openai", "openai-tls", "Deployment/openai"),
                ("batch-job", "batch-tls", "Job/batch")):
            with self.subTest(overlay):
                objects = render_with(overlay, component)
                self.assertEqual(policy.violations(objects), [])
                for item in objects:
                    self.assertIsNone(schema.problem_of(item))
                world = wiring.World(judged=objects, all=objects + cell,
                                     flags={})
                self.assertEqual(wiring.violations(world), [])
                container = pod(objects, name)["containers"][0]
                flags = flag_values(container, objects)
                self.assertLessEqual(set(TLS_FLAGS), set(flags))
                # What the overlay had is still there.
                before = render(f"overlays/{overlay}")
                had = flag_values(pod(before, name)["containers"][0], before)
                self.assertLessEqual(had.items(), flags.items())
                # The key is for the pod's group, which the pod is of.
                volume = next(v for v in pod(objects, name)["volumes"]
                              if v["name"] == "tls")
                self.assertEqual(volume["secret"]["defaultMode"], 0o440)
                self.assertEqual(pod(objects, name)["securityContext"][
                    "fsGroup"], 10001)
                dialled = flags["server"].partition(":")[0]
                self.assertIn(dialled, find(cell, "Certificate/scheduler")[
                    "spec"]["dnsNames"])


class OpenAiTest(unittest.TestCase):
    def test_prometheus_finds_its_metrics(self):
        objects = render_with("openai", "openai-monitoring")
        for item in objects:
            self.assertIsNone(schema.problem_of(item))
        monitor = find(objects, "ServiceMonitor/openai")["spec"]
        service = find(objects, "Service/openai")
        self.assertLessEqual(monitor["selector"]["matchLabels"].items(),
                             service["metadata"]["labels"].items())
        endpoint, = monitor["endpoints"]
        self.assertIn(endpoint["port"], {
            port["name"] for port in service["spec"]["ports"]})
        # As the alerts name it.
        self.assertEqual([r["replacement"] for r in endpoint["relabelings"]
                          if r["targetLabel"] == "job"],
                         ["hybridserve-openai"])


class MonitoringTest(unittest.TestCase):
    def test_the_component_goes_on_any_overlay(self):
        own = {"ServiceMonitor/scheduler", "ServiceMonitor/worker",
               "PrometheusRule/hybridserve", "ConfigMap/hybridserve-dashboard"}
        for overlay in ("cpu-demo", "gpu", "tls"):
            with self.subTest(overlay):
                objects = render_with(overlay, "monitoring")
                for item in objects:
                    self.assertIsNone(schema.problem_of(item))
                    if item["kind"] != "Namespace":
                        self.assertEqual(item["metadata"]["namespace"],
                                         "hybridserve")
                # It adds, and changes nothing of what the overlay had.
                before = render(f"overlays/{overlay}")
                names = [name_of(item) for item in objects]
                self.assertEqual(sorted(names), sorted(
                    [*map(name_of, before), *own]))
                for item in before:
                    self.assertIn(item, objects)


class CellsTest(unittest.TestCase):
    """Of overlays/two-cells."""

    def setUp(self):
        self.objects = render("overlays/two-cells")

    def labels(self, name: str) -> dict[str, str]:
        return find(self.objects, name)["spec"]["template"]["metadata"][
            "labels"]

    def selected(self, selector: Object) -> set[str]:
        return {name for name, template in pods(self.objects)
                if selects(selector, template["metadata"]["labels"])}

    def test_each_worker_dials_the_scheduler_of_its_cell(self):
        for cell in "ab":
            container = pod(self.objects, f"StatefulSet/worker-{cell}")[
                "containers"][0]
            host, _, _ = flag_values(container, self.objects)[
                "scheduler"].partition(":")
            self.assertEqual(
                self.selected(find(self.objects, f"Service/{host}")["spec"][
                    "selector"]), {f"Deployment/scheduler-{cell}"})

    def test_a_cell_selects_its_own(self):
        for cell in "ab":
            for kind, name in (("Service", "scheduler"), ("Service", "worker"),
                               ("PodDisruptionBudget", "scheduler"),
                               ("PodDisruptionBudget", "worker")):
                selector = find(self.objects, f"{kind}/{name}-{cell}")["spec"][
                    "selector"]
                self.assertEqual(
                    {name.rpartition("/")[2] for name in
                     self.selected(selector)}, {f"{name}-{cell}"})
            autoscaler = find(self.objects,
                              f"HorizontalPodAutoscaler/worker-{cell}")["spec"]
            self.assertEqual(autoscaler["scaleTargetRef"]["name"],
                             f"worker-{cell}")
            for metric in autoscaler["metrics"]:
                self.assertEqual(
                    metric["external"]["metric"]["selector"]["matchLabels"],
                    {"hybridserve_cell": cell})

    def test_a_cell_lets_in_its_own_workers_and_all_clients(self):
        for cell, other in (("a", "b"), ("b", "a")):
            policy = find(self.objects, f"NetworkPolicy/scheduler-{cell}")[
                "spec"]
            self.assertEqual(self.selected(policy["podSelector"]),
                             {f"Deployment/scheduler-{cell}"})
            admitted = [peer["podSelector"] for entry in policy["ingress"]
                        for peer in entry["from"] if "podSelector" in peer]
            for labels, expected in (
                    (self.labels(f"StatefulSet/worker-{cell}"), True),
                    (self.labels(f"StatefulSet/worker-{other}"), False),
                    ({"hybridserve/client": "true"}, True)):
                self.assertEqual(any(selects(selector, labels)
                                     for selector in admitted), expected)
            workers = find(self.objects, f"NetworkPolicy/worker-{cell}")[
                "spec"]
            (entry,) = workers["egress"]
            self.assertEqual(self.selected(entry["to"][0]["podSelector"]),
                             {f"Deployment/scheduler-{cell}"})

    def test_workers_of_both_cells_keep_apart(self):
        apart = pod(self.objects, "StatefulSet/worker-a")["affinity"][
            "podAntiAffinity"][
                "requiredDuringSchedulingIgnoredDuringExecution"]
        self.assertEqual(self.selected(apart[0]["labelSelector"]),
                         {"StatefulSet/worker-a", "StatefulSet/worker-b"})

    def test_what_a_namespace_has_once_is_there_once(self):
        shared = sorted(name_of(item) for item in render("base/shared"))
        self.assertIn("NetworkPolicy/deny-all", shared)
        self.assertEqual(shared, sorted(
            name_of(item) for item in self.objects
            if "hybridserve/shared" in item["metadata"].get("labels", {})))

    def test_one_pool_has_both_schedulers_and_so_have_other_overlays(self):
        both = {"Deployment/scheduler-a", "Deployment/scheduler-b"}
        pool = find(render("overlays/inference-pool"),
                    "InferencePool/hybridserve")
        self.assertEqual(pool["metadata"]["namespace"],
                         find(self.objects, "Deployment/scheduler-a")[
                             "metadata"]["namespace"])
        self.assertEqual(self.selected(pool["spec"]["selector"]), both)
        for overlay in ("openai", "gateway", "batch-job"):
            beside = render(f"overlays/{overlay}")
            world = wiring.World(judged=beside, all=beside + self.objects,
                                 flags={})
            self.assertEqual(wiring.violations(world), [])
        self.assertEqual(self.selected(find(
            self.objects, "Service/scheduler")["spec"]["selector"]), both)

    def test_prometheus_scrapes_each_once_and_tells_cells_apart(self):
        objects = render_with("two-cells", "monitoring")
        scraped: list[str] = []
        for monitor in of_kind(objects, "ServiceMonitor"):
            self.assertEqual(monitor["spec"]["targetLabels"],
                             ["hybridserve/cell"])
            for service in of_kind(objects, "Service"):
                labels = service["metadata"]["labels"]
                if selects(monitor["spec"]["selector"], labels):
                    self.assertIn("hybridserve/cell", labels)
                    scraped += self.selected(service["spec"]["selector"])
        self.assertEqual(sorted(scraped), [
            "Deployment/scheduler-a", "Deployment/scheduler-b",
            "StatefulSet/worker-a", "StatefulSet/worker-b"])


class PoolTest(unittest.TestCase):
    def test_the_picker_asks_for_our_metrics(self):
        objects = render("overlays/inference-pool")
        config = yaml.safe_load(
            find(objects, "ConfigMap/endpoint-picker")["data"]["picker.yaml"])
        plugins = {plugin["name"]: plugin for plugin in config["plugins"]}
        engine = plugins["model-server-protocol-metrics"]["parameters"][
            "engineConfigs"][0]
        for field in ("queuedRequestsSpec", "runningRequestsSpec",
                      "kvUsageSpec", "cacheInfoSpec"):
            self.assertIn(engine[field], documented_metrics())
        for profile in config["schedulingProfiles"]:
            for plugin in profile["plugins"]:
                self.assertIn(plugin["pluginRef"], plugins)


    def test_the_picker_is_reached_and_reaches_schedulers_and_the_api(self):
        world = render_world("overlays/inference-pool")
        port = find(world, "InferencePool/hybridserve")["spec"][
            "endpointPickerRef"]["port"]["number"]
        picker, scheduler = (
            find(world, f"Deployment/{name}")["spec"]["template"]["metadata"][
                "labels"] for name in ("hybridserve-epp", "scheduler"))
        policy = find(world, "NetworkPolicy/picker")["spec"]
        self.assertTrue(selects(policy["podSelector"], picker))
        # From the gateway: where the scheduler's clients come from.
        clients = {"hybridserve/client": "true"}
        for ingress in (policy["ingress"], find(
                world, "NetworkPolicy/scheduler")["spec"]["ingress"]):
            self.assertTrue(any(
                selects(peer.get("namespaceSelector", {"a": "b"}), clients)
                for peer in ingress[0]["from"]))
        self.assertEqual(policy["ingress"][0]["ports"], [{"port": port}])
        # To a scheduler's metrics, by both ends.
        metrics, api = policy["egress"]
        self.assertTrue(selects(metrics["to"][0]["podSelector"], scheduler))
        self.assertEqual(metrics["ports"], [{"port": "metrics"}])
        other = find(world, "NetworkPolicy/scheduler-picker")["spec"]
        self.assertTrue(selects(other["podSelector"], scheduler))
        (entry,) = other["ingress"]
        self.assertEqual(len(entry["from"]), 1)
        self.assertTrue(selects(entry["from"][0]["podSelector"], picker))
        self.assertEqual(entry["ports"], [{"port": "metrics"}])
        self.assertNotIn("to", api)
        self.assertEqual(api["ports"], [{"port": 443}, {"port": 6443}])


class DemoTest(unittest.TestCase):
    def test_nothing_but_a_cluster_is_needed(self):
        objects = render("overlays/cpu-demo")
        self.assertEqual(of_kind(objects, "HorizontalPodAutoscaler"), [])
        self.assertEqual(of_kind(objects, "PersistentVolumeClaim"), [])
        worker = find(objects, "StatefulSet/worker")["spec"]
        self.assertGreaterEqual(worker["replicas"], 2)
        variables = environment(
            worker["template"]["spec"]["containers"][0], objects)
        self.assertEqual(variables["HYBRIDSERVE_DEVICE"], "cpu")


if __name__ == "__main__":
    unittest.main(verbosity=2)
