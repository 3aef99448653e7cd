"""Every error of docs/errors.md that a client can bring about, brought about.

Usage: errors_test.py PROGRAMS_ROOT
"""

import pathlib
import re
import sys
import tempfile
import threading
import time
import unittest

import grpc

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "errors.md"
PROGRAMS = None
MODEL = [f"--model_dir={ROOT / 'tests' / 'golden' / 'models' / 'pre_norm'}",
         "--device=cpu", "--dtype=float32"]
# So slow a link that a request lasts until it is ended.
SLOW = [f"--model_dir={ROOT / 'models' / 'demo'}", "--dtype=float32",
        "--device_memory=min", "--host_memory=64MiB", "--link_bandwidth=50MB"]
LONG = 400
KEYS = {"all": "k-of-all", "worker": "k-of-workers"}

# (code, details) that the page marks with a tick.
Row = tuple[str, tuple[str, ...]]


def rows_of_page() -> set[Row]:
    rows = set()
    for line in PAGE.read_text().splitlines():
        if not line.startswith("| ✓ |"):
            continue
        cells = re.split(r" *\| *", line.strip("| "))
        details = tuple(sorted(part.strip() for part in
                               cells[2].split(",") if part.strip()))
        rows.add((cells[1], details))
    return rows


def row_of(error: grpc.RpcError) -> Row:
    """What the error is in the page's terms."""
    found = []
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for packed in pb.status.Status.FromString(value).details:
            name = packed.type_url.rsplit(".", 1)[1]
            if name == "ErrorInfo":
                info = pb.error_details.ErrorInfo()
                packed.Unpack(info)
                name += " " + info.reason
            found.append(name)
    return error.code().name, tuple(sorted(found))


