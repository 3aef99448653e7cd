"""transformers itself beside the program: the demo folder, unchanged.

Usage: transformers_test.py PROGRAMS_ROOT

Nothing here is recorded: prompts are cut from the held-out text, and the
folder is loaded by both.
"""

import json
import pathlib
import random
import sys
import tempfile
import unittest

import torch
from transformers import (AutoModelForCausalLM, AutoTokenizer,
                          RepetitionPenaltyLogitsProcessor)

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
    def test_scores_and_the_likeliest(self):
        text = (MODEL / "heldout.txt").read_text("utf-8")[:1500]
        ids = self.tokenizer(text, add_special_tokens=False).input_ids
        logits = self.model(torch.tensor(
            [[self.model.config.bos_token_id] + ids])).logits[0, :-1]
        log_probs = torch.log_softmax(logits.double(), dim=-1)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as source:
            source.write(text)
            source.flush()
            for flags in (["--policy=kv"],
                          ["--policy=act", "--device_memory=min"]):
                answer = json.loads(run_client(
                    PROGRAMS, "score", f"--model_dir={MODEL}",
                    "--dtype=float32", f"--input={source.name}",
                    "--output=json", *flags).stdout)
                self.assertEqual(answer["tokens"], ids)
                for place, (token, top) in enumerate(zip(
                        ids, answer["top_tokens"])):
                    self.assertAlmostEqual(answer["log_probs"][place],
                                           float(log_probs[place, token]), 3)
                    best = float(logits[place].max())
                    self.assertLess(best - float(logits[place, top]), NEAR_TIE)

    @torch.no_grad()
    def test_the_likeliest_tokens(self):
        """Under temperature and a penalty: of the model's own logits."""
        text = (MODEL / "heldout.txt").read_text("utf-8")[:90]
        prompt_ids = self.tokenizer(text).input_ids
        first = None
        for flags in (["--policy=kv"],
                      ["--act_ratio=0.5", "--device_memory=min"]):
            answer = json.loads(run_client(
                PROGRAMS, "generate", f"--model_dir={MODEL}",
                "--dtype=float32", f"--prompt={text}", "--max_tokens=12",
                "--ignore_eos", "--temperature=1.5", "--seed=4",
                "--presence_penalty=1", "--top_logprobs=20", "--logprobs",
                "--output=json", *flags).stdout)
            first = first or answer
            self.assertEqual(answer, first)
        ids = first["token_ids"]
        log_probs = torch.log_softmax(self.model(torch.tensor(
            [prompt_ids + ids])).logits[0, len(prompt_ids) - 1:].double(),
            dim=-1)
        self.assertEqual(len(first["top_log_probs"]), len(ids))
        for place, (token, tops) in enumerate(
                zip(ids, first["top_log_probs"])):
            wanted = torch.topk(log_probs[place], 20).values
            self.assertEqual(len(tops), 20)
            self.assertEqual(len({top["token_id"] for top in tops}), 20)
            for top, value in zip(tops, wanted):
                self.assertAlmostEqual(top["log_prob"], float(value), 3)
                self.assertAlmostEqual(
                    top["log_prob"],
                    float(log_probs[place, top["token_id"]]), 3)
            self.assertAlmostEqual(first["log_probs"][place],
                                   float(log_probs[place, token]), 3)

    def changed(self, logits: torch.Tensor, prompt_ids: list[int],
                output: list[int], sampling: dict) -> torch.Tensor:
        """By transformers, and by the formula in OpenAI's API reference."""
        penalty = RepetitionPenaltyLogitsProcessor(
            sampling.get("repetition_penalty", 1.0))
        logits = penalty(torch.tensor([prompt_ids + output]),
                         logits.float()[None])[0].clone()
        for token in set(output):
            logits[token] -= (
                output.count(token) * sampling.get("frequency_penalty", 0)
                + sampling.get("presence_penalty", 0))
        for token, bias in sampling.get("logit_bias", {}).items():
            logits[int(token)] += bias
        return logits

    @torch.no_grad()
    def test_penalties_and_biases(self):
        text = (MODEL / "heldout.txt").read_text("utf-8")
        cases = [
            {"presence_penalty": 1.5},
            {"frequency_penalty": 0.8, "presence_penalty": -0.4},
            {"frequency_penalty": -1},
            {"repetition_penalty": 1.3},
            {"repetition_penalty": 0.8, "presence_penalty": 2},
            {"logit_bias": {"5": 4.5, "300": -100, "17": 2}},
            {"repetition_penalty": 1.2, "presence_penalty": 0.3,
             "frequency_penalty": 0.3, "logit_bias": {"20": 3, "262": -1.5}},
        ]
        new_tokens = 48
        for flags in (["--policy=kv"], ["--act_ratio=0.5",
                                        "--device_memory=12MB"]):
            lines = [{"prompt": text[500 * i:500 * i + 130 * (i % 3) + 20],
                      "max_tokens": new_tokens, "ignore_eos": True,
                      **sampling} for i, sampling in enumerate(cases)]
            with tempfile.TemporaryDirectory() as scratch:
                source = pathlib.Path(scratch) / "in.jsonl"
                result = pathlib.Path(scratch) / "out.jsonl"
                source.write_text("".join(json.dumps(line) + "\n"
                                          for line in lines))
                run_client(PROGRAMS, "batch", f"--input={source}",
                           f"--output_file={result}", "--ordered",
                           f"--model_dir={MODEL}", "--dtype=float32", *flags)
                outputs = [json.loads(line)["token_ids"] for line in
                           result.read_text("utf-8").splitlines()]
            self.assertEqual(len(outputs), len(cases))
            for line, sampling, ids in zip(lines, cases, outputs):
                with self.subTest(flags=flags, **sampling):
                    self.check_changed(line["prompt"], ids, sampling)

    def check_changed(self, prompt: str, ids: list[int],
                      sampling: dict) -> None:
        prompt_ids = self.tokenizer(prompt).input_ids
        given = self.model(
            torch.tensor([prompt_ids + ids])).logits[0, len(prompt_ids) - 1:]
        moved = 0
        for step, token in enumerate(ids):
            logits = self.changed(given[step], prompt_ids, ids[:step],
                                  sampling)
            self.assertLess(float(logits.max() - logits[token]), NEAR_TIE,
                            f"step {step}")
            moved += token != int(given[step].argmax())
        self.assertGreater(moved, 0)  # It made a difference.

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
