"""The checker passes good histories and names what is wrong with bad ones."""

import copy
import sys
import unittest

from tests.faults import checker

ANSWERS = {"a": checker.Answer((5, 6, 7, 8), "five to eight")}


def config(**changes):
    return {"t": 0, "kind": "config", "max_queue_requests": 4,
            "max_queue_tokens": 100, "max_running": 2, "workers": 1,
            "detection_s": 2.0, **changes}


def at(t, kind, **fields):
    return {"t": t, "kind": kind, **fields}


def sample(t, **changes):
    return at(t, "sample", **{"serving": True, "ready": 1, "running": 0,
                              "waiting": 0, "waiting_tokens": 0, **changes})


def rest(**changes):
    return at(99, "quiesce", **{
        "pools": [{"half_slots": 10, "free": 7, "cached": 3}],
        "running": 0, "waiting": 0,
        "requests": {"accepted": 1, "finished": 1, "cancelled": 0,
                     "failed": 0}, **changes})


STREAM = [
    at(1.0, "begin", request="r", reference="a", deadline_s=None),
    at(1.1, "accepted", request="r"),
    at(1.2, "tokens", request="r", position=0, ids=[5, 6], text="five "),
    at(1.3, "resumed", request="r", completion_tokens=2),
    at(1.4, "tokens", request="r", position=2, ids=[7, 8], text="to eight"),
    at(1.5, "finished", request="r", reason="length", completion_tokens=4),
    at(1.6, "status", request="r", code="OK"),
]


def history(stream=(), extra=(), end=None, configuration=None):
    events = [configuration or config(), *copy.deepcopy(list(stream)), *extra,
              sample(98), end or rest()]
    return sorted(events, key=lambda event: event["t"])


def ended(code, *before, deadline_s=None):
    return [at(1.0, "begin", request="r", reference="a",
               deadline_s=deadline_s),
            *before, at(3.0, "status", request="r", code=code)]


ACCEPTED = at(1.1, "accepted", request="r")


