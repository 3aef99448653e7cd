#!/usr/bin/env python3
"""Writes the programs' manual pages from their --help.

Usage: man_pages.py PROGRAMS_ROOT FOLDER VERSION DATE
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parents[1]))

from tools.program_help import Flag, Help, help_of  # noqa: E402

# The page, the program under the root, and what it is in a line.
PAGES = {
    "hybridserve": ("client/hybridserve",
                    "generates text with language models larger than the "
                    "accelerator"),
    "hybridserve-scheduler": ("scheduler/scheduler",
                              "serves language models over gRPC"),
    "hybridserve-worker": ("worker/worker",
                           "runs a language model on one device for a "
                           "scheduler"),
    "hybridserve-openai": ("client/openai/hybridserve-openai",
                           "serves OpenAI's HTTP API in front of a "
                           "scheduler"),
}


def roff(text: str) -> str:
    """Text as troff takes it literally."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line
                     for line in text.splitlines())


def flag_entry(flag: Flag) -> str:
    name = (f"\\-\\-[no]{roff(flag.name)}" if flag.is_switch
            else f"\\-\\-{roff(flag.name)}=\\fIVALUE\\fR")
    default = "" if flag.is_switch and flag.default == "off" else flag.default
    meaning = flag.meaning + (f" Default: {default}." if default else "")
    return f".TP\n\\fB{name}\\fR\n{roff(meaning)}\n"


def page(name: str, shown: Help, summary: str, version: str,
         date: str) -> str:
    commands = shown.commands()
    parts = [f'.TH {name.upper()} 1 "{date}" "HybridServe {version}" '
             '"User Commands"\n.SH NAME\n'
             f"{roff(name)} \\- {roff(summary)}\n.SH SYNOPSIS\n"]
    parts.append(f".B {roff(name)}\n"
                 + (".I COMMAND\n" if commands else "") + ".I [FLAGS]\n")
    if commands:
        parts.append(".SH COMMANDS\n")
        for command, what in commands.items():
            parts.append(f".TP\n\\fB{command}\\fR\n{roff(what)}\n")
        parts.append(f".PP\n\\fB{name} \\fICOMMAND\\fB \\-\\-help\\fR shows the "
                     "flags of one command.\n")
    else:
        # As the package calls them.
        usage = re.sub(r"^  (?=worker |scheduler )", "  hybridserve-",
                       shown.usage.strip(), flags=re.MULTILINE)
        parts.append(f".SH DESCRIPTION\n.nf\n{roff(usage)}\n.fi\n")
    for title, flags in shown.groups.items():
        parts.append(f'.SH "FLAGS, {roff(title.upper())}"\n')
        parts += [flag_entry(flag) for flag in flags]
    parts.append(
        ".SH ENVIRONMENT\nEvery flag may be set as a variable: HYBRIDSERVE_ and "
        "its name in capitals.\nThe command line wins over the environment, and "
        "the environment over the file\nof \\fB\\-\\-config\\fR.\n"
        ".SH EXIT STATUS\n0: done. 1: failed. 2: wrong usage.\n.SH SEE ALSO\n"
        + ",\n".join(f".BR {roff(other)} (1)".replace("\n", "")
                     for other in PAGES if other != name).replace(",\n", " ,\n")
        + "\n.PP\n/usr/share/doc/hybridserve/docs\n")
    return "".join(parts)


def main(root: str, folder: str, version: str, date: str) -> None:
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    for name, (program, summary) in PAGES.items():
        shown = help_of(str(pathlib.Path(root) / program))
        text = page(name, shown, summary, version, date)
        (pathlib.Path(folder) / f"{name}.1").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
