"""A scheduler and workers that can be killed, stopped, cut off and started
again, each of which is told to the history."""

import dataclasses
import glob
import pathlib
import resource
import signal
import subprocess
import tempfile
import threading
import time
from typing import Dict, List, Optional, Set

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.e2e import generated_client as pb
from tests.e2e.processes import Process, Programs
from tests.faults.history import History
from tests.faults.links import NamespaceLink, ProxyLink

READY = 3  # hybridserve.v1.WORKER_STATE_READY
# As gRPC's keepalive finds out where the scheduler has no shorter lease.
KEEPALIVE_S = 35.0
LEASE_S = 4.0
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)


@dataclasses.dataclass
class Settings:
    workers: int = 2
    network: str = "proxy"
    seed: int = 0
    scheduler_flags: List[str] = dataclasses.field(default_factory=list)
    worker_flags: List[str] = dataclasses.field(default_factory=list)
    full_logs: bool = False
    # Programs ("scheduler", "worker 0") whose clock is to jump.
    jumping_clocks: Set[str] = dataclasses.field(default_factory=set)


def has_lease(programs: Programs) -> bool:
    """Whether the scheduler gives up a silent worker by a lease."""
    text = subprocess.run([programs.scheduler, "--help"], capture_output=True,
                          text=True, timeout=60).stdout
    return "worker_lease" in text


def lease_flags(programs: Programs) -> List[str]:
    return [f"--worker_lease={LEASE_S:.0f}s"] if has_lease(programs) else []


def detection_s(programs: Programs) -> float:
    return LEASE_S if has_lease(programs) else KEEPALIVE_S


def open_channel(address: str) -> grpc.Channel:
    """A connection of its own, which finds a restarted scheduler soon."""
    return grpc.insecure_channel(address, options=[
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500)])


class WorkerSlot:
    """One worker's place: its process, and why it is not there now."""

    def __init__(self, index: int, link):
        self.index = index
        self.link = link
        self.lock = threading.RLock()
        self.process: Optional[Process] = None
        self.down: Set[str] = set()
        self.may_die = 0  # Faults under which it may end by itself.
        self.draining = False


