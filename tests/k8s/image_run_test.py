"""The images run as strict pods run them: no root, nothing to write on, no
rights. They answer health, serve what the unpacked programs serve, and drain.

Usage: image_run_test.py PROGRAMS_ROOT
"""

import json
import subprocess
import sys
import unittest
import urllib.request

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Process, Programs
from tests.k8s.containers import ROOT, CannotRun, Containers

DEMO = "/opt/hybridserve/models/demo"
MOST_BYTES = 150e6
USER_ID = 10001
# What the manifests give a pod between SIGTERM and SIGKILL.
GRACE_SECONDS = 90
# Slow enough for a stream to be there when SIGTERM comes.
SLOW = ["--device_memory=min", "--link_bandwidth=30MB/s"]
TOKENS = 24
CONTAINERS: Containers = None
PROGRAMS: Programs = None
PROGRAMS_ROOT = ""

GENERATE = ["--prompt=In the beginning", "--max_tokens=24", "--output=json"]


class ImageTest(unittest.TestCase):
    def test_each_is_small_and_runs_its_program_without_root(self):
        self.assertEqual(set(CONTAINERS.images), {
            "hybridserve-scheduler", "hybridserve-worker",
            "hybridserve-client", "hybridserve-openai"})
        for image in CONTAINERS.images:
            with self.subTest(image):
                made = CONTAINERS.inspect(image)
                self.assertLess(made["Size"], MOST_BYTES)
                self.assertEqual(made["Config"]["User"],
                                 f"{USER_ID}:{USER_ID}")
                self.assertRegex(made["Config"]["Entrypoint"][0],
                                 r"^/opt/hybridserve/bin/[\w-]+$")
                print(f"{image}: {made['Size'] / 1e6:.1f} MB")

    def test_the_same_programs_give_the_same_image(self):
        self.assertEqual(CONTAINERS.build(PROGRAMS_ROOT), CONTAINERS.images)

    def test_pre_stop_hooks_find_sleep(self):
        for image in ("hybridserve-scheduler", "hybridserve-worker",
                      "hybridserve-openai"):
            CONTAINERS.podman("run", "--rm", "--runtime=runc",
                              "--network=host", "--log-driver=none",
                              "--ulimit=nofile=1024:1024",
                              "--ulimit=nproc=4096:4096",
                              "--entrypoint=sleep", CONTAINERS.images[image],
                              "0")


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.scheduler = self.start(
            "scheduler", "hybridserve-scheduler", "--listen=127.0.0.1:0")
        self.address = self.scheduler.wait_for_line(
            r"listening (.+:\d+)").group(1)

    def start(self, name: str, image: str, *args: str) -> Process:
        container = CONTAINERS.start(name, image, *args)
        self.addCleanup(CONTAINERS.podman, "rm", "--force", "--time=0", name,
                        check=False)
        return container

    def start_worker(self, *flags: str) -> Process:
        worker = self.start("worker", "hybridserve-worker",
                            f"--scheduler={self.address}",
                            f"--model_dir={DEMO}", "--listen=127.0.0.1:0",
                            *flags)
        self.worker_address = worker.wait_for_line(
            r"listening (.+:\d+)").group(1)
        worker.wait_for_line("ready")
        return worker

    def client(self, *args: str, check: bool = True
               ) -> subprocess.CompletedProcess:
        return CONTAINERS.run("hybridserve-client", *args, check=check)

    def drained_stream(self, name: str, container: Process
                       ) -> tuple[list[int], int]:
        """Tokens of a stream under which a container is told to stop as a
        kubelet does it, and how that exits within the grace period."""
        with pb.Client(self.address) as client:
            request = pb.request(pb.inference.GenerateStreamRequest,
                                 model="demo", token_ids=[5, 6, 7],
                                 max_tokens=TOKENS)
            request.stopping.ignore_eos = True
            tokens: list[int] = []
            told = False
            for event in client.inference.GenerateStream(request):
                tokens += event.token_output.token_ids
                if tokens and not told:
                    told = True
                    CONTAINERS.podman("kill", "--signal=TERM", name)
                    self.assertIsNone(container.process.poll(),
                                      "it left its stream")
        return tokens, container.process.wait(GRACE_SECONDS)

    def test_serves_what_the_unpacked_programs_serve(self):
        self.assertNotEqual(
            self.client("health", f"--server={self.address}",
                        check=False).returncode, 0, "without a worker")
        self.start_worker()
        for address in (self.address, self.worker_address):
            self.client("health", f"--server={address}")
        for name in ("scheduler", "worker"):
            self.assertEqual(CONTAINERS.uid_of(name), USER_ID)
        served = json.loads(self.client(
            "generate", f"--server={self.address}", *GENERATE).stdout)
        with Cluster(PROGRAMS, [[
                f"--model_dir={ROOT / 'models' / 'demo'}"]]) as cluster:
            unpacked = json.loads(
                cluster.client("generate", *GENERATE).stdout)
        self.assertEqual(served, unpacked)
        self.assertEqual(served["usage"]["completion_tokens"],
                         len(served["token_ids"]))

    def test_openais_gateway_serves_the_same_and_ends(self):
        self.start_worker()
        gateway = self.start("openai", "hybridserve-openai",
                             f"--server={self.address}",
                             "--listen=127.0.0.1:0")
        url = "http://" + gateway.wait_for_line(r"listening (.+:\d+)").group(1)
        gateway.wait_for_line("ready")
        self.assertEqual(CONTAINERS.uid_of("openai"), USER_ID)
        request = urllib.request.Request(
            f"{url}/v1/completions", headers={
                "Content-Type": "application/json"},
            data=json.dumps({"model": "demo", "prompt": "In the beginning",
                             "temperature": 0, "max_tokens": 24}).encode())
        with urllib.request.urlopen(request, timeout=120) as answer:
            completion = json.load(answer)
        served = json.loads(self.client(
            "generate", f"--server={self.address}", *GENERATE).stdout)
        self.assertEqual(completion["choices"][0]["text"], served["text"])
        CONTAINERS.podman("kill", "--signal=TERM", "openai")
        self.assertEqual(gateway.process.wait(GRACE_SECONDS), 0)

    def test_a_worker_drains_and_the_scheduler_does(self):
        worker = self.start_worker(*SLOW)
        first, code = self.drained_stream("worker", worker)
        self.assertEqual((len(first), code), (TOKENS, 0))
        worker = self.start_worker(*SLOW)
        second, code = self.drained_stream("scheduler", self.scheduler)
        self.assertEqual((second, code), (first, 0))
        CONTAINERS.podman("kill", "--signal=TERM", "worker")
        self.assertEqual(worker.process.wait(GRACE_SECONDS), 0)


if __name__ == "__main__":
    PROGRAMS_ROOT = sys.argv.pop(1)
    PROGRAMS = Programs(PROGRAMS_ROOT)
    try:
        CONTAINERS = Containers(PROGRAMS_ROOT)
    except CannotRun as reason:
        print(f"skipped: containers don't run here: {reason}")
        sys.exit(0)
    with CONTAINERS:
        unittest.main(verbosity=2)
