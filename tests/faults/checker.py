"""Judges a history (history.py) by the eight invariants of the service. Pure.

    1  each token position once: no gap and no duplicate, across replays
    2  exactly one end a request
    3  tokens and text are those of an undisturbed run
    4  cancelled work stops within CANCEL_STEPS steps and gives back its slots
    5  at rest every cache slot is free or cached
    6  the queue never holds more than its bounds
    7  every accepted request ends, and by an error only where one is due
    8  health says whether the server can serve

and 0: no program ends that nobody stopped, and those that are stopped exit
with 0.
"""

import collections
import dataclasses
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

Event = Dict[str, Any]

# The step that runs when the cancel arrives, the one that is sent ahead of its
# result, one that only releases, and one that begins while the cancel is on its
# way.
CANCEL_STEPS = 4
# Health and the workers' states are not read at one moment.
HEALTH_LAG_S = 3.0
# A program notices its clock's jump within that time.
CLOCK_LAG_S = 1.5
# A machine may be busy when a deadline or a lease passes.
SLACK_S = 6.0


@dataclasses.dataclass(frozen=True)
class Answer:
    """What an undisturbed run gave."""
    tokens: Tuple[int, ...]
    text: str


@dataclasses.dataclass(frozen=True)
class Violation:
    invariant: int
    message: str
    request: Optional[str] = None

    def __str__(self) -> str:
        where = f"request {self.request}: " if self.request else ""
        return f"invariant {self.invariant}: {where}{self.message}"


def check(events: List[Event],
          answers: Mapping[str, Answer]) -> List[Violation]:
    """Violations in the order of the invariants; empty: a good history."""
    config = next((e for e in events if e["kind"] == "config"), None)
    if config is None:
        return [Violation(0, "the history has no config")]
    found = check_requests(events, answers)
    found += _check_cancel_probes(events)
    found += _check_quiesce(events)
    found += _check_queue(events, config)
    found += _check_health(events, config)
    found += _check_batches(events)
    return sorted(found, key=lambda violation: violation.invariant)


def check_requests(events: List[Event],
                   answers: Mapping[str, Answer]) -> List[Violation]:
    """What clients and those who start programs see: of a history without a
    config, samples or a rest."""
    by_request: Dict[str, List[Event]] = collections.defaultdict(list)
    for event in events:
        if "request" in event:
            by_request[event["request"]].append(event)
    found = []
    for request, own in by_request.items():
        found += _check_request(request, own, answers, events)
    return found + _check_programs(events)


def _of(kind: str, events: Iterable[Event]) -> List[Event]:
    return [event for event in events if event["kind"] == kind]


# ---- One request -----------------------------------------------------------


def _check_request(request: str, own: List[Event],
                   answers: Mapping[str, Answer],
                   events: List[Event]) -> List[Violation]:
    def bad(invariant: int, message: str) -> Violation:
        return Violation(invariant, message, request)

    if own[0]["kind"] != "begin" or len(_of("begin", own)) != 1:
        return [bad(0, "does not begin with one begin")]
    found = []
    ids, text = [], ""
    for event in own:
        if event["kind"] == "tokens":
            if event["position"] != len(ids):
                what = "gap" if event["position"] > len(ids) else "duplicate"
                found.append(bad(1, f"{what}: position {event['position']} "
                                    f"after {len(ids)} tokens"))
            ids += event["ids"]
            text += event["text"]
        elif event["kind"] == "resumed":
            if event["completion_tokens"] != len(ids):
                found.append(bad(1, f"resumed at {event['completion_tokens']} "
                                    f"after {len(ids)} tokens"))
        elif event["kind"] == "finished":
            if event["completion_tokens"] != len(ids):
                found.append(bad(1, f"usage says {event['completion_tokens']} "
                                    f"tokens, {len(ids)} came"))
    found += [bad(2, message) for message in _ends(own)]
    found += [bad(3, message) for message in _differences(
        own, ids, text, answers[own[0]["reference"]])]
    found += [bad(7, message) for message in _wrong_ends(own, events)]
    return found


def _ends(own: List[Event]) -> List[str]:
    """What is wrong with the number and the order of a request's ends."""
    ends = [e for e in own if e["kind"] in ("status", "vanished")]
    finished = _of("finished", own)
    messages = []
    if not ends:
        return []  # Invariant 7's.
    if len(ends) > 1:
        messages.append(f"{len(ends)} ends")
    if len(finished) > 1:
        messages.append(f"{len(finished)} Finished events")
    ok = ends[0].get("code") == "OK"
    if ok and not finished:
        messages.append("OK without a Finished event")
    if finished and ends[0]["kind"] == "status" and not ok:
        # A cancel or a deadline may hit a call that is done already.
        raced = _of("cancel", own) or own[0]["deadline_s"] is not None
        if not raced:
            messages.append(f"Finished and then {ends[0]['code']}")
    after = own[own.index((finished or ends)[0]) + 1:]
    late = [e["kind"] for e in after
            if e["kind"] in ("accepted", "tokens", "resumed")]
    if late:
        messages.append(f"{late[0]} after the end")
    return messages


