"""Schedules are a function of their seed and hold every kind of fault."""

import collections
import json
import sys
import unittest

from tests.faults import schedule


class ScheduleTest(unittest.TestCase):
    def test_a_seed_gives_one_schedule(self):
        for seed in range(20):
            self.assertEqual(schedule.draw(seed, 10), schedule.draw(seed, 10))
        self.assertNotEqual(schedule.draw(1, 10), schedule.draw(2, 10))

    def test_a_schedule_can_be_written_down(self):
        drawn = schedule.draw(3, 10)
        self.assertEqual(json.loads(json.dumps(drawn.as_dict()))["seed"], 3)

    def test_200_seeds_have_every_fault_and_manner(self):
        drawn = [schedule.draw(seed, 10) for seed in range(200)]
        faults = collections.Counter(
            fault.kind for s in drawn for fault in s.faults)
        self.assertEqual(set(faults), set(schedule.WEIGHTS))
        self.assertGreaterEqual(min(faults.values()), 5, faults)
        manners = collections.Counter(
            request.manner for s in drawn for client in s.clients
            for request in client)
        self.assertEqual(set(manners), set(schedule.MANNERS))
        hows = {fault.how for s in drawn for fault in s.faults}
        self.assertTrue(hows.issuperset(schedule.GARBAGE), hows)
        self.assertTrue(hows.issuperset(schedule.FAKES), hows)
        self.assertEqual({s.network for s in drawn}, {"proxy", "netns"})
        self.assertEqual({s.workers for s in drawn}, {1, 2, 3})

    def test_silence_is_drawn_shorter_and_longer_than_detection(self):
        for detection_s in (4.0, 35.0):
            silent = [fault for seed in range(200)
                      for fault in schedule.draw(seed, detection_s).faults
                      if fault.kind in ("stop_worker", "partition")]
            longer = [f for f in silent if f.for_s > detection_s]
            self.assertGreater(len(longer), 20)
            self.assertGreater(len(silent) - len(longer), 20)

    def test_no_request_can_lose_more_workers_than_the_server_forgives(self):
        for seed in range(200):
            losses = [fault for fault in schedule.draw(seed, 10).faults
                      if fault.kind in schedule.LOSSES]
            self.assertLessEqual(len(losses), schedule.MOST_LOSSES)

    def test_every_request_has_an_answer_to_be_compared_with(self):
        names = {name for name, *_ in schedule.references()}
        for seed in range(20):
            for client in schedule.draw(seed, 10).clients:
                for request in client:
                    self.assertIn(request.reference(), names)


if __name__ == "__main__":
    del sys.argv[1:]
    unittest.main(verbosity=2)
