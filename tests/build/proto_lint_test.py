"""buf finds nothing to complain of in proto/ (rules: proto/buf.yaml)."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
BUF = pathlib.Path(sys.executable).parent / "buf"


class ProtoLintTest(unittest.TestCase):
    def setUp(self):
        # buf follows no links, and wants a folder for its cache.
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name) / "proto"
        self.env = {**os.environ, "HOME": scratch.name,
                    "BUF_CACHE_DIR": str(pathlib.Path(scratch.name) / "cache")}
        shutil.copytree(PROTO, self.folder)

    def run_buf(self, command: str) -> str:
        result = subprocess.run([BUF, command], cwd=self.folder, text=True,
                                capture_output=True, env=self.env)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_lint(self):
        # The files that buf sees, so that an empty folder does not pass.
        files = self.run_buf("ls-files").split()
        self.assertIn("hybridserve/v1/inference_service.proto", files)
        self.assertIn("hybridserve/worker/v1/step_plan.proto", files)
        self.run_buf("lint")


if __name__ == "__main__":
    unittest.main()
