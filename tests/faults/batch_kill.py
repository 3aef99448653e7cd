"""kill -9 of client, worker and scheduler under a batch job: every input line
has exactly one output line, in bounded memory.

    .venv/bin/python tests/faults/batch_kill.py --lines=100000 --kills=12

`hybridserve batch` runs over a generated file and is started again whenever it
is killed; workers and scheduler are killed and started again at random moments
too, which the job has to live through by itself. Writes
docs/results/batch.{json,md}; the exit status is 1 if a line is missing, doubled,
in error or different from the others of its prompt, or memory was not bounded.
Needs the programs built (bazel build --config=opt //tests/e2e:programs).
"""

import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, List

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import result_page  # noqa: E402
from tests.e2e.processes import Programs  # noqa: E402
from tests.faults import cluster  # noqa: E402
from tests.faults.history import History  # noqa: E402

# Small: the lines are the point, not the model.
MODEL_DIR = ROOT / "tests" / "golden" / "models" / "pre_norm"
WINDOW = 64
PROMPTS = 50
MAX_TOKENS = 3
# How much more memory a job of many lines may take than one of few: a bit per
# line, and what allocators keep.
MEMORY_MIB = 16.0
FEW_LINES = 2000
TARGETS = ("client", "worker", "scheduler")
RUN_SECONDS = 1800


def write_input(path: pathlib.Path, lines: int) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for i in range(lines):
            file.write(json.dumps({
                "id": f"line {i}", "token_ids": [5 + i % PROMPTS, 17, 40],
                "max_tokens": 1 + i % MAX_TOKENS, "ignore_eos": True}) + "\n")


def judge(out: pathlib.Path, lines: int) -> Dict[str, int]:
    """What is wrong with the output file: all 0 if nothing is."""
    seen: collections.Counter = collections.Counter()
    answers: Dict[Any, Any] = {}
    found = {"missing": 0, "doubled": 0, "errors": 0, "different": 0,
             "wrong_id": 0}
    with open(out, encoding="utf-8") as file:
        for text in file:
            result = json.loads(text)
            i = result["line"] - 1
            seen[i] += 1
            found["wrong_id"] += result["id"] != f"line {i}"
            if "error" in result:
                found["errors"] += 1
                continue
            tokens = result["token_ids"]
            answer = answers.setdefault((i % PROMPTS, i % MAX_TOKENS),
                                        (tokens, result["text"]))
            found["different"] += ((tokens, result["text"]) != answer or
                                   len(tokens) != 1 + i % MAX_TOKENS)
    found["missing"] = sum(i not in seen for i in range(lines))
    found["doubled"] = sum(count - 1 for count in seen.values())
    return found


