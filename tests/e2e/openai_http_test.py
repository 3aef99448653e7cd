"""hybridserve-openai as a program: its lines and exit codes, HTTP that is bad or
slow, health, metrics, HTTPS, and its end.

Usage: openai_http_test.py PROGRAMS_ROOT
"""

import http.client
import json
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import openai

from tests.e2e import generated_client as pb
from tests.e2e.certificates import Authority
from tests.e2e.openai_gateway import OpenAiGateway
from tests.e2e.processes import Cluster, Process, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
NAME = "pre_norm"
PROGRAMS = None
WORKER = [f"--model_dir={MODEL}", "--device_memory=min", "--dtype=float32"]
# A token takes long enough for a signal to come before the last one.
SLOW = [*WORKER, "--link_bandwidth=2MB/s"]
COMPLETION = {"model": NAME, "prompt": "Once", "max_tokens": 2}


def post(body: bytes, *headers: str) -> bytes:
    lines = ["POST /v1/completions HTTP/1.1", "Host: x", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class HttpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(PROGRAMS, [WORKER])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.gateway = OpenAiGateway(
            PROGRAMS, cls.cluster, "--max_body_size=64KiB",
            "--head_timeout=500ms", "--body_timeout=500ms")
        cls.addClassCleanup(cls.gateway.__exit__)

    def tearDown(self):
        # Whatever came before, it serves.
        response, body = self.gateway.request("POST", "/v1/completions",
                                              COMPLETION)
        self.assertEqual(response.status, 200, body)

    def assert_error(self, answer: tuple[int, bytes], status: int) -> dict:
        self.assertEqual(answer[0], status, answer[1])
        error = json.loads(answer[1])["error"]
        self.assertEqual(list(error), ["message", "type", "param", "code"])
        self.assertTrue(error["message"])
        return error

    def test_bodies_that_are_no_json(self):
        for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}{}",
                     b'{"model":"m","model":"m"}', b"[" * 60000,
                     b'{"model": "pre_norm", "prompt": "\xff"}',
                     b'{"model": "pre_norm", "prompt": "\\ud800"}'):
            with self.subTest(body[:40]):
                response, parsed = self.gateway.request(
                    "POST", "/v1/completions", body)
                self.assertEqual(response.status, 400)
                self.assertEqual(parsed["error"]["type"],
                                 "invalid_request_error")

    def test_bodies_that_are_too_large(self):
        large = json.dumps({**COMPLETION, "prompt": 70000 * "x"}).encode()
        error = self.assert_error(self.gateway.raw(post(
            large, f"Content-Length: {len(large)}")), 413)
        self.assertEqual(error["code"], "request_too_large")
        self.assert_error(self.gateway.raw(post(
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(large), large),
            "Transfer-Encoding: chunked")), 413)
        # Far too large: refused unread, though the client goes on sending.
        response, body = self.gateway.request("POST", "/v1/completions",
                                              b"x" * 20_000_000)
        self.assertEqual(response.status, 413, body)
        self.assert_error(self.gateway.raw(post(
            b"", "Content-Length: 99999999999999999999")), 413)

    def test_requests_that_are_no_good_http(self):
        cases = [
            (400, b"NONSENSE\r\n\r\n"),
            (400, post(b"0\r\n\r\n", "Content-Length: 5",
                       "Transfer-Encoding: chunked")),
            (400, post(b"", "Content-Length: 5", "Content-Length: 6")),
            (400, post(b"", "Content-Length: -5")),
            (400, post(b"zz\r\n", "Transfer-Encoding: chunked")),
            (411, post(b"")),
            (415, post(b"12345", "Content-Length: 5",
                       "Content-Encoding: gzip")),
            (400, post(b"", f"X-Long: {10000 * 'x'}")),
            (400, post(b"", "Content-Length : 5")),
            (431, post(b"", *(f"X-{i}: {1000 * 'x'}" for i in range(80)))),
            (501, post(b"", "Transfer-Encoding: gzip")),
        ]
        for status, data in cases:
            with self.subTest(data[:80]):
                self.assert_error(self.gateway.raw(data), status)

    def test_slow_senders_are_cut_off(self):
        begin = time.monotonic()
        with self.gateway.connect() as sock:
            sock.sendall(b"POST /v1/completions HTTP/1.1\r\nX-Slow: ")
            # A byte now and then buys no time.
            sock.settimeout(0.05)
            received = b""
            while b"\r\n" not in received:
                try:
                    sock.sendall(b"x")
                    received += sock.recv(100)
                except TimeoutError:
                    pass
                except OSError:
                    break
                self.assertLess(time.monotonic() - begin, 60)
            self.assertIn(b" 408 ", received)
        self.assert_error(self.gateway.raw(post(
            b"{", "Content-Length: 100")), 408)

    def test_unknown_urls(self):
        for method, path, status in [("GET", "/", 404),
                                     ("POST", "/v1/embeddings", 404),
                                     ("GET", "/v1/completions", 405),
                                     ("DELETE", "/v1/models/x", 405)]:
            response, body = self.gateway.request(method, path)
            self.assertEqual(response.status, status, path)
            self.assertIn(path, body["error"]["message"])

    def test_strange_headers_harm_nobody(self):
        response, _ = self.gateway.request(
            "POST", "/v1/completions", COMPLETION,
            {"X-Request-Id": "a b", "traceparent": "\u00ff",
             "Authorization": "Basic eDp5", "Range": "bytes=0-3",
             "Accept-Encoding": "br, gzip"})
        self.assertEqual(response.status, 200)
        self.assertIsNone(response.headers["content-encoding"])
        self.assertRegex(response.headers["x-request-id"], "^req-")
        response, body = self.gateway.request(
            "POST", "/v1/completions", COMPLETION,
            {"Authorization": "Bearer " + 6000 * "x"})
        self.assertEqual(response.status, 401)
        self.assertEqual(body["error"]["code"], "invalid_api_key")

    def test_health_follows_the_server(self):
        with Cluster(PROGRAMS, [WORKER]) as cluster:
            with OpenAiGateway(PROGRAMS, cluster) as gateway:
                response, body = gateway.request("GET", "/health")
                self.assertEqual((response.status, body),
                                 (200, {"status": "ok"}))
                cluster.scheduler.stop()
                response, body = gateway.request("GET", "/health")
                self.assertEqual(response.status, 503)
                self.assertIn("error", body)
                response, _ = gateway.request("GET", "/health/live")
                self.assertEqual(response.status, 200)
                response, body = gateway.request("POST", "/v1/completions",
                                                 COMPLETION)
                self.assertEqual(response.status, 503, body)

    def test_metrics_count_requests_by_status(self):
        with OpenAiGateway(PROGRAMS, self.cluster,
                           "--metrics_listen=127.0.0.1:0") as gateway:
            address = gateway.metrics_address()
            gateway.request("POST", "/v1/completions", COMPLETION)
            gateway.request("POST", "/v1/completions", b"{")
            with urllib.request.urlopen(f"http://{address}/metrics",
                                        timeout=60) as answer:
                page = answer.read().decode()
        for status in (200, 400):
            self.assertIn("hybridserve_openai_requests_total{endpoint="
                          f'"/v1/completions",status="{status}"}} 1', page)
        self.assertIn('hybridserve_openai_requests_running{endpoint='
                      '"/v1/completions"} 0', page)
        self.assertIn('hybridserve_openai_request_seconds_count{endpoint='
                      '"/v1/completions"} 2', page)


