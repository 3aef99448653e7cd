"""Damaged model folders end in exit code 1 and one clear line each.

Usage: damaged_model_test.py PROGRAMS_ROOT
"""

import json
import pathlib
import shutil
import struct
import sys
import tempfile
import unittest

from tests.e2e.processes import Programs, run_client

MODELS = pathlib.Path(__file__).resolve().parents[1] / "golden" / "models"
PROGRAMS = None


def read_header(path: pathlib.Path) -> tuple[dict, bytes]:
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    return json.loads(raw[8:8 + length]), raw[8 + length:]


def write_header(path: pathlib.Path, header: bytes, data: bytes) -> None:
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


class DamagedModelTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name) / "model"
        shutil.copytree(MODELS / "pre_norm", self.folder)
        self.weights = self.folder / "model.safetensors"
        self.config = self.folder / "config.json"

    def assert_refused(self, *words: str) -> None:
        """One line on stderr that holds the words comes first; exit code 1."""
        result = run_client(
            PROGRAMS, "generate", f"--model_dir={self.folder}",
            "--token_ids=5", "--max_tokens=1", check=False, timeout=60)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stdout, "")
        error = result.stderr.splitlines()[0]
        self.assertTrue(error.startswith("hybridserve: "), result.stderr)
        for word in words:
            self.assertIn(word, error)

    def change_header(self, change) -> None:
        header, data = read_header(self.weights)
        change(header)
        write_header(self.weights, json.dumps(header).encode(), data)

    def change_config(self, **fields) -> None:
        config = json.loads(self.config.read_text())
        config.update(fields)
        self.config.write_text(json.dumps(config))

    def test_the_folder_is_sound_before_it_is_damaged(self):
        run_client(PROGRAMS, "generate", f"--model_dir={self.folder}",
                   "--token_ids=5", "--max_tokens=1")

    def test_no_folder(self):
        shutil.rmtree(self.folder)
        self.assert_refused(str(self.folder))

    def test_no_config(self):
        self.config.unlink()
        self.assert_refused("config.json")

    def test_no_weights(self):
        self.weights.unlink()
        self.assert_refused("safetensors")

    def test_truncated_at_every_kind_of_place(self):
        raw = self.weights.read_bytes()
        for size in (0, 5, 8, 100, len(raw) // 2, len(raw) - 1):
            with self.subTest(size):
                self.weights.write_bytes(raw[:size])
                self.assert_refused("model.safetensors")

    def test_bits_flipped_in_the_header(self):
        raw = bytearray(self.weights.read_bytes())
        for position in (0, 3, 7, 8, 9):
            with self.subTest(position):
                damaged = bytearray(raw)
                damaged[position] ^= 0x40
                self.weights.write_bytes(damaged)
                self.assert_refused("model.safetensors")

    def test_missing_tensor(self):
        name = "model.decoder.layers.1.fc1.weight"

        def drop(header):
            tensor = header.pop(name)
            # The gap it leaves is a fault of its own: close it by a stranger.
            header["model.decoder.layers.1.fc9.weight"] = tensor
        self.change_header(drop)
        self.assert_refused("layers.1.fc1.weight")

    def test_wrong_dtype(self):
        def change(header):
            header["model.decoder.layers.0.fc1.weight"]["dtype"] = "I32"
        self.change_header(change)
        self.assert_refused("layers.0.fc1.weight", "I32")

    def test_wrong_shape(self):
        def change(header):
            tensor = header["model.decoder.layers.0.fc1.weight"]
            tensor["shape"] = tensor["shape"][::-1]
        self.change_header(change)
        self.assert_refused("layers.0.fc1.weight")

    def test_huge_sizes(self):
        for size in (2**63, 2**63 - 1, 2**64, -1):
            with self.subTest(size):
                def change(header, size=size):
                    header["model.decoder.layers.0.fc1.weight"]["shape"] = [
                        size, 2]
                self.change_header(change)
                self.assert_refused("model.safetensors")

    def test_overlapping_tensors(self):
        def change(header):
            first = header["model.decoder.layers.0.fc1.weight"]
            header["model.decoder.layers.1.fc1.weight"]["data_offsets"] = (
                first["data_offsets"])
        self.change_header(change)
        self.assert_refused("model.safetensors")

    def test_header_that_is_not_utf8(self):
        header, data = read_header(self.weights)
        text = json.dumps(header).encode().replace(b"fc1", b"f\xff1")
        write_header(self.weights, text, data)
        self.assert_refused("model.safetensors")

    def test_deep_json(self):
        for path in (self.config, self.folder / "tokenizer.json"):
            with self.subTest(path.name):
                whole = path.read_bytes()
                path.write_text("[" * 100000 + "]" * 100000)
                self.assert_refused(path.name)
                path.write_bytes(whole)
        _, data = read_header(self.weights)
        write_header(self.weights, b'{"a":' * 50000 + b"1" + b"}" * 50000,
                     data)
        self.assert_refused("model.safetensors")

    def test_config_fields(self):
        for field, value in (
                ("hidden_size", -1), ("hidden_size", "48"),
                ("hidden_size", 2**63), ("hidden_size", 47),
                ("num_attention_heads", 0), ("num_hidden_layers", 0),
                ("vocab_size", 1.5), ("max_position_embeddings", None),
                ("activation_function", "swish"),
                ("architectures", ["LlamaForCausalLM"]),
                ("model_type", "llama")):
            with self.subTest(field=field, value=value):
                whole = self.config.read_bytes()
                self.change_config(**{field: value})
                self.assert_refused("config.json")
                self.config.write_bytes(whole)

    def test_tokenizer_that_is_none(self):
        (self.folder / "tokenizer.json").write_text('{"model": {}}')
        self.assert_refused("tokenizer.json")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
