"""Calls that are cancelled, too late, refused, or whose server dies."""

import asyncio
import concurrent.futures
import gc
import signal
import subprocess
import sys
import threading
import time
import unittest

import hybridserve
from client.python.tests.live_service import (LONG, PROGRAMS, SLOW_WORKER,
                                              WORKER, LiveServiceTest,
                                              each_client)
from hybridserve import NO_RETRY, FinishReason, RetryPolicy, TokenOutput
from tests.e2e.processes import Cluster, Process

PROMPT = "In the beginning"
PATIENT = RetryPolicy(max_attempts=None, max_backoff=1)


class CancelTest(LiveServiceTest):
    """On a worker whose steps are so slow that nothing ends by itself."""

    worker = SLOW_WORKER

    def assert_cancelled_within_a_step(self, cancel):
        """The step under way may end; the plan after it may be on its way."""
        cancelled = self.client.load().requests.cancelled
        before = self.steps()
        cancel()
        self.assert_soon(self.at_rest, "the slots are back")
        self.assertLessEqual(self.steps() - before, 3)
        self.assertEqual(self.client.load().requests.cancelled, cancelled + 1)

    def wait_for_token(self, events):
        while not isinstance(next(events), TokenOutput):
            pass

    @each_client
    def test_closing_a_stream(self, client):
        stream = client.stream(PROMPT, **LONG)
        self.wait_for_token(stream)
        self.assert_cancelled_within_a_step(stream.close)
        self.assertEqual(list(stream), [])

    @each_client
    def test_leaving_its_block(self, client):
        with self.assertRaises(KeyError), client.stream(PROMPT,
                                                        **LONG) as stream:
            self.wait_for_token(stream)
            raise KeyError
        self.assert_soon(self.at_rest, "the slots are back")

    def test_dropping_it(self):
        def first_text():
            for text in self.client.stream(PROMPT, **LONG).texts():
                return text
        before = self.client.load().requests.cancelled
        self.assertTrue(first_text())
        gc.collect()
        self.assert_soon(self.at_rest, "the slots are back")
        self.assertEqual(self.client.load().requests.cancelled, before + 1)

    def test_closing_it_from_another_thread(self):
        stream = self.client.stream(PROMPT, **LONG)
        self.wait_for_token(stream)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            rest = pool.submit(list, stream)
            self.assert_cancelled_within_a_step(stream.close)
            self.assertTrue(all(isinstance(event, TokenOutput)
                                for event in rest.result()))
        with self.assertRaises(hybridserve.HybridServeError):
            stream.result()

    def test_cancelling_tasks(self):
        async def generate(client):
            await client.generate(PROMPT, **LONG)

        async def stream(client):
            async for _ in client.stream(PROMPT, **LONG):
                pass

        async def run(work):
            async with hybridserve.AsyncClient(self.address) as client:
                task = asyncio.ensure_future(work(client))
                while self.client.load().queue.running == 0:
                    await asyncio.sleep(0.02)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                await asyncio.to_thread(self.assert_soon, self.at_rest,
                                        "the slots are back")

        for work in (generate, stream):
            with self.subTest(work.__name__):
                before = self.client.load().requests.cancelled
                asyncio.run(run(work))
                self.assertEqual(self.client.load().requests.cancelled,
                                 before + 1)

    def test_waiting_no_longer_than_wanted(self):
        async def run():
            async with hybridserve.AsyncClient(self.address) as client:
                await asyncio.wait_for(client.generate(PROMPT, **LONG), 0.5)
        with self.assertRaises(asyncio.TimeoutError):
            asyncio.run(run())
        self.assert_soon(self.at_rest, "the slots are back")

    def test_interrupting_the_program(self):
        program = subprocess.Popen(
            [sys.executable, "-c", "import hybridserve, sys\n"
             "hybridserve.Client(sys.argv[1]).generate('A', max_tokens=480,"
             " ignore_eos=True)", self.address], stderr=subprocess.PIPE,
            text=True)
        self.assert_soon(lambda: self.client.load().queue.running == 1,
                         "it runs")

        def interrupt():
            program.send_signal(signal.SIGINT)
            self.assertIn("KeyboardInterrupt", program.communicate()[1])
        self.assert_cancelled_within_a_step(interrupt)

    @each_client
    def test_aborting(self, client):
        stream = client.stream(PROMPT, request_id="long", **LONG)
        self.wait_for_token(stream)
        self.assertEqual(stream.request_id, "long")
        with self.assertRaises(hybridserve.AlreadyExistsError):
            client.generate(PROMPT, request_id="long")
        self.client.abort("long")
        self.assertEqual(stream.result().finish_reason, FinishReason.CANCELLED)

    @each_client
    def test_a_deadline_ends_it_everywhere(self, client):
        for call in (lambda: client.generate(PROMPT, timeout=1, **LONG),
                     lambda: list(client.stream(PROMPT, timeout=1, **LONG))):
            with self.assertRaises(hybridserve.DeadlineExceededError):
                call()
            self.assert_soon(self.at_rest, "the slots are back")

    def test_closing_the_client(self):
        client = hybridserve.Client(self.address)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            calls = [pool.submit(client.generate, PROMPT, **LONG),
                     pool.submit(client.stream(PROMPT, **LONG).result)]
            self.assert_soon(lambda: self.client.load().queue.running == 2,
                             "both run")
            client.close()
            for call in calls:
                with self.assertRaises(hybridserve.CallCancelledError):
                    call.result()
        self.assert_soon(self.at_rest, "the slots are back")

    def test_closing_the_asyncio_client(self):
        async def run():
            client = hybridserve.AsyncClient(self.address)
            tasks = [asyncio.ensure_future(client.generate(PROMPT, **LONG)),
                     asyncio.ensure_future(client.generate(PROMPT, **LONG))]
            while self.client.load().queue.running < 2:
                await asyncio.sleep(0.02)
            await client.close()
            return await asyncio.gather(*tasks, return_exceptions=True)
        for ended in asyncio.run(run()):
            self.assertIsInstance(ended, hybridserve.CallCancelledError)
        self.assert_soon(self.at_rest, "the slots are back")


