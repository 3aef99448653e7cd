"""A Prometheus of the tests' own: scrapes live programs, evaluates rules."""

import json
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

START_SECONDS = 60
INTERVAL = "1s"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Prometheus:
    """Scrapes each (address, labels) every second; one label is "job"."""

    def __init__(self, rules: pathlib.Path,
                 targets: list[tuple[str, dict[str, str]]]):
        self._folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._folder.name)
        config = {
            "global": {"scrape_interval": INTERVAL, "scrape_timeout": INTERVAL,
                       "evaluation_interval": INTERVAL},
            "rule_files": [str(rules)],
            "scrape_configs": [{
                "job_name": labels["job"],
                "static_configs": [{"targets": [address], "labels": labels}],
            } for address, labels in targets],
        }
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        self._address = f"127.0.0.1:{free_port()}"
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yaml'}",
             f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={self._address}"],
            stdout=self._log, stderr=self._log)
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise

    def query(self, expr: str) -> list[dict]:
        """The expression's value now: a vector's samples."""
        found = self._get("/api/v1/query?"
                          + urllib.parse.urlencode({"query": expr}))
        if found["resultType"] != "vector":
            raise ValueError(f"{expr} is a {found['resultType']}")
        return found["result"]

    def rules(self) -> list[dict]:
        """All rules, with their health and last error."""
        return [rule for group in self._get("/api/v1/rules")["groups"]
                for rule in group["rules"]]

    def targets_up(self) -> bool:
        active = self._get("/api/v1/targets")["activeTargets"]
        return bool(active) and all(
            target["health"] == "up" for target in active)

    def _get(self, path: str):
        try:
            with urllib.request.urlopen(f"http://{self._address}{path}",
                                        timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{path}: {error.read().decode()}") from error

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://{self._address}/-/ready",
                                       timeout=5).close()
                return
            except OSError:
                if (self._process.poll() is not None
                        or time.monotonic() > deadline):
                    self._log.seek(0)
                    raise RuntimeError("Prometheus did not start:\n"
                                       + self._log.read().decode()) from None
            time.sleep(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
