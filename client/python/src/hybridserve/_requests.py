"""Messages made of keyword arguments."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Optional, Sequence, TypeVar

from hybridserve.errors import invalid_argument
from hybridserve.options import GenerateOptions, ModelOptions, RequestOptions
from hybridserve.v1 import generation_pb2, inference_service_pb2

_GenerateMessage = TypeVar("_GenerateMessage",
                           inference_service_pb2.GenerateRequest,
                           inference_service_pb2.GenerateStreamRequest)

_GENERATION_CONFIGS = {
    "none": generation_pb2.GENERATION_CONFIG_NONE,
    "model": generation_pb2.GENERATION_CONFIG_MODEL,
}


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)  # numpy's integers are some.


def _number(value: Any) -> float:
    if isinstance(value, (bool, str)):
        raise TypeError
    return float(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    raise TypeError


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _convert(field: str, value: Any, kind: Callable[[Any], Any],
             want: str) -> Any:
    """Raises TypeError naming the field for a value of another type."""
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise TypeError(f"{field}: must be {want}, not "
                        f"{type(value).__name__}") from None


def _set(message: Any, name: str, path: str, value: Any,
         kind: Callable[[Any], Any], want: str) -> None:
    """Sets a field, unless None: unset differs from 0."""
    if value is None:
        return
    converted = _convert(path, value, kind, want)
    try:
        setattr(message, name, converted)
    except UnicodeEncodeError as error:
        raise invalid_argument(
            path, f"is not Unicode text: {error.reason} at character "
            f"{error.start}") from None
    except ValueError:
        raise invalid_argument(path, "is out of range" if want == "an integer"
                               else "cannot be sent") from None


def _set_ids(ids: Any, path: str, values: Any) -> None:
    if isinstance(values, (str, bytes)):
        raise TypeError(f"{path}: must be integers, not "
                        f"{type(values).__name__}")
    try:
        converted = [_integer(value) for value in values]
    except TypeError:
        raise TypeError(f"{path}: must be integers") from None
    try:
        ids.extend(converted)
    except ValueError:
        raise invalid_argument(path, "has an id that is out of range") from None


def _set_input(message: Any, name: str, text: Optional[str],
               token_ids: Optional[Sequence[int]]) -> None:
    """`name` or token_ids: one of them."""
    if (text is None) == (token_ids is None):
        raise TypeError(f"give one of {name} and token_ids")
    if token_ids is None:
        _set(message, name, name, text, _text, "a string")
    else:
        message.token_ids.SetInParent()
        _set_ids(message.token_ids.ids, "token_ids", token_ids)


def set_model(message: Any, options: ModelOptions) -> None:
    _set(message, "model", "model", options.get("model"), _text, "a string")


def _set_request(message: Any, options: RequestOptions) -> None:
    set_model(message, options)
    _set(message, "request_id", "request_id", options.get("request_id"), _text,
         "a string")
    _set(message, "priority", "priority", options.get("priority"), _integer,
         "an integer")


def _set_logit_bias(biases: Any, values: Any) -> None:
    if values is None:
        return
    path = "sampling.logit_bias"
    if not isinstance(values, Mapping):
        raise TypeError(f"{path}: must be a mapping of token ids to numbers, "
                        f"not {type(values).__name__}")
    for token, bias in values.items():
        token_id = _convert(path, token, _integer, "of integers to numbers")
        number = _convert(path, bias, _number, "of integers to numbers")
        try:
            biases[token_id] = number
        except ValueError:
            raise invalid_argument(
                path, "has an id that is out of range") from None


def _set_sampling(sampling: Any, options: GenerateOptions) -> None:
    for name in ("temperature", "top_p", "presence_penalty",
                 "frequency_penalty", "repetition_penalty"):
        _set(sampling, name, f"sampling.{name}", options.get(name), _number,
             "a number")
    _set_logit_bias(sampling.logit_bias, options.get("logit_bias"))
    for name in ("top_k", "seed"):
        _set(sampling, name, f"sampling.{name}", options.get(name), _integer,
             "an integer")


def _set_stopping(stopping: Any, options: GenerateOptions) -> None:
    for name in ("max_tokens", "min_tokens"):
        _set(stopping, name, f"stopping.{name}", options.get(name), _integer,
             "an integer")
    _set(stopping, "ignore_eos", "stopping.ignore_eos",
         options.get("ignore_eos"), _flag, "True or False")
    stop = options.get("stop")
    if stop is None:
        return
    conditions: Iterable[Any] = (
        stop if isinstance(stop, Iterable) and not isinstance(stop, str)
        else [stop])
    for index, condition in enumerate(conditions):
        path = f"stopping.conditions[{index}]"
        added = stopping.conditions.add()
        if isinstance(condition, str):
            _set(added, "text", f"{path}.text", condition, _text, "a string")
        else:
            _set(added, "token_id", f"{path}.token_id", condition, _integer,
                 "a string or an integer")


def _set_generation_config(message: Any, options: GenerateOptions) -> None:
    name = options.get("generation_config")
    if name is None:
        return
    if name not in _GENERATION_CONFIGS:
        raise invalid_argument("generation_config",
                               f'{name!r} is neither "none" nor "model"')
    message.generation_config = _GENERATION_CONFIGS[name]


def generate_request(kind: Callable[[], _GenerateMessage],
                     prompt: Optional[str],
                     token_ids: Optional[Sequence[int]],
                     options: GenerateOptions) -> _GenerateMessage:
    """Of either kind, unary or streamed."""
    message = kind()
    _set_input(message, "prompt", prompt, token_ids)
    _set_request(message, options)
    _set_sampling(message.sampling, options)
    _set_stopping(message.stopping, options)
    _set(message.response, "log_probs", "response.log_probs",
         options.get("log_probs"), _flag, "True or False")
    _set(message.response, "top_log_probs", "response.top_log_probs",
         options.get("top_log_probs"), _integer, "an integer")
    _set_generation_config(message, options)
    return message


def score_request(text: Optional[str], token_ids: Optional[Sequence[int]],
                  options: RequestOptions
                  ) -> inference_service_pb2.ScoreRequest:
    message = inference_service_pb2.ScoreRequest()
    _set_input(message, "text", text, token_ids)
    _set_request(message, options)
    return message


def tokenize_request(text: str, add_special_tokens: Optional[bool],
                     options: ModelOptions
                     ) -> inference_service_pb2.TokenizeRequest:
    message = inference_service_pb2.TokenizeRequest()
    set_model(message, options)
    _set(message, "text", "text", text, _text, "a string")
    _set(message, "add_special_tokens", "add_special_tokens",
         add_special_tokens, _flag, "True or False")
    return message


def detokenize_request(token_ids: Sequence[int],
                       skip_special_tokens: Optional[bool],
                       options: ModelOptions
                       ) -> inference_service_pb2.DetokenizeRequest:
    message = inference_service_pb2.DetokenizeRequest()
    set_model(message, options)
    _set_ids(message.token_ids, "token_ids", token_ids)
    _set(message, "skip_special_tokens", "skip_special_tokens",
         skip_special_tokens, _flag, "True or False")
    return message


def named(kind: Callable[[], Any], field: str, name: Optional[str]) -> Any:
    """A message of one field, a name."""
    message = kind()
    _set(message, field, field, name, _text, "a string")
    return message
