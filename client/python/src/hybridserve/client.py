"""The client for threads."""

from __future__ import annotations

from typing import (Any, Iterator, List, Optional, Sequence, TYPE_CHECKING,
                    TypeVar)

import grpc

from hybridserve import _prepared
from hybridserve._calls import Canceller, RetryingStream, call_unary
from hybridserve._client_base import ClientBase
from hybridserve.options import (CallOptions, GenerateOptions, ModelOptions,
                                 RequestOptions)
from hybridserve.results import (Generation, GenerationBuilder, HealthStatus,
                                 Score, StreamEvent, TokenOutput)
from hybridserve.retry import NO_RETRY, Attempts
from hybridserve.v1 import control_service_pb2, load_pb2, model_service_pb2

if TYPE_CHECKING:
    from typing_extensions import Unpack

Result = TypeVar("Result")


class Stream:
    """The events of a generation, as they come.

    Leaving its `with` block, close() by any thread, or dropping the last
    reference to it cancels what is not finished, on the server too.
    """

    def __init__(self, calls: RetryingStream[Any], log_probs: bool):
        self._calls = calls
        self._builder = GenerationBuilder(log_probs)

    @property
    def request_id(self) -> str:
        """Empty before the first event."""
        return self._builder.request_id

    def __iter__(self) -> Iterator[StreamEvent]:
        return self

    def __next__(self) -> StreamEvent:
        while True:
            event = self._builder.add(next(self._calls))
            if event is not None:
                return event

    def texts(self) -> Iterator[str]:
        """The pieces of text alone, those that are not empty."""
        for event in self:
            if isinstance(event, TokenOutput) and event.text:
                yield event.text

    def result(self) -> Generation:
        """Waits for the end: what generate() would have returned."""
        for _ in self:
            pass
        return self._builder.result()

    def close(self) -> None:
        self._calls.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class Client(ClientBase):
    """A connection to a HybridServe scheduler. Thread-safe.

    Arguments: see ClientBase. Connects when it is first used. Does not survive
    a fork: make it in the process that uses it.
    """

    def _make_channel(self) -> grpc.Channel:
        address, options = self.connection.address, self.connection.options()
        if self._credentials is None:
            return grpc.insecure_channel(address, options)
        return grpc.secure_channel(address, self._credentials, options)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, and the calls on it with CallCancelledError."""
        channel = self._take_channel()
        if channel is not None:
            channel.close()

    def generate(self, prompt: Optional[str] = None, *,
                 token_ids: Optional[Sequence[int]] = None,
                 **options: Unpack[GenerateOptions]) -> Generation:
        """Produces tokens until a stop condition and returns them all.

        Args:
            prompt: a text, which gets the tokenizer's special tokens.
            token_ids: ids of the model's vocabulary instead, taken as they are.
            **options: see GenerateOptions.

        Raises:
            StatusError: one of its subclasses, by status code.
        """
        return self._generate(prompt, token_ids, options)

    def _generate(self, prompt: Optional[str],
                  token_ids: Optional[Sequence[int]],
                  options: GenerateOptions,
                  attempts: Optional[Attempts] = None,
                  canceller: Optional[Canceller] = None) -> Generation:
        """With attempts and cancellation of the caller's own, for batches."""
        return self._run(
            _prepared.generate(self._services(), prompt, token_ids,
                               self._with_model(options)),
            attempts, canceller)

    def stream(self, prompt: Optional[str] = None, *,
               token_ids: Optional[Sequence[int]] = None,
               **options: Unpack[GenerateOptions]) -> Stream:
        """Like generate(), but returns the events as they come.

        The call is sent when the first event is asked for. It is sent again
        while no token came, and never after.
        """
        return Stream(
            self._open(_prepared.stream(self._services(), prompt, token_ids,
                                        self._with_model(options))),
            bool(options.get("log_probs")))

    def score(self, text: Optional[str] = None, *,
              token_ids: Optional[Sequence[int]] = None,
              **options: Unpack[RequestOptions]) -> Score:
        """The log-probability of each token given those before it."""
        return self._run(_prepared.score(self._services(), text, token_ids,
                                         self._with_model(options)))

    def tokenize(self, text: str, *, add_special_tokens: Optional[bool] = None,
                 **options: Unpack[ModelOptions]) -> List[int]:
        """A text's token ids, with the tokenizer's special ones unless told."""
        return self._run(_prepared.tokenize(
            self._services(), text, add_special_tokens,
            self._with_model(options)))

    def detokenize(self, token_ids: Sequence[int], *,
                   skip_special_tokens: Optional[bool] = None,
                   **options: Unpack[ModelOptions]) -> str:
        """The text of token ids, without special ones unless told."""
        return self._run(_prepared.detokenize(
            self._services(), token_ids, skip_special_tokens,
            self._with_model(options)))

    def models(self, **options: Unpack[CallOptions]
               ) -> List[model_service_pb2.Model]:
        """All models that workers have brought, by name."""
        return self._run(_prepared.models(self._services(), options))

    def model(self, name: Optional[str] = None,
              **options: Unpack[CallOptions]) -> model_service_pb2.Model:
        """One of them; the only one where neither call nor client names one."""
        return self._run(_prepared.model(
            self._services(), self._model if name is None else name, options))

    def server_info(self, **options: Unpack[CallOptions]
                    ) -> control_service_pb2.GetServerInfoResponse:
        """What the server is, and which workers are still loading."""
        return self._run(_prepared.server_info(self._services(), options))

    def load(self, **options: Unpack[CallOptions]) -> load_pb2.Load:
        """How busy the server is: the data of `hybridserve status`."""
        return self._run(_prepared.load(self._services(), options))

    def watch_load(self, interval: float = 1.0,
                   **options: Unpack[CallOptions]) -> Iterator[load_pb2.Load]:
        """load(), at once and then every `interval` seconds, until closed."""
        messages = self._open(
            _prepared.watch_load(self._services(), interval, options))
        try:
            for message in messages:
                yield message.load
        finally:
            messages.close()

    def abort(self, request_id: str, **options: Unpack[CallOptions]) -> None:
        """Ends anybody's request, which finishes with CANCELLED."""
        self._run(_prepared.abort(self._services(), request_id, options))

    def drain(self, **options: Unpack[CallOptions]) -> None:
        """The server takes no new requests, from now on."""
        self._run(_prepared.drain(self._services(), options))

    def health(self, service: str = "",
               **options: Unpack[CallOptions]) -> HealthStatus:
        """Of the server (""), a service or a model by name. Sent once."""
        return self._run(_prepared.health(self._services(), service, options),
                         self._attempts(options, NO_RETRY))

    def _run(self, call: _prepared.Prepared[Result],
             attempts: Optional[Attempts] = None,
             canceller: Optional[Canceller] = None) -> Result:
        metadata = self._identity.metadata(call.options)

        def send(timeout: Optional[float]) -> Any:
            self._check_open()
            return call.method.future(call.request, timeout=timeout,
                                      metadata=metadata)

        return call.result(call_unary(
            send, attempts or self._attempts(call.options), canceller))

    def _open(self, call: _prepared.PreparedStream) -> RetryingStream[Any]:
        metadata = self._identity.metadata(call.options)

        def send(timeout: Optional[float]) -> Any:
            self._check_open()
            return call.method(call.request, timeout=timeout,
                               metadata=metadata)

        return RetryingStream(send, self._attempts(call.options), call.commits)
