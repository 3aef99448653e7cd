"""The gem in client/ruby: built, installed and run against live servers.

Usage: ruby_client_test.py PROGRAMS_ROOT
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests.clients.example import example
from tests.clients.servers import Servers
from tests.e2e.processes import Programs, run_client

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
class RubyClientTest(unittest.TestCase):
    """The gem, installed where nothing else is."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.source = cls.folder / "source"
        shutil.copytree(SOURCE, cls.source, copy_function=shutil.copy)
        gems = str(cls.folder / "gems")
        system = subprocess.run(
            ["ruby", "-e", "print Gem.path.join(':')"], check=True,
            capture_output=True, text=True).stdout
        cls.env = {**os.environ, "HOME": str(cls.folder), "GEM_HOME": gems,
                   "GEM_PATH": f"{gems}:{system}"}
        cls.run_in(cls.source, "gem", "build", "--output=built.gem",
                   "hybridserve.gemspec")
        cls.run_in(cls.source, "gem", "install", "--local", "--no-document",
                   "built.gem")
        cls.servers = Servers(PROGRAMS_ROOT)
        cls.addClassCleanup(cls.servers.close)

    @classmethod
    def run_in(cls, folder: pathlib.Path, *args: str | pathlib.Path,
               stderr: int = subprocess.STDOUT, **env: str) -> str:
        """What a program prints, which must exit with 0."""
        done = subprocess.run(
            [str(arg) for arg in args], cwd=folder, env={**cls.env, **env},
            stdout=subprocess.PIPE, stderr=stderr, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{args} exited with {done.returncode}:\n"
                                 f"{done.stdout}\n{done.stderr or ''}")
        return done.stdout

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
        for generator in GENERATORS:
            if not shutil.which(generator):
                self.skipTest(f"there is no {generator} on PATH")
        made = self.folder / "made"
        made.mkdir()
        self.run_in(self.folder, (SOURCE / "generate.sh").absolute(), made)
        files = {file.name: file.read_text()
                 for file in (made / "hybridserve" / "v1").iterdir()}
        self.assertIn("inference_service_services_pb.rb", files)
        committed = SOURCE / "lib" / "hybridserve" / "v1"
        self.assertEqual(files, {file.name: file.read_text()
                                 for file in committed.iterdir()})

    def test_the_readmes_program_runs(self):
        address = "127.0.0.1:50051"
        source = example(SOURCE / "README.md", "ruby")
        self.assertIn(address, source)
        program = self.folder / "program.rb"
        program.write_text(source.replace(address, self.servers.address))
        wanted = run_client(
            Programs(PROGRAMS_ROOT), "generate",
            f"--server={self.servers.address}", "--prompt=In the beginning",
            "--max_tokens=32").stdout
        self.assertEqual(self.run_in(self.folder, "ruby", program,
                                     stderr=subprocess.PIPE), wanted)


if __name__ == "__main__":
    PROGRAMS_ROOT = sys.argv.pop(1)
    if reason := why_not():
        print(f"skipped: {reason}")
    unittest.main(verbosity=2)
