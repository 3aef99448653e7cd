"""A fresh virtual environment with the package's wheel and what it declares.

Usage: fresh_environment.py PROGRAMS_ROOT [--with=NAME]... MODULE...

Builds the wheel from this checkout, makes an empty virtual environment without
the system's packages, and has its pip install the wheel, without an index. The
wheel's dependencies, and theirs, are put there before: linked, file by file,
from the environment that runs this (tools/requirements.txt), as tests have no
network. So pip checks their versions, and what the package needs and does not
declare is missing. Then runs the unittest modules there.
"""

import argparse
import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = pathlib.Path("client") / "python"


def run(*args: str | os.PathLike, **kwargs) -> None:
    """Like subprocess.run, with its output in the error."""
    done = subprocess.run(args, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{args} exited with {done.returncode}:\n"
                           f"{done.stdout}")


def copy_source(folder: pathlib.Path) -> pathlib.Path:
    """The package's files as they are in a checkout, writable."""
    target = folder / "source"
    shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns(
        "tests", "build", "dist", "*.egg-info", "__pycache__"))
    return target


def build_wheel(source: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """By pip, with the setuptools that is here."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps",
        "--no-index", "--no-build-isolation", "--no-cache-dir",
        "--disable-pip-version-check",
        f"--wheel-dir={folder}", source)
    [wheel] = folder.glob("hybridserve-*.whl")
    return wheel


def declared(wheel: pathlib.Path, extras: set[str]) -> list[Requirement]:
    """What a wheel declares that it needs."""
    [distribution] = importlib.metadata.distributions(path=[str(wheel)])
    return needed(distribution, extras)


def needed(distribution: importlib.metadata.Distribution,
           extras: set[str]) -> list[Requirement]:
    found = [Requirement(text) for text in distribution.requires or []]
    return [each for each in found if each.marker is None or any(
        each.marker.evaluate({"extra": extra}) for extra in extras | {""})]


def closure(requirements: list[Requirement]
            ) -> dict[str, importlib.metadata.Distribution]:
    """The distributions that fulfil them, and what these need."""
    found: dict[str, importlib.metadata.Distribution] = {}
    todo = list(requirements)
    while todo:
        requirement = todo.pop()
        if requirement.name not in found:
            distribution = importlib.metadata.distribution(requirement.name)
            found[requirement.name] = distribution
            todo += needed(distribution, set(requirement.extras))
    return found


def link(distribution: importlib.metadata.Distribution,
         packages: pathlib.Path) -> None:
    """Its files, to another environment."""
    files = [path for path in distribution.files or []
             if ".." not in path.parts]
    if not files:  # Debian's, which keep no record.
        info = pathlib.Path(distribution._path)
        names = (distribution.read_text("top_level.txt")
                 or distribution.metadata["Name"]).split()
        files = [importlib.metadata.PackagePath(name) for name in (
            info.name, *names, *(f"{name}.py" for name in names))]
    for path in files:
        source = pathlib.Path(distribution.locate_file(path))
        target = packages / path
        if source.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)


def make_environment(folder: pathlib.Path, wheel: pathlib.Path,
                     extras: set[str]) -> pathlib.Path:
    """Its interpreter."""
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    [packages] = folder.glob("lib/python*/site-packages")
    for distribution in closure(declared(wheel, extras)).values():
        link(distribution, packages)
    chosen = f"[{','.join(sorted(extras))}]" if extras else ""
    run(python, "-m", "pip", "install", "--quiet", "--no-index",
        "--no-cache-dir", "--disable-pip-version-check", f"{wheel}{chosen}")
    run(python, "-m", "pip", "check", "--disable-pip-version-check")
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs")
    parser.add_argument("--with", dest="extras", action="append", default=[])
    parser.add_argument("modules", nargs="+")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        wheel = build_wheel(copy_source(folder), folder)
        python = make_environment(folder / "environment", wheel,
                                  set(args.extras))
        print(f"installed {wheel.name}", flush=True)
        environment = {
            **os.environ, "PYTHONPATH": os.getcwd(),
            "HYBRIDSERVE_TEST_PROGRAMS": args.programs,
            "HYBRIDSERVE_TEST_PREFIX": str(folder / "environment"),
            "PYTHONNOUSERSITE": "1"}
        code = subprocess.run([python, "-W", "ignore::ResourceWarning", "-m",
                               "unittest", "-v", *args.modules],
                              env=environment).returncode
    sys.exit(code)


if __name__ == "__main__":
    main()
