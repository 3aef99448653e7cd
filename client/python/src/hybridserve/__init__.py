"""Client of HybridServe, which serves language models larger than the device.

    from hybridserve import Client

    with Client("localhost:50051") as client:
        print(client.generate("In the beginning", max_tokens=32).text)

`AsyncClient` is the same for asyncio. `hybridserve.batch` sends many prompts,
`hybridserve.ray` does on a Ray cluster, and `hybridserve.v1` is the protocol
itself.
"""

from hybridserve._version import __version__
from hybridserve.async_client import AsyncClient, AsyncStream
from hybridserve.client import Client, Stream
from hybridserve.errors import (
    AbortedError, AlreadyExistsError, CallCancelledError,
    DeadlineExceededError, FieldViolation, HybridServeError, InternalError,
    InvalidArgumentError, NotFoundError, PermissionDeniedError, QuotaViolation,
    Resource, ResourceExhaustedError, Status, StatusError, UnauthenticatedError,
    UnavailableError, UnimplementedError)
from hybridserve.options import (CallOptions, GenerateOptions, ModelOptions,
                                 RequestOptions)
from hybridserve.results import (Accepted, Finished, FinishReason, Generation,
                                 HealthStatus, Resumed, Score, StreamEvent,
                                 TokenOutput, TopToken, Usage)
from hybridserve.retry import NO_RETRY, RetryPolicy

__all__ = [
    "NO_RETRY", "AbortedError", "Accepted", "AlreadyExistsError",
    "AsyncClient", "AsyncStream", "CallCancelledError", "CallOptions",
    "Client", "DeadlineExceededError", "FieldViolation", "FinishReason",
    "Finished", "GenerateOptions", "Generation", "HealthStatus",
    "HybridServeError", "InternalError", "InvalidArgumentError",
    "ModelOptions", "NotFoundError", "PermissionDeniedError",
    "QuotaViolation", "RequestOptions", "Resource",
    "ResourceExhaustedError", "Resumed", "RetryPolicy", "Score", "Status",
    "StatusError", "Stream", "StreamEvent", "TokenOutput",
    "UnauthenticatedError", "UnavailableError", "UnimplementedError",
    "TopToken", "Usage", "__version__",
]
