"""transformers itself beside the program: the demo folder, unchanged.

Usage: transformers_test.py PROGRAMS_ROOT

Nothing here is recorded: prompts are cut from the held-out text, and the
folder is loaded by both.
"""

import json
import pathlib
import random
import sys
import unittest

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.e2e.processes import Programs, run_client
from tests.golden.golden_test import NEAR_TIE

MODEL = pathlib.Path(__file__).resolve().parents[2] / "models" / "demo"
NEW_TOKENS = 16
PROGRAMS = None


class TransformersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.model = AutoModelForCausalLM.from_pretrained(
            MODEL, torch_dtype=torch.float32).eval()
        cls.tokenizer = AutoTokenizer.from_pretrained(MODEL)

    @torch.no_grad()
    def check(self, prompt: str, flags: list[str]) -> None:
        answer = json.loads(run_client(
            PROGRAMS, "generate", f"--model_dir={MODEL}", "--dtype=float32",
            f"--prompt={prompt}", f"--max_tokens={NEW_TOKENS}",
            "--ignore_eos", "--output=json", *flags).stdout)
        prompt_ids = self.tokenizer(prompt).input_ids
        self.assertEqual(answer["usage"]["prompt_tokens"], len(prompt_ids))
        ids = answer["token_ids"]
        self.assertEqual(len(ids), NEW_TOKENS)
        self.assertEqual(
            answer["text"],
            self.tokenizer.decode(ids, skip_special_tokens=True,
                                  clean_up_tokenization_spaces=False))
        # Given the tokens before it, each of ours is transformers' best.
        logits = self.model(
            torch.tensor([prompt_ids + ids])).logits[0, len(prompt_ids) - 1:]
        for step, token in enumerate(ids):
            best = float(logits[step].max())
            self.assertLess(best - float(logits[step, token]), NEAR_TIE,
                            f"step {step} of {prompt!r}")

    def test_greedy_ids_and_text(self):
        text = (MODEL / "heldout.txt").read_text("utf-8")
        rng = random.Random(20240917)
        for flags in (["--policy=kv"], ["--policy=act", "--device_memory=min"],
                      ["--act_ratio=0.5", "--device_memory=12MB"]):
            for length in (1, 40, 700):
                first = rng.randrange(len(text) - length)
                prompt = text[first:first + length]
                with self.subTest(flags=flags, prompt=prompt):
                    self.check(prompt, flags)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
