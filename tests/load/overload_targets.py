"""What overload.py's measurements must show, and the page that says so."""

import dataclasses
from typing import Dict, List

GOODPUT = 0.9
REFUSAL_SECONDS = 0.05
STEP_SHARE = 0.02
# Of the time that a full queue takes: what those in it and in the workers take
# at the measured rate, on average.
LATENCY_SLACK = 1.5
MEMORY_SLACK = 0.05
MEMORY_SLACK_BYTES = 8 << 20


@dataclasses.dataclass(frozen=True)
class Target:
    what: str
    wanted: str
    measured: str
    met: bool


def judge(results: Dict) -> List[Target]:
    """The targets of the measurements that are there."""
    found = []
    if "overload" in results:
        found += judge_overload(results["overload"])
    if "steps" in results:
        found += judge_steps(results["steps"])
    if "queue" in results:
        found += judge_queue(results["queue"])
    return found


def judge_overload(result: Dict) -> List[Target]:
    over, alone = result["over"], result["alone"]
    goodput = result["over_tokens_per_s"] / result["alone_tokens_per_s"]
    bound = (
        LATENCY_SLACK
        * (result["slots"] + result["max_queue_requests"])
        / result["over_finished_per_s"]
    )
    latency = over["latency"]["p99"]
    refusal = over["refusal_latency"]["p99"]
    first, last = result["memory_first_bytes"], result["memory_last_bytes"]
    allowed = first * (1 + MEMORY_SLACK) + MEMORY_SLACK_BYTES
    bad = sum(
        load[key]
        for load in (alone, over)
        for key in ("wrong", "failed", "unended", "refusals_without_retry_info")
    )
    return [
        Target(
            "goodput at 10 times the capacity, of that without an overload",
            f"at least {GOODPUT:.0%}",
            f"{goodput:.1%}",
            goodput >= GOODPUT,
        ),
        Target(
            "latency of accepted requests there, p99",
            f"at most {bound:.1f} s, by the queue's bound",
            f"{latency:.1f} s",
            latency <= bound,
        ),
        Target(
            "answer to a refused request, p99",
            f"under {1e3 * REFUSAL_SECONDS:.0f} ms",
            f"{1e3 * refusal:.1f} ms",
            refusal < REFUSAL_SECONDS,
        ),
        Target(
            "memory of the scheduler, from its tenth second on",
            f"flat: from {first / 1e6:.1f} to at most {allowed / 1e6:.1f} MB",
            f"{last / 1e6:.1f} MB",
            last <= allowed,
        ),
        Target(
            "requests with wrong tokens, without an end, failed, or refused "
            "without RetryInfo",
            "none",
            str(bad),
            bad == 0,
        ),
    ]


def judge_steps(results: Dict) -> List[Target]:
    return [
        Target(
            f"CPU time of the scheduler a step, {result['sequences']} "
            f"sequences ({kind}), of the step's time",
            f"under {STEP_SHARE:.0%}",
            f"{result['step_share']:.2%}",
            result["step_share"] < STEP_SHARE,
        )
        for kind, result in results.items()
    ]


def judge_queue(result: Dict) -> List[Target]:
    rounds = result["rounds"]
    good = min(
        r["load"]["finished"] if r["load"]["wrong"] == 0 else 0 for r in rounds
    )
    # The allocator's arenas take some rounds to settle.
    *before, last = [r["memory_peak_bytes"] for r in rounds]
    allowed = max(before) * (1 + MEMORY_SLACK) + MEMORY_SLACK_BYTES
    return [
        Target(
            f"{result['requests']:,} requests at once, {result['streams']:,} "
            f"of them streams: that finish, every token right, {len(rounds)} times",
            f"{result['requests']:,}",
            f"{good:,}",
            good == result["requests"],
        ),
        Target(
            "memory of the scheduler when they are there the last time",
            f"at most {allowed / 1e6:.0f} MB, as before",
            f"{last / 1e6:.0f} MB",
            last <= allowed,
        ),
    ]


