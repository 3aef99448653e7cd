"""Who gets in: certificates, API keys, roles, and what logs keep to themselves.

Usage: security_test.py PROGRAMS_ROOT
"""

import pathlib
import sys
import tempfile
import unittest

import grpc

from tests.e2e import generated_client as pb
from tests.e2e.certificates import Authority, connect, replace_file
from tests.e2e.processes import Cluster, Process, Programs, run_client
from tests.e2e.security_case import WORKER, SecurityCase, credentials

KEYS = """\
# Of a test.
worker-key-47c1          roles=worker
alice-key-8d02           tenant=alice roles=inference max_requests=8
operator-key-b93f        roles=inference,control
gateway-key-5e6a         tenant=* roles=inference
"""
SECRETS = ["worker-key-47c1", "alice-key-8d02", "operator-key-b93f",
           "gateway-key-5e6a", "guessed-key-0000"]
PROMPT = "Xanadu dinner plans"


def bearer(key: str, **more: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {key}"),
            *((name.replace("_", "-"), value) for name, value in more.items())]


class TlsAndKeysTest(SecurityCase):
    """One scheduler that asks for everything, and its worker."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.servers = Authority(cls.folder, "servers")
        cls.clients = Authority(cls.folder, "clients")
        cls.strangers = Authority(cls.folder, "strangers")
        cls.own = cls.clients.issue("client")
        cls.strange = cls.strangers.issue("stranger")
        cls.keys = cls.folder / "keys"
        cls.keys.write_text(KEYS)
        cls.trust = [f"--tls_ca={cls.servers.certificate}"]
        cls.cluster = Cluster(
            cls.programs,
            [[*WORKER, *cls.trust, *cls.clients.issue("worker").flags(),
              f"--api_key_file={cls.write_key('worker-key-47c1')}"]],
            [*cls.servers.issue("server").flags(),
             f"--tls_ca={cls.clients.certificate}", f"--api_keys={cls.keys}",
             "--max_message_size=2MiB"])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.client = pb.Client(cls.cluster.address,
                               credentials(cls.servers, cls.own))
        cls.addClassCleanup(cls.client.__exit__)

    @classmethod
    def write_key(cls, key: str) -> pathlib.Path:
        path = cls.folder / f"{key}.txt"
        path.write_text(key + "\n")
        return path

    def tearDown(self):
        replace_file(self.keys, KEYS.encode())

    def generate(self, metadata, client=None, prompt="Hello", **fields):
        return (client or self.client).inference.Generate(
            pb.request(pb.inference.GenerateRequest, prompt=prompt,
                       max_tokens=3, **fields), metadata=metadata, timeout=60)

    def generate_code(self, metadata, **fields) -> grpc.StatusCode:
        return self.code_of(lambda: self.generate(metadata, **fields))

    def run_client(self, command, *flags):
        return run_client(self.programs, command,
                          f"--server={self.cluster.address}", *flags,
                          check=False)

    def test_openssl_verifies_the_server_and_is_verified(self):
        address = self.cluster.address
        own = ["-cert", str(self.own.certificate), "-key", str(self.own.key)]
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version):
                trusts = [version, "-CAfile", str(self.servers.certificate)]
                inside = connect(address, *trusts, *own)
                self.assertEqual(inside.returncode, 0, inside.stderr)
                self.assertIn("ALPN protocol: h2", inside.stdout)
                self.assertNotEqual(connect(
                    address, version, *own, "-CAfile",
                    str(self.strangers.certificate)).returncode, 0)
        # In TLS 1.3 a client hears after its handshake that it is refused.
        trusts = ["-tls1_2", "-CAfile", str(self.servers.certificate)]
        self.assertNotEqual(connect(address, *trusts).returncode, 0)
        self.assertNotEqual(connect(
            address, *trusts, "-cert", str(self.strange.certificate),
            "-key", str(self.strange.key)).returncode, 0)
        self.assertNotEqual(connect(
            address, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", *own, "-CAfile",
            str(self.servers.certificate)).returncode, 0)

    def test_a_python_client_gets_in_with_the_right_certificate_only(self):
        cases = [
            ("the right one", credentials(self.servers, self.own), True),
            ("none", credentials(self.servers), False),
            ("a stranger's", credentials(self.servers, self.strange), False),
            ("no trust in the server", credentials(self.strangers, self.own),
             False),
            ("in the clear", None, False),
        ]
        for name, creds, inside in cases:
            with self.subTest(name):
                with pb.Client(self.cluster.address, creds) as client:
                    code = self.generate_code(bearer("alice-key-8d02"),
                                              client=client)
                self.assertEqual(
                    code, grpc.StatusCode.OK if inside
                    else grpc.StatusCode.UNAVAILABLE)

    def test_the_client_program_gets_in_with_certificate_and_key(self):
        key = f"--api_key_file={self.write_key('alice-key-8d02')}"
        prompt = ["--prompt=Hello", "--max_tokens=3"]
        done = self.run_client("generate", *self.trust, *self.own.flags(), key,
                               "--tenant=alice", *prompt)
        self.assertEqual(done.returncode, 0, done.stderr)
        for flags in ([*self.trust, *self.own.flags()],
                      [*self.trust, *self.own.flags(), key, "--tenant=bob"]):
            refused = self.run_client("generate", *flags, *prompt)
            self.assertEqual(refused.returncode, 1, refused.stderr)
            self.assertRegex(refused.stderr, "API key")
        for command in ("status", "models"):
            done = self.run_client(command, *self.trust, *self.own.flags(), key)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_keys_open_what_their_roles_say(self):
        ok = grpc.StatusCode.OK
        denied = grpc.StatusCode.PERMISSION_DENIED
        abort = pb.control.AbortRequest(request_id="nobody")
        cases = [  # Key, Generate, GetLoad, Abort (NOT_FOUND: got in).
            ("alice-key-8d02", ok, ok, denied),
            ("operator-key-b93f", ok, ok, grpc.StatusCode.NOT_FOUND),
            ("worker-key-47c1", denied, denied, denied),
            ("guessed-key-0000", *3 * [grpc.StatusCode.UNAUTHENTICATED]),
        ]
        for key, *expected in cases:
            with self.subTest(key):
                codes = [
                    self.generate_code(bearer(key)),
                    self.code_of(lambda: self.client.control.GetLoad(
                        pb.control.GetLoadRequest(), metadata=bearer(key))),
                    self.code_of(lambda: self.client.control.Abort(
                        abort, metadata=bearer(key))),
                ]
                self.assertEqual(codes, expected)
        self.assertEqual(self.generate_code([]),
                         grpc.StatusCode.UNAUTHENTICATED)

    def test_the_tenant_is_the_keys_unless_the_key_lets_the_call_say(self):
        ok = grpc.StatusCode.OK
        denied = grpc.StatusCode.PERMISSION_DENIED
        bad = grpc.StatusCode.INVALID_ARGUMENT
        for key, tenant, code in [
                ("alice-key-8d02", "alice", ok),
                ("alice-key-8d02", "bob", denied),
                ("operator-key-b93f", "bob", denied),
                ("gateway-key-5e6a", "bob", ok),
                ("gateway-key-5e6a", "b o b", bad),
                ("gateway-key-5e6a", 65 * "b", bad)]:
            with self.subTest(key=key, tenant=tenant):
                self.assertEqual(self.generate_code(
                    bearer(key, x_hybridserve_tenant=tenant)), code)

    def test_the_keys_follow_their_file_unless_it_is_bad(self):
        added = KEYS.replace("alice-key-8d02", "alice-key-renewed")
        replace_file(self.keys, added.encode())
        self.assert_soon(
            lambda: self.generate_code(bearer("alice-key-renewed"))
            == grpc.StatusCode.OK, "the added key works")
        self.assertEqual(self.generate_code(bearer("alice-key-8d02")),
                         grpc.StatusCode.UNAUTHENTICATED)
        # The worker's connection is as it was.
        self.assertEqual(self.cluster.scheduler.process.poll(), None)

        replace_file(self.keys, (KEYS + "oops-key-11 roles=king\n").encode())
        self.assert_soon(
            lambda: f"{self.keys}: line 6: " in self.cluster.scheduler.log(),
            "the log names file and line")
        self.assertNotIn("oops-key-11", self.cluster.scheduler.log())
        self.assertEqual(self.generate_code(bearer("alice-key-renewed")),
                         grpc.StatusCode.OK)
        replace_file(self.keys, KEYS.encode())
        self.assert_soon(
            lambda: self.generate_code(bearer("alice-key-8d02"))
            == grpc.StatusCode.OK, "a good file heals it")

    def refused_worker(self, *flags: str) -> Process:
        worker = Process([self.programs.worker,
                          f"--scheduler={self.cluster.address}", *WORKER,
                          *flags])
        self.addCleanup(worker.__exit__)
        return worker

    def assert_one_worker(self):
        load = self.client.control.GetLoad(
            pb.control.GetLoadRequest(),
            metadata=bearer("operator-key-b93f")).load
        self.assertEqual(len(load.workers), 1)

    def test_a_worker_without_a_certificate_stays_outside(self):
        key = f"--api_key_file={self.folder / 'worker-key-47c1.txt'}"
        strangers = [
            self.refused_worker(key),
            self.refused_worker(key, *self.trust),
            self.refused_worker(key, *self.trust, *self.strange.flags()),
            # Nor does it trust another scheduler than its own.
            self.refused_worker(
                key, f"--tls_ca={self.strangers.certificate}",
                *self.own.flags()),
        ]
        for worker in strangers:
            with self.assertRaises(TimeoutError):
                worker.wait_for_line("ready", seconds=5)
        self.assert_one_worker()

    def test_a_worker_needs_a_workers_key(self):
        worker = self.refused_worker(
            *self.trust, *self.own.flags(),
            f"--api_key_file={self.write_key('alice-key-8d02')}")
        self.assert_soon(lambda: "not for workers" in worker.log(),
                         "the worker hears why")
        self.assert_one_worker()
        self.assertNotIn("alice-key-8d02", worker.log())

    def test_what_is_too_large_is_refused(self):
        key = bearer("alice-key-8d02")
        self.assertEqual(
            self.generate_code(key, prompt=3_000_000 * "x"),
            grpc.StatusCode.RESOURCE_EXHAUSTED)
        # Smaller than a message may be, and longer than any prompt is.
        self.assertEqual(self.generate_code(key, prompt=1_000_000 * "x"),
                         grpc.StatusCode.INVALID_ARGUMENT)
        # This may end the connection, so it has its own.
        with pb.Client(self.cluster.address,
                       credentials(self.servers, self.own)) as client:
            self.assertNotEqual(
                self.generate_code([*key, ("x-much", 100_000 * "x")],
                                   client=client), grpc.StatusCode.OK)
        # 900,000 stop conditions of two bytes each.
        call = self.client.channel.unary_unary(
            "/hybridserve.v1.InferenceService/Generate",
            request_serializer=lambda raw: raw,
            response_deserializer=lambda raw: raw)
        bomb = 900_000 * b"\x1a\x00"
        size = len(bomb)
        prefix = bytes([0x32, size & 0x7f | 0x80, size >> 7 & 0x7f | 0x80,
                        size >> 14])
        self.assertEqual(
            self.code_of(lambda: call(prefix + bomb, metadata=key)),
            grpc.StatusCode.INVALID_ARGUMENT)
        self.assertEqual(self.generate_code(key), grpc.StatusCode.OK)

    def test_logs_keep_keys_and_prompts_to_themselves(self):
        key = bearer("alice-key-8d02")
        self.generate(key, prompt=PROMPT)
        stopping = pb.generation.StoppingOptions(max_tokens=3)
        stopping.conditions.add(text=PROMPT)
        self.generate(key, prompt=PROMPT, stopping=stopping)
        self.client.inference.Tokenize(
            pb.inference.TokenizeRequest(text=PROMPT), metadata=key)
        refusals = [
            (bearer("guessed-key-0000"), {}),
            (bearer("worker-key-47c1"), {}),
            (bearer("gateway-key-5e6a", x_hybridserve_tenant=PROMPT), {}),
            (key, {"model": "none"}),
            (key, {"request_id": PROMPT}),
            (key, {"prompt": 1000 * PROMPT}),
            (key, {"prompt": 10_000 * PROMPT}),
            (key, {"sampling": pb.generation.SamplingParams(top_p=2)}),
        ]
        for metadata, fields in refusals:
            code = self.generate_code(metadata, **{"prompt": PROMPT, **fields})
            self.assertNotEqual(code, grpc.StatusCode.OK)
            self.assertNotIn(PROMPT, self.last_error.details())
        self.assertIn(
            self.run_client("generate", f"--prompt={PROMPT}").returncode,
            (1, 2))
        scheduler = self.cluster.scheduler.log()
        worker = self.cluster.workers[0].log()
        # They do say something.
        self.assertIn("worker registered", scheduler)
        self.assertIn("accepted by the scheduler", worker)
        for log in (scheduler, worker):
            for secret in (*SECRETS, PROMPT, "Xanadu", "PRIVATE KEY"):
                self.assertNotIn(secret, log)


if __name__ == "__main__":
    SecurityCase.programs = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
