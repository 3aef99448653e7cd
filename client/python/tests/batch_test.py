"""Many prompts with a window of requests in flight, without pandas."""

import asyncio
import importlib.util
import itertools
import threading
import unittest

import grpc

import hybridserve
from client.python.tests.live_service import (LONG, SLOW_WORKER, WORKER,
                                              LiveServiceTest)
from client.python.tests.scripted_server import (ScriptedServer, fail, late,
                                                 succeed)
from hybridserve import batch
from tests.e2e.processes import Process

PROMPTS = [f"Chapter {number}: In the" for number in range(40)]


def collect(address, rows, **options):
    """By asyncio."""
    async def run():
        async with hybridserve.AsyncClient(address) as client:
            return [result async for result in batch.generate_async(
                client, rows, **options)]
    return asyncio.run(run())


class BatchTest(LiveServiceTest):
    def runs(self, rows, **options):
        """What both kinds of client make of it."""
        rows = list(rows)
        yield list(batch.generate(self.client, iter(rows), **options))
        yield collect(self.address, iter(rows), **options)

    def test_results_come_in_order(self):
        expected = [self.client.generate(prompt, max_tokens=8).text
                    for prompt in PROMPTS]
        for results in self.runs(PROMPTS, max_tokens=8, window=7):
            self.assertEqual([result.index for result in results],
                             list(range(len(PROMPTS))))
            self.assertEqual([result.get().text for result in results],
                             expected)

    def test_or_as_they_complete(self):
        rows = [{"prompt": "Long", "max_tokens": 300, "ignore_eos": True},
                *PROMPTS[:5]]
        for results in self.runs(rows, max_tokens=1, window=6, ordered=False):
            self.assertEqual(sorted(result.index for result in results),
                             list(range(6)))
            self.assertEqual(results[-1].index, 0)

    def test_an_error_is_its_rows(self):
        rows = ["good", None, 5, b"bytes", "\ud800", [5, 6], [99_999], [],
                float("nan"), {"prompt": "good", "max_tokens": 2},
                {"prompt": "good", "max_tokens": 0},
                {"prompt": "good", "max_tokens": "two"},
                {"prompt": "good", "max_token": 2},
                {"token_ids": [5, 6], "top_p": 1.5},
                {"prompt": "A", "token_ids": [5]}, {}, "good"]
        fields = [None, "prompt", "prompt", "prompt", "prompt", None,
                  "token_ids", "token_ids", "prompt", None,
                  "stopping.max_tokens", "stopping.max_tokens", "max_token",
                  "sampling.top_p", "input", "prompt", None]
        for results in self.runs(rows, max_tokens=4, window=3):
            self.assertEqual(len(results), len(rows))
            for row, field, result in zip(rows, fields, results):
                with self.subTest(row=row):
                    self.assertEqual(result.ok, field is None, result.error)
                    self.assertEqual(result.generation is None, not result.ok)
                    if not result.ok:
                        self.assertIsInstance(
                            result.error, hybridserve.InvalidArgumentError)
                        self.assertEqual(result.error.fields, (field,))
                        with self.assertRaises(
                                hybridserve.InvalidArgumentError):
                            result.get()
            self.assertEqual(results[9].get().usage.completion_tokens, 2)

    def test_rows_are_taken_as_they_are_needed(self):
        taken = 0

        def endless():
            nonlocal taken
            for taken in itertools.count(1):
                yield "In the"

        results = batch.generate(self.client, endless(), window=3,
                                 max_tokens=1)
        for _ in range(20):
            self.assertTrue(next(results).ok)
        results.close()
        self.assertLess(taken, 20 + 5 * 3 + 1)

    def test_an_empty_batch_and_bad_arguments(self):
        for results in self.runs([]):
            self.assertEqual(results, [])
        for rows in ("text", b"bytes", {"prompt": "A"}, 5):
            with self.assertRaisesRegex(TypeError, "rows"):
                batch.generate(self.client, rows)
        for options in ({"window": 0}, {"give_up_after": -1}):
            with self.assertRaisesRegex(ValueError, next(iter(options))):
                batch.generate(self.client, [], **options)
        with self.assertRaisesRegex(TypeError, "'max_token'"):
            batch.generate(self.client, [], max_token=5)

        def broken():
            yield "In the"
            raise KeyError("the caller's own")
        with self.assertRaises(KeyError):
            list(batch.generate(self.client, broken()))

    def test_pandas_is_not_needed(self):
        self.assertIsNone(importlib.util.find_spec("pandas"))
        with self.assertRaises(ImportError):
            batch.generate_frame(self.client, ["A"])


