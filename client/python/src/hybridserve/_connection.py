"""Where a server is, how to trust it and what to show to it."""

from __future__ import annotations

import dataclasses
import ipaddress
import logging
import os
import ssl
import threading
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import grpc

from hybridserve._version import __version__
from hybridserve.errors import invalid_argument
from hybridserve.options import CallOptions

Path = Union[str, "os.PathLike[str]"]
Metadata = Tuple[Tuple[str, str], ...]

_MAX_MESSAGE_BYTES = 64 << 20
_CHANNEL_OPTIONS: List[Tuple[str, Any]] = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    # A streamed step can take seconds: notice a dead server in between.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Each client has a connection of its own, not one that is in the long wait
    # after another client's failures.
    ("grpc.use_local_subchannel_pool", 1),
    # RetryPolicy alone decides: what gRPC repeated by a service config, be it
    # published in DNS or given as an option, would multiply its attempts.
    ("grpc.enable_retries", 0),
    ("grpc.service_config_disable_resolution", 1),
    # While gRPC waits to connect again each attempt fails at once.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.primary_user_agent", f"hybridserve-python/{__version__}"),
]
_log = logging.getLogger("hybridserve")


@dataclasses.dataclass(frozen=True)
class Connection:
    """The arguments of a client that concern its connection."""

    # HOST:PORT, or what gRPC resolves.
    address: str
    # The server's certificate must come from these; without it the connection
    # is in the clear, which `insecure` must allow but to this machine itself.
    tls_ca: Optional[Path] = None
    # Its own, for a server that asks (mTLS).
    tls_certificate: Optional[Path] = None
    tls_key: Optional[Path] = None
    insecure: bool = False
    # The key itself, or a file whose first line it is, which is read again when
    # it changes.
    api_key: Optional[str] = dataclasses.field(default=None, repr=False)
    api_key_file: Optional[Path] = None
    channel_options: Sequence[Tuple[str, Any]] = ()

    def credentials(self) -> Optional[grpc.ChannelCredentials]:
        """None: in the clear. ValueError naming the argument that is bad."""
        if not isinstance(self.address, str) or ":" not in self.address:
            raise ValueError(f"address: {self.address!r} is not HOST:PORT")
        if (self.tls_certificate is None) != (self.tls_key is None):
            missing = "tls_key" if self.tls_key is None else "tls_certificate"
            raise ValueError(f"{missing}: is missing beside its other half")
        if self.tls_ca is None:
            self._check_clear()
            return None
        if self.insecure:
            raise ValueError("insecure: contradicts tls_ca")
        contents = {name: _read(name, getattr(self, name))
                    for name in ("tls_ca", "tls_certificate", "tls_key")}
        _check_certificates(self)
        return grpc.ssl_channel_credentials(
            contents["tls_ca"], contents["tls_key"],
            contents["tls_certificate"])

    def _check_clear(self) -> None:
        if self.tls_certificate is not None:
            raise ValueError("tls_ca: is missing beside tls_certificate")
        if stays_on_this_machine(self.address):
            return
        if not self.insecure:
            raise ValueError(
                f"tls_ca: is missing to reach {self.address}; or give "
                "insecure=True if the network is trusted")
        if self.api_key is not None or self.api_key_file is not None:
            _log.warning("the API key goes to %s in the clear, for everybody "
                         "on the way to read; give tls_ca", self.address)

    def options(self) -> List[Tuple[str, Any]]:
        """Of the channel; those that the caller gave win."""
        merged: Dict[str, Any] = dict(_CHANNEL_OPTIONS)
        merged.update(self.channel_options)
        return list(merged.items())


def stays_on_this_machine(address: str) -> bool:
    """Whether nobody on a network can listen to it."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    scheme, separator, rest = address.partition(":")
    if separator and scheme in ("dns", "ipv4", "ipv6"):
        address = rest.rpartition("/")[2]
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _read(name: str, path: Optional[Path]) -> Optional[bytes]:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ValueError(f"{name}: {os.fspath(path)}: "
                         f"{error.strerror}") from None


def _check_certificates(connection: Connection) -> None:
    """gRPC would find bad files only when it dials, and not say which."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert connection.tls_ca is not None
    try:
        context.load_verify_locations(os.fspath(connection.tls_ca))
    except ssl.SSLError:
        raise ValueError(f"tls_ca: {os.fspath(connection.tls_ca)}: holds no "
                         "PEM certificates") from None
    if connection.tls_certificate is None or connection.tls_key is None:
        return
    certificate = os.fspath(connection.tls_certificate)
    try:
        context.load_cert_chain(certificate, os.fspath(connection.tls_key),
                                password="")
    except ssl.SSLError as error:
        raise ValueError(
            f"tls_certificate, tls_key: {certificate}: "
            f"{error.reason or 'not a PEM certificate and its key'}"
        ) from None


class Identity:
    """Metadata of calls: key, tenant, trace. Thread-safe."""

    def __init__(self, connection: Connection, tenant: Optional[str]):
        if connection.api_key is not None and (
                connection.api_key_file is not None):
            raise ValueError("api_key_file: contradicts api_key")
        self._tenant = tenant
        self._path = connection.api_key_file
        self._lock = threading.Lock()
        self._stamp: Optional[Tuple[int, int, int]] = None
        self._key: Optional[str] = None
        if connection.api_key is not None:
            self._key = _checked_key("api_key", connection.api_key)
        self._refresh()

    def metadata(self, options: CallOptions) -> Metadata:
        """Of one call. InvalidArgumentError for what metadata can't hold."""
        self._refresh()
        found: List[Tuple[str, str]] = []
        with self._lock:
            if self._key is not None:
                found.append(("authorization", f"Bearer {self._key}"))
        tenant = options.get("tenant", self._tenant)
        if tenant is not None:
            found.append(("x-hybridserve-tenant", _printable("tenant", tenant)))
        trace = options.get("traceparent")
        if trace is not None:
            found.append(("traceparent", _printable("traceparent", trace)))
        return tuple(found)

    def _refresh(self) -> None:
        """Reads a changed file again; a bad one then changes nothing."""
        if self._path is None:
            return
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp == self._stamp:
                return
            content = _read("api_key_file", self._path) or b""
            line = content.decode("ascii", "replace").split("\n")[0].strip()
            key = _checked_key("api_key_file", line)
        except (OSError, ValueError) as error:
            if self._stamp is not None:
                _log.error("%s; the key that was read before stays", error)
                return
            if isinstance(error, OSError):
                raise ValueError(f"api_key_file: {os.fspath(self._path)}: "
                                 f"{error.strerror}") from None
            raise
        with self._lock:
            self._stamp, self._key = stamp, key


def _is_printable_ascii(text: str) -> bool:
    return all(" " <= character <= "~" for character in text)


def _checked_key(name: str, key: str) -> str:
    """Never quotes it."""
    if not key or " " in key or not _is_printable_ascii(key):
        raise ValueError(f"{name}: holds no key: printable ASCII without "
                         "spaces")
    return key


def _printable(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}: must be a string, not "
                        f"{type(value).__name__}")
    if not _is_printable_ascii(value):
        raise invalid_argument(name, "must be printable ASCII")
    return value
