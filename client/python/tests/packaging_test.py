"""That what is installed is what is here: stubs, wheel, sdist, types, licence."""

import email
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

from client.python.tests.fresh_environment import (ROOT, build_wheel,
                                                   copy_source, run)

SOURCE = pathlib.Path("client") / "python"
PACKAGE = SOURCE / "src" / "hybridserve"


def content(wheel):
    """Names and bytes of a wheel's files."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


class PackagingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = pathlib.Path(temporary.name)
        cls.source = copy_source(cls.folder)
        cls.wheel = build_wheel(cls.source, cls.folder / "wheel")
        cls.files = content(cls.wheel)

    def test_the_stubs_are_what_protoc_makes(self):
        out = self.folder / "stubs"
        run(sys.executable, SOURCE / "generate_stubs.py",
            f"--protos={ROOT / 'proto'}", f"--out={out}")
        made = {str(path.relative_to(out / "hybridserve")): path.read_text()
                for path in out.rglob("*") if path.is_file()}
        self.assertGreater(len(made), 10)
        committed = {
            str(path.relative_to(PACKAGE)): path.read_text()
            for path in [*(PACKAGE / "v1").iterdir(),
                         PACKAGE / "_descriptors.py"]
            if path.suffix in (".py", ".pyi")}
        self.assertEqual(sorted(made), sorted(committed))
        for name, text in made.items():
            self.assertEqual(text, committed[name],
                             f"{name}: run client/python/generate_stubs.py")

    def test_the_wheel_holds_the_package_and_nothing_else(self):
        expected = {f"hybridserve/{path.relative_to(PACKAGE)}"
                    for path in PACKAGE.rglob("*")
                    if path.is_file() and path.suffix != ".pyc"}
        self.assertIn("hybridserve/py.typed", expected)
        self.assertEqual({name for name in self.files
                          if ".dist-info/" not in name}, expected)

    def test_its_metadata(self):
        [name] = [name for name in self.files if name.endswith("/METADATA")]
        metadata = email.message_from_bytes(self.files[name])
        self.assertEqual(metadata["Name"], "hybridserve")
        self.assertEqual(metadata["License-Expression"], "Apache-2.0")
        # That it is the programs' is client_test's to say.
        self.assertIn(f'"{metadata["Version"]}"',
                      (PACKAGE / "_version.py").read_text())
        self.assertTrue(self.wheel.name.endswith("-py3-none-any.whl"))
        [licence] = [data for name, data in self.files.items()
                     if name.endswith("/LICENSE")]
        self.assertEqual(licence, (ROOT / "LICENSE").read_bytes())

    def test_a_wheel_of_the_sdist_is_the_same(self):
        sdist = self.folder / "sdist"
        run(sys.executable, "-c",
            "import sys; from setuptools import build_meta; "
            "build_meta.build_sdist(sys.argv[1])", sdist, cwd=self.source)
        [archive] = sdist.glob("hybridserve-*.tar.gz")
        shutil.unpack_archive(archive, sdist)
        [unpacked] = [path for path in sdist.iterdir() if path.is_dir()]
        again = build_wheel(unpacked, self.folder / "again")
        self.assertEqual(content(again), self.files)

    def test_the_types_are_strict(self):
        for version in ("3.10", "3.13"):  # Of those that mypy still knows.
            run(sys.executable, "-m", "mypy", "--package=hybridserve",
                "--config-file=pyproject.toml", f"--python-version={version}",
                f"--cache-dir={self.folder / 'mypy'}",
                cwd=self.source,
                env={**os.environ, "MYPYPATH": "src", "PYTHONPATH": ""})

    def test_users_get_the_types(self):
        """A program of theirs, with an installed package and its mistakes."""
        program = self.folder / "program.py"
        program.write_text("""\
import hybridserve

async def main(client: hybridserve.AsyncClient) -> list[str]:
    return [text async for text in client.stream("A", stop=[5, "x"]).texts()]

with hybridserve.Client("localhost:1") as client:
    done = client.generate("A", max_tokens=5, temperature=0.5)
    text: str = done.text
    client.generate("A", max_token=5)
    client.generate("A", temperature="hot")
    number: int = done.text
""")
        checked = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", program,
             f"--cache-dir={self.folder / 'users'}"],
            env={**os.environ, "MYPYPATH": str(self.source / "src"),
                 "PYTHONPATH": ""},
            capture_output=True, text=True, cwd=self.folder)
        lines = [int(number) for number in re.findall(
            r"^program\.py:(\d+): error", checked.stdout, re.M)]
        self.assertEqual(lines, [9, 10, 11], checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
