"""Is the planner's choice ever slower than a simpler one, in wall clock?

    .venv/bin/python tests/bench/pairs/pairs.py

On a grid of 24 settings: hybrid against kv, act and the fixed ACT share that is
the fastest of a sweep in steps of 0.05 (of simulated runs with the same
machine's profile), in interleaved repeats. A rival wins where its decode rate
over hybrid's, pair by pair (at least 15), has a median above 1.03 with 95%
confidence; then the exit status is 1. Needs the programs built (bazel build
--config=opt //client:hybridserve //worker) and some 15 minutes in which the
machine does nothing else. Writes docs/results/pairs.{json,svg,md}, anew after
every setting.
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
from tests.bench.pairs import report  # noqa: E402
from tests.bench.pairs import settings  # noqa: E402

SHARES = [f"{step / 20:.2f}" for step in range(1, 20)]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--bin", default=str(ROOT / "bazel-bin"), help="folder of programs")
    add("--out", default=str(ROOT / "docs/results"), help="folder to write to")
    add("--pairs", type=int, default=16, help="repeats of every setting")
    add("--first", type=int, default=24, help="only so many settings")
    add("--resume", action="store_true", help="keep what the JSON has")
    add("--report_only", action="store_true", help="draw the JSON again")
    return parser.parse_args()


def best_fixed_share(client: str, flags: List[str], file: pathlib.Path) -> str:
    """The fastest of SHARES as `hybridserve plan` simulates them."""
    programs.run(
        [client, "plan", "--device=measured", *flags, "--policies=hybrid"]
        + ["--act_ratio=" + ",".join(SHARES), f"--json={file}"]
    )

    def rate(result: Dict) -> float:
        simulated = result["simulated"] or {}
        return (
            simulated.get("decode_tokens_per_s")
            or (result["predicted"] or {}).get("decode_tokens_per_s")
            or 0.0
        )

    results = json.loads(file.read_text())["results"]
    return max(results, key=rate)["act_ratio"]


def measure(arguments: argparse.Namespace, out_file: pathlib.Path) -> None:
    """Writes `out_file` after every setting: half an hour is long."""
    client = f"{arguments.bin}/client/hybridserve"
    worker = f"{arguments.bin}/worker/worker"
    grid = settings.grid()[: arguments.first]
    result: Dict = {"runs": []}
    if arguments.resume and out_file.exists():
        result = json.loads(out_file.read_text())
    done = [run["setting"] for run in result["runs"]]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        config = settings.model_config()
        common = programs.made_up_model(folder, config)
        least = programs.least_device_memory(
            worker, [*common, "--link_bandwidth=1GB"]
        )
        for number, setting in enumerate(grid):
            if dataclasses.asdict(setting) in done:
                continue
            # Anew each time: a machine's speed drifts.
            flops = programs.measure_rebuild(client, common, settings.HIDDEN)
            resident = setting.resident_share * settings.layer_bytes()
            link = settings.link_bytes_per_s(setting, flops)
            flags = [
                *common,
                f"--device_memory={least + (1 << 20) + int(resident)}",
                f"--host_memory={settings.host_bytes(setting)}",
                f"--link_bandwidth={link:.0f}",
                f"--batch={setting.batch}",
                f"--prompt_tokens={setting.context}",
                f"--output_tokens={settings.OUTPUT_TOKENS}",
                f"--profile={folder / f'profile{number}.json'}",
            ]
            share = best_fixed_share(client, flags, folder / "plan.json")
            measured = programs.bench(
                client,
                [*flags, "--policies=kv,act,hybrid", "--decode_only"]
                + [f"--act_ratio=auto,{share}"]
                + [f"--repeats={arguments.pairs}"],
                folder / "bench.json",
            )
            result["machine"] = measured["machine"]
            result["runs"].append(
                report.run_of(setting, link, measured["results"])
            )
            print(
                f"[{number + 1}/{len(grid)}] "
                + report.line(result["runs"][-1]),
                flush=True,
            )
            out_file.write_text(json.dumps(result, indent=1) + "\n")


def main() -> None:
    arguments = parse_arguments()
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    file = out / "pairs.json"
    if not arguments.report_only:
        measure(arguments, file)
    result = json.loads(file.read_text())
    (out / "pairs.md").write_text(report.markdown(result))
    report.draw(result, out / "pairs.svg")
    print(f"wrote {out}/pairs.json, .md and .svg")
    short = report.faster_rivals(result) + report.thin_runs(result)
    for sentence in short:
        print(sentence, file=sys.stderr)
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
