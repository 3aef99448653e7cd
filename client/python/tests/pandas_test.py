"""Batches of Series and DataFrames, and the class for Ray Data without Ray."""

import unittest

import numpy as np
import pandas as pd

from client.python.tests.live_service import LiveServiceTest
from hybridserve import batch
from hybridserve.ray import Generate

PROMPTS = ["In the beginning", "And God said", None, "Größe 数学"]


class PandasTest(LiveServiceTest):
    def setUp(self):
        self.frame = pd.DataFrame(
            {"prompt": PROMPTS, "max_tokens": [2, None, 5, 0],
             "verse": [1, 2, 3, 4]}, index=["a", "b", "b", "c"])

    def text(self, prompt, max_tokens=3):
        return self.client.generate(prompt, max_tokens=max_tokens).text

    def test_results_have_the_labels_of_their_rows(self):
        for rows in (self.frame, self.frame["prompt"]):
            results = list(batch.generate(self.client, rows, max_tokens=3))
            self.assertEqual([result.key for result in results],
                             ["a", "b", "b", "c"])
            self.assertEqual([result.ok for result in results],
                             [True, True, False, True])
            self.assertEqual(results[2].error.fields, ("prompt",))
            self.assertEqual(results[3].get().text, self.text(PROMPTS[3]))

    def test_a_frame_gets_columns(self):
        done = batch.generate_frame(self.client, self.frame, max_tokens=3,
                                    option_columns=["max_tokens"],
                                    prefix="new_")
        self.assertEqual(list(done.columns), [
            "prompt", "max_tokens", "verse", "new_text", "new_finish_reason",
            "new_prompt_tokens", "new_completion_tokens", "new_token_ids",
            "new_error"])
        self.assertEqual(list(done.index), list(self.frame.index))
        self.assertEqual(list(done["new_text"]), [
            self.text(PROMPTS[0], 2), self.text(PROMPTS[1], 3), None, None])
        self.assertEqual(list(done["new_completion_tokens"])[:2], [2, 3])
        self.assertEqual(list(done["new_text"].isna()),
                         list(done["new_error"].notna()))
        self.assertIn("stopping.max_tokens", done["new_error"].iloc[3])
        self.assertEqual([len(ids) for ids in done["new_token_ids"][:2]],
                         [2, 3])
        # The one that was given is as it was.
        self.assertEqual(list(self.frame.columns),
                         ["prompt", "max_tokens", "verse"])

    def test_a_series_becomes_a_frame(self):
        done = batch.generate_frame(self.client, pd.Series(PROMPTS[:2]),
                                    max_tokens=3)
        self.assertEqual(list(done["prompt"]), PROMPTS[:2])
        self.assertEqual(list(done["text"]),
                         [self.text(prompt) for prompt in PROMPTS[:2]])
        self.assertEqual(len(batch.generate_frame(
            self.client, pd.Series([], dtype=object))), 0)

    def test_missing_columns_are_named(self):
        for options in ({"prompt_column": "text"},
                        {"option_columns": ["seed"]}):
            with self.assertRaisesRegex(KeyError, "text|seed"):
                batch.generate_frame(self.client, self.frame, **options)
        with self.assertRaisesRegex(TypeError, "verse"):
            batch.generate_frame(self.client, self.frame,
                                 option_columns=["verse"])
        with self.assertRaisesRegex(TypeError, "rows"):
            batch.generate_frame(self.client, PROMPTS)

    def test_rays_batches_get_columns(self):
        generate = Generate(self.address, option_columns=["max_tokens"],
                            options={"max_tokens": 3})
        arrays = {"prompt": np.array(PROMPTS, dtype=object),
                  "max_tokens": np.array([2, np.nan, 5, 0]),
                  "verse": np.arange(4)}
        for made in (generate(arrays), generate(self.frame.assign(
                prompt=PROMPTS))):
            self.assertEqual(list(made["text"]), [
                self.text(PROMPTS[0], 2), self.text(PROMPTS[1], 3), "", ""])
            self.assertEqual(list(made["completion_tokens"]), [2, 3, 0, 0])
            self.assertEqual([bool(error) for error in made["error"]],
                             [False, False, True, True])
            self.assertEqual(list(made["verse"]), list(arrays["verse"]) if
                             isinstance(made, dict) else [1, 2, 3, 4])
        self.assertEqual(len(generate({"prompt": np.array([], dtype=object),
                                       "max_tokens": np.array([])})["text"]),
                         0)


if __name__ == "__main__":
    unittest.main()
