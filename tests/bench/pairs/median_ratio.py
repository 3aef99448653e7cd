"""What pairs of measurements say about the median of their ratio."""

import math
from typing import List, Sequence, Tuple


def rank_of_lower_bound(count: int, confidence: float = 0.95) -> int:
    """The largest k such that the k-th smallest of `count` independent samples
    lies at or below their distribution's median with `confidence`, whatever
    the distribution: as few as k - 1 of them fall below the median with
    probability P[Binomial(count, 1/2) < k] at most. 0 if there is none."""
    below = 0.0
    for k in range(count + 1):
        below += math.comb(count, k) / 2**count
        if below > 1 - confidence:
            return k
    return count


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def bounds(ratios: List[float]) -> Tuple[float, float, float]:
    """Lower bound, median and upper bound; each bound holds at 95%. Throws
    ValueError for too few ratios to bound anything."""
    rank = rank_of_lower_bound(len(ratios))
    if rank < 1:
        raise ValueError(f"{len(ratios)} pairs bound nothing")
    ordered = sorted(ratios)
    return ordered[rank - 1], median(ratios), ordered[-rank]
