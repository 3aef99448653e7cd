"""Files of certificates and keys: bad ones at start, and ones that are
replaced while they are in use.

Usage: security_files_test.py PROGRAMS_ROOT
"""

import contextlib
import pathlib
import shutil
import sys
import tempfile
import unittest

from tests.e2e import generated_client as pb
from tests.e2e.certificates import Authority, replace_file, served_serial
from tests.e2e.processes import Cluster, Process, Programs
from tests.e2e.security_case import WORKER, SecurityCase, credentials


class RotationTest(SecurityCase):
    """Certificates that are replaced while they are in use."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.servers = Authority(self.folder, "servers")
        self.clients = Authority(self.folder, "clients")
        self.server = self.servers.issue("server")
        self.worker = self.clients.issue("worker")
        # What the scheduler reads; it is replaced, the authority stays.
        self.accepted = self.folder / "accepted.crt"
        shutil.copy(self.clients.certificate, self.accepted)

    def scheduler_flags(self, ca: bool) -> list[str]:
        return [*self.server.flags(),
                *([f"--tls_ca={self.accepted}"] if ca else [])]

    def worker_flags(self) -> list[str]:
        return [*WORKER, f"--tls_ca={self.servers.certificate}",
                *self.worker.flags()]

    def test_a_renewed_certificate_is_shown_and_a_bad_one_is_not(self):
        with Cluster(self.programs, [self.worker_flags()],
                     self.scheduler_flags(ca=False)) as cluster, pb.Client(
                         cluster.address,
                         credentials(self.servers)) as connected:
            def serial():
                return served_serial(cluster.address, self.servers)

            def generate(client):
                return client.inference.Generate(pb.request(
                    pb.inference.GenerateRequest, prompt="A", max_tokens=3),
                    timeout=60)

            first = self.server.serial()
            self.assertEqual(serial(), first)
            generate(connected)
            renewed = self.servers.reissue(self.server)
            self.assertNotEqual(renewed.serial(), first)
            self.assert_soon(lambda: serial() == renewed.serial(),
                             "the renewed certificate is shown")
            generate(connected)  # The connection is as it was.

            key = self.server.key.read_bytes()
            replace_file(self.server.key, b"no key\n")
            self.assert_soon(
                lambda: f"--tls_key: {self.server.key}"
                in cluster.scheduler.log(), "the log names flag and file")
            self.assertEqual(serial(), renewed.serial())
            with pb.Client(cluster.address,
                           credentials(self.servers)) as another:
                generate(another)
            # Nor does a certificate with another's key do.
            replace_file(self.server.key,
                         self.clients.issue("other").key.read_bytes())
            self.assert_soon(lambda: "is not the key of"
                             in cluster.scheduler.log(), "the log says why")
            self.assertEqual(serial(), renewed.serial())
            replace_file(self.server.key, key)
            last = self.servers.reissue(self.server)
            self.assert_soon(lambda: serial() == last.serial(),
                             "a good one heals it")

    def test_a_worker_dials_again_with_its_renewed_certificate(self):
        cluster = Cluster(self.programs, [self.worker_flags()],
                          self.scheduler_flags(ca=True))
        with contextlib.ExitStack() as stack:
            stack.enter_context(cluster)
            new_clients = Authority(self.folder, "new_clients")
            new_clients.reissue(self.worker)
            replace_file(self.accepted, new_clients.certificate.read_bytes())
            cluster.scheduler.stop()
            # Its successor takes only what the worker has been given since.
            successor = stack.enter_context(Process(
                [self.programs.scheduler, f"--listen={cluster.address}",
                 *self.scheduler_flags(ca=True)]))
            successor.wait_for_line("ready")
            # Bad files change nothing: it dials with what it had.
            worker = cluster.workers[0]
            replace_file(self.worker.key, b"no key\n")
            self.assert_soon(lambda: f"--tls_key: {self.worker.key}"
                             in worker.log(), "the log names flag and file")
            successor.stop()
            stack.enter_context(Process(
                [self.programs.scheduler, f"--listen={cluster.address}",
                 *self.scheduler_flags(ca=True)])).wait_for_line("ready")


class UsageTest(SecurityCase):
    """Files that can't do are found at start, by the flag that names them."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        authority = Authority(self.folder, "authority")
        self.good = authority.issue("good")
        self.other = authority.issue("other")
        self.ca = authority.certificate
        self.garbage = self.folder / "garbage"
        self.garbage.write_text("garbage\n")

    def assert_usage(self, program: list[str], flag: str) -> None:
        process = Process(program)
        self.addCleanup(process.__exit__)
        self.assertEqual(process.process.wait(60), 2, process.log())
        self.assertIn(f"{flag}: ", process.log())
        self.assertNotIn("PRIVATE KEY", process.log())

    def test_bad_files_are_named(self):
        pair = self.good.flags()
        mixed = [f"--tls_certificate={self.good.certificate}",
                 f"--tls_key={self.other.key}"]
        for flags, flag in [
                ([*pair, f"--tls_ca={self.garbage}"], "--tls_ca"),
                (mixed, "--tls_key"),
                ([f"--tls_certificate={self.garbage}",
                  f"--tls_key={self.good.key}"], "--tls_certificate"),
                ([f"--api_keys={self.folder / 'none'}"], "--api_keys"),
                ([f"--api_keys={self.good.key}"], "--api_keys"),
                (["--max_message_size=1"], "--max_message_size"),
                (["--listen=0.0.0.0:0"], "--listen")]:
            with self.subTest(program="scheduler", flags=flags):
                self.assert_usage([self.programs.scheduler,
                                   "--listen=127.0.0.1:0", *flags], flag)
        trust = f"--tls_ca={self.ca}"
        for flags, flag in [
                ([f"--tls_ca={self.garbage}"], "--tls_ca"),
                ([trust, *mixed], "--tls_key"),
                (pair, "--tls_ca"),
                ([f"--api_key_file={self.folder / 'none'}"],
                 "--api_key_file")]:
            with self.subTest(program="worker", flags=flags):
                self.assert_usage(
                    [self.programs.worker, *WORKER, *flags], flag)
            with self.subTest(program="client", flags=flags):
                self.assert_usage([self.programs.client, "health",
                                   "--server=127.0.0.1:1", *flags], flag)
        self.assert_usage([self.programs.client, "health",
                           "--server=127.0.0.1:1", "--tenant=a b"],
                          "--tenant")

    def test_a_key_that_crosses_a_network_in_the_clear_is_warned_of(self):
        key = self.folder / "key"
        key.write_text("hush-key-3f\n")
        worker = Process([self.programs.worker, *WORKER,
                          "--scheduler=192.0.2.1:1", f"--api_key_file={key}"])
        self.addCleanup(worker.__exit__)
        self.assert_soon(lambda: "in the clear" in worker.log(), "a warning")
        self.assertNotIn("hush-key-3f", worker.log())
        keys = self.folder / "keys"
        keys.write_text("hush-key-3f\n")
        scheduler = Process([self.programs.scheduler, "--listen=0.0.0.0:0",
                             "--insecure", f"--api_keys={keys}"])
        self.addCleanup(scheduler.__exit__)
        scheduler.wait_for_line(r"listening .+")
        self.assertIn("in the clear", scheduler.log())


if __name__ == "__main__":
    SecurityCase.programs = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
