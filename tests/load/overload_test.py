"""Seconds of load on a real scheduler with simulated workers: every request
ends as it should, and nothing is left behind. Counts, no speeds.

Usage: overload_test.py PROGRAMS_ROOT
"""

import pathlib
import sys
import unittest
from typing import Dict

from tests.load.cluster import Cluster, Programs

PROGRAMS = None


class OverloadTest(unittest.TestCase):
    """Two workers of eight sequences each, and sixteen more may wait."""

    def setUp(self):
        self.cluster = Cluster(
            PROGRAMS,
            workers=["--workers=2", "--step_time=20ms", "--max_sequences=8"],
            scheduler=["--max_running=8", "--max_queue_requests=16"],
        )
        self.addCleanup(self.cluster.__exit__)

    def load(self, *flags: str) -> Dict:
        """Whatever it is: all ends, no token is wrong, nothing is left."""
        result = self.cluster.load("--drain_timeout=60s", *flags)
        self.assertEqual(result["unended"], 0, result)
        self.assertEqual(result["wrong"], 0, result)
        self.assertEqual(
            result["sent"],
            result["finished"]
            + result["refused"]
            + result["cancelled"]
            + result["failed"],
            result,
        )
        self.assertEqual(result["refusals_without_retry_info"], 0, result)
        self.cluster.wait_until_at_rest()
        return result

    def test_an_overload_is_refused_and_the_rest_goes_on(self):
        result = self.load(
            "--rate=600",
            "--duration=3s",
            "--prompt_tokens=8-40",
            "--max_tokens=4-16",
            "--stream_share=0.7",
        )
        self.assertGreater(result["finished"], 16, result)
        self.assertGreater(result["refused"], 100, result)
        self.assertEqual(result["failed"], 0, result)
        self.assertEqual(
            set(result["codes"]), {"OK", "RESOURCE_EXHAUSTED"}, result
        )
        self.assertGreater(result["retry_delay"]["p50"], 0, result)

    def test_who_comes_back_when_told_to_is_served(self):
        result = self.load(
            "--concurrency=60",
            "--requests=120",
            "--max_tokens=4-12",
            "--retries=1000",
        )
        self.assertEqual(result["finished"], 120, result)
        self.assertGreater(result["refusals"], 0, result)

    def test_slow_readers_and_cancels_hold_up_nobody(self):
        result = self.load(
            "--concurrency=30",
            "--requests=300",
            "--max_tokens=geometric:10",
            "--stream_share=0.7",
            "--slow_share=0.2",
            "--read_pause=200ms",
            "--cancel_share=0.3",
            "--cancel_after=500ms",
        )
        self.assertEqual(result["finished"] + result["cancelled"], 300, result)
        self.assertGreater(result["cancelled"], 10, result)
        self.assertGreater(result["finished"], 200, result)

    def test_deadlines_end_what_is_queued_and_what_runs(self):
        # A client's clock may be ahead: the places of those that have expired
        # are then not free yet, and the next ones have to come back.
        result = self.load(
            "--concurrency=30",
            "--requests=90",
            "--max_tokens=1000",
            "--deadline=1s",
            "--retries=100",
        )
        self.assertEqual(result["failed"], 90, result)
        self.assertEqual(set(result["codes"]), {"DEADLINE_EXCEEDED"}, result)


class QueueTest(unittest.TestCase):
    def test_a_long_queue_and_many_streams_all_finish(self):
        with Cluster(
            PROGRAMS,
            workers=["--workers=2", "--step_time=5ms", "--max_sequences=64"],
            scheduler=["--max_running=64", "--max_queue_requests=2000"],
        ) as cluster:
            result = cluster.load(
                "--concurrency=1500",
                "--requests=1500",
                "--prompt_tokens=4-16",
                "--max_tokens=4-12",
                "--stream_share=0.2",
            )
            self.assertEqual(result["finished"], 1500, result)
            self.assertEqual(result["wrong"], 0, result)
            self.assertEqual(result["peak_in_flight"], 1500, result)
            cluster.wait_until_at_rest()

    def test_a_small_cache_under_load_changes_no_token(self):
        """Sequences give way to others and are run again."""
        with Cluster(
            PROGRAMS,
            workers=[
                "--workers=2",
                "--step_time=5ms",
                "--max_sequences=32",
                "--half_slots=96",
            ],
            scheduler=["--max_running=32", "--expected_output=0.1"],
        ) as cluster:
            result = cluster.load(
                "--concurrency=200",
                "--requests=400",
                "--prompt_tokens=8-64",
                "--max_tokens=16-200",
            )
            self.assertEqual(result["finished"], 400, result)
            self.assertEqual(result["wrong"], 0, result)
            self.assertGreater(cluster.status().requests.preemptions, 0)
            cluster.wait_until_at_rest()


if __name__ == "__main__":
    PROGRAMS = Programs(pathlib.Path(sys.argv.pop(1)))
    unittest.main(verbosity=2)
