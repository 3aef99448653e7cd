"""The folder that becomes an image's root: a program, what it loads, and what
goes with it."""

import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterable

import debian
import elf

HOME = pathlib.PurePosixPath("opt/hybridserve")
USER_ID = 10001
PASSWD = (f"hybridserve:x:{USER_ID}:{USER_ID}::/{HOME}:/sbin/nologin\n")
GROUP = f"hybridserve:x:{USER_ID}:\n"
# Without it the C library would ask what the host is configured to ask.
NSSWITCH = "hosts: files dns\n"
CERTIFICATES = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
SLEEP = pathlib.Path("/usr/bin/sleep")


def _inside(file: pathlib.Path) -> pathlib.PurePosixPath:
    """A path of this machine, from the image's root."""
    return pathlib.PurePosixPath(*file.parts[1:])


class Contents:
    """Fills a folder, and remembers which files came from where."""

    def __init__(self, root: pathlib.Path, program: pathlib.Path):
        self.root = root
        # From the image's root.
        self.program_path = HOME / "bin" / program.name
        self.cublas: list[pathlib.PurePosixPath] = []
        self._debian_files: list[pathlib.Path] = []
        self._add_program(program)
        self._write("etc/passwd", PASSWD)
        self._write("etc/group", GROUP)
        self._write("etc/nsswitch.conf", NSSWITCH)
        # Its package makes it when it is installed: dpkg knows no owner.
        self._copy(CERTIFICATES, _inside(CERTIFICATES))
        # A mount point, for whoever wants to write: the root is read-only.
        self._folder("tmp").chmod(0o1777)

    def add_sleep(self) -> None:
        """What preStop hooks run, as no shell is there."""
        self._add(SLEEP)
        self._add_libraries(SLEEP)

    def add_folder(self, source: pathlib.Path,
                   target: pathlib.PurePosixPath) -> None:
        for file in sorted(source.iterdir()):
            self._copy(file, target / file.name)

    def add_file(self, source: pathlib.Path,
                 target: pathlib.PurePosixPath) -> None:
        self._copy(source, target)

    def add_cublas(self, folder: pathlib.Path) -> None:
        """Which a worker opens where it finds a GPU, from CUDA's lib64."""
        for name in ("libcublas.so", "libcublasLt.so"):
            # By the name that programs ask for: one number behind ".so".
            file, = folder.glob(name + ".[0-9][0-9]")
            path = pathlib.PurePosixPath("usr/lib64", file.name)
            self._copy(file.resolve(), path)
            self.cublas.append(path)
            for asked, library in elf.libraries(file).items():
                if not asked.startswith("libcublas"):
                    self._add(library)

    def debian_files(
            self) -> dict[debian.Package, list[pathlib.PurePosixPath]]:
        """What came from Debian, package by package."""
        by_package: dict[debian.Package, list[pathlib.PurePosixPath]] = {}
        owners = debian.owners(self._debian_files)
        for file in self._debian_files:
            by_package.setdefault(owners[file], []).append(_inside(file))
        certificates = debian.packages(["ca-certificates"])["ca-certificates"]
        by_package[certificates] = [_inside(CERTIFICATES)]
        return dict(sorted(by_package.items(), key=lambda item: item[0].name))

    def add_copyright_files(self, packages: Iterable[debian.Package]) -> None:
        """As the packages' licences ask."""
        for package in packages:
            self._copy(package.copyright, _inside(package.copyright))

    def _add_program(self, program: pathlib.Path) -> None:
        target = self._folder(self.program_path.parent) / program.name
        # Names stay: a crash tells where it was. Lines are in what was built.
        subprocess.run(["strip", "--strip-debug", "-o", str(target),
                        str(program.resolve())], check=True)
        target.chmod(0o755)
        self._add_libraries(program)
        self._add(elf.loader(program))

    def _add_libraries(self, program: pathlib.Path) -> None:
        for path in elf.libraries(program).values():
            self._add(path)

    def _add(self, file: pathlib.Path) -> None:
        """A file of a Debian package, at its own path."""
        if file not in self._debian_files:
            self._copy(file, _inside(file))
            self._debian_files.append(file)

    def _copy(self, source: pathlib.Path,
              target: pathlib.PurePosixPath) -> None:
        copy = self._folder(target.parent) / target.name
        shutil.copyfile(source, copy)
        copy.chmod(0o755 if os.access(source, os.X_OK) else 0o644)

    def _write(self, path: str, text: str) -> None:
        target = pathlib.PurePosixPath(path)
        file = self._folder(target.parent) / target.name
        file.write_text(text, "utf-8")
        file.chmod(0o644)

    def _folder(self, path: pathlib.PurePosixPath | str) -> pathlib.Path:
        folder = self.root
        for part in pathlib.PurePosixPath(path).parts:
            folder /= part
            if not folder.exists():
                folder.mkdir()
                folder.chmod(0o755)
        return folder
