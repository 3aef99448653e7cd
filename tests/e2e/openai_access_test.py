"""Whom hybridserve-openai lets in, and what it says when there is no room, by
OpenAI's own Python package.

Usage: openai_access_test.py PROGRAMS_ROOT
"""

import pathlib
import signal
import sys
import tempfile
import time
import unittest

import openai

from tests.e2e.openai_case import MODEL, NAME
from tests.e2e.openai_gateway import OpenAiGateway
from tests.e2e.processes import Cluster, Programs

PROGRAMS = None
KEYS = """\
alice-key-8d02   tenant=alice roles=inference
gateway-key-5e6a tenant=* roles=inference
control-key-11cc roles=control
worker-key-47c1  roles=worker
"""


class KeysTest(unittest.TestCase):
    """A scheduler that wants API keys."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        keys = pathlib.Path(folder.name) / "keys"
        keys.write_text(KEYS)
        worker_key = pathlib.Path(folder.name) / "worker_key"
        worker_key.write_text("worker-key-47c1\n")
        cls.cluster = Cluster(
            PROGRAMS, [[f"--model_dir={MODEL}", "--device_memory=min",
                        "--dtype=float32", f"--api_key_file={worker_key}"]],
            [f"--api_keys={keys}"])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.gateway = OpenAiGateway(PROGRAMS, cls.cluster,
                                    "--tenant_from_user")
        cls.addClassCleanup(cls.gateway.__exit__)

    def complete(self, key: str, **fields):
        with openai.OpenAI(base_url=self.gateway.url, api_key=key,
                           max_retries=0, timeout=120) as client:
            return client.completions.create(
                model=NAME, prompt="Xanadu", max_tokens=2, **fields)

    def test_keys_are_the_servers(self):
        self.complete("alice-key-8d02")
        for key in ("guessed", 5000 * "x"):
            with self.assertRaises(openai.AuthenticationError) as raised:
                self.complete(key)
            self.assertEqual(raised.exception.code, "invalid_api_key")
            self.assertEqual(
                raised.exception.response.headers["www-authenticate"],
                "Bearer")
        with self.assertRaises(openai.PermissionDeniedError):
            self.complete("control-key-11cc")
        response, body = self.gateway.request(
            "POST", "/v1/completions", {"model": NAME, "prompt": "a"})
        self.assertEqual(response.status, 401)
        self.assertEqual(body["error"]["code"], "invalid_api_key")
        response, _ = self.gateway.request("GET", "/v1/models")
        self.assertEqual(response.status, 401)
        # Health needs none.
        response, _ = self.gateway.request("GET", "/health")
        self.assertEqual(response.status, 200)

    def test_users_are_tenants_where_the_key_may_name_them(self):
        self.complete("gateway-key-5e6a", user="bob")
        self.complete("alice-key-8d02", user="alice")
        with self.assertRaises(openai.PermissionDeniedError):
            self.complete("alice-key-8d02", user="bob")
        with self.assertRaises(openai.BadRequestError) as raised:
            self.complete("gateway-key-5e6a", user="b o b")
        self.assertEqual(raised.exception.param, "user")

    def test_logs_hold_neither_keys_nor_prompts(self):
        self.complete("alice-key-8d02")
        with self.assertRaises(openai.AuthenticationError):
            self.complete("guessed-key-0000")
        log = self.gateway.process.log()
        self.assertIn("request finished", log)
        for secret in ("alice-key-8d02", "guessed-key-0000", "Xanadu"):
            self.assertNotIn(secret, log)


class BusyTest(unittest.TestCase):
    """A scheduler with room for nobody."""

    def test_a_full_queue_and_no_worker_say_when_to_come_back(self):
        with Cluster(PROGRAMS, [[
                f"--model_dir={MODEL}", "--device_memory=min",
                "--dtype=float32", "--link_bandwidth=1MB/s"]],
                ["--max_running=1", "--max_queue_requests=1"]) as cluster:
            with OpenAiGateway(PROGRAMS, cluster) as gateway:
                client = openai.OpenAI(base_url=gateway.url, api_key="any",
                                       max_retries=0, timeout=120)
                self.addCleanup(client.close)

                def stream():
                    return client.completions.create(
                        model=NAME, prompt="Once", max_tokens=200, stream=True,
                        extra_body={"ignore_eos": True})

                running = stream()
                next(iter(running))
                # Accepted, so the server takes it; it waits.
                waiting = stream()
                with self.assertRaises(openai.RateLimitError) as raised:
                    stream()
                self.assertEqual(raised.exception.code, "rate_limit_exceeded")
                self.assertGreaterEqual(
                    int(raised.exception.response.headers["retry-after"]), 1)
                # What ran waits now as well, for a worker to come back.
                cluster.workers[0].stop(signal.SIGKILL)
                deadline = time.monotonic() + 60
                while True:
                    with self.assertRaises(openai.APIStatusError) as raised:
                        stream()
                    if raised.exception.status_code == 503:
                        break
                    self.assertEqual(raised.exception.status_code, 429)
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.1)
                self.assertEqual(raised.exception.code, "unavailable")
                self.assertGreaterEqual(
                    int(raised.exception.response.headers["retry-after"]), 1)
                for one in (running, waiting):
                    one.close()


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
