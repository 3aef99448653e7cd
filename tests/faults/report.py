"""The page of the nemesis' runs."""

import collections
import pathlib
from typing import Any, Dict, List

from tests import result_page


def write_faults(folder: pathlib.Path, results: List[Dict[str, Any]],
                 detection_s: float) -> None:
    totals: Dict[str, collections.Counter] = {
        key: collections.Counter()
        for key in ("faults", "skipped", "ends", "manners")}
    for result in results:
        for key, counter in totals.items():
            counter.update(result.get(key, {}))
    networks = collections.Counter(result.get("network", "none")
                                   for result in results)
    violations = [f"seed {result['seed']}: {violation}" for result in results
                  for violation in result["violations"]]
    where = result_page.machine()
    seconds = sum(result.get("seconds", 0) for result in results)
    data = {"machine": where, "runs": len(results),
            "detection_s": detection_s, "seconds": round(seconds),
            "networks": dict(networks),
            **{key: dict(counter) for key, counter in totals.items()},
            "resumed": sum(result.get("resumed", 0) for result in results),
            "tokens": sum(result.get("tokens", 0) for result in results),
            "violations": violations, "results": results}
    text = result_page.head("The service under faults", where)
    text += (f"{len(results)} runs of {seconds / 60:.0f} minutes together, "
             f"{sum(totals['faults'].values())} faults, "
             f"{sum(totals['manners'].values())} requests, {data['tokens']} "
             f"tokens compared with an undisturbed run's, {data['resumed']} "
             f"times a stream went on after a worker was lost. A silent "
             f"worker is given up within {detection_s:.0f} s. Networks: "
             + ", ".join(f"{name} {count}" for name, count
                         in sorted(networks.items())) + ".\n\n")
    text += (f"**{len(violations)} violations** of the invariants in "
             f"`tests/faults/checker.py`.\n\n")
    for violation in violations:
        text += f"- {violation.splitlines()[0]}\n"
    if violations:
        text += "\n"
    text += result_page.table(["fault", "times"],
                              sorted(totals["faults"].items())) + "\n"
    for skipped, count in sorted(totals["skipped"].items()):
        text += f"Skipped {count} times: {skipped}\n\n"
    text += result_page.table(["clients", "requests"],
                              sorted(totals["manners"].items())) + "\n"
    text += result_page.table(["status of a call", "times"],
                              sorted(totals["ends"].items()))
    result_page.write(folder, "faults", data, text)
