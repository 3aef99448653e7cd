"""The keyword arguments of calls."""

from __future__ import annotations

from typing import Mapping, Optional, Sequence, Type, TypedDict, Union

# TypedDict's own type is private.
_TypedDictClass = Type[object]


class CallOptions(TypedDict, total=False):
    """Of every call."""

    # Seconds for all attempts together; None: no deadline. Default: the
    # client's.
    timeout: Optional[float]
    # Whose the call is, for API keys that may say so. Default: the client's.
    tenant: Optional[str]
    # A W3C trace parent for the server's log.
    traceparent: Optional[str]


class ModelOptions(CallOptions, total=False):
    """Of calls to a model."""

    # Not needed where the server has one. Default: the client's.
    model: Optional[str]


class RequestOptions(ModelOptions, total=False):
    """Of calls that wait for a worker."""

    # Names the request for abort() and in logs. Default: the server makes one.
    request_id: Optional[str]
    # Of one tenant's requests larger ones go first; in [-100, 100].
    priority: Optional[int]


class GenerateOptions(RequestOptions, total=False):
    """Of generate() and stream().

    What is not given, or None, has the server's default, which differs from 0.
    Ranges are the server's to check: InvalidArgumentError naming the field.
    """

    # Default 128, or what the model's limit leaves.
    max_tokens: Optional[int]
    # End tokens end nothing before so many.
    min_tokens: Optional[int]
    # 0 takes the most likely token. Default 0.
    temperature: Optional[float]
    # In (0, 1]. Default 1.
    top_p: Optional[float]
    # 0: all. Default 0.
    top_k: Optional[int]
    # What tokens lose that are in the output, and for each time that they are;
    # in [-2, 2]. Default 0.
    presence_penalty: Optional[float]
    frequency_penalty: Optional[float]
    # Above 1 makes tokens of the prompt and the output less likely. Default 1.
    repetition_penalty: Optional[float]
    # What logits gain, by token id; in [-100, 100].
    logit_bias: Optional[Mapping[int, float]]
    # Makes draws repeatable.
    seed: Optional[int]
    # Texts, and token ids, that end the output.
    stop: Union[str, int, Sequence[Union[str, int]], None]
    # Goes on after the model's own end tokens.
    ignore_eos: Optional[bool]
    # Asks for the log-probability of each token.
    log_probs: Optional[bool]
    # Asks for so many of the likeliest tokens in each place; at most 20.
    top_log_probs: Optional[int]
    # Where sampling fields that are not given come from: "none" (the defaults
    # above) or "model" (its generation_config.json).
    generation_config: Optional[str]


def check_names(function: str, given: object, allowed: _TypedDictClass) -> None:
    """TypeError for a keyword that the function does not have."""
    assert isinstance(given, dict)
    for name in given:
        if name not in allowed.__annotations__:
            raise TypeError(
                f"{function}() got an unexpected keyword argument {name!r}")
