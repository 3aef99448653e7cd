"""The tls overlay's flags and probes, with real programs and certificates as
cert-manager lays them out.

Usage: tls_test.py PROGRAMS_ROOT
"""

import pathlib
import shutil
import sys
import tempfile
import unittest

from tests.e2e.certificates import Authority
from tests.e2e.processes import Process, Programs, run_client
from tests.k8s.rendering import Object, find, flag_values, render
from tests.k8s.rollout.probe import Probe

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
PROGRAMS = None
TLS_FLAGS = ("tls_certificate", "tls_key", "tls_ca")


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = render("overlays/tls")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.authority = Authority(cls.folder, "authority")
        cls.scheduler = cls.start("Deployment/scheduler", [
            PROGRAMS.scheduler, "--listen=127.0.0.1:0",
            "--metrics_listen=127.0.0.1:0"])
        cls.port = cls.scheduler.wait_for_line(
            r"listening .+:(\d+)").group(1)
        cls.metrics_port = int(cls.scheduler.wait_for_line(
            r"metrics .+:(\d+)").group(1))

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

    def probe(self, kind: str) -> bool:
        """Of the scheduler, by the manifest."""
        manifest = self.container("Deployment/scheduler")[kind]
        return Probe.of(manifest).succeeds("127.0.0.1",
                                           {"metrics": self.metrics_port})

    def test_probes_and_workers_get_in_and_strangers_do_not(self):
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertTrue(self.probe(kind), kind)
        server = f"--server=localhost:{self.port}"
        self.assertEqual(run_client(PROGRAMS, "status", server,
                                    check=False).returncode, 1)
        trusts = f"--tls_ca={self.authority.certificate}"
        self.assertEqual(run_client(PROGRAMS, "status", server, trusts,
                                    check=False).returncode, 1)
        worker = self.start("StatefulSet/worker", [
            PROGRAMS.worker, f"--scheduler=localhost:{self.port}",
            f"--model_dir={MODEL}", "--device_memory=min", "--dtype=float32"])
        worker.wait_for_line("ready")
        client = self.authority.issue("client")
        run_client(PROGRAMS, "generate", server, trusts, *client.flags(),
                   "--token_ids=5,6", "--max_tokens=2")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
