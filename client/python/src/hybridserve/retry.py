"""When a call is sent again, and how long after."""

from __future__ import annotations

import dataclasses
import random
import time
from typing import Callable, Optional

import grpc

from hybridserve.errors import (StatusError, deadline_exceeded,
                                invalid_argument)

# gRPC's deadlines end somewhere beyond.
_FOR_EVER_SECONDS = 1e9


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    """Which failures are tried again.

    UNAVAILABLE is, and RESOURCE_EXHAUSTED where the server says when (a message
    that is too large stays so); after these ALREADY_EXISTS of a request_id that the
    caller gave. A stream is while no token came. The pause
    grows from attempt to attempt and is never shorter than the server asks for;
    one that would outlast the call's timeout is not begun.
    """

    # Sends of one call, the first included; None: until the timeout. So many, with
    # the pauses below, outlast an update of the scheduler: it drains for 60 s.
    max_attempts: Optional[int] = 16
    # Seconds before the second attempt, then `multiplier` times more each time.
    initial_backoff: float = 0.2
    multiplier: float = 2.0
    max_backoff: float = 10.0
    # Pauses are drawn from [1 - jitter, 1 + jitter] times that, and from
    # [1, 1 + jitter] times what the server asks for.
    jitter: float = 0.2
    # A server that asks for a longer pause is not waited for.
    max_server_delay: float = 60.0
    # How many times ABORTED is tried again: the worker was lost and none took
    # over. Where the request is what kills workers, more of them die.
    max_aborts: int = 0

    def __post_init__(self) -> None:
        if self.max_attempts is not None and self.max_attempts < 1:
            raise ValueError("max_attempts: must be at least 1, or None")
        for field in ("initial_backoff", "max_backoff", "max_server_delay",
                      "max_aborts"):
            if not getattr(self, field) >= 0:
                raise ValueError(f"{field}: must not be negative")
        if not self.multiplier >= 1:
            raise ValueError("multiplier: must be at least 1")
        if not 0 <= self.jitter <= 1:
            raise ValueError("jitter: must be in [0, 1]")


NO_RETRY = RetryPolicy(max_attempts=1)


class Attempts:
    """The attempts of one call under a policy and a timeout for all of them."""

    def __init__(self, policy: RetryPolicy, timeout: Optional[float],
                 named: bool = False,
                 give_up: Callable[[], bool] = lambda: False,
                 clock: Callable[[], float] = time.monotonic,
                 draw: Callable[[float, float], float] = random.uniform):
        """`named`: the caller chose the request's id. `give_up`: no more."""
        if timeout is not None and timeout != timeout:
            raise invalid_argument("timeout", "is not a number")
        self._policy = policy
        self._named = named
        self._give_up = give_up
        self._clock = clock
        self._draw = draw
        self._deadline = (None if timeout is None or timeout > _FOR_EVER_SECONDS
                          else clock() + timeout)
        self._begun = 0
        self._sent_at: Optional[float] = None
        self._aborts = 0
        self._last: Optional[StatusError] = None

    def begin(self) -> Optional[float]:
        """The next attempt's timeout. Raises if the deadline has passed."""
        remaining = self._remaining()
        if remaining is not None and remaining <= 0:
            error = deadline_exceeded("the timeout passed before the call was "
                                      "sent" if self._begun == 0 else
                                      "the timeout passed between attempts")
            error.attempts = self._begun
            raise error from self._last
        self._begun += 1
        self._sent_at = self._clock()
        return remaining

    @property
    def seconds_out(self) -> float:
        """Since the attempt under way, or the last, was sent; 0 in a pause."""
        sent_at = self._sent_at
        return 0.0 if sent_at is None else self._clock() - sent_at

    def pause_after(self, error: StatusError) -> float:
        """Seconds until the next attempt. Raises the error if there is none."""
        error.attempts = self._begun
        if error.code == grpc.StatusCode.ABORTED:
            self._aborts += 1
        if not self._may_help(error) or self._give_up():
            raise error from self._last
        limit = self._policy.max_attempts
        pause = self._pause(error)
        remaining = self._remaining()
        if ((limit is not None and self._begun >= limit)
                or pause is None
                or (remaining is not None and pause >= remaining)):
            raise error from self._last
        self._last = error
        self._sent_at = None
        return pause

    def _remaining(self) -> Optional[float]:
        if self._deadline is None:
            return None
        return self._deadline - self._clock()

    def _may_help(self, error: StatusError) -> bool:
        if error.code == grpc.StatusCode.UNAVAILABLE:
            return True
        if error.code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            return error.retry_delay is not None
        if error.code == grpc.StatusCode.ABORTED:
            return self._aborts <= self._policy.max_aborts
        # The connection of an earlier attempt broke and the server has yet to
        # notice: the id is still taken, by that attempt.
        return (error.code == grpc.StatusCode.ALREADY_EXISTS and self._named
                and self._last is not None)

    def _pause(self, error: StatusError) -> Optional[float]:
        policy = self._policy
        backoff = policy.initial_backoff
        for _ in range(self._begun - 1):
            if backoff >= policy.max_backoff:
                break
            backoff *= policy.multiplier
        backoff = min(backoff, policy.max_backoff)
        pause = self._draw((1 - policy.jitter) * backoff,
                           (1 + policy.jitter) * backoff)
        asked = error.retry_delay
        if asked is None:
            return pause
        if asked > policy.max_server_delay:
            return None
        return max(pause, self._draw(asked, (1 + policy.jitter) * asked))
