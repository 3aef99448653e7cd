"""Where files of this machine are from: Debian packages."""

import dataclasses
import pathlib
import subprocess
from collections.abc import Iterable

from elf import run

# By source package: what its libraries, or the one file taken from it, are
# under. Everything in full: the copyright files, which images hold.
LICENCES = {
    "abseil": "Apache-2.0",
    "brotli": "MIT",
    "c-ares": "MIT",
    "ca-certificates": "MPL-2.0",
    "civetweb": "MIT",
    "coreutils": "GPL-3.0-or-later",
    "cpp-httplib": "MIT",
    "ctemplate": "BSD-3-Clause",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "gflags": "BSD-3-Clause",
    "glibc": "LGPL-2.1-or-later",
    "google-glog": "BSD-3-Clause",
    "grpc": "Apache-2.0",
    "highway": "Apache-2.0",
    "icu": "Unicode-DFS-2016",
    "libunwind": "MIT",
    "nlohmann-json3": "MIT",
    "ocl-icd": "BSD-2-Clause",
    "onednn": "Apache-2.0 AND BSD-3-Clause",
    "openssl": "Apache-2.0",
    "pcre2": "BSD-3-Clause",
    "prometheus-cpp": "MIT",
    "protobuf": "BSD-3-Clause",
    "re2": "BSD-3-Clause",
    "xz-utils": "LicenseRef-public-domain",
    "zlib": "Zlib",
}


@dataclasses.dataclass(frozen=True)
class Package:
    name: str
    version: str
    architecture: str
    source: str
    homepage: str

    @property
    def licence(self) -> str:
        """An SPDX expression."""
        try:
            return LICENCES[self.source]
        except KeyError:
            raise KeyError(f"{self.name}: the licence of {self.source} is not "
                           "in k8s/image/debian.py") from None

    @property
    def copyright(self) -> pathlib.Path:
        return pathlib.Path("/usr/share/doc", self.name, "copyright")


FIELDS = ("Package", "Version", "Architecture", "source:Package", "Homepage")


def packages(names: Iterable[str]) -> dict[str, Package]:
    """Installed packages by name. CalledProcessError if one is not."""
    line = "\t".join("${%s}" % field for field in FIELDS) + "\n"
    shown = run("dpkg-query", "--show", f"--showformat={line}", *names)
    found = [Package(*line.split("\t")) for line in shown.splitlines()]
    return {package.name: package for package in found}


def owners(files: Iterable[pathlib.Path]) -> dict[pathlib.Path, Package]:
    """The package that each file came with."""
    # dpkg knows a file by the path in its package, be it below /usr or not.
    known_as: dict[str, pathlib.Path] = {}
    for file in files:
        target = file.resolve()
        known_as[str(target)] = file
        known_as[str(pathlib.Path("/", *target.parts[2:]))] = file
    # It fails for one of each two.
    shown = subprocess.run(["dpkg-query", "--search", *known_as], text=True,
                           capture_output=True).stdout
    names: dict[pathlib.Path, str] = {}
    for line in shown.splitlines():
        owner, _, path = line.partition(": ")
        if path in known_as:
            names[known_as[path]] = owner.partition(":")[0]
    lost = set(known_as.values()) - set(names)
    if lost:
        raise FileNotFoundError("of no Debian package: "
                                + ", ".join(map(str, sorted(lost))))
    found = packages(set(names.values()))
    return {file: found[name] for file, name in names.items()}
