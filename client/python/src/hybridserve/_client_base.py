"""What the clients for threads and for asyncio have in common."""

from __future__ import annotations

import threading
from typing import (Any, Callable, Optional, Sequence, Tuple, TypeVar,
                    cast)

from hybridserve._connection import Connection, Identity, Path
from hybridserve._services import Services
from hybridserve.errors import HybridServeError
from hybridserve.options import CallOptions, ModelOptions, RequestOptions
from hybridserve.retry import Attempts, RetryPolicy

Options = TypeVar("Options", bound=ModelOptions)


class ClientBase:
    """Arguments, and what is made of them without a call.

    Args:
        address: HOST:PORT of the scheduler, or what gRPC resolves.
        tls_ca: file with the authorities that the server's certificate must
            come from. Without it the connection is in the clear.
        tls_certificate: file with the client's own, for a server that asks.
        tls_key: file with its key.
        insecure: allows a connection in the clear to another machine. To this
            one (loopback, unix:) it is allowed anyhow.
        api_key: shown with every call.
        api_key_file: file whose first line is the key; read again when it
            changes. Certificates are read once: make another client.
        tenant, model, timeout: of calls that don't say.
        retry: see RetryPolicy. NO_RETRY sends every call once.
        channel_options: gRPC's own, over those of this package.

    Raises:
        ValueError: naming the argument.
    """

    def __init__(self, address: str, *, tls_ca: Optional[Path] = None,
                 tls_certificate: Optional[Path] = None,
                 tls_key: Optional[Path] = None, insecure: bool = False,
                 api_key: Optional[str] = None,
                 api_key_file: Optional[Path] = None,
                 tenant: Optional[str] = None, model: Optional[str] = None,
                 timeout: Optional[float] = None,
                 retry: RetryPolicy = RetryPolicy(),
                 channel_options: Sequence[Tuple[str, Any]] = ()):
        self._closed = True  # Until all arguments are known to be good.
        self.connection = Connection(
            address, tls_ca, tls_certificate, tls_key, insecure, api_key,
            api_key_file, channel_options)
        self.retry = retry
        self._model = model
        self._timeout = timeout
        self._credentials = self.connection.credentials()
        self._identity = Identity(self.connection, tenant)
        self._lock = threading.Lock()
        self._channel: Optional[Any] = None
        self._made: Optional[Services] = None
        self._closed = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.connection.address!r})"

    def _make_channel(self) -> Any:
        raise NotImplementedError

    def _check_open(self) -> None:
        if self._closed:
            raise HybridServeError("the client is closed")

    def _services(self) -> Services:
        with self._lock:
            self._check_open()
            if self._made is None:
                self._channel = self._make_channel()
                self._made = Services(self._channel)
            return self._made

    def _take_channel(self) -> Optional[Any]:
        """For the one who closes it."""
        with self._lock:
            self._closed = True
            channel, self._channel, self._made = self._channel, None, None
            return channel

    def _with_model(self, options: Options) -> Options:
        """The options with the client's model, where they name none."""
        if options.get("model") is None and self._model is not None:
            return cast(Options, {**options, "model": self._model})
        return options

    def _attempts(self, options: CallOptions,
                  policy: Optional[RetryPolicy] = None,
                  give_up: Callable[[], bool] = lambda: False) -> Attempts:
        timeout = options.get("timeout", self._timeout)
        if timeout is not None and (isinstance(timeout, bool)
                                    or not hasattr(timeout, "__float__")):
            raise TypeError("timeout: must be seconds or None, not "
                            f"{type(timeout).__name__}")
        return Attempts(self.retry if policy is None else policy, timeout,
                        named=bool(cast(RequestOptions, options)
                                   .get("request_id")),
                        give_up=give_up)
