"""What programs and libraries load, asked of binutils and the loader."""

import pathlib
import re
import subprocess


def run(*command: str) -> str:
    """What a command says; CalledProcessError if it fails."""
    return subprocess.run(command, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def usual(path: str) -> pathlib.Path:
    """A path below /usr, where Debian's /bin and /lib lead to."""
    return pathlib.Path(re.sub(r"^/(bin|sbin|lib)/", r"/usr/\1/", path))


def libraries(file: pathlib.Path) -> dict[str, pathlib.Path]:
    """All that the loader loads for a program or a library, by the name that
    asks for it."""
    found: dict[str, pathlib.Path] = {}
    for line in run("ldd", str(file)).splitlines():
        if line.strip().endswith("=> not found"):
            raise FileNotFoundError(f"{file} needs {line.split()[0]}, which is "
                                    "not installed")
        if match := re.match(r"\s*(\S+) => (/\S+) \(", line):
            found[match[1]] = usual(match[2])
    return found


def loader(program: pathlib.Path) -> pathlib.Path:
    """The loader that the kernel starts for a program, where it names it."""
    headers = run("readelf", "--program-headers", "--wide", str(program))
    return pathlib.Path(
        re.search(r"program interpreter: (\S+)\]", headers)[1])


def needed(file: pathlib.Path) -> list[str]:
    """Names of the libraries that a file itself asks for."""
    return re.findall(r"\(NEEDED\).*\[(.+)\]",
                      run("readelf", "--dynamic", "--wide", str(file)))


def holds_cuda(program: pathlib.Path) -> bool:
    """Whether kernels for GPUs, and so CUDA's static runtime, are in it."""
    return ".nv_fatbin" in run("readelf", "--section-headers", "--wide",
                               str(program))
