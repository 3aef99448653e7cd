#!/usr/bin/python3
"""Whether pages name what there is: links and their headings, files, Bazel
labels, flags, metrics and HYBRIDSERVE_* variables.

Usage: check_docs.py [ROOT]

Reads every Markdown file that git knows below ROOT, this repository by default.
Prints a line for each name that leads nowhere; exits 1 if there are any.
"""

import pathlib
import posixpath
import re
import subprocess
import sys
from typing import Callable, Iterator

# Written without the end of its name: `tests/e2e/metrics_test`.
ENDINGS = ("", ".py", ".cc", ".cu", ".h", ".sh", ".proto", ".bzl")
# Flags of other programs in our commands.
FOREIGN_FLAGS = {"model_args", "previous", "replicas", "tail", "tasks"}
SOURCES = (".bazelrc", ".cc", ".go", ".py", ".rb", ".sh")
FLAG = re.compile(r"(?<![\w-])--(?:\[no\])?([a-z][a-z0-9_-]*[a-z0-9])")
METRIC_ROW = re.compile(r"^\| `(hybridserve_\w+)`", re.M)
SERIES = re.compile(r"_(bucket|sum|count)$")


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")


def without_code(page: str) -> str:
    return re.sub(r"^```.*?^```", "", page, flags=re.S | re.M)


class Tree:
    """The files that git knows, and what they define."""

    def __init__(self, root: pathlib.Path):
        self._root = root
        listed = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], check=True, text=True,
            capture_output=True).stdout
        self.files = {name for name in listed.split("\0")
                      if name and (root / name).exists()}
        self.folders = {str(folder) for name in self.files
                        for folder in pathlib.PurePath(name).parents}
        self.places = self.files | self.folders
        self.pages = sorted(name for name in self.files
                            if name.endswith(".md"))
        sources = "\n".join(self.read(name) for name in sorted(self.files)
                            if name.endswith(SOURCES))
        self.flags = FOREIGN_FLAGS | set(FLAG.findall(sources)) | set(
            re.findall(r"ABSL_FLAG\([^;]*?,\s*(\w+),", sources))
        self.variables = set(re.findall(r"HYBRIDSERVE_\w+", sources)) | {
            f"HYBRIDSERVE_{flag.upper()}" for flag in self.flags}
        self.metrics = {name for page in self.pages
                        for name in METRIC_ROW.findall(self.read(page))}

    def read(self, name: str) -> str:
        return (self._root / name).read_text("utf-8")

    def anchors(self, page: str) -> set[str]:
        return {anchor_of(heading) for heading in re.findall(
            r"^#+ (.*)$", without_code(self.read(page)), re.M)}


Check = Callable[[Tree, str], Iterator[str]]


def links(tree: Tree, page: str) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)",
                             without_code(tree.read(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page if not path else posixpath.normpath(
            posixpath.join(posixpath.dirname(page), path))
        if file not in tree.places:
            yield target
        elif anchor and anchor not in tree.anchors(file):
            yield target


def paths(tree: Tree, page: str) -> Iterator[str]:
    """From the root, or beside the page; of others' folders nothing is known."""
    beside = posixpath.dirname(page)
    for path in re.findall(r"`([\w.-]+(?:/[\w.-]+)+)`", tree.read(page)):
        if path.partition("/")[0] not in tree.folders:
            continue
        if not any(place + ending in tree.places
                   for place in (path, posixpath.join(beside, path))
                   for ending in ENDINGS):
            yield path


def labels(tree: Tree, page: str) -> Iterator[str]:
    for label, package, name in re.findall(
            r"(?<![\w/:])(//([\w/]*\w)(?::([\w.-]*\w))?)(?![\w/])",
            tree.read(page)):
        if package.partition("/")[0] not in tree.folders:
            continue
        file = f"{package}/BUILD.bazel"
        name = name or posixpath.basename(package)
        if file not in tree.files or (
                name != "all" and f'"{name}"' not in tree.read(file)):
            yield label


def flags(tree: Tree, page: str) -> Iterator[str]:
    for flag in FLAG.findall(tree.read(page)):
        if flag not in tree.flags and flag.removeprefix(
                "no") not in tree.flags:
            yield f"--{flag}"


def metrics(tree: Tree, page: str) -> Iterator[str]:
    for metric in re.findall(r"(?<![\w:])hybridserve_\w+", tree.read(page)):
        if not {metric, SERIES.sub("", metric)} & tree.metrics:
            yield metric


def variables(tree: Tree, page: str) -> Iterator[str]:
    for variable in re.findall(r"HYBRIDSERVE_[A-Z_]*[A-Z]", tree.read(page)):
        if variable not in tree.variables:
            yield variable


CHECKS: tuple[Check, ...] = (links, paths, labels, flags, metrics, variables)


def problems(root: pathlib.Path) -> list[str]:
    tree = Tree(root)
    return [f"{page}: {check.__name__}: {name}" for page in tree.pages
            for check in CHECKS for name in check(tree, page)]


def main() -> int:
    root = (pathlib.Path(sys.argv[1]) if len(sys.argv) > 1
            else pathlib.Path(__file__).resolve().parents[1])
    found = problems(root)
    print("\n".join(found) or "docs: every name leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
