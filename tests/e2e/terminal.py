"""A shell on a terminal of its own, for what only happens when one types."""

import os
import pty
import re
import select
import subprocess
import time

CONTROL = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[=>()].?|[\x00\x07\x0f]")


class Terminal:
    """Runs `command` on a new terminal, wide enough that lines don't wrap."""

    def __init__(self, command: list[str], env: dict[str, str]):
        self._fd, inside = pty.openpty()
        env = {"PATH": os.environ["PATH"], "TERM": "dumb", "COLUMNS": "300",
               "LINES": "60", **env}
        self._process = subprocess.Popen(
            command, stdin=inside, stdout=inside, stderr=inside, env=env,
            start_new_session=True)
        os.close(inside)
        self._seen = b""

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def wait_for(self, word: str, seconds: float = 60) -> str:
        """What came since the last wait up to `word`, and forgets it."""
        deadline = time.monotonic() + seconds
        while word.encode() not in self._seen:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._fd], [], [], left)[0]:
                raise TimeoutError(f"no {word!r} in {self._seen!r}")
            try:
                read = os.read(self._fd, 65536)
            except OSError:  # The shell ended.
                raise TimeoutError(f"no {word!r} in {self._seen!r}") from None
            self._seen = CONTROL.sub(b"", self._seen + read)
        before, _, self._seen = self._seen.partition(word.encode())
        return before.decode(errors="replace") + word

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._process.kill()
        self._process.wait()
        os.close(self._fd)
