"""The demo model against transformers: perplexity and greedy ids.

Usage: demo_test.py PROGRAMS_ROOT
"""

import json
import pathlib
import sys
import unittest

from tests.e2e.processes import Programs, run_client
from tests.golden.golden_test import NEAR_TIE

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "demo"
ANSWERS = json.loads(
    (pathlib.Path(__file__).parent / "demo_answers.json").read_text("utf-8"))
PROGRAMS = None

# From the smallest device to one that holds everything.
SETTINGS = {
    "kv_min": ["--policy=kv", "--device_memory=min"],
    "act_min": ["--policy=act", "--device_memory=min"],
    "mixed": ["--policy=hybrid", "--act_ratio=0.37", "--device_memory=14MB"],
    "hybrid_large": ["--policy=hybrid", "--device_memory=64MB"],
    "one_memory": ["--policy=kv"],
}


def score(dtype: str, flags: list[str]) -> dict:
    return json.loads(run_client(
        PROGRAMS, "score", f"--model_dir={MODEL}", f"--dtype={dtype}",
        f"--input={MODEL / 'heldout.txt'}", "--output=json", *flags).stdout)


class DemoTest(unittest.TestCase):
    def test_perplexity_is_transformers_and_no_policy_changes_a_bit(self):
        # float32 within 0.1%, bfloat16 within 1%.
        for dtype, tolerance in (("float32", 1e-3), ("bfloat16", 1e-2)):
            first = None
            for name, flags in SETTINGS.items():
                with self.subTest(dtype=dtype, setting=name):
                    answer = score(dtype, flags)
                    self.assertEqual(len(answer["tokens"]),
                                     ANSWERS["num_tokens"])
                    self.assertLess(
                        abs(answer["perplexity"] / ANSWERS["perplexity"] - 1),
                        tolerance)
                    first = first or answer
                    self.assertEqual(answer, first)

    def test_log_probs_are_transformers(self):
        ours = score("float32", [])["log_probs"]
        worst = max(abs(a - b)
                    for a, b in zip(ours, ANSWERS["first_log_probs"]))
        self.assertLess(worst, 1e-3)

    def test_greedy_ids_are_transformers(self):
        for name, flags in SETTINGS.items():
            for golden in ANSWERS["generations"]:
                with self.subTest(setting=name, prompt=golden["prompt"]):
                    answer = json.loads(run_client(
                        PROGRAMS, "generate", f"--model_dir={MODEL}",
                        "--dtype=float32", f"--prompt={golden['prompt']}",
                        f"--max_tokens={len(golden['token_ids'])}",
                        "--ignore_eos", "--output=json", *flags).stdout)
                    self.assertEqual(answer["usage"]["prompt_tokens"],
                                     len(golden["prompt_ids"]))
                    self.assert_same(answer["token_ids"], golden)

    def assert_same(self, ids: list[int], golden: dict) -> None:
        self.assertEqual(len(ids), len(golden["token_ids"]))
        for step, (ours, theirs) in enumerate(zip(ids, golden["token_ids"])):
            if ours != theirs:
                self.assertLess(golden["margins"][step], NEAR_TIE)
                return


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
