"""Which calls are sent again, how often and when: against a scripted server."""

import contextlib
import functools
import itertools
import json
import threading
import time
import unittest

import grpc

import hybridserve
from client.python.tests.live_service import CLIENTS
from client.python.tests.scripted_server import (ScriptedServer, fail, hang,
                                                 succeed)
from hybridserve import NO_RETRY, RetryPolicy
from hybridserve.errors import Status, make_error
from hybridserve.retry import Attempts

Code = grpc.StatusCode
QUICK = RetryPolicy(initial_backoff=0.01, max_backoff=0.02)


def generate(client, **options):
    return client.generate("A", **options).text


def stream(client, **options):
    return client.stream("A", **options).result().text


def each_call(test):
    """Runs a test with both clients, unary and streamed.

    It gets `serve`: a server that follows steps, and has a call to it.
    """
    @functools.wraps(test)
    def run(self):
        for kind, make in CLIENTS.items():
            for call in (generate, stream):
                @contextlib.contextmanager
                def serve(*steps, **arguments):
                    with ScriptedServer(*steps) as server, make(
                            server.address,
                            **{"retry": QUICK, **arguments}) as client:
                        server.call = functools.partial(call, client)
                        yield server
                with self.subTest(client=kind, call=call.__name__):
                    test(self, serve)
    return run


