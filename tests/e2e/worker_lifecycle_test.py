"""Workers that drain, stop answering and are replaced while clients stream.

Usage: worker_lifecycle_test.py PROGRAMS_ROOT
"""

import pathlib
import signal
import sys
import threading
import time
import unittest

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = f"--model_dir={ROOT / 'models' / 'demo'}"
PROGRAMS = None
# So slow a link that a request lasts for seconds.
WORKER = [MODEL, "--dtype=float32", "--device_memory=min", "--threads=1",
          "--host_memory=64MiB", "--link_bandwidth=300MB"]
PROMPT = "In the beginning"
TOKENS = 48


class Stream(threading.Thread):
    """One call of GenerateStream, and what came of it."""

    def __init__(self, address: str, seed: int):
        super().__init__()
        self.seed = seed
        self.tokens: list[int] = []
        self.resumed = 0
        self.error: Exception | None = None
        self.finished = False
        self.begun = threading.Event()
        self._address = address
        self.start()

    def run(self) -> None:
        request = pb.request(pb.inference.GenerateStreamRequest, PROMPT,
                             max_tokens=TOKENS)
        request.sampling.temperature = 1.0
        request.sampling.seed = self.seed
        request.sampling.presence_penalty = 0.5
        request.sampling.repetition_penalty = 1.2
        request.stopping.ignore_eos = True
        try:
            with pb.Client(self._address) as client:
                for event in client.inference.GenerateStream(request):
                    kind = event.WhichOneof("event")
                    if kind == "token_output":
                        self.tokens.extend(event.token_output.token_ids)
                        self.begun.set()
                    self.resumed += kind == "resumed"
                    self.finished |= kind == "finished"
        except Exception as error:  # Judged by the test.
            self.error = error
        self.begun.set()


class WorkerLifecycleTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        # What the streams are to give, undisturbed.
        with Cluster(PROGRAMS, [WORKER]) as cluster:
            streams = [Stream(cluster.address, seed) for seed in range(6)]
            for stream in streams:
                stream.join()
            cls.expected = {s.seed: s.tokens for s in streams}
        assert all(len(t) == TOKENS for t in cls.expected.values())

    def check(self, streams: list[Stream]) -> None:
        for stream in streams:
            stream.join()
            self.assertIsNone(stream.error)
            self.assertTrue(stream.finished)
            self.assertEqual(stream.tokens, self.expected[stream.seed])

    def start(self, cluster: Cluster, seeds) -> list[Stream]:
        streams = [Stream(cluster.address, seed) for seed in seeds]
        for stream in streams:
            self.assertTrue(stream.begun.wait(60))
        return streams

    def test_a_rolling_restart_moves_nothing(self):
        with Cluster(PROGRAMS, [WORKER, WORKER]) as cluster:
            streams: list[Stream] = []
            for old in list(cluster.workers):
                streams += self.start(cluster, range(6))
                self.assertEqual(old.stop(signal.SIGTERM), 0)
                cluster.add_worker(WORKER)
            self.check(streams)
            self.assertEqual([s.resumed for s in streams], [0] * len(streams))
            self.assertEqual(len(cluster.status()["workers"]), 2)

    def test_past_the_drain_timeout_others_go_on(self):
        with Cluster(PROGRAMS, [[*WORKER, "--drain_timeout=0s"]]
                               ) as cluster:
            streams = self.start(cluster, range(4))
            self.assertEqual(cluster.workers[0].stop(signal.SIGTERM), 0)
            cluster.add_worker(WORKER)
            self.check(streams)
            self.assertEqual([s.resumed for s in streams], [1] * 4)

    def test_a_second_signal_ends_a_draining_worker_at_once(self):
        with Cluster(PROGRAMS, [WORKER]) as cluster:
            streams = self.start(cluster, range(2))
            worker = cluster.workers[0]
            worker.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 60
            while (cluster.status()["workers"][0]["state"] != "draining" and
                   time.monotonic() < deadline):
                time.sleep(0.05)
            self.assertEqual(worker.stop(signal.SIGTERM), 1)
            cluster.add_worker(WORKER)
            self.check(streams)

    def test_a_stopped_worker_is_lost_with_its_lease(self):
        with Cluster(PROGRAMS, [WORKER, WORKER],
                               ["--worker_lease=2s"]) as cluster:
            streams = self.start(cluster, range(4))
            stopped = cluster.workers[0]
            stopped.process.send_signal(signal.SIGSTOP)
            self.check(streams)
            self.assertEqual(len(cluster.status()["workers"]), 1)
            self.assertIn(1, [s.resumed for s in streams])
            # Awake again it is as good as new.
            stopped.process.send_signal(signal.SIGCONT)
            deadline = time.monotonic() + 60
            while (len(cluster.status()["workers"]) < 2 and
                   time.monotonic() < deadline):
                time.sleep(0.1)
            self.assertEqual(len(cluster.status()["workers"]), 2)
            self.check(self.start(cluster, range(4)))


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main()
