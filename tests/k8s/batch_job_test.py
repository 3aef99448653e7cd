"""The batch job's pods, as real processes: together they answer every line of
the file once.

Usage: batch_job_test.py PROGRAMS_ROOT
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from tests.e2e.processes import Cluster, Programs
from tests.k8s.rendering import Object, find, render

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
PROGRAMS = None
LINES = 10


class BatchJobTest(unittest.TestCase):
    def setUp(self):
        self.job = find(render("overlays/batch-job"), "Job/batch")["spec"]
        self.container: Object = self.job["template"]["spec"]["containers"][0]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # What is mounted at /data.
        self.folder = pathlib.Path(folder.name)
        (self.folder / "requests.jsonl").write_text("".join(
            json.dumps({"id": f"line-{n}", "token_ids": [5, n + 6],
                        "max_tokens": 2}) + "\n" for n in range(LINES)))

    def start(self, index: int, address: str) -> subprocess.Popen:
        """The pod with that index, as the kubelet starts it."""
        (variable,) = self.container["env"]
        self.assertEqual(
            variable["valueFrom"]["fieldRef"]["fieldPath"],
            "metadata.annotations['batch.kubernetes.io/job-completion-index']")
        args = [arg.replace(f"$({variable['name']})", str(index))
                .replace("=/data/", f"={self.folder}/")
                .replace("=scheduler:50051", f"={address}")
                for arg in self.container["args"]]
        return subprocess.Popen([PROGRAMS.client, *args],
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def run_job(self, address: str) -> None:
        pods = [self.start(index, address)
                for index in range(self.job["completions"])]
        for pod in pods:
            _, error = pod.communicate(timeout=300)
            self.assertEqual(pod.returncode, 0, error)

    def results(self) -> dict[str, str]:
        return {path.name: path.read_text()
                for path in self.folder.glob("results-*.jsonl")}

    def test_every_line_is_answered_once_and_once_only(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}", "--dtype=float32",
                                 "--device_memory=min"]]) as cluster:
            self.run_job(cluster.address)
            first = self.results()
            # Run again, it has nothing to do.
            self.run_job(cluster.address)
        self.assertEqual(set(first), {
            f"results-{n}.jsonl" for n in range(self.job["completions"])})
        ids = [json.loads(line)["id"] for text in first.values()
               for line in text.splitlines()]
        self.assertEqual(sorted(ids),
                         sorted(f"line-{n}" for n in range(LINES)))
        self.assertEqual(self.results(), first)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
