#!/usr/bin/env python3
"""Writes docs/flags.md from what the programs say of their flags.

Usage: flags_reference.py [--check] [PROGRAMS_ROOT [FILE]]

PROGRAMS_ROOT is where the programs are (bazel-bin), FILE what to write
(docs/flags.md). With --check nothing is written: exits 1, and says how it
differs, if FILE is not what the programs give.
"""

import difflib
import pathlib
import sys

REPOSITORY = pathlib.Path(__file__).absolute().parents[1]
sys.path.insert(0, str(REPOSITORY))

from tools.program_help import Flag, Help, help_of  # noqa: E402

PROGRAMS = {"scheduler": "scheduler/scheduler", "worker": "worker/worker",
            "hybridserve-openai": "client/openai/hybridserve-openai",
            "hybridserve": "client/hybridserve"}

HEAD = """\
# Flags

Every flag of the four programs. This page is made from their `--help` by
`tools/flags_reference.py`; a test keeps it so.

## Three ways to set a flag

1. On the command line: `--name=VALUE` or `--name VALUE`; a switch is `--name` or
   `--noname`.
2. As an environment variable, which the tables name; a switch is `true` or
   `false`.
3. In a file that `--config=FILE` (or `HYBRIDSERVE_CONFIG`) names:

   ```
   # Of a worker.
   model_dir = /srv/models/opt-6.7b
   device_memory = 20GiB
   batch_invariant = true
   ```

   A line is a flag without dashes, `=`, and the value. `#` begins a comment, at
   the beginning of a line only. Spaces around name and value don't count; double
   quotes around a value keep those inside, and make an empty one. Every flag may
   be set once, but for those that may be repeated. A file can't name another.

The command line wins over the environment, and the environment over the file. An
error names the flag and where it was set:
`worker: --weight_buffers: must be at least 2 (set in /etc/hybridserve/worker.conf:3)`.
Errors of the file itself begin with `--config: FILE:LINE: FLAG: `. Wrong usage ends
a program with exit code 2.
"""


def escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def table(flags: list[Flag]) -> str:
    lines = ["| Flag | Default | Environment | Meaning |", "|---|---|---|---|"]
    for flag in flags:
        spelled = f"--[no]{flag.name}" if flag.is_switch else f"--{flag.name}"
        default = f"`{flag.default}`" if flag.default else ""
        lines.append(f"| `{spelled}` | {default} | `{flag.variable}` | "
                     f"{escape(flag.meaning)} |")
    return "\n".join(lines) + "\n"


def program_section(name: str, program: str) -> str:
    shown = help_of(program)
    parts = [f"\n## {name}\n"]
    for title, flags in shown.groups.items():
        parts.append(f"\n### {name}: {TITLES.get(title, title)}\n\n"
                     f"{table(flags)}")
    return "".join(parts)


# Of the folders that define a program's flags.
TITLES = {"common": "all programs'", "scheduler": "its own",
          "worker": "its own", "gateway": "its own"}


def anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return "#" + kept.replace(" ", "-")


def client_section(program: str) -> str:
    """Commands with their own flags, then the groups that they share."""
    shown = help_of(program)
    own, *shared = list(shown.groups)
    takers: dict[str, list[str]] = {title: [] for title in shared}
    parts = ["\n## hybridserve\n"]
    for command, what in shown.commands().items():
        of_command: Help = help_of(program, command)
        parts.append(f"\n### hybridserve {command}\n\n{escape(what)}\n\n")
        if flags := of_command.groups.get(own):
            parts.append(table(flags))
        links = []
        for title in shared:
            if title in of_command.groups:
                takers[title].append(command)
                heading = f"hybridserve: flags {title}"
                links.append(f"[{title}]({anchor(heading)})")
        parts.append(("\nAnd the flags " if flags else "Takes the flags ")
                     + ", ".join(links) + ".\n")
    for title in shared:
        parts.append(f"\n### hybridserve: flags {title}\n\nOf "
                     f"{', '.join(f'`{name}`' for name in takers[title])}.\n\n"
                     f"{table(shown.groups[title])}")
    return "".join(parts)


def reference(root: pathlib.Path) -> str:
    return "".join([
        HEAD,
        *(program_section(name, str(root / program))
          for name, program in PROGRAMS.items() if name != "hybridserve"),
        client_section(str(root / PROGRAMS["hybridserve"])),
    ])


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    rest = [argument for argument in arguments if argument != "--check"]
    root = pathlib.Path(rest[0] if rest else REPOSITORY / "bazel-bin")
    page = pathlib.Path(rest[1] if len(rest) > 1
                        else REPOSITORY / "docs" / "flags.md")
    wanted = reference(root)
    if not check:
        page.write_text(wanted)
        return 0
    found = page.read_text() if page.exists() else ""
    if found == wanted:
        return 0
    sys.stdout.writelines(difflib.unified_diff(
        found.splitlines(keepends=True), wanted.splitlines(keepends=True),
        str(page), "what the programs give"))
    print("flags_reference: run tools/flags_reference.py after a build",
          file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
