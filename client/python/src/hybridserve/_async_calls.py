"""Calls that are sent again where that helps: for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Callable, Generic, Optional, TypeVar

import grpc
import grpc.aio

from hybridserve.errors import Status, from_rpc, make_error
from hybridserve.retry import Attempts

Response = TypeVar("Response")


def _is_being_cancelled() -> bool:
    """Whether somebody cancels this task. Before Python 3.11 it can't know."""
    task = asyncio.current_task()
    return task is not None and hasattr(task, "cancelling") and (
        task.cancelling() > 0)


async def call_unary(send: Callable[[Optional[float]], Any],
                     attempts: Attempts, is_closed: Callable[[], bool]) -> Any:
    """The response. Cancelling the task cancels the call on the server."""
    while True:
        call = send(attempts.begin())
        try:
            return await call
        except grpc.RpcError as error:
            failure = from_rpc(error)
        except asyncio.CancelledError:
            call.cancel()
            if is_closed() and not _is_being_cancelled():
                raise make_error(Status(grpc.StatusCode.CANCELLED,
                                        "the client was closed")) from None
            raise
        await asyncio.sleep(attempts.pause_after(failure))


class AsyncRetryingStream(Generic[Response]):
    """Messages of a streaming call, which is sent again until it commits.

    Iteration ends with the call's end, or with close() by any task.
    """

    def __init__(self, send: Callable[[Optional[float]], Any],
                 attempts: Attempts, commits: Callable[[Response], bool]):
        """`commits` says of a message whether it ends the retries."""
        self._send = send
        self._attempts = attempts
        self._commits = commits
        self._call: Optional[Any] = None
        self._committed = False
        self._closed = asyncio.Event()

    def __aiter__(self) -> AsyncIterator[Response]:
        return self

    async def __anext__(self) -> Response:
        while not self._closed.is_set():
            try:
                return await self._receive()
            except grpc.RpcError as error:
                self._call = None
                if self._closed.is_set():
                    break
                await self._handle(error)
            except asyncio.CancelledError:
                if self._closed.is_set() and not _is_being_cancelled():
                    break
                self.close()
                raise
            except BaseException:  # StopAsyncIteration, bad messages, ...
                self.close()
                raise
        raise StopAsyncIteration

    async def _receive(self) -> Response:
        if self._call is None:
            self._call = self._send(self._attempts.begin())
        message = await self._call.read()
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        self._committed = self._committed or self._commits(message)
        return message  # type: ignore[no-any-return]

    async def _handle(self, error: Any) -> None:
        """Returns when the call may be sent again."""
        failure = from_rpc(error)
        try:
            if self._committed:
                raise failure
            pause = self._attempts.pause_after(failure)
        except BaseException:
            self._closed.set()
            raise
        try:  # Nothing in here raises a DeadlineExceededError, a TimeoutError.
            await asyncio.wait_for(self._closed.wait(), pause)
        except asyncio.TimeoutError:
            pass

    def close(self) -> None:
        """Cancels the call, here and on the server, if it has not ended."""
        self._closed.set()
        if self._call is not None:
            self._call.cancel()
