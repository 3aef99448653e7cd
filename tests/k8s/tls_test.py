"""The tls overlay's flags and probes, with real programs and certificates as
cert-manager lays them out.

Usage: tls_test.py PROGRAMS_ROOT
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from tests.e2e.certificates import Authority
from tests.e2e.processes import Process, Programs, run_client
from tests.k8s.rendering import Object, find, flag_values, render

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
PROGRAMS = None
TLS_FLAGS = ("tls_certificate", "tls_key", "tls_ca")
SOON_SECONDS = 60


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = render("overlays/tls")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.authority = Authority(cls.folder, "authority")
        cls.scheduler = cls.start("Deployment/scheduler", [
            PROGRAMS.scheduler, "--listen=127.0.0.1:0"])
        cls.port = cls.scheduler.wait_for_line(
            r"listening .+:(\d+)").group(1)

    @classmethod
    def start(cls, name: str, command: list[str]) -> Process:
        """With the flags that the manifest has for TLS."""
        volume = cls.folder / name.partition("/")[2]
        volume.mkdir()
        # The names of authority.issue() are localhost and 127.0.0.1.
        leaf = cls.authority.issue(volume.name)
        shutil.copy(leaf.certificate, volume / "tls.crt")
        shutil.copy(leaf.key, volume / "tls.key")
        shutil.copy(cls.authority.certificate, volume / "ca.crt")
        flags = flag_values(cls.container(name), cls.objects)
        process = Process([*command, *(
            f"--{flag}={cls.inside(volume, flags[flag])}"
            for flag in TLS_FLAGS)])
        cls.addClassCleanup(process.__exit__)
        return process

    @classmethod
    def container(cls, name: str) -> Object:
        return find(cls.objects, name)["spec"]["template"]["spec"][
            "containers"][0]

    @staticmethod
    def inside(volume: pathlib.Path, text: str) -> str:
        return text.replace("/tls/", f"{volume}/")

    def probe(self, kind: str) -> int:
        command = self.container("Deployment/scheduler")[kind]["exec"][
            "command"]
        self.assertEqual(command[0], "/opt/hybridserve/bin/hybridserve")
        args = [self.inside(self.folder / "scheduler", arg).replace(
            ":50051", f":{self.port}") for arg in command[1:]]
        return subprocess.run([PROGRAMS.client, *args], timeout=60,
                              capture_output=True).returncode

    def test_probes_and_workers_get_in_and_strangers_do_not(self):
        self.assertEqual(self.probe("startupProbe"), 0)
        self.assertEqual(self.probe("livenessProbe"), 0)
        self.assertEqual(self.probe("readinessProbe"), 1)
        server = f"--server=localhost:{self.port}"
        self.assertEqual(run_client(PROGRAMS, "health", server,
                                    check=False).returncode, 1)
        self.assertEqual(run_client(
            PROGRAMS, "health", server,
            f"--tls_ca={self.authority.certificate}",
            check=False).returncode, 1)
        worker = self.start("StatefulSet/worker", [
            PROGRAMS.worker, f"--scheduler=localhost:{self.port}",
            f"--model_dir={MODEL}", "--device_memory=min", "--dtype=float32"])
        worker.wait_for_line("ready")
        deadline = time.monotonic() + SOON_SECONDS
        while self.probe("readinessProbe") != 0:
            self.assertLess(time.monotonic(), deadline, "it is not ready")
            time.sleep(0.2)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
