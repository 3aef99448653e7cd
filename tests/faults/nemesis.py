"""Real processes under faults drawn from a seed, and what clients see of it.

    .venv/bin/python tests/faults/nemesis.py --seed=17        one run
    .venv/bin/python tests/faults/nemesis.py --seeds=200      many

A scheduler, one to three workers and up to 14 clients run while workers and the
scheduler are killed, stopped, cut off, lied to and starved as schedule.py
draws it. The history of each run is checked by checker.py. --seeds writes
docs/results/faults.{json,md}; the exit status is 1 if anything was violated.
The same seed gives the same faults at the same times; what they meet there
depends on the machine. Needs the programs built (bazel build --config=opt
//tests/e2e:programs).
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, List

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.e2e.processes import Programs  # noqa: E402
from tests.faults import checker, cluster, reference, report  # noqa: E402
from tests.faults import schedule as drawing  # noqa: E402
from tests.faults.clients import Client  # noqa: E402
from tests.faults.disturbance import Disturbance  # noqa: E402
from tests.faults.history import History, read  # noqa: E402
from tests.faults.links import NamespaceLink  # noqa: E402
from tests.faults.rest import (  # noqa: E402
    Sampler, probe_cancel, probe_service, wait_for_rest)

MODEL_DIR = ROOT / "models" / "demo"
MAX_RUNNING = 6
MAX_QUEUE_REQUESTS = 20
MAX_QUEUE_TOKENS = 4000
# 17 MB of weights: a step takes some 30 ms, so that faults meet it under way.
WORKER_FLAGS = [f"--model_dir={MODEL_DIR}", "--device_memory=min",
                "--link_bandwidth=600MB/s", "--threads=1"]
END_SECONDS = 120
RUN_SECONDS = 600


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--bin", default=str(ROOT / "bazel-bin"), help="folder of programs")
    add("--seed", type=int, help="runs this one and says what it did")
    add("--seeds", type=int, help="runs so many, from --first on")
    add("--first", type=int, default=1)
    add("--jobs", type=int, default=2, help="runs at the same time")
    add("--detection", type=float, help="seconds within which the scheduler "
        "gives up a silent worker; default: by its --worker_lease, or gRPC's "
        "keepalive where it has none")
    add("--check", action="store_true", help="runs nothing: judges the "
        "histories in --histories again and writes the report")
    add("--show", action="store_true", help="prints the schedule and ends")
    add("--out", default=str(ROOT / "docs/results"), help="folder to write to")
    add("--histories", help="folder for histories; default: a new one in /tmp")
    add("--answers", help=argparse.SUPPRESS)
    return parser.parse_args()


def settings_of(programs: Programs,
                plan: drawing.Schedule) -> cluster.Settings:
    jumping = set()
    if cluster.faketime_problem() is None:
        for fault in plan.faults:
            if fault.kind == "clock_jump":
                jumping.add("scheduler" if fault.how == "scheduler"
                            else f"worker {fault.worker}")
    return cluster.Settings(
        workers=plan.workers, seed=plan.seed, full_logs=plan.full_logs,
        network=plan.network if NamespaceLink.problem() is None else "proxy",
        scheduler_flags=[
            f"--max_running={MAX_RUNNING}",
            f"--max_queue_requests={MAX_QUEUE_REQUESTS}",
            f"--max_queue_tokens={MAX_QUEUE_TOKENS}",
            *cluster.lease_flags(programs)],
        worker_flags=[*WORKER_FLAGS, f"--host_memory={plan.host_memory}"],
        jumping_clocks=jumping)


def run(programs: Programs, plan: drawing.Schedule,
        answers: Dict[str, checker.Answer], history: History) -> str:
    """One run, told to `history`. Returns the programs' logs."""
    settings = settings_of(programs, plan)
    with cluster.FaultyCluster(programs, history, settings) as running:
        history.add("config", seed=plan.seed, workers=plan.workers,
                    network=settings.network, max_running=MAX_RUNNING,
                    max_queue_requests=MAX_QUEUE_REQUESTS,
                    max_queue_tokens=MAX_QUEUE_TOKENS,
                    detection_s=plan.detection_s)
        sampler = Sampler(running, history)
        _disturb(running, plan, answers, history)
        if not running.wait_until_ready(END_SECONDS):
            history.add("hang", what="a worker's way back")
        wait_for_rest(running, history)
        for how in plan.cancels:
            probe_cancel(running, history, how)
        probe_service(running, history)
        wait_for_rest(running, history)
        sampler.close()
        sampler.sample()
        running.stop()
        return running.log()


