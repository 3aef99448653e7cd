"""What the programs' --help says, as data."""

import dataclasses
import re
import subprocess

FLAG = re.compile(r"^  --(\[no\])?([a-z][a-z0-9_]*)(=VALUE)?$")
DEFAULT = re.compile(r"^(.*) \(default: (.*)\)$")


@dataclasses.dataclass(frozen=True)
class Flag:
    """One flag of a program."""
    name: str
    meaning: str  # One line, without the default.
    default: str  # As --help shows it; "off" or "on" of a switch.
    is_switch: bool

    @property
    def variable(self) -> str:
        return f"HYBRIDSERVE_{self.name.upper()}"


@dataclasses.dataclass(frozen=True)
class Help:
    """What --help prints."""
    usage: str  # Before the flags.
    groups: dict[str, list[Flag]]  # By title.

    def flags(self) -> list[Flag]:
        return [flag for flags in self.groups.values() for flag in flags]

    def commands(self) -> dict[str, str]:
        """The commands that the usage lists, and what they do."""
        commands: dict[str, str] = {}
        _, _, listed = self.usage.partition("\nCommands")
        for line in listed.splitlines()[1:]:
            if match := re.match(r"^  ([a-z]+)  +(\S.*)$", line):
                commands[match[1]] = match[2]
            elif commands and line.startswith("    "):
                commands[list(commands)[-1]] += " " + line.strip()
        return {name: re.sub(r"\s+", " ", text)
                for name, text in commands.items()}


def parse_flag(header: re.Match, lines: list[str]) -> Flag:
    meaning = " ".join(line.strip() for line in lines)
    default = "off" if header[1] else ""
    if match := DEFAULT.search(meaning):
        meaning, default = match.groups()
    return Flag(name=header[2], meaning=meaning, default=default,
                is_switch=bool(header[1]))


def parse_help(text: str) -> Help:
    usage, *sections = re.split(r"^Flags, (.*):\n", text, flags=re.MULTILINE)
    groups: dict[str, list[Flag]] = {}
    for title, body in zip(sections[::2], sections[1::2]):
        flags: list[Flag] = []
        header, lines = None, []
        for line in body.splitlines() + [""]:
            if header and not line.startswith("      "):
                flags.append(parse_flag(header, lines))
                header, lines = None, []
            if match := FLAG.match(line):
                header = match
            elif header:
                lines.append(line)
        groups[title] = flags
    return Help(usage=usage, groups=groups)


def help_of(program: str, *command: str) -> Help:
    """Runs `program COMMAND --help`."""
    return parse_help(subprocess.run(
        [program, *command, "--help"], check=True, capture_output=True,
        text=True).stdout)
