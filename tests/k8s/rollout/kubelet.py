"""One pod as the kubelet runs it: its process, its probes, its end."""

import math
import pathlib
import re
import signal
import subprocess
import threading
import time
from typing import Callable

from tests.e2e.processes import Process, Programs
from tests.k8s.rendering import Object, environment
from tests.k8s.rollout.probe import Probe
from tests.k8s.wiring import pre_stop_seconds

IMAGE = "/opt/hybridserve"
# What the kubelet leaves a container after SIGTERM, though preStop took all.
LEAST_GRACE_S = 2


class Node:
    """What stands for the image and the cluster's DNS."""

    def __init__(self, programs: Programs, root: pathlib.Path):
        self._programs = {"scheduler": programs.scheduler,
                          "worker": programs.worker,
                          "hybridserve-openai": programs.openai_gateway}
        self._models = str(root / "models")
        self.services: dict[str, str] = {}  # Their cluster IPs, by name.

    def program(self, command: list[str]) -> str:
        if len(command) != 1 or not command[0].startswith(f"{IMAGE}/bin/"):
            raise NotImplementedError(f"the command {command}")
        return self._programs[command[0].removeprefix(f"{IMAGE}/bin/")]

    def resolve(self, text: str, ip: str) -> str:
        """A flag's value as it is inside of the pod."""
        text = text.replace(f"{IMAGE}/models", self._models)
        text = text.replace("0.0.0.0:", f"{ip}:")
        for name, address in self.services.items():
            text = re.sub(rf"(^|=){re.escape(name)}:", rf"\g<1>{address}:",
                          text)
        return text


class Pod:
    """Made of a workload's template. `time_scale` shortens what only waits:
    the pauses between probes and the sleep of preStop. Grace periods and
    timeouts are as they are. Thread-safe."""

    def __init__(self, name: str, template: Object, objects: list[Object],
                 node: Node, ip: str, time_scale: float = 1):
        self.name, self.ip = name, ip
        self.labels: dict[str, str] = template["metadata"]["labels"]
        self.grace_s: float = template["spec"].get(
            "terminationGracePeriodSeconds", 30)
        (self._container,) = template["spec"]["containers"]
        self.ports = {port["name"]: port["containerPort"]
                      for port in self._container.get("ports", [])}
        self.pre_stop_s = pre_stop_seconds(self._container) * time_scale
        self._scale = time_scale
        self._args, self._env = self._command(objects, node)
        self._lock = threading.Lock()
        self.ready = False
        self.started = threading.Event()
        self.terminating = threading.Event()
        self.gone = threading.Event()
        # What should not happen: restarts, kills, exit codes.
        self.faults: list[str] = []
        self.process = Process(self._args, self._env)
        self._threads = [threading.Thread(target=self._watch, daemon=True)]
        for kind, heard in (("startupProbe", self._hear_startup),
                            ("readinessProbe", self._hear_readiness),
                            ("livenessProbe", self._hear_liveness)):
            if kind in self._container:
                self._threads.append(threading.Thread(
                    target=self._probe, daemon=True,
                    args=(kind, Probe.of(self._container[kind]), heard)))
        if "startupProbe" not in self._container:
            self.started.set()
        for thread in self._threads:
            thread.start()

    def _command(self, objects: list[Object],
                 node: Node) -> tuple[list[str], dict[str, str]]:
        cpus = self._container["resources"]["limits"]["cpu"]
        downward = {"<metadata.name>": self.name,
                    "<limits.cpu>": str(math.ceil(_cpus(cpus)))}
        env = {}
        for name, value in environment(self._container, objects).items():
            if value.startswith("<"):
                value = downward[value]
            env[name] = node.resolve(value, self.ip)
        args = [re.sub(r"\$\((\w+)\)", lambda match: env[match[1]], arg)
                for arg in self._container.get("args", [])]
        return ([node.program(self._container["command"]),
                 *(node.resolve(arg, self.ip) for arg in args)], env)

    # ---- Probes ----

    def _probe(self, kind: str, probe: Probe,
               heard: Callable[[bool], None]) -> None:
        """Until the pod is gone; those of life, until it is to go."""
        over = self.gone if kind == "readinessProbe" else self.terminating
        if kind != "startupProbe":
            self._wait_started(over)
        if over.wait(probe.initial_delay_s * self._scale):
            return
        run, last = 0, None
        while not over.is_set():
            if kind == "startupProbe" and self.started.is_set():
                return
            success = probe.succeeds(self.ip, self.ports)
            run = run + 1 if success == last else 1
            last = success
            if run >= (probe.success_threshold if success
                       else probe.failure_threshold):
                heard(success)
                run = run if success else 0
            over.wait(probe.period_s * self._scale)

    def _wait_started(self, over: threading.Event) -> None:
        while not self.started.is_set() and not over.is_set():
            self.started.wait(0.05)

    def _hear_startup(self, success: bool) -> None:
        if success:
            self.started.set()
        else:
            self._fail("it did not start: startupProbe")

    def _hear_readiness(self, success: bool) -> None:
        self.ready = success

    def _hear_liveness(self, success: bool) -> None:
        if not success:
            self._fail("livenessProbe")

    def _fail(self, why: str) -> None:
        """The kubelet would restart the container."""
        with self._lock:
            if self.terminating.is_set():
                return
            self.faults.append(f"{self.name}: killed by its {why}")
            self.process.process.kill()

    # ---- Its end ----

    def _watch(self) -> None:
        """Starts it again when it ends by itself (restartPolicy Always)."""
        while not self.gone.wait(0.05):
            with self._lock:
                code = self.process.process.poll()
                if code is None or self.terminating.is_set():
                    continue
                self.faults.append(f"{self.name}: ended with {code}:\n"
                                   f"{self.process.log()[-2000:]}")
                self.ready = False
                self.process = Process(self._args, self._env)

    def delete(self) -> None:
        """Begins its graceful end; `gone` says when it is over."""
        with self._lock:
            if self.terminating.is_set():
                return
            self.terminating.set()
        threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        deadline = time.monotonic() + self.grace_s
        time.sleep(self.pre_stop_s)
        process = self.process.process
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(max(LEAST_GRACE_S,
                                    deadline - time.monotonic()))
            if code != 0:
                self.faults.append(f"{self.name}: drained with {code}:\n"
                                   f"{self.process.log()[-2000:]}")
        except subprocess.TimeoutExpired:
            self.faults.append(f"{self.name}: SIGKILL after its grace period")
            process.kill()
            process.wait()
        self.ready = False
        self.gone.set()

    def close(self) -> None:
        """At once, whatever state it is in."""
        with self._lock:
            self.terminating.set()
            self.gone.set()
            self.process.stop(signal.SIGKILL)
        for thread in self._threads:
            thread.join(30)


def _cpus(quantity: str) -> float:
    if quantity.endswith("m"):
        return float(quantity.removesuffix("m")) / 1000
    return float(quantity)
