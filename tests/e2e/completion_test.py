"""What bash, zsh and fish complete with the scripts of `hybridserve completion`.

Usage: completion_test.py PROGRAMS_ROOT

A shell that is not installed is skipped, with a line that says so.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests.e2e.processes import Programs, run_client
from tests.e2e.terminal import Terminal

PROGRAMS = None
COMMANDS = ["generate", "batch", "score", "bench", "plan", "status", "top",
            "health", "models", "doctor", "completion"]
POLICIES = ["hybrid", "kv", "act", "recompute", "flexgen", "resident"]


class ShellTest(unittest.TestCase):
    shell = ""

    def setUp(self):
        if not shutil.which(self.shell):
            print(f"SKIPPED: no {self.shell} here")
            self.skipTest(f"no {self.shell}")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        (self.scratch / "models with space").mkdir()
        (self.scratch / "moments.jsonl").write_text("")
        (self.scratch / "hybridserve").symlink_to(
            pathlib.Path(PROGRAMS.client).resolve())
        self.script = self.scratch / f"completion.{self.shell}"
        self.script.write_text(
            run_client(PROGRAMS, "completion", self.shell).stdout)
        self.env = {"HOME": str(self.scratch),
                    "PATH": f"{self.scratch}:{os.environ['PATH']}"}


class BashTest(ShellTest):
    shell = "bash"

    def complete(self, *words: str) -> list[str]:
        """What bash is offered for the last of the words, which bash would
        have taken apart at each =."""
        words = [part for word in words for part in re.split("(=)", word) if
                 part or word == ""]
        lines = " ".join(f"'{word}'" for word in words)
        result = subprocess.run(
            ["bash", "--norc", "-c",
             f"source '{self.script}'\nCOMP_WORDS=({lines})\n"
             "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_hybridserve\n"
             "printf '%s\\n' \"${COMPREPLY[@]}\""],
            capture_output=True, text=True, timeout=60, cwd=self.scratch,
            env=self.env)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout.split("\n")[:-1]

    def test_commands_flags_and_values(self):
        self.assertEqual(self.complete("hybridserve", ""), COMMANDS)
        self.assertEqual(self.complete("hybridserve", "s"),
                         ["score", "status"])
        self.assertEqual(self.complete("hybridserve", "completion", ""),
                         ["bash", "zsh", "fish"])
        for words in (["--output="], ["--output", ""], ["--seed", "1",
                                                         "--output="]):
            self.assertEqual(
                self.complete("hybridserve", "generate", *words),
                ["text", "json"])
        self.assertEqual(self.complete("hybridserve", "plan", "--policy=re"),
                         ["recompute", "resident"])
        self.assertEqual(
            self.complete("hybridserve", "bench", "--policies=kv,h"),
            ["kv,hybrid"])
        self.assertEqual(
            self.complete("hybridserve", "generate", "--ig"), ["--ignore_eos"])
        self.assertEqual(
            self.complete("hybridserve", "generate", "--noig"),
            ["--noignore_eos"])

    def test_a_switch_takes_no_value(self):
        self.assertEqual(
            self.complete("hybridserve", "generate", "--ignore_eos", "--pro"),
            ["--profile=", "--prompt="])

    def test_flags_are_those_of_the_command(self):
        shown = run_client(PROGRAMS, "status", "--help").stdout
        known = {f"--{name}" for name in
                 re.findall(r"^  --(?:\[no\])?(\w+)", shown, re.MULTILINE)}
        known.discard("--version")
        offered = {word.rstrip("=") for word in
                   self.complete("hybridserve", "status", "--")}
        self.assertEqual({word for word in offered if
                          not word.startswith("--no")}, known)
        self.assertNotIn("--prompt", offered)

    def test_files_and_folders(self):
        self.assertEqual(
            sorted(self.complete("hybridserve", "batch", "--input=mo")),
            ["models with space", "moments.jsonl"])
        self.assertEqual(
            self.complete("hybridserve", "generate", "--model_dir=mo"),
            ["models with space"])

    def test_on_a_terminal(self):
        env = {**self.env, "PS1": "ready> "}
        with Terminal(["bash", "--norc", "--noprofile", "-i"], env) as shell:
            shell.wait_for("ready> ")
            shell.type(f"source {self.script}; cd {self.scratch}\n")
            shell.wait_for("ready> ")
            shell.type("hybridserve gen\t")
            shell.wait_for("hybridserve generate ")
            shell.type("--model_d\t")
            shell.wait_for("--model_dir=")
            shell.type("mo\t")
            shell.wait_for("models\\ with\\ space/")
            shell.type(" --outp\t")
            shell.wait_for("--output=")
            shell.type("j\t")
            shell.wait_for("json")


class ZshTest(ShellTest):
    shell = "zsh"

    def test_on_a_terminal(self):
        env = {**self.env, "PS1": "ready> ", "ZDOTDIR": str(self.scratch)}
        with Terminal(["zsh", "-f", "-i"], env) as shell:
            shell.type("unsetopt prompt_cr prompt_sp zle_bracketed_paste; "
                       "autoload -Uz compinit; compinit -u -D; "
                       f"source {self.script}; cd {self.scratch}; "
                       "print go''ing\n")
            shell.wait_for("going")
            shell.type("hybridserve gen\t")
            shell.wait_for("hybridserve generate ")
            shell.type("--model_d\t")
            shell.wait_for("--model_dir=")
            shell.type("mod\t")
            shell.wait_for("models\\ with\\ space")
            shell.type(" --outpu\t")
            shell.wait_for("--output")
            shell.type("=j\t")
            shell.wait_for("json")
            shell.type("\x15hybridserve completion f\t")
            shell.wait_for("completion fish")
            shell.type("\x15hybridserve bench --policies=kv,hy\t")
            shell.wait_for("kv,hybrid")


class FishTest(ShellTest):
    shell = "fish"

    def complete(self, line: str) -> list[str]:
        result = subprocess.run(
            ["fish", "--no-config", "-c",
             f"source '{self.script}'; cd '{self.scratch}'; "
             f"complete -C '{line}'"],
            capture_output=True, text=True, timeout=60, cwd=self.scratch,
            env=self.env)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [offer.split("\t")[0] for offer in result.stdout.splitlines()]

    def test_commands_flags_and_values(self):
        self.assertEqual(sorted(self.complete("hybridserve ")),
                         sorted(COMMANDS))
        self.assertEqual(sorted(self.complete("hybridserve completion ")),
                         ["bash", "fish", "zsh"])
        self.assertEqual(
            sorted(self.complete("hybridserve generate --output=")),
            ["--output=json", "--output=text"])
        self.assertEqual(
            sorted(self.complete("hybridserve plan --policy ")),
            sorted(POLICIES))
        self.assertIn("--ignore_eos",
                      self.complete("hybridserve generate --ig"))
        self.assertEqual(self.complete("hybridserve status --pro"), [])

    def test_files_and_folders(self):
        offered = self.complete("hybridserve batch --input mo")
        self.assertTrue(any(offer.startswith("moments") for offer in offered),
                        offered)
        offered = self.complete("hybridserve generate --model_dir mo")
        self.assertTrue(any("models" in offer for offer in offered), offered)
        self.assertFalse(any("moments" in offer for offer in offered), offered)


del ShellTest

if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main()
