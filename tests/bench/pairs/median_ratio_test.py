"""Bounds of a median: what the tables of the sign test say, and coverage."""

import random
import unittest

from tests.bench.pairs import median_ratio


class MedianRatioTest(unittest.TestCase):
    def test_ranks_are_those_of_the_sign_test(self):
        # One-sided, 5%: tables of critical values, plus one.
        expected = {4: 0, 5: 1, 8: 2, 11: 3, 13: 4, 15: 4, 16: 5, 20: 6, 25: 8}
        for count, rank in expected.items():
            self.assertEqual(median_ratio.rank_of_lower_bound(count), rank)

    def test_the_bound_rarely_exceeds_the_median(self):
        generator = random.Random(1)
        trials, beyond = 4000, 0
        for _ in range(trials):
            # Skewed, with outliers; its median is 1.
            ratios = [2 ** generator.gauss(0, 1) for _ in range(15)]
            low, middle, high = median_ratio.bounds(ratios)
            self.assertLessEqual(low, middle)
            self.assertLessEqual(middle, high)
            beyond += low > 1
        self.assertLess(beyond / trials, 0.05)
        self.assertGreater(beyond, 0)

    def test_too_few_pairs_are_refused(self):
        with self.assertRaises(ValueError):
            median_ratio.bounds([1.0] * 4)

    def test_medians(self):
        self.assertEqual(median_ratio.median([3, 1, 2]), 2)
        self.assertEqual(median_ratio.median([4, 1, 2, 3]), 2.5)


if __name__ == "__main__":
    unittest.main()
