"""Updates, scales and drains a cell of real processes under load, following
the rendered manifests of cpu-demo, and counts the requests that fail.

Usage: rollout.py PROGRAMS_ROOT [--time_scale=S] [--clients=N]
                  [--max_tokens=N] [--json=FILE]

Probes, thresholds, preStop, grace periods, update strategies, disruption
budgets, ports, flags and Services are those of `kubectl kustomize`; the retry
policy is docs/grpc_service_config.json. Not Kubernetes': the containers are
plain processes, and limits are not enforced. With --time_scale below 1 the
pauses between probes, preStop and the lag of endpoints are that much shorter.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
import time
from typing import Callable

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.e2e.processes import Programs  # noqa: E402
from tests.k8s.rendering import Object, render  # noqa: E402
from tests.k8s.rollout.controllers import (  # noqa: E402
    Cluster, Deployment, StatefulSet, wait_until)
from tests.k8s.rollout.load import (  # noqa: E402
    Load, Outcome, codes_without_retries, failures)

OVERLAY = "overlays/cpu-demo"
POLICY = ROOT / "docs" / "grpc_service_config.json"
# Of undisturbed load between one thing and the next.
QUIET_S = 1.0


@dataclasses.dataclass
class Phase:
    """One thing that is done to the cell, and the requests it met."""

    name: str
    begun: float
    ended: float
    requests: int = 0
    resumed: int = 0
    slowest_s: float = 0
    failures: list[str] = dataclasses.field(default_factory=list)
    codes_without_retries: dict[str, int] = dataclasses.field(
        default_factory=dict)

    def judge(self, outcomes: list[Outcome]) -> None:
        met = [o for o in outcomes
               if o.begun < self.ended and o.ended > self.begun]
        retrying = [o for o in met if o.retries]
        self.requests = len(retrying)
        self.resumed = sum(o.resumed for o in met)
        self.slowest_s = max((o.ended - o.begun for o in retrying), default=0)
        self.failures = failures(met)
        self.codes_without_retries = codes_without_retries(met)


@dataclasses.dataclass
class Result:
    phases: list[Phase]
    failures: list[str]  # Of requests, in all phases and between.
    faults: list[str]  # Of pods.
    refused_evictions: int


class Rollout:
    """Of the cell that `objects` describe; its phases, by name."""

    def __init__(self, objects: list[Object], programs: Programs,
                 time_scale: float, clients: int, max_tokens: int = 96):
        self._done: list[Phase] = []
        self._refused = 0
        self._clients = clients
        self._max_tokens = max_tokens
        self._load: Load | None = None
        self._cluster = Cluster(objects, programs, ROOT, time_scale)
        self._scheduler = Deployment(self._cluster, "scheduler")
        self._workers = StatefulSet(self._cluster, "worker")
        many = self._workers.replicas
        self.phases: dict[str, Callable[[], None]] = {
            "nothing": lambda: time.sleep(5 * QUIET_S),
            "rolling update of the workers": self._workers.rolling_update,
            "one worker more": lambda: self._workers.scale(many + 1),
            "one worker less": lambda: self._workers.scale(many),
            "all nodes drained": self._drain_nodes,
            "update of the scheduler": self._scheduler.recreate,
        }

    def run(self) -> Result:
        """All phases, one after the other, under load."""
        with self._cluster as cluster:
            # In any order: workers dial for ever.
            self._workers.start()
            self._scheduler.start()
            self._scheduler.wait_ready()
            self._workers.wait_ready()
            self._load = Load(cluster.address("scheduler", "grpc"), POLICY,
                              self._clients, self._max_tokens)
            for name, action in self.phases.items():
                self._do(name, action)
            # What waits for its next attempt comes through in the end.
            outcomes = self._load.stop()
            self._do("the end", self._end)
            for phase in self._done:
                phase.judge(outcomes)
            return Result(self._done, failures(outcomes), cluster.faults(),
                          self._refused)

    def when_a_stream_begins(self,
                             action: Callable[[], None]) -> Callable[[], None]:
        """A phase that does `action` as soon as a stream has a first token."""
        def phase() -> None:
            self._load.wait_for_stream()
            action()
        return phase

    def _do(self, name: str, action: Callable[[], None]) -> None:
        begun = time.monotonic()
        action()
        self._done.append(Phase(name, begun, time.monotonic()))
        print(f"{name}: {self._done[-1].ended - begun:.1f} s", flush=True)
        time.sleep(QUIET_S)

    def _drain_nodes(self) -> None:
        """All at once, each on a node of its own."""
        old = list(self._workers.pods.values())
        waiting = set(range(self._workers.replicas))

        def evict_all() -> bool:
            for ordinal in sorted(waiting):
                if self._workers.evict(ordinal):
                    waiting.remove(ordinal)
                else:
                    self._refused += 1
            return not waiting

        wait_until(evict_all, "a worker is not evicted")
        wait_until(lambda: all(pod.gone.is_set() and
                               pod not in self._workers.pods.values()
                               for pod in old), "a worker does not go")
        self._workers.wait_ready()

    def _end(self) -> None:
        self._workers.scale(0)
        self._scheduler.pod.delete()
        wait_until(self._scheduler.pod.gone.is_set, "the scheduler stays")


def table(result: Result) -> str:
    rows = ["phase | s | requests | failed | resumed | slowest, s | "
            "without retries", "---|---|---|---|---|---|---"]
    for p in result.phases:
        codes = ", ".join(f"{code} {count}" for code, count in
                          sorted(p.codes_without_retries.items()))
        rows.append(f"{p.name} | {p.ended - p.begun:.1f} | {p.requests} | "
                    f"{len(p.failures)} | {p.resumed} | {p.slowest_s:.1f} | "
                    f"{codes}")
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("programs_root")
    parser.add_argument("--time_scale", type=float, default=1)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--max_tokens", type=int, default=96)
    parser.add_argument("--json", type=pathlib.Path)
    flags = parser.parse_args()
    result = Rollout(render(OVERLAY), Programs(flags.programs_root),
                     flags.time_scale, flags.clients, flags.max_tokens).run()
    print(table(result))
    for line in [*result.failures, *result.faults]:
        print(line, file=sys.stderr)
    if flags.json is not None:
        flags.json.write_text(
            json.dumps(dataclasses.asdict(result), indent=1) + "\n")
    return 1 if result.failures or result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
