"""What similarity.py measured, as lines, a table and a chart."""

import pathlib
import statistics
from typing import Dict, List, Optional

# Colour-blind safe (Okabe and Ito).
COLOURS = {"kv": "#0072B2", "act": "#E69F00", "hybrid": "#009E73"}
# Medians over all runs of a regime: measured over ideal, as a share of 1.
LEAST_OVERLAP = 0.95
# Of the ratio to kv, measured over ideal.
LEAST_OF_IDEAL = 0.95
# Hybrid's decode rate, over that of the faster single kind.
LEAST_OF_SINGLE_KIND = 0.97
# Predicted step over measured step.
MEDIAN_ERROR = 0.05
WORST_ERROR = 0.10
SETTINGS = {
    "batch": "Equal batch (128 sequences at paper scale)",
    "memory": "Equal host memory, each policy at its own best batch",
}


def by_policy(run: Dict) -> Dict[str, Dict]:
    return {result["policy"]: result for result in run["results"]}


def decode_ratio(run: Dict, policy: str) -> Optional[float]:
    """Decode tokens/s over the kv policy's, same run; None where either had no
    step in which all sequences decode."""
    results = by_policy(run)
    this, kv = results[policy], results["kv"]
    if not this["decode_tokens_per_s"] or not kv["decode_tokens_per_s"]:
        return None
    return this["decode_tokens_per_s"] / kv["decode_tokens_per_s"]


def ideal_ratio(run: Dict, policy: str) -> Optional[float]:
    """The same if both took their ideal step times."""
    results = by_policy(run)
    this, kv = results[policy], results["kv"]
    if not this.get("ideal_step_s") or not kv.get("ideal_step_s"):
        return None
    return (
        this["batch_running"]
        / this["ideal_step_s"]
        / (kv["batch_running"] / kv["ideal_step_s"])
    )


def of_single_kind(run: Dict) -> Optional[float]:
    """Hybrid's decode tokens/s over the faster one's of kv and act; None where
    one of them had no step in which all sequences decode."""
    ratios = [decode_ratio(run, policy) for policy in COLOURS]
    if None in ratios:
        return None
    kv, act, hybrid = ratios
    return hybrid / max(kv, act)


def prediction_error(result: Dict) -> Optional[float]:
    """Of the predicted step time, relative to the measured one."""
    if not result.get("predicted_step_s") or not result["measured_step_s"]:
        return None
    return result["predicted_step_s"] / result["measured_step_s"] - 1


def shortfalls(result: Dict) -> List[str]:
    """What misses its target, a sentence each."""
    sentences = []
    regimes = dict.fromkeys(run["regime"] for run in result["runs"])
    for regime in regimes:
        runs = [run for run in result["runs"] if run["regime"] == regime]
        for policy in COLOURS:
            overlap = statistics.median(
                by_policy(run)[policy]["overlap_efficiency"] or 0
                for run in runs
            )
            if overlap < LEAST_OVERLAP:
                sentences.append(
                    f"{regime}: {policy}'s median overlap efficiency is "
                    f"{overlap:.3f}, less than {LEAST_OVERLAP}"
                )
        for run in runs:
            where = (
                f"{regime}, context {run['context']}, equal {run['setting']}"
            )
            ratio = decode_ratio(run, "hybrid")
            ideal = ideal_ratio(run, "hybrid")
            if ratio is None or ideal is None:
                sentences.append(
                    f"{where}: no step in which all of hybrid's sequences, or "
                    "of kv's, decode"
                )
            elif ratio < LEAST_OF_IDEAL * ideal:
                sentences.append(
                    f"{where}: hybrid is {ratio:.2f} times as fast as "
                    f"kv, less than {LEAST_OF_IDEAL} of the ideal {ideal:.2f}"
                )
            best = of_single_kind(run)
            if best is not None and best < LEAST_OF_SINGLE_KIND:
                sentences.append(
                    f"{where}: hybrid is {best:.3f} times as fast as the "
                    f"faster single kind, less than {LEAST_OF_SINGLE_KIND}"
                )
    errors = [
        abs(error)
        for run in result["runs"]
        for error in map(prediction_error, run["results"])
        if error is not None
    ]
    if errors and statistics.median(errors) > MEDIAN_ERROR:
        sentences.append(
            f"median error of predicted steps: {statistics.median(errors):.1%}"
        )
    if errors and max(errors) > WORST_ERROR:
        sentences.append(f"worst error of predicted steps: {max(errors):.1%}")
    return sentences


