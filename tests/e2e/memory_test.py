"""Peak memory is what the memory plan said, loading included.

Usage: memory_test.py PROGRAMS_ROOT

A model of more than 1 GiB with made-up weights is loaded by a worker with a
device smaller than it; the worker's peak resident memory is compared with the
total that its memory plan printed.
"""

import json
import pathlib
import re
import sys
import tempfile
import unittest

from tests.e2e.processes import Cluster, Programs

PROGRAMS = None
CONFIG = {
    "architectures": ["OPTForCausalLM"], "model_type": "opt",
    "hidden_size": 1536, "num_attention_heads": 24, "num_hidden_layers": 11,
    "ffn_dim": 6144, "vocab_size": 8192, "word_embed_proj_dim": 1536,
    "max_position_embeddings": 512, "activation_function": "relu",
    "do_layer_norm_before": True, "bos_token_id": 2, "eos_token_id": 2,
    "pad_token_id": 1, "torch_dtype": "float32",
}


def peak_bytes(pid: int) -> int:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


class MemoryTest(unittest.TestCase):
    def test_peak_is_within_five_percent_of_the_plan(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "config.json").write_text(
                json.dumps(CONFIG))
            with Cluster(PROGRAMS, [[
                    f"--model_dir={folder}", "--random_weights=1",
                    "--model_name=big", "--dtype=float32",
                    "--device_memory=256MiB", "--host_memory=256MiB"]]
                    ) as cluster:
                cluster.client("generate", "--token_ids=5,6,7",
                               "--max_tokens=4", "--ignore_eos")
                worker = cluster.workers[0]
                peak = peak_bytes(worker.process.pid)
                log = worker.log()
        planned = int(re.search(r"planned_bytes=(\d+)", log).group(1))
        self.assertGreater(planned, 1 << 30)
        self.assertLess(peak, planned * 1.05,
                        f"peak {peak}, planned {planned}")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