def _differences(own: List[Event], ids: List[int], text: str,
                 answer: Answer) -> List[str]:
    messages = []
    if tuple(ids) != answer.tokens[:len(ids)]:
        at = next(i for i, token in enumerate(ids)
                  if answer.tokens[i:i + 1] != (token,))
        messages.append(f"token {at} is {ids[at]}, the undisturbed run's "
                        f"{answer.tokens[at:at + 1]}")
    whole = any(e["reason"] == "length" for e in _of("finished", own))
    if whole and len(ids) != len(answer.tokens):
        messages.append(f"{len(ids)} tokens, the undisturbed run gave "
                        f"{len(answer.tokens)}")
    if whole and text != answer.text or not answer.text.startswith(text):
        messages.append(f"text {text!r} instead of {answer.text!r}")
    return messages


def _wrong_ends(own: List[Event], events: List[Event]) -> List[str]:
    """Whether a request ended, and not by an error without a cause."""
    begin = own[0]
    ends = [e for e in own if e["kind"] in ("status", "vanished")]
    if not ends:
        return ["never ended"]
    end = ends[0]
    if end["kind"] == "vanished":
        return []
    code = end["code"]
    accepted = bool(_of("accepted", own))
    cancels = {e["how"] for e in _of("cancel", own)}
    reasons = [e["reason"] for e in _of("finished", own)]
    if code == "OK":
        if "cancelled" in reasons and "abort" not in cancels:
            return ["finished as cancelled, which nobody asked for"]
        if any(r not in ("length", "cancelled") for r in reasons):
            return [f"finished by {reasons[0]}"]
        return []
    if code == "CANCELLED":
        return [] if cancels & {"call", "vanish"} else [
            "CANCELLED, which nobody asked for"]
    if code == "DEADLINE_EXCEEDED":
        if begin["deadline_s"] is None:
            return ["DEADLINE_EXCEEDED without a deadline"]
        early = begin["t"] + begin["deadline_s"] - end["t"]
        if early > 0.1 and not _clock_jumped(events, begin["t"], end["t"]):
            return [f"its deadline came {early:.2f} s early"]
        return []
    if code == "RESOURCE_EXHAUSTED":
        return ["refused after it had been accepted"] if accepted else []
    if code == "UNAVAILABLE":
        if _scheduler_was_down(events, begin["t"], end["t"]):
            return []
        if accepted:
            return ["UNAVAILABLE though the scheduler lived"]
        if _always_serving(events, begin["t"], end["t"]):
            return ["UNAVAILABLE while health said SERVING (invariant 8)"]
        return []
    return [f"ended with {code}: {end.get('message', '')}"]


def _scheduler_was_down(events: List[Event], begin: float, end: float) -> bool:
    """At some moment of [begin, end], or close to it: a client's channel takes
    a while to notice either way."""
    down = None
    for event in events:
        if event["kind"] == "scheduler_down":
            down = event["t"]
        elif event["kind"] == "scheduler_up" and down is not None:
            if down <= end + 1 and event["t"] + SLACK_S >= begin:
                return True
            down = None
    return down is not None and down <= end + 1


def _clock_jumped(events: List[Event], begin: float, end: float) -> bool:
    """While the call ran: its deadline, a time of day to gRPC, and the time of
    day may have been read on both sides of the jump."""
    return any(begin - CLOCK_LAG_S <= e["t"] <= end
               for e in _of("clock_jumped", events)
               if e["program"] == "scheduler")


def _always_serving(events: List[Event], begin: float, end: float) -> bool:
    near = [e["serving"] for e in _of("sample", events)
            if begin - HEALTH_LAG_S <= e["t"] <= end + HEALTH_LAG_S]
    return bool(near) and all(serving is True for serving in near)


# ---- The server ------------------------------------------------------------


def _check_cancel_probes(events: List[Event]) -> List[Violation]:
    found = []
    for probe in _of("cancel_probe", events):
        if probe["steps"] > CANCEL_STEPS:
            found.append(Violation(
                4, f"{probe['steps']} steps after a cancel by {probe['how']}"))
        if not probe["released"]:
            found.append(Violation(
                4, f"slots did not come back after a cancel by {probe['how']}"))
    return found


