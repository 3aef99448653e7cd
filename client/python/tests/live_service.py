"""A scheduler and a worker with the demo model, and clients of them."""

from __future__ import annotations

import asyncio
import functools
import os
import pathlib
import threading
import time
import unittest
from typing import Any, Callable, Iterator, Optional

import hybridserve
from tests.e2e.processes import Cluster, Programs

PROGRAMS = Programs(os.environ.get("HYBRIDSERVE_TEST_PROGRAMS", "bazel-bin"))
MODEL = pathlib.Path("models") / "demo"
WORKER = [f"--model_dir={MODEL}", "--device_memory=min", "--dtype=float32"]
# Each step takes some tenths of a second.
SLOW_WORKER = [*WORKER, "--link_bandwidth=50MB"]
# The longest output of the demo model that goes with any short prompt.
LONG = {"max_tokens": 480, "ignore_eos": True}
SOON_SECONDS = 120


class BlockingAsyncClient:
    """An AsyncClient with the methods of Client, for tests of both."""

    def __init__(self, *args: Any, **kwargs: Any):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever,
                                        daemon=True)
        self._thread.start()
        try:
            self.client = hybridserve.AsyncClient(*args, **kwargs)
        except BaseException:
            self._stop()
            raise

    def wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine,
                                                self._loop).result()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        return lambda *args, **kwargs: self.wait(method(*args, **kwargs))

    def stream(self, *args: Any, **kwargs: Any) -> BlockingAsyncStream:
        async def make() -> hybridserve.AsyncStream:
            return self.client.stream(*args, **kwargs)
        return BlockingAsyncStream(self, self.wait(make()))

    def __enter__(self) -> BlockingAsyncClient:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        self.wait(self.client.close())
        self._stop()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class BlockingAsyncStream:
    """An AsyncStream with the methods of Stream."""

    def __init__(self, client: BlockingAsyncClient,
                 stream: hybridserve.AsyncStream):
        self._client = client
        self._stream = stream

    @property
    def request_id(self) -> str:
        return self._stream.request_id

    def __iter__(self) -> Iterator[hybridserve.StreamEvent]:
        return self

    def __next__(self) -> hybridserve.StreamEvent:
        async def receive() -> Optional[hybridserve.StreamEvent]:
            try:
                return await self._stream.__anext__()
            except StopAsyncIteration:
                return None
        event = self._client.wait(receive())
        if event is None:
            raise StopIteration
        return event

    def texts(self) -> Iterator[str]:
        async def collect() -> list[str]:
            return [text async for text in self._stream.texts()]
        return iter(self._client.wait(collect()))

    def result(self) -> hybridserve.Generation:
        return self._client.wait(self._stream.result())

    def close(self) -> None:
        self._client.wait(self._stream.close())

    def __enter__(self) -> BlockingAsyncStream:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


# Tests that hold for both run with each.
CLIENTS = {"sync": hybridserve.Client, "async": BlockingAsyncClient}


def each_client(test: Callable[[Any, Any], None]) -> Callable[[Any], None]:
    """Runs a LiveServiceTest's test with a client of each kind."""
    @functools.wraps(test)
    def run(self: LiveServiceTest) -> None:
        for kind in CLIENTS:
            with self.subTest(kind):
                test(self, self.connect(kind))
    return run


class LiveServiceTest(unittest.TestCase):
    """One service for all tests of the class, and a client of each kind."""

    worker = WORKER
    scheduler_flags: list[str] = []

    @classmethod
    def setUpClass(cls) -> None:
        cls.cluster = Cluster(PROGRAMS, [list(cls.worker)],
                              list(cls.scheduler_flags))
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.address = cls.cluster.address
        cls.client = hybridserve.Client(cls.address)
        cls.addClassCleanup(cls.client.close)

    def connect(self, kind: str, **arguments: Any) -> Any:
        client = CLIENTS[kind](self.address, **arguments)
        self.addCleanup(client.close)
        return client

    def assert_soon(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + SOON_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def at_rest(self) -> bool:
        """Whether nothing runs, and every slot is back."""
        load = self.client.load()
        pools = [pool for worker in load.workers for pool in worker.pools]
        return (load.queue.running == 0 and load.queue.waiting == 0
                and bool(pools)
                and all(pool.free + pool.cached == pool.half_slots
                        for pool in pools))

    def steps(self) -> int:
        return sum(worker.totals.steps for worker in self.client.load().workers)