def _disturb(running: cluster.FaultyCluster, plan: drawing.Schedule,
             answers: Dict[str, checker.Answer], history: History) -> None:
    """Clients and faults, until both are over."""
    over = threading.Event()
    clients = [Client(f"client{i}", running.address, running.programs.client,
                      history) for i in range(len(plan.clients))]
    threads = [threading.Thread(target=client.run,
                                args=(requests, over.is_set), daemon=True)
               for client, requests in zip(clients, plan.clients)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    disturbance = Disturbance(running, history, answers, MODEL_DIR, plan.seed)
    for number, fault in enumerate(plan.faults):
        time.sleep(max(0.0, begin + fault.at_s - time.monotonic()))
        disturbance.begin(fault, number)
    time.sleep(max(0.0, begin + plan.seconds - time.monotonic()))
    disturbance.wait(END_SECONDS + 2 * plan.detection_s)
    over.set()
    deadline = time.monotonic() + END_SECONDS + plan.detection_s
    for client, thread in zip(clients, threads):
        thread.join(max(0.1, deadline - time.monotonic()))
        if thread.is_alive():
            history.add("hang", what=client.name)
            client.give_up()
            thread.join(10)
        client.close()


def summary(plan: drawing.Schedule, events: List[Dict[str, Any]],
            violations: List[checker.Violation]) -> Dict[str, Any]:
    def count(values) -> Dict[str, int]:
        return dict(collections.Counter(values))

    return {
        "seed": plan.seed,
        # What goes on and on is said once.
        "violations": list(dict.fromkeys(map(str, violations))),
        "faults": count(e["fault"]["kind"] for e in events
                        if e["kind"] == "fault"),
        "skipped": count(f"{e['fault']}: {e['why']}" for e in events
                         if e["kind"] == "skipped"),
        "ends": count(e["code"] for e in events if e["kind"] == "status"),
        "manners": count(e["manner"] for e in events if e["kind"] == "begin"),
        "network": next(e["network"] for e in events
                        if e["kind"] == "config"),
        "resumed": sum(e["kind"] == "resumed" for e in events),
        "tokens": sum(len(e["ids"]) for e in events if e["kind"] == "tokens"),
        "seconds": round(events[-1]["t"], 1),
    }


def run_seed(programs: Programs, seed: int, detection_s: float,
             answers: Dict[str, checker.Answer],
             folder: pathlib.Path) -> Dict[str, Any]:
    """Leaves the history of the run, and logs of a bad one, in `folder`."""
    plan = drawing.draw(seed, detection_s)
    history = History()
    log = run(programs, plan, answers, history)
    events = history.events()
    history.write(folder / f"seed-{seed}.jsonl")
    violations = checker.check(events, answers)
    if violations:
        (folder / f"seed-{seed}.log").write_text(log)
    return summary(plan, events, violations)


def _run_apart(seed: int, options: argparse.Namespace, answers: pathlib.Path,
               folder: pathlib.Path) -> Dict[str, Any]:
    """In a process of its own, so that no run sees another's threads."""
    command = [sys.executable, str(pathlib.Path(__file__).resolve()),
               f"--seed={seed}", f"--bin={options.bin}",
               f"--answers={answers}", f"--histories={folder}"]
    if options.detection is not None:
        command.append(f"--detection={options.detection}")
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=RUN_SECONDS)
        return json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        problem = f"the run itself failed: {error!r}"
        if not isinstance(error, subprocess.TimeoutExpired):
            problem += "\n" + done.stderr[-3000:]
        return {"seed": seed, "violations": [problem]}


def main() -> int:
    options = arguments()
    programs = Programs(options.bin)
    detection_s = options.detection or cluster.detection_s(programs)
    if options.show:
        plan = drawing.draw(options.seed, detection_s).as_dict()
        print(json.dumps(plan, indent=1))
        return 0
    folder = pathlib.Path(options.histories or tempfile.mkdtemp(
        prefix="hybridserve-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    if options.check:
        return _check_again(options, detection_s, folder)
    for what, problem in (("network namespaces", NamespaceLink.problem()),
                          ("delay and loss in them",
                           NamespaceLink.netem_problem()),
                          ("clock jumps", cluster.faketime_problem())):
        if problem is not None:
            print(f"skipped: {what}: {problem}", file=sys.stderr)
    if options.answers:
        answers_file = pathlib.Path(options.answers)
    else:
        answers_file = folder / "answers.json"
        reference.write(reference.undisturbed(programs, WORKER_FLAGS),
                        answers_file)
    if options.seed is not None:
        result = run_seed(programs, options.seed, detection_s,
                          reference.read(answers_file), folder)
        for violation in result["violations"]:
            print(violation, file=sys.stderr)
        print(f"history: {folder / f'seed-{options.seed}.jsonl'}",
              file=sys.stderr)
        print(json.dumps(result))
        return 1 if result["violations"] else 0
    return _run_many(options, detection_s, answers_file, folder)


def _seeds(options: argparse.Namespace) -> range:
    return range(options.first, options.first + (options.seeds or 1))


def _check_again(options: argparse.Namespace, detection_s: float,
                 folder: pathlib.Path) -> int:
    answers = reference.read(folder / "answers.json")
    results = []
    for seed in _seeds(options):
        events = read(folder / f"seed-{seed}.jsonl")
        violations = checker.check(events, answers)
        results.append(summary(drawing.draw(seed, detection_s), events,
                               violations))
        for violation in results[-1]["violations"]:
            print(f"seed {seed}: {violation}")
    report.write_faults(pathlib.Path(options.out), results, detection_s)
    return 1 if any(result["violations"] for result in results) else 0


def _run_many(options: argparse.Namespace, detection_s: float,
              answers: pathlib.Path, folder: pathlib.Path) -> int:
    seeds = _seeds(options)
    results: List[Dict[str, Any]] = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(
                lambda seed: _run_apart(seed, options, answers, folder),
                seeds):
            results.append(result)
            for violation in result["violations"]:
                print(f"seed {result['seed']}: {violation}", flush=True)
            print(f"seed {result['seed']}: "
                  f"{len(result['violations'])} violations "
                  f"({len(results)} of {len(seeds)} runs)", flush=True)
    report.write_faults(pathlib.Path(options.out), results, detection_s)
    print(f"histories: {folder}")
    return 1 if any(result["violations"] for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
