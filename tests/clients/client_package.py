"""What the tests of every client package have in common."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.clients.example import example
from tests.clients.servers import Servers
from tests.e2e.processes import Programs, run_client

ADDRESS = "127.0.0.1:50051"  # In the packages' READMEs.


def texts_of(folder: pathlib.Path) -> dict[str, str]:
    """Its files by name."""
    return {file.name: file.read_text() for file in folder.iterdir()}


class ClientPackageTest(unittest.TestCase):
    """A copy of a package in a folder of its own, and live servers."""

    @classmethod
    def copy_package(cls, source: pathlib.Path) -> pathlib.Path:
        """A copy in `cls.folder`, which is `cls.env`'s home too."""
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.env = {**os.environ, "HOME": str(cls.folder)}
        copy = cls.folder / "package"
        shutil.copytree(source, copy, copy_function=shutil.copy)
        return copy

    @classmethod
    def start_servers(cls, programs_root: str) -> None:
        cls.programs = Programs(programs_root)
        cls.servers = Servers(programs_root)
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

    def assert_generated(self, script: pathlib.Path, made: str,
                         committed: pathlib.Path, generators: list[str],
                         one: str) -> None:
        """`script DIR` fills DIR/`made` with what is committed, `one` of them;
        skips where a generator is not on PATH."""
        for generator in generators:
            if not shutil.which(generator):
                self.skipTest(f"there is no {generator} on PATH")
        out = self.folder / "made"
        out.mkdir()
        self.run_in(self.folder, script.absolute(), out)
        files = texts_of(out / made)
        self.assertIn(one, files)
        self.assertEqual(files, texts_of(committed))

    def readme_program(self, readme: pathlib.Path, language: str) -> str:
        """The README's program, for the live server."""
        source = example(readme, language)
        self.assertIn(ADDRESS, source)
        return source.replace(ADDRESS, self.servers.address)

    def wanted_from_readme(self) -> str:
        """What that program prints, by `hybridserve generate`."""
        return run_client(
            self.programs, "generate", f"--server={self.servers.address}",
            "--prompt=In the beginning", "--max_tokens=32").stdout
