"""google.rpc and grpc.health.v1, in a descriptor pool of their own.

Other packages (googleapis-common-protos, grpcio-health-checking) bring messages
of the same names, and a pool takes a name from one file only: in the default
pool whichever came second would fail to import.
"""

from __future__ import annotations

from typing import Any, Iterator, Optional, Tuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from hybridserve._descriptors import DESCRIPTORS

DETAILS_KEY = "grpc-status-details-bin"


def _make_pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _make_pool()


def message_class(name: str) -> Any:
    """The class of a message by its full name."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


_Status = message_class("google.rpc.Status")
_DETAILS = {
    name: message_class(f"google.rpc.{name}")
    for name in ("BadRequest", "ErrorInfo", "QuotaFailure", "ResourceInfo",
                 "RetryInfo")
}
HealthCheckRequest = message_class("grpc.health.v1.HealthCheckRequest")
HealthCheckResponse = message_class("grpc.health.v1.HealthCheckResponse")


def unpack(serialized: bytes) -> Iterator[Tuple[str, Any]]:
    """The known details of a google.rpc.Status: (message's name, message).

    Bytes that are no Status have none: an error must not hide another.
    """
    try:
        details = _Status.FromString(serialized).details
        for packed in details:
            name = packed.type_url.rpartition(".")[2]
            if name in _DETAILS:
                yield name, _DETAILS[name].FromString(packed.value)
    except ValueError:  # DecodeError is one.
        return


def retry_delay_seconds(retry_info: Any) -> Optional[float]:
    """What a RetryInfo says, if anything."""
    if not retry_info.HasField("retry_delay"):
        return None
    delay = retry_info.retry_delay
    return max(0.0, float(delay.seconds) + float(delay.nanos) / 1e9)
