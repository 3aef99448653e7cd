"""Every metric that live programs export is in docs/metrics.md, and the other way
round; promtool finds nothing to say of them.

Usage: metrics_test.py PROGRAMS_ROOT
"""

import re
import subprocess
import sys
import unittest

from tests.e2e.openai_gateway import OpenAiGateway
from tests.e2e.processes import Programs
from tests.e2e.scraped_cluster import (ScrapedCluster, documented, exported,
                                       scrape)

PROGRAMS = None


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cluster = ScrapedCluster(PROGRAMS)
        cls.addClassCleanup(cluster.__exit__)
        cluster.finish_and_refuse()
        cls.pages = {"O": cls.gateway_page(cluster)}
        cls.busy_page = cluster.fail()
        cls.pages |= {"S": cluster.scheduler_page(),
                      "W": cluster.worker_page()}

    @staticmethod
    def gateway_page(cluster: ScrapedCluster) -> str:
        """After a chat that is refused."""
        with OpenAiGateway(PROGRAMS, cluster.cluster,
                           "--metrics_listen=127.0.0.1:0") as gateway:
            metrics = gateway.metrics_address()
            gateway.request("POST", "/v1/chat/completions", {})
            return scrape(metrics)

    def test_the_docs_list_what_is_exported(self):
        for program in self.pages:
            with self.subTest(program):
                known = documented(program)
                busy_page = self.busy_page if program == "S" else ""
                found = exported(busy_page + self.pages[program])
                self.assertEqual(sorted(known), sorted(found))
                for name, (kind, labels) in found.items():
                    self.assertEqual((name, kind, sorted(labels)),
                                     (name, known[name][0],
                                      sorted(known[name][1])))

    def test_promtool_has_nothing_to_say(self):
        for program in self.pages:
            with self.subTest(program):
                # What the exposer adds of its own is not ours to name.
                page = "".join(
                    line for line in self.pages[program].splitlines(True)
                    if "exposer_" not in line)
                result = subprocess.run(
                    ["promtool", "check", "metrics"], input=page, text=True,
                    capture_output=True, timeout=60)
                self.assertEqual((result.returncode, result.stdout,
                                  result.stderr), (0, "", ""))

    def test_the_counts_are_those_of_the_requests(self):
        page = self.pages["S"]
        for sample in (
                'hybridserve_request_success_total{finished_reason="length",'
                'model_name="pre_norm"} 1\n',
                'hybridserve_request_rejected_total{code="INVALID_ARGUMENT"} '
                '1\n',
                'hybridserve_tenant_requests_total{outcome="rejected",'
                'tenant=""} 1\n'):
            self.assertIn(sample, page)

    def test_the_worker_is_up_and_loaded_and_its_steps_are_counted(self):
        page = self.pages["W"]
        self.assertIn('hybridserve_worker_up{model_name="pre_norm"} 1\n', page)
        self.assertIn(
            'hybridserve_model_load_ratio{model_name="pre_norm"} 1\n', page)
        steps = re.search(r"hybridserve_steps_total\{.*\} (\d+)\n", page)
        self.assertGreater(int(steps.group(1)), 8)
        moved = re.search(r'hybridserve_offload_bytes_total\{dir="in",'
                          r'kind="weight",.*\} ([\d.e+]+)\n', page)
        self.assertGreater(float(moved.group(1)), 0)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
