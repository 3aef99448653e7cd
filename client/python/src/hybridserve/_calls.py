"""Calls that are sent again where that helps: for threads."""

from __future__ import annotations

import threading
from typing import Any, Callable, Generic, Iterator, Optional, TypeVar

import grpc

from hybridserve.errors import Status, from_rpc, make_error
from hybridserve.retry import Attempts

Response = TypeVar("Response")


class Canceller:
    """Ends a call from any thread: its attempt under way, or its pause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._call: Optional[Any] = None

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def watch(self, call: Any) -> None:
        """This attempt from now on."""
        with self._lock:
            self._call = call
            if not self._event.is_set():
                return
        call.cancel()

    def pause(self, seconds: float) -> None:
        """Returns earlier if cancelled."""
        self._event.wait(seconds)

    def check(self) -> None:
        """Raises if cancelled."""
        if self._event.is_set():
            raise make_error(Status(grpc.StatusCode.CANCELLED,
                                    "cancelled by this client"))

    def cancel(self) -> None:
        with self._lock:
            self._event.set()
            call = self._call
        if call is not None:
            call.cancel()


def call_unary(send: Callable[[Optional[float]], Any], attempts: Attempts,
               canceller: Optional[Canceller] = None) -> Any:
    """The response. `send` begins an attempt under a timeout: a grpc.Future."""
    canceller = canceller or Canceller()
    while True:
        canceller.check()
        call = send(attempts.begin())
        canceller.watch(call)
        try:
            return call.result()
        except grpc.RpcError as error:
            failure = from_rpc(error)
        except grpc.FutureCancelledError:
            canceller.check()
            failure = make_error(Status(grpc.StatusCode.CANCELLED,
                                        "the client was closed"))
        except BaseException:  # KeyboardInterrupt: the server needs to know.
            call.cancel()
            raise
        canceller.pause(attempts.pause_after(failure))


class RetryingStream(Generic[Response]):
    """Messages of a streaming call, which is sent again until it commits.

    Iteration ends with the call's end, or with close() by any thread.
    """

    def __init__(self, send: Callable[[Optional[float]], Any],
                 attempts: Attempts, commits: Callable[[Response], bool]):
        """`commits` says of a message whether it ends the retries."""
        self._send = send
        self._attempts = attempts
        self._commits = commits
        self._canceller = Canceller()
        self._call: Optional[Any] = None
        self._committed = False
        self._done = False

    def __iter__(self) -> Iterator[Response]:
        return self

    def __next__(self) -> Response:
        while not (self._done or self._canceller.cancelled):
            try:
                return self._receive()
            except grpc.RpcError as error:
                self._call = None
                self._handle(error)
            except BaseException:  # StopIteration, KeyboardInterrupt, ...
                self.close()
                raise
        raise StopIteration

    def _receive(self) -> Response:
        if self._call is None:
            self._call = self._send(self._attempts.begin())
            self._canceller.watch(self._call)
        message: Response = next(self._call)
        self._committed = self._committed or self._commits(message)
        return message

    def _handle(self, error: Any) -> None:
        """Returns when the call may be sent again, or was cancelled by us."""
        if self._canceller.cancelled:
            return
        failure = from_rpc(error)
        try:
            if self._committed:
                raise failure
            pause = self._attempts.pause_after(failure)
        except BaseException:
            self._done = True
            raise
        self._canceller.pause(pause)

    def close(self) -> None:
        """Cancels the call, here and on the server, if it has not ended."""
        self._done = True
        self._canceller.cancel()
