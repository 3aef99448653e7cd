"""Live servers for the tests of clients in other languages.

They are named in the environment, as HYBRIDSERVE_TEST_...:

  SERVER         serves models/demo, in the clear
  SLOW_SERVER    the same, slowly: runs one request and lets one wait
  LATE_SERVER    starts when somebody has tried to connect to it
  SECURE_SERVER  the same as SERVER, by TLS; wants a certificate and an API key
  SECRETS        a folder of what SECURE_SERVER takes: servers.crt, client.crt,
                 client.key, alice.txt; and of what it does not: stranger.crt,
                 stranger.key
  CLIENT         the program `hybridserve`
"""

import contextlib
import pathlib
import socket
import tempfile
import threading

from tests.e2e.certificates import Authority
from tests.e2e.processes import Cluster, Process, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = [f"--model_dir={ROOT / 'models' / 'demo'}", "--model_name=demo"]
# A step takes about a second.
SLOW = ["--device_memory=min", "--link_bandwidth=15MB"]


class LateServer:
    """A server at an address where nobody listens yet.

    The first to connect is hung up on; then the server starts.
    """

    def __init__(self, programs: Programs):
        self.programs = programs
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.processes: list[Process] = []
        self.thread = threading.Thread(target=self._start, daemon=True)
        self.thread.start()

    def _start(self) -> None:
        with self.socket:
            try:
                caller, _ = self.socket.accept()
            except OSError:  # Closed: nobody came.
                return
            caller.close()
        self.processes.append(Process(
            [self.programs.scheduler, f"--listen={self.address}"]))
        self.processes.append(Process(
            [self.programs.worker, f"--scheduler={self.address}", *MODEL]))

    def close(self) -> None:
        # Wakes accept(), which close() does not.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for process in self.processes:
            process.__exit__()


class Servers:
    """All of them. `environment` is what a test is told."""

    def __init__(self, programs_root: str):
        programs = Programs(programs_root)
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(
                stack.enter_context(tempfile.TemporaryDirectory()))
            plain = stack.enter_context(Cluster(programs, [MODEL]))
            slow = stack.enter_context(Cluster(
                programs, [[*MODEL, *SLOW]],
                ["--max_running=1", "--max_queue_requests=1"]))
            secure = stack.enter_context(secure_cluster(programs, folder))
            late = stack.enter_context(
                contextlib.closing(LateServer(programs)))
            self._stack = stack.pop_all()
        named = {
            "SERVER": plain.address,
            "SLOW_SERVER": slow.address,
            "LATE_SERVER": late.address,
            "SECURE_SERVER": secure.address,
            "SECRETS": str(folder),
            "CLIENT": str(pathlib.Path(programs.client).absolute()),
        }
        self.address = plain.address
        self.environment = {f"HYBRIDSERVE_TEST_{name}": value
                            for name, value in named.items()}

    def close(self) -> None:
        self._stack.close()


def secure_cluster(programs: Programs, folder: pathlib.Path) -> Cluster:
    servers = Authority(folder, "servers")
    clients = Authority(folder, "clients")
    clients.issue("client")
    Authority(folder, "strangers").issue("stranger")
    (folder / "keys").write_text("worker-key roles=worker\n"
                                 "alice-key tenant=alice roles=inference\n")
    for name in ("worker", "alice"):
        (folder / f"{name}.txt").write_text(f"{name}-key\n")
    return Cluster(
        programs,
        [[*MODEL, f"--tls_ca={servers.certificate}",
          *clients.issue("worker").flags(),
          f"--api_key_file={folder / 'worker.txt'}"]],
        [*servers.issue("server").flags(), f"--tls_ca={clients.certificate}",
         f"--api_keys={folder / 'keys'}"])
