"""Batches on a Ray cluster: a callable class for Ray Data's map_batches.

    import ray
    from hybridserve.ray import Generate

    prompts = ray.data.read_parquet("prompts")  # With a column "prompt".
    prompts.map_batches(
        Generate, batch_size=256, concurrency=4,
        fn_constructor_kwargs={"address": "scheduler:50051", "insecure": True,
                               "options": {"max_tokens": 64}},
    ).write_parquet("answers")

Each of the `concurrency` actors has a connection of its own and `window`
requests in flight; the server's queue orders them. Ray itself is imported
nowhere in here.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

from hybridserve import batch as batches
from hybridserve._rows import BatchResult
from hybridserve.client import Client
from hybridserve.options import GenerateOptions

__all__ = ["Generate"]


class Generate:
    """Adds columns to each batch, NumPy's or pandas'.

    text, finish_reason, prompt_tokens and completion_tokens, and error, which
    is "" where a row succeeded; where it did not the others are "" and 0.
    """

    def __init__(self, address: str, *, prompt_column: str = "prompt",
                 option_columns: Sequence[str] = (), prefix: str = "",
                 window: int = batches.WINDOW,
                 give_up_after: float = batches.GIVE_UP_AFTER_SECONDS,
                 options: Optional[GenerateOptions] = None,
                 **connection: Any):
        """Runs on the actor.

        Args:
            address: of the scheduler, as seen from Ray's nodes.
            prompt_column: of the data.
            option_columns: columns that are options of their rows.
            prefix: begins the names of the added columns.
            window: requests in flight at once.
            give_up_after: seconds of refusals, with no row running.
            options: of all rows: see GenerateOptions.
            **connection: more arguments of Client.
        """
        self._client = Client(address, **connection)
        self._prompt_column = prompt_column
        self._option_columns = tuple(option_columns)
        self._prefix = prefix
        self._window = window
        self._give_up_after = give_up_after
        self._options: GenerateOptions = options or {}

    def __call__(self, batch: Any) -> Any:
        results = list(batches.generate(
            self._client, self._rows(batch), window=self._window,
            give_up_after=self._give_up_after, **self._options))
        added = {self._prefix + name: values
                 for name, values in _columns(results).items()}
        if not isinstance(batch, Mapping):  # A DataFrame.
            return batch.assign(**added)
        import numpy as np

        arrays = {name: np.array(values, dtype=object if values and isinstance(
            values[0], str) else None) for name, values in added.items()}
        return {**batch, **arrays}

    def _rows(self, batch: Any) -> List[Dict[str, Any]]:
        names = {"prompt": self._prompt_column,
                 **{name: name for name in self._option_columns}}
        columns = {option: _plain(batch[column])
                   for option, column in names.items()}
        return [dict(zip(columns, values)) for values in zip(*columns.values())]


def _plain(column: Any) -> List[Any]:
    """A column's values as Python's own types."""
    return list(column.tolist() if hasattr(column, "tolist") else column)


def _columns(results: Sequence[BatchResult]) -> Dict[str, List[Any]]:
    done = [result.generation for result in results]
    return {
        "text": [each.text if each else "" for each in done],
        "finish_reason": [str(each.finish_reason) if each else ""
                          for each in done],
        "prompt_tokens": [each.usage.prompt_tokens if each else 0
                          for each in done],
        "completion_tokens": [each.usage.completion_tokens if each else 0
                              for each in done],
        "error": ["" if result.ok else str(result.error)
                  for result in results],
    }
