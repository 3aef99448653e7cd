"""Draws the papers' pictures of this machine: policies side by side, throughput
against prompt length (HybridServe's figure 12), decode latency against the
recomputed share (figure 4).

    .venv/bin/python tests/bench/figures/figures.py

A small model behind a paced link, in the proportions of OPT-30B on an RTX 4090
(tests/bench/similarity). Needs the programs built (bazel build --config=opt
//client:hybridserve //worker) and three minutes or more in which the machine
does nothing else. Writes docs/results/figures.md and a JSON and an SVG file of
`hybridserve bench` a figure.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
import tempfile
from typing import Dict, List

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.bench import programs  # noqa: E402
from tests.bench.similarity import regimes  # noqa: E402

HIDDEN = 256
LAYERS = 4
MAX_POSITIONS = 1280
ELEMENT_BYTES = 4  # float32: what a CPU computes in.
REGIME = next(r for r in regimes.REGIMES if r.name == "OPT-30B")


@dataclasses.dataclass(frozen=True)
class Figure:
    name: str  # Of its files.
    title: str
    flags: List[str]


FIGURES = [
    Figure(
        "baselines",
        "Policies side by side",
        [
            "--policies=kv,act,hybrid,recompute,flexgen",
            "--recompute_ratio=0.1",
            "--flexgen_relay=false,true",
            "--prompt_tokens=768",
            "--output_tokens=48",
        ],
    ),
    Figure(
        "prompt_length",
        "Throughput against prompt length",
        [
            "--policies=kv,act,hybrid",
            "--prompt_tokens=128,256,512,1024",
            "--output_tokens=48",
        ],
    ),
    Figure(
        "recompute",
        "Latency of a decode step against the recomputed share",
        [
            "--policies=recompute",
            "--recompute_ratio=0,0.1,0.2,0.3,0.4,0.6",
            "--prompt_tokens=512",
            "--output_tokens=32",
        ],
    ),
]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--bin", default=str(ROOT / "bazel-bin"), help="folder of programs")
    add("--out", default=str(ROOT / "docs/results"), help="folder to write to")
    add("--repeats", type=int, default=3)
    add("--only", default="", help="one figure's name")
    add("--report_only", action="store_true", help="write figures.md again")
    return parser.parse_args()


def measure(arguments: argparse.Namespace, figures: List[Figure]) -> None:
    client = f"{arguments.bin}/client/hybridserve"
    worker = f"{arguments.bin}/worker/worker"
    with tempfile.TemporaryDirectory() as folder:
        config = regimes.model_config(HIDDEN, LAYERS, MAX_POSITIONS)
        common = programs.made_up_model(pathlib.Path(folder), config)
        least = programs.least_device_memory(
            worker, [*common, "--link_bandwidth=1GB"]
        )
        flops = programs.measure_rebuild(client, common, HIDDEN)
        stand = regimes.scale(REGIME, HIDDEN, flops, ELEMENT_BYTES)
        tokens = stand.batch * MAX_POSITIONS
        for figure in figures:
            print(f"{figure.title} ...", flush=True)
            file = pathlib.Path(f"{arguments.out}/{figure.name}.json")
            programs.bench(
                client,
                [*common, *figure.flags]
                # Rows for prompts and what is recomputed; no weights.
                + [f"--device_memory={least + (16 << 20)}"]
                + ["--resident_weights=0", f"--batch={stand.batch}"]
                + [f"--host_memory={tokens * 2 * HIDDEN * ELEMENT_BYTES * LAYERS}"]
                + [f"--link_bandwidth={stand.link_bytes_per_s:.0f}"]
                + [f"--repeats={arguments.repeats}"]
                + [f"--svg={file.with_suffix('.svg')}"],
                file,
            )


def label(result: Dict) -> str:
    words = [result["policy"]]
    if result.get("recompute_ratio"):
        words.append(result["recompute_ratio"])
    if result.get("relay"):
        words.append("relay")
    return " ".join(words)


def number(value, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def table(results: List[Dict]) -> List[str]:
    lines = [
        "| policy | prompt tokens | batch | tokens/s | decode tokens/s "
        "| step (ms) | ideal (ms) | link busy | compute busy |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for result in results:
        step, ideal = result["measured_step_s"], result["ideal_step_s"]
        lines.append(
            f"| {label(result)} | {result['prompt_tokens']} "
            f"| {result['batch_running']} "
            f"| {number(result['total_tokens_per_s'], 1)} "
            f"| {number(result['decode_tokens_per_s'], 1)} "
            f"| {number(step and 1e3 * step, 1)} "
            f"| {number(ideal and 1e3 * ideal, 1)} "
            f"| {number(result['link_busy'], 2)} "
            f"| {number(result['compute_busy'], 2)} |"
        )
    return lines


def markdown(out: pathlib.Path) -> str:
    lines = [
        "# The papers' figures, on this machine",
        "",
        "Paced link. Regenerate with",
        "",
        "    .venv/bin/python tests/bench/figures/figures.py",
        "",
        f"A float32 model of {LAYERS} layers and hidden size {HIDDEN} in the "
        f"proportions of {REGIME.name} on an RTX 4090 (tests/bench/similarity), "
        "no weights on the device. Medians of interleaved repeats; the ideal "
        "is max(link, compute) from each operation's cost measured alone in "
        "the same run. `resident` is not there: it wants another device.",
    ]
    for figure in FIGURES:
        file = out / f"{figure.name}.json"
        if not file.exists():
            continue
        measured = json.loads(file.read_text())
        machine = measured["machine"]
        lines += [
            "",
            f"## {figure.title}",
            "",
            f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}; "
            f"link {machine['link_bytes_per_s'] / 1e6:.0f} MB/s.",
            "",
            f"![{figure.title}]({figure.name}.svg)",
            "",
            *table(measured["results"]),
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    arguments = parse_arguments()
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    wanted = [f for f in FIGURES if arguments.only in ("", f.name)]
    if not wanted:
        sys.exit(f"--only: no figure {arguments.only}")
    if not arguments.report_only:
        measure(arguments, wanted)
    (out / "figures.md").write_text(markdown(out))
    print(f"wrote {out}/figures.md")


if __name__ == "__main__":
    main()
