"""Cancels, deadlines, overload and kills for many minutes: memory, files,
threads and slots stay flat.

    .venv/bin/python tests/faults/soak.py --minutes=20

Two workers; the second is killed and started again all the time, the first and
the scheduler live from the first minute to the last and are measured. The load
pauses from time to time: at such a rest every slot must be free, and what the
programs hold then is compared over the run. Writes docs/results/soak.{json,md};
the exit status is 1 if something grew or the history (checker.py) is bad. Needs
the programs built (bazel build --config=opt //tests/e2e:programs).
"""

import argparse
import pathlib
import random
import sys
import threading
import time
from typing import Any, Dict, List

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import result_page  # noqa: E402
from tests.e2e.processes import Programs  # noqa: E402
from tests.faults import checker, cluster, flatness, reference  # noqa: E402
from tests.faults import schedule as drawing  # noqa: E402
from tests.faults.clients import Client  # noqa: E402
from tests.faults.history import History  # noqa: E402
from tests.faults.nemesis import (  # noqa: E402
    MAX_QUEUE_REQUESTS, MAX_QUEUE_TOKENS, MAX_RUNNING, WORKER_FLAGS,
    summary)
from tests.faults.rest import (  # noqa: E402
    Sampler, probe_cancel, probe_service, wait_for_rest)

CLIENTS = 12
# Every third burst of load has more clients than fit, and ends with a kill.
BURST_CLIENTS = 36
LOAD_SECONDS = 10.0
SAMPLE_SECONDS = 2.0


