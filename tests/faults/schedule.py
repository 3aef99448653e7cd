"""What a run does to the service, drawn from a seed alone. Pure: the same seed
and settings give the same schedule on every machine."""

import dataclasses
import random
from typing import Any, Dict, List, Optional, Tuple

# Faults and how often they are drawn. Those in LOSSES can lose a worker.
WEIGHTS = {
    "kill_worker": 8,
    "drain_worker": 3,
    "stop_worker": 4,
    "partition": 4,
    "cut": 3,
    "delay": 2,
    "loss": 2,
    "kill_scheduler": 2,
    "garbage": 3,
    "fake_worker": 3,
    "no_memory": 2,
    "refused_memory": 1,
    "disk_full": 2,
    "clock_jump": 2,
    "overload": 2,
}
LOSSES = ("kill_worker", "drain_worker", "stop_worker", "partition", "cut",
          "fake_worker", "no_memory")
# A request that saw more workers lost than this is given up (ABORTED).
MOST_LOSSES = 6

# How clients behave, and how often.
MANNERS = {
    "plain": 50,
    "sampled": 12,
    "slow": 7,
    "cancel": 9,
    "abort": 5,
    "deadline": 8,
    "vanish": 5,
    "killed_client": 4,
}

GARBAGE = ("random", "truncated_preface", "wrong_frame", "endless_message",
           "half_request", "tls_hello")
FAKES = ("no_hello", "wrong_revision", "broken_proto", "huge_chunk",
         "gap_in_chunks", "wrong_counts", "wrong_ids", "stale_term",
         "stale_epoch", "stale_step", "wrong_table", "negative_token")

MAX_TOKENS = (6, 24, 60)
PROMPTS = (
    "The", "Once upon a time", "In the middle of the night", "A list of",
    "She said that", "The king and his three sons", "When the rain stopped",
    "To make bread, take")
# How the work that is cancelled at the end is cancelled.
CANCELS = ("call", "abort", "deadline", "vanish", "killed_client")


@dataclasses.dataclass(frozen=True)
class Fault:
    at_s: float
    kind: str
    worker: int = 0
    for_s: float = 0.0
    how: str = ""
    amount: float = 0.0


@dataclasses.dataclass(frozen=True)
class Request:
    pause_s: float
    prompt: int
    max_tokens: int
    manner: str
    # Of the manner: after so many seconds.
    after_s: float = 0.0

    def reference(self) -> str:
        return reference(self.prompt, self.max_tokens, self.manner == "sampled")


@dataclasses.dataclass(frozen=True)
class Schedule:
    seed: int
    workers: int
    network: str  # "proxy" or "netns"
    host_memory: str
    full_logs: bool  # The programs' stderr is a full disk.
    seconds: float
    detection_s: float
    faults: Tuple[Fault, ...]
    clients: Tuple[Tuple[Request, ...], ...]
    cancels: Tuple[str, ...]

    def as_dict(self) -> Dict[str, Any]:
        return dataclasses.asdict(self)


def reference(prompt: int, max_tokens: int, sampled: bool) -> str:
    """Names an answer of the undisturbed run."""
    return f"{prompt}/{max_tokens}/{'sampled' if sampled else 'greedy'}"


def references() -> List[Tuple[str, int, int, bool]]:
    return [(reference(prompt, tokens, sampled), prompt, tokens, sampled)
            for prompt in range(len(PROMPTS)) for tokens in MAX_TOKENS
            for sampled in (False, True)]


def _pick(rng: random.Random, weights: Dict[str, int]) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def _draw_fault(rng: random.Random, kind: str, seconds: float, workers: int,
                detection_s: float) -> Fault:
    at = round(rng.uniform(0.5, seconds), 2)
    worker = rng.randrange(workers)
    for_s, how, amount = 0.0, "", 0.0
    if kind in ("kill_worker", "drain_worker", "kill_scheduler"):
        for_s = round(rng.uniform(0.0, 3.0), 2)
    elif kind in ("stop_worker", "partition"):
        # Half of them end before they can have been noticed.
        noticed = rng.random() < 0.5
        for_s = round(detection_s * rng.uniform(1.1, 1.5) if noticed
                      else rng.uniform(0.2, 0.5) * min(detection_s, 6), 2)
        how = rng.choice(["both", "both", "up", "down"])
    elif kind == "delay":
        for_s = round(rng.uniform(1, 3), 2)
        amount = rng.choice([0.02, 0.1, 0.4])
    elif kind == "loss":
        for_s = round(rng.uniform(1, 3), 2)
        amount = rng.choice([0.02, 0.1, 0.3])
    elif kind == "garbage":
        how = rng.choice(GARBAGE)
    elif kind == "fake_worker":
        how = rng.choice(FAKES)
    elif kind == "clock_jump":
        for_s = round(rng.uniform(1, 3), 2)
        how = rng.choice(["worker", "scheduler"])
        amount = rng.choice([-86400.0, -30.0, 30.0, 86400.0])
    elif kind == "no_memory":
        for_s = round(rng.uniform(0.5, 2.0), 2)
    elif kind == "overload":
        amount = float(rng.randint(40, 80))
    return Fault(at, kind, worker, for_s, how, amount)


def _draw_request(rng: random.Random) -> Request:
    manner = _pick(rng, MANNERS)
    # A short answer is done before anything can be done to it.
    tokens = rng.choice(MAX_TOKENS if manner in ("plain", "sampled", "slow")
                        else MAX_TOKENS[1:])
    return Request(
        pause_s=round(rng.choice([0.0, 0.0, rng.uniform(0, 0.8)]), 2),
        prompt=rng.randrange(len(PROMPTS)), max_tokens=tokens, manner=manner,
        after_s=round(rng.uniform(0.02, 1.5), 2))


def draw(seed: int, detection_s: float, seconds: float = 6.0,
         clients: Optional[int] = None) -> Schedule:
    """`detection_s`: within which the scheduler gives up a worker that is
    silent."""
    rng = random.Random(seed)
    workers = rng.choice([1, 2, 2, 3])
    network = "netns" if rng.random() < 0.2 else "proxy"
    host_memory = rng.choice(["5MiB", "24MiB"])
    full_logs = rng.random() < 0.1
    faults: List[Fault] = []
    losses = 0
    for _ in range(rng.randint(2, 5)):
        kind = _pick(rng, WEIGHTS)
        losses += kind in LOSSES
        if losses > MOST_LOSSES:
            continue
        faults.append(_draw_fault(rng, kind, seconds, workers, detection_s))
    number = clients or rng.randint(4, 14)
    plans = tuple(tuple(_draw_request(rng) for _ in range(40))
                  for _ in range(number))
    cancels = tuple(rng.sample(CANCELS, 2))
    return Schedule(seed, workers, network, host_memory, full_logs, seconds,
                    detection_s, tuple(sorted(faults, key=lambda f: f.at_s)),
                    plans, cancels)
