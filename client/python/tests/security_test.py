"""Certificates, API keys and tenants, from the clients' side."""

import logging
import os
import pathlib
import tempfile
import unittest

import hybridserve
from client.python.tests.live_service import (CLIENTS, PROGRAMS, WORKER,
                                              LiveServiceTest)
from hybridserve import NO_RETRY
from tests.e2e.certificates import Authority, replace_file
from tests.e2e.processes import Cluster

KEYS = """\
worker-key-47c1          roles=worker
alice-key-8d02           tenant=alice roles=inference
operator-key-b93f        roles=inference,control
gateway-key-5e6a         tenant=* roles=inference
"""
PROMPT = "In the beginning"


class SecurityTest(LiveServiceTest):
    """A scheduler that asks for certificates and keys."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.servers = Authority(cls.folder, "servers")
        clients = Authority(cls.folder, "clients")
        cls.own = clients.issue("client")
        cls.strange = Authority(cls.folder, "strangers").issue("stranger")
        keys = cls.write("keys", KEYS)
        worker_key = cls.write("worker_key", "worker-key-47c1\n")
        cls.cluster = Cluster(
            PROGRAMS,
            [[*WORKER, f"--tls_ca={cls.servers.certificate}",
              *clients.issue("worker").flags(),
              f"--api_key_file={worker_key}"]],
            [*cls.servers.issue("server").flags(),
             f"--tls_ca={clients.certificate}", f"--api_keys={keys}"])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.address = cls.cluster.address
        cls.trust = {"tls_ca": cls.servers.certificate}
        cls.mutual = {**cls.trust, "tls_certificate": cls.own.certificate,
                      "tls_key": cls.own.key}

    @classmethod
    def write(cls, name, content):
        path = cls.folder / name
        path.write_text(content)
        return path

    def refused(self, kind, expected, **arguments):
        client = self.connect(kind, retry=NO_RETRY, **arguments)
        with self.assertRaises(expected) as raised:
            client.generate(PROMPT, max_tokens=1)
        return raised.exception

    def test_the_right_certificate_and_key_get_in(self):
        for kind in CLIENTS:
            with self.subTest(kind):
                client = self.connect(kind, api_key="alice-key-8d02",
                                      **self.mutual)
                done = client.generate(PROMPT, max_tokens=4)
                self.assertEqual(
                    client.stream(PROMPT, max_tokens=4).result().text,
                    done.text)
                self.assertEqual(len(client.load().workers), 1)
                self.assertEqual(client.health(),
                                 hybridserve.HealthStatus.SERVING)
                with self.assertRaises(hybridserve.PermissionDeniedError):
                    client.abort("nobody's")

    def test_others_do_not(self):
        key = {"api_key": "alice-key-8d02"}
        for kind in CLIENTS:
            with self.subTest(kind):
                self.refused(kind, hybridserve.UnavailableError, **key,
                             **self.trust)
                self.refused(kind, hybridserve.UnavailableError, **key,
                             **{**self.mutual,
                                "tls_certificate": self.strange.certificate,
                                "tls_key": self.strange.key})
                self.refused(kind, hybridserve.UnavailableError, **key,
                             **{**self.mutual,
                                "tls_ca": self.strange.certificate})
                self.refused(kind, hybridserve.UnavailableError, **key)
                error = self.refused(kind, hybridserve.UnauthenticatedError,
                                     **self.mutual)
                self.assertTrue(error.request_id)
                self.refused(kind, hybridserve.UnauthenticatedError,
                             api_key="guessed-key-0000", **self.mutual)

    def test_tenants_are_who_the_key_says(self):
        for kind in CLIENTS:
            gateway = self.connect(kind, api_key="gateway-key-5e6a",
                                   tenant="bob", **self.mutual)
            gateway.generate(PROMPT, max_tokens=1)
            gateway.generate(PROMPT, max_tokens=1, tenant="carol")
            alice = self.connect(kind, api_key="alice-key-8d02",
                                 **self.mutual)
            alice.generate(PROMPT, max_tokens=1, tenant="alice")
            with self.assertRaises(hybridserve.PermissionDeniedError):
                alice.generate(PROMPT, max_tokens=1, tenant="bob")

    def test_a_key_file_is_followed(self):
        for kind in CLIENTS:
            path = self.write("followed", "guessed-key-0000\n")
            client = self.connect(kind, api_key_file=path, retry=NO_RETRY,
                                  **self.mutual)
            with self.assertRaises(hybridserve.UnauthenticatedError):
                client.generate(PROMPT, max_tokens=1)
            replace_file(path, b"alice-key-8d02\nanother line\n")
            client.generate(PROMPT, max_tokens=1)
            replace_file(path, b"not a key\n")
            with self.assertLogs("hybridserve", logging.ERROR) as logged:
                client.generate(PROMPT, max_tokens=1)
            self.assertNotIn("not a key", str(logged.output))
            os.unlink(path)
            with self.assertLogs("hybridserve", logging.ERROR):
                client.generate(PROMPT, max_tokens=1)


class ArgumentsTest(unittest.TestCase):
    """What is refused before anything is sent."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        authority = Authority(cls.folder, "authority")
        cls.ca = authority.certificate
        cls.own = authority.issue("own")
        cls.other = authority.issue("other")
        cls.garbage = cls.folder / "garbage"
        cls.garbage.write_text("two words\n")

    def test_bad_arguments_are_named(self):
        own = {"tls_certificate": self.own.certificate,
               "tls_key": self.own.key}
        trust = {"tls_ca": self.ca}
        none = self.folder / "none"
        cases = [
            ("address", "localhost", {}),
            ("tls_ca", "example.com:50051", {}),
            ("tls_ca", "10.0.0.1:50051", {}),
            ("tls_ca", "localhost.example.com:1", {}),
            ("tls_ca", "dns:///example.com:1", {}),
            ("tls_ca", "localhost:1", own),
            ("tls_ca", "localhost:1", {"tls_ca": none}),
            ("tls_ca", "localhost:1", {"tls_ca": self.garbage}),
            ("insecure", "localhost:1", {**trust, "insecure": True}),
            ("tls_key", "localhost:1", {
                **trust, "tls_certificate": self.own.certificate}),
            ("tls_certificate", "localhost:1", {
                **trust, "tls_key": self.own.key}),
            ("tls_certificate", "localhost:1", {
                **trust, **own, "tls_key": self.other.key}),
            ("tls_certificate", "localhost:1", {
                **trust, **own, "tls_certificate": self.garbage}),
            ("api_key", "localhost:1", {"api_key": "two words"}),
            ("api_key", "localhost:1", {"api_key": ""}),
            ("api_key_file", "localhost:1", {"api_key_file": none}),
            ("api_key_file", "localhost:1", {"api_key_file": self.garbage}),
            ("api_key_file", "localhost:1", {
                "api_key": "x", "api_key_file": self.garbage}),
        ]
        for make in (hybridserve.Client, hybridserve.AsyncClient):
            for named, address, arguments in cases:
                with self.subTest(make.__name__, address=address,
                                  **arguments):
                    with self.assertRaisesRegex(ValueError,
                                                f"^{named}\\b") as raised:
                        make(address, **arguments)
                    self.assertNotIn("two words", str(raised.exception))

    def test_the_clear_is_for_this_machine_or_asked_for(self):
        for address in ("localhost:1", "127.0.0.1:1", "127.1.2.3:1", "[::1]:1",
                        "unix:/tmp/socket", "dns:///localhost:1",
                        "ipv4:127.0.0.1:1"):
            with self.subTest(address):
                hybridserve.Client(address).close()
        hybridserve.Client("10.0.0.1:1", insecure=True).close()
        hybridserve.Client("10.0.0.1:1", tls_ca=self.ca).close()

    def test_a_key_in_the_clear_is_warned_of_and_never_shown(self):
        with self.assertLogs("hybridserve", logging.WARNING) as logged:
            client = hybridserve.Client("10.0.0.1:1", insecure=True,
                                        api_key="hush-key-3f")
        self.assertIn("in the clear", logged.output[0])
        for shown in (logged.output[0], repr(client),
                      repr(client.connection)):
            self.assertNotIn("hush-key-3f", shown)
        with self.assertNoLogs("hybridserve"):
            hybridserve.Client("localhost:1", api_key="hush-key-3f")


if __name__ == "__main__":
    unittest.main()
