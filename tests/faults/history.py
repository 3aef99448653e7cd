"""What happened in a run, event by event, as JSON lines.

Kinds of events and their fields; `t` is seconds since the run began, on one
monotonic clock:

    config          max_queue_requests, max_queue_tokens, max_running, workers,
                    detection_s: a silent worker is given up within that time
    begin           request, reference (a key of the undisturbed run's answers),
                    deadline_s (or null)
    accepted        request
    tokens          request, position (of the first id), ids, text
    resumed         request, completion_tokens
    finished        request, reason, completion_tokens (by the server's usage)
    cancel          request, how (call, abort, vanish): before it is done
    status          request, code: how the call ended for its client
    vanished        request: its client is gone and cannot tell the end
    fault           fault (a dict with its kind)
    skipped         fault (its kind), why
    fake_worker_end how, end: the status that a lying worker got
    clock_jumped    program
    worker_down     worker, why; worker_up: it runs and can be reached again
    scheduler_down  scheduler_up
    sample          serving (null: no answer), ready (workers), running,
                    waiting, waiting_tokens
    cancel_probe    how, steps (begun after the last of the work was
                    cancelled), released (every slot came back)
    quiesce         pools, running, waiting, requests (the server's counts)
    probe           served (a request at the end was answered)
    crash           program, code: it ended though nobody had stopped it
    stop            program, code: it ended after SIGTERM
    batch           lines, missing, doubled, errors, different: the output file
                    of a batch job against its input
    hang            what: something that had to end did not
"""

import json
import pathlib
import threading
import time
from typing import Any, Dict, List

Event = Dict[str, Any]


class History:
    """Collects events of all threads. Thread-safe."""

    def __init__(self):
        self._begin = time.monotonic()
        self._lock = threading.Lock()
        self._events: List[Event] = []

    def now(self) -> float:
        return round(time.monotonic() - self._begin, 4)

    def add(self, kind: str, **fields: Any) -> None:
        with self._lock:
            # Timed under the lock: events are in the order of their times.
            self._events.append({"t": self.now(), "kind": kind, **fields})

    def events(self) -> List[Event]:
        with self._lock:
            return list(self._events)

    def write(self, path: pathlib.Path) -> None:
        with open(path, "w", encoding="utf-8") as file:
            for event in self.events():
                file.write(json.dumps(event) + "\n")


def read(path: pathlib.Path) -> List[Event]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]
