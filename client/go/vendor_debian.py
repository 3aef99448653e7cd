#!/usr/bin/python3
"""Makes the vendor folder of a Go module from Debian's packages.

For building where no module proxy can be reached: golang-google-grpc-dev and
what it depends on hold the sources. What `go mod vendor` does elsewhere.

Usage: vendor_debian.py MODULE_DIR
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

DEBIAN = pathlib.Path("/usr/share/gocode")


def go(*args: str, cwd: pathlib.Path, **env: str) -> str:
    done = subprocess.run(["go", *args], cwd=cwd, env={**os.environ, **env},
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"go {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout


def go_mod(folder: pathlib.Path) -> dict:
    return json.loads(go("mod", "edit", "-json", cwd=folder, GOFLAGS=""))


def packages_of(module: str, sources: dict[str, pathlib.Path]
                ) -> dict[str, pathlib.Path]:
    """Import path and folder of each package that the module's packages and
    their tests need, from other modules."""
    with tempfile.TemporaryDirectory() as workspace:
        source = pathlib.Path(workspace, "src")
        for path, folder in sources.items():
            shutil.copytree(folder, source / path, copy_function=shutil.copy,
                            ignore=shutil.ignore_patterns("vendor"))
        listed = go("list", "-deps", "-test", "-json=ImportPath,Dir,ForTest,Standard",
                    "./...", cwd=source / module, GO111MODULE="off",
                    GOFLAGS="", GOPATH=f"{workspace}:{DEBIAN}")
        found = {}
        decoder = json.JSONDecoder()
        while listed := listed.strip():
            package, end = decoder.raw_decode(listed)
            listed = listed[end:]
            path = package["ImportPath"].split(" ")[0].removesuffix(".test")
            tested = package.get("ForTest", module)
            if (package.get("Standard") or within(path, module)
                    or path == f"{tested}_test"):
                continue
            found[path] = pathlib.Path(package["Dir"])
            for replaced, folder in sources.items():
                if within(path, replaced):
                    found[path] = folder / os.path.relpath(path, replaced)
        return found


def within(path: str, module: str) -> bool:
    return path == module or path.startswith(module + "/")


def vendor(folder: pathlib.Path) -> None:
    described = go_mod(folder)
    module = described["Module"]["Path"]
    replaced = {entry["Old"]["Path"]: entry["New"]["Path"]
                for entry in described.get("Replace") or []}
    sources = {module: folder, **{
        path: (folder / to).resolve() for path, to in replaced.items()}}
    packages = packages_of(module, sources)

    target = folder / "vendor"
    shutil.rmtree(target, ignore_errors=True)
    lines = []
    for required in described.get("Require") or []:
        path = required["Path"]
        source = sources.get(path, DEBIAN / "src" / path)
        arrow = f" => {replaced[path]}" if path in replaced else ""
        version = (go_mod(source).get("Go", "1.11")
                   if (source / "go.mod").exists() else "1.11")
        lines += [f"# {path} {required['Version']}{arrow}",
                  f"## explicit; go {version}"]
        for package in sorted(p for p in packages if within(p, path)):
            lines.append(package)
            copy_package(packages.pop(package), target / package)
    if packages:
        raise RuntimeError(f"{folder / 'go.mod'} does not require what has "
                           f"{', '.join(sorted(packages))}")
    lines += [f"# {path} => {to}" for path, to in replaced.items()]
    (target / "modules.txt").write_text("\n".join(lines) + "\n")


def copy_package(source: pathlib.Path, target: pathlib.Path) -> None:
    target.mkdir(parents=True)
    for file in source.iterdir():
        if file.is_file() and not file.name.endswith("_test.go"):
            shutil.copy(file, target)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[-1])
    try:
        vendor(pathlib.Path(sys.argv[1]).resolve())
    except (OSError, RuntimeError) as error:
        sys.exit(f"vendor_debian: {error}")