class RetryTest(unittest.TestCase):
    def assert_fails(self, call, code, attempts, **options):
        with self.assertRaises(hybridserve.StatusError) as raised:
            call(**options)
        self.assertEqual((raised.exception.code, raised.exception.attempts),
                         (code, attempts))
        return raised.exception

    @each_call
    def test_what_may_heal_is_sent_again(self, serve):
        with serve(
                fail(Code.UNAVAILABLE), fail(Code.UNAVAILABLE, 0.01),
                fail(Code.RESOURCE_EXHAUSTED, 0.01), succeed()) as server:
            self.assertEqual(server.call(), "done")
            self.assertEqual([seen.prompt for seen in server.seen], 4 * ["A"])

    @each_call
    def test_what_may_not_heal_is_not(self, serve):
        for code in (Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.INTERNAL,
                     Code.UNAUTHENTICATED, Code.PERMISSION_DENIED,
                     Code.ABORTED, Code.ALREADY_EXISTS,
                     # A message that is too large, say.
                     Code.RESOURCE_EXHAUSTED):
            with serve(fail(code), succeed()) as server:
                self.assert_fails(server.call, code, 1)
                self.assertEqual(len(server.seen), 1)

    @each_call
    def test_attempts_end_at_their_number(self, serve):
        with serve(fail(Code.UNAVAILABLE)) as server:
            self.assert_fails(server.call, Code.UNAVAILABLE, 16)
            self.assertEqual(len(server.seen), 16)
        with serve(fail(Code.UNAVAILABLE), retry=NO_RETRY) as server:
            self.assert_fails(server.call, Code.UNAVAILABLE, 1)
            self.assertEqual(len(server.seen), 1)

    @each_call
    def test_a_service_config_does_not_multiply_them(self, serve):
        config = json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": {
            "maxAttempts": 4, "initialBackoff": "0.01s",
            "maxBackoff": "0.01s", "backoffMultiplier": 1,
            "retryableStatusCodes": ["UNAVAILABLE"]}}]})
        with serve(
                fail(Code.UNAVAILABLE),
                channel_options=[("grpc.service_config", config)]) as server:
            self.assert_fails(server.call, Code.UNAVAILABLE, 16)
            self.assertEqual(len(server.seen), 16)
        # It would: it is gRPC's retries that are off.
        with serve(
                fail(Code.UNAVAILABLE), retry=NO_RETRY,
                channel_options=[("grpc.service_config", config),
                                 ("grpc.enable_retries", 1)]) as server:
            self.assert_fails(server.call, Code.UNAVAILABLE, 1)
            self.assertEqual(len(server.seen), 4)

    @each_call
    def test_the_pause_is_no_shorter_than_the_server_asks_for(self, serve):
        with serve(
                fail(Code.RESOURCE_EXHAUSTED, 0.4),
                fail(Code.UNAVAILABLE, 0.3), succeed()) as server:
            self.assertEqual(server.call(), "done")
            for gap, asked in zip(server.gaps(), (0.4, 0.3)):
                self.assertGreaterEqual(gap, asked)

    @each_call
    def test_a_pause_beyond_limit_or_timeout_is_not_waited_for(self, serve):
        with serve(fail(Code.UNAVAILABLE, 61), succeed()) as server:
            error = self.assert_fails(server.call, Code.UNAVAILABLE, 1)
            self.assertEqual(error.retry_delay, 61)
            self.assertEqual(len(server.seen), 1)
        with serve(fail(Code.UNAVAILABLE, 50), succeed()) as server:
            self.assert_fails(server.call, Code.UNAVAILABLE, 1, timeout=40)
            self.assertEqual(len(server.seen), 1)

    @each_call
    def test_the_timeout_is_for_all_attempts_together(self, serve):
        with serve(
                fail(Code.UNAVAILABLE, 0.5), fail(Code.UNAVAILABLE, 0.5),
                hang()) as server:
            begin = time.monotonic()
            with self.assertRaises(hybridserve.DeadlineExceededError):
                server.call(timeout=3)
            self.assertGreaterEqual(time.monotonic() - begin, 2.9)
            self.assertEqual(len(server.seen), 3)
            # gRPC rounds timeouts up a little when it sends them.
            for seen, most in zip(server.seen, (3, 2.5, 2)):
                self.assertLess(seen.remaining, most + 0.1)

    @each_call
    def test_a_timeout_that_has_passed_sends_nothing(self, serve):
        with serve(succeed(), timeout=50) as server:
            for timeout in (0, -1, float("-inf")):
                self.assert_fails(server.call, Code.DEADLINE_EXCEEDED, 0,
                                  timeout=timeout)
            self.assertEqual(server.seen, [])
            with self.assertRaises(TimeoutError):
                server.call(timeout=0)
            with self.assertRaises(hybridserve.InvalidArgumentError):
                server.call(timeout=float("nan"))
            self.assertEqual(server.seen, [])
            # The client's own, none, and one that gRPC could not hold.
            for options, expected in [({}, 50), ({"timeout": None}, None),
                                      ({"timeout": float("inf")}, None),
                                      ({"timeout": 1e300}, None)]:
                self.assertEqual(server.call(**options), "done")
                remaining = server.seen[-1].remaining
                if expected is not None:
                    # gRPC sends timeouts rounded up, by up to a hundredth.
                    self.assertLessEqual(remaining, 1.01 * expected)
                else:
                    self.assertTrue(remaining is None or remaining > 1e8,
                                    remaining)

    @each_call
    def test_a_taken_id_after_a_lost_attempt_is_ones_own(self, serve):
        steps = (fail(Code.UNAVAILABLE), fail(Code.ALREADY_EXISTS), succeed())
        with serve(*steps) as server:
            self.assertEqual(server.call(request_id="mine"), "done")
        with serve(*steps) as server:
            self.assert_fails(server.call, Code.ALREADY_EXISTS, 2)

    @each_call
    def test_aborts_are_sent_again_where_the_policy_says_so(self, serve):
        with serve(
                fail(Code.ABORTED), retry=RetryPolicy(
                    initial_backoff=0.01, max_aborts=2)) as server:
            self.assert_fails(server.call, Code.ABORTED, 3)
            self.assertEqual(len(server.seen), 3)


