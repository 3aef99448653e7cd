"""What the report says of runs that meet their targets, and of others.

python3 -m unittest tests/bench/similarity/report_test.py
"""

import unittest

from tests.bench.similarity import report


def result(policy, rate, overlap=1.0, predicted=1.0):
    """One whose ideal step is `overlap` of its measured one, of a second."""
    return {
        "policy": policy,
        "batch_running": rate,
        "decode_tokens_per_s": rate,
        "measured_step_s": 1.0,
        "ideal_step_s": overlap,
        "predicted_step_s": predicted,
        "overlap_efficiency": overlap,
        "act_share": 0.5,
        "link_busy": 1.0,
        "compute_busy": 1.0,
    }


def run(*results):
    return {
        "regime": "OPT-1B",
        "setting": "batch",
        "context": 512,
        "results": list(results),
    }


class ShortfallsTest(unittest.TestCase):
    def shortfalls(self, *runs):
        return report.shortfalls({"runs": list(runs)})

    def test_nothing_is_short_where_nothing_waits(self):
        self.assertEqual(
            self.shortfalls(
                run(result("kv", 4), result("act", 5), result("hybrid", 6))
            ),
            [],
        )

    def test_names_the_policy_that_waits(self):
        short, = self.shortfalls(
            run(result("kv", 4), result("act", 5, overlap=0.9),
                result("hybrid", 6))
        )
        self.assertIn("OPT-1B: act's median overlap efficiency is 0.900", short)

    def test_a_regime_counts_by_its_median(self):
        good = run(result("kv", 4), result("act", 5), result("hybrid", 6))
        bad = run(result("kv", 4), result("act", 5, overlap=0.9),
                  result("hybrid", 6))
        self.assertEqual(self.shortfalls(good, bad, good), [])

    def test_hybrid_is_held_against_its_ideal_ratio(self):
        # It could be 6 / 0.96 tokens/s to kv's 4, were kv not past its own.
        short, = self.shortfalls(
            run(result("kv", 4, overlap=1.05), result("act", 5),
                result("hybrid", 6, overlap=0.96))
        )
        self.assertIn("hybrid is 1.50 times as fast as kv", short)

    def test_hybrid_is_held_against_the_faster_single_kind(self):
        short, = self.shortfalls(
            run(result("kv", 4), result("act", 6.2), result("hybrid", 6))
        )
        self.assertIn("hybrid is 0.968 times as fast as the faster", short)

    def test_a_run_without_a_decode_phase_is_short(self):
        good = run(result("kv", 4), result("act", 5), result("hybrid", 6))
        none = run(result("kv", 4), result("act", 5),
                   {**result("hybrid", 6), "decode_tokens_per_s": None,
                    "ideal_step_s": None, "predicted_step_s": None,
                    "measured_step_s": None, "overlap_efficiency": None})
        short, = self.shortfalls(good, none, good)
        self.assertIn("context 512, equal batch: no step in which", short)

    def test_tells_wrong_predictions(self):
        short = self.shortfalls(
            run(result("kv", 4, predicted=1.06), result("act", 5),
                result("hybrid", 6, predicted=0.88))
        )
        self.assertEqual(
            short,
            ["median error of predicted steps: 6.0%",
             "worst error of predicted steps: 12.0%"],
        )


if __name__ == "__main__":
    unittest.main()
