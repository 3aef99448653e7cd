"""The Go module in client/go: built, checked and run against live servers.

Usage: go_client_test.py PROGRAMS_ROOT
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

MODULE = pathlib.Path("client/go")
DEBIAN = pathlib.Path("/usr/share/gocode/src")
LIBRARIES = ["google.golang.org/grpc", "google.golang.org/protobuf"]
GENERATORS = ["protoc", "protoc-gen-go", "protoc-gen-go-grpc"]
PROGRAMS_ROOT = "."


def why_not() -> str | None:
    """What this machine lacks, if anything."""
    if not shutil.which("go"):
        return "there is no go on PATH (Debian: golang-go)"
    for library in LIBRARIES:
        if not (DEBIAN / library).is_dir():
            return (f"there is no {DEBIAN / library} "
                    "(Debian: golang-google-grpc-dev)")
    return None


@unittest.skipIf(why_not(), why_not())
class GoClientTest(unittest.TestCase):
    """A copy of the module with its dependencies, as go wants them."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.module = cls.folder / "module"
        shutil.copytree(MODULE, cls.module, copy_function=shutil.copy)
        cls.env = {**os.environ, "GOFLAGS": "-mod=vendor", "GOPROXY": "off",
                   "GOPATH": str(cls.folder / "gopath"),
                   "GOCACHE": str(cls.folder / "cache"),
                   "HOME": str(cls.folder)}
        cls.vendor(cls.module)
        cls.servers = Servers(PROGRAMS_ROOT)
        cls.addClassCleanup(cls.servers.close)

    @classmethod
    def run_in(cls, folder: pathlib.Path, *args: str | pathlib.Path,
               **env: str) -> str:
        """What a program prints, which must exit with 0."""
        done = subprocess.run(
            [str(arg) for arg in args], cwd=folder, env={**cls.env, **env},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
        if done.returncode != 0:
            raise AssertionError(f"{args} exited with {done.returncode}:\n"
                                 f"{done.stdout}")
        return done.stdout

    @classmethod
    def vendor(cls, module: pathlib.Path) -> None:
        cls.run_in(module, sys.executable,
                   (MODULE / "vendor_debian.py").absolute(), module)

    def test_the_code_is_formatted_and_vetted(self):
        self.assertEqual(self.run_in(
            self.module, "gofmt", "-l", *self.module.glob("*.go")), "")
        self.run_in(self.module, "go", "vet", "./...")

    def test_its_tests_pass_against_live_servers(self):
        printed = self.run_in(self.module, "go", "test", "-v", "-count=1",
                              "./...", **self.servers.environment)
        print(printed)
        self.assertNotIn("--- SKIP", printed)
        passed = re.findall(r"^--- PASS: (\w+)", printed, re.MULTILINE)
        written = [name for file in self.module.glob("*_test.go")
                   for name in re.findall(r"^func (Test\w+)", file.read_text(),
                                          re.MULTILINE)]
        self.assertEqual(sorted(passed), sorted(written))

    def test_the_generated_code_is_current(self):
        for generator in GENERATORS:
            if not shutil.which(generator):
                self.skipTest(f"there is no {generator} on PATH")
        made = self.folder / "made"
        made.mkdir()
        self.run_in(self.folder, (MODULE / "generate.sh").absolute(), made)
        files = {file.name: file.read_text()
                 for file in (made / "v1").iterdir()}
        self.assertIn("inference_service_grpc.pb.go", files)
        self.assertEqual(files, {file.name: file.read_text()
                                 for file in (MODULE / "v1").iterdir()})

    def test_the_readmes_program_runs(self):
        """In a module of its own, as the README says how to make one."""
        program = self.folder / "program"
        program.mkdir()
        address = "127.0.0.1:50051"
        source = example(MODULE / "README.md", "go")
        self.assertIn(address, source)
        (program / "main.go").write_text(
            source.replace(address, self.servers.address))
        module = (self.module / "go.mod").read_text()
        (program / "go.mod").write_text(
            module.replace("module hybridserve/client/go", "module program") +
            "\nrequire hybridserve/client/go v0.0.0\n"
            f"replace hybridserve/client/go => {self.module}\n")
        self.vendor(program)
        self.run_in(program, "go", "build", "-o", "program", ".")
        wanted = run_client(
            Programs(PROGRAMS_ROOT), "generate",
            f"--server={self.servers.address}", "--prompt=In the beginning",
            "--max_tokens=32").stdout
        self.assertEqual(self.run_in(program, program / "program"), wanted)


if __name__ == "__main__":
    PROGRAMS_ROOT = sys.argv.pop(1)
    if reason := why_not():
        print(f"skipped: {reason}")
    unittest.main(verbosity=2)
