"""kill -9 of a worker under 32 streams, three times each way.

Usage: kill_worker_test.py PROGRAMS_ROOT
"""

import sys
import unittest

from tests.e2e.processes import Programs
from tests.faults import kill_worker, reference

PROGRAMS = None
TIMES = 3


class KillWorkerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.answers = reference.undisturbed(PROGRAMS, kill_worker.WORKER_FLAGS)

    def check(self, workers: int) -> None:
        results = kill_worker.run_case(PROGRAMS, self.answers, workers, TIMES,
                                       seed=5)
        self.assertEqual(len(results), TIMES)
        for result in results:
            self.assertTrue(kill_worker.is_good(result), result)

    def test_one_of_two(self):
        self.check(2)

    def test_the_only_one_which_is_started_again(self):
        self.check(1)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
