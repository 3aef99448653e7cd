"""Certificates made by the openssl program, as docs/security.md says."""

import dataclasses
import os
import pathlib
import subprocess

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*args: str, check: bool = True) -> subprocess.CompletedProcess:
    result = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True,
                            errors="replace", timeout=60)
    if check and result.returncode != 0:
        raise RuntimeError(f"{result.args} exited with {result.returncode}:\n"
                           f"{result.stderr}")
    return result


@dataclasses.dataclass
class Certificate:
    """A PEM certificate and its key."""

    certificate: pathlib.Path
    key: pathlib.Path

    def flags(self) -> list[str]:
        return [f"--tls_certificate={self.certificate}",
                f"--tls_key={self.key}"]

    def serial(self) -> str:
        return openssl("x509", "-in", str(self.certificate), "-noout",
                       "-serial").stdout.strip()

    def copy_to(self, other: "Certificate") -> None:
        """Takes the other's place, each file at once."""
        for source, target in ((self.certificate, other.certificate),
                               (self.key, other.key)):
            replace_file(target, source.read_bytes())


def replace_file(path: pathlib.Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(content)
    os.replace(new, path)


class Authority:
    """Somebody whose certificates are trusted."""

    def __init__(self, folder: pathlib.Path, name: str):
        self.folder = folder
        self.name = name
        self.certificate = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        openssl("req", "-x509", *NEW_KEY, "-days", "1",
                "-subj", f"/CN={name}", "-keyout", str(self.key),
                "-out", str(self.certificate))

    def issue(self, name: str) -> Certificate:
        """A certificate for this machine's loopback address."""
        issued = Certificate(self.folder / f"{name}.crt",
                             self.folder / f"{name}.key")
        request = self.folder / f"{name}.csr"
        names = self.folder / f"{name}.ext"
        names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        openssl("req", *NEW_KEY, "-subj", f"/CN={name}",
                "-keyout", str(issued.key), "-out", str(request))
        openssl("x509", "-req", "-in", str(request), "-days", "1",
                "-CA", str(self.certificate), "-CAkey", str(self.key),
                "-CAcreateserial", "-extfile", str(names),
                "-out", str(issued.certificate))
        return issued

    def reissue(self, certificate: Certificate) -> Certificate:
        """A new one in its place."""
        new = self.issue(certificate.certificate.stem + "_reissued")
        new.copy_to(certificate)
        return new


def connect(address: str, *args: str) -> subprocess.CompletedProcess:
    """`openssl s_client`: exits with 0 if both ends are content."""
    return openssl("s_client", "-connect", address, "-alpn", "h2",
                   "-verify_return_error", "-verify_ip", "127.0.0.1",
                   *args, check=False)


def served_serial(address: str, authority: Authority) -> str:
    """Of the certificate that a server shows."""
    shown = connect(address, "-CAfile", str(authority.certificate))
    if shown.returncode != 0:
        raise RuntimeError(shown.stderr)
    return subprocess.run(["openssl", "x509", "-noout", "-serial"],
                          input=shown.stdout, capture_output=True, text=True,
                          check=True, timeout=60).stdout.strip()
