"""A client made from the .proto files alone, as any user would make one."""

import importlib
import pathlib
import sys
import tempfile

import grpc
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]


def generate() -> None:
    """Makes Python modules of proto/ and puts them on the path."""
    out = tempfile.mkdtemp()
    protos = sorted(
        str(path.relative_to(ROOT / "proto"))
        for folder in ("hybridserve/v1", "google/rpc")
        for path in (ROOT / "proto" / folder).glob("*.proto"))
    code = protoc.main(["protoc", f"--proto_path={ROOT / 'proto'}",
                        f"--python_out={out}", f"--grpc_python_out={out}",
                        *protos])
    if code != 0:
        raise RuntimeError(f"protoc exited with {code}")
    sys.path.insert(0, out)


generate()
generation = importlib.import_module("hybridserve.v1.generation_pb2")
inference = importlib.import_module("hybridserve.v1.inference_service_pb2")
inference_grpc = importlib.import_module(
    "hybridserve.v1.inference_service_pb2_grpc")
model = importlib.import_module("hybridserve.v1.model_service_pb2")
model_grpc = importlib.import_module("hybridserve.v1.model_service_pb2_grpc")
control = importlib.import_module("hybridserve.v1.control_service_pb2")
control_grpc = importlib.import_module(
    "hybridserve.v1.control_service_pb2_grpc")
status = importlib.import_module("google.rpc.status_pb2")
error_details = importlib.import_module("google.rpc.error_details_pb2")


class Client:
    """In the clear, or with what the credentials say."""

    def __init__(self, address: str,
                 credentials: grpc.ChannelCredentials | None = None):
        self.channel = (
            grpc.insecure_channel(address) if credentials is None
            else grpc.secure_channel(address, credentials))
        self.inference = inference_grpc.InferenceServiceStub(self.channel)
        self.models = model_grpc.ModelServiceStub(self.channel)
        self.control = control_grpc.ControlServiceStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.channel.close()


def request(cls, prompt: str | None = None, token_ids: list[int] | None = None,
            max_tokens: int | None = None, **fields):
    """A Generate or GenerateStream request."""
    message = cls(**fields)
    if prompt is not None:
        message.prompt = prompt
    if token_ids is not None:
        message.token_ids.ids.extend(token_ids)
    if max_tokens is not None:
        message.stopping.max_tokens = max_tokens
    return message


def details(error: grpc.RpcError, kind) -> list:
    """The google.rpc details of that message type."""
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            found = []
            for packed in status.Status.FromString(value).details:
                message = kind()
                if packed.Unpack(message):
                    found.append(message)
            return found
    return []
