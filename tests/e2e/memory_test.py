"""Peak memory is what the memory plan said, loading included.

Usage: memory_test.py PROGRAMS_ROOT

Models of more than 1 GiB, with made-up weights or from a file, with a device
smaller than the model and without one: the worker's peak resident memory is
compared with the total that its memory plan printed.
"""

import json
import math
import pathlib
import re
import struct
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


def tensors() -> dict[str, list[int]]:
    """Names and shapes of the model's weights, as Hugging Face stores them."""
    h, ffn = CONFIG["hidden_size"], CONFIG["ffn_dim"]
    shapes = {
        "embed_tokens.weight": [CONFIG["vocab_size"], h],
        "embed_positions.weight": [CONFIG["max_position_embeddings"] + 2, h],
    }

    def add(name: str, *shape: int) -> None:
        shapes[f"{name}.weight"] = list(shape)
        shapes[f"{name}.bias"] = list(shape[:1])

    add("final_layer_norm", h)
    for i in range(CONFIG["num_hidden_layers"]):
        layer = f"layers.{i}"
        for projection in ("q", "k", "v", "out"):
            add(f"{layer}.self_attn.{projection}_proj", h, h)
        add(f"{layer}.self_attn_layer_norm", h)
        add(f"{layer}.fc1", ffn, h)
        add(f"{layer}.fc2", h, ffn)
        add(f"{layer}.final_layer_norm", h)
    return {f"model.decoder.{name}": shape for name, shape in shapes.items()}


def write_zeros(path: pathlib.Path, dtype: str, element_bytes: int) -> None:
    """A safetensors file whose weights are all 0; sparse on disk, whole once
    it is mapped."""
    header, end = {}, 0
    for name, shape in tensors().items():
        begin, end = end, end + element_bytes * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


def peak_bytes(pid: int) -> int:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


class MemoryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "config.json").write_text(json.dumps(CONFIG))

    def assert_peak_is_as_planned(self, *flags: str) -> None:
        with Cluster(PROGRAMS, [[
                f"--model_dir={self.folder}", "--model_name=big",
                "--host_memory=256MiB", *flags]]) as cluster:
            cluster.client("generate", "--token_ids=5,6,7",
                           "--max_tokens=4", "--ignore_eos")
            worker = cluster.workers[0]
            peak = peak_bytes(worker.process.pid)
            log = worker.log()
        planned = int(re.search(r"planned_bytes=(\d+)", log).group(1))
        self.assertGreater(planned, 1 << 30)
        self.assertLess(peak, planned * 1.05,
                        f"peak {peak}, planned {planned}")

    def test_made_up_weights_with_a_device(self):
        self.assert_peak_is_as_planned(
            "--random_weights=1", "--dtype=float32", "--device_memory=256MiB")

    def test_a_mapped_file_with_a_device(self):
        write_zeros(self.folder / "model.safetensors", "F32", 4)
        self.assert_peak_is_as_planned(
            "--dtype=float32", "--device_memory=256MiB")

    def test_a_mapped_file_in_one_memory(self):
        write_zeros(self.folder / "model.safetensors", "F32", 4)
        self.assert_peak_is_as_planned("--dtype=float32")

    def test_a_mapped_file_that_is_widened(self):
        write_zeros(self.folder / "model.safetensors", "BF16", 2)
        self.assert_peak_is_as_planned(
            "--dtype=float32", "--device_memory=256MiB")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
