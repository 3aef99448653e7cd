"""The Ray Data recipe, on a Ray of this machine.

Usage: ray_test.py PROGRAMS_ROOT

$HYBRIDSERVE_RAY_PYTHON is the interpreter of an environment with Ray:

    python3 -m venv DIR && DIR/bin/pip install 'ray[data]' grpcio
    HYBRIDSERVE_RAY_PYTHON=DIR/bin/python bazel test --config=opt \\
        //client/python/tests:ray_test

Without one this skips. The wheel is installed into a fresh environment on top.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from client.python.tests.fresh_environment import (build_wheel, copy_source,
                                                   run)
from tests.e2e.processes import Cluster, Programs

PAGE = pathlib.Path("docs") / "recipes.md"
MODEL = pathlib.Path("models") / "demo"
PROGRAMS = None


def layer(ray_python: str, folder: pathlib.Path) -> pathlib.Path:
    """The interpreter of an environment with the wheel, on top of Ray's."""
    wheel = build_wheel(copy_source(folder), folder)
    environment = folder / "environment"
    run(ray_python, "-m", "venv", environment)
    packages = subprocess.run(
        [ray_python, "-c", "import sysconfig; "
         "print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True).stdout
    [own] = environment.glob("lib/python*/site-packages")
    (own / "ray.pth").write_text(packages)
    python = environment / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-index",
        "--no-cache-dir", "--disable-pip-version-check", wheel)
    return python


class RayTest(unittest.TestCase):
    def setUp(self):
        self.ray_python = os.environ.get("HYBRIDSERVE_RAY_PYTHON", "")
        if not self.ray_python:
            self.skipTest("$HYBRIDSERVE_RAY_PYTHON is not set")
        run(self.ray_python, "-c", "import grpc, ray.data")

    def test_the_recipe(self):
        [recipe] = re.findall(r"^## Ray Data\n.*?^```python\n(.*?)^```",
                              PAGE.read_text(), re.M | re.S)
        with tempfile.TemporaryDirectory() as temporary, Cluster(
                PROGRAMS, [[f"--model_dir={MODEL}", "--device_memory=min",
                            "--dtype=float32"]]) as cluster:
            folder = pathlib.Path(temporary)
            python = layer(self.ray_python, folder)
            program = folder / "recipe.py"
            program.write_text(recipe.replace("localhost:50051",
                                              cluster.address))
            done = subprocess.run(
                [python, program], cwd=folder, capture_output=True, text=True,
                # Ray keeps a token in its home.
                timeout=800, env={**os.environ, "HOME": temporary,
                                  "PYTHONPATH": "", "PYTHONUTF8": "1"})
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            lines = done.stdout.splitlines()
            self.assertRegex(lines[0], "^0 Chapter 0: In the → .+")
            self.assertEqual(lines[-1], "0 failed", done.stdout)
            [worker] = cluster.status()["workers"]
        self.assertGreaterEqual(worker["totals"]["sampled_tokens"], 200)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
