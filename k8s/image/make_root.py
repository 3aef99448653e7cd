#!/usr/bin/python3
"""Fills a folder with what the image of one program holds.

Usage: make_root.py PROGRAM BINARY OUT [--cublas]

PROGRAM is scheduler, worker, client or openai. --cublas adds a worker's library for
GPUs, from $CUDA_HOME (/usr/local/cuda). Run on Debian 12, on the machine that
built BINARY.
"""

import argparse
import json
import os
import pathlib
import re

import elf
import sbom
from contents import HOME, Contents

ROOT = pathlib.Path(__file__).resolve().parents[2]
SBOM = HOME / "sbom.cdx.json"


def version_of(program: pathlib.Path) -> str:
    shown = elf.run(str(program), "--version")
    return re.search(r" (\d+\.\d+\.\d+)", shown)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "program", choices=["scheduler", "worker", "client", "openai"])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--cublas", action="store_true")
    args = parser.parse_args()
    if args.cublas and args.program != "worker":
        parser.error("--cublas: only a worker uses it")
    cuda_home = pathlib.Path(os.environ.get("CUDA_HOME") or "/usr/local/cuda")

    args.out.mkdir(parents=True, exist_ok=True)
    if any(args.out.iterdir()):
        parser.error(f"OUT: {args.out} is not empty")
    contents = Contents(args.out, args.binary)
    if args.program != "client":  # Pods run these; they have preStop hooks.
        contents.add_sleep()
    if args.program == "worker":
        contents.add_folder(ROOT / "models" / "demo", HOME / "models" / "demo")
    if args.cublas:
        contents.add_cublas(cuda_home / "lib64")
    debian_files = contents.debian_files()
    contents.add_copyright_files(debian_files)
    for name in ("LICENSE", "THIRD_PARTY_NOTICES.md"):
        contents.add_file(ROOT / name, HOME / name)
    made = sbom.bill(contents, debian_files, version_of(args.binary),
                     cuda_home)
    file = args.out / SBOM
    file.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    file.chmod(0o644)


if __name__ == "__main__":
    main()