def page(results: Dict) -> str:
    machine = results["machine"]
    lines = [
        "# The scheduler under load",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}, commit "
        f"{machine['commit']}, beside a load of {machine['load_average']:.0f} by "
        "others. Regenerate with",
        "",
        "    .venv/bin/python tests/load/overload.py",
        "",
        "Simulated workers, whose steps take 250 ms. The scheduler has one core, "
        "the load generator and the workers another. Every token that a client "
        "gets is checked.",
        "",
        "| what | wanted | measured | |",
        "| --- | --- | --: | --- |",
    ]
    lines += [
        f"| {t.what} | {t.wanted} | {t.measured} | {'' if t.met else 'missed'} |"
        for t in judge(results)
    ]
    if "overload" in results:
        lines += ["", *overload_lines(results["overload"])]
    if "steps" in results:
        lines += ["", *steps_lines(results["steps"])]
    if "queue" in results:
        lines += ["", *queue_lines(results["queue"])]
    return "\n".join(lines) + "\n"


def overload_lines(result: Dict) -> List[str]:
    lines = [
        "## Overload",
        "",
        f"{result['slots']} sequences run at once, {result['max_queue_requests']} "
        "requests may wait; prompts of 16 to 64 tokens, outputs of 8 to 24. "
        "Without an overload: a closed loop that keeps all places taken. Then "
        f"{result['offered_per_s']:.0f} requests a second for a minute, in an "
        "open loop, none of which comes again when it is refused. The scheduler "
        f"took {result['over_cpu_share']:.0%} of its core.",
        "",
        "| | without | overload |",
        "| --- | --: | --: |",
    ]
    alone, over = result["alone"], result["over"]
    rows = [
        ("requests sent", alone["sent"], over["sent"]),
        ("finished", alone["finished"], over["finished"]),
        ("refused", alone["refused"], over["refused"]),
        (
            "tokens/s",
            f"{result['alone_tokens_per_s']:.0f}",
            f"{result['over_tokens_per_s']:.0f}",
        ),
    ]
    rows += [
        (f"{label}, {quantile}", *cells)
        for label, key in [
            ("latency", "latency"),
            ("first token", "first_token"),
            ("refusal", "refusal_latency"),
            ("sent later than meant", "send_lag"),
        ]
        for quantile in ("p50", "p99", "max")
        if (cells := (seconds(alone[key], quantile), seconds(over[key], quantile)))
    ]
    return lines + [f"| {name} | {a} | {b} |" for name, a, b in rows]


def seconds(summary: Dict, quantile: str) -> str:
    if quantile not in summary:
        return "-"
    value = summary[quantile]
    return f"{value:.2f} s" if value >= 1 else f"{1e3 * value:.1f} ms"


def steps_lines(results: Dict) -> List[str]:
    lines = [
        "## CPU time of a step",
        "",
        "All sequences decode; none comes or goes. A step is one worker's; the "
        "four workers' overlap. `all` is what the scheduler takes of its core.",
        "",
        "| calls | tokens/s | CPU time a step | busiest thread | a token | all |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    return lines + [
        f"| {kind} | {r['tokens_per_s']:.0f} "
        f"| {1e3 * r['cpu_per_step_s']:.2f} ms "
        f"| {1e3 * r['busiest_thread_cpu_per_step_s']:.2f} ms "
        f"| {1e6 * r['cpu_per_token_s']:.1f} µs | {r['cpu_share']:.1%} |"
        for kind, r in results.items()
    ]


def queue_lines(result: Dict) -> List[str]:
    first = result["rounds"][0]
    peaks = [
        f"{r['memory_peak_bytes'] / 1e6:.0f}" for r in result["rounds"]
    ]
    return [
        "## A long queue",
        "",
        f"{result['requests']:,} requests at once, {result['streams']:,} of "
        f"them streams, {first['load']['seconds']:.0f} s until the last had "
        f"ended, {len(peaks)} times: {result['bytes_per_request'] / 1e3:.1f} kB "
        f"of the scheduler's memory a request, "
        f"{result['memory_before_bytes'] / 1e6:.0f} MB before, at most "
        f"{', '.join(peaks)} MB in the rounds, "
        f"{result['memory_after_bytes'] / 1e6:.0f} MB after. The scheduler took "
        f"{first['cpu_share']:.0%} of its core.",
    ]