class FlagsTest(unittest.TestCase):
    def run_gateway(self, *flags: str) -> subprocess.CompletedProcess:
        return subprocess.run([PROGRAMS.openai_gateway, *flags],
                              capture_output=True, text=True, timeout=60)

    def test_wrong_flags_are_named(self):
        server = "--server=127.0.0.1:1"
        with tempfile.NamedTemporaryFile("w") as template:
            template.write("{{#MESSAGES}}")
            template.flush()
            for flags, name in [
                    ([], "--server"),
                    (["--server=nowhere"], "--server"),
                    ([server, "--listen=nowhere"], "--listen"),
                    ([server, "--listen=0.0.0.0:0"], "--listen"),
                    ([server, "--max_connections=0"], "--max_connections"),
                    ([server, "--max_body_size=1"], "--max_body_size"),
                    ([server, "--head_timeout=0s"], "--head_timeout"),
                    ([server, "--drain_timeout=-1s"], "--drain_timeout"),
                    ([server, "--https_key=/none"], "--https_"),
                    ([server, "--tls_ca=/none"], "--tls_ca"),
                    ([server, "--metrics_listen=x"], "--metrics_listen"),
                    ([server, f"--chat_template={template.name}"],
                     "--chat_template")]:
                with self.subTest(flags):
                    done = self.run_gateway(*flags)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(name, done.stderr.splitlines()[0])
                    self.assertEqual(done.stdout, "")
        self.assertEqual(self.run_gateway("--help").returncode, 0)
        self.assertIn("hybridserve-openai",
                      self.run_gateway("--version").stdout)

    def test_a_taken_address_fails(self):
        with Process([PROGRAMS.openai_gateway, "--listen=127.0.0.1:0",
                      "--server=127.0.0.1:1"]) as first:
            address = first.wait_for_line(r"listening (.+:\d+)").group(1)
            done = self.run_gateway(f"--listen={address}",
                                    "--server=127.0.0.1:1")
            self.assertEqual(done.returncode, 1)
            self.assertIn("--listen", done.stderr.splitlines()[0])
            # It is up without its server, and ends when it is told to.
            self.assertEqual(first.stop(), 0)
            self.assertEqual(first.lines, [f"listening {address}"])

    def test_https(self):
        with tempfile.TemporaryDirectory() as folder, \
                Cluster(PROGRAMS, [WORKER]) as cluster:
            authority = Authority(pathlib.Path(folder), "authority")
            own = authority.issue("gateway")
            with OpenAiGateway(PROGRAMS, cluster,
                               f"--https_certificate={own.certificate}",
                               f"--https_key={own.key}") as gateway:
                trust = ssl.create_default_context(
                    cafile=str(authority.certificate))
                connection = http.client.HTTPSConnection(
                    gateway.address, context=trust, timeout=60)
                for _ in range(2):
                    connection.request("POST", "/v1/completions",
                                       json.dumps(COMPLETION))
                    response = connection.getresponse()
                    self.assertEqual(response.status, 200)
                    response.read()
                connection.close()
                stranger = http.client.HTTPSConnection(gateway.address,
                                                       timeout=60)
                with self.assertRaises(ssl.SSLError):
                    stranger.request("GET", "/health")


