"""Log-probabilities by OpenAI's own Python package from hybridserve-openai:
they are what the server's own protocol gives.

Usage: openai_log_probs_test.py PROGRAMS_ROOT
"""

import sys
import unittest

import openai

from tests.e2e import generated_client as pb
from tests.e2e.openai_case import RENDERED, OpenAiCase
from tests.e2e.processes import Programs


class OpenAiLogProbsTest(OpenAiCase):
    def test_log_probs_are_the_servers(self):
        request = pb.request(pb.inference.GenerateRequest, prompt="Once",
                             max_tokens=12)
        request.response.log_probs = True
        expected = self.protocol.inference.Generate(request)
        for top in (0, 1):  # Greedy: the chosen one is the likeliest.
            choice = self.complete(temperature=0, logprobs=top).choices[0]
            log_probs = choice.logprobs
            self.assertEqual(
                [round(p, 4) for p in log_probs.token_logprobs],
                [round(p, 4) for p in expected.log_probs])
            texts = [self.protocol.inference.Detokenize(
                pb.inference.DetokenizeRequest(
                    token_ids=[token], skip_special_tokens=False)).text
                for token in expected.token_ids]
            self.assertEqual(log_probs.tokens, texts)
            self.assertEqual(log_probs.text_offset[0], 0)
            self.assertEqual(log_probs.text_offset,
                             sorted(log_probs.text_offset))
            if top == 1:
                self.assertEqual(
                    [list(entry) for entry in log_probs.top_logprobs],
                    [[text] for text in texts])
            else:
                self.assertIsNone(log_probs.top_logprobs)

    def test_the_likeliest_tokens_are_told(self):
        fields = {"temperature": 1, "seed": 11, "logprobs": 5}
        choice = self.complete(**fields).choices[0]
        found = choice.logprobs
        request = pb.request(pb.inference.GenerateRequest, prompt="Once",
                             max_tokens=12)
        request.sampling.temperature, request.sampling.seed = 1, 11
        request.response.top_log_probs = 5
        expected = self.protocol.inference.Generate(request)
        self.assertEqual(len(found.top_logprobs), 12)
        for place, top in enumerate(found.top_logprobs):
            own = found.token_logprobs[place]
            # Of tokens with the same text the likeliest is there.
            self.assertGreaterEqual(top[found.tokens[place]], own)
            ranked = sorted(top.values(), reverse=True)
            self.assertEqual(ranked[:1],
                             [expected.top_log_probs[place].log_probs[0]])
            # The chosen one comes on top of them where it is not among them.
            self.assertLessEqual(len(top), 6)
            self.assertLessEqual(
                set(top.values()),
                {own, *expected.top_log_probs[place].log_probs})
        chunks = list(self.complete(stream=True, **fields))
        self.assertEqual([top for chunk in chunks
                          if chunk.choices[0].logprobs is not None
                          for top in chunk.choices[0].logprobs.top_logprobs],
                         found.top_logprobs)

    def test_echoed_prompts_have_log_probs(self):
        """What evaluation harnesses ask for."""
        prompt = "Once upon a time, there was"
        tokenized = list(self.protocol.inference.Tokenize(
            pb.inference.TokenizeRequest(text=prompt)).token_ids)
        for given in (prompt, tokenized):
            choice, = self.complete(given, temperature=0, max_tokens=1,
                                    logprobs=1, echo=True).choices
            found = choice.logprobs
            score = self.protocol.inference.Score(
                pb.inference.ScoreRequest(token_ids=pb.generation.TokenIds(
                    ids=tokenized)))
            self.assertEqual(len(found.token_logprobs), len(tokenized) + 1)
            self.assertIsNone(found.token_logprobs[0])
            self.assertIsNone(found.top_logprobs[0])
            self.assertEqual(found.token_logprobs[1:-1],
                             list(score.log_probs))
            # Whether greedy decoding had said the same, as harnesses tell.
            for place, top in enumerate(found.top_logprobs[1:-1]):
                own = found.token_logprobs[place + 1]
                self.assertIn(own, top.values())
                self.assertEqual(max(top.values()),
                                 score.top_log_probs[place])
                if own == max(top.values()):
                    self.assertEqual(score.top_log_probs[place],
                                     score.log_probs[place])
                else:
                    self.assertNotEqual(score.top_token_ids[place],
                                        tokenized[place + 1])
            self.assertTrue(choice.text.startswith(prompt))
            for offset, token in zip(found.text_offset[1:],
                                     found.tokens[1:]):
                self.assertEqual(choice.text[offset:offset + len(token)],
                                 token)
            chunks = list(self.complete(
                given, temperature=0, max_tokens=1, logprobs=1, echo=True,
                stream=True))
            self.assertEqual([p for c in chunks
                              if c.choices[0].logprobs is not None
                              for p in c.choices[0].logprobs.token_logprobs],
                             found.token_logprobs)

    def test_prompts_alone_have_log_probs(self):
        """As harnesses ask that want nothing generated."""
        prompt = "Once upon a time, there was"
        tokenized = list(self.protocol.inference.Tokenize(
            pb.inference.TokenizeRequest(text=prompt)).token_ids)
        more = self.complete(prompt, temperature=0, max_tokens=1, logprobs=1,
                             echo=True).choices[0].logprobs
        for given in (prompt, tokenized):
            done = self.complete(given, max_tokens=0, logprobs=1, echo=True,
                                 n=2)
            self.assertEqual(len(done.choices), 2)
            for choice in done.choices:
                self.assertEqual(choice.text, prompt)
                self.assertEqual(choice.finish_reason, "length")
                self.assertEqual(choice.logprobs.token_logprobs,
                                 more.token_logprobs[:-1])
                self.assertEqual(choice.logprobs.top_logprobs,
                                 more.top_logprobs[:-1])
            self.assertEqual(done.usage.prompt_tokens, len(tokenized))
            self.assertEqual(done.usage.completion_tokens, 0)
            chunks = list(self.complete(given, max_tokens=0, echo=True,
                                        stream=True))
            self.assertEqual("".join(c.choices[0].text for c in chunks),
                             prompt)
            self.assertEqual(chunks[-1].choices[0].finish_reason, "length")
        with self.assertRaises(openai.BadRequestError) as refused:
            self.complete(prompt, max_tokens=0)
        self.assertEqual(refused.exception.param, "max_tokens")

    def test_log_probs_of_chats(self):
        expected = self.complete(RENDERED, temperature=0,
                                 logprobs=0).choices[0].logprobs
        done = self.chat(temperature=0, logprobs=True, top_logprobs=1)
        content = done.choices[0].logprobs.content
        self.assertEqual([t.token for t in content], expected.tokens)
        self.assertEqual([t.logprob for t in content],
                         expected.token_logprobs)
        for token in content:
            self.assertEqual(token.top_logprobs[0].logprob, token.logprob)
            if token.bytes is not None:
                self.assertEqual(bytes(token.bytes).decode(), token.token)
        done = self.chat(temperature=0, logprobs=True, top_logprobs=20)
        for token in done.choices[0].logprobs.content:
            tops = [top.logprob for top in token.top_logprobs]
            self.assertEqual(len(tops), 20)
            self.assertEqual(tops, sorted(tops, reverse=True))
            self.assertEqual(tops[0], token.logprob)


if __name__ == "__main__":
    OpenAiCase.programs = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
