"""The rows of a batch: what callers give, made into calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Dict, Hashable, Iterator, List, Optional, Sequence, cast

from hybridserve.errors import (InvalidArgumentError, StatusError,
                                invalid_argument)
from hybridserve.options import GenerateOptions, check_names
from hybridserve.results import Generation


@dataclasses.dataclass(frozen=True)
class BatchResult:
    """What became of one row: a generation or an error, never both."""

    # Of the row in the input, from 0.
    index: int
    # The row's label in a Series or DataFrame; otherwise its index.
    key: Hashable
    generation: Optional[Generation] = None
    error: Optional[StatusError] = None

    @property
    def ok(self) -> bool:
        return self.error is None

    def get(self) -> Generation:
        """The generation. Raises the error if there is one."""
        if self.error is not None:
            raise self.error
        assert self.generation is not None
        return self.generation


@dataclasses.dataclass(frozen=True)
class Row:
    """A call of its own, or what is wrong with it."""

    index: int
    key: Hashable
    prompt: Optional[str] = None
    token_ids: Optional[Sequence[int]] = None
    options: GenerateOptions = dataclasses.field(
        default_factory=lambda: cast(GenerateOptions, {}))
    error: Optional[InvalidArgumentError] = None


def is_frame(rows: Any) -> bool:
    """A pandas DataFrame, told without importing pandas."""
    return hasattr(rows, "iloc") and hasattr(rows, "columns")


def is_series(rows: Any) -> bool:
    return hasattr(rows, "iloc") and not hasattr(rows, "columns")


def is_missing(value: Any) -> bool:
    """None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def rows_of(given: Any, prompt_column: str, option_columns: Sequence[str],
            options: GenerateOptions) -> Iterator[Row]:
    """One by one, as they are asked for. TypeError for what has no rows."""
    check_names("generate", options, GenerateOptions)
    check_names("generate", dict.fromkeys(option_columns), GenerateOptions)
    if isinstance(given, (str, bytes, Mapping)):
        raise TypeError("rows: must be an iterable of prompts, not "
                        f"{type(given).__name__}")
    if is_frame(given):
        return _frame_rows(given, prompt_column, option_columns, options)
    if is_series(given):
        return (_row(index, key, value, options)
                for index, (key, value) in enumerate(given.items()))
    if not isinstance(given, Iterable):
        raise TypeError("rows: must be an iterable of prompts, not "
                        f"{type(given).__name__}")
    return (_row(index, index, value, options)
            for index, value in enumerate(given))


def _frame_rows(frame: Any, prompt_column: str, option_columns: Sequence[str],
                options: GenerateOptions) -> Iterator[Row]:
    for column in (prompt_column, *option_columns):
        if column not in frame.columns:
            raise KeyError(f"the frame has no column {column!r}")
    columns = [list(frame[name]) for name in option_columns]
    return (_mapping_row(
        index, key, {"prompt": prompt,
                     **dict(zip(option_columns,
                                (values[index] for values in columns)))},
        options) for index, (key, prompt)
        in enumerate(frame[prompt_column].items()))


def _whole(value: Any) -> Any:
    """pandas makes floats of a column of integers where some are missing."""
    if isinstance(value, float) and value.is_integer():
        return _IntegralFloat(value)
    return value


class _IntegralFloat(float):
    """A float that integer fields take as well."""

    def __index__(self) -> int:
        return int(self)


def _row(index: int, key: Hashable, value: Any,
         options: GenerateOptions) -> Row:
    if isinstance(value, Mapping):
        return _mapping_row(index, key, value, options)
    return _input_row(index, key, value, options)


def _input_row(index: int, key: Hashable, value: Any,
               options: GenerateOptions) -> Row:
    """Of a prompt, which may be given as token ids."""
    if is_missing(value):
        return Row(index, key, error=invalid_argument("prompt", "is missing"))
    if isinstance(value, str):
        return Row(index, key, prompt=value, options=options)
    if isinstance(value, bytes) or not hasattr(value, "__len__"):
        return Row(index, key, error=invalid_argument(
            "prompt", f"must be a string, not {type(value).__name__}"))
    return Row(index, key, token_ids=value, options=options)


def _mapping_row(index: int, key: Hashable, value: Mapping[Any, Any],
                 options: GenerateOptions) -> Row:
    own: Dict[str, Any] = {name: _whole(each) for name, each in value.items()
                           if not is_missing(each)}
    prompt = own.pop("prompt", own.pop("token_ids", None))
    if "prompt" in value and "token_ids" in value:
        return Row(index, key, error=invalid_argument(
            "input", "give one of prompt and token_ids"))
    unknown: List[str] = [str(name) for name in own
                          if name not in GenerateOptions.__annotations__]
    if unknown:
        return Row(index, key, error=invalid_argument(unknown[0], "is unknown"))
    return _input_row(index, key, prompt,
                      cast(GenerateOptions, {**options, **own}))
