"""The turns of run.py, with programs that print what libFuzzer does."""

import dataclasses
import pathlib
import stat
import tempfile
import unittest

from tests.fuzz import run

SPRINTER = """#!/bin/bash
echo "stat::number_of_executed_units: 400" >&2
echo "stat::new_units_added: 3" >&2
touch "${@: -1}/found"
"""

CRASHER = """#!/bin/bash
for argument in "$@"; do
  if [[ "$argument" == -artifact_prefix=* ]]; then
    touch "${argument#*=}crash-1"
  fi
done
echo "stat::number_of_executed_units: 7" >&2
exit 77
"""


@dataclasses.dataclass
class Script(run.Target):
    script: str = SPRINTER
    folder: str = ""

    @property
    def package(self) -> pathlib.Path:
        return pathlib.Path(self.folder)

    @property
    def program(self) -> pathlib.Path:
        path = pathlib.Path(self.folder) / self.name
        path.write_text(self.script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path


class RunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.programs = pathlib.Path(folder.name) / "programs"
        self.scratch = pathlib.Path(folder.name) / "scratch"
        self.out = pathlib.Path(folder.name) / "out"
        for made in (self.programs, self.scratch):
            made.mkdir()

    def target(self, name: str, script: str) -> Script:
        return Script(f"//x:{name}", script=script, folder=str(self.programs))

    def test_turns_until_there_are_enough_runs(self):
        targets = [self.target("a", SPRINTER), self.target("b", SPRINTER)]
        total = run.run_until(targets, 1000, 2, self.scratch, self.out)
        self.assertEqual(total, 1600)
        self.assertEqual([t.runs for t in targets], [800, 800])
        self.assertEqual([t.crash for t in targets], ["", ""])
        self.assertIn("1,600 runs", (self.out / "fuzz.md").read_text())

    def test_a_turn_starts_from_the_seeds_and_keeps_what_it_found(self):
        seeds = self.programs / "testdata" / "a"
        seeds.mkdir(parents=True)
        (seeds / "seed").write_text("x")
        target = self.target("a", SPRINTER)
        run.run_turn(target, self.scratch)
        self.assertEqual(target.inputs, 2)
        self.assertEqual([path.name for path in seeds.iterdir()], ["seed"])

    def test_what_crashes_runs_no_more(self):
        targets = [self.target("a", SPRINTER), self.target("b", CRASHER)]
        total = run.run_until(targets, 1000, 1, self.scratch, self.out)
        self.assertEqual(total, 1207)
        self.assertEqual(targets[1].runs, 7)
        self.assertTrue(targets[1].crash.endswith("b-crash-1"))

    def test_all_that_crash_end_it(self):
        targets = [self.target("b", CRASHER)]
        total = run.run_until(targets, 1000, 1, self.scratch, self.out)
        self.assertEqual(total, 7)

    def test_the_page_says_how_often_and_what_crashed(self):
        run.write_page(self.out, [
            run.Target("//x:a", runs=1234, seconds=60, inputs=5),
            run.Target("//x:b", runs=1, seconds=60, crash="there")])
        text = (self.out / "fuzz.md").read_text()
        self.assertIn("1,235 runs of 2 targets", text)
        self.assertIn("**1 crashed**", text)
        self.assertIn("| `//x:a` | 1,234 | 1 | 5 | no |", text)
        self.assertIn("| `//x:b` | 1 | 1 | 0 | yes |", text)


if __name__ == "__main__":
    unittest.main()
