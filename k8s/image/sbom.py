"""The list of an image's software, in CycloneDX 1.5."""

import hashlib
import json
import pathlib
import re
import uuid

import debian
import elf
from contents import Contents

# In the program itself, so that no file shows it: headers without a library.
COMPILED_IN = ["nlohmann-json3-dev"]
DebianFiles = dict[debian.Package, list[pathlib.PurePosixPath]]
NVIDIA_LICENCE = "NVIDIA CUDA Toolkit End User License Agreement"


def _purl(package: debian.Package) -> str:
    version = package.version.replace("+", "%2B").replace(":", "%3A")
    name = package.name.replace("+", "%2B")
    return (f"pkg:deb/debian/{name}@{version}?arch={package.architecture}"
            "&distro=debian-12")


def _licences(expression: str) -> list[dict]:
    return [{"expression": expression}]


def _file(root: pathlib.Path, path: pathlib.PurePosixPath) -> dict:
    digest = hashlib.sha256((root / path).read_bytes()).hexdigest()
    return {"type": "file", "name": f"/{path}",
            "hashes": [{"alg": "SHA-256", "content": digest}]}


def _debian_component(package: debian.Package, files: list[dict]) -> dict:
    component = {
        "type": "library", "bom-ref": _purl(package), "name": package.name,
        "version": package.version, "purl": _purl(package),
        "licenses": _licences(package.licence),
        "supplier": {"name": "Debian"},
        "properties": [{"name": "debian:source", "value": package.source}],
    }
    if package.homepage:
        component["externalReferences"] = [
            {"type": "website", "url": package.homepage}]
    if files:
        component["components"] = files
    return component


def _cuda_version(folder: pathlib.Path) -> str:
    """As cuda_runtime_api.h tells it: thousands are the major version."""
    header = (folder / "include" / "cuda_runtime_api.h").read_text("utf-8")
    number = int(re.search(r"#define CUDART_VERSION\s+(\d+)", header)[1])
    return f"{number // 1000}.{number % 1000 // 10}"


def _nvidia_component(name: str, version: str, files: list[dict]) -> dict:
    component = {
        "type": "library", "bom-ref": f"nvidia:{name}@{version}", "name": name,
        "version": version, "supplier": {"name": "NVIDIA"},
        "licenses": [{"license": {"name": NVIDIA_LICENCE}}],
    }
    if files:
        component["components"] = files
    return component


def _dependencies(contents: Contents, debian_files: DebianFiles,
                  program_ref: str, within: list[str]) -> list[dict]:
    """Who loads whom, package by package."""
    files = {contents.program_path: program_ref}
    for package, paths in debian_files.items():
        files |= {path: _purl(package) for path in paths
                  if path.parts[0] != "etc"}
    refs = {path.name: ref for path, ref in files.items()}
    edges: dict[str, set[str]] = {program_ref: set(within)}
    for path, ref in files.items():
        for name in elf.needed(contents.root / path):
            if refs.get(name, ref) != ref:
                edges.setdefault(ref, set()).add(refs[name])
    return [{"ref": ref, "dependsOn": sorted(on)}
            for ref, on in sorted(edges.items())]


def bill(contents: Contents, debian_files: DebianFiles, version: str,
         cuda_home: pathlib.Path) -> dict:
    """The same for the same contents: no time, and a serial number that is
    made of all the rest."""
    root = contents.root
    program = contents.program_path.name
    program_ref = f"hybridserve:{program}@{version}"
    inside = [_debian_component(package, [])
              for package in debian.packages(COMPILED_IN).values()]
    if elf.holds_cuda(root / contents.program_path):
        inside.append(_nvidia_component(
            "libcudart_static", _cuda_version(cuda_home), []))
    components = [
        _debian_component(package, [_file(root, path) for path in paths])
        for package, paths in debian_files.items()] + inside
    if contents.cublas:
        components.append(_nvidia_component(
            "cublas", _cuda_version(cuda_home),
            [_file(root, path) for path in contents.cublas]))
    made = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": program_ref,
            "name": program, "version": version,
            "licenses": _licences("Apache-2.0"),
            "components": [_file(root, contents.program_path)],
        }},
        "components": components,
        "dependencies": _dependencies(
            contents, debian_files, program_ref,
            [component["bom-ref"] for component in inside]),
    }
    made["serialNumber"] = uuid.uuid5(
        uuid.NAMESPACE_URL, json.dumps(made, sort_keys=True)).urn
    return made
