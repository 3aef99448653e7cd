"""What pairs.py measured, as ratios with bounds, a table and a chart."""

import dataclasses
import pathlib
from typing import Dict, List

from tests.bench.pairs import median_ratio
from tests.bench.pairs import settings

TOLERANCE = 1.03
LEAST_PAIRS = 15
# Colour-blind safe (Okabe and Ito).
COLOURS = {"kv": "#0072B2", "act": "#E69F00", "fixed": "#CC79A7"}


def label(result: Dict) -> str:
    if result["policy"] != "hybrid":
        return result["policy"]
    return "hybrid" if result["act_ratio"] == "auto" else "fixed"


def run_of(setting: settings.Setting, link: float, results: List[Dict]) -> Dict:
    """The setting, its rates by repeat, and each rival's rate over hybrid's."""
    by_label = {label(result): result for result in results}
    rates = {
        name: result["samples"]["decode_tokens_per_s"] or []
        for name, result in by_label.items()
    }
    rivals = {}
    for name in COLOURS:
        ratios = [
            rival / ours
            for rival, ours in zip(rates[name], rates["hybrid"])
            if rival and ours
        ]
        low, middle, high = median_ratio.bounds(ratios)
        rivals[name] = {
            "low": low,
            "median": middle,
            "high": high,
            "pairs": len(ratios),
        }
    return {
        "setting": dataclasses.asdict(setting),
        "link_bytes_per_s": link,
        "act_share": by_label["hybrid"]["act_share"],
        "fixed_share": by_label["fixed"]["act_ratio"],
        "predicted_step_s": by_label["hybrid"]["predicted_step_s"],
        "measured_step_s": by_label["hybrid"]["measured_step_s"],
        "decode_tokens_per_s": rates,
        "rivals": rivals,
    }


def name_of(run: Dict) -> str:
    return settings.Setting(**run["setting"]).name


def line(run: Dict) -> str:
    rivals = ", ".join(
        f"{name} {rival['median']:.3f} ({rival['low']:.3f} to "
        f"{rival['high']:.3f})"
        for name, rival in run["rivals"].items()
    )
    return f"{name_of(run)}: {rivals}"


def faster_rivals(result: Dict) -> List[str]:
    return [
        f"{name_of(run)}: {name} is faster than hybrid, {rival['median']:.3f} "
        f"times, at least {rival['low']:.3f} with 95% confidence"
        for run in result["runs"]
        for name, rival in run["rivals"].items()
        if rival["low"] > TOLERANCE
    ]


def thin_runs(result: Dict) -> List[str]:
    """Of too few pairs to say anything: a repeat whose batch never decoded all
    at once has no rate."""
    return [
        f"{name_of(run)}: {rival['pairs']} pairs with {name}, fewer than "
        f"{LEAST_PAIRS}"
        for run in result["runs"]
        for name, rival in run["rivals"].items()
        if rival["pairs"] < LEAST_PAIRS
    ]


def markdown(result: Dict) -> str:
    machine = result["machine"]
    faster = faster_rivals(result)
    lines = [
        "# The planner's choice against its rivals, in wall clock",
        "",
        f"Paced link. {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['date']}. Regenerate with",
        "",
        "    .venv/bin/python tests/bench/pairs/pairs.py",
        "",
        "Decode rate of a rival over that of `hybrid`, pair by pair of "
        "interleaved repeats: median (and 95% bounds of it, one side each). "
        "Below 1, hybrid is faster. `fixed` is the ACT share that is the "
        "fastest of 0.05, 0.10 … 0.95 in simulated runs with the same profile.",
        "",
        f"{len(faster)} of {3 * len(result['runs'])} rivals are faster by more "
        "than 3% with 95% confidence.",
        *(f"- {sentence}" for sentence in faster + thin_runs(result)),
        "",
        "![chart](pairs.svg)",
        "",
        "| setting | ACT share | kv | act | fixed share | fixed |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for run in result["runs"]:
        cells = {
            name: f"{rival['median']:.3f} ({rival['low']:.3f}–"
            f"{rival['high']:.3f})"
            for name, rival in run["rivals"].items()
        }
        lines.append(
            f"| {name_of(run)} | {run['act_share']:.2f} | {cells['kv']} | "
            f"{cells['act']} | {run['fixed_share']} | {cells['fixed']} |"
        )
    return "\n".join(lines) + "\n"


def draw(result: Dict, path: pathlib.Path) -> None:
    import matplotlib  # Heavy, and only drawing needs it.

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "hybridserve"
    from matplotlib import pyplot

    runs = result["runs"][::-1]
    figure, axis = pyplot.subplots(figsize=(9, 1.4 + 0.3 * len(runs)))
    for place, (name, colour) in enumerate(COLOURS.items()):
        rivals = [run["rivals"][name] for run in runs]
        medians = [rival["median"] for rival in rivals]
        below = [r["median"] - r["low"] for r in rivals]
        above = [r["high"] - r["median"] for r in rivals]
        axis.errorbar(
            medians,
            [i + (1 - place) * 0.22 for i in range(len(runs))],
            xerr=[below, above],
            fmt="o",
            markersize=4,
            linewidth=1.2,
            color=colour,
            label={"fixed": "best fixed share"}.get(name, name),
        )
    axis.axvline(1, color="#009E73", linewidth=1.5, label="hybrid")
    axis.axvline(TOLERANCE, color="#999999", linewidth=1, linestyle="--")
    axis.set_yticks(range(len(runs)))
    axis.set_yticklabels([name_of(run) for run in runs], fontsize=8)
    axis.set_xlabel("decode tokens/s over hybrid's (left of the line: slower)")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="x", color="#EEEEEE")
    axis.set_axisbelow(True)
    figure.legend(frameon=False, ncols=4, fontsize=9, loc="upper center")
    machine = result["machine"]
    figure.text(
        0.01,
        0.005,
        f"Paced link; {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['date']}. Whiskers: 95% bounds of the median. "
        "Dashed: 3% faster than hybrid.",
        fontsize=8,
        color="#555555",
    )
    figure.tight_layout(rect=(0, 0.02, 1, 0.97))
    figure.savefig(path, metadata={"Date": None})
