"""docs/flags.md is what the programs give.

Usage: flags_reference_test.py PROGRAMS_ROOT
"""

import contextlib
import io
import pathlib
import re
import sys
import tempfile
import unittest

from tests.e2e.processes import Programs
from tools.flags_reference import PROGRAMS, main
from tools.man_pages import PAGES
from tools.program_help import help_of

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "flags.md"
ROOT = ""


class FlagsReferenceTest(unittest.TestCase):
    def test_the_page_is_what_the_programs_give(self):
        self.assertEqual(main(["--check", ROOT, str(PAGE)]), 0,
                         "run tools/flags_reference.py after a build")

    def test_a_page_that_differs_is_refused(self):
        with tempfile.TemporaryDirectory() as scratch:
            page = pathlib.Path(scratch) / "flags.md"
            for text in ("", PAGE.read_text().replace("--listen", "--listn")):
                page.write_text(text)
                with contextlib.redirect_stdout(io.StringIO()):
                    self.assertEqual(main(["--check", ROOT, str(page)]), 1)
            self.assertEqual(main([ROOT, str(page)]), 0)
            self.assertEqual(page.read_text(), PAGE.read_text())

    def test_every_program_has_a_section_and_a_manual_page(self):
        programs = [str(pathlib.Path(program).relative_to(ROOT))
                    for program in Programs(ROOT).all()]
        self.assertEqual(list(PROGRAMS.values()), programs)
        self.assertEqual(
            re.findall(r"^## ([a-z-]+)$", PAGE.read_text(), re.MULTILINE),
            list(PROGRAMS))
        self.assertCountEqual([program for program, _ in PAGES.values()],
                              programs)

    def test_every_flag_has_a_line_and_a_meaning(self):
        text = PAGE.read_text()
        for name, program in PROGRAMS.items():
            section = text[text.index(f"\n## {name}\n"):]
            for flag in help_of(f"{ROOT}/{program}").flags():
                self.assertRegex(
                    section, rf"\| `--(\[no\])?{flag.name}` \|.*\| "
                    rf"`HYBRIDSERVE_{flag.name.upper()}` \| \S")

    def test_every_command_has_a_section(self):
        shown = help_of(f"{ROOT}/{PROGRAMS['hybridserve']}")
        self.assertEqual(
            re.findall(r"^### hybridserve (\w+)$", PAGE.read_text(),
                       re.MULTILINE), list(shown.commands()))


if __name__ == "__main__":
    ROOT = sys.argv.pop(1)
    unittest.main()