def _check_quiesce(events: List[Event]) -> List[Violation]:
    found = []
    rests = _of("quiesce", events)
    if not rests:
        return [Violation(5, "the run never came to rest")]
    for rest in rests:
        for pool in rest["pools"]:
            if pool["free"] + pool["cached"] != pool["half_slots"]:
                found.append(Violation(5, f"not all slots are free: {pool}"))
        if not rest["pools"]:
            found.append(Violation(5, "no worker is left at rest"))
        if rest["running"] or rest["waiting"]:
            found.append(Violation(
                7, f"{rest['running']} requests run and {rest['waiting']} wait "
                   f"at rest"))
        counts = rest["requests"]
        ended = counts["finished"] + counts["cancelled"] + counts["failed"]
        if counts["accepted"] != ended:
            found.append(Violation(
                7, f"{counts['accepted']} requests were accepted, {ended} "
                   f"ended"))
    return found


# What can send running requests back into the queue.
_RETURNING = ("worker_down", "scheduler_down")
_RETURNING_FAULTS = ("fake_worker", "delay", "loss")


def _check_queue(events: List[Event], config: Event) -> List[Violation]:
    """The queue refuses new requests beyond its bounds. Those that come back
    from a lost worker, or gave way to others there, were accepted before."""
    found = []
    returned = 0
    for event in events:
        kind = event["kind"]
        if (kind in _RETURNING or kind == "fault"
                and event["fault"]["kind"] in _RETURNING_FAULTS):
            # A fake worker is one more.
            returned = (config["workers"] + 1) * config["max_running"]
        elif kind == "sample" and event["serving"] is not None:
            most = config["max_queue_requests"] + returned
            if event["waiting"] > most:
                found.append(Violation(
                    6, f"{event['waiting']} requests wait, {most} may"))
            if not returned and (event["waiting_tokens"]
                                 > config["max_queue_tokens"]):
                found.append(Violation(
                    6, f"{event['waiting_tokens']} tokens wait, "
                       f"{config['max_queue_tokens']} may"))
    return found


def _check_health(events: List[Event], config: Event) -> List[Violation]:
    found = _health_against_states(events)
    found += _health_without_workers(events, config)
    samples = _of("sample", events)
    if not samples or samples[-1]["serving"] is not True:
        found.append(Violation(8, "not SERVING at the end"))
    for probe in _of("probe", events):
        if not probe["served"]:
            found.append(Violation(8, "a request at the end was not answered"))
    return found


def _health_against_states(events: List[Event]) -> List[Violation]:
    """SERVING where and only where a worker is ready, but for a moment."""
    since = None
    for event in _of("sample", events):
        if (event["serving"] is None
                or event["serving"] == (event["ready"] > 0)):
            since = None
        elif since is None:
            since = event["t"]
        elif event["t"] - since > HEALTH_LAG_S:
            return [Violation(
                8, f"health says serving={event['serving']} from {since} to "
                   f"{event['t']} s with {event['ready']} ready workers")]
    return []


def _health_without_workers(events: List[Event],
                            config: Event) -> List[Violation]:
    """NOT_SERVING once no worker lives and that must have been noticed."""
    down, since = set(), None
    for event in events:
        if event["kind"] == "worker_down":
            down.add(event["worker"])
            if len(down) == config["workers"] and since is None:
                since = event["t"]
        elif event["kind"] == "worker_up":
            down.discard(event["worker"])
            since = None
        elif event["kind"] == "sample" and since is not None:
            noticed = since + config["detection_s"] + SLACK_S
            if event["serving"] is True and event["t"] > noticed:
                return [Violation(
                    8, f"SERVING at {event['t']} s though no worker has been "
                       f"there since {since} s")]
    return []


def _check_batches(events: List[Event]) -> List[Violation]:
    found = []
    for batch in _of("batch", events):
        if batch["missing"] or batch["doubled"] or batch["errors"]:
            found.append(Violation(7, f"lines of a batch: {batch}"))
        if batch["different"]:
            found.append(Violation(3, f"lines of a batch: {batch}"))
    return found


def _check_programs(events: List[Event]) -> List[Violation]:
    found = []
    for crash in _of("crash", events):
        found.append(Violation(
            0, f"{crash['program']} ended by itself with {crash['code']}"))
    for stop in _of("stop", events):
        if stop["code"] != 0:
            found.append(Violation(
                0, f"{stop['program']} exited with {stop['code']} after "
                   f"SIGTERM"))
    for hang in _of("hang", events):
        found.append(Violation(7, f"did not end: {hang['what']}"))
    return found
