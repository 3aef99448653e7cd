"""Results of the fault runs as JSON and Markdown in docs/results."""

import collections
import datetime
import json
import os
import pathlib
import sys
from typing import Any, Dict, List, Sequence


def machine() -> Dict[str, Any]:
    """Where and how: for the head of a result."""
    cpu = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    command = [pathlib.Path(sys.argv[0]).name, *(
        argument for argument in sys.argv[1:]
        # Folders of this machine say nothing to a reader.
        if not argument.startswith(
            ("--bin", "--out", "--histor", "--check")))]
    return {"cpu": cpu, "cores": os.cpu_count(),
            "date": datetime.datetime.now(datetime.timezone.utc)
            .strftime("%Y-%m-%dT%H:%M:%SZ"),
            "command": " ".join(command)}


def head(title: str, where: Dict[str, Any]) -> str:
    return (f"# {title}\n\n{where['cpu']}, {where['cores']} cores, "
            f"{where['date']}. Regenerate with\n\n"
            f"    .venv/bin/python tests/faults/{where['command']}\n\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(columns) + " |",
             "| --- |" + " --: |" * (len(columns) - 1)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |"
              for row in rows]
    return "\n".join(lines) + "\n"


def write(folder: pathlib.Path, name: str, data: Dict[str, Any],
          text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    (folder / f"{name}.md").write_text(text)


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
    where = machine()
    seconds = sum(result.get("seconds", 0) for result in results)
    data = {"machine": where, "runs": len(results),
            "detection_s": detection_s, "seconds": round(seconds),
            "networks": dict(networks),
            **{key: dict(counter) for key, counter in totals.items()},
            "resumed": sum(result.get("resumed", 0) for result in results),
            "tokens": sum(result.get("tokens", 0) for result in results),
            "violations": violations, "results": results}
    text = head("The service under faults", where)
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
    text += table(["fault", "times"], sorted(totals["faults"].items())) + "\n"
    for skipped, count in sorted(totals["skipped"].items()):
        text += f"Skipped {count} times: {skipped}\n\n"
    text += table(["clients", "requests"],
                  sorted(totals["manners"].items())) + "\n"
    text += table(["status of a call", "times"],
                  sorted(totals["ends"].items()))
    write(folder, "faults", data, text)
