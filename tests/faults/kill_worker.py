"""kill -9 of a worker under 32 streams: no token is lost, doubled or changed.

    .venv/bin/python tests/faults/kill_worker.py --times=50

So many times each: one of two workers is killed, and the only one, which is
then started again. Every time 32 clients stream, the kill comes when all of
them have tokens and none is done, and what each of them got is compared with an
undisturbed run of the same programs. Writes docs/results/kill_worker.{json,md};
the exit status is 1 if anything differed. Needs the programs built (bazel build
--config=opt //tests/e2e:programs).
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
from tests.faults import checker, cluster, reference  # noqa: E402
from tests.faults import schedule  # noqa: E402
from tests.faults.clients import Client  # noqa: E402
from tests.faults.history import History  # noqa: E402
from tests.faults.nemesis import MODEL_DIR  # noqa: E402

# All clients run at once, at some 40 ms a step.
WORKER_FLAGS = [f"--model_dir={MODEL_DIR}", "--device_memory=16MiB",
                "--resident_weights=0", "--link_bandwidth=600MB/s",
                "--threads=1"]
CLIENTS = 32
TOKENS = schedule.MAX_TOKENS[-1]
STREAM_SECONDS = 120


def started(history: History) -> List[int]:
    """Tokens that each client has, of those that have some."""
    tokens: Dict[str, int] = {}
    for event in history.events():
        if event["kind"] == "tokens":
            request = event["request"]
            tokens[request] = tokens.get(request, 0) + len(event["ids"])
    return list(tokens.values())


def kill_once(running: cluster.FaultyCluster, clients: List[Client],
              rng: random.Random, restart: bool) -> History:
    """All clients stream once while worker 0 is killed."""
    history = History()
    requests = [schedule.Request(0.0, i % len(schedule.PROMPTS), TOKENS,
                                 "sampled" if i % 4 == 3 else "plain")
                for i in range(len(clients))]
    for client in clients:
        client.use(history)
    threads = [threading.Thread(target=client.send,
                                args=(f"stream{i}", requests[i]), daemon=True)
               for i, client in enumerate(clients)]
    # At a token of the first half of the streams, another one each time.
    kill_at = rng.randrange(1, TOKENS // 2)
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + STREAM_SECONDS
    while True:
        tokens = started(history)
        if len(tokens) == len(clients) and max(tokens) >= kill_at:
            break
        if time.monotonic() > deadline:
            history.add("hang", what="the beginning of a stream")
            break
        time.sleep(0.01)
    history.add("killed", done=sum(count >= TOKENS for count in tokens))
    running.kill_worker(0)
    if restart:
        running.restart_worker(0)
    for client, thread in zip(clients, threads):
        thread.join(max(0.1, deadline - time.monotonic()))
        if thread.is_alive():
            history.add("hang", what="a stream")
            client.give_up()
    if not restart:
        running.restart_worker(0)
    if not running.wait_until_ready(STREAM_SECONDS):
        history.add("hang", what="the worker's way back")
    return history


def judge(history: History,
          answers: Dict[str, checker.Answer]) -> Dict[str, Any]:
    events = history.events()
    violations = checker.check_requests(events, answers)
    ended = sum(e["kind"] == "status" and e["code"] == "OK" for e in events)
    return {
        "whole": ended,
        "resumed": sum(e["kind"] == "resumed" for e in events),
        "done_before": next(e["done"] for e in events
                            if e["kind"] == "killed"),
        "tokens": sum(len(e["ids"]) for e in events if e["kind"] == "tokens"),
        "violations": list(dict.fromkeys(map(str, violations))),
    }


def run_case(programs: Programs, answers: Dict[str, checker.Answer],
             workers: int, times: int, seed: int) -> List[Dict[str, Any]]:
    """`workers` is 1 or 2; the first is killed."""
    rng = random.Random(seed)
    results = []
    settings = cluster.Settings(workers=workers, worker_flags=WORKER_FLAGS,
                                seed=seed)
    with cluster.FaultyCluster(programs, History(), settings) as running:
        clients = [Client(f"client{i}", running.address, programs.client,
                          History()) for i in range(CLIENTS)]
        for kill in range(times):
            result = judge(kill_once(running, clients, rng, workers == 1),
                           answers)
            results.append(result)
            print(f"{workers} workers, kill {kill + 1} of {times}: "
                  f"{result['whole']} of {CLIENTS} whole, "
                  f"{result['resumed']} resumed, "
                  f"{len(result['violations'])} violations", flush=True)
            for violation in result["violations"]:
                print(f"  {violation}", flush=True)
        for client in clients:
            client.close()
    return results


def is_good(result: Dict[str, Any]) -> bool:
    """All streams whole and equal, and some were hit under way."""
    return (result["whole"] == CLIENTS and not result["violations"]
            and result["resumed"] > 0
            and result["tokens"] == CLIENTS * TOKENS)


def write_report(folder: pathlib.Path,
                 cases: Dict[str, List[Dict[str, Any]]]) -> None:
    where = result_page.machine()
    text = result_page.head("kill -9 of a worker under 32 streams", where)
    text += (f"{CLIENTS} clients stream {TOKENS} tokens each, a quarter of "
             f"them sampled; a worker is killed at a random token of the first "
             f"half. What clients got is compared with an undisturbed run, "
             f"token by token.\n\n")
    rows = []
    for name, results in cases.items():
        rows.append([
            name, len(results), sum(r["whole"] for r in results),
            CLIENTS * len(results), sum(r["resumed"] for r in results),
            sum(r["tokens"] for r in results),
            sum(len(r["violations"]) for r in results)])
    text += result_page.table(
        ["killed", "times", "streams whole and equal", "of", "went on after "
         "the kill", "tokens", "lost, doubled or changed"], rows)
    result_page.write(folder, "kill_worker",
                      {"machine": where, "cases": cases}, text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bin", default=str(ROOT / "bazel-bin"),
                        help="folder of programs")
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", default=str(ROOT / "docs/results"),
                        help="folder to write to")
    options = parser.parse_args()
    programs = Programs(options.bin)
    answers = reference.undisturbed(programs, WORKER_FLAGS)
    cases = {
        "one of two workers": run_case(programs, answers, 2, options.times,
                                       options.seed),
        "the only worker, started again": run_case(
            programs, answers, 1, options.times, options.seed + 1),
    }
    write_report(pathlib.Path(options.out), cases)
    bad = [result for results in cases.values() for result in results
           if not is_good(result)]
    print(f"{len(bad)} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