class FullQueueTest(LiveServiceTest):
    worker = SLOW_WORKER
    scheduler_flags = ["--max_running=1", "--max_queue_requests=1"]

    @each_client
    def test_what_is_refused_goes_in_when_there_is_room(self, client):
        running = self.client.stream(PROMPT, **LONG)
        next(running)
        self.assert_soon(lambda: self.client.load().queue.running == 1,
                         "one runs")
        waiting = self.client.stream(PROMPT, **LONG)
        next(waiting)
        for call in (lambda: client.generate(PROMPT, max_tokens=2, timeout=1),
                     lambda: list(client.stream(PROMPT, timeout=1))):
            with self.assertRaises(
                    hybridserve.ResourceExhaustedError) as raised:
                call()
            self.assertGreaterEqual(raised.exception.retry_delay, 1)
            self.assertEqual(raised.exception.attempts, 1)
            self.assertEqual(
                [each.subject for each
                 in raised.exception.status.quota_violations],
                ["queue"])
        refused = self.client.load().requests.rejected
        with concurrent.futures.ThreadPoolExecutor() as pool:
            call = pool.submit(client.generate, PROMPT, max_tokens=2)
            self.assert_soon(
                lambda: self.client.load().requests.rejected > refused,
                "it is refused")
            running.close()
            waiting.close()
            self.assertEqual(len(call.result().token_ids), 2)


class RestartTest(unittest.TestCase):
    """Schedulers that come late, or again, at an address that stays."""

    def start(self, address):
        scheduler = Process([PROGRAMS.scheduler, f"--listen={address}"])
        self.addCleanup(scheduler.__exit__)
        scheduler.wait_for_line(r"listening .+")
        return scheduler

    def test_calls_wait_for_a_server_that_comes_late(self):
        with Cluster(PROGRAMS, []) as cluster:
            address = cluster.address
        with hybridserve.Client(address, retry=NO_RETRY) as client:
            with self.assertRaises(hybridserve.UnavailableError) as raised:
                client.generate(PROMPT)
            self.assertEqual(raised.exception.request_id, "")

        async def stream():
            async with hybridserve.AsyncClient(address, retry=PATIENT,
                                               timeout=300) as client:
                return await client.stream(PROMPT, max_tokens=8).result()

        with hybridserve.Client(address, retry=PATIENT,
                                timeout=300) as client, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            calls = [pool.submit(client.generate, PROMPT, max_tokens=8),
                     pool.submit(client.stream(PROMPT, max_tokens=8).result),
                     pool.submit(asyncio.run, stream())]
            time.sleep(1)
            self.assertFalse(any(call.done() for call in calls))
            self.start(address)
            # Now it is there, without a worker: UNAVAILABLE with RetryInfo.
            with hybridserve.Client(address, retry=NO_RETRY) as impatient:
                with self.assertRaises(
                        hybridserve.UnavailableError) as raised:
                    impatient.generate(PROMPT)
                self.assertGreaterEqual(raised.exception.retry_delay, 1)
                self.assertEqual(impatient.health(),
                                 hybridserve.HealthStatus.NOT_SERVING)
            with Process([PROGRAMS.worker, f"--scheduler={address}",
                          *WORKER]):
                texts = {call.result().text for call in calls}
                self.assertEqual(len(texts), 1)

    def test_calls_survive_a_server_that_is_killed_but_streams_do_not(self):
        with Cluster(PROGRAMS, [SLOW_WORKER]) as cluster, hybridserve.Client(
                cluster.address, retry=PATIENT, timeout=300) as client, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            stream = client.stream(PROMPT, **LONG)
            while not isinstance(next(stream), TokenOutput):
                pass
            call = pool.submit(client.generate, PROMPT, max_tokens=8,
                               request_id="named")
            while client.load().queue.running < 2:
                time.sleep(0.02)
            cluster.scheduler.stop(signal.SIGKILL)
            with self.assertRaises(hybridserve.UnavailableError) as raised:
                list(stream)
            self.assertEqual(raised.exception.attempts, 1)
            self.start(cluster.address)
            # The worker dials again by itself.
            self.assertEqual(len(call.result().token_ids), 8)

    def test_a_draining_server_is_left_for_its_successor(self):
        with Cluster(PROGRAMS, [WORKER]) as cluster, hybridserve.Client(
                cluster.address, retry=PATIENT, timeout=300) as client:
            expected = client.generate(PROMPT, max_tokens=8).text
            client.drain()
            self.assertTrue(client.server_info().draining)
            with self.assertRaises(hybridserve.UnavailableError) as raised:
                client.generate(PROMPT, timeout=0.5)
            self.assertGreaterEqual(raised.exception.retry_delay, 1)
            with concurrent.futures.ThreadPoolExecutor() as pool:
                call = pool.submit(client.generate, PROMPT, max_tokens=8)
                threading.Event().wait(0.5)
                self.assertEqual(cluster.scheduler.stop(), 0)
                self.start(cluster.address)
                self.assertEqual(call.result().text, expected)


if __name__ == "__main__":
    unittest.main()
