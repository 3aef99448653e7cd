"""Runs the fuzz targets (tools/fuzz.bzl) so often in all.

    .venv/bin/python tests/fuzz/run.py

In turns of a minute each, one a core, from the seeds beside them and what they
have found, until there were so many runs. One that crashes runs no more; the
input is kept and named, and the exit status is 1. Builds the targets. Writes
docs/results/fuzz.{json,md}, anew after every round.

    .venv/bin/python tests/fuzz/run.py --once

One turn each and no page: what tools/test.sh --suite=fuzz does.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Dict, List

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import result_page  # noqa: E402

TURN_SECONDS = 60
QUERY = r'attr(tags, "\bfuzz\b", kind("cc_binary rule", //...))'


@dataclasses.dataclass
class Target:
    label: str
    runs: int = 0
    seconds: int = 0
    inputs: int = 0  # In its corpus, after the last turn.
    crash: str = ""

    @property
    def name(self) -> str:
        return self.label.rpartition(":")[2]

    @property
    def package(self) -> pathlib.Path:
        return ROOT / self.label[2:].partition(":")[0]

    @property
    def program(self) -> pathlib.Path:
        return ROOT / "bazel-bin" / self.label[2:].replace(":", "/")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("targets", nargs="*", help="Bazel labels; all if there are none")
    add("--runs", type=int, default=10_000_000, help="of all targets")
    add("--jobs", type=int, default=os.cpu_count(), help="at once")
    add("--out", default=str(ROOT / "docs/results"), help="folder to write to")
    add("--once", action="store_true", help="one turn each; writes nothing")
    return parser.parse_args()


def bazel(*arguments: str) -> str:
    return subprocess.run(
        ["bash", "-c", 'source tools/environment.sh; run_bazel "$@"', "bash",
         *arguments],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def final_stat(log: str, name: str) -> int:
    found = re.search(rf"^stat::{name}: *(\d+)", log, re.MULTILINE)
    return int(found.group(1)) if found else 0


def run_turn(target: Target, scratch: pathlib.Path) -> None:
    """Adds one turn to what `target` has."""
    corpus = scratch / target.name
    if not corpus.exists():
        corpus.mkdir()
        seeds = target.package / "testdata" / target.name
        if seeds.is_dir():
            shutil.copytree(seeds, corpus, dirs_exist_ok=True)
    ended = subprocess.run(
        [str(target.program), f"-max_total_time={TURN_SECONDS}",
         "-rss_limit_mb=2048", "-print_final_stats=1",
         f"-artifact_prefix={scratch / target.name}-", str(corpus)],
        cwd=ROOT, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace")
    target.runs += final_stat(ended.stdout, "number_of_executed_units")
    target.seconds += TURN_SECONDS
    target.inputs = len(list(corpus.iterdir()))
    if ended.returncode != 0:
        print("\n".join(ended.stdout.splitlines()[-40:]), flush=True)
        kept = sorted(scratch.glob(f"{target.name}-*"))
        target.crash = str(kept[0]) if kept else f"exit {ended.returncode}"


def write_page(folder: pathlib.Path, targets: List[Target]) -> None:
    where = result_page.machine()
    total = sum(target.runs for target in targets)
    crashed = [target for target in targets if target.crash]
    text = result_page.head("Fuzz targets", where)
    text += (f"{total:,} runs of {len(targets)} targets under ASan and UBSan; "
             f"**{len(crashed)} crashed**.\n\n")
    text += result_page.table(
        ["target", "runs", "minutes", "inputs kept", "crashed"],
        [[f"`{target.label}`", f"{target.runs:,}", target.seconds // 60,
          target.inputs, "yes" if target.crash else "no"]
         for target in targets])
    data: Dict[str, Any] = {
        "machine": where, "runs": total,
        "targets": [dataclasses.asdict(target) for target in targets]}
    result_page.write(folder, "fuzz", data, text)


def run_round(targets: List[Target], jobs: int, scratch: pathlib.Path) -> int:
    """A turn of each that has not crashed; returns the runs so far."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda target: run_turn(target, scratch),
                      [t for t in targets if not t.crash]))
    total = sum(target.runs for target in targets)
    print(f"{total:,} runs so far", flush=True)
    return total


def run_until(targets: List[Target], runs: int, jobs: int,
              scratch: pathlib.Path, out: pathlib.Path) -> int:
    """Whole rounds, with the page anew after each; returns the runs that there
    were."""
    total = 0
    while total < runs and any(not target.crash for target in targets):
        total = run_round(targets, jobs, scratch)
        write_page(out, targets)
    return total


def main() -> int:
    arguments = parse_arguments()
    labels = arguments.targets or bazel("query", QUERY).split()
    if not labels:
        sys.exit("there are no fuzz targets")
    targets = [Target(label) for label in sorted(labels)]
    print(f"building {len(targets)} targets", flush=True)
    bazel("build", "--config=fuzz", "--show_result=0", "--", *labels)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="fuzz"))
    if arguments.once:
        run_round(targets, arguments.jobs, scratch)
    else:
        run_until(targets, arguments.runs, arguments.jobs, scratch,
                  pathlib.Path(arguments.out))
    crashed = [target for target in targets if target.crash]
    for target in crashed:
        print(f"{target.label} crashed: {target.crash}")
    if not crashed:
        shutil.rmtree(scratch)
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