class StreamRetryTest(unittest.TestCase):
    def test_nothing_is_sent_again_after_a_token(self):
        codes = (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED)
        for kind, code in itertools.product(CLIENTS, codes):
            with self.subTest(client=kind, code=code), ScriptedServer(
                    fail(code, 0.01, after=1), succeed()) as server, \
                    CLIENTS[kind](server.address, retry=QUICK) as client:
                events = client.stream("A")
                self.assertEqual(next(events).text, "0 ")
                with self.assertRaises(hybridserve.StatusError) as raised:
                    next(events)
                self.assertEqual(raised.exception.code, code)
                self.assertEqual(list(events), [])
                self.assertEqual(len(server.seen), 1)

    def test_it_is_while_the_request_only_waited(self):
        for kind, make in CLIENTS.items():
            with self.subTest(client=kind), ScriptedServer(
                    fail(Code.UNAVAILABLE, accepted=True),
                    succeed()) as server, \
                    make(server.address, retry=QUICK) as client:
                events = list(client.stream("A"))
                self.assertEqual(
                    [type(event) for event in events],
                    [hybridserve.Accepted, hybridserve.Accepted,
                     hybridserve.TokenOutput, hybridserve.Finished])
                self.assertEqual(len(server.seen), 2)

    def test_closing_ends_a_pause(self):
        with ScriptedServer(fail(Code.UNAVAILABLE, 50), succeed()) as server, \
                hybridserve.Client(server.address) as client:
            events = client.stream("A")
            timer = threading.Timer(0.3, events.close)
            timer.start()
            self.assertEqual(list(events), [])
            with self.assertRaises(hybridserve.HybridServeError):
                events.result()
            self.assertEqual(len(server.seen), 1)


class PolicyTest(unittest.TestCase):
    """The schedule alone, on a clock of its own."""

    def attempts(self, policy, timeout=None, draw=lambda low, high: high):
        self.now = 100.0
        return Attempts(policy, timeout, clock=lambda: self.now, draw=draw)

    def failure(self, delay=None):
        return make_error(Status(Code.UNAVAILABLE, "", retry_delay=delay))

    def pauses(self, attempts, count):
        found = []
        for _ in range(count):
            attempts.begin()
            found.append(round(attempts.pause_after(self.failure()), 9))
        return found

    def test_pauses_grow_to_their_limit(self):
        policy = RetryPolicy(max_attempts=None, initial_backoff=1,
                             multiplier=3, max_backoff=20, jitter=0.1)
        self.assertEqual(self.pauses(self.attempts(policy), 6),
                         [1.1, 3.3, 9.9, 22, 22, 22])
        self.assertEqual(self.pauses(self.attempts(
            policy, draw=lambda low, high: low), 4), [0.9, 2.7, 8.1, 18])
        # Thousands of attempts overflow nothing.
        self.assertEqual(self.pauses(self.attempts(policy), 3000)[-1], 22)

    def test_jitter_never_undercuts_the_server(self):
        policy = RetryPolicy(initial_backoff=1, jitter=0.5)
        for draw, expected in ((min, 7), (max, 10.5)):
            attempts = self.attempts(policy, draw=draw)
            attempts.begin()
            self.assertEqual(attempts.pause_after(self.failure(7)), expected)

    def test_time_goes_on_through_all_attempts(self):
        attempts = self.attempts(RetryPolicy(initial_backoff=1, jitter=0), 10)
        self.assertEqual(attempts.begin(), 10)
        self.now += 4
        attempts.pause_after(self.failure())
        self.assertEqual(attempts.begin(), 6)
        self.now += 5
        with self.assertRaises(hybridserve.UnavailableError) as raised:
            attempts.pause_after(self.failure())  # 2 s, of the 1 that is left.
        self.assertEqual(raised.exception.attempts, 2)
        self.assertIsInstance(raised.exception.__cause__,
                              hybridserve.UnavailableError)
        self.now += 2
        with self.assertRaises(hybridserve.DeadlineExceededError):
            attempts.begin()

    def test_bad_policies_are_refused_by_field(self):
        for field, value in [("max_attempts", 0), ("initial_backoff", -1),
                             ("max_backoff", float("nan")), ("jitter", 1.5),
                             ("multiplier", 0.5), ("max_server_delay", -1)]:
            with self.subTest(field), self.assertRaisesRegex(ValueError,
                                                             field):
                RetryPolicy(**{field: value})


if __name__ == "__main__":
    unittest.main()
