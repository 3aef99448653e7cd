"""Measures the policies in the regimes of OPT-6.7B to 66B on an RTX 4090, by
similarity scaling, in wall clock on this machine behind a paced link.

    .venv/bin/python tests/bench/similarity/similarity.py

Needs the three programs built (bazel build --config=opt //client:hybridserve
//worker). Takes about an hour; the machine should do nothing else. Writes
docs/results/similarity.{json,svg,md}, anew after every run, and says what is
short of the targets (report.py); then the exit status is 1.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import sys
import tempfile
from typing import Dict, List

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.bench import programs  # noqa: E402
from tests.bench.similarity import regimes  # noqa: E402
from tests.bench.similarity import report  # noqa: E402

LAYERS = 4
MAX_POSITIONS = 2048
ELEMENT_BYTES = 4  # float32: what this CPU computes in.
POLICIES = "kv,act,hybrid"
# Room for outputs.
SPARE_POSITIONS = 64
# Large: fewer steps until all decode.
CHUNK_TOKENS = 2048


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--bin", default=str(ROOT / "bazel-bin"), help="folder of programs")
    add("--out", default=str(ROOT / "docs/results"), help="folder to write to")
    add("--hidden", type=int, default=384, help="of the stand-in model")
    add("--contexts", default="512,1024,1920", help="prompt lengths")
    add("--regimes", default="", help="names, a list; empty: all four")
    add("--settings", default="batch,memory", help="equal batch, equal memory")
    add("--decode_steps", type=int, default=8, help="to measure, a repeat")
    add("--repeats", type=int, default=3)
    add("--threads", type=int, default=1, help="that compute")
    add("--report_only", action="store_true", help="draw the JSON again")
    return parser.parse_args()


def bench_flags(
    arguments: argparse.Namespace,
    stand: regimes.Stand,
    setting: str,
    context: int,
) -> List[str]:
    """Equal batch: every policy runs the same sequences, and the host holds
    them as keys and values. Equal memory: each runs what the pool holds."""
    flags = [
        f"--prompt_tokens={context}",
        f"--output_tokens={arguments.decode_steps}",
        f"--prefill_chunk_tokens={CHUNK_TOKENS}",
    ]
    if setting == "memory":
        memory = regimes.pool_bytes(stand, LAYERS, ELEMENT_BYTES)
        return [*flags, "--batch=auto", f"--host_memory={memory}"]
    per_token = 2 * stand.hidden * ELEMENT_BYTES * LAYERS
    blocks = -(-(context + SPARE_POSITIONS) // 16)
    memory = max(stand.batch * blocks * 16, MAX_POSITIONS) * per_token
    return [*flags, f"--batch={stand.batch}", f"--host_memory={memory}"]


def measure(arguments: argparse.Namespace, file: pathlib.Path) -> None:
    """Writes `file` after every run: an hour is long."""
    bench = f"{arguments.bin}/client/hybridserve"
    worker = f"{arguments.bin}/worker/worker"
    wanted = [name for name in arguments.regimes.split(",") if name]
    chosen = [r for r in regimes.REGIMES if not wanted or r.name in wanted]
    runs = [
        (regime, setting, int(context))
        for regime in chosen
        for setting in arguments.settings.split(",")
        for context in arguments.contexts.split(",")
    ]
    result: Dict = {
        "machine": {"cpu": platform.processor(), "cores": os.cpu_count()},
        "date": datetime.date.today().isoformat(),
        "command": "tests/bench/similarity/similarity.py "
        + " ".join(
            given
            for given in sys.argv[1:]
            if not given.startswith(("--bin", "--out"))
        ),
        "hidden": arguments.hidden,
        "layers": LAYERS,
        "runs": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        config = regimes.model_config(arguments.hidden, LAYERS, MAX_POSITIONS)
        common = programs.made_up_model(
            pathlib.Path(folder), config, arguments.threads
        )
        least = programs.least_device_memory(
            worker, [*common, "--link_bandwidth=1GB"]
        )
        # Rows for a step of every batch, no weights, next to no cache.
        device = least + (4 << 20)
        common += ["--resident_weights=0"]
        for number, (regime, setting, context) in enumerate(runs):
            # Anew each time: a machine's speed drifts within the hour.
            flops = programs.measure_rebuild(
                bench, common, arguments.hidden
            )
            stand = regimes.scale(
                regime, arguments.hidden, flops, ELEMENT_BYTES
            )
            print(
                f"[{number + 1}/{len(runs)}] {regime.name}, equal {setting}, "
                f"context {context}: {flops / 1e9:.1f} GFLOP/s, link "
                f"{stand.link_bytes_per_s / 1e6:.0f} MB/s",
                flush=True,
            )
            measured = programs.bench(
                bench,
                [*common, f"--device_memory={device}"]
                + [f"--link_bandwidth={stand.link_bytes_per_s:.0f}"]
                + [f"--policies={POLICIES}", "--decode_only"]
                + [f"--repeats={arguments.repeats}"]
                + bench_flags(arguments, stand, setting, context),
                pathlib.Path(folder) / "bench.json",
            )
            result["machine"] = measured["machine"]
            result["runs"].append(
                {
                    "regime": regime.name,
                    "setting": setting,
                    "context": context,
                    "flops_per_s": flops,
                    "link_bytes_per_s": stand.link_bytes_per_s,
                    "batch": stand.batch,
                    "pool_tokens": stand.pool_tokens,
                    "results": measured["results"],
                }
            )
            print(report.summary_line(result["runs"][-1]), flush=True)
            file.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    arguments = parse_arguments()
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    file = out / "similarity.json"
    if not arguments.report_only:
        measure(arguments, file)
    result = json.loads(file.read_text())
    (out / "similarity.md").write_text(report.markdown(result))
    report.draw(result, out / "similarity.svg")
    print(f"wrote {out}/similarity.json, .md and .svg")
    short = report.shortfalls(result)
    for sentence in short:
        print(sentence, file=sys.stderr)
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
