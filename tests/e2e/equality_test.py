"""The same tokens through sockets, whatever the policy, budget and company.

Usage: equality_test.py PROGRAMS_ROOT
"""

import concurrent.futures
import pathlib
import random
import sys
import time
import unittest

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs

MODEL = (pathlib.Path(__file__).resolve().parents[1] / "golden" / "models" /
         "pre_norm")
LIMIT = 256  # The model's positions.
# Bytes of a cache of 150,000 elements.
FEW = {"float32": "600kB", "bfloat16": "300kB"}
# Bytes of a device that has room for what recomputing takes, and little else.
SMALL = {"float32": "3MB", "bfloat16": "1500kB"}
PROGRAMS = None

SETTINGS = {
    "kv_min": (1, ["--device_memory=min"], ["--policy=kv"]),
    "act_min": (1, ["--device_memory=min"], ["--policy=act"]),
    "mixed_small_chunks": (1, ["--device_memory=min"],
                           ["--policy=hybrid", "--act_ratio=0.37",
                            "--prefill_chunk_tokens=7"]),
    "hybrid_link": (1, ["--device_memory=min", "--link_bandwidth=1GB/s"],
                    ["--policy=hybrid"]),
    "recompute_quarter": (1, ["--device_memory=4MB",
                              "--recompute_tokens=8192"],
                          ["--policy=recompute"]),
    "recompute_all": (1, ["--device_memory=4MB", "--recompute_tokens=8192"],
                      ["--policy=recompute", "--recompute_ratio=1",
                       "--prefill_chunk_tokens=31"]),
    "flexgen": (1, ["--device_memory=3MB", "--resident_weights=20"],
                ["--policy=flexgen", "--percent=20,80,10,90,100,0"]),
    "flexgen_link": (1, ["--device_memory=3MB", "--link_bandwidth=1GB/s"],
                     ["--policy=flexgen"]),
    "flexgen_relay": (1, ["--device_memory=3MB", "--link_bandwidth=1GB/s",
                          "--unpinned_cache"],
                      ["--policy=flexgen", "--flexgen_relay=true"]),
    "resident": (1, ["--device_memory=64MB", "--resident_weights=100"],
                 ["--policy=resident"]),
    "two_workers_one_memory": (2, [], ["--policy=kv"]),
    "two_workers_two_threads": (2, ["--device_memory=3MB", "--threads=2"],
                                ["--policy=hybrid", "--act_ratio=0.5"]),
    "two_workers_act": (2, ["--device_memory=min"], ["--policy=act"]),
    "two_workers_recompute": (2, ["--device_memory=4MB",
                                  "--recompute_tokens=8192", "--threads=2"],
                              ["--policy=recompute"]),
    "two_workers_flexgen": (2, ["--device_memory=3MB",
                                "--resident_weights=20"],
                            ["--policy=flexgen",
                             "--percent=20,80,10,90,100,0"]),
    "two_workers_hybrid_link": (2, ["--device_memory=min",
                                    "--link_bandwidth=1GB/s"],
                                ["--policy=hybrid"]),
    # A cache of a few sequences that run until it is full: some give way.
    "preemption": (1, ["--device_memory=min", "--host_memory={few}"],
                   ["--policy=hybrid", "--act_ratio=0.3",
                    "--expected_output=0"]),
    "preemption_kv": (1, ["--device_memory=min", "--host_memory={few}"],
                      ["--policy=kv", "--expected_output=0"]),
    "preemption_recompute": (1, ["--device_memory={small}",
                                 "--recompute_tokens=8192",
                                 "--host_memory={few}"],
                             ["--policy=recompute", "--recompute_ratio=0.25",
                              "--expected_output=0"]),
    "preemption_flexgen": (1, ["--device_memory=3MB", "--resident_weights=20",
                               "--host_memory={few}"],
                           ["--policy=flexgen", "--percent=20,80,0,100,100,0",
                            "--expected_output=0"]),
}


def make_requests() -> list[tuple[list[int], int]]:
    """64 prompts and output lengths, from 1 token to the model's limit."""
    rng = random.Random(20240917)
    lengths = [(1, 1), (1, LIMIT - 1), (LIMIT - 1, 1), (LIMIT // 2, LIMIT // 2)]
    while len(lengths) < 64:
        prompt = rng.randint(1, LIMIT - 1)
        lengths.append((prompt, rng.randint(1, LIMIT - prompt)))
    return [([rng.randint(4, 319) for _ in range(prompt)], output)
            for prompt, output in lengths]


class EqualityTest(unittest.TestCase):
    def run_all(self, address: str, together: bool) -> list[list[int]]:
        with pb.Client(address) as client:
            def generate(numbered):
                number, (token_ids, max_tokens) = numbered
                message = pb.request(pb.inference.GenerateRequest,
                                     token_ids=token_ids,
                                     max_tokens=max_tokens)
                message.stopping.ignore_eos = True
                if number % 3 == 0:  # What came before matters, too.
                    message.sampling.presence_penalty = 0.5
                    message.sampling.frequency_penalty = 0.25
                    message.sampling.repetition_penalty = 1.2
                    message.sampling.logit_bias[number] = 3
                return list(client.inference.Generate(message).token_ids)
            workers = 64 if together else 1
            with concurrent.futures.ThreadPoolExecutor(workers) as pool:
                outputs = list(pool.map(generate, enumerate(make_requests())))
        for (_, max_tokens), output in zip(make_requests(), outputs):
            self.assertEqual(len(output), max_tokens)
        return outputs

    def assert_all_slots_free(self, cluster: Cluster) -> dict:
        """The status that says so."""
        deadline = time.monotonic() + 30
        while True:
            status = cluster.status()
            self.assertEqual(status["queue"]["waiting"], 0)
            pools = [pool for worker in status["workers"]
                     for pool in worker["pools"]]
            self.assertTrue(pools)
            if all(pool["free"] + pool["cached"] == pool["half_slots"]
                   for pool in pools):
                return status
            self.assertLess(time.monotonic(), deadline, status)
            time.sleep(0.05)

    def check_dtype(self, dtype: str) -> None:
        expected = None
        for name, (workers, worker_flags, scheduler_flags) in SETTINGS.items():
            with self.subTest(setting=name, dtype=dtype):
                flags = [f"--model_dir={MODEL}", f"--dtype={dtype}",
                         *(flag.format(few=FEW[dtype],
                                       small=SMALL[dtype])
                           for flag in worker_flags)]
                with Cluster(PROGRAMS, [flags] * workers,
                             scheduler_flags) as cluster:
                    if expected is None:
                        expected = self.run_all(cluster.address,
                                                together=False)
                    outputs = self.run_all(cluster.address, together=True)
                    status = self.assert_all_slots_free(cluster)
                    if name.startswith("preemption"):
                        totals = status["workers"][0]["totals"]
                        self.assertGreater(totals["preemptions"], 0)
                self.assertEqual(outputs, expected)

    def test_float32(self):
        self.check_dtype("float32")

    def test_bfloat16(self):
        self.check_dtype("bfloat16")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
