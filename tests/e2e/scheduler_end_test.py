"""What clients hear whose calls come, or are under way, as the scheduler's process
ends.

Usage: scheduler_end_test.py PROGRAMS_ROOT
"""

import pathlib
import signal
import sys
import threading
import time
import unittest

import grpc

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
PROGRAMS = None
TIMES = 5
CLIENTS = 6
SECONDS = 60


class Asker(threading.Thread):
    """Asks without a pause until a call fails, on a connection of its own."""

    def __init__(self, address: str, models: bool):
        super().__init__()
        self.asked = threading.Event()
        self.error: grpc.RpcError | None = None
        self._models = models
        self._channel = grpc.insecure_channel(address, options=[
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_retries", 0)])
        self.start()

    def run(self) -> None:
        models = pb.model_grpc.ModelServiceStub(self._channel)
        control = pb.control_grpc.ControlServiceStub(self._channel)
        try:
            while True:
                if self._models:
                    models.ListModels(pb.model.ListModelsRequest(),
                                      timeout=SECONDS)
                else:
                    control.GetLoad(pb.control.GetLoadRequest(),
                                    timeout=SECONDS)
                self.asked.set()
        except grpc.RpcError as error:
            self.error = error
        self._channel.close()


class SchedulerEndTest(unittest.TestCase):
    def test_whoever_comes_too_late_may_ask_again(self):
        """UNAVAILABLE is what clients try again, CANCELLED is not."""
        for _ in range(TIMES):
            with Cluster(PROGRAMS, []) as cluster:
                askers = [Asker(cluster.address, models=n % 2 == 0)
                          for n in range(CLIENTS)]
                for asker in askers:
                    self.assertTrue(asker.asked.wait(SECONDS))
                self.assertEqual(cluster.scheduler.stop(), 0,
                                 cluster.scheduler.log())
                for asker in askers:
                    asker.join(SECONDS)
                    self.assertEqual(asker.error.code(),
                                     grpc.StatusCode.UNAVAILABLE,
                                     asker.error.details())


    def test_a_client_that_reads_slowly_has_the_time_for_draining(self):
        """More than connections hold on their own is on its way to it."""
        request = pb.request(pb.inference.GenerateStreamRequest,
                             token_ids=[5], max_tokens=250)
        request.stopping.ignore_eos = True
        request.response.log_probs = True
        request.response.top_log_probs = 20
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]],
                     ["--drain_timeout=60s"]) as cluster:
            with grpc.insecure_channel(cluster.address, options=[
                    ("grpc.http2.bdp_probe", 0),
                    ("grpc.http2.lookahead_bytes", 1024)]) as channel:
                stub = pb.inference_grpc.InferenceServiceStub(channel)
                events = stub.GenerateStream(request, timeout=SECONDS)
                tokens = len(next(events).token_output.token_ids)
                cluster.scheduler.process.send_signal(signal.SIGTERM)
                time.sleep(5)  # The request itself is done by now.
                for event in events:
                    tokens += len(event.token_output.token_ids)
            self.assertEqual(tokens, 250)
            self.assertEqual(cluster.scheduler.process.wait(SECONDS), 0,
                             cluster.scheduler.log())


    def test_a_second_signal_ends_a_draining_scheduler_at_once(self):
        request = pb.request(pb.inference.GenerateStreamRequest,
                             token_ids=[5], max_tokens=250)
        request.stopping.ignore_eos = True
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}",
                                 "--device_memory=min",
                                 "--link_bandwidth=5MB/s"]],
                     ["--drain_timeout=60s"]) as cluster:
            with pb.Client(cluster.address) as client:
                events = client.inference.GenerateStream(request,
                                                         timeout=SECONDS)
                next(events)
                cluster.scheduler.process.send_signal(signal.SIGTERM)
                with self.assertRaises(grpc.RpcError) as late:
                    while True:  # Until it drains.
                        client.inference.Generate(pb.request(
                            pb.inference.GenerateRequest, token_ids=[5],
                            max_tokens=1))
                self.assertEqual(late.exception.code(),
                                 grpc.StatusCode.UNAVAILABLE)
                next(events)  # It goes on.
                self.assertEqual(cluster.scheduler.stop(), 1,
                                 cluster.scheduler.log())
                with self.assertRaises(grpc.RpcError) as ended:
                    for _ in events:
                        pass
                self.assertEqual(ended.exception.code(),
                                 grpc.StatusCode.UNAVAILABLE)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
