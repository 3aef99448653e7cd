"""Measures the scheduler under load, beside simulated workers.

    .venv/bin/python tests/load/overload.py

The scheduler has one core; the load generator and the workers, whose steps take
250 ms and no CPU time, have another. Measured are: throughput without an
overload; an overload of ten times the capacity for a minute; the scheduler's
CPU time with 4 workers of 256 sequences; 10,000 queued requests and 2,000 open
streams. Each has targets (overload_targets.py): one that is missed is named,
and the exit status is 1. Needs the programs built (bazel build --config=opt
//scheduler //tests/load:timed_workers //tests/load:load_generator), two cores
and some ten minutes in which the machine does nothing else. Writes
docs/results/overload.{json,md}.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import threading
import time
from typing import Callable, Dict, List

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import result_page  # noqa: E402
from tests.load import overload_targets as targets  # noqa: E402
from tests.load.cluster import Cluster, Programs  # noqa: E402

STEP_SECONDS = 0.25
WORKERS = 4
SEQUENCES = 64  # A worker, in an overload.
MANY_SEQUENCES = 256  # A worker, where CPU time and the queue are measured.
QUEUE = 128
WARM_SECONDS = 10
LENGTHS = ["--prompt_tokens=16-64", "--max_tokens=8-24"]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--bin", default=str(ROOT / "bazel-bin"), help="folder of programs")
    add("--out", default=str(ROOT / "docs/results"), help="folder to write to")
    add("--scheduler_core", type=int, default=0)
    add("--load_core", type=int, default=1)
    add("--seconds", type=int, default=60, help="of every measurement")
    add("--only", default="", help="one measurement's name")
    add("--report_only", action="store_true", help="write the page again")
    return parser.parse_args()


class MemoryWatch:
    """Notes the scheduler's memory every half second, from its start on."""

    def __init__(self, cluster: Cluster):
        self.samples: List[int] = []
        self._cluster = cluster
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            self.samples.append(self._cluster.scheduler_memory())

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._stop.set()
        self._thread.join()


