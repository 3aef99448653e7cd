"""Makes the protocol's modules from proto/ with the protoc of the build.

Usage: generate_stubs.py [--protos=DIR] [--out=DIR]

They are committed, so that installing needs no protoc and any protobuf runtime
from pyproject.toml's range will do: a compiler that was fetched at install time
would ask for the newest one. tests/packaging_test.py compares.

Writes OUT/hybridserve/v1/*_pb2.py, .pyi and *_pb2_grpc.py, and
OUT/hybridserve/_descriptors.py with google.rpc and grpc.health.v1, which have
to stay out of protobuf's default pool (see _details.py).
"""

import argparse
import pathlib
import shutil
import subprocess
import tempfile
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "hybridserve/v1"
SUPPORT = [
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
    "grpc/health/v1/health.proto",
]


def run_protoc(protos: pathlib.Path, *args: str) -> None:
    subprocess.run(["protoc", "--proto_path=.",
                    "--experimental_allow_proto3_optional", *args],
                   cwd=protos, check=True)


def generate_package(protos: pathlib.Path, out: pathlib.Path) -> None:
    """hybridserve.v1: messages with their types, and stubs of the services."""
    plugin = shutil.which("grpc_python_plugin")
    if plugin is None:
        raise FileNotFoundError("grpc_python_plugin is not installed")
    sources = sorted(str(path.relative_to(protos))
                     for path in (protos / PACKAGE).glob("*.proto"))
    run_protoc(protos, f"--python_out={out}", f"--pyi_out={out}", *sources)
    run_protoc(protos, f"--plugin=protoc-gen-grpc={plugin}",
               f"--grpc_out={out}",
               *(source for source in sources if "_service" in source))
    (out / PACKAGE / "__init__.py").write_text(
        '"""The protocol itself: what protoc makes of hybridserve/v1."""\n')


def generate_descriptors(protos: pathlib.Path, out: pathlib.Path) -> None:
    """_descriptors.py: a serialized FileDescriptorSet of SUPPORT."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "descriptors"
        run_protoc(protos, "--include_imports",
                   f"--descriptor_set_out={path}", *SUPPORT)
        content = path.read_bytes()
    lines = textwrap.wrap(content.hex(), 72)
    (out / "hybridserve" / "_descriptors.py").write_text(
        '"""google.rpc and grpc.health.v1 as a FileDescriptorSet.\n\n'
        'Made by generate_stubs.py: do not edit.\n"""\n\n'
        "DESCRIPTORS = bytes.fromhex(\"\"\"\n"
        + "\n".join(lines) + "\n\"\"\")\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protos", type=pathlib.Path,
                        default=HERE.parents[1] / "proto")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "src")
    args = parser.parse_args()
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    generate_package(args.protos.resolve(), out)
    generate_descriptors(args.protos.resolve(), out)


if __name__ == "__main__":
    main()
