"""What clients hear whose calls come just as the scheduler's process ends.

Usage: scheduler_end_test.py PROGRAMS_ROOT
"""

import sys
import threading
import unittest

import grpc

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs

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


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
