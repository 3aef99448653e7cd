"""What calls return."""

from __future__ import annotations

import dataclasses
import enum
import math
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Union

from hybridserve.errors import HybridServeError
from hybridserve.v1 import generation_pb2, inference_service_pb2


class FinishReason(str, enum.Enum):
    """Why an output ended."""

    STOP = "stop"  # An end token of the model or a stop condition.
    LENGTH = "length"  # max_tokens.
    CANCELLED = "cancelled"  # Client.abort(), by anybody.
    UNKNOWN = "unknown"  # One that this package is too old for.

    def __str__(self) -> str:
        return self.value


class HealthStatus(str, enum.Enum):
    """Whether a server, service or model can serve."""

    SERVING = "serving"
    NOT_SERVING = "not_serving"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a request took, in token ids."""

    prompt_tokens: int
    completion_tokens: int


class TopToken(NamedTuple):
    """One of the likeliest tokens in a place."""

    token_id: int
    log_prob: float


@dataclasses.dataclass(frozen=True)
class Generation:
    """A whole output."""

    request_id: str
    # Without special tokens and stop text.
    text: str
    # The ids produced, an end token included.
    token_ids: List[int]
    finish_reason: FinishReason
    usage: Usage
    # The stop text or the end token's id that ended it, with STOP.
    stop_match: Union[str, int, None] = None
    # One a token, where they were asked for.
    log_probs: Optional[List[float]] = None
    # The same: the likeliest tokens in each one's place.
    top_log_probs: Optional[List[List[TopToken]]] = None


@dataclasses.dataclass(frozen=True)
class Score:
    """How likely a text is."""

    request_id: str
    # n of them.
    token_ids: List[int]
    # n - 1: of token_ids[i + 1] given those before it. Natural logarithms.
    log_probs: List[float]
    # n - 1: the likeliest token in the place of token_ids[i + 1], and its
    # log-probability.
    top_token_ids: List[int]
    top_log_probs: List[float]

    @property
    def total(self) -> float:
        """The log-probability of all but the first token."""
        return math.fsum(self.log_probs)

    @property
    def perplexity(self) -> float:
        return math.exp(-self.total / len(self.log_probs))


@dataclasses.dataclass(frozen=True)
class Accepted:
    """The request waits for its turn. Comes again if the call is sent again."""

    request_id: str
    # Requests of this model that wait already.
    queue_position: int


@dataclasses.dataclass(frozen=True)
class TokenOutput:
    """More output, which never repeats what came before."""

    # May be empty: a tail that may still become a character or a stop text is
    # held back. All of them together are Generation.text.
    text: str
    # None when only text was held back until now.
    token_ids: List[int]
    # One a token of token_ids, where they were asked for.
    log_probs: Optional[List[float]] = None
    # The same: the likeliest tokens in each one's place.
    top_log_probs: Optional[List[List[TopToken]]] = None


@dataclasses.dataclass(frozen=True)
class Resumed:
    """Another worker goes on; no token is lost, repeated or different."""

    # Tokens sent before.
    completion_tokens: int


@dataclasses.dataclass(frozen=True)
class Finished:
    """The last event."""

    finish_reason: FinishReason
    usage: Usage
    stop_match: Union[str, int, None] = None


StreamEvent = Union[Accepted, TokenOutput, Resumed, Finished]

_REASONS: Dict[int, FinishReason] = {
    generation_pb2.FINISH_REASON_STOP: FinishReason.STOP,
    generation_pb2.FINISH_REASON_LENGTH: FinishReason.LENGTH,
    generation_pb2.FINISH_REASON_CANCELLED: FinishReason.CANCELLED,
}


def _reason(value: int) -> FinishReason:
    return _REASONS.get(value, FinishReason.UNKNOWN)


def _usage(message: generation_pb2.Usage) -> Usage:
    return Usage(message.prompt_tokens, message.completion_tokens)


def _stop_match(message: Any) -> Union[str, int, None]:
    """Of what has a field stop_match: its text or id."""
    which = message.stop_match.WhichOneof("match")
    return getattr(message.stop_match, which) if which else None


def _tops(places: Iterable[generation_pb2.TopLogProbs]
          ) -> Optional[List[List[TopToken]]]:
    return [[TopToken(*pair) for pair in zip(top.token_ids, top.log_probs)]
            for top in places] or None


def generation_of(message: inference_service_pb2.GenerateResponse,
                  log_probs: bool) -> Generation:
    return Generation(
        request_id=message.request_id,
        text=message.text,
        token_ids=list(message.token_ids),
        finish_reason=_reason(message.finish_reason),
        usage=_usage(message.usage),
        stop_match=_stop_match(message),
        log_probs=list(message.log_probs) if log_probs else None,
        top_log_probs=_tops(message.top_log_probs))


def score_of(message: inference_service_pb2.ScoreResponse) -> Score:
    return Score(message.request_id, list(message.token_ids),
                 list(message.log_probs), list(message.top_token_ids),
                 list(message.top_log_probs))


def event_of(message: inference_service_pb2.GenerateStreamResponse,
             log_probs: bool) -> Optional[StreamEvent]:
    """None for an event that this package does not know."""
    which = message.WhichOneof("event")
    if which == "accepted":
        return Accepted(message.request_id, message.accepted.queue_position)
    if which == "token_output":
        output = message.token_output
        return TokenOutput(output.text_delta, list(output.token_ids),
                           list(output.log_probs) if log_probs else None,
                           _tops(output.top_log_probs))
    if which == "resumed":
        return Resumed(message.resumed.completion_tokens)
    if which == "finished":
        return Finished(_reason(message.finished.reason),
                        _usage(message.usage), _stop_match(message.finished))
    return None


def is_output(message: inference_service_pb2.GenerateStreamResponse) -> bool:
    """Whether the user has seen of the request's output: no second attempt."""
    return message.HasField("token_output") or message.HasField("finished")


class GenerationBuilder:
    """Puts a stream's messages together to what the unary call returns."""

    def __init__(self, log_probs: bool):
        self.request_id = ""
        self._text: List[str] = []
        self._token_ids: List[int] = []
        self._log_probs: Optional[List[float]] = [] if log_probs else None
        self._tops: List[List[TopToken]] = []
        self._generation: Optional[Generation] = None

    def add(self, message: inference_service_pb2.GenerateStreamResponse
            ) -> Optional[StreamEvent]:
        """The message's event, if it has one that this package knows."""
        self.request_id = message.request_id
        event = event_of(message, self._log_probs is not None)
        if isinstance(event, TokenOutput):
            self._text.append(event.text)
            self._token_ids += event.token_ids
            if self._log_probs is not None:
                self._log_probs += event.log_probs or []
            self._tops += event.top_log_probs or []
        elif isinstance(event, Finished):
            self._generation = Generation(
                self.request_id, "".join(self._text), self._token_ids,
                event.finish_reason, event.usage, event.stop_match,
                self._log_probs, self._tops or None)
        return event

    def result(self) -> Generation:
        if self._generation is None:
            raise HybridServeError(
                "the stream was closed, or ended, before it was finished")
        return self._generation
