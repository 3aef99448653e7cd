"""What k8s/build_image.sh puts into images: no more than is needed, all of it
listed in a valid SBOM, and complete: programs load nothing from elsewhere.

Usage: image_contents_test.py PROGRAMS_ROOT
"""

import hashlib
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import tempfile
import unittest

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "k8s" / "build_image.sh"
MOST_BYTES = 150e6
BINARIES = {"scheduler": "scheduler/scheduler", "worker": "worker/worker",
            "client": "client/hybridserve",
            "openai": "client/openai/hybridserve-openai"}
PROGRAMS_ROOT = ""


def build(*args: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", str(BUILD), *args], text=True, capture_output=True,
        timeout=600,
        env={**os.environ, "HYBRIDSERVE_BIN": os.path.abspath(PROGRAMS_ROOT)})


def installed(package: str) -> str:
    """The version of a Debian package on this machine."""
    return subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Version}", package],
        check=True, text=True, capture_output=True).stdout


class Image:
    """One program's folder."""

    def __init__(self, root: pathlib.Path, binary: str):
        self.root = root
        self.program = (root / "opt" / "hybridserve" / "bin"
                        / pathlib.Path(binary).name)
        self.sbom = (root / "opt" / "hybridserve"
                     / "sbom.cdx.json").read_text("utf-8")
        self.bill = json.loads(self.sbom)

    def files(self) -> list[pathlib.Path]:
        return [path for path in self.root.rglob("*") if not path.is_dir()]

    def listed(self) -> dict[str, str]:
        """Path and SHA-256 of each file that the SBOM has."""
        components = [*self.bill["components"],
                      self.bill["metadata"]["component"]]
        return {file["name"]: file["hashes"][0]["content"]
                for component in components
                for file in component.get("components", [])}

    def load(self, *args: str) -> str:
        """Runs a program with the image's loader and libraries alone."""
        loader, = (self.root / "lib64").iterdir()
        libraries, = (self.root / "usr" / "lib").iterdir()
        return subprocess.run(
            [str(loader), "--inhibit-cache", "--library-path", str(libraries),
             *args], check=True, text=True, capture_output=True).stdout


class ContentsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        built = build(f"--rootfs={folder.name}")
        if built.returncode != 0:
            raise RuntimeError(built.stderr)
        cls.images = {
            name: Image(pathlib.Path(folder.name, name), binary)
            for name, binary in BINARIES.items()}

    def each(self):
        for name, image in self.images.items():
            with self.subTest(name):
                yield name, image

    def test_is_small(self):
        for name, image in self.each():
            size = sum(path.stat().st_size for path in image.files())
            print(f"{name}: {size / 1e6:.1f} MB")
            self.assertLess(size, MOST_BYTES)

    def test_programs_load_the_images_libraries_alone(self):
        for _, image in self.each():
            paths = re.findall(r"=> (\S+) \(",
                               image.load("--list", str(image.program)))
            self.assertTrue(paths)
            for path in paths:
                self.assertTrue(path.startswith(str(image.root)), path)

    def test_programs_run_with_them(self):
        for name, image in self.each():
            shown = image.load(str(image.program), "--version")
            built = subprocess.run(
                [os.path.join(PROGRAMS_ROOT, BINARIES[name]), "--version"],
                check=True, text=True, capture_output=True).stdout
            self.assertEqual(shown, built)

    def test_nothing_is_there_that_helps_an_intruder(self):
        for _, image in self.each():
            tools = {path.name for path in image.files()
                     if path.parent.name == "bin"}
            self.assertLessEqual(tools, {image.program.name, "sleep"})
            for path in image.root.rglob("*"):
                mode = path.lstat().st_mode
                self.assertFalse(stat.S_ISLNK(mode), path)
                self.assertFalse(mode & (stat.S_ISUID | stat.S_ISGID), path)
                if path != image.root / "tmp":
                    self.assertFalse(mode & (stat.S_IWGRP | stat.S_IWOTH),
                                     path)

    def test_the_sbom_is_valid(self):
        validator = JsonStrictValidator(SchemaVersion.V1_5)
        for _, image in self.each():
            self.assertIsNone(validator.validate_str(image.sbom))
            refs = {component["bom-ref"] for component in
                    [*image.bill["components"],
                     image.bill["metadata"]["component"]]}
            for dependency in image.bill["dependencies"]:
                self.assertLessEqual(
                    {dependency["ref"], *dependency["dependsOn"]}, refs)

    def test_the_sbom_lists_every_program_and_library(self):
        for _, image in self.each():
            there = {
                f"/{path.relative_to(image.root)}":
                    hashlib.sha256(path.read_bytes()).hexdigest()
                for path in image.files()
                if path.read_bytes()[:4] == b"\x7fELF"}
            listed = {path: digest for path, digest in image.listed().items()
                      if not path.startswith("/etc/ssl/")}
            self.assertEqual(listed, there)

    def test_packages_have_their_version_licence_and_copyright_file(self):
        for _, image in self.each():
            for component in image.bill["components"]:
                self.assertTrue(component["licenses"])
                if component["supplier"]["name"] != "Debian":
                    continue
                name = component["name"]
                self.assertEqual(component["version"], installed(name))
                if "components" in component:
                    self.assertTrue((image.root / "usr" / "share" / "doc"
                                     / name / "copyright").is_file(), name)

    def test_the_program_depends_on_what_it_names(self):
        for _, image in self.each():
            by_ref = {dependency["ref"]: dependency["dependsOn"]
                      for dependency in image.bill["dependencies"]}
            own = by_ref[image.bill["metadata"]["component"]["bom-ref"]]
            for package in ("libgrpc++1.51", "libstdc++6", "libc6",
                            "nlohmann-json3-dev"):
                self.assertTrue(
                    any(ref.startswith("pkg:deb/debian/"
                                       + package.replace("+", "%2B") + "@")
                        for ref in own), package)

    def test_a_workers_image_alone_has_a_model(self):
        for name, image in self.each():
            models = image.root / "opt" / "hybridserve" / "models"
            self.assertEqual(models.exists(), name == "worker")


class UsageTest(unittest.TestCase):
    def test_wrong_arguments_are_named(self):
        for args, complaint in (
                (["--nonsense"], "unknown argument: --nonsense"),
                (["--cuda", "client"], "--cuda: there is only a worker")):
            result = build(*args)
            self.assertEqual(result.returncode, 2)
            self.assertIn(complaint, result.stderr.splitlines()[0])

    def test_a_folder_with_something_in_it_is_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = pathlib.Path(folder, "client", "kept")
            kept.parent.mkdir()
            kept.write_text("mine")
            result = build(f"--rootfs={folder}", "client")
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("is not empty", result.stderr)
            self.assertEqual(os.listdir(kept.parent), ["kept"])


if __name__ == "__main__":
    PROGRAMS_ROOT = sys.argv.pop(1)
    unittest.main(verbosity=2)
