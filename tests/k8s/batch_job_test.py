"""The batch job's pods, as real processes: together they answer every line of
the file once.

Usage: batch_job_test.py PROGRAMS_ROOT
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from tests.e2e.certificates import Authority
from tests.e2e.processes import Cluster, Programs
from tests.k8s.rendering import Object, find, render, render_with

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
WORKER = [f"--model_dir={MODEL}", "--dtype=float32", "--device_memory=min"]
PROGRAMS = None
LINES = 10


class BatchJobTest(unittest.TestCase):
    def setUp(self):
        self.use(render("overlays/batch-job"))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # What is mounted at /data.
        self.folder = pathlib.Path(folder.name)
        (self.folder / "requests.jsonl").write_text("".join(
            json.dumps({"id": f"line-{n}", "token_ids": [5, n + 6],
                        "max_tokens": 2}) + "\n" for n in range(LINES)))

    def use(self, objects: list[Object]) -> None:
        self.job = find(objects, "Job/batch")["spec"]
        self.container: Object = self.job["template"]["spec"]["containers"][0]

    def start(self, index: int, address: str) -> subprocess.Popen:
        """The pod with that index, as the kubelet starts it."""
        (variable,), others = (
            [v for v in self.container["env"] if ("value" in v) == literal]
            for literal in (False, True))
        self.assertEqual(
            variable["valueFrom"]["fieldRef"]["fieldPath"],
            "metadata.annotations['batch.kubernetes.io/job-completion-index']")
        args = [arg.replace(f"$({variable['name']})", str(index))
                .replace("=/data/", f"={self.folder}/")
                .replace("=scheduler:50051", f"={address}")
                for arg in self.container["args"]]
        # What is mounted at /tls.
        env = {other["name"]: other["value"].replace(
            "/tls/", f"{self.folder}/") for other in others}
        return subprocess.Popen([PROGRAMS.client, *args],
                                env={**os.environ, **env},
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
        with Cluster(PROGRAMS, [WORKER]) as cluster:
            self.run_job(cluster.address)
            first = self.results()
            # Run again, it has nothing to do.
            self.run_job(cluster.address)
        self.judge(first)
        self.assertEqual(self.results(), first)

    def test_beside_a_cell_with_tls(self):
        self.use(render_with("batch-job", "batch-tls"))
        authority = Authority(self.folder, "ca")
        trusts = f"--tls_ca={authority.certificate}"
        scheduler, worker, client = (
            authority.issue(name) for name in ("scheduler", "worker", "tls"))
        self.assertEqual(client.certificate, self.folder / "tls.crt")
        with Cluster(PROGRAMS, [[*WORKER, trusts, *worker.flags()]],
                     [trusts, *scheduler.flags()]) as cluster:
            self.run_job(cluster.address)
        self.judge(self.results())

    def judge(self, results: dict[str, str]) -> None:
        self.assertEqual(set(results), {
            f"results-{n}.jsonl" for n in range(self.job["completions"])})
        ids = [json.loads(line)["id"] for text in results.values()
               for line in text.splitlines()]
        self.assertEqual(sorted(ids),
                         sorted(f"line-{n}" for n in range(LINES)))


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