class FaultyCluster:
    """Thread-safe but for starting and closing."""

    def __init__(self, programs: Programs, history: History,
                 settings: Settings):
        self.programs = programs
        self._history = history
        self._settings = settings
        self._folder = tempfile.TemporaryDirectory()
        self._scheduler_lock = threading.RLock()
        self.scheduler: Optional[Process] = None
        self._scheduler_killed = False
        self.port = 0
        self.slots: List[WorkerSlot] = []
        self._closing = threading.Event()
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    # ---- Starting ----

    def _start(self) -> None:
        self.start_scheduler()
        for index in range(self._settings.workers):
            link = (NamespaceLink(self.port, index)
                    if self._settings.network == "netns" else
                    ProxyLink(self.port, 1000 * self._settings.seed + index))
            slot = WorkerSlot(index, link)
            self.slots.append(slot)
            self._start_worker(slot)
        self.channel = open_channel(self.address)
        self.control = pb.control_grpc.ControlServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)
        if not self.wait_until_ready(120):
            raise TimeoutError("the workers did not get ready:\n" + self.log())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _process(self, name: str, args: List[str]) -> Process:
        env: Dict[str, str] = {}
        if name in self._settings.jumping_clocks:
            env = {"LD_PRELOAD": FAKETIME, "DONT_FAKE_MONOTONIC": "1",
                   "FAKETIME_CACHE_DURATION": "1",
                   "FAKETIME_TIMESTAMP_FILE": str(self._clock_file(name))}
            self._write_clock(name, 0)
        if self._settings.full_logs:
            args = ["sh", "-c", 'exec "$@" 2> /dev/full', "sh", *args]
        return Process(args, env)

    def start_scheduler(self) -> None:
        open_to_all = self._settings.network == "netns"
        listen = "0.0.0.0" if open_to_all else "127.0.0.1"
        with self._scheduler_lock:
            self.scheduler = self._process("scheduler", [
                self.programs.scheduler, f"--listen={listen}:{self.port}",
                *(["--insecure"] if open_to_all else []),
                *self._settings.scheduler_flags])
            address = self.scheduler.wait_for_line(
                r"listening (.+:\d+)").group(1)
            self.port = int(address.rsplit(":", 1)[1])
            self._scheduler_killed = False
        self._history.add("scheduler_up")

    def _start_worker(self, slot: WorkerSlot) -> None:
        with slot.lock:
            slot.process = self._process(f"worker {slot.index}", slot.link.wrap(
                [self.programs.worker, f"--scheduler={slot.link.address}",
                 f"--profile={self._folder.name}/profile{slot.index}.json",
                 *self._settings.worker_flags]))
            slot.link.attach(slot.process.process.pid)

    def wait_until_ready(self, seconds: float) -> bool:
        """Until every worker is; false: not in that time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            load = self.load()
            if load is not None and sum(
                    worker.state == READY
                    for worker in load.workers) == len(self.slots):
                return True
            time.sleep(0.1)
        return False

    # ---- Looking ----

    def load(self, timeout: float = 2.0):
        """None: the scheduler does not answer."""
        try:
            return self.control.GetLoad(pb.control.GetLoadRequest(),
                                        timeout=timeout).load
        except grpc.RpcError:
            return None

    def serving(self) -> Optional[bool]:
        try:
            return self.health.Check(
                health_pb2.HealthCheckRequest(service=""),
                timeout=2).status == health_pb2.HealthCheckResponse.SERVING
        except grpc.RpcError:
            return None

    def log(self) -> str:
        with self._scheduler_lock:
            text = f"---- scheduler\n{self.scheduler.log()[-20000:]}\n"
        for slot in self.slots:
            text += (f"---- worker {slot.index}\n"
                     f"{slot.process.log()[-10000:]}\n")
        return text

    # ---- Disturbing ----

    def _set_down(self, slot: WorkerSlot, why: str) -> None:
        with slot.lock:
            if not slot.down:
                self._history.add("worker_down", worker=slot.index, why=why)
            slot.down.add(why)

    def _set_up(self, slot: WorkerSlot, why: str) -> None:
        with slot.lock:
            was_down = bool(slot.down)
            slot.down.discard(why)
            if was_down and not slot.down:
                self._history.add("worker_up", worker=slot.index)

    def kill_worker(self, index: int, why: str = "kill") -> None:
        slot = self.slots[index]
        with slot.lock:
            self._set_down(slot, why)
            slot.process.stop(signal.SIGKILL)

    def drain_worker(self, index: int) -> None:
        """SIGTERM, and the end of what it runs."""
        slot = self.slots[index]
        with slot.lock:
            if slot.draining:
                return  # A second signal would abort.
            slot.draining = True
            process = slot.process
            slot.may_die += 1
        code = self._terminate(process)
        with slot.lock:
            slot.draining = False
            # Something else may have ended it, or started another one.
            if (code is None or code >= 0) and process is slot.process:
                self._history.add("stop", program=f"worker {index}", code=code)
            self._set_down(slot, "drain")
            slot.may_die -= 1

    @staticmethod
    def _terminate(process: Process) -> Optional[int]:
        """Its exit code; None: it did not end and was killed."""
        try:
            return process.stop(signal.SIGTERM)
        except RuntimeError:
            return None

    def restart_worker(self, index: int, why: str = "kill") -> None:
        slot = self.slots[index]
        with slot.lock:
            slot.process.stop(signal.SIGKILL)
            self._start_worker(slot)
            self._set_up(slot, why)

    def stop_worker(self, index: int) -> None:
        slot = self.slots[index]
        with slot.lock:
            if slot.process.process.poll() is None:
                slot.process.process.send_signal(signal.SIGSTOP)
                self._set_down(slot, "stop")

    def continue_worker(self, index: int) -> None:
        slot = self.slots[index]
        with slot.lock:
            slot.process.process.send_signal(signal.SIGCONT)
            self._set_up(slot, "stop")

    def partition(self, index: int, directions: str) -> None:
        slot = self.slots[index]
        self._set_down(slot, "partition")
        slot.link.partition(directions)

    def delay(self, index: int, seconds: float) -> None:
        self.slots[index].link.delay(seconds)

    def loss(self, index: int, share: float) -> None:
        self.slots[index].link.loss(share)

    def heal(self, index: int) -> None:
        slot = self.slots[index]
        slot.link.heal()
        self._set_up(slot, "partition")

    def cut(self, index: int) -> None:
        slot = self.slots[index]
        self._set_down(slot, "cut")
        slot.link.cut()
        self._set_up(slot, "cut")

    def limit_memory(self, index: int, seconds: float) -> None:
        """The worker gets no more memory for a while, and may die of it."""
        slot = self.slots[index]
        slot.may_die += 1
        pid = slot.process.process.pid
        try:
            pages = int(pathlib.Path(f"/proc/{pid}/statm")
                        .read_text().split()[0])
            used = pages * resource.getpagesize()
            _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
            resource.prlimit(pid, resource.RLIMIT_AS, (used, hard))
            time.sleep(seconds)
            resource.prlimit(pid, resource.RLIMIT_AS, (hard, hard))
        except (OSError, ValueError, IndexError):
            pass  # It is gone.
        # The watcher may have to see that yet.
        time.sleep(0.5)
        slot.may_die -= 1

    def kill_scheduler(self, restart_after_s: float) -> None:
        with self._scheduler_lock:
            self._scheduler_killed = True
            self._history.add("scheduler_down")
            self.scheduler.stop(signal.SIGKILL)
            time.sleep(restart_after_s)
            self.start_scheduler()

    def _clock_file(self, name: str) -> pathlib.Path:
        return pathlib.Path(self._folder.name) / f"{name}.clock"

    def _write_clock(self, name: str, seconds: float) -> None:
        new = self._clock_file(name).with_suffix(".new")
        new.write_text(f"{seconds:+.0f}\n")
        new.rename(self._clock_file(name))

    def jump_clock(self, name: str, seconds: float) -> None:
        """To so many seconds off the true time."""
        self._history.add("clock_jumped", program=name)
        self._write_clock(name, seconds)

    # ---- Watching ----

    def _watch(self) -> None:
        """Tells of programs that end by themselves, and starts them again."""
        while not self._closing.wait(0.2):
            with self._scheduler_lock:
                code = self.scheduler.process.poll()
                if code is not None and not self._closing.is_set():
                    self._history.add("crash", program="scheduler", code=code)
                    self._history.add("scheduler_down")
                    self.start_scheduler()
            for slot in self.slots:
                with slot.lock:
                    code = slot.process.process.poll()
                    if (code is None or slot.down & {"kill", "drain"}
                            or self._closing.is_set()):
                        continue
                    if code == 0 and slot.may_die > 0:
                        continue  # It drains; who drains it goes on.
                    if slot.may_die == 0:
                        self._history.add(
                            "crash", program=f"worker {slot.index}", code=code)
                    self._set_down(slot, "died")
                    self._start_worker(slot)
                    self._set_up(slot, "died")

    # ---- Ending ----

    def stop(self) -> None:
        """SIGTERM to all; the history has their exit codes."""
        self._closing.set()
        self._watcher.join(60)
        for slot in self.slots:
            self._stop(f"worker {slot.index}", slot.process)
        self._stop("scheduler", self.scheduler)

    def _stop(self, program: str, process: Process) -> None:
        self._history.add("stop", program=program,
                          code=self._terminate(process))

    def close(self) -> None:
        self._closing.set()
        for slot in self.slots:
            if slot.process is not None:
                slot.process.stop(signal.SIGKILL)
            slot.link.close()
        if self.scheduler is not None:
            self.scheduler.stop(signal.SIGKILL)
        if hasattr(self, "channel"):
            self.channel.close()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


def faketime_problem() -> Optional[str]:
    """Why clocks cannot be made to jump here; None: they can."""
    if FAKETIME is None:
        return "no libfaketime (Debian package libfaketime)"
    return None