class StoppedBatchTest(LiveServiceTest):
    worker = SLOW_WORKER

    def test_closing_it_cancels_what_is_in_flight(self):
        rows = [{"prompt": "A", "max_tokens": 1}] + 20 * [
            {"prompt": "A", **LONG}]
        results = batch.generate(self.client, rows, window=4)
        self.assertTrue(next(results).ok)
        results.close()
        self.assert_soon(self.at_rest, "the slots are back")

        async def run():
            async with hybridserve.AsyncClient(self.address) as client:
                results = batch.generate_async(client, rows, window=4)
                self.assertTrue((await results.__anext__()).ok)
                await results.aclose()
                await asyncio.to_thread(self.assert_soon, self.at_rest,
                                        "the slots are back")
        asyncio.run(run())

    def test_a_worker_that_comes_late_is_waited_for(self):
        worker = self.cluster.workers.pop()
        self.assertEqual(worker.stop(), 0)
        threading.Timer(1, lambda: self.cluster.workers.append(Process(
            [worker.args[0], f"--scheduler={self.address}", *WORKER]))).start()
        results = list(batch.generate(self.client, PROMPTS[:8], window=3,
                                      max_tokens=2))
        self.assertEqual([result.error for result in results], 8 * [None])


class GivingUpTest(unittest.TestCase):
    def test_a_server_that_stays_away_is_given_up(self):
        with ScriptedServer(succeed(),
                            fail(grpc.StatusCode.UNAVAILABLE)) as server:
            for run in (lambda rows: list(batch.generate(
                            hybridserve.Client(server.address), rows,
                            window=2, give_up_after=1)),
                        lambda rows: collect(server.address, rows, window=2,
                                             give_up_after=1)):
                results = run(PROMPTS)
                self.assertEqual(len(results), len(PROMPTS))
                for result in results[2:]:
                    self.assertIsInstance(result.error,
                                          hybridserve.UnavailableError)
                # Most rows were not even sent.
                sent = {seen.prompt for seen in server.seen}
                self.assertLess(len(sent), 10)

    def assert_all_succeed(self, rows, give_up_after, *steps):
        quick = hybridserve.RetryPolicy(initial_backoff=0.01, max_backoff=0.02)
        for run in (lambda server: list(batch.generate(
                        hybridserve.Client(server.address, retry=quick),
                        rows, window=2, give_up_after=give_up_after)),
                    lambda server: collect(server.address, rows, window=2,
                                           give_up_after=give_up_after)):
            with ScriptedServer(*steps) as server:
                self.assertEqual([result.error for result in run(server)],
                                 len(rows) * [None])

    def test_a_server_that_was_slow_and_then_gone_is_not_given_up(self):
        self.assert_all_succeed(
            ["A"], 0.5, late(1.5, fail(grpc.StatusCode.UNAVAILABLE)),
            succeed())

    def test_nor_one_that_runs_a_row_and_refuses_the_others(self):
        full = fail(grpc.StatusCode.RESOURCE_EXHAUSTED, 0.5)
        self.assert_all_succeed(["A", "B"], 1.2, late(2.5, succeed()),
                                *4 * [full], succeed())

    def test_a_row_that_is_too_large_says_nothing_of_the_others(self):
        with ScriptedServer(fail(grpc.StatusCode.RESOURCE_EXHAUSTED),
                            succeed()) as server, \
                hybridserve.Client(server.address) as client:
            results = list(batch.generate(client, ["A", "B"], window=1,
                                          give_up_after=0))
            self.assertEqual([result.ok for result in results], [False, True])
            self.assertEqual(len(server.seen), 2)

    def test_full_queues_are_waited_for_and_aborts_are_counted(self):
        full = fail(grpc.StatusCode.RESOURCE_EXHAUSTED, 0.01)
        quick = hybridserve.RetryPolicy(initial_backoff=0.01, max_backoff=0.02)
        with ScriptedServer(*20 * [full], succeed()) as server, \
                hybridserve.Client(server.address, retry=quick) as client:
            [result] = batch.generate(client, ["A"])
            self.assertEqual(result.get().text, "done")
        with ScriptedServer(fail(grpc.StatusCode.ABORTED)) as server, \
                hybridserve.Client(server.address, retry=quick) as client:
            [result] = batch.generate(client, ["A"])
            self.assertIsInstance(result.error, hybridserve.AbortedError)
            self.assertEqual(len(server.seen), 5)


if __name__ == "__main__":
    unittest.main()