class Measurements:
    """Each returns what it measured."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments

    def cluster(self, sequences: int, queue: int, *flags: str) -> Cluster:
        return Cluster(
            Programs(pathlib.Path(self.arguments.bin)),
            workers=[
                f"--workers={WORKERS}",
                f"--step_time={int(1000 * STEP_SECONDS)}ms",
                f"--max_sequences={sequences}",
                "--log_level=error",
            ],
            scheduler=[
                f"--max_running={sequences}",
                f"--max_queue_requests={queue}",
                "--log_level=error",
                *flags,
            ],
            scheduler_core=self.arguments.scheduler_core,
            load_core=self.arguments.load_core,
        )

    def window(self, timeline: List[int], seconds: int) -> float:
        """A second's mean once it was warm, until the last was sent."""
        return statistics.mean(timeline[WARM_SECONDS:seconds])

    def overload(self) -> Dict:
        """Throughput at the capacity, then ten times as many requests."""
        slots = WORKERS * SEQUENCES
        seconds = self.arguments.seconds + WARM_SECONDS
        with self.cluster(SEQUENCES, QUEUE) as cluster:
            # More than fit, so that no place is ever empty; none is refused.
            alone = cluster.load(
                *LENGTHS,
                f"--concurrency={slots + QUEUE // 2}",
                f"--duration={seconds}s",
            )
            cluster.wait_until_at_rest()
            capacity = self.window(alone["timeline"]["finished"], seconds)
            with MemoryWatch(cluster) as memory:
                cpu = cluster.scheduler_cpu_seconds()
                over = cluster.load(
                    *LENGTHS,
                    "--seed=2",
                    f"--rate={10 * capacity:.1f}",
                    f"--duration={seconds}s",
                )
                cpu = cluster.scheduler_cpu_seconds() - cpu
            cluster.wait_until_at_rest()
        warm = memory.samples[2 * WARM_SECONDS : 2 * seconds]
        return {
            "slots": slots,
            "max_queue_requests": QUEUE,
            "offered_per_s": 10 * capacity,
            "alone": alone,
            "over": over,
            "alone_finished_per_s": capacity,
            "alone_tokens_per_s": self.window(
                alone["timeline"]["tokens"], seconds
            ),
            "over_finished_per_s": self.window(
                over["timeline"]["finished"], seconds
            ),
            "over_tokens_per_s": self.window(
                over["timeline"]["tokens"], seconds
            ),
            "over_cpu_share": cpu / over["seconds"],
            "memory_first_bytes": int(statistics.median(warm[:10])),
            "memory_last_bytes": int(statistics.median(warm[-10:])),
            "memory_peak_bytes": max(memory.samples),
        }

    def steps(self) -> Dict:
        """The scheduler's CPU time while all sequences decode: none comes or
        goes."""
        return {
            "streams": self.decode(1),
            "streams, 4 tokens a message": self.decode(
                1, "--stream_interval=4"
            ),
            "unary": self.decode(0),
        }

    def decode(self, stream_share: int, *flags: str) -> Dict:
        running = WORKERS * MANY_SEQUENCES
        seconds = self.arguments.seconds
        # So that they outlast the measurement.
        tokens = min(480, int((seconds + 30) / STEP_SECONDS))
        with self.cluster(MANY_SEQUENCES, running, *flags) as cluster:
            generator = cluster.start_load(
                "--prompt_tokens=16",
                f"--max_tokens={tokens}",
                f"--stream_share={stream_share}",
                f"--concurrency={running}",
                f"--requests={running}",
            )
            try:
                cluster.wait_until_running(running, 30)
                time.sleep(5)  # Until all prompts have run.
                steps, begin = cluster.steps(), time.monotonic()
                cpu = cluster.scheduler_cpu_seconds()
                threads = cluster.scheduler_thread_cpu_seconds()
                time.sleep(seconds)
                cpu = cluster.scheduler_cpu_seconds() - cpu
                threads = {
                    thread: spent - threads.get(thread, 0)
                    for thread, spent in (
                        cluster.scheduler_thread_cpu_seconds().items()
                    )
                }
                elapsed = time.monotonic() - begin
                steps = cluster.steps() - steps
                cluster.wait_until_running(running, 1)  # None has ended.
            finally:
                generator.kill()
                generator.communicate()
        return {
            "sequences": running,
            "seconds": elapsed,
            "steps": steps,
            "cpu_share": cpu / elapsed,
            "cpu_per_step_s": cpu / steps,
            "busiest_thread_cpu_per_step_s": max(threads.values()) / steps,
            "step_share": cpu / steps / STEP_SECONDS,
            "tokens_per_s": steps * MANY_SEQUENCES / elapsed,
            "cpu_per_token_s": cpu / (steps * MANY_SEQUENCES),
        }

    def queue(self) -> Dict:
        """10,000 requests wait, and 2,000 streams are open."""
        requests, streams = 12_000, 2_000
        rounds = []
        with self.cluster(MANY_SEQUENCES, requests) as cluster:
            before = cluster.scheduler_memory()
            for seed in (1, 2, 3):  # What was given back is used again.
                with MemoryWatch(cluster) as memory:
                    cpu = cluster.scheduler_cpu_seconds()
                    load = cluster.load(
                        *LENGTHS,
                        f"--seed={seed}",
                        f"--stream_share={streams / requests}",
                        f"--concurrency={requests}",
                        f"--requests={requests}",
                    )
                    cpu = cluster.scheduler_cpu_seconds() - cpu
                cluster.wait_until_at_rest()
                rounds.append(
                    {
                        "load": load,
                        "cpu_share": cpu / load["seconds"],
                        "memory_peak_bytes": max(memory.samples),
                    }
                )
            after = cluster.scheduler_memory()
        return {
            "requests": requests,
            "streams": streams,
            "rounds": rounds,
            "memory_before_bytes": before,
            "memory_after_bytes": after,
            "bytes_per_request": (rounds[0]["memory_peak_bytes"] - before)
            / requests,
        }


def machine() -> Dict:
    return {
        **result_page.machine(),
        "kernel": platform.release(),
        "load_average": os.getloadavg()[0],  # Of others, before it begins.
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        ).stdout.strip(),
    }


def measure(arguments: argparse.Namespace, file: pathlib.Path) -> None:
    """Writes `file` after every measurement."""
    measurements = Measurements(arguments)
    every: Dict[str, Callable[[], Dict]] = {
        "overload": measurements.overload,
        "steps": measurements.steps,
        "queue": measurements.queue,
    }
    if arguments.only not in ("", *every):
        sys.exit(f"--only: no measurement {arguments.only}")
    results = json.loads(file.read_text()) if file.exists() else {}
    for name, function in every.items():
        if arguments.only in ("", name):
            print(f"{name}: {function.__doc__.splitlines()[0]}", flush=True)
            results["machine"] = machine()
            results[name] = function()
            file.write_text(json.dumps(results, indent=1) + "\n")


def main() -> None:
    arguments = parse_arguments()
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    file = out / "overload.json"
    if not arguments.report_only:
        measure(arguments, file)
    results = json.loads(file.read_text())
    (out / "overload.md").write_text(targets.page(results))
    print(f"wrote {out}/overload.md")
    missed = [t for t in targets.judge(results) if not t.met]
    for target in missed:
        print(f"missed: {target.what}: {target.measured}, not {target.wanted}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