class EndTest(unittest.TestCase):
    """SIGTERM while a stream is under way."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(PROGRAMS, [SLOW])
        cls.addClassCleanup(cls.cluster.__exit__)

    def start(self, *flags: str):
        """A gateway, and a stream that has begun."""
        gateway = OpenAiGateway(PROGRAMS, self.cluster, *flags)
        self.addCleanup(gateway.__exit__)
        client = openai.OpenAI(base_url=gateway.url, api_key="any",
                               max_retries=0, timeout=120)
        self.addCleanup(client.close)
        stream = client.completions.create(
            model=NAME, prompt="Once", max_tokens=60, stream=True,
            temperature=0, stream_options={"include_usage": True},
            extra_body={"ignore_eos": True})
        next(iter(stream))
        return gateway, client, stream

    def wait_until_draining(self, gateway):
        deadline = time.monotonic() + 60
        while gateway.request("GET", "/health")[0].status != 503:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_it_finishes_the_stream_and_takes_nothing_new(self):
        gateway, client, stream = self.start()
        gateway.process.process.send_signal(signal.SIGTERM)
        self.wait_until_draining(gateway)
        with self.assertRaises(openai.InternalServerError) as raised:
            client.completions.create(model=NAME, prompt="a")
        self.assertEqual(raised.exception.status_code, 503)
        self.assertEqual(raised.exception.response.headers["connection"],
                         "close")
        chunks = list(stream)
        self.assertEqual(chunks[-1].usage.completion_tokens, 60)
        self.assertEqual(gateway.process.process.wait(60), 0)
        self.assertEqual([line.split()[0] for line in gateway.process.lines],
                         ["listening", "ready"])

    def load(self):
        with pb.Client(self.cluster.address) as protocol:
            return protocol.control.GetLoad(pb.control.GetLoadRequest()).load

    def assert_all_is_free(self):
        deadline = time.monotonic() + 60
        while True:
            load = self.load()
            pools = [pool for worker in load.workers for pool in worker.pools]
            if load.queue.running == 0 and all(
                    pool.free + pool.cached == pool.half_slots
                    for pool in pools):
                return
            self.assertLess(time.monotonic(), deadline, load)
            time.sleep(0.02)

    def test_closing_a_stream_frees_everything_on_the_server(self):
        before = self.load().requests.cancelled
        gateway, _, stream = self.start()
        stream.close()
        self.assert_all_is_free()
        self.assertEqual(self.load().requests.cancelled, before + 1)
        # And so does a client that goes away while it waits for the whole.
        body = json.dumps({"model": NAME, "prompt": "Once", "max_tokens": 200,
                           "ignore_eos": True}).encode()
        with gateway.connect() as sock:
            sock.sendall(post(body, f"Content-Length: {len(body)}"))
            deadline = time.monotonic() + 60
            while self.load().queue.running == 0:
                self.assertLess(time.monotonic(), deadline)
        self.assert_all_is_free()
        self.assertEqual(self.load().requests.cancelled, before + 2)
        self.assertEqual(gateway.process.stop(), 0)
        self.assertEqual(
            re.findall(r" endpoint=/v1/completions status=(\d+) ",
                       gateway.process.log()), ["499", "499"])

    def test_it_waits_no_longer_than_it_may(self):
        gateway, _, stream = self.start("--drain_timeout=100ms")
        self.assertEqual(gateway.process.stop(), 0)
        with self.assertRaises((openai.APIError, openai.APIConnectionError)):
            list(stream)
        self.assert_all_is_free()

    def test_a_second_signal_ends_it_at_once(self):
        gateway, _, stream = self.start()
        gateway.process.process.send_signal(signal.SIGTERM)
        self.wait_until_draining(gateway)
        self.assertEqual(gateway.process.stop(), 1)
        with self.assertRaises((openai.APIError, openai.APIConnectionError)):
            list(stream)
        self.assert_all_is_free()

    def test_killing_it_frees_everything_on_the_server(self):
        gateway, _, _ = self.start()
        self.assertEqual(gateway.process.stop(signal.SIGKILL),
                         -signal.SIGKILL)
        self.assert_all_is_free()

    def test_requests_may_take_so_long_only(self):
        with OpenAiGateway(PROGRAMS, self.cluster,
                           "--request_timeout=300ms") as gateway:
            client = openai.OpenAI(base_url=gateway.url, api_key="any",
                                   max_retries=0, timeout=120)
            self.addCleanup(client.close)
            fields = {"model": NAME, "prompt": "Once", "max_tokens": 200,
                      "extra_body": {"ignore_eos": True}}
            with self.assertRaises(openai.InternalServerError) as raised:
                client.completions.create(**fields)
            self.assertEqual(raised.exception.status_code, 504)
            self.assertEqual(raised.exception.code, "timeout")
            # In a stream it comes as the last event but one.
            with self.assertRaises(openai.APIError) as raised:
                list(client.completions.create(**fields, stream=True))
            self.assertEqual(raised.exception.code, "timeout")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
