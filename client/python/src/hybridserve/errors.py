"""What calls raise: a class for each status code, with what the server says."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple, Type

import grpc

from hybridserve import _details

REQUEST_ID_KEY = "x-request-id"


class HybridServeError(Exception):
    """Everything that this package raises of its own."""


@dataclasses.dataclass(frozen=True)
class FieldViolation:
    """A field that is bad, by its path in the request."""

    field: str
    description: str


@dataclasses.dataclass(frozen=True)
class QuotaViolation:
    """A limit that was reached, such as "queue_requests"."""

    subject: str
    description: str


@dataclasses.dataclass(frozen=True)
class Resource:
    """What does not exist, or exists already: a "model" or a "request"."""

    type: str
    name: str


@dataclasses.dataclass(frozen=True)
class Status:
    """How a call ended, with the details that came along."""

    code: grpc.StatusCode
    message: str
    # Empty where the call did not reach the server.
    request_id: str = ""
    field_violations: Tuple[FieldViolation, ...] = ()
    quota_violations: Tuple[QuotaViolation, ...] = ()
    # Seconds before the same call is worth repeating, if the server said so.
    retry_delay: Optional[float] = None
    resource: Optional[Resource] = None
    # ErrorInfo's, such as "WORKER_LOST".
    reason: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        text = f"{self.code.name}: {self.message}"
        if self.request_id:
            text += f" (request {self.request_id})"
        return text


class StatusError(HybridServeError):
    """A call that ended with an error status."""

    def __init__(self, status: Status):
        super().__init__(status)
        self.status = status
        # How often the call was sent.
        self.attempts = 1

    @property
    def code(self) -> grpc.StatusCode:
        return self.status.code

    @property
    def message(self) -> str:
        return self.status.message

    @property
    def request_id(self) -> str:
        return self.status.request_id

    @property
    def field_violations(self) -> Tuple[FieldViolation, ...]:
        return self.status.field_violations

    @property
    def fields(self) -> Tuple[str, ...]:
        """The names of the bad fields."""
        return tuple(each.field for each in self.status.field_violations)

    @property
    def retry_delay(self) -> Optional[float]:
        return self.status.retry_delay

    def __str__(self) -> str:
        if self.attempts > 1:
            return f"{self.status} after {self.attempts} attempts"
        return str(self.status)


class InvalidArgumentError(StatusError, ValueError):
    """A field is bad: see field_violations."""


class NotFoundError(StatusError):
    """There is no such model or request."""


class AlreadyExistsError(StatusError):
    """A request of that id runs or waits."""


class UnauthenticatedError(StatusError):
    """The server wants an API key that it knows."""


class PermissionDeniedError(StatusError):
    """The API key is not for this method, or not for this tenant."""


class ResourceExhaustedError(StatusError):
    """The queue is full (see retry_delay), or a message is too large."""


class UnavailableError(StatusError):
    """No server there, no worker for the model, or the server is draining."""


class DeadlineExceededError(StatusError, TimeoutError):
    """The timeout passed, all attempts together."""


class CallCancelledError(StatusError):
    """The call was cancelled, not by its asyncio task."""


class AbortedError(StatusError):
    """The worker was lost and none took over."""


class UnimplementedError(StatusError):
    """The server does not know the method: it is older than this package."""


class InternalError(StatusError):
    """The worker's device failed, or the connection is broken."""


_CLASSES: Dict[grpc.StatusCode, Type[StatusError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.CANCELLED: CallCancelledError,
    grpc.StatusCode.ABORTED: AbortedError,
    grpc.StatusCode.UNIMPLEMENTED: UnimplementedError,
    grpc.StatusCode.INTERNAL: InternalError,
}


def make_error(status: Status) -> StatusError:
    """Of the class for the status's code; StatusError itself for rare ones."""
    return _CLASSES.get(status.code, StatusError)(status)


def invalid_argument(field: str, description: str) -> InvalidArgumentError:
    """As the server's, for what the protocol can't even carry to it."""
    return InvalidArgumentError(Status(
        grpc.StatusCode.INVALID_ARGUMENT, f"{field}: {description}",
        field_violations=(FieldViolation(field, description),)))


def deadline_exceeded(message: str) -> DeadlineExceededError:
    return DeadlineExceededError(
        Status(grpc.StatusCode.DEADLINE_EXCEEDED, message))


def from_rpc(error: Any) -> StatusError:
    """Of a grpc.RpcError from either API, sync or asyncio."""
    trailing = list(error.trailing_metadata() or ())
    metadata = list(error.initial_metadata() or ()) + trailing
    fields = _details_of(metadata)
    return make_error(Status(
        code=error.code(), message=error.details() or "",
        request_id=_text(_value(metadata, REQUEST_ID_KEY)), **fields))


def _value(metadata: Iterable[Tuple[str, Any]], key: str) -> Any:
    return next((value for name, value in metadata if name == key), b"")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)


def _details_of(metadata: Iterable[Tuple[str, Any]]) -> Dict[str, Any]:
    """Fields of Status from the google.rpc messages in the metadata."""
    fields: Dict[str, Any] = {}
    serialized = _value(metadata, _details.DETAILS_KEY)
    for name, detail in _details.unpack(serialized):
        if name == "BadRequest":
            fields["field_violations"] = tuple(
                FieldViolation(each.field, each.description)
                for each in detail.field_violations)
        elif name == "QuotaFailure":
            fields["quota_violations"] = tuple(
                QuotaViolation(each.subject, each.description)
                for each in detail.violations)
        elif name == "RetryInfo":
            fields["retry_delay"] = _details.retry_delay_seconds(detail)
        elif name == "ResourceInfo":
            fields["resource"] = Resource(detail.resource_type,
                                          detail.resource_name)
        elif name == "ErrorInfo":
            fields["reason"] = detail.reason
            fields["metadata"] = dict(detail.metadata)
    return fields
