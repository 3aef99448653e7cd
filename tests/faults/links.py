"""What lies between a worker and its scheduler, to be disturbed: a TCP proxy,
which works everywhere, or a network namespace with tc netem, where allowed."""

import functools
import os
import pathlib
import subprocess
import tempfile
import time
from typing import List, Optional

from tests.faults.tcp_proxy import TcpProxy

ATTACH_SECONDS = 30


class ProxyLink:
    """All of a worker's connections go through a proxy of its own."""

    def __init__(self, scheduler_port: int, seed: int):
        self._proxy = TcpProxy(scheduler_port, seed)
        self.address = f"127.0.0.1:{self._proxy.port}"

    def netem_problem(self) -> Optional[str]:
        """Why it cannot delay and lose; None: it can."""
        return None

    def wrap(self, args: List[str]) -> List[str]:
        return args

    def attach(self, pid: int) -> None:
        """Once the process of `wrap` runs."""

    def partition(self, directions: str) -> None:
        self._proxy.partition(directions)

    def delay(self, seconds: float) -> None:
        self._proxy.delay_s = seconds

    def loss(self, share: float) -> None:
        self._proxy.loss = share

    def heal(self) -> None:
        self._proxy.heal()

    def cut(self) -> None:
        self._proxy.cut()

    def close(self) -> None:
        self._proxy.close()


def _run(*args: str) -> None:
    done = subprocess.run(args, capture_output=True, text=True, timeout=30)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(args)}: {done.stderr.strip()}")


@functools.lru_cache(maxsize=None)
def _problem_of(commands: str) -> Optional[str]:
    """What keeps these from being run in a new namespace."""
    if os.geteuid() != 0:
        return "namespaces need root"
    try:
        _run("unshare", "-n", "sh", "-c", commands)
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        return str(error).rsplit(": ", 1)[-1]
    return None


class NamespaceLink:
    """The worker runs in a network namespace of its own, behind a veth pair.
    Nothing is left of either when its process ends.

    A partition is a route into nowhere on the sender's side: packets are lost
    and nobody is told. Delay and loss are tc netem's, which not every kernel
    has.
    """

    def __init__(self, scheduler_port: int, worker: int):
        tag = os.getpid()
        # Apart from those of other runs on this machine.
        net = f"10.{200 + tag % 50}.{tag // 50 % 250}"
        self._near, self._far = f"hsf{tag}n{worker}", f"hsf{tag}f{worker}"
        self._near_ip = f"{net}.{4 * worker + 1}"
        self._far_ip = f"{net}.{4 * worker + 2}"
        self.address = f"{self._near_ip}:{scheduler_port}"
        self._folder = tempfile.TemporaryDirectory()
        self._go: Optional[pathlib.Path] = None
        self._pid = 0
        self._starts = 0
        self._lost: List[str] = []  # Directions.
        self._netem: List[str] = []

    @staticmethod
    def problem() -> Optional[str]:
        """Why namespaces cannot be used here; None: they can."""
        return _problem_of("ip link add name hsa type veth peer name hsb")

    @staticmethod
    def netem_problem() -> Optional[str]:
        return _problem_of("ip link add name hsa type veth peer name hsb && "
                           "tc qdisc add dev hsa root netem delay 1ms")

    def wrap(self, args: List[str]) -> List[str]:
        self._starts += 1
        self._go = pathlib.Path(self._folder.name) / f"go{self._starts}"
        return ["unshare", "-n", "--", "sh", "-c",
                'while ! [ -e "$0" ]; do sleep 0.05; done; exec "$@"',
                str(self._go), *args]

    def attach(self, pid: int) -> None:
        own = os.readlink("/proc/self/ns/net")
        deadline = time.monotonic() + ATTACH_SECONDS
        while os.readlink(f"/proc/{pid}/ns/net") == own:
            if time.monotonic() > deadline:
                raise TimeoutError("unshare did not")
            time.sleep(0.02)
        self._pid = pid
        # That of a killed worker may not be gone yet.
        subprocess.run(["ip", "link", "del", self._near], capture_output=True)
        _run("ip", "link", "add", "name", self._near, "type", "veth", "peer",
             "name", self._far, "netns", str(pid))
        _run("ip", "addr", "add", f"{self._near_ip}/30", "dev", self._near)
        _run("ip", "link", "set", self._near, "up")
        self._inside("ip", "addr", "add", f"{self._far_ip}/30", "dev",
                     self._far)
        self._inside("ip", "link", "set", self._far, "up")
        self._inside("ip", "link", "set", "lo", "up")
        self._apply()
        self._go.touch()

    def _inside(self, *args: str) -> None:
        _run("nsenter", "-t", str(self._pid), "-n", "--", *args)

    def _apply(self) -> None:
        try:
            self._route("up", self._inside, self._near_ip)
            self._route("down", _run, self._far_ip)
            if self.netem_problem() is None:
                how = ["netem", *self._netem] if self._netem else ["pfifo"]
                for run, device in ((_run, self._near),
                                    (self._inside, self._far)):
                    run("tc", "qdisc", "replace", "dev", device, "root", *how)
        except RuntimeError:
            # The worker was killed, and its device went with it?
            if pathlib.Path(f"/sys/class/net/{self._near}").exists():
                raise

    def _route(self, direction: str, run, target: str) -> None:
        if direction in self._lost:
            run("ip", "route", "replace", "blackhole", f"{target}/32")
            return
        try:
            run("ip", "route", "del", "blackhole", f"{target}/32")
        except RuntimeError:
            pass  # There was none.

    def partition(self, directions: str) -> None:
        self._lost = (["up", "down"] if directions == "both"
                      else [directions])
        self._apply()

    def delay(self, seconds: float) -> None:
        self._netem = ["delay", f"{seconds * 1000:.0f}ms",
                       f"{seconds * 250:.0f}ms"]
        self._apply()

    def loss(self, share: float) -> None:
        self._netem = ["loss", f"{share * 100:.0f}%"]
        self._apply()

    def heal(self) -> None:
        self._lost, self._netem = [], []
        self._apply()

    def cut(self) -> None:
        """A cable that is pulled and put back."""
        try:
            _run("ip", "link", "set", self._near, "down")
            time.sleep(0.3)
            _run("ip", "link", "set", self._near, "up")
        except RuntimeError:
            if pathlib.Path(f"/sys/class/net/{self._near}").exists():
                raise

    def close(self) -> None:
        self._lost = []
        try:
            self._route("down", _run, self._far_ip)
        finally:
            subprocess.run(["ip", "link", "del", self._near],
                           capture_output=True)
            self._folder.cleanup()
