"""A real scheduler with simulated workers, and loads on it."""

import dataclasses
import json
import os
import pathlib
import subprocess
import time
from typing import Dict, List, Optional, Sequence

from tests.e2e import generated_client as pb
from tests.e2e.processes import Process

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
REST_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Programs:
    """Where the programs are: `bazel-bin` or a test's runfiles."""

    root: pathlib.Path

    @property
    def scheduler(self) -> str:
        return str(self.root / "scheduler" / "scheduler")

    @property
    def workers(self) -> str:
        return str(self.root / "tests" / "load" / "timed_workers")

    @property
    def generator(self) -> str:
        return str(self.root / "tests" / "load" / "load_generator")


def pinned(core: Optional[int], command: List[str]) -> List[str]:
    """The command, held to one core if there is one."""
    if core is None:
        return command
    return ["taskset", "--cpu-list", str(core), *command]


class Cluster:
    """A scheduler and simulated workers that it has accepted, each on its core
    if cores are given. Ends them all at its exit."""

    def __init__(
        self,
        programs: Programs,
        workers: Sequence[str] = (),
        scheduler: Sequence[str] = (),
        scheduler_core: Optional[int] = None,
        load_core: Optional[int] = None,
    ):
        self.programs = programs
        self.load_core = load_core
        self.processes: List[Process] = []
        try:
            self.scheduler = self._start(
                scheduler_core,
                [programs.scheduler, "--listen=127.0.0.1:0", *scheduler],
            )
            self.address = self.scheduler.wait_for_line(
                r"listening (.+:\d+)"
            ).group(1)
            self.client = pb.Client(self.address)
            self.workers = self._start(
                load_core,
                [programs.workers, f"--scheduler={self.address}", *workers],
            )
            self.workers.wait_for_line("ready")
            self.scheduler.wait_for_line("ready")
            self.wait_until_at_rest()
        except BaseException:
            self.__exit__()
            raise

    def _start(self, core: Optional[int], command: List[str]) -> Process:
        process = Process(pinned(core, command))
        self.processes.append(process)
        return process

    def start_load(self, *flags: str) -> subprocess.Popen:
        """A load generator at work."""
        return subprocess.Popen(
            pinned(
                self.load_core,
                [self.programs.generator, f"--server={self.address}", *flags],
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def load(self, *flags: str) -> Dict:
        """Puts a load on, to its end: what the generator says of it."""
        generator = self.start_load(*flags)
        try:
            out, err = generator.communicate()
        finally:
            generator.kill()
        if generator.returncode != 0:
            raise RuntimeError(f"the load generator failed: {err[-2000:]}")
        return json.loads(out)

    def status(self):
        """hybridserve.v1.Load."""
        return self.client.control.GetLoad(pb.control.GetLoadRequest()).load

    def wait_until_at_rest(self) -> None:
        """No request is there, and every slot of every pool is free."""
        deadline = time.monotonic() + REST_SECONDS
        while True:
            load = self.status()
            pools = [pool for worker in load.workers for pool in worker.pools]
            if (
                load.queue.running == load.queue.waiting == 0
                and pools
                and all(p.free + p.cached == p.half_slots for p in pools)
            ):
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"not at rest: {load}")
            time.sleep(0.05)

    def wait_until_running(self, count: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (running := self.status().queue.running) != count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{running} requests run, not {count}")
            time.sleep(0.2)

    def steps(self) -> int:
        """That all workers have run."""
        return sum(worker.totals.steps for worker in self.status().workers)

    def scheduler_cpu_seconds(self) -> float:
        """Of the whole process, user and system."""
        return _cpu_seconds(f"/proc/{self.scheduler.process.pid}/stat")

    def scheduler_thread_cpu_seconds(self) -> Dict[int, float]:
        """Of each of its threads."""
        folder = pathlib.Path(f"/proc/{self.scheduler.process.pid}/task")
        return {
            int(task.name): _cpu_seconds(f"{task}/stat")
            for task in folder.iterdir()
        }

    def scheduler_memory(self) -> int:
        """Resident bytes."""
        status = pathlib.Path(f"/proc/{self.scheduler.process.pid}/statm")
        pages = int(status.read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if hasattr(self, "client"):
            self.client.__exit__()
        for process in reversed(self.processes):
            process.process.kill()
            process.process.wait()


def _cpu_seconds(path: str) -> float:
    # The name, in brackets, may hold anything.
    fields = pathlib.Path(path).read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
