"""Images built by k8s/build_image.sh, and containers of them, in a storage of
their own."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from tests.e2e.processes import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ("buildah", "podman", "runc")
# How a strict pod runs them: nothing to write on, no rights. The limits are
# stated since some machines forbid podman to raise its own.
STRICT = ["--runtime=runc", "--network=host", "--read-only",
          "--read-only-tmpfs=false", "--cap-drop=all",
          "--security-opt=no-new-privileges", "--ulimit=nofile=1024:1024",
          "--ulimit=nproc=4096:4096", "--log-driver=none"]
PODMAN_ITSELF_FAILED = 125


class CannotRun(Exception):
    """Containers don't run on this machine, and why."""


class Containers:
    """The images, built of a folder of programs."""

    def __init__(self, programs_root: str):
        path = os.environ["PATH"] + ":/usr/sbin"
        for tool in TOOLS:
            if shutil.which(tool, path=path) is None:
                raise CannotRun(f"there is no {tool}")
        self._folder = tempfile.TemporaryDirectory()
        self.storage = pathlib.Path(self._folder.name)
        self.images: dict[str, str] = {}
        try:
            self.images = self.build(programs_root)
            self._try_to_run()
        except BaseException:
            self.__exit__()
            raise

    def build(self, programs_root: str) -> dict[str, str]:
        """Ids of the images, by name without version."""
        built = subprocess.run(
            ["bash", str(ROOT / "k8s" / "build_image.sh"),
             f"--storage={self.storage}"],
            text=True, capture_output=True, timeout=900,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000",
                 "HYBRIDSERVE_BIN": os.path.abspath(programs_root)})
        if built.returncode != 0:
            raise RuntimeError(f"build_image.sh: {built.stderr}")
        images = {}
        for line in built.stdout.splitlines():
            _, name, image_id = line.split()
            images[name.partition("/")[2].partition(":")[0]] = image_id
        return images

    def podman(self, *args: str, check: bool = True
               ) -> subprocess.CompletedProcess:
        result = subprocess.run(self._podman(*args), text=True,
                                capture_output=True, timeout=300)
        if check and result.returncode != 0:
            raise RuntimeError(f"podman {args[0]} exited with "
                               f"{result.returncode}: {result.stderr}")
        return result

    def inspect(self, image: str) -> dict:
        return json.loads(self.podman("image", "inspect",
                                      self.images[image]).stdout)[0]

    def run(self, image: str, *args: str, check: bool = True
            ) -> subprocess.CompletedProcess:
        """A container from start to end."""
        return self.podman("run", "--rm", *STRICT, self.images[image], *args,
                           check=check)

    def start(self, name: str, image: str, *args: str) -> Process:
        """A container that serves, and its lines on stdout."""
        return Process(self._podman("run", "--rm", f"--name={name}", *STRICT,
                                    self.images[image], *args))

    def uid_of(self, name: str) -> int:
        """Of its first process, as the host sees it."""
        pid = self.podman("inspect", "--format={{.State.Pid}}",
                          name).stdout.strip()
        return os.stat(f"/proc/{pid}").st_uid

    def _podman(self, *args: str) -> list[str]:
        return ["podman", f"--root={self.storage / 'images'}",
                f"--runroot={self.storage / 'run'}", "--storage-driver=vfs",
                "--cgroup-manager=cgroupfs", "--events-backend=none", *args]

    def _try_to_run(self) -> None:
        tried = self.run("hybridserve-client", "--version", check=False)
        if tried.returncode == PODMAN_ITSELF_FAILED:
            raise CannotRun(tried.stderr.strip())
        if tried.returncode != 0:
            raise RuntimeError(f"the image does not run: {tried.stderr}")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for name in self.images:
            self.podman("rmi", "--force", self.images[name], check=False)
        self._folder.cleanup()
