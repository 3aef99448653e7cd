"""Growth is told from noise, and a leak from both."""

import os
import random
import sys
import unittest

from tests.faults import flatness


def samples(grow_mib=0.0, free=10, threads=20):
    rng = random.Random(3)
    found = []
    for i in range(40):
        # The first quarter warms up.
        rss = 100 + (2 * i if i < 10 else 20) + grow_mib * i / 40
        gauge = {"rss_mib": rss + rng.uniform(-1, 1), "fds": 30,
                 "threads": threads + rng.randrange(3)}
        found.append({"t": 10.0 * i, "at_rest": i % 2 == 0, "free": free,
                      "slots": 10, "scheduler": gauge, "worker": gauge})
    return found


class FlatnessTest(unittest.TestCase):
    def problems(self, found):
        return flatness.problems(found, flatness.trends(found))

    def test_noise_and_warm_up_are_no_growth(self):
        self.assertEqual(self.problems(samples()), [])

    def test_a_leak_is_found(self):
        said = self.problems(samples(grow_mib=20))
        self.assertEqual(len(said), 2, said)
        self.assertRegex(said[0], "scheduler rss_mib grew by 1[0-9]")

    def test_slots_that_are_not_free_are_told(self):
        self.assertRegex(self.problems(samples(free=9))[0], "9 of 10 slots")

    def test_a_program_that_died_is_told(self):
        found = samples()
        for sample in found:
            sample["worker"] = {}
        self.assertIn("a program was not measured to the end",
                      self.problems(found))

    def test_slopes(self):
        self.assertEqual(flatness.slope([(0, 5), (2, 9)]), 2)
        self.assertEqual(flatness.slope([(1, 5)]), 0)

    def test_gauges_this_process(self):
        gauge = flatness.gauge(os.getpid())
        self.assertGreater(gauge["rss_mib"], 1)
        self.assertGreaterEqual(gauge["threads"], 1)
        self.assertGreaterEqual(gauge["fds"], 3)
        self.assertEqual(flatness.gauge(2**30), {})


if __name__ == "__main__":
    del sys.argv[1:]
    unittest.main(verbosity=2)