class ErrorsTest(unittest.TestCase):
    brought_about: set[Row] = set()

    @classmethod
    def tearDownClass(cls):
        missing = rows_of_page() - cls.brought_about
        if missing:
            raise AssertionError(f"marked in {PAGE}, not brought about: "
                                 f"{sorted(missing)}")

    def expect(self, code: str, details: tuple[str, ...], call) -> None:
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        row = row_of(raised.exception)
        self.assertEqual(row, (code, tuple(sorted(details))),
                         raised.exception.details())
        self.assertIn(row, rows_of_page())
        self.brought_about.add(row)

    def generate(self, client: pb.Client, timeout: float = 60, metadata=(),
                 max_tokens: int = 2, **fields):
        fields.setdefault("token_ids", [5])
        request = pb.request(pb.inference.GenerateRequest,
                             max_tokens=max_tokens, **fields)
        request.stopping.ignore_eos = True
        return client.inference.Generate(request, timeout=timeout,
                                         metadata=metadata)

    def start(self, client: pb.Client, name: str) -> threading.Thread:
        """A long request that waits or runs, whatever becomes of it."""
        def run():
            try:
                self.generate(client, max_tokens=LONG, request_id=name)
            except grpc.RpcError:
                pass
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def wait_until(self, cluster: Cluster, running: int, waiting: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            queue = cluster.status()["queue"]
            if (queue["running"], queue["waiting"]) == (running, waiting):
                return
            time.sleep(0.05)
        self.fail(f"{queue} is not {running} running, {waiting} waiting")

    def test_of_requests(self):
        with Cluster(PROGRAMS, [MODEL]) as cluster, \
                pb.Client(cluster.address) as client:
            self.expect("INVALID_ARGUMENT", ("BadRequest",), lambda:
                        self.generate(client, token_ids=[]))
            raw = client.channel.unary_unary(
                "/hybridserve.v1.InferenceService/Generate")
            self.expect("INVALID_ARGUMENT", (), lambda: raw(b"\xff" * 8))
            self.expect("NOT_FOUND", ("ResourceInfo",), lambda:
                        self.generate(client, model="no-such"))
            self.expect("NOT_FOUND", ("ResourceInfo",), lambda:
                        client.control.Abort(pb.control.AbortRequest(
                            request_id="no-such")))
            unknown = client.channel.unary_unary(
                "/hybridserve.v1.InferenceService/Paint")
            self.expect("UNIMPLEMENTED", (), lambda: unknown(b""))
            client.control.Drain(pb.control.DrainRequest())
            self.expect("UNAVAILABLE", ("RetryInfo",), lambda:
                        self.generate(client))

    def test_of_a_server_without_workers(self):
        with Cluster(PROGRAMS, [], ["--max_message_size=2MiB"]) as cluster, \
                pb.Client(cluster.address) as client:
            self.expect("UNAVAILABLE", ("RetryInfo",), lambda:
                        self.generate(client))
            self.expect("RESOURCE_EXHAUSTED", (), lambda: self.generate(
                client, token_ids=None, prompt="x" * (3 << 20)))

    def test_of_a_full_queue_and_live_requests(self):
        with Cluster(PROGRAMS, [SLOW],
                     ["--max_running=1", "--max_queue_requests=1"]) as cluster, \
                pb.Client(cluster.address) as client:
            self.start(client, "one")
            self.wait_until(cluster, 1, 0)
            self.expect("ALREADY_EXISTS", ("ResourceInfo",), lambda:
                        self.generate(client, request_id="one"))
            self.start(client, "two")
            self.wait_until(cluster, 1, 1)
            self.expect("RESOURCE_EXHAUSTED", ("RetryInfo", "QuotaFailure"),
                        lambda: self.generate(client))
            for name in ("one", "two"):
                client.control.Abort(pb.control.AbortRequest(request_id=name))
            self.wait_until(cluster, 0, 0)
            self.start(client, "three")
            self.wait_until(cluster, 1, 0)
            score = pb.inference.ScoreRequest(request_id="scored")
            score.token_ids.ids.extend([5, 6])
            call = client.inference.Score.future(score)
            self.wait_until(cluster, 1, 1)
            client.control.Abort(pb.control.AbortRequest(request_id="scored"))
            self.expect("CANCELLED", (), call.result)
            self.expect("DEADLINE_EXCEEDED", (), lambda:
                        self.generate(client, timeout=0.1))
            client.control.Abort(pb.control.AbortRequest(request_id="three"))

    def test_of_a_lost_worker(self):
        with Cluster(PROGRAMS, [SLOW], ["--failover_timeout=1s"]) as cluster, \
                pb.Client(cluster.address) as client:
            request = pb.request(pb.inference.GenerateStreamRequest,
                                 token_ids=[5], max_tokens=LONG)
            request.stopping.ignore_eos = True
            stream = client.inference.GenerateStream(request)
            for event in stream:
                if event.WhichOneof("event") == "token_output":
                    break
            cluster.workers[0].process.kill()
            self.expect("ABORTED", ("ErrorInfo WORKER_LOST",),
                        lambda: list(stream))

    def test_of_keys(self):
        with tempfile.NamedTemporaryFile("w") as keys:
            keys.write(f"{KEYS['all']}\n{KEYS['worker']} roles=worker\n")
            keys.flush()
            with Cluster(PROGRAMS, [], [f"--api_keys={keys.name}"]) as cluster, \
                    pb.Client(cluster.address) as client:
                self.expect("UNAUTHENTICATED", (), lambda:
                            self.generate(client))
                self.expect("PERMISSION_DENIED", (), lambda: self.generate(
                    client, metadata=[("authorization",
                                       f"Bearer {KEYS['worker']}")]))

    def test_the_page_lists_no_row_twice_and_every_code_of_the_protocol(self):
        text = PAGE.read_text()
        codes = set(re.findall(r"^\| ✓? ?\|? ?([A-Z_]{5,})", text, re.M))
        proto = (ROOT / "proto" / "hybridserve" / "v1" /
                 "inference_service.proto").read_text()
        head = proto[:proto.index("service InferenceService")]
        of_proto = set(re.findall(r"^//   ([A-Z_]{5,}) ", head, re.M))
        self.assertTrue(of_proto)
        self.assertLessEqual(of_proto, codes)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main()
