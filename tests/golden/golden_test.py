"""Greedy ids and log-probs of transformers' models, for every policy.

Usage: golden_test.py PROGRAMS_ROOT [VARIANT...]
"""

import json
import pathlib
import sys
import tempfile
import unittest

from tests.e2e.processes import Programs, run_client

MODELS = pathlib.Path(__file__).parent / "models"
PROGRAMS = None
VARIANTS = []

# Logits this near to each other may swap between two correct float32
# implementations that add in different orders.
NEAR_TIE = 1e-3
LOG_PROB_TOLERANCE = 2e-4

# Where blocks lie and how they are kept: one memory, the smallest device with a
# separate arena, and one with room for recomputed rows. Models whose queries
# share keys and values keep no activations, whatever the policy.
SETTINGS = {
    "one_memory_kv": ["--policy=kv"],
    "min_kv": ["--policy=kv", "--device_memory=min"],
    "min_act": ["--policy=act", "--device_memory=min"],
    "min_mixed": ["--policy=hybrid", "--act_ratio=0.37",
                  "--device_memory=min"],
    "recompute": ["--policy=recompute", "--recompute_ratio=0.6",
                  "--device_memory=8MB"],
}


class GoldenTest(unittest.TestCase):
    def check_variant(self, variant: str) -> None:
        folder = MODELS / variant
        answers = json.loads((folder / "answers.json").read_text("utf-8"))
        first_scores = None
        for setting, flags in SETTINGS.items():
            flags = [f"--model_dir={folder}", "--dtype=float32", *flags]
            with self.subTest(variant=variant, setting=setting):
                self.check_generations(answers, flags)
                scores = self.check_scores(answers, flags)
                # Among our own policies there is no tolerance.
                first_scores = first_scores or scores
                self.assertEqual(scores, first_scores)

    def check_generations(self, answers: dict, flags: list[str]) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            source = pathlib.Path(scratch) / "in.jsonl"
            result = pathlib.Path(scratch) / "out.jsonl"
            generations = answers["generations"]
            source.write_text("".join(
                json.dumps({"id": i, "token_ids": g["prompt_ids"],
                            "max_tokens": len(g["token_ids"]),
                            "ignore_eos": True}) + "\n"
                for i, g in enumerate(generations)))
            run_client(PROGRAMS, "batch", f"--input={source}",
                       f"--output_file={result}", "--ordered", *flags)
            lines = [json.loads(line)
                     for line in result.read_text("utf-8").splitlines()]
        self.assertEqual(len(lines), len(generations))
        for line, golden in zip(lines, generations):
            self.assertEqual(line["id"], lines.index(line))
            self.assert_same_tokens(line["token_ids"], golden)

    def assert_same_tokens(self, ids: list[int], golden: dict) -> None:
        self.assertEqual(len(ids), len(golden["token_ids"]))
        for step, (ours, theirs) in enumerate(zip(ids, golden["token_ids"])):
            if ours != theirs:
                self.assertLess(golden["margins"][step], NEAR_TIE,
                                f"step {step}: {ours}, not {theirs}")
                return  # A near tie: the rest follows another text.

    def check_scores(self, answers: dict, flags: list[str]) -> list[float]:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as text:
            text.write(answers["text"])
            text.flush()
            shown = run_client(PROGRAMS, "score", f"--input={text.name}",
                               "--output=json", *flags)
        score = json.loads(shown.stdout)
        self.assertEqual(score["tokens"], answers["text_ids"])
        self.assertEqual(len(score["log_probs"]), len(answers["log_probs"]))
        self.assertEqual(len(score["top_tokens"]), len(score["tokens"]))
        worst = max(abs(ours - theirs) for ours, theirs in
                    zip(score["log_probs"], answers["log_probs"]))
        self.assertLess(worst, LOG_PROB_TOLERANCE)
        return score["log_probs"] + score["top_tokens"]


def add_tests() -> None:
    for variant in VARIANTS or sorted(p.name for p in MODELS.iterdir()):
        setattr(GoldenTest, f"test_{variant}",
                lambda self, variant=variant: self.check_variant(variant))


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    VARIANTS = [sys.argv.pop() for _ in sys.argv[1:]]
    add_tests()
    unittest.main(verbosity=2)
