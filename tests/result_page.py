"""Results as JSON and Markdown in docs/results: where, when, tables."""

import datetime
import json
import os
import pathlib
import platform
import re
import sys
from typing import Any, Dict, Sequence

ROOT = pathlib.Path(__file__).resolve().parents[1]


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def cpu() -> str:
    cpus = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpus)
    return model.group(1) if model else platform.machine()


def machine() -> Dict[str, Any]:
    """Where and how: for the head of a result."""
    program = pathlib.Path(sys.argv[0]).resolve()
    command = [
        str(program.relative_to(ROOT)) if ROOT in program.parents
        else program.name,
        *(
            argument
            for argument in sys.argv[1:]
            # Folders of this machine say nothing to a reader.
            if not argument.startswith(
                ("--bin", "--out", "--histor", "--check")
            )
        ),
    ]
    return {
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "date": now(),
        "command": " ".join(command),
    }


def head(title: str, where: Dict[str, Any]) -> str:
    return (
        f"# {title}\n\n{where['cpu']}, {where['cores']} cores, "
        f"{where['date']}. Regenerate with\n\n"
        f"    .venv/bin/python {where['command']}\n\n"
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [
        "| " + " | ".join(columns) + " |",
        "| --- |" + " --: |" * (len(columns) - 1),
    ]
    lines += [
        "| " + " | ".join(str(cell) for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines) + "\n"


def write(
    folder: pathlib.Path, name: str, data: Dict[str, Any], text: str
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    (folder / f"{name}.md").write_text(text)
