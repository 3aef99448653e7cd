"""Clients that never stop asking, and what became of each request."""

import collections
import dataclasses
import pathlib
import threading
import time
from typing import Callable

import grpc

from tests.e2e import generated_client as pb

PROMPTS = ["In the beginning", "And the king said", "Two ships", "My daughter"]
DEADLINE_S = 240


@dataclasses.dataclass(frozen=True)
class Outcome:
    begun: float  # time.monotonic()
    ended: float
    retries: bool
    code: str
    message: str
    resumed: bool
    right: bool  # The very tokens that the prompt has without disturbance.


class Client:
    """One connection; by gRPC's own retries where there is a policy."""

    def __init__(self, address: str, service_config: str | None,
                 max_tokens: int):
        self._max_tokens = max_tokens
        options = [("grpc.use_local_subchannel_pool", 1)]
        if service_config is not None:
            options.append(("grpc.service_config", service_config))
        else:
            options.append(("grpc.enable_retries", 0))
        self._channel = grpc.insecure_channel(address, options=options)
        self._stub = pb.inference_grpc.InferenceServiceStub(self._channel)

    def ask(self, prompt: str, stream: bool,
            on_begun: Callable[[], None] = lambda: None
            ) -> tuple[list[int], bool]:
        """The tokens, and whether another worker had to go on. `on_begun` is
        called when a stream has its first token."""
        cls = (pb.inference.GenerateStreamRequest if stream
               else pb.inference.GenerateRequest)
        message = pb.request(cls, prompt, max_tokens=self._max_tokens)
        message.stopping.ignore_eos = True
        if not stream:
            return list(self._stub.Generate(
                message, timeout=DEADLINE_S).token_ids), False
        tokens: list[int] = []
        resumed = False
        for event in self._stub.GenerateStream(message, timeout=DEADLINE_S):
            if not tokens and event.token_output.token_ids:
                on_begun()
            tokens.extend(event.token_output.token_ids)
            resumed |= event.WhichOneof("event") == "resumed"
        return tokens, resumed

    def close(self) -> None:
        self._channel.close()


class Load:
    """`clients` that retry by the policy, half of them streaming, and one that
    does not retry: by it one sees that there was something to be retried."""

    def __init__(self, address: str, policy: pathlib.Path, clients: int,
                 max_tokens: int):
        self._address, self._max_tokens = address, max_tokens
        config = policy.read_text()
        first = Client(address, config, max_tokens)
        self._expected = {prompt: first.ask(prompt, stream=True)[0]
                          for prompt in PROMPTS}
        first.close()
        self._lock = threading.Lock()
        self._outcomes: list[Outcome] = []
        self._stop = threading.Event()
        self._stream_begun = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, daemon=True,
                             args=(config if number else None, number))
            for number in range(clients + 1)]
        for thread in self._threads:
            thread.start()

    def _run(self, config: str | None, number: int) -> None:
        client = Client(self._address, config, self._max_tokens)
        turn = number
        while not self._stop.is_set():
            self._ask(client, PROMPTS[turn % len(PROMPTS)],
                      stream=number % 2 == 1, retries=config is not None)
            turn += 1
            # Also keeps one that fails at once from spinning.
            self._stop.wait(0.1)
        client.close()

    def _ask(self, client: Client, prompt: str, stream: bool,
             retries: bool) -> None:
        begun = time.monotonic()
        code, message, resumed, right = "OK", "", False, False
        try:
            tokens, resumed = client.ask(prompt, stream,
                                         self._stream_begun.set)
            right = tokens == self._expected[prompt]
        except grpc.RpcError as error:
            code, message = error.code().name, error.details() or ""
        with self._lock:
            self._outcomes.append(Outcome(begun, time.monotonic(), retries,
                                          code, message, resumed, right))

    def wait_for_stream(self) -> None:
        """Until one that was not yet under way has its first token."""
        self._stream_begun.clear()
        if not self._stream_begun.wait(DEADLINE_S):
            raise TimeoutError("no stream begins")

    def stop(self) -> list[Outcome]:
        self._stop.set()
        for thread in self._threads:
            thread.join(DEADLINE_S)
            if thread.is_alive():
                raise TimeoutError("a request hangs")
        return self._outcomes


def failures(outcomes: list[Outcome]) -> list[str]:
    """Of the clients that retry."""
    return [f"{o.code}: {o.message}" if o.code != "OK" else "wrong tokens"
            for o in outcomes if o.retries and not o.right]


def codes_without_retries(outcomes: list[Outcome]) -> dict[str, int]:
    return dict(collections.Counter(o.code for o in outcomes if not o.retries))
