"""Every overlay renders, satisfies its schemas, keeps the policy and fits
itself and the programs.

Usage: render_test.py SCHEDULER WORKER CLIENT OPENAI. The programs are asked for
their flags, so that no manifest passes one that does not exist.
"""

import sys
import unittest

from tests.k8s import policy, schema, wiring
from tests.k8s.rendering import name_of, overlay_names, render, render_world

FLAGS: dict[str, set[str]] = {}
FOLDERS = ["base", *(f"overlays/{name}" for name in overlay_names())]
EXPECTED = {"batch-job", "cpu-demo", "gateway", "gpu", "inference-pool",
            "openai", "tls", "two-cells"}


class RenderTest(unittest.TestCase):
    def test_the_overlays_are_there(self):
        self.assertLessEqual(EXPECTED, set(overlay_names()))

    def test_names_are_unique_and_in_one_namespace(self):
        for folder in FOLDERS:
            with self.subTest(folder):
                objects = render(folder)
                names = [name_of(item) for item in objects]
                self.assertTrue(objects)
                self.assertEqual(len(names), len(set(names)))
                self.assertLessEqual(
                    {item["metadata"].get("namespace") for item in objects
                     if item["kind"] != "Namespace"}, {"hybridserve"})

    def test_every_object_satisfies_its_schema_strictly(self):
        for folder in FOLDERS:
            for item in render(folder):
                with self.subTest(folder=folder, item=name_of(item)):
                    self.assertIsNone(schema.problem_of(item))

    def test_every_pod_keeps_the_policy(self):
        for folder in FOLDERS:
            with self.subTest(folder):
                self.assertEqual(policy.violations(render(folder)), [])

    def test_everything_fits(self):
        for folder in FOLDERS:
            with self.subTest(folder):
                self.assertEqual(
                    wiring.violations(wiring.World(
                        judged=render(folder), all=render_world(folder),
                        flags=FLAGS)), [])


if __name__ == "__main__":
    for program in sys.argv[1:5]:
        FLAGS[program.rpartition("/")[2]] = wiring.flags_of(program)
    del sys.argv[1:5]
    unittest.main(verbosity=2)
