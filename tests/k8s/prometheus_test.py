"""Every metric of the dashboard and the rules is in a live scrape, and every
panel shows something: asked of a Prometheus that scrapes live programs.

Usage: prometheus_test.py PROGRAMS_ROOT
"""

import shutil
import sys
import threading
import time
import unittest

from tests.e2e import generated_client as pb
from tests.e2e.openai_gateway import OpenAiGateway
from tests.e2e.processes import Programs
from tests.e2e.scraped_cluster import ScrapedCluster, exported, scrape
from tests.k8s.monitoring import (FOLDER, panels, queries, recorded,
                                  without_suffix)
from tests.k8s.prometheus import Prometheus

PROGRAMS = None
NAMESPACE = "cell"
# For a first sample, rates and series recorded of them.
PATIENCE_SECONDS = 120


def shown(expr: str) -> str:
    """As Grafana asks it, with all models chosen."""
    return (expr.replace("$namespace", NAMESPACE).replace("$model", ".*")
            .replace("$__rate_interval", "10s"))


def complete(gateway: OpenAiGateway) -> None:
    gateway.request("POST", "/v1/completions", {
        "model": "pre_norm", "prompt": [5, 6, 7], "max_tokens": 5})


class Load(threading.Thread):
    """Requests, one after the other, by both ways, until told to stop."""

    def __init__(self, address: str, gateway: OpenAiGateway):
        super().__init__(daemon=True)
        self._address = address
        self._gateway = gateway
        self._stopped = threading.Event()

    def run(self) -> None:
        with pb.Client(self._address) as client:
            while not self._stopped.is_set():
                request = pb.request(
                    pb.inference.GenerateRequest, model="pre_norm",
                    token_ids=[5, 6, 7], max_tokens=60)
                request.stopping.ignore_eos = True
                client.inference.Generate(request)
                complete(self._gateway)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


class PrometheusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cluster = ScrapedCluster(PROGRAMS)
        cls.addClassCleanup(cluster.__exit__)
        cls.pages = ""
        cluster.finish_and_refuse()
        cls.pages += cluster.fail()
        gateway = OpenAiGateway(PROGRAMS, cluster.cluster,
                                "--metrics_listen=127.0.0.1:0")
        cls.addClassCleanup(gateway.__exit__)
        load = Load(cluster.address, gateway)
        load.start()
        cls.addClassCleanup(load.stop)
        cls.pages += cluster.scheduler_page() + cluster.worker_page()
        gateway_metrics = gateway.metrics_address()
        complete(gateway)
        cls.pages += scrape(gateway_metrics)
        cls.prometheus = Prometheus(FOLDER / "rules.yaml", [
            (cluster.scheduler_metrics,
             {"job": "hybridserve-scheduler", "namespace": NAMESPACE,
              "pod": "scheduler-0"}),
            (cluster.worker_metrics,
             {"job": "hybridserve-worker", "namespace": NAMESPACE,
              "pod": "worker-0"}),
            (gateway_metrics,
             {"job": "hybridserve-openai", "namespace": NAMESPACE,
              "pod": "openai-0"})])
        cls.addClassCleanup(cls.prometheus.__exit__)

    def samples(self, expr: str, deadline: float) -> list[dict]:
        """The expression's samples, waited for; empty at the deadline."""
        while True:
            found = self.prometheus.query(expr)
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.2)

    def test_every_metric_is_in_a_live_scrape(self):
        live = set(exported(self.pages)) | {"up"}
        for query in queries():
            for metric in query.metrics() - recorded():
                self.assertIn(metric if metric in live
                              else without_suffix(metric), live, query.where)

    def test_every_query_of_the_dashboard_gives_something(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        empty = [(panel["title"], target["expr"]) for panel in panels()
                 for target in panel["targets"]
                 if not self.samples(shown(target["expr"]), deadline)]
        self.assertEqual(empty, [])

    def test_a_tables_rows_are_its_key_alone(self):
        # Columns of other labels would not join to one row a worker.
        deadline = time.monotonic() + PATIENCE_SECONDS
        table, = (panel for panel in panels() if panel["type"] == "table")
        for target in table["targets"]:
            for sample in self.samples(shown(target["expr"]), deadline):
                self.assertEqual(set(sample["metric"]), {"worker"},
                                 target["expr"])

    def test_all_rules_evaluate_and_no_alert_cries_wolf(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.prometheus.targets_up():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        while any(rule["health"] == "unknown"
                  for rule in self.prometheus.rules()):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.2)
        for rule in self.prometheus.rules():
            self.assertEqual((rule["name"], rule["health"],
                              rule.get("lastError", "")),
                             (rule["name"], "ok", ""))
            self.assertNotEqual(rule.get("state"), "firing", rule["name"])


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    if shutil.which("prometheus") is None:
        print("skipped: there is no prometheus on PATH")
        sys.exit(0)
    unittest.main(verbosity=2)
