"""What the benchmarks of whole programs share: runs of them, and what they
say about this machine."""

import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
from typing import Dict, List

from tests.bench.similarity import regimes


def run(command: List[str]) -> str:
    """Its standard output. Exits with its complaint if it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nfailed: {done.stderr[-2000:]}")
    return done.stdout


def made_up_model(
    folder: pathlib.Path, config: dict, threads: int = 1
) -> List[str]:
    """Flags for a model of that config.json, put in `folder`, with weights from
    a seed, computed in float32."""
    (folder / "config.json").write_text(json.dumps(config))
    return [
        f"--model_dir={folder}",
        "--random_weights=1",
        f"--threads={threads}",
        "--dtype=float32",
    ]


def bench(client: str, flags: List[str], file: pathlib.Path) -> Dict:
    """What `hybridserve bench` measures, which `file` then holds too. Without
    its command line: that names temporary folders."""
    run([client, "bench", *flags, f"--json={file}"])
    measured = json.loads(file.read_text())
    del measured["machine"]["command_line"]
    file.write_text(json.dumps(measured, indent=1) + "\n")
    return measured


def least_device_memory(worker: str, flags: List[str]) -> int:
    """What the worker says it would need, when it is given too little."""
    done = subprocess.run(
        [worker, *flags, "--device_memory=64KiB"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"device_memory: .*at least (\d+) bytes", done.stderr)
    if found is None:
        sys.exit(f"no least device memory in: {done.stderr[-500:]}")
    return int(found.group(1))


def measure_rebuild(client: str, flags: List[str], hidden: int) -> float:
    """FLOP/s of rebuilding K and V here: by the mean time of some profiles, as
    a shared machine's speed changes from one second to the next."""
    times = []
    for _ in range(8):
        with tempfile.TemporaryDirectory() as folder:
            profile = pathlib.Path(folder) / "profile.json"
            run(
                [client, "plan", "--device=measured", *flags, "--batch=1"]
                + [f"--profile={profile}", "--link_bandwidth=1GB"]
                + ["--prompt_tokens=16", "--output_tokens=2"]
                + ["--device_memory=min", "--policies=kv"]
            )
            costs = json.loads(profile.read_text())["costs"]
        times.append(costs["rebuild"]["s_per_unit"])
    return regimes.rebuild_flops_per_s(hidden, statistics.mean(times))
