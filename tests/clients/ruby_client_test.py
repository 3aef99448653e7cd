"""The gem in client/ruby: built, installed and run against live servers.

Usage: ruby_client_test.py PROGRAMS_ROOT
"""

import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from tests.clients.client_package import ClientPackageTest

SOURCE = pathlib.Path("client/ruby")
LIBRARIES = ["grpc", "google/rpc/error_details_pb", "minitest"]
GENERATORS = ["protoc", "grpc_ruby_plugin"]
PROGRAMS_ROOT = "."


def why_not() -> str | None:
    """What this machine lacks, if anything."""
    for program in ("ruby", "gem"):
        if not shutil.which(program):
            return f"there is no {program} on PATH (Debian: ruby)"
    for library in LIBRARIES:
        if subprocess.run(["ruby", "-r", library, "-e", ""], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            return (f"ruby has no {library} (Debian: ruby-grpc, "
                    "ruby-minitest)")
    return None


@unittest.skipIf(why_not(), why_not())
class RubyClientTest(ClientPackageTest):
    """The gem, installed where nothing else is."""

    @classmethod
    def setUpClass(cls):
        cls.source = cls.copy_package(SOURCE)
        gems = str(cls.folder / "gems")
        system = subprocess.run(
            ["ruby", "-e", "print Gem.path.join(':')"], check=True,
            capture_output=True, text=True).stdout
        cls.env |= {"GEM_HOME": gems, "GEM_PATH": f"{gems}:{system}"}
        cls.run_in(cls.source, "gem", "build", "--output=built.gem",
                   "hybridserve.gemspec")
        cls.run_in(cls.source, "gem", "install", "--local", "--no-document",
                   "built.gem")
        cls.start_servers(PROGRAMS_ROOT)

    def test_the_gem_holds_the_library_and_nothing_else(self):
        listed = self.run_in(self.source, "gem", "contents", "--no-prefix",
                             "hybridserve").split()
        written = [str(file.relative_to(self.source))
                   for file in (self.source / "lib").rglob("*.rb")]
        self.assertEqual(sorted(listed), sorted([*written, "README.md"]))

    def test_the_code_gives_no_warning(self):
        for file in (self.source / "lib").rglob("*.rb"):
            printed = self.run_in(self.source, "ruby", "-wc", file)
            self.assertEqual(printed, "Syntax OK\n")

    def test_its_tests_pass_against_live_servers(self):
        """With the installed gem: lib is not on the path."""
        for file in sorted((self.source / "test").glob("*_test.rb")):
            with self.subTest(file=file.name):
                printed = self.run_in(self.folder, "ruby", file, "--verbose",
                                      **self.servers.environment)
                print(printed)
                written = len(re.findall(r"^  def test_", file.read_text(),
                                         re.MULTILINE))
                self.assertGreater(written, 0)
                self.assertRegex(
                    printed, rf"\n{written} runs, \d+ assertions, "
                    "0 failures, 0 errors, 0 skips")

    def test_the_generated_code_is_current(self):
        self.assert_generated(
            SOURCE / "generate.sh", "hybridserve/v1",
            SOURCE / "lib" / "hybridserve" / "v1", GENERATORS,
            "inference_service_services_pb.rb")

    def test_the_readmes_program_runs(self):
        program = self.folder / "program.rb"
        program.write_text(self.readme_program(SOURCE / "README.md", "ruby"))
        self.assertEqual(self.run_in(self.folder, "ruby", program,
                                     stderr=subprocess.PIPE),
                         self.wanted_from_readme())


if __name__ == "__main__":
    PROGRAMS_ROOT = sys.argv.pop(1)
    if reason := why_not():
        print(f"skipped: {reason}")
    unittest.main(verbosity=2)
