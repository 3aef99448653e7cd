"""A gRPC server of this process that answers calls by a script, and counts."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
import time
from typing import Any, Callable, Iterator, List, Optional

import grpc

from hybridserve import _details
from hybridserve.v1 import inference_service_pb2 as pb

# What one attempt gets: a response's text, or how it ends.
Step = Callable[[grpc.ServicerContext], Iterator[Any]]


@dataclasses.dataclass
class Seen:
    """An attempt, as the server saw it."""

    at: float
    remaining: Optional[float]
    prompt: str


def fail(code: grpc.StatusCode, retry_delay: Optional[float] = None,
         after: int = 0, accepted: bool = False) -> Step:
    """Ends with a status, `after` tokens; with RetryInfo if there's a delay."""
    def step(context: grpc.ServicerContext) -> Iterator[Any]:
        if accepted:
            yield pb.GenerateStreamResponse(request_id="scripted",
                                            accepted=pb.Accepted())
        for token in range(after):
            yield output(f"{token} ")
        if retry_delay is not None:
            context.set_trailing_metadata(
                [(_details.DETAILS_KEY, retry_info(code, retry_delay))])
        context.abort(code, "by the script")
    return step


def succeed() -> Step:
    def step(context: grpc.ServicerContext) -> Iterator[Any]:
        del context
        yield pb.GenerateStreamResponse(request_id="scripted",
                                        accepted=pb.Accepted())
        yield output("done")
        yield pb.GenerateStreamResponse(request_id="scripted",
                                        finished=pb.Finished(reason=2))
    return step


def late(seconds: float, then: Step) -> Step:
    def step(context: grpc.ServicerContext) -> Iterator[Any]:
        time.sleep(seconds)
        yield from then(context)
    return step


def hang() -> Step:
    def step(context: grpc.ServicerContext) -> Iterator[Any]:
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait(60)
        yield from ()
    return step


def output(text: str) -> pb.GenerateStreamResponse:
    return pb.GenerateStreamResponse(
        request_id="scripted",
        token_output=pb.TokenOutput(token_ids=[1], text_delta=text))


def retry_info(code: grpc.StatusCode, delay: float) -> bytes:
    info = _details.message_class("google.rpc.RetryInfo")()
    info.retry_delay.FromMilliseconds(round(delay * 1000))
    status = _details.message_class("google.rpc.Status")(
        code=code.value[0], message="by the script")
    status.details.add().Pack(info)
    return status.SerializeToString()


class ScriptedServer:
    """Attempt i gets steps[i]; those after the last get the last."""

    def __init__(self, *steps: Step):
        self._steps = steps
        self._lock = threading.Lock()
        self.seen: List[Seen] = []
        # For tests to keep one here.
        self.call: Callable[..., Any] = lambda: None
        self._server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(8),
            options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers([
            grpc.method_handlers_generic_handler(
                "hybridserve.v1.InferenceService", {
                    "Generate": grpc.unary_unary_rpc_method_handler(
                        self._generate, pb.GenerateRequest.FromString,
                        pb.GenerateResponse.SerializeToString),
                    "GenerateStream": grpc.unary_stream_rpc_method_handler(
                        self._stream, pb.GenerateStreamRequest.FromString,
                        pb.GenerateStreamResponse.SerializeToString),
                })])
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def _stream(self, request: Any, context: grpc.ServicerContext
                ) -> Iterator[pb.GenerateStreamResponse]:
        with self._lock:
            step = self._steps[min(len(self.seen), len(self._steps) - 1)]
            self.seen.append(Seen(time.monotonic(), context.time_remaining(),
                                  request.prompt))
        yield from step(context)

    def _generate(self, request: Any, context: grpc.ServicerContext
                  ) -> pb.GenerateResponse:
        events = list(self._stream(request, context))
        return pb.GenerateResponse(
            request_id="scripted", finish_reason=2,
            text="".join(event.token_output.text_delta for event in events))

    def gaps(self) -> List[float]:
        """Seconds between attempts."""
        return [later.at - earlier.at
                for earlier, later in zip(self.seen, self.seen[1:])]

    def stop(self) -> None:
        self._server.stop(None).wait()

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()
