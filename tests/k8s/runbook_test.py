"""The runbook speaks of panels, metrics and flags that exist.

Usage: runbook_test.py PROGRAMS_ROOT
"""

import re
import subprocess
import sys
import unittest

from tests.e2e.processes import Programs
from tests.e2e.scraped_cluster import documented
from tests.k8s.monitoring import RUNBOOK, alerts, dashboard, panels

PROGRAMS = None
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def text() -> str:
    return RUNBOOK.read_text("utf-8")


def prose() -> str:
    """Without code, on one line."""
    return re.sub(r"\s+", " ", CODE.sub("", text()))


def code() -> str:
    return "\n".join(CODE.findall(text()))


class RunbookTest(unittest.TestCase):
    def test_panels_exist(self):
        quoted = set(re.findall(r'"([^"]+)"', prose()))
        titles = {panel["title"] for panel in panels()}
        self.assertGreater(len(quoted), 10)
        self.assertLessEqual(quoted, titles | {dashboard()["title"]})

    def test_alerts_that_it_points_to_exist(self):
        named = set(re.findall(r"\bHybridServe[A-Z]\w+", prose()))
        self.assertEqual(named, set(alerts()))

    def test_metrics_exist(self):
        named = set(re.findall(r"\b(?:hybridserve|process)_\w+", code()))
        self.assertTrue(named)
        self.assertLessEqual(
            named, set().union(*(documented(program) for program in "SWO")))

    def test_flags_exist(self):
        known: set[str] = set()
        for program in PROGRAMS.all():
            shown = subprocess.run([program, "--help"], check=True,
                                   capture_output=True, text=True).stdout
            known |= set(re.findall(r"--(?:\[no\])?([a-z][a-z0-9_]*)", shown))
        # In backquotes alone, or first: kubectl's own stand behind a command.
        named = set(re.findall(r"`--([a-z0-9_]+)", text()))
        self.assertGreater(len(named), 10)
        self.assertLessEqual(named, known)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
