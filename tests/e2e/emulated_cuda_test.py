"""A worker on the emulated GPU generates what the cpu's does, by every policy.

The whole program: model loading, memory plan, profile, connection, engine; the
emulation objects to nothing, else the worker ends with an exit code of its own.

Usage: emulated_cuda_test.py PROGRAMS_ROOT
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

import grpc

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs
from tests.e2e.scraped_cluster import scrape

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "demo"
PROMPTS = ["In the beginning", "And the LORD said unto Moses, Speak", "Why"]
MAX_TOKENS = 12
UNPINNED = r'hybridserve_unpinned_host_bytes\{model_name="demo"\}'
PROGRAMS = None

# Policy, flags of the worker, flags of the scheduler. Little memory makes for
# small steps, and those that have the same share a profile: measuring one takes
# the emulation half a minute.
SETTINGS = [
    ("kv", ["--device_memory=min"], []),
    ("act", ["--device_memory=min"], []),
    ("hybrid", ["--device_memory=min"], ["--act_ratio=0.37"]),
    ("hybrid", ["--device_memory=min"], []),
    ("recompute", ["--device_memory=112MB", "--recompute_tokens=64"],
     ["--recompute_ratio=0.5"]),
    ("flexgen", ["--device_memory=114MB", "--resident_weights=20"],
     ["--percent=20,80,10,90,100,0"]),
    ("flexgen", ["--device_memory=min", "--unpinned_cache"],
     ["--percent=0,100,0,100,100,0", "--flexgen_relay=true"]),
    ("resident", ["--device_memory=125MB", "--resident_weights=100"], []),
]


@dataclasses.dataclass
class Output:
    token_ids: list[int]
    log_probs: list[float]


def generate(address: str, prompt: str) -> Output:
    message = pb.request(pb.inference.GenerateRequest, prompt,
                         max_tokens=MAX_TOKENS)
    message.response.log_probs = True
    with pb.Client(address) as client:
        response = client.inference.Generate(message)
    return Output(list(response.token_ids), list(response.log_probs))


@dataclasses.dataclass
class Run:
    outputs: list[Output]  # One a prompt.
    metrics: str  # The worker's page.
    log: str


class EmulatedCudaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cpu = cls().run_programs(PROGRAMS, ["--device=cpu"],
                                     ["--policy=kv"]).outputs
        cls.emulated = Programs(PROGRAMS.root)
        cls.emulated.worker += "_on_emulated_cuda"

    def run_programs(self, programs: Programs, worker_flags: list[str],
                     scheduler_flags: list[str]) -> Run:
        flags = [f"--model_dir={MODEL}", "--dtype=float32",
                 "--metrics_listen=127.0.0.1:0", *worker_flags]
        with Cluster(programs, [flags], scheduler_flags) as cluster:
            with concurrent.futures.ThreadPoolExecutor(len(PROMPTS)) as pool:
                outputs = list(pool.map(
                    lambda prompt: generate(cluster.address, prompt), PROMPTS))
            [worker] = cluster.workers
            [address] = [line.removeprefix("metrics ")
                         for line in worker.lines
                         if line.startswith("metrics ")]
            metrics = scrape(address)
            code = worker.stop()
            self.assertEqual(code, 0, worker.log())
            return Run(outputs, metrics, worker.log())

    def test_every_policy(self):
        first = None
        with tempfile.TemporaryDirectory() as scratch:
            for policy, worker, scheduler in SETTINGS:
                with self.subTest(policy=policy, worker=worker):
                    run = self.run_programs(
                        self.emulated,
                        ["--device=cuda", "--batch_invariant",
                         f"--profile={scratch}/profile",
                         *worker],
                        [f"--policy={policy}", *scheduler])
                    self.assertEqual([o.token_ids for o in run.outputs],
                                     [o.token_ids for o in self.cpu])
                    first = first or run.outputs
                    self.assertEqual(run.outputs, first)  # To the bit.
                    self.assertRegex(run.metrics, UNPINNED + r" 0\n")
                    self.assertNotIn("is not pinned", run.log)
            self.assertIsNotNone(first)

    def test_a_driver_that_pins_nothing_is_told_of(self):
        with unittest.mock.patch.dict(os.environ,
                                      HYBRIDSERVE_EMULATED_PINNING="none"):
            run = self.run_programs(
                self.emulated, ["--device=cuda", "--device_memory=min"],
                ["--policy=kv"])
        self.assertEqual([o.token_ids for o in run.outputs],
                         [o.token_ids for o in self.cpu])
        self.assertRegex(run.metrics, UNPINNED + r" [1-9]")
        self.assertIn("is not pinned", run.log)

    def test_a_worker_whose_device_fails_ends(self):
        """So that who watches over it starts another; its scheduler goes on."""
        with tempfile.TemporaryDirectory() as scratch:
            broken = pathlib.Path(scratch) / "broken"
            flags = [f"--model_dir={MODEL}", "--dtype=float32",
                     "--device=cuda", "--device_memory=min"]
            with unittest.mock.patch.dict(
                    os.environ, HYBRIDSERVE_EMULATED_BROKEN_BY=str(broken)), \
                    Cluster(self.emulated, [flags],
                            ["--policy=kv", "--failover_timeout=1s"]
                            ) as cluster:
                with pb.Client(cluster.address) as client:
                    events = client.inference.GenerateStream(pb.request(
                        pb.inference.GenerateStreamRequest, PROMPTS[0],
                        max_tokens=60))
                    next(events)
                    broken.touch()
                    with self.assertRaises(grpc.RpcError) as ended:
                        for _ in events:
                            pass
                self.assertEqual(ended.exception.code(),
                                 grpc.StatusCode.ABORTED)
                [worker] = cluster.workers
                self.assertEqual(worker.process.wait(60), 1)
                self.assertRegex(worker.log(),
                                 r"(?m)^worker: the device failed")
                self.assertEqual(cluster.status()["workers"], [])


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