class Gauges:
    """Samples the programs that live throughout, every few seconds."""

    def __init__(self, running: cluster.FaultyCluster, history: History):
        self._running = running
        self._history = history
        self.samples: List[Dict[str, Any]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self.sample(at_rest=False)

    def sample(self, at_rest: bool) -> None:
        load = self._running.load()
        pools = [pool for worker in (load.workers if load else ())
                 for pool in worker.pools]
        self.samples.append({
            "t": self._history.now(), "at_rest": at_rest,
            "free": sum(pool.free + pool.cached for pool in pools),
            "slots": sum(pool.half_slots for pool in pools),
            "scheduler": flatness.gauge(
                self._running.scheduler.process.pid),
            "worker": flatness.gauge(
                self._running.slots[0].process.process.pid)})

    def close(self) -> None:
        self._stop.set()
        self._thread.join(30)


def load_once(running: cluster.FaultyCluster, history: History, number: int,
              rng: random.Random) -> None:
    """A burst of clients of all manners; in every third one more than fit,
    and a worker is killed."""
    heavy = number % 3 == 2
    over = threading.Event()
    plan = drawing.draw(rng.randrange(2**31), cluster.KEEPALIVE_S,
                        clients=BURST_CLIENTS if heavy else CLIENTS)
    clients = [Client(f"{number}.{i}", running.address,
                      running.programs.client, history)
               for i in range(len(plan.clients))]
    threads = [threading.Thread(target=client.run,
                                args=(requests, over.is_set), daemon=True)
               for client, requests in zip(clients, plan.clients)]
    for thread in threads:
        thread.start()
    time.sleep(LOAD_SECONDS / 2)
    if heavy:
        history.add("fault", fault={"kind": "kill_worker", "worker": 1})
        running.kill_worker(1)
        time.sleep(1)
        running.restart_worker(1)
    time.sleep(LOAD_SECONDS / 2)
    over.set()
    for client, thread in zip(clients, threads):
        thread.join(120)
        if thread.is_alive():
            history.add("hang", what=client.name)
            client.give_up()
        client.close()
    if not running.wait_until_ready(120):
        history.add("hang", what="a worker's way back")


def soak(programs: Programs, answers: Dict[str, checker.Answer],
         minutes: float, seed: int, history: History) -> List[Dict[str, Any]]:
    """Returns the samples."""
    rng = random.Random(seed)
    settings = cluster.Settings(
        workers=2, seed=seed,
        scheduler_flags=[f"--max_running={MAX_RUNNING}",
                         f"--max_queue_requests={MAX_QUEUE_REQUESTS}",
                         f"--max_queue_tokens={MAX_QUEUE_TOKENS}",
                         *cluster.lease_flags(programs)],
        worker_flags=[*WORKER_FLAGS, "--host_memory=8MiB"])
    with cluster.FaultyCluster(programs, history, settings) as running:
        history.add("config", workers=2, network="proxy",
                    max_running=MAX_RUNNING,
                    max_queue_requests=MAX_QUEUE_REQUESTS,
                    max_queue_tokens=MAX_QUEUE_TOKENS,
                    detection_s=cluster.detection_s(programs))
        sampler = Sampler(running, history)
        gauges = Gauges(running, history)
        end = time.monotonic() + 60 * minutes
        number = 0
        while time.monotonic() < end:
            load_once(running, history, number, rng)
            wait_for_rest(running, history)
            gauges.sample(at_rest=True)
            number += 1
        for how in drawing.CANCELS:
            probe_cancel(running, history, how)
        probe_service(running, history)
        wait_for_rest(running, history)
        gauges.close()
        sampler.close()
        sampler.sample()
        running.stop()
    return gauges.samples


def write_report(folder: pathlib.Path, minutes: float,
                 samples: List[Dict[str, Any]], facts: Dict[str, Any],
                 trends: List[flatness.Trend], problems: List[str]) -> None:
    where = result_page.machine()
    text = result_page.head(
        f"{minutes:g} minutes of cancels, deadlines, overload and kills", where)
    rests = sum(sample["at_rest"] for sample in samples)
    text += (f"{sum(facts['manners'].values())} requests, "
             f"{facts['faults'].get('kill_worker', 0)} kills of a worker, "
             f"{facts['resumed']} streams that went on after one, "
             f"{facts['tokens']} tokens compared with an undisturbed run. "
             f"{rests} times the load paused: all slots were free each time "
             f"unless said below. Growth is that of a straight line through "
             f"the rests after the first quarter of the run.\n\n")
    text += f"**{len(problems)} problems.**\n\n"
    for problem in problems:
        text += f"- {problem}\n"
    if problems:
        text += "\n"
    text += result_page.table(
        ["", "at the first rest after warm-up", "at the last", "growth by the "
         "line", "allowed"],
        [[trend.name, trend.first, trend.last, f"{trend.growth:+.1f}",
          f"{trend.allowed:.1f}"] for trend in trends]) + "\n"
    text += result_page.table(["status of a call", "times"],
                              sorted(facts["ends"].items()))
    result_page.write(folder, "soak", {
        "machine": where, "minutes": minutes, "problems": problems,
        "facts": facts, "trends": [trend.as_dict() for trend in trends],
        "samples": samples}, text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--bin", default=str(ROOT / "bazel-bin"), help="folder of programs")
    add("--minutes", type=float, default=20)
    add("--seed", type=int, default=1)
    add("--out", default=str(ROOT / "docs/results"), help="folder to write to")
    add("--history", help="file to keep the history in")
    options = parser.parse_args()
    programs = Programs(options.bin)
    answers = reference.undisturbed(programs, WORKER_FLAGS)
    history = History()
    samples = soak(programs, answers, options.minutes, options.seed, history)
    if options.history:
        history.write(pathlib.Path(options.history))
    events = history.events()
    violations = checker.check(events, answers)
    plan = drawing.draw(options.seed, cluster.KEEPALIVE_S)
    facts = summary(plan, events, violations)
    trends = flatness.trends(samples)
    problems = [*facts["violations"], *flatness.problems(samples, trends)]
    write_report(pathlib.Path(options.out), options.minutes, samples, facts,
                 trends, problems)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems, {sum(facts['manners'].values())} "
          f"requests, {facts['resumed']} resumed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
