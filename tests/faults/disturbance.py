"""Does to a cluster what a schedule's faults say."""

import dataclasses
import json
import pathlib
import random
import subprocess
import tempfile
import threading
import time
from typing import Callable, Dict, List, Optional

from tests.faults import schedule
from tests.faults.checker import Answer
from tests.faults.clients import Client
from tests.faults.cluster import FaultyCluster, faketime_problem
from tests.faults.history import History
from tests.faults.nonsense import FakeWorker, send_garbage

BATCH_LINES = 12
BATCH_SECONDS = 240
# A batch job's first run may write so much.
FULL_DISK_BYTES = 2000
OVERLOAD_SECONDS = 90


class Disturbance:
    """Carries out faults, each on a thread of its own."""

    def __init__(self, cluster: FaultyCluster, history: History,
                 answers: Dict[str, Answer], model_dir: pathlib.Path,
                 seed: int):
        self._cluster = cluster
        self._history = history
        self._answers = answers
        self._model_dir = model_dir
        self._seed = seed
        # Before anything is disturbed: a fake worker looks like one of these.
        self._load = cluster.load()
        self._threads: List[threading.Thread] = []

    def begin(self, fault: schedule.Fault, number: int) -> None:
        problem = self._problem(fault)
        if problem is not None:
            self._history.add("skipped", fault=fault.kind, why=problem)
            return
        self._history.add("fault", fault=dataclasses.asdict(fault))
        run: Callable = getattr(self, f"_{fault.kind}")
        thread = threading.Thread(target=run, args=(fault, number),
                                  daemon=True)
        thread.start()
        self._threads.append(thread)

    def _problem(self, fault: schedule.Fault) -> Optional[str]:
        """Why it cannot be done here."""
        if fault.kind == "clock_jump":
            return faketime_problem()
        if fault.kind in ("delay", "loss"):
            return self._cluster.slots[fault.worker].link.netem_problem()
        return None

    def wait(self, seconds: float) -> None:
        """Until all faults are over."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
            if thread.is_alive():
                self._history.add("hang", what="a fault")

    def _kill_worker(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.kill_worker(fault.worker)
        time.sleep(fault.for_s)
        self._cluster.restart_worker(fault.worker)

    def _drain_worker(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.drain_worker(fault.worker)
        time.sleep(fault.for_s)
        self._cluster.restart_worker(fault.worker, "drain")

    def _stop_worker(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.stop_worker(fault.worker)
        time.sleep(fault.for_s)
        self._cluster.continue_worker(fault.worker)

    def _partition(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.partition(fault.worker, fault.how)
        time.sleep(fault.for_s)
        self._cluster.heal(fault.worker)

    def _cut(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.cut(fault.worker)

    def _delay(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.delay(fault.worker, fault.amount)
        time.sleep(fault.for_s)
        self._cluster.heal(fault.worker)

    def _loss(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.loss(fault.worker, fault.amount)
        time.sleep(fault.for_s)
        self._cluster.heal(fault.worker)

    def _kill_scheduler(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.kill_scheduler(fault.for_s)

    def _garbage(self, fault: schedule.Fault, number: int) -> None:
        rng = random.Random(1000 * self._seed + number)
        send_garbage(self._cluster.port, fault.how, rng)

    def _fake_worker(self, fault: schedule.Fault, _: int) -> None:
        end = FakeWorker(self._cluster.address, self._model_dir, fault.how,
                         self._load.workers[0]).run()
        self._history.add("fake_worker_end", how=fault.how, end=end)

    def _no_memory(self, fault: schedule.Fault, _: int) -> None:
        self._cluster.limit_memory(fault.worker, fault.for_s)

    def _refused_memory(self, _: schedule.Fault, number: int) -> None:
        """A worker that wants more than there is says so and ends."""
        done = subprocess.run(
            [self._cluster.programs.worker,
             f"--scheduler={self._cluster.address}",
             f"--model_dir={self._model_dir}", "--host_memory=64TiB"],
            capture_output=True, text=True, timeout=120)
        if done.returncode not in (1, 2) or not done.stderr.strip():
            self._history.add("crash", program="worker without memory",
                              code=done.returncode)

    def _clock_jump(self, fault: schedule.Fault, _: int) -> None:
        program = ("scheduler" if fault.how == "scheduler"
                   else f"worker {fault.worker}")
        self._cluster.jump_clock(program, fault.amount)
        time.sleep(fault.for_s)
        self._cluster.jump_clock(program, 0)

    def _overload(self, fault: schedule.Fault, number: int) -> None:
        """Many requests at once: some wait, the rest is refused."""
        clients = [Client(f"burst{number}.{i}", self._cluster.address,
                          self._cluster.programs.client, self._history)
                   for i in range(int(fault.amount))]
        threads = [threading.Thread(
            target=client.run, args=(
                [schedule.Request(0.0, i % len(schedule.PROMPTS), 24,
                                  "plain")], lambda: False), daemon=True)
            for i, client in enumerate(clients)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + OVERLOAD_SECONDS
        for client, thread in zip(clients, threads):
            thread.join(max(0.1, deadline - time.monotonic()))
            if thread.is_alive():
                self._history.add("hang", what=client.name)
                client.give_up()
            client.close()

    def _disk_full(self, _: schedule.Fault, number: int) -> None:
        """A batch job whose disk is full goes on when there is room."""
        with tempfile.TemporaryDirectory() as folder:
            job = pathlib.Path(folder)
            lines = [(i % len(schedule.PROMPTS), schedule.MAX_TOKENS[1])
                     for i in range(BATCH_LINES)]
            (job / "in").write_text("".join(json.dumps(
                {"id": i, "prompt": schedule.PROMPTS[prompt],
                 "max_tokens": tokens, "ignore_eos": True}) + "\n"
                for i, (prompt, tokens) in enumerate(lines)))
            command = [self._cluster.programs.client, "batch",
                       f"--server={self._cluster.address}",
                       f"--input={job / 'in'}",
                       f"--output_file={job / 'out'}", "--window=4"]
            # Python ignores SIGXFSZ, and so does what it starts: writes fail.
            first = self._run_batch(
                ["prlimit", f"--fsize={FULL_DISK_BYTES}", "--", *command])
            if first not in (1, None):
                self._history.add("crash", program="batch on a full disk",
                                  code=first)
            if self._run_batch(command) != 0:
                self._history.add("hang", what="batch")
            self._compare_batch(job / "out", lines)

    @staticmethod
    def _run_batch(command: List[str]) -> Optional[int]:
        """The exit code; None: it did not end."""
        try:
            return subprocess.run(command, capture_output=True,
                                  restore_signals=False,
                                  timeout=BATCH_SECONDS).returncode
        except subprocess.TimeoutExpired:
            return None

    def _compare_batch(self, out: pathlib.Path, lines: List) -> None:
        results = ([json.loads(line) for line in
                    out.read_text(encoding="utf-8").splitlines()]
                   if out.exists() else [])
        numbers = [result["line"] for result in results]
        different = 0
        for result in results:
            if "error" in result:
                continue
            name = schedule.reference(*lines[result["line"] - 1], False)
            answer = self._answers[name]
            different += (tuple(result["token_ids"]) != answer.tokens
                          or result["text"] != answer.text)
        self._history.add(
            "batch", lines=len(lines),
            missing=len(set(range(1, len(lines) + 1)) - set(numbers)),
            doubled=len(numbers) - len(set(numbers)),
            errors=sum("error" in result for result in results),
            different=different)
