"""What counts as missed."""

import copy
import unittest

from tests.load import overload_targets as targets


def summary(p99: float) -> dict:
    return {"count": 100, "p50": p99 / 2, "p99": p99, "max": 2 * p99}


def load(**fields) -> dict:
    counts = dict.fromkeys(
        [
            "sent",
            "finished",
            "refused",
            "wrong",
            "failed",
            "unended",
            "refusals_without_retry_info",
        ],
        0,
    )
    times = {
        name: summary(0.01)
        for name in ("latency", "first_token", "refusal_latency", "send_lag")
    }
    return {**counts, **times, "seconds": 70.0, **fields}


def decode(step_share: float) -> dict:
    return {
        "sequences": 1024,
        "tokens_per_s": 4096.0,
        "step_share": step_share,
        "cpu_per_step_s": 0.001,
        "busiest_thread_cpu_per_step_s": 0.001,
        "cpu_per_token_s": 1e-6,
        "cpu_share": 0.01,
    }


GOOD = {
    "machine": {
        "cpu": "a CPU",
        "cores": 2,
        "kernel": "6",
        "load_average": 0.1,
        "date": "today",
        "commit": "abc",
    },
    "overload": {
        "slots": 256,
        "max_queue_requests": 128,
        "offered_per_s": 600.0,
        "alone": load(sent=10, finished=10),
        # (256 + 128) / 60 is 6.4 s.
        "over": load(
            sent=100, finished=10, refused=90, latency=summary(9)
        ),
        "alone_finished_per_s": 60.0,
        "alone_tokens_per_s": 1000.0,
        "over_finished_per_s": 60.0,
        "over_tokens_per_s": 950.0,
        "over_cpu_share": 0.3,
        "memory_first_bytes": 100 << 20,
        "memory_last_bytes": 101 << 20,
        "memory_peak_bytes": 102 << 20,
    },
    "steps": {"streams": decode(0.015), "unary": decode(0.005)},
    "queue": {
        "requests": 12_000,
        "streams": 2_000,
        "rounds": [
            {
                "load": load(sent=12_000, finished=12_000),
                "cpu_share": 0.2,
                "memory_peak_bytes": 300 << 20,
            }
            for _ in range(3)
        ],
        "memory_before_bytes": 30 << 20,
        "memory_after_bytes": 100 << 20,
        "bytes_per_request": 22_000.0,
    },
}


class OverloadTargetsTest(unittest.TestCase):
    def missed(self, *path, value) -> int:
        """How many targets are missed where one figure is another."""
        results = copy.deepcopy(GOOD)
        part = results
        for key in path[:-1]:
            part = part[key]
        self.assertEqual(type(part[path[-1]]), type(value))
        part[path[-1]] = value
        return sum(not target.met for target in targets.judge(results))

    def test_all_are_met(self):
        judged = targets.judge(GOOD)
        self.assertEqual([t for t in judged if not t.met], [])
        self.assertEqual(len(judged), 9)

    def test_each_can_be_missed(self):
        over = ("overload", "over")
        for path, value in [
            (("overload", "over_tokens_per_s"), 890.0),
            ((*over, "latency"), summary(10)),
            ((*over, "refusal_latency"), summary(0.05)),
            (("overload", "memory_last_bytes"), 120 << 20),
            ((*over, "wrong"), 1),
            ((*over, "unended"), 1),
            ((*over, "refusals_without_retry_info"), 1),
            (("overload", "alone", "failed"), 1),
            (("steps", "unary", "step_share"), 0.021),
            (("queue", "rounds", 0, "load", "finished"), 11_999),
            (("queue", "rounds", 1, "load", "wrong"), 1),
            (("queue", "rounds", 2, "memory_peak_bytes"), 330 << 20),
        ]:
            with self.subTest(path=path):
                self.assertEqual(self.missed(*path, value=value), 1)

    def test_the_page_names_what_was_missed(self):
        self.assertNotIn("missed", targets.page(GOOD))
        results = copy.deepcopy(GOOD)
        results["steps"]["streams"]["step_share"] = 0.03
        page = targets.page(results)
        self.assertEqual(page.count("missed"), 1)
        self.assertIn("3.00%", page)

    def test_a_part_alone_has_a_page(self):
        for part in ("overload", "steps", "queue"):
            alone = {"machine": GOOD["machine"], part: GOOD[part]}
            self.assertIn("| what |", targets.page(alone))


if __name__ == "__main__":
    unittest.main()
