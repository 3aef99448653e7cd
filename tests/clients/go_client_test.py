"""The Go module in client/go: built, checked and run against live servers.

Usage: go_client_test.py PROGRAMS_ROOT
"""

import pathlib
import re
import shutil
import sys
import unittest

from tests.clients.client_package import ClientPackageTest

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
class GoClientTest(ClientPackageTest):
    """A copy of the module with its dependencies, as go wants them."""

    @classmethod
    def setUpClass(cls):
        cls.module = cls.copy_package(MODULE)
        cls.env |= {"GOFLAGS": "-mod=vendor", "GOPROXY": "off",
                    "GOPATH": str(cls.folder / "gopath"),
                    "GOCACHE": str(cls.folder / "cache")}
        cls.vendor(cls.module)
        cls.start_servers(PROGRAMS_ROOT)

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
        self.assert_generated(MODULE / "generate.sh", "v1", MODULE / "v1",
                              GENERATORS, "inference_service_grpc.pb.go")

    def test_the_readmes_program_runs(self):
        """In a module of its own, as the README says how to make one."""
        program = self.folder / "program"
        program.mkdir()
        (program / "main.go").write_text(
            self.readme_program(MODULE / "README.md", "go"))
        module = (self.module / "go.mod").read_text()
        (program / "go.mod").write_text(
            module.replace("module hybridserve/client/go", "module program") +
            "\nrequire hybridserve/client/go v0.0.0\n"
            f"replace hybridserve/client/go => {self.module}\n")
        self.vendor(program)
        self.run_in(program, "go", "build", "-o", "program", ".")
        self.assertEqual(self.run_in(program, program / "program"),
                         self.wanted_from_readme())


if __name__ == "__main__":
    PROGRAMS_ROOT = sys.argv.pop(1)
    if reason := why_not():
        print(f"skipped: {reason}")
    unittest.main(verbosity=2)
