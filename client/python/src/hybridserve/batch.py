"""Many prompts, with a window of requests in flight.

    from hybridserve import Client, batch

    with Client("localhost:50051") as client:
        for result in batch.generate(client, prompts, max_tokens=64):
            print(result.generation.text if result.ok else result.error)

An error of a row is the row's, in its result; none is raised. A full, draining
or absent server is waited for, until it has refused everything for
`give_up_after` seconds and has no row: those after that get the error at once.
For files that must survive being killed there is the program:
`hybridserve batch`.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
from typing import (Any, AsyncIterator, Dict, Iterator, List, Sequence, Set,
                    TYPE_CHECKING, Union)

from hybridserve._calls import Canceller
from hybridserve._flight import Flight, Outcome, Runner
from hybridserve._rows import BatchResult, Row, is_frame, is_series, rows_of
from hybridserve.async_client import AsyncClient
from hybridserve.client import Client
from hybridserve.options import GenerateOptions

if TYPE_CHECKING:
    import pandas
    from typing_extensions import Unpack

__all__ = ["BatchResult", "generate", "generate_async", "generate_frame"]

# As many as `hybridserve batch` has.
WINDOW = 64
GIVE_UP_AFTER_SECONDS = 600.0


def generate(client: Client, rows: Any, *, window: int = WINDOW,
             ordered: bool = True,
             give_up_after: float = GIVE_UP_AFTER_SECONDS,
             prompt_column: str = "prompt", option_columns: Sequence[str] = (),
             **options: Unpack[GenerateOptions]) -> Iterator[BatchResult]:
    """The result of each row, in memory bounded by the window.

    Closing the iterator cancels what is in flight, on the server too.

    Args:
        client: of the server. Its retry policy stands aside for the batch's.
        rows: an iterable, a Series or a DataFrame. A row is a text, token ids,
            or a mapping with "prompt" or "token_ids" and options of its own.
        window: requests in flight at once.
        ordered: results in the order of the rows; else as they complete.
        give_up_after: seconds of refusals, with no row running.
        prompt_column: of a DataFrame.
        option_columns: columns of a DataFrame that are options of their rows.
        **options: see GenerateOptions; `timeout` is for each row.
    """
    runner = Runner(give_up_after)
    prepared = rows_of(rows, prompt_column, option_columns, options)
    _check_window(window)
    return _run_threads(client, runner, prepared, window, ordered)


async def generate_async(client: AsyncClient, rows: Any, *,
                         window: int = WINDOW, ordered: bool = True,
                         give_up_after: float = GIVE_UP_AFTER_SECONDS,
                         prompt_column: str = "prompt",
                         option_columns: Sequence[str] = (),
                         **options: Unpack[GenerateOptions]
                         ) -> AsyncIterator[BatchResult]:
    """generate() for asyncio, where a window of thousands costs little."""
    runner = Runner(give_up_after)
    prepared = rows_of(rows, prompt_column, option_columns, options)
    _check_window(window)
    done: asyncio.Queue[Outcome] = asyncio.Queue()
    tasks: Set[asyncio.Task[None]] = set()

    async def run(row: Row) -> None:
        try:
            done.put_nowait(await runner.run_async(client, row))
        except Exception as error:  # For the caller of the iterator.
            done.put_nowait(error)

    def start(row: Row) -> None:
        task = asyncio.ensure_future(run(row))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    flight = Flight(prepared, window, ordered, start)
    try:
        while flight.fill():
            for result in flight.land(await done.get()):
                yield result
    finally:
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def generate_frame(client: Client,
                   rows: Union[pandas.DataFrame, pandas.Series[Any]], *,
                   prompt_column: str = "prompt",
                   option_columns: Sequence[str] = (), prefix: str = "",
                   window: int = WINDOW,
                   give_up_after: float = GIVE_UP_AFTER_SECONDS,
                   **options: Unpack[GenerateOptions]) -> pandas.DataFrame:
    """The rows with columns added, whose names begin with `prefix`.

    text, finish_reason, prompt_tokens, completion_tokens, token_ids, and
    error: missing where a row succeeded. The index stays.
    """
    import pandas as pd

    if is_series(rows):
        frame = rows.to_frame(prompt_column)
    elif is_frame(rows):
        frame = rows.copy()
    else:
        raise TypeError("rows: must be a pandas DataFrame or Series, not "
                        f"{type(rows).__name__}")
    results = list(generate(client, frame, window=window,
                            give_up_after=give_up_after,
                            prompt_column=prompt_column,
                            option_columns=option_columns, **options))
    columns = _columns(results)
    types = {"prompt_tokens": "Int64", "completion_tokens": "Int64"}
    for name, values in columns.items():
        # By position: labels may repeat.
        frame[prefix + name] = pd.Series(
            values, dtype=types.get(name, "object")).array
    return frame


def _columns(results: Sequence[BatchResult]) -> Dict[str, List[Any]]:
    """Of equally many values, None where there is none."""
    done = [result.generation for result in results]
    return {
        "text": [each and each.text for each in done],
        "finish_reason": [each and str(each.finish_reason) for each in done],
        "prompt_tokens": [each and each.usage.prompt_tokens for each in done],
        "completion_tokens": [each and each.usage.completion_tokens
                              for each in done],
        "token_ids": [each and each.token_ids for each in done],
        "error": [None if result.ok else str(result.error)
                  for result in results],
    }


def _check_window(window: int) -> None:
    if window < 1:
        raise ValueError("window: must be at least 1")


def _run_threads(client: Client, runner: Runner, rows: Iterator[Row],
                 window: int, ordered: bool) -> Iterator[BatchResult]:
    """A thread for each request in flight."""
    done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    cancellers: Set[Canceller] = set()
    pool = concurrent.futures.ThreadPoolExecutor(window, "hybridserve")

    def run(row: Row, canceller: Canceller) -> None:
        try:
            done.put(runner.run(client, row, canceller))
        except Exception as error:  # For the caller of the iterator.
            done.put(error)
        finally:
            cancellers.discard(canceller)

    def start(row: Row) -> None:
        canceller = Canceller()
        cancellers.add(canceller)
        pool.submit(run, row, canceller)

    flight = Flight(rows, window, ordered, start)
    try:
        while flight.fill():
            yield from flight.land(done.get())
    finally:
        for canceller in list(cancellers):
            canceller.cancel()
        pool.shutdown(wait=True)
