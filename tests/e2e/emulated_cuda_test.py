"""A worker on the emulated GPU generates what the cpu's does, by every policy.

The whole program: model loading, memory plan, profile, connection, engine; the
emulation objects to nothing, else the worker ends with an exit code of its own.

Usage: emulated_cuda_test.py PROGRAMS_ROOT
"""

import concurrent.futures
import dataclasses
import pathlib
import sys
import tempfile
import unittest

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "demo"
PROMPTS = ["In the beginning", "And the LORD said unto Moses, Speak", "Why"]
MAX_TOKENS = 12
PROGRAMS = None

# Policy, flags of the worker, flags of the scheduler. Little memory makes for
# small steps, and those that have the same share a profile: measuring one takes
# the emulation half a minute.
SETTINGS = [
    ("kv", ["--device_memory=min"], []),
    ("act", ["--device_memory=min"], []),
    ("hybrid", ["--device_memory=min"], ["--act_ratio=0.37"]),
    ("hybrid", ["--device_memory=min"], []),
    ("recompute", ["--device_memory=11MB", "--recompute_tokens=64"],
     ["--recompute_ratio=0.5"]),
    ("flexgen", ["--device_memory=13MB", "--resident_weights=20"],
     ["--percent=20,80,10,90,100,0"]),
    ("flexgen", ["--device_memory=min", "--unpinned_cache"],
     ["--percent=0,100,0,100,100,0", "--flexgen_relay=true"]),
    ("resident", ["--device_memory=24MB", "--resident_weights=100"], []),
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


class EmulatedCudaTest(unittest.TestCase):
    def outputs(self, worker_flags: list[str],
                scheduler_flags: list[str]) -> list[Output]:
        flags = [f"--model_dir={MODEL}", "--dtype=float32", *worker_flags]
        with Cluster(PROGRAMS, [flags], scheduler_flags) as cluster:
            with concurrent.futures.ThreadPoolExecutor(len(PROMPTS)) as pool:
                outputs = list(pool.map(
                    lambda prompt: generate(cluster.address, prompt), PROMPTS))
            [worker] = cluster.workers
            code = worker.stop()
            self.assertEqual(code, 0, worker.log())
        return outputs

    def test_every_policy(self):
        cpu = self.outputs(["--device=cpu"], ["--policy=kv"])
        PROGRAMS.worker = str(pathlib.Path(PROGRAMS.worker).parent /
                              "worker_on_emulated_cuda")
        first = None
        with tempfile.TemporaryDirectory() as scratch:
            for policy, worker, scheduler in SETTINGS:
                with self.subTest(policy=policy, worker=worker):
                    outputs = self.outputs(
                        ["--device=cuda", "--batch_invariant",
                         f"--profile={scratch}/profile",
                         *worker],
                        [f"--policy={policy}", *scheduler])
                    self.assertEqual([o.token_ids for o in outputs],
                                     [o.token_ids for o in cpu])
                    first = first or outputs
                    self.assertEqual(outputs, first)  # To the bit.
            self.assertIsNotNone(first)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