class Job:
    """A batch job that is started again until it is done."""

    def __init__(self, running: cluster.FaultyCluster, source: pathlib.Path,
                 out: pathlib.Path):
        self._command = [
            running.programs.client, "batch", f"--server={running.address}",
            f"--input={source}", f"--output_file={out}", f"--window={WINDOW}"]
        self._partial = pathlib.Path(f"{out}.partial")
        self._out = out
        self.peak_mib = 0.0
        self.starts = 0
        self.exits: List[int] = []
        self.last_error = ""
        self._process: Any = None

    def run(self) -> bool:
        """Until it exits with 0. False if it ended otherwise, unkilled."""
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            self.starts += 1
            with tempfile.TemporaryFile("w+") as log:
                self._process = subprocess.Popen(
                    self._command, stdout=subprocess.DEVNULL, stderr=log)
                while self._process.poll() is None:
                    self._measure()
                    time.sleep(0.05)
                code = self._process.returncode
                self.exits.append(code)
                log.seek(0)
                self.last_error = log.read()[-2000:]
            if code == 0:
                return True
            if code != -9:
                return False
        return False

    def _measure(self) -> None:
        try:
            text = pathlib.Path(
                f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return
        for line in text.splitlines():
            if line.startswith("VmHWM:"):
                self.peak_mib = max(self.peak_mib,
                                    int(line.split()[1]) / 1024)

    def bytes_done(self) -> int:
        for path in (self._out, self._partial):
            if path.exists():
                return path.stat().st_size
        return 0

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()


def run_job(running: cluster.FaultyCluster, folder: pathlib.Path, lines: int,
            kills: int, seed: int) -> Dict[str, Any]:
    """One job over so many lines with so many kills, evenly spread over the
    output but for a random share of the distance."""
    rng = random.Random(seed)
    source, out = folder / f"in-{lines}", folder / f"out-{lines}"
    write_input(source, lines)
    job = Job(running, source, out)
    outcome: List[bool] = []
    begin = time.monotonic()
    thread = threading.Thread(target=lambda: outcome.append(job.run()),
                              daemon=True)
    thread.start()
    # Some 90 bytes a line.
    size = 90 * lines
    killed: collections.Counter = collections.Counter()
    for kill in range(kills):
        at = size * (kill + rng.random()) / (kills + 1)
        while thread.is_alive() and job.bytes_done() < at:
            time.sleep(0.01)
        if not thread.is_alive():
            break
        # Each in turn, so that few kills hit all three; the moment is random.
        target = TARGETS[kill % len(TARGETS)]
        killed[target] += 1
        if target == "client":
            job.kill()
        elif target == "worker":
            running.kill_worker(0)
            time.sleep(rng.uniform(0, 1))
            running.restart_worker(0)
        else:
            running.kill_scheduler(rng.uniform(0, 1))
    thread.join(RUN_SECONDS)
    seconds = time.monotonic() - begin
    result = {"lines": lines, "seconds": round(seconds, 1),
              "kills": dict(killed), "starts": job.starts,
              "exits": job.exits, "peak_mib": round(job.peak_mib, 1),
              "done": outcome == [True], "left_over":
              pathlib.Path(f"{out}.partial").exists()}
    if not result["done"]:
        result["last_error"] = job.last_error
    result["wrong"] = judge(out, lines) if out.exists() else {"missing": lines}
    return result


def problems(result: Dict[str, Any]) -> List[str]:
    said = [f"{count} lines {what}"
            for what, count in result["wrong"].items() if count]
    if not result["done"]:
        said.append(f"the job did not end well: exits {result['exits']}: "
                    f"{result.get('last_error', '')}")
    if result["left_over"]:
        said.append("OUT.partial was left over")
    if result["starts"] != 1 + result["kills"].get("client", 0):
        said.append(f"{result['starts']} starts for "
                    f"{result['kills'].get('client', 0)} kills of the client")
    return said


def run_jobs(programs: Programs, jobs: List[Dict[str, int]],
             seed: int) -> List[Dict[str, Any]]:
    """Each of {"lines", "kills"}."""
    settings = cluster.Settings(
        workers=1, seed=seed,
        worker_flags=[f"--model_dir={MODEL_DIR}", "--threads=1"])
    history = History()
    with tempfile.TemporaryDirectory() as folder, cluster.FaultyCluster(
            programs, history, settings) as running:
        results = [run_job(running, pathlib.Path(folder), job["lines"],
                           job["kills"], seed + i)
                   for i, job in enumerate(jobs)]
    crashes = [event for event in history.events()
               if event["kind"] == "crash"]
    for crash in crashes:
        results[-1]["wrong"][f"lost by a crash of {crash['program']}"] = 1
    return results


def write_report(folder: pathlib.Path, results: List[Dict[str, Any]],
                 said: List[str]) -> None:
    where = result_page.machine()
    text = result_page.head("Batch jobs under kill -9", where)
    text += (f"`hybridserve batch` with a window of {WINDOW}, killed and "
             f"started again, while the worker and the scheduler are killed "
             f"and started again too. A line is wrong if it is missing, "
             f"doubled, an error, or differs from the other lines of its "
             f"prompt.\n\n**{len(said)} problems.**\n\n")
    for problem in said:
        text += f"- {problem}\n"
    if said:
        text += "\n"
    text += result_page.table(
        ["lines", "seconds", "client killed", "worker killed",
         "scheduler killed", "wrong lines", "most memory of the client, MiB"],
        [[r["lines"], r["seconds"], r["kills"].get("client", 0),
          r["kills"].get("worker", 0), r["kills"].get("scheduler", 0),
          sum(r["wrong"].values()), r["peak_mib"]] for r in results])
    result_page.write(folder, "batch", {"machine": where, "jobs": results,
                                        "problems": said}, text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--bin", default=str(ROOT / "bazel-bin"), help="folder of programs")
    add("--lines", type=int, default=100000)
    add("--kills", type=int, default=12)
    add("--seed", type=int, default=1)
    add("--out", default=str(ROOT / "docs/results"), help="folder to write to")
    options = parser.parse_args()
    results = run_jobs(Programs(options.bin), [
        {"lines": FEW_LINES, "kills": 0},
        {"lines": options.lines, "kills": options.kills}], options.seed)
    said = [problem for result in results for problem in problems(result)]
    growth = results[1]["peak_mib"] - results[0]["peak_mib"]
    if growth > MEMORY_MIB:
        said.append(f"{options.lines} lines took {growth:.1f} MiB more than "
                    f"{FEW_LINES}")
    write_report(pathlib.Path(options.out), results, said)
    for problem in said:
        print(problem)
    print(json.dumps(results))
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
