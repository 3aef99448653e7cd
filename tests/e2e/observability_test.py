"""What operators see: requests in the log, logs as JSON, crashes.

Usage: observability_test.py PROGRAMS_ROOT
"""

import json
import pathlib
import re
import signal
import subprocess
import sys
import unittest

import grpc

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Process, Programs, run_client

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
PROGRAMS = None
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


def request_lines(process: Process) -> list[str]:
    """What the log says of requests, without what glog puts before it."""
    return re.findall(r"request (?:finished|failed|refused): .*",
                      process.log())


class RequestLogTest(unittest.TestCase):
    def generate(self, client: pb.Client, metadata=(), **fields):
        """The response and its x-request-id."""
        response, call = client.inference.Generate.with_call(
            pb.request(pb.inference.GenerateRequest, token_ids=[5, 6],
                       max_tokens=3, **fields), metadata=metadata)
        return response, dict(call.initial_metadata())["x-request-id"]

    def test_each_request_is_a_line_in_the_log(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]]) as cluster, \
                pb.Client(cluster.address) as client:
            response, named = self.generate(
                client, [("traceparent", TRACEPARENT)], request_id="mine")
            self.assertEqual((response.request_id, named), ("mine", "mine"))
            response, made = self.generate(
                client, [("x-request-id", "proxy"), ("traceparent", "bad")])
            self.assertEqual(response.request_id, made)
            self.assertRegex(made, r"^proxy-[0-9a-f]{16}$")
            with self.assertRaises(grpc.RpcError) as refused:
                self.generate(client, model="no-such-model")
            refused_id = dict(
                refused.exception.trailing_metadata())["x-request-id"]
            first, second, third = request_lines(cluster.scheduler)
        self.assertRegex(
            first,
            r"^request finished: request_id=mine model=pre_norm "
            r"prompt_tokens=2 completion_tokens=\d queue_s=\d+\.\d{6} "
            r"first_token_s=\d+\.\d{6} total_s=\d+\.\d{6} "
            rf"finish_reason=(length|stop) trace_id={TRACE_ID}$")
        self.assertIn(f"request_id={made} ", second)
        self.assertNotIn("trace_id", second)
        self.assertEqual(
            third,
            f"request refused: request_id={refused_id} code=NOT_FOUND")

    def test_the_lines_can_be_left_out(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]],
                     ["--nolog_requests"]) as cluster, \
                pb.Client(cluster.address) as client:
            self.generate(client)
            self.assertEqual(request_lines(cluster.scheduler), [])
        embedded = run_client(
            PROGRAMS, "generate", f"--model_dir={MODEL}", "--token_ids=5",
            "--max_tokens=2", "--log_level=info").stderr
        self.assertIn("worker registered", embedded)
        self.assertNotIn("request finished", embedded)


class JsonLogTest(unittest.TestCase):
    def test_every_line_is_an_object(self):
        flags = ["--log_format=json"]
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}", *flags]],
                     flags) as cluster, pb.Client(cluster.address) as client:
            client.inference.Generate(
                pb.request(pb.inference.GenerateRequest, token_ids=[5],
                           max_tokens=2, request_id="mine"))
            for process in (*cluster.workers, cluster.scheduler):
                self.assertEqual(process.stop(), 0)
                lines = process.log().splitlines()
                self.assertTrue(lines)
                for line in lines:
                    entry = json.loads(line)
                    self.assertEqual(
                        list(entry), ["time", "severity", "file", "line",
                                      "thread", "message"])
                    self.assertRegex(
                        entry["time"],
                        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
                    self.assertIn(entry["severity"], ("INFO", "WARNING"))
            messages = [json.loads(line)["message"]
                        for line in cluster.scheduler.log().splitlines()]
        self.assertTrue(any(
            message.startswith("request finished: request_id=mine ")
            for message in messages), messages)

    def test_what_grpc_logs_is_one_too(self):
        # A port that is taken: gRPC has something to say of that.
        with Cluster(PROGRAMS, []) as cluster:
            result = subprocess.run(
                [PROGRAMS.scheduler, f"--listen={cluster.address}",
                 "--log_format=json"],
                capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 1)
        *logged, error = result.stderr.splitlines()
        self.assertRegex(error, r"^scheduler: --listen")
        self.assertTrue(logged)
        for line in logged:
            self.assertEqual(json.loads(line)["severity"], "ERROR")

    def test_other_formats_are_wrong_usage(self):
        result = subprocess.run(
            [PROGRAMS.scheduler, "--listen=127.0.0.1:0", "--log_format=xml"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn("--log_format", result.stderr.splitlines()[0])


class CrashTest(unittest.TestCase):
    def assert_crashes_loudly(self, process: Process, program: str,
                              sig: signal.Signals) -> None:
        self.assertEqual(process.stop(sig), -sig)
        log = process.log()
        name = f" {program}" if program != "hybridserve" else ""
        self.assertRegex(
            log, rf"\*\*\* hybridserve{name} \d+\.\d+\.\d+ "
                 r"\(build [0-9a-f]{16,}\) crashed \*\*\*\n")
        self.assertRegex(log, rf"\*\*\* {sig.name} .*stack trace: \*\*\*\n"
                              r"    @ +0x[0-9a-f]+ ")

    def test_a_crash_says_who_and_where(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]]) as cluster:
            with Process([PROGRAMS.client, "top",
                          f"--server={cluster.address}"]) as client:
                client.wait_for_line(r"hybridserve top  .*")
                self.assert_crashes_loudly(client, "hybridserve",
                                           signal.SIGSEGV)
            self.assert_crashes_loudly(cluster.workers[0], "worker",
                                       signal.SIGABRT)
            self.assert_crashes_loudly(cluster.scheduler, "scheduler",
                                       signal.SIGSEGV)

    def test_being_stopped_is_no_crash(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]]) as cluster:
            for process in (*cluster.workers, cluster.scheduler):
                self.assertEqual(process.stop(signal.SIGTERM), 0)
                self.assertNotIn("crashed", process.log())


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
