"""The program hybridserve-openai in front of a cluster, and HTTP without the
niceties of a package."""

import http.client
import json
import socket

from tests.e2e.processes import Cluster, Process, Programs


class OpenAiGateway:
    """A gateway process, ready."""

    def __init__(self, programs: Programs, cluster: Cluster, *flags: str):
        self.process = Process([
            programs.openai_gateway, "--listen=127.0.0.1:0",
            f"--server={cluster.address}", *flags])
        try:
            self.address = self.process.wait_for_line(
                r"listening (.+:\d+)").group(1)
            self.process.wait_for_line("ready")
        except BaseException:
            self.__exit__()
            raise

    @property
    def url(self) -> str:
        return f"http://{self.address}/v1"

    def metrics_address(self) -> str:
        """Where --metrics_listen had it serve them."""
        return next(line.split()[1] for line in self.process.lines
                    if line.startswith("metrics "))

    def connect(self) -> socket.socket:
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=60)

    def raw(self, data: bytes) -> tuple[int, bytes]:
        """Status and body of the reply to bytes sent as they are."""
        with self.connect() as sock:
            sock.sendall(data)
            response = http.client.HTTPResponse(sock)
            response.begin()
            return response.status, response.read()

    def request(self, method: str, path: str, body=None,
                headers: dict[str, str] | None = None):
        """The response, read, and its body parsed; bytes are sent as given."""
        connection = http.client.HTTPConnection(self.address, timeout=120)
        try:
            data = (body if body is None or isinstance(body, bytes)
                    else json.dumps(body).encode())
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return response, json.loads(text) if text else None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.__exit__()
