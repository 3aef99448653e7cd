"""What docs/quickstart.md tells to type does what it says.

Usage: quickstart_test.py PROGRAMS_ROOT
"""

import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "quickstart.md"
PROGRAMS_ROOT = ""
MARK = "== block"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class QuickstartTest(unittest.TestCase):
    def test_every_block_does_what_it_says(self):
        blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(),
                            re.MULTILINE | re.DOTALL)
        self.assertEqual(len(blocks), 8)
        port = str(free_port())
        script = "set -euo pipefail\nset -m\n" + "".join(
            f"echo '{MARK}'\n{block.replace('50051', port)}"
            for block in blocks)
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch)
            (folder / "bazel-bin").symlink_to(PROGRAMS_ROOT)
            (folder / "models").symlink_to(ROOT / "models")
            done = subprocess.run(["bash", "-c", script], cwd=folder,
                                  capture_output=True, text=True, timeout=600)
            logs = "".join(path.read_text() for path in folder.glob("*.log"))
            self.assertEqual(done.returncode, 0, done.stderr + logs)
            self.assertEqual((folder / "worker.out").read_text(), "ready\n")
            self.assertEqual((folder / "scheduler.out").read_text(),
                             f"listening 127.0.0.1:{port}\nready\n")
        said = done.stdout.split(f"{MARK}\n")[1:]
        (_, doctor, alone, streamed, served, asked, batch, _) = said
        self.assertRegex(doctor, r"(?m)^ok +model: demo fits")
        self.assertTrue(alone.strip())
        self.assertEqual(alone, streamed)
        self.assertIn("SERVING", served)
        self.assertIn("demo: opt", asked)
        results = [json.loads(line) for line in batch.splitlines()
                   if line.startswith("{")]
        self.assertEqual([result["id"] for result in results],
                         ["a", "b", "c"])
        self.assertTrue(all(result["text"] for result in results))


if __name__ == "__main__":
    PROGRAMS_ROOT = str(pathlib.Path(sys.argv.pop(1)).absolute())
    unittest.main()
