"""`hybridserve doctor` on this machine, on models and on servers.

Usage: doctor_test.py PROGRAMS_ROOT
"""

import json
import pathlib
import sys
import tempfile
import unittest

from tests.e2e.processes import Cluster, Programs, run_client

MODEL = (pathlib.Path(__file__).resolve().parents[1] / "golden" / "models" /
         "pre_norm")
PROGRAMS = None

CHECKS = ["cpu limit", "memory", "locked memory", "open files", "numa",
          "transparent huge pages", "reserved huge pages", "clock",
          "cpu kernels", "cuda driver", "cublas", "cuda device", "link", "disk"]


class DoctorTest(unittest.TestCase):
    def doctor(self, *flags: str) -> tuple[int, dict]:
        """The exit code, and the findings by check."""
        result = run_client(PROGRAMS, "doctor", "--output=json", *flags,
                            check=False)
        self.assertEqual(len(result.stdout.splitlines()), 1, result.stderr)
        report = json.loads(result.stdout)
        problems = [finding for finding in report["findings"]
                    if finding["severity"] == "problem"]
        self.assertEqual(len(problems), report["problems"])
        self.assertEqual(result.returncode, 1 if problems else 0)
        for finding in report["findings"]:
            self.assertEqual(bool(finding["advice"]),
                             finding["severity"] != "ok", finding)
        return result.returncode, {finding["check"]: finding
                                   for finding in report["findings"]}

    def test_looks_at_the_machine_alone(self):
        _, findings = self.doctor("--device=cpu")
        self.assertEqual([name for name in findings if name != "gpu lanes"],
                         CHECKS)
        self.assertEqual(findings["link"]["severity"] == "problem", False)

    def test_text_says_the_same(self):
        result = run_client(PROGRAMS, "doctor", check=False)
        for check in CHECKS:
            self.assertRegex(result.stdout, rf"(?m)^(ok|warning|problem) +{check}: ")
        self.assertRegex(result.stdout, r"\d+ problems, \d+ warnings\n$")

    def test_a_gpu_that_is_not_there_is_a_problem_if_asked_for(self):
        _, findings = self.doctor("--device=cuda")
        if findings["cuda device"]["severity"] == "ok":
            print("SKIPPED: there is a GPU")
            return
        code, findings = self.doctor("--device=cuda", f"--model_dir={MODEL}")
        self.assertEqual(code, 1)
        self.assertEqual(findings["cuda device"]["severity"], "problem")
        self.assertEqual(findings["model"]["severity"], "problem")

    def test_a_model_fits_or_not(self):
        _, findings = self.doctor(f"--model_dir={MODEL}", "--device=cpu")
        self.assertEqual(findings["model"]["severity"], "ok")
        self.assertIn("pre_norm fits", findings["model"]["what"])
        code, findings = self.doctor(f"--model_dir={MODEL}", "--device=cpu",
                                     "--device_memory=1kB")
        self.assertEqual(code, 1)
        self.assertIn("device_memory", findings["model"]["what"])
        with tempfile.TemporaryDirectory() as empty:
            code, findings = self.doctor(f"--model_dir={empty}")
            self.assertEqual(code, 1)
            self.assertIn("config.json", findings["model"]["what"])

    def test_output_has_a_place_or_not(self):
        code, findings = self.doctor("--output_file=/no/such/folder/x.jsonl")
        self.assertEqual(code, 1)
        self.assertEqual(findings["disk"]["severity"], "problem")
        self.assertIn("/no/such/folder", findings["disk"]["what"])

    def test_a_server_serves_or_not(self):
        code, findings = self.doctor("--server=127.0.0.1:1")
        self.assertEqual(code, 1)
        self.assertIn("127.0.0.1:1", findings["server"]["what"])
        with Cluster(PROGRAMS, []) as cluster:
            code, findings = self.doctor(f"--server={cluster.address}")
            self.assertEqual(code, 1)
            self.assertIn("not serving", findings["server"]["what"])
            cluster.add_worker([f"--model_dir={MODEL}", "--device=cpu"])
            cluster.scheduler.wait_for_line("ready")
            _, findings = self.doctor(f"--server={cluster.address}")
            self.assertEqual(findings["server"]["severity"], "ok")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main()
