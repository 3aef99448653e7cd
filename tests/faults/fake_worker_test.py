"""A worker that lies, or hangs while its heart goes on, is shown the door, and
what it was given goes on elsewhere.

Usage: fake_worker_test.py PROGRAMS_ROOT
"""

import pathlib
import sys
import threading
import unittest

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs
from tests.faults.nonsense import FakeWorker

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
HOLD_SECONDS = 60
PROGRAMS = None


def generate(address: str) -> list[int]:
    with pb.Client(address) as client:
        request = pb.request(pb.inference.GenerateRequest, model="pre_norm",
                             token_ids=[5, 6, 7], max_tokens=8)
        return list(client.inference.Generate(request).token_ids)


class FakeWorkerTest(unittest.TestCase):
    def end_of(self, how: str) -> str:
        """How the scheduler ends the connection of one that does so, which it
        gives its warm-up and the request, as nobody else is there."""
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]],
                     ["--step_timeout=2s"]) as cluster:
            want = generate(cluster.address)
            with pb.Client(cluster.address) as client:
                [real] = client.control.GetLoad(
                    pb.control.GetLoadRequest()).load.workers
            cluster.workers[0].stop()
            fake = FakeWorker(cluster.address, MODEL, how, real, HOLD_SECONDS)
            ends: list[str] = []
            talk = threading.Thread(target=lambda: ends.append(fake.run()))
            talk.start()
            got: list[list[int]] = []
            ask = threading.Thread(
                target=lambda: got.append(generate(cluster.address)))
            ask.start()
            talk.join(HOLD_SECONDS)
            cluster.add_worker([f"--model_dir={MODEL}"])
            ask.join(HOLD_SECONDS)
            self.assertEqual(got, [want])
        return ends[0]

    def test_it_is_shown_the_door(self):
        for how in ("no_results", "stale_step", "wrong_counts", "wrong_ids",
                    "wrong_table"):
            with self.subTest(how):
                self.assertEqual(self.end_of(how), "UNAVAILABLE")
        # No token has such an id, whatever was asked.
        self.assertEqual(self.end_of("negative_token"), "INVALID_ARGUMENT")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
