"""Each call, ready to be sent: method, request, and what its response means."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Generic, List, Optional, Sequence, TypeVar

from hybridserve import _details, _requests
from hybridserve._services import Services
from hybridserve.errors import invalid_argument
from hybridserve.options import (CallOptions, GenerateOptions, ModelOptions,
                                 RequestOptions, check_names)
from hybridserve.results import (Generation, HealthStatus, Score,
                                 generation_of, is_output, score_of)
from hybridserve.v1 import (control_service_pb2, inference_service_pb2,
                            load_pb2, model_service_pb2)

Result = TypeVar("Result")

_HEALTH = {1: HealthStatus.SERVING, 2: HealthStatus.NOT_SERVING}


@dataclasses.dataclass(frozen=True)
class Prepared(Generic[Result]):
    """A call with one response."""

    method: Any
    request: Any
    options: CallOptions
    result: Callable[[Any], Result]


@dataclasses.dataclass(frozen=True)
class PreparedStream:
    """A call with many."""

    method: Any
    request: Any
    options: CallOptions
    # Whether the call is not sent again after this message.
    commits: Callable[[Any], bool]


def generate(services: Services, prompt: Optional[str],
             token_ids: Optional[Sequence[int]],
             options: GenerateOptions) -> Prepared[Generation]:
    check_names("generate", options, GenerateOptions)
    request = _requests.generate_request(
        inference_service_pb2.GenerateRequest, prompt, token_ids, options)
    log_probs = bool(options.get("log_probs"))
    return Prepared(services.inference.Generate, request, options,
                    lambda response: generation_of(response, log_probs))


def stream(services: Services, prompt: Optional[str],
           token_ids: Optional[Sequence[int]],
           options: GenerateOptions) -> PreparedStream:
    check_names("stream", options, GenerateOptions)
    request = _requests.generate_request(
        inference_service_pb2.GenerateStreamRequest, prompt, token_ids,
        options)
    return PreparedStream(services.inference.GenerateStream, request, options,
                          is_output)


def score(services: Services, text: Optional[str],
          token_ids: Optional[Sequence[int]],
          options: RequestOptions) -> Prepared[Score]:
    check_names("score", options, RequestOptions)
    return Prepared(services.inference.Score,
                    _requests.score_request(text, token_ids, options), options,
                    score_of)


def tokenize(services: Services, text: str, add_special_tokens: Optional[bool],
             options: ModelOptions) -> Prepared[List[int]]:
    check_names("tokenize", options, ModelOptions)
    return Prepared(
        services.inference.Tokenize,
        _requests.tokenize_request(text, add_special_tokens, options), options,
        lambda response: list(response.token_ids))


def detokenize(services: Services, token_ids: Sequence[int],
               skip_special_tokens: Optional[bool],
               options: ModelOptions) -> Prepared[str]:
    check_names("detokenize", options, ModelOptions)
    return Prepared(
        services.inference.Detokenize,
        _requests.detokenize_request(token_ids, skip_special_tokens, options),
        options, lambda response: str(response.text))


def models(services: Services, options: CallOptions
           ) -> Prepared[List[model_service_pb2.Model]]:
    check_names("models", options, CallOptions)
    return Prepared(services.models.ListModels,
                    model_service_pb2.ListModelsRequest(), options,
                    lambda response: list(response.models))


def model(services: Services, name: Optional[str],
          options: CallOptions) -> Prepared[model_service_pb2.Model]:
    check_names("model", options, CallOptions)
    return Prepared(services.models.GetModel,
                    _requests.named(model_service_pb2.GetModelRequest, "name",
                                    name), options,
                    lambda response: response.model)


def server_info(services: Services, options: CallOptions
                ) -> Prepared[control_service_pb2.GetServerInfoResponse]:
    check_names("server_info", options, CallOptions)
    return Prepared(services.control.GetServerInfo,
                    control_service_pb2.GetServerInfoRequest(), options,
                    lambda response: response)


def load(services: Services, options: CallOptions) -> Prepared[load_pb2.Load]:
    check_names("load", options, CallOptions)
    return Prepared(services.control.GetLoad,
                    control_service_pb2.GetLoadRequest(), options,
                    lambda response: response.load)


def watch_load(services: Services, interval: float,
               options: CallOptions) -> PreparedStream:
    check_names("watch_load", options, CallOptions)
    if not 0 <= interval < 2**32 / 1000:
        raise invalid_argument("interval_ms", "is out of range")
    return PreparedStream(
        services.control.WatchLoad,
        control_service_pb2.WatchLoadRequest(
            interval_ms=round(interval * 1000)),
        options, lambda message: True)


def abort(services: Services, request_id: str,
          options: CallOptions) -> Prepared[None]:
    check_names("abort", options, CallOptions)
    return Prepared(services.control.Abort,
                    _requests.named(control_service_pb2.AbortRequest,
                                    "request_id", request_id), options,
                    lambda response: None)


def drain(services: Services, options: CallOptions) -> Prepared[None]:
    check_names("drain", options, CallOptions)
    return Prepared(services.control.Drain, control_service_pb2.DrainRequest(),
                    options, lambda response: None)


def health(services: Services, service: str,
           options: CallOptions) -> Prepared[HealthStatus]:
    check_names("health", options, CallOptions)
    return Prepared(
        services.check_health,
        _requests.named(_details.HealthCheckRequest, "service", service),
        options,
        lambda response: _HEALTH.get(response.status, HealthStatus.UNKNOWN))
