"""What a process holds, and whether it grew over a run."""

import dataclasses
import pathlib
from typing import Any, Dict, List, Sequence, Tuple

# The run's first part, in which pools and caches of the libraries fill.
WARM_UP = 0.25
# What may be added over the rest of the run: a share of the value, and this
# much at least. Threads and files come and go with gRPC's idle ones.
ALLOWED = {"rss_mib": (0.05, 3.0), "fds": (0.0, 6.0), "threads": (0.0, 6.0)}


def gauge(pid: int) -> Dict[str, float]:
    """Empty if the process is gone."""
    folder = pathlib.Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":", 1) for line in
                      (folder / "status").read_text().splitlines())
        return {"rss_mib": round(int(status["VmRSS"].split()[0]) / 1024, 2),
                "fds": len(list((folder / "fd").iterdir())),
                "threads": int(status["Threads"])}
    except (OSError, KeyError):
        return {}


@dataclasses.dataclass(frozen=True)
class Trend:
    name: str
    first: float
    last: float
    growth: float  # Over the time from first to last, by the fitted line.
    allowed: float

    def as_dict(self) -> Dict[str, Any]:
        return dataclasses.asdict(self)


def slope(points: Sequence[Tuple[float, float]]) -> float:
    """Of the line of least squares; 0 where there is none."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        return 0.0
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def trends(samples: List[Dict[str, Any]]) -> List[Trend]:
    """Of all that is measured, at the rests after the warm-up."""
    end = samples[-1]["t"]
    rests = [sample for sample in samples
             if sample["at_rest"] and sample["t"] >= WARM_UP * end]
    found = []
    for program in ("scheduler", "worker"):
        for what, (share, least) in ALLOWED.items():
            points = [(sample["t"], sample[program][what])
                      for sample in rests if sample[program]]
            if not points:
                continue
            first, last = points[0][1], points[-1][1]
            growth = slope(points) * (points[-1][0] - points[0][0])
            found.append(Trend(f"{program} {what}", first, last,
                               round(growth, 3),
                               max(least, share * first)))
    return found


def problems(samples: List[Dict[str, Any]], found: List[Trend]) -> List[str]:
    """What grew, and rests without all slots."""
    said = [f"{trend.name} grew by {trend.growth:.1f} from {trend.first}; "
            f"{trend.allowed:.1f} are allowed"
            for trend in found if trend.growth > trend.allowed]
    if len(found) != 2 * len(ALLOWED):
        said.append("a program was not measured to the end")
    for sample in samples:
        if sample["at_rest"] and (sample["free"] != sample["slots"]
                                  or not sample["slots"]):
            said.append(f"{sample['free']} of {sample['slots']} slots are "
                        f"free at rest, at {sample['t']} s")
    return said
