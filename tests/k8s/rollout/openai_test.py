"""No completion fails while OpenAI's gateways, and the scheduler behind them,
are updated as the manifests say; and some do where the manifests are bad.

Usage: openai_test.py PROGRAMS_ROOT TIME_SCALE. The scale: rollout_test.py.
"""

import pathlib
import sys
import unittest

from tests.e2e.processes import Programs
from tests.k8s.rendering import Object, find, render
from tests.k8s.rollout.controllers import (
    Cluster, Deployment, RollingDeployment, StatefulSet)
from tests.k8s.rollout.openai_load import (
    PATIENT_RETRIES, USUAL_RETRIES, OpenAiLoad)

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAMS = None
TIME_SCALE = 1.0
CLIENTS = 4
TOKENS = 96
# So many that on the fastest machine some answer is under way.
MANY_TOKENS = 384


def manifests() -> list[Object]:
    return render("overlays/cpu-demo") + render("overlays/openai")


class Cell:
    """Of real processes, with the gateways in front, all ready."""

    def __init__(self, objects: list[Object]):
        self.cluster = Cluster(objects, PROGRAMS, ROOT, TIME_SCALE)
        try:
            self.scheduler = Deployment(self.cluster, "scheduler")
            self.workers = StatefulSet(self.cluster, "worker")
            self.gateways = RollingDeployment(self.cluster, "openai")
            # In any order: each waits for what it needs.
            for part in (self.gateways, self.workers, self.scheduler):
                part.start()
            for part in (self.workers, self.scheduler, self.gateways):
                part.wait_ready()
        except BaseException:
            self.cluster.close()
            raise

    def load(self, retries: int, max_tokens: int = TOKENS) -> OpenAiLoad:
        return OpenAiLoad(self.cluster.address("openai", "http"), CLIENTS,
                          max_tokens, retries)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.cluster.close()


class OpenAiRolloutTest(unittest.TestCase):
    def test_no_completion_fails(self):
        with Cell(manifests()) as cell:
            for name, action, retries in (
                    ("update of the gateways", cell.gateways.rolling_update,
                     USUAL_RETRIES),
                    ("update of the scheduler", cell.scheduler.recreate,
                     PATIENT_RETRIES)):
                with self.subTest(name):
                    load = cell.load(retries)
                    action()
                    load.stop()
                    print(f"{name}: {load.answered} answered")
                    self.assertEqual(load.failures, [])
                    self.assertGreater(load.answered, 0)
            cell.gateways.end()
            self.assertEqual(cell.cluster.faults(), [])

    def test_gateways_that_are_cut_short_are_seen(self):
        objects = manifests()
        container = find(objects, "Deployment/openai")["spec"]["template"][
            "spec"]["containers"][0]
        container["lifecycle"]["preStop"]["exec"]["command"] = ["sleep", "0"]
        args = container["args"]
        args[args.index("--drain_timeout=60s")] = "--drain_timeout=0s"
        with Cell(objects) as cell:
            load = cell.load(0, MANY_TOKENS)
            cell.gateways.rolling_update()
            load.stop()
            self.assertTrue(load.failures)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    TIME_SCALE = float(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