class CheckerTest(unittest.TestCase):
    def assert_good(self, events):
        self.assertEqual(checker.check(events, ANSWERS), [])

    def assert_bad(self, events, invariant, pattern):
        found = checker.check(events, ANSWERS)
        self.assertIn(invariant, {v.invariant for v in found}, found)
        self.assertRegex("\n".join(str(v) for v in found
                                   if v.invariant == invariant), pattern)

    def test_a_stream_that_goes_on_after_a_replay_is_good(self):
        self.assert_good(history(STREAM))

    def test_positions_come_once(self):
        for name, index, change, pattern in [
                ("gap", 4, {"position": 3}, "gap"),
                ("duplicate", 4, {"position": 1}, "duplicate"),
                ("replay that forgets", 3, {"completion_tokens": 1},
                 "resumed at 1"),
                ("usage", 5, {"completion_tokens": 5}, "usage says 5")]:
            with self.subTest(name):
                stream = copy.deepcopy(STREAM)
                stream[index].update(change)
                self.assert_bad(history(stream), 1, pattern)

    def test_a_request_ends_once(self):
        twice = [*STREAM, {**STREAM[6], "t": 1.7}]
        self.assert_bad(history(twice), 2, "2 ends")
        finished_twice = [*STREAM[:6], {**STREAM[5]}, STREAM[6]]
        self.assert_bad(history(finished_twice), 2, "2 Finished")
        self.assert_bad(history([*STREAM[:5], STREAM[6]]), 2,
                        "OK without a Finished")
        failed = [*STREAM[:6], {**STREAM[6], "code": "UNAVAILABLE"}]
        self.assert_bad(history(failed), 2, "Finished and then UNAVAILABLE")
        late = [*STREAM[:6], {**STREAM[4], "t": 1.55, "position": 4},
                STREAM[6]]
        self.assert_bad(history(late), 2, "tokens after the end")

    def test_a_cancel_may_meet_a_call_that_is_done(self):
        self.assert_good(history([
            *STREAM[:6], at(1.55, "cancel", request="r", how="call"),
            {**STREAM[6], "code": "CANCELLED"}]))

    def test_tokens_and_text_are_the_undisturbed_runs(self):
        for name, index, change, pattern in [
                ("token", 2, {"ids": [5, 9]}, "token 1 is 9"),
                ("too many", 4, {"ids": [7, 8, 9]}, "token 4 is 9"),
                ("too few", 4, {"ids": [7]}, "3 tokens"),
                ("text", 4, {"text": "to nine"}, "five to nine")]:
            with self.subTest(name):
                stream = copy.deepcopy(STREAM)
                stream[index].update(change)
                self.assert_bad(history(stream), 3, pattern)

    def test_a_part_of_an_answer_is_compared_too(self):
        cut = [*STREAM[:3], at(1.4, "cancel", request="r", how="call"),
               at(1.5, "status", request="r", code="CANCELLED")]
        self.assert_good(history(cut))
        cut[2] = {**cut[2], "ids": [5, 5]}
        self.assert_bad(history(cut), 3, "token 1 is 5")

    def test_cancelled_work_stops(self):
        probe = at(50, "cancel_probe", how="call", steps=2, released=True)
        self.assert_good(history(extra=[probe]))
        self.assert_bad(history(extra=[{**probe, "steps": 9}]), 4, "9 steps")
        self.assert_bad(history(extra=[{**probe, "released": False}]), 4,
                        "did not come back")

    def test_slots_are_free_at_rest(self):
        pools = [{"half_slots": 10, "free": 6, "cached": 3}]
        self.assert_bad(history(end=rest(pools=pools)), 5, "not all slots")
        self.assert_bad(history(end=rest(pools=[])), 5, "no worker")
        self.assert_bad([config(), sample(98)], 5, "never came to rest")

    def test_the_queue_keeps_its_bounds(self):
        full = sample(5, waiting=4, waiting_tokens=100)
        self.assert_good(history(extra=[full]))
        self.assert_bad(history(extra=[{**full, "waiting": 5}]), 6, "5 req")
        self.assert_bad(history(extra=[{**full, "waiting_tokens": 101}]), 6,
                        "101 tokens")

    def test_requests_of_a_lost_worker_come_on_top_of_the_queue(self):
        lost = [at(4, "worker_down", worker=0, why="kill"),
                at(4.5, "worker_up", worker=0)]
        eight = sample(5, waiting=8, waiting_tokens=200)
        self.assert_good(history(extra=[*lost, eight]))
        self.assert_bad(history(extra=[*lost, {**eight, "waiting": 9}]), 6,
                        "9 requests")

    def test_every_request_ends(self):
        self.assert_bad(history(STREAM[:5]), 7, "never ended")
        self.assert_bad(history(end=rest(running=1)), 7, "1 requests run")
        counts = {"accepted": 3, "finished": 1, "cancelled": 1, "failed": 0}
        self.assert_bad(history(end=rest(requests=counts)), 7, "3 .* 2 ended")
        self.assert_bad(history(extra=[at(9, "hang", what="a client")]), 7,
                        "a client")
        self.assert_good(history([*STREAM[:3],
                                  at(2, "vanished", request="r")]))

    def test_an_error_needs_a_cause(self):
        cancelled = at(2, "cancel", request="r", how="call")
        scheduler = [at(2, "scheduler_down"), at(2.5, "scheduler_up")]
        gone = [sample(t / 2, serving=False, ready=0) for t in range(12)]
        good = [
            ("cancelled", ended("CANCELLED", ACCEPTED, cancelled), []),
            ("late", ended("DEADLINE_EXCEEDED", ACCEPTED, deadline_s=1.9), []),
            ("clock", ended("DEADLINE_EXCEEDED", ACCEPTED, deadline_s=9),
             [at(2, "clock_jumped", program="scheduler")]),
            ("full", ended("RESOURCE_EXHAUSTED"), []),
            ("scheduler gone", ended("UNAVAILABLE", ACCEPTED), scheduler),
            ("no worker", ended("UNAVAILABLE"), gone),
        ]
        for name, stream, extra in good:
            with self.subTest(name):
                self.assert_good(history(stream, extra))
        serving = [sample(t / 2) for t in range(12)]
        bad = [
            ("CANCELLED", ended("CANCELLED", ACCEPTED), [], "nobody asked"),
            ("early", ended("DEADLINE_EXCEEDED", ACCEPTED, deadline_s=9), [],
             "early"),
            ("other clock", ended("DEADLINE_EXCEEDED", ACCEPTED, deadline_s=9),
             [at(2, "clock_jumped", program="worker 0")], "early"),
            ("no deadline", ended("DEADLINE_EXCEEDED", ACCEPTED), [],
             "without a deadline"),
            ("full", ended("RESOURCE_EXHAUSTED", ACCEPTED), [],
             "after it had been accepted"),
            ("lost", ended("UNAVAILABLE", ACCEPTED), [], "scheduler lived"),
            ("refused", ended("UNAVAILABLE"), serving, "health said SERVING"),
            ("aborted", ended("ABORTED", ACCEPTED), [], "ABORTED"),
            ("internal", ended("INTERNAL", ACCEPTED), [], "INTERNAL"),
        ]
        for name, stream, extra, pattern in bad:
            with self.subTest(name):
                self.assert_bad(history(stream, extra), 7, pattern)
        for reason, pattern in [("cancelled", "nobody asked"),
                                ("stop", "finished by stop")]:
            stream = copy.deepcopy(STREAM)
            stream[5]["reason"] = reason
            self.assert_bad(history(stream), 7, pattern)

    def test_health_follows_the_workers_states(self):
        wrong = [sample(t, serving=True, ready=0) for t in (10, 11)]
        self.assert_good(history(extra=wrong))
        wrong += [sample(t, serving=True, ready=0) for t in (12, 14)]
        self.assert_bad(history(extra=wrong), 8, "serving=True from 10")
        shy = [sample(t, serving=False) for t in (10, 12, 14)]
        self.assert_bad(history(extra=shy), 8, "serving=False from 10")
        self.assert_bad(
            [*history()[:-2], sample(98, serving=False, ready=0), rest()], 8,
            "not SERVING at the end")
        self.assert_bad(history(extra=[at(9, "probe", served=False)]), 8,
                        "not answered")

    def test_health_notices_that_all_workers_are_gone(self):
        down = at(10, "worker_down", worker=0, why="stop")
        up = at(30, "worker_up", worker=0)
        for seconds, good in [(17, True), (19, False), (31, True)]:
            with self.subTest(seconds):
                events = history(extra=[down, sample(seconds), up])
                if good:
                    self.assert_good(events)
                else:
                    self.assert_bad(events, 8, "no worker has been there")
        # One of two is enough.
        self.assert_good(history(extra=[down, sample(25), up],
                                 configuration=config(workers=2)))

    def test_programs_end_when_they_are_told_to(self):
        crash = at(5, "crash", program="worker 0", code=-11)
        self.assert_bad(history(extra=[crash]), 0, "worker 0 ended by itself")
        stop = at(98.5, "stop", program="scheduler", code=0)
        self.assert_good(history(extra=[stop]))
        self.assert_bad(history(extra=[{**stop, "code": 1}]), 0,
                        "exited with 1")
        self.assert_bad([], 0, "no config")

    def test_a_batch_has_every_line_once(self):
        good = at(9, "batch", lines=5, missing=0, doubled=0, errors=0,
                  different=0)
        self.assert_good(history(extra=[good]))
        for field in ("missing", "doubled", "errors"):
            self.assert_bad(history(extra=[{**good, field: 1}]), 7, field)
        self.assert_bad(history(extra=[{**good, "different": 1}]), 3, "batch")


if __name__ == "__main__":
    del sys.argv[1:]
    unittest.main(verbosity=2)
