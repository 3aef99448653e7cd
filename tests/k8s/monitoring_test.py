"""Rules, dashboard and runbook fit each other, Prometheus's checks and
docs/metrics.md; each alert is shown to fire and not to fire."""

import json
import subprocess
import sys
import unittest

import kubernetes_validate
import yaml

from tests.k8s.monitoring import (FOLDER, RUNBOOK, alerts, dashboard, panels,
                                  queries, recorded, rule_groups,
                                  without_suffix)
from tests.k8s.rendering import render

DOCS = FOLDER.parents[2] / "docs" / "metrics.md"
KUBERNETES_VERSION = "1.27"  # As in render_test.
# What Prometheus makes of each scrape.
OWN_OF_PROMETHEUS = {"up"}
# The fields of the operator's objects that may be used here, as
# monitoring.coreos.com/v1 has them.
FIELDS = {
    "ServiceMonitor": {"selector", "targetLabels", "endpoints"},
    "PrometheusRule": {"groups"},
}
ENDPOINT_FIELDS = {"port", "path", "interval", "scrapeTimeout", "relabelings"}


def promtool(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run(["promtool", *args], cwd=FOLDER, text=True,
                          capture_output=True, timeout=120)


def documented() -> set[str]:
    return {line.split("`")[1] for line in DOCS.read_text("utf-8").splitlines()
            if line.startswith("| `")}


def runbook_sections() -> dict[str, str]:
    sections: dict[str, str] = {}
    title = ""
    for line in RUNBOOK.read_text("utf-8").splitlines():
        if line.startswith("## "):
            title = line[3:]
            sections[title] = ""
        elif title:
            sections[title] += line + "\n"
    return sections


class RulesTest(unittest.TestCase):
    def test_promtool_accepts_the_rules(self):
        result = promtool("check", "rules", "--lint=all", "--lint-fatal",
                          "rules.yaml")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_rules_own_tests_pass(self):
        result = promtool("test", "rules", "rules_test.yaml")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_each_alert_is_shown_to_fire_and_not_to_fire(self):
        shown = {True: set(), False: set()}
        tests = yaml.safe_load(
            (FOLDER / "rules_test.yaml").read_text("utf-8"))["tests"]
        for case in (case for test in tests
                     for case in test["alert_rule_test"]):
            shown[bool(case["exp_alerts"])].add(case["alertname"])
        self.assertEqual(shown[True], set(alerts()))
        self.assertEqual(shown[False], set(alerts()))

    def test_alerts_have_severity_summary_and_a_section_of_the_runbook(self):
        sections = runbook_sections()
        self.assertEqual(list(sections), list(alerts()), "in the same order")
        for name, alert in alerts().items():
            with self.subTest(name):
                self.assertIn(alert["labels"]["severity"],
                              {"critical", "warning", "info"})
                self.assertTrue(alert["annotations"]["summary"].endswith("."))
                # As Markdown makes anchors of headings.
                self.assertEqual(alert["annotations"]["runbook_url"],
                                 f"docs/runbook.md#{name.lower()}")
                for part in ("**Means**", "**Causes**", "**Look at**",
                             "**Do**"):
                    self.assertIn(part, sections[name])

    def test_the_operators_object_has_the_same_rules(self):
        rule = yaml.safe_load(
            (FOLDER / "prometheus_rule.yaml").read_text("utf-8"))
        self.assertEqual(rule["spec"]["groups"], rule_groups(),
                         "run make_prometheus_rule.py")


class QueriesTest(unittest.TestCase):
    def test_every_metric_is_documented_or_recorded(self):
        known = documented() | recorded() | OWN_OF_PROMETHEUS
        for query in queries():
            used = query.metrics()
            self.assertTrue(used, f"{query.where}: no metric in {query.expr}")
            for metric in used:
                self.assertIn(
                    metric if metric in known else without_suffix(metric),
                    known, query.where)

    def test_every_recorded_series_is_used(self):
        used = set().union(*(query.metrics() for query in queries()))
        self.assertEqual(recorded() - used, set())


class DashboardTest(unittest.TestCase):
    def test_is_what_its_source_makes(self):
        made = subprocess.run(
            [sys.executable, "-B", "-c", "import make_dashboard as m; "
             "print(m.text(), end='')"], cwd=FOLDER, check=True, text=True,
            capture_output=True).stdout
        self.assertEqual(made, (FOLDER / "dashboard.json").read_text("utf-8"),
                         "run make_dashboard.py")

    def test_ids_are_unique_and_panels_complete(self):
        ids = [panel["id"] for panel in dashboard()["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        titles = [panel["title"] for panel in panels()]
        self.assertEqual(len(titles), len(set(titles)))
        for panel in panels():
            with self.subTest(panel["title"]):
                self.assertTrue(panel["title"])
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                self.assertEqual(panel["datasource"]["uid"], "${datasource}")
                self.assertTrue(panel["targets"])
                refs = [target["refId"] for target in panel["targets"]]
                self.assertEqual(len(refs), len(set(refs)))
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"]["uid"],
                                     "${datasource}")
                    self.assertTrue(target["legendFormat"])

    def test_panels_do_not_overlap(self):
        taken: dict[tuple[int, int], str] = {}
        for panel in dashboard()["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    other = taken.setdefault((x, y), panel["title"])
                    self.assertEqual(other, panel["title"])

    def test_variables_are_those_of_the_queries(self):
        names = {variable["name"] for variable in
                 dashboard()["templating"]["list"]}
        self.assertEqual(names, {"datasource", "namespace", "model"})
        for panel in panels():
            for target in panel["targets"]:
                self.assertIn("$namespace", target["expr"], panel["title"])


class OverlayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.items = render("overlays/monitoring")

    def of_kind(self, kind: str) -> list[dict]:
        return [item for item in self.items if item["kind"] == kind]

    def test_objects_of_kubernetes_satisfy_their_schemas(self):
        for item in self.items:
            if "monitoring.coreos.com" in item["apiVersion"]:
                continue
            with self.subTest(item["kind"]):
                kubernetes_validate.validate(item, KUBERNETES_VERSION,
                                             strict=True)

    def test_custom_objects_have_known_fields_only(self):
        for kind, fields in FIELDS.items():
            found = self.of_kind(kind)
            self.assertTrue(found, kind)
            for item in found:
                self.assertEqual(item["apiVersion"],
                                 "monitoring.coreos.com/v1")
                self.assertEqual(set(item["spec"]), fields)

    def test_monitors_select_a_service_and_one_of_its_ports(self):
        services = {item["metadata"]["name"]: item
                    for item in self.of_kind("Service")}
        monitored = set()
        for monitor in self.of_kind("ServiceMonitor"):
            wanted = monitor["spec"]["selector"]["matchLabels"]
            found = [
                service for service in services.values()
                if wanted.items() <= service["metadata"]["labels"].items()]
            self.assertEqual(len(found), 1, wanted)
            self.assertEqual(found[0]["metadata"]["namespace"],
                             monitor["metadata"]["namespace"])
            ports = {port["name"] for port in found[0]["spec"]["ports"]}
            for endpoint in monitor["spec"]["endpoints"]:
                self.assertLessEqual(set(endpoint), ENDPOINT_FIELDS)
                self.assertIn(endpoint["port"], ports)
            monitored.add(found[0]["metadata"]["name"])
        self.assertEqual(monitored, {"scheduler", "worker"})

    def test_jobs_are_named_as_the_rules_name_them(self):
        jobs = {relabeling["replacement"]
                for monitor in self.of_kind("ServiceMonitor")
                for endpoint in monitor["spec"]["endpoints"]
                for relabeling in endpoint["relabelings"]
                if relabeling["targetLabel"] == "job"}
        self.assertEqual(jobs, {"hybridserve-scheduler", "hybridserve-worker"})
        for job in jobs | {"hybridserve-openai"}:  # Of its own component.
            self.assertTrue(any(f'job="{job}"' in query.expr
                                for query in queries()), job)

    def test_grafanas_sidecar_finds_the_dashboard(self):
        config_map, = (item for item in self.of_kind("ConfigMap")
                       if "hybridserve.json" in item["data"])
        self.assertEqual(config_map["metadata"]["labels"],
                         {"grafana_dashboard": "1"})
        self.assertEqual(json.loads(config_map["data"]["hybridserve.json"]),
                         dashboard())


if __name__ == "__main__":
    unittest.main(verbosity=2)