def number(value: Optional[float], digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def summary_line(run: Dict) -> str:
    results = by_policy(run)
    parts = [
        f"{name} {number(decode_ratio(run, name), 2)}x "
        f"(ideal {number(ideal_ratio(run, name), 2)}, overlap "
        f"{number(result.get('overlap_efficiency'))})"
        for name, result in results.items()
    ]
    return "    " + ", ".join(parts)


def table(runs: List[Dict]) -> List[str]:
    lines = [
        "| regime | context | policy | batch | ACT share | step (s) | "
        "predicted | overlap | link busy | compute busy | decode vs kv | "
        "ideal vs kv |",
        "| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: | --: "
        "| --: |",
    ]
    for run in runs:
        for name, result in by_policy(run).items():
            lines.append(
                f"| {run['regime']} | {run['context']} | {name} "
                f"| {result['batch_running']} "
                f"| {number(result['act_share'], 2)} "
                f"| {number(result['measured_step_s'])} "
                f"| {number(result.get('predicted_step_s'))} "
                f"| {number(result.get('overlap_efficiency'))} "
                f"| {number(result['link_busy'], 2)} "
                f"| {number(result['compute_busy'], 2)} "
                f"| {number(decode_ratio(run, name), 2)} "
                f"| {number(ideal_ratio(run, name), 2)} |"
            )
    return lines


def markdown(result: Dict) -> str:
    machine = result["machine"]
    lines = [
        "# Policies in the regimes of large models, by similarity scaling",
        "",
        f"Paced link. {machine['cpu']}, {machine['cores']} cores, "
        f"{result['date']}. Regenerate with",
        "",
        "    .venv/bin/python " + result["command"].strip(),
        "",
        f"A float32 model of {result['layers']} layers and hidden size "
        f"{result['hidden']} stands in for OPT on an RTX 4090: the link is "
        "slowed until h/beta is the large model's, with beta from the rate at "
        "which this machine rebuilds keys and values, measured before each "
        "run. Decode steps only. Medians of interleaved repeats; the ideal is "
        "max(link, compute) from each operation's cost measured alone in the "
        "same run.",
        "",
        "![chart](similarity.svg)",
    ]
    short = shortfalls(result)
    lines += [
        "",
        f"Targets: overlap efficiency of every policy at least {LEAST_OVERLAP} "
        f"(median of a regime), hybrid over kv at least {LEAST_OF_IDEAL} of "
        f"the ideal ratio and {LEAST_OF_SINGLE_KIND} of the faster single "
        f"kind, predicted steps within {MEDIAN_ERROR:.0%} (median) "
        f"and {WORST_ERROR:.0%} (worst) of measured ones. "
        + ("Short of them:" if short else "All are met."),
    ]
    lines += [""] * bool(short) + [f"- {sentence}" for sentence in short]
    for setting, title in SETTINGS.items():
        runs = [run for run in result["runs"] if run["setting"] == setting]
        if runs:
            lines += ["", f"## {title}", "", *table(runs)]
    return "\n".join(lines) + "\n"


def draw(result: Dict, path: pathlib.Path) -> None:
    import matplotlib  # Heavy, and only drawing needs it.

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "hybridserve"
    from matplotlib import pyplot

    settings = [
        setting
        for setting in SETTINGS
        if any(run["setting"] == setting for run in result["runs"])
    ]
    figure, axes = pyplot.subplots(
        len(settings), 1, figsize=(9, 3.6 * len(settings)), squeeze=False
    )
    for axis, setting in zip(axes[:, 0], settings):
        runs = [run for run in result["runs"] if run["setting"] == setting]
        width = 0.26
        for place, policy in enumerate(COLOURS):
            heights = [decode_ratio(run, policy) or 0 for run in runs]
            positions = [i + (place - 1) * width for i in range(len(runs))]
            axis.bar(
                positions,
                heights,
                width * 0.92,
                color=COLOURS[policy],
                label=policy,
            )
            for x, run in zip(positions, runs):
                ideal = ideal_ratio(run, policy)
                if ideal is not None:
                    axis.hlines(
                        ideal,
                        x - width / 2,
                        x + width / 2,
                        color="#333333",
                        linewidth=1.5,
                        label="ideal" if place == 0 and x < 0 else None,
                    )
        axis.set_xticks(range(len(runs)))
        axis.set_xticklabels(
            [f"{run['regime']}\n{run['context']}" for run in runs], fontsize=8
        )
        axis.set_ylabel("decode tokens/s over kv")
        axis.set_title(SETTINGS[setting], loc="left", fontsize=11)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_axisbelow(True)
        axis.grid(axis="y", color="#DDDDDD")
        axis.legend(frameon=False, ncols=4, fontsize=9, loc="upper right")
        axis.set_ylim(0, axis.get_ylim()[1] * 1.18)
    machine = result["machine"]
    figure.text(
        0.01,
        0.005,
        f"Paced link, similarity scaling; {machine['cpu']}, "
        f"{machine['cores']} cores, {result['date']}. Below each "
        "name: tokens of context.",
        fontsize=8,
        color="#555555",
    )
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(path, metadata={"Date": None})
