"""Some seeds of the nemesis, with no violation of an invariant.

Usage: nemesis_test.py PROGRAMS_ROOT
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

NEMESIS = pathlib.Path(__file__).with_name("nemesis.py")
ROOT = None
# Kills of workers and of the scheduler, a drain, stops, partitions, resets, an
# overload, garbage and lying workers.
SEEDS = [23, 40, 66, 79]


class NemesisTest(unittest.TestCase):
    def test_no_invariant_is_violated(self):
        folder = pathlib.Path(os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR") or
                              tempfile.mkdtemp())

        def run(seed: int) -> subprocess.CompletedProcess:
            return subprocess.run(
                [sys.executable, str(NEMESIS), f"--seed={seed}",
                 f"--bin={ROOT}", f"--histories={folder / str(seed)}"],
                capture_output=True, text=True, timeout=600)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = list(pool.map(run, SEEDS))
        for seed, done in zip(SEEDS, runs):
            with self.subTest(seed=seed):
                self.assertEqual(done.returncode, 0, done.stderr)
                result = json.loads(done.stdout.splitlines()[-1])
                self.assertEqual(result["violations"], [])
                self.assertGreater(result["tokens"], 100)
                print(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    ROOT = sys.argv.pop(1)
    unittest.main(verbosity=2)
