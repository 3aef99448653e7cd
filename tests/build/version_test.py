"""One version: the file VERSION, and all that says which release it is.

Usage: version_test.py PROGRAMS_ROOT
"""

import pathlib
import re
import subprocess
import sys
import unittest

from tests.e2e.processes import Programs

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = None
# A version where a file names an image, a package or a program of this project.
NAMED = (
    re.compile(r"newTag: *\"?([0-9][^\"\s]*)"),
    re.compile(r"\bhybridserve:([0-9][0-9A-Za-z.+-]*)"),
    re.compile(r"\bhybridserve_([0-9][0-9A-Za-z.+-]*?)_"),
)


class VersionTest(unittest.TestCase):
    def setUp(self):
        self.version = (REPOSITORY / "VERSION").read_text().strip()

    def test_is_three_numbers_alone_in_its_file(self):
        self.assertRegex((REPOSITORY / "VERSION").read_text(),
                         r"\A\d+\.\d+\.\d+\n\Z")

    def test_every_program_says_it(self):
        for program in PROGRAMS.all():
            shown = subprocess.run([program, "--version"], check=True,
                                   capture_output=True, text=True).stdout
            self.assertRegex(
                shown, rf"^hybridserve ([\w-]+ )?{re.escape(self.version)} "
                r"\(build [0-9a-f]+\)\n$")

    def test_manifests_and_scripts_name_no_other(self):
        named = []
        for folder in ("k8s", "tools"):
            for path in sorted((REPOSITORY / folder).rglob("*")):
                if path.suffix not in (".yaml", ".sh", ".py", ""):
                    continue
                if not path.is_file():
                    continue
                text = path.read_text(errors="replace")
                for pattern in NAMED:
                    for match in pattern.finditer(text):
                        named.append(match[1])
                        self.assertEqual(match[1], self.version,
                                         f"{path}: {match[0]}")
        self.assertTrue(named, "nothing names a version: is k8s here?")

    def test_the_changelog_has_it_first(self):
        text = (REPOSITORY / "CHANGELOG.md").read_text()
        releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", text, re.MULTILINE)
        self.assertEqual(releases[0], self.version)
        self.assertLess(text.index("## [Unreleased]"),
                        text.index(f"## [{self.version}]"))


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main()
