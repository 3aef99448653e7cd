"""What tests of certificates and keys share."""

import pathlib
import time
import unittest

import grpc

from tests.e2e.certificates import Authority, Certificate
from tests.e2e.processes import Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
WORKER = [f"--model_dir={MODEL}", "--device_memory=min", "--dtype=float32"]
# Files are looked at once a second; the machine may be busy.
SOON_SECONDS = 60


def credentials(authority: Authority,
                own: Certificate | None = None) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        authority.certificate.read_bytes(),
        own.key.read_bytes() if own else None,
        own.certificate.read_bytes() if own else None)


class SecurityCase(unittest.TestCase):
    """Give `programs` before the tests run."""

    programs: Programs

    def assert_soon(self, condition, what: str) -> None:
        deadline = time.monotonic() + SOON_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.2)

    def code_of(self, call) -> grpc.StatusCode:
        try:
            call()
        except grpc.RpcError as error:
            self.last_error = error
            return error.code()
        return grpc.StatusCode.OK
