"""--max_step_time: fewer requests run at once, with the same tokens.

Usage: max_step_time_test.py PROGRAMS_ROOT
"""

import concurrent.futures
import pathlib
import sys
import threading
import unittest

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs

MODEL = pathlib.Path(__file__).resolve().parents[2] / "models" / "demo"
# Weights alone take a good part of such a step, and a sequence a small one.
WORKER = [f"--model_dir={MODEL}", "--dtype=float32", "--device_memory=min",
          "--host_memory=256MiB", "--link_bandwidth=400MB/s"]
REQUESTS = 32
PROGRAMS = None


class MaxStepTimeTest(unittest.TestCase):
    def run_requests(self, *flags: str) -> tuple[list[list[int]], int]:
        """Each request's tokens, and the most that ran at once."""
        with Cluster(PROGRAMS, [WORKER], ["--policy=kv", *flags]) as cluster:
            with pb.Client(cluster.address) as client:
                peak = 0
                done = threading.Event()

                def watch() -> None:
                    nonlocal peak
                    while not done.wait(0.01):
                        load = client.control.GetLoad(
                            pb.control.GetLoadRequest()).load
                        peak = max(peak, load.queue.running)

                def generate(i: int) -> list[int]:
                    message = pb.request(pb.inference.GenerateRequest,
                                         token_ids=[5 + i] * 150,
                                         max_tokens=24)
                    message.stopping.ignore_eos = True
                    return list(client.inference.Generate(message).token_ids)

                watcher = threading.Thread(target=watch)
                watcher.start()
                with concurrent.futures.ThreadPoolExecutor(REQUESTS) as pool:
                    outputs = list(pool.map(generate, range(REQUESTS)))
                done.set()
                watcher.join()
        return outputs, peak

    def test_bounds_what_runs_and_changes_no_token(self):
        outputs, peak = self.run_requests()
        self.assertGreater(peak, 8)  # As many as have rows for their logits.
        limited_outputs, limited_peak = self.run_requests(
            "--max_step_time=60ms")
        self.assertLess(limited_peak, peak)
        self.assertGreater(limited_peak, 0)
        self.assertEqual(limited_outputs, outputs)
        # One always runs.
        one_outputs, one_peak = self.run_requests("--max_step_time=1us")
        self.assertEqual(one_peak, 1)
        self.assertEqual(one_outputs, outputs)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
