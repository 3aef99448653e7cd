"""What nvcc makes of our kernels: registers, spills, occupancy.

    .venv/bin/python tools/kernel_report.py            writes it into docs/kernels.md
    .venv/bin/python tools/kernel_report.py --check    writes nothing; exits 1 if a
                                                  kernel spills or has a stack

Needs nvcc ($CUDA_HOME or /usr/local/cuda), no GPU; a minute on two cores.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "kernels.md"
BEGIN = "<!-- tools/kernel_report.py begins -->"
END = "<!-- tools/kernel_report.py ends -->"


@dataclasses.dataclass(frozen=True)
class Architecture:
    """Limits of a multiprocessor (CUDA C++ Programming Guide, "Compute
    Capabilities")."""
    name: str
    threads: int
    blocks: int
    shared_bytes: int
    registers: int = 65536


ARCHITECTURES = [
    Architecture("80", 2048, 32, 164 << 10),
    Architecture("89", 1536, 24, 100 << 10),
    Architecture("90", 2048, 32, 228 << 10),
]

# Threads of a block, and bytes of dynamic shared memory by template arguments.
BLOCKS = {
    "AttentionKernel": (256, lambda a: 4 * a[1] * 8 * (32 * a[0] + 2)),
    "ConvertKernel": (128, lambda a: 0),
    "CopyKernel": (256, lambda a: 0),
    "LayerNormKernel": (128, lambda a: 0),
    "LinearFinishKernel": (128, lambda a: 0),
    "LogProbKernel": (128, lambda a: 0),
    "RotaryKernel": (128, lambda a: 0),
    "SampleKernel": (128, lambda a: 8 << 10),
}


@dataclasses.dataclass
class Usage:
    kernel: str
    parameters: str  # Of the template, as written.
    architecture: Architecture
    registers: int
    shared_bytes: int  # Static.
    stack_bytes: int
    spill_bytes: int

    def occupancy(self) -> float:
        """Share of a multiprocessor's threads that can be there at once."""
        threads, shared = BLOCKS[self.kernel]
        numbers = [int(n) for n in re.findall(r"\b(\d+)\b", self.parameters)]
        limits = self.architecture
        # Registers are given out to warps, 256 at a time; a block's shared
        # memory has 1 KiB more than it asked for.
        per_warp = -(-self.registers * 32 // 256) * 256
        warps = limits.registers // per_warp
        bytes_of_block = self.shared_bytes + shared(numbers) + 1024
        blocks = min(warps // (threads // 32), limits.threads // threads,
                     limits.blocks, limits.shared_bytes // bytes_of_block)
        return blocks * threads / limits.threads


def nvcc() -> str | None:
    path = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    path = path / "bin" / "nvcc"
    return str(path) if path.exists() else None


def demangle(name: str) -> tuple[str, str]:
    """Kernel and template arguments."""
    text = subprocess.run(["c++filt", name], capture_output=True, text=True,
                          check=True).stdout
    match = re.search(r"::(\w+Kernel)(?:<(.*?)>)?\(", text)
    if match is None:
        raise ValueError(f"no kernel: {text}")
    parameters = re.sub(r"\((?:unsigned )?int\)", "", match.group(2) or "")
    return match.group(1), parameters


def usages(source: pathlib.Path, architecture: Architecture) -> list[Usage]:
    with tempfile.TemporaryDirectory() as scratch:
        log = subprocess.run(
            [nvcc(), "-c", "-std=c++20", "-O3", "--resource-usage", "-I.",
             "-diag-suppress=2810", "-ccbin=g++",
             f"-gencode=arch=compute_{architecture.name},"
             f"code=sm_{architecture.name}",
             str(source), "-o", f"{scratch}/out.o"],
            cwd=ROOT, capture_output=True, text=True, check=False)
    if log.returncode != 0:
        raise RuntimeError(f"nvcc {source}:\n{log.stderr}")
    found = []
    for entry in (log.stderr + log.stdout).split("Compiling entry function")[1:]:
        def number(pattern: str) -> int:
            match = re.search(pattern, entry)
            return int(match.group(1)) if match else 0
        kernel, parameters = demangle(re.search(r"'(\w+)'", entry).group(1))
        found.append(Usage(kernel, parameters, architecture,
                           number(r"Used (\d+) registers"),
                           number(r"(\d+) bytes smem"),
                           number(r"(\d+) bytes stack frame"),
                           number(r"(\d+) bytes spill stores") +
                           number(r"(\d+) bytes spill loads")))
    return found


def collect(architectures: list[Architecture]) -> list[Usage]:
    sources = sorted((ROOT / "kernels").glob("*_cuda.cu"))
    jobs = [(s, a) for s in sources for a in architectures]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        lists = pool.map(lambda job: usages(*job), jobs)
    found = [usage for some in lists for usage in some]
    found.sort(key=lambda u: (u.kernel, u.parameters, u.architecture.name))
    return found


def table(found: list[Usage]) -> str:
    version = subprocess.run([nvcc(), "--version"], capture_output=True,
                             text=True, check=True).stdout
    release = re.search(r"release ([\d.]+)", version).group(1)
    names = [f"sm_{a.name}" for a in ARCHITECTURES]
    lines = [f"nvcc {release}, `tools/kernel_report.py`. Each cell: registers "
             "of a thread, threads that a multiprocessor holds at once as a "
             "share of its most.", "",
             "| kernel | " + " | ".join(names) + " | stack, spills |",
             "|---|" + "---|" * len(names) + "---|"]
    rows: dict[tuple[str, str], list[Usage]] = {}
    for usage in found:
        rows.setdefault((usage.kernel, usage.parameters), []).append(usage)
    for (kernel, parameters), cells in rows.items():
        name = f"{kernel}<{parameters}>" if parameters else kernel
        texts = [f"{u.registers}, {100 * u.occupancy():.0f}%" for u in cells]
        lost = sum(u.stack_bytes + u.spill_bytes for u in cells)
        lines.append(f"| `{name}` | " + " | ".join(texts) +
                     f" | {'none' if lost == 0 else f'{lost} bytes'} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    if nvcc() is None:
        print("skipped: no nvcc in $CUDA_HOME or /usr/local/cuda")
        return 0
    found = collect(ARCHITECTURES[-1:] if check else ARCHITECTURES)
    spilling = [u for u in found if u.stack_bytes + u.spill_bytes > 0]
    for usage in spilling:
        print(f"{usage.kernel}<{usage.parameters}> on "
              f"sm_{usage.architecture.name}: {usage.stack_bytes} bytes of "
              f"stack, {usage.spill_bytes} of spills")
    print(f"{len(found)} kernels, {len(spilling)} with a stack or spills")
    if not check:
        text = DOCUMENT.read_text()
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table(found)}\n\n{END}{after}")
    return 1 if spilling else 0


if __name__ == "__main__":
    sys.exit(main())
