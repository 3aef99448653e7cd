"""Real scheduler and worker processes on ports of their own choosing."""

import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading

# A busy machine starts slowly; that is no failure.
START_SECONDS = 300
STOP_SECONDS = 60


class Programs:
    """Where the programs are: `bazel-bin` or a test's runfiles."""

    def __init__(self, root: str | os.PathLike):
        self.root = root = pathlib.Path(root)
        self.scheduler = str(root / "scheduler" / "scheduler")
        self.worker = str(root / "worker" / "worker")
        self.client = str(root / "client" / "hybridserve")
        self.openai_gateway = str(root / "client" / "openai" /
                                  "hybridserve-openai")

    def all(self) -> list[str]:
        return [self.scheduler, self.worker, self.openai_gateway, self.client]


class Process:
    """A program that prints the contract's lines on stdout."""

    def __init__(self, args: list[str], env: dict[str, str] | None = None):
        self.args = args
        self._log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            args, stdout=subprocess.PIPE, stderr=self._log, text=True,
            env={**os.environ, **(env or {})})
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._queue.put(self.lines[-1])
        self._queue.put(None)

    def wait_for_line(self, pattern: str,
                      seconds: float = START_SECONDS) -> re.Match:
        """The first line from now on that matches, or an error with the log."""
        while True:
            try:
                line = self._queue.get(timeout=seconds)
            except queue.Empty:
                raise TimeoutError(f"no {pattern!r} from {self.args}:\n"
                                   f"{self.log()}") from None
            if line is None:
                raise RuntimeError(f"{self.args} ended before {pattern!r}:\n"
                                   f"{self.log()}")
            if match := re.fullmatch(pattern, line):
                return match

    def log(self) -> str:
        # By position: the program writes at the file's own.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def stop(self, sig: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{self.args} did not stop:\n"
                               f"{self.log()}") from None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.kill()

    def kill(self) -> None:
        """Ends it; if a fault of its own had done so, its log is shown."""
        if self.process.poll() in (1, -signal.SIGABRT, -signal.SIGSEGV):
            print(f"{self.args} ended with {self.process.returncode}:\n"
                  f"{self.log()[-20000:]}", file=sys.stderr)
        self.stop(signal.SIGKILL)


class Cluster:
    """One scheduler and its workers, ready to serve."""

    def __init__(self, programs: Programs, workers: list[list[str]],
                 scheduler_flags: list[str] = ()):
        self.programs = programs
        self.workers: list[Process] = []
        self.scheduler = Process([programs.scheduler, "--listen=127.0.0.1:0",
                                  *scheduler_flags])
        try:
            self.address = self.scheduler.wait_for_line(
                r"listening (.+:\d+)").group(1)
            for flags in workers:
                self.add_worker(flags)
            if workers:
                self.scheduler.wait_for_line("ready")
        except BaseException:
            self.__exit__()
            raise

    def add_worker(self, flags: list[str]) -> Process:
        worker = Process([self.programs.worker,
                          f"--scheduler={self.address}", *flags])
        self.workers.append(worker)
        worker.wait_for_line("ready")
        return worker

    def client(self, command: str, *flags: str,
               check: bool = True) -> subprocess.CompletedProcess:
        return run_client(self.programs, command, f"--server={self.address}",
                          *flags, check=check)

    def status(self) -> dict:
        """What `hybridserve status` says in JSON."""
        return json.loads(self.client("status", "--output=json").stdout)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for process in [*self.workers, self.scheduler]:
            process.kill()


def run_client(programs: Programs, command: str, *flags: str,
               check: bool = True,
               env: dict[str, str] | None = None,
               timeout: float = 300) -> subprocess.CompletedProcess:
    """Runs `hybridserve COMMAND FLAGS`; with `check` it must exit with 0."""
    result = subprocess.run(
        [programs.client, command, *flags], capture_output=True, text=True,
        timeout=timeout, env={**os.environ, **(env or {})})
    if check and result.returncode != 0:
        raise RuntimeError(f"{result.args} exited with {result.returncode}:\n"
                           f"{result.stderr}")
    return result
