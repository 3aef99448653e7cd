"""A minute of cancels, deadlines, overload and kills.

Usage: soak_test.py PROGRAMS_ROOT
"""

import sys
import unittest

from tests.e2e.processes import Programs
from tests.faults import checker, flatness, reference, soak
from tests.faults.history import History

PROGRAMS = None


class SoakTest(unittest.TestCase):
    def test_nothing_leaks_and_nothing_is_violated(self):
        answers = reference.undisturbed(PROGRAMS, soak.WORKER_FLAGS)
        history = History()
        samples = soak.soak(PROGRAMS, answers, 1, 1, history)
        found = list(map(str, checker.check(history.events(), answers)))
        # A minute is warm-up: of what grows only files and threads tell.
        trends = flatness.trends(samples)
        found += [problem for problem in flatness.problems(samples, trends)
                  if "rss" not in problem]
        self.assertEqual(found, [])


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
