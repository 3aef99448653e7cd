"""A batch under way: its rows in flight, and when to give up on the rest."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from typing import Callable, Dict, Iterator, Optional, Set, Union

import grpc

from hybridserve._calls import Canceller
from hybridserve._client_base import ClientBase
from hybridserve._rows import BatchResult, Row
from hybridserve.async_client import AsyncClient
from hybridserve.client import Client
from hybridserve.errors import StatusError, invalid_argument
from hybridserve.retry import Attempts

# Each abort is several workers lost, or one and none that took over. A row that
# sees more of them may be what kills them.
_MAX_ABORTS = 4
# Ordered results that may wait for an earlier one, in windows.
_WAITING_WINDOWS = 4
# The least that an attempt is out if the server took it.
_TAKEN_SECONDS = 1.0
# What another attempt may heal.
_OF_THE_SERVER = frozenset({grpc.StatusCode.UNAVAILABLE,
                            grpc.StatusCode.RESOURCE_EXHAUSTED,
                            grpc.StatusCode.ABORTED})

Outcome = Union[BatchResult, Exception]


class Flight:
    """Which rows are under way, and whose results are due. One thread's."""

    def __init__(self, rows: Iterator[Row], window: int, ordered: bool,
                 start: Callable[[Row], None]):
        self._rows = rows
        self._window = window
        self._ordered = ordered
        self._start = start
        self._running = 0
        self._next = 0
        # Results that wait for an earlier row's.
        self._waiting: Dict[int, BatchResult] = {}

    def fill(self) -> bool:
        """Starts as many as there is room for. False: nothing runs any more."""
        most_waiting = _WAITING_WINDOWS * self._window
        while (self._running < self._window
               and len(self._waiting) < most_waiting):
            row = next(self._rows, None)
            if row is None:
                break
            self._running += 1
            self._start(row)
        return self._running > 0

    def land(self, outcome: Outcome) -> Iterator[BatchResult]:
        """What is due now that one more has ended."""
        self._running -= 1
        if isinstance(outcome, Exception):
            raise outcome
        if not self._ordered:
            yield outcome
            return
        self._waiting[outcome.index] = outcome
        while self._next in self._waiting:
            yield self._waiting.pop(self._next)
            self._next += 1


class Runner:
    """Runs rows one by one, and sees when the server takes none any more."""

    def __init__(self, give_up_after: float):
        if not give_up_after >= 0:
            raise ValueError("give_up_after: must not be negative")
        self._give_up_after = give_up_after
        # Refusals come at once, or after the time that connections take: an
        # attempt that is out for longer was taken.
        self._taken_after = max(give_up_after / 10, _TAKEN_SECONDS)
        # When the server had a row, or answered one.
        self._last_taken = time.monotonic()
        self._under_way: Set[Attempts] = set()
        self._stalled: Optional[StatusError] = None

    def _give_up(self) -> bool:
        """After a refusal."""
        now = time.monotonic()
        if any(attempts.seconds_out >= self._taken_after
               for attempts in list(self._under_way)):
            self._last_taken = now
        return now - self._last_taken > self._give_up_after

    @contextlib.contextmanager
    def _attempts(self, client: ClientBase, row: Row) -> Iterator[Attempts]:
        policy = dataclasses.replace(
            client.retry, max_attempts=None, max_aborts=_MAX_ABORTS,
            max_server_delay=self._give_up_after)
        attempts = client._attempts(row.options, policy, self._give_up)
        self._under_way.add(attempts)
        try:
            yield attempts
        finally:
            if attempts.seconds_out >= self._taken_after:
                self._last_taken = time.monotonic()
            self._under_way.discard(attempts)

    def _early(self, row: Row) -> Optional[BatchResult]:
        """Of a row that is not sent."""
        error = row.error or self._stalled
        if error is None:
            return None
        return BatchResult(row.index, row.key, error=error)

    def _failed(self, row: Row, error: Exception) -> BatchResult:
        if isinstance(error, TypeError):  # A value of another type.
            field, _, description = str(error).rpartition(": ")
            error = invalid_argument(field or "input", description)
        assert isinstance(error, StatusError)
        # Without a time to come back the row is too large.
        of_the_server = error.code in _OF_THE_SERVER and (
            error.code != grpc.StatusCode.RESOURCE_EXHAUSTED
            or error.retry_delay is not None)
        if not of_the_server:
            self._last_taken = time.monotonic()
        elif self._give_up():
            self._stalled = error
        return BatchResult(row.index, row.key, error=error)

    def run(self, client: Client, row: Row, canceller: Canceller
            ) -> BatchResult:
        early = self._early(row)
        if early is not None:
            return early
        try:
            with self._attempts(client, row) as attempts:
                generation = client._generate(row.prompt, row.token_ids,
                                              row.options, attempts, canceller)
        except (StatusError, TypeError) as error:
            return self._failed(row, error)
        self._last_taken = time.monotonic()
        return BatchResult(row.index, row.key, generation)

    async def run_async(self, client: AsyncClient, row: Row) -> BatchResult:
        early = self._early(row)
        if early is not None:
            return early
        try:
            with self._attempts(client, row) as attempts:
                generation = await client._generate(
                    row.prompt, row.token_ids, row.options, attempts)
        except (StatusError, TypeError) as error:
            return self._failed(row, error)
        self._last_taken = time.monotonic()
        return BatchResult(row.index, row.key, generation)
