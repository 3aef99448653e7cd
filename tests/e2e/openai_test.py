"""OpenAI's own Python package against hybridserve-openai: what it returns is
what `hybridserve generate` and the server's own protocol do.

Usage: openai_test.py PROGRAMS_ROOT
"""

import asyncio
import json
import pathlib
import signal
import sys
import tempfile
import time
import unittest

import openai

from tests.e2e import generated_client as pb
from tests.e2e.openai_gateway import OpenAiGateway
from tests.e2e.processes import Cluster, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of random weights: its text is of random bytes, which is what makes it good
# for this.
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
NAME = "pre_norm"
PROGRAMS = None
TEMPLATE = ("{{#MESSAGES}}{{#SYSTEM}}{{CONTENT}}\n{{/SYSTEM}}"
            "{{#USER}}Q: {{CONTENT}}\n{{/USER}}"
            "{{#ASSISTANT}}A: {{CONTENT}}\n{{/ASSISTANT}}{{/MESSAGES}}A:\n")
MESSAGES = [{"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": "{{CONTENT}} Two?"}]
RENDERED = "Be brief.\nQ: One?\nA: 1\nQ: {{CONTENT}} Two?\nA:"
KEYS = """\
alice-key-8d02   tenant=alice roles=inference
gateway-key-5e6a tenant=* roles=inference
control-key-11cc roles=control
worker-key-47c1  roles=worker
"""


class OpenAiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        template = cls.folder / "chat.tpl"
        template.write_text(TEMPLATE)
        cls.cluster = Cluster(PROGRAMS, [[
            f"--model_dir={MODEL}", "--device_memory=min",
            "--dtype=float32"]])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.gateway = OpenAiGateway(PROGRAMS, cls.cluster,
                                    f"--chat_template={template}")
        cls.addClassCleanup(cls.gateway.__exit__)
        cls.client = openai.OpenAI(base_url=cls.gateway.url, api_key="any",
                                   max_retries=0, timeout=120)
        cls.addClassCleanup(cls.client.close)
        cls.protocol = pb.Client(cls.cluster.address)
        cls.addClassCleanup(cls.protocol.__exit__)

    def complete(self, prompt="Once", **fields):
        return self.client.completions.create(
            model=NAME, prompt=prompt, **{"max_tokens": 12, **fields})

    def chat(self, **fields):
        return self.client.chat.completions.create(
            model=NAME, messages=MESSAGES, **{"max_tokens": 12, **fields})

    def generate(self, prompt: str, *flags: str) -> dict:
        """What the command line makes of it."""
        done = self.cluster.client("generate", f"--prompt={prompt}",
                                   "--output=json", *flags)
        return json.loads(done.stdout)

    def assert_bad(self, call, kind, param=None, code=None):
        with self.assertRaises(kind) as raised:
            call()
        self.assertEqual(raised.exception.param, param, raised.exception)
        self.assertEqual(raised.exception.code, code)
        self.assertEqual(raised.exception.type, "invalid_request_error")
        return raised.exception

    # Completions.

    def test_a_completion_is_what_generate_prints(self):
        for sampling, flags in [
                ({"temperature": 0}, []),
                ({"temperature": 0.9, "top_p": 0.8, "seed": 7},
                 ["--temperature=0.9", "--top_p=0.8", "--seed=7"]),
                ({"seed": 7}, ["--temperature=1", "--seed=7"])]:
            with self.subTest(sampling):
                expected = self.generate("Once", "--max_tokens=12", *flags)
                done = self.complete(**sampling)
                self.assertEqual(done.object, "text_completion")
                self.assertEqual(done.model, NAME)
                self.assertTrue(done.id.startswith("cmpl-"))
                self.assertLess(abs(done.created - time.time()), 600)
                choice, = done.choices
                self.assertEqual(choice.text, expected["text"])
                self.assertEqual(choice.finish_reason,
                                 expected["finish_reason"])
                usage = expected["usage"]
                self.assertEqual(done.usage.prompt_tokens,
                                 usage["prompt_tokens"])
                self.assertEqual(done.usage.completion_tokens,
                                 usage["completion_tokens"])
                self.assertEqual(
                    done.usage.total_tokens,
                    usage["prompt_tokens"] + usage["completion_tokens"])

    def test_the_default_is_16_tokens_at_temperature_1(self):
        done = self.client.completions.create(
            model=NAME, prompt="Once", seed=3,
            extra_body={"ignore_eos": True})
        self.assertEqual(done.usage.completion_tokens, 16)
        self.assertEqual(
            done.choices[0].text,
            self.generate("Once", "--max_tokens=16", "--temperature=1",
                          "--seed=3", "--ignore_eos")["text"])

    def test_several_prompts_of_all_forms(self):
        ids = [list(self.protocol.inference.Tokenize(
            pb.inference.TokenizeRequest(text=text)).token_ids)
            for text in ("Once", "Twice")]
        texts = self.complete(["Once", "Twice"], temperature=0)
        both = self.complete(ids, temperature=0)
        one = self.complete(ids[1], temperature=0)
        self.assertEqual([c.index for c in texts.choices], [0, 1])
        self.assertEqual([c.text for c in texts.choices],
                         [c.text for c in both.choices])
        self.assertEqual(one.choices[0].text, texts.choices[1].text)
        self.assertNotEqual(texts.choices[0].text, texts.choices[1].text)
        self.assertEqual(texts.usage.prompt_tokens,
                         len(ids[0]) + len(ids[1]))

    def test_seeds_repeat_and_choices_differ(self):
        first = self.complete(n=3, seed=5)
        again = self.complete(n=3, seed=5)
        texts = [choice.text for choice in first.choices]
        self.assertEqual(texts, [choice.text for choice in again.choices])
        self.assertEqual(len(set(texts)), 3)
        # The first is the one that would be there without the others.
        self.assertEqual(self.complete(seed=5).choices[0].text, texts[0])
        alone = self.complete(["Twice", "Once"], n=3, seed=5)
        self.assertEqual([c.text for c in alone.choices[3:]], texts)
        # A prompt counts once.
        self.assertEqual(first.usage.prompt_tokens,
                         self.complete().usage.prompt_tokens)
        self.assertEqual(
            len({self.complete().choices[0].text for _ in range(4)}), 4)

    def test_stop_texts_end_the_output(self):
        whole = self.complete(temperature=0, max_tokens=40,
                              extra_body={"ignore_eos": True})
        text = whole.choices[0].text
        stop = text[len(text) // 2:len(text) // 2 + 2]
        for form in (stop, ["never there", stop]):
            done = self.complete(temperature=0, max_tokens=40, stop=form,
                                 extra_body={"ignore_eos": True})
            self.assertEqual(done.choices[0].text, text[:text.index(stop)])
            self.assertEqual(done.choices[0].finish_reason, "stop")
        self.assertEqual(whole.choices[0].finish_reason, "length")

    def test_prompts_are_echoed(self):
        plain = self.complete(temperature=0).choices[0].text
        self.assertEqual(
            self.complete(temperature=0, echo=True).choices[0].text,
            "Once" + plain)
        ids = self.protocol.inference.Tokenize(
            pb.inference.TokenizeRequest(text="Once")).token_ids
        self.assertEqual(self.complete(list(ids), temperature=0,
                                       echo=True).choices[0].text,
                         "Once" + plain)
        chunks = list(self.complete(temperature=0, echo=True, stream=True))
        self.assertEqual("".join(c.choices[0].text for c in chunks),
                         "Once" + plain)

    def test_penalties_and_biases_are_the_servers(self):
        request = pb.request(pb.inference.GenerateRequest, prompt="Once",
                             max_tokens=40)
        request.stopping.ignore_eos = True
        fields = {"presence_penalty": 0.5, "frequency_penalty": -0.25}
        bias = {"262": 2, "5": -100}
        request.sampling.repetition_penalty = 1.3
        for name, value in fields.items():
            setattr(request.sampling, name, value)
        for token, value in bias.items():
            request.sampling.logit_bias[int(token)] = value
        expected = self.protocol.inference.Generate(request).text
        plain, changed = (
            self.complete(temperature=0, max_tokens=40, **more).choices[0].text
            for more in (
                {"extra_body": {"ignore_eos": True}},
                {**fields, "logit_bias": bias,
                 "extra_body": {"ignore_eos": True,
                                "repetition_penalty": 1.3}}))
        self.assertEqual(changed, expected)
        self.assertNotEqual(changed, plain)

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

    def test_log_probs_are_the_servers(self):
        request = pb.request(pb.inference.GenerateRequest, prompt="Once",
                             max_tokens=12)
        request.response.log_probs = True
        expected = self.protocol.inference.Generate(request)
        for top in (0, 1):
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

    # Streams.

    def test_a_stream_is_the_whole_in_parts(self):
        for seed in range(3):
            whole = self.complete(seed=seed, max_tokens=30)
            chunks = list(self.complete(seed=seed, max_tokens=30, stream=True))
            self.assertEqual("".join(c.choices[0].text for c in chunks),
                             whole.choices[0].text)
            self.assertEqual(len({chunk.id for chunk in chunks}), 1)
            self.assertEqual(chunks[-1].choices[0].finish_reason,
                             whole.choices[0].finish_reason)
            self.assertTrue(all(c.choices[0].finish_reason is None
                                for c in chunks[:-1]))
            self.assertTrue(all(c.usage is None for c in chunks))

    def test_a_stream_of_several_choices_with_usage(self):
        whole = self.complete(["Once", "Twice"], n=2, seed=1)
        chunks = list(self.complete(
            ["Once", "Twice"], n=2, seed=1, stream=True,
            stream_options={"include_usage": True}))
        texts = ["", "", "", ""]
        for chunk in chunks[:-1]:
            choice, = chunk.choices
            texts[choice.index] += choice.text
        self.assertEqual(texts, [c.text for c in whole.choices])
        self.assertEqual(chunks[-1].choices, [])
        self.assertEqual(chunks[-1].usage, whole.usage)

    def test_characters_are_never_split(self):
        # Random bytes: characters of several tokens, and bytes that are none.
        prompt = "\u20ac\u00e9\U0001f600 \u65e5\u672c"
        found = ""
        for seed in range(6):
            chunks = list(self.complete(prompt, seed=seed, max_tokens=60,
                                        stream=True, echo=True))
            text = "".join(c.choices[0].text for c in chunks)
            self.assertTrue(text.startswith(prompt))
            # JSON could carry halves of a surrogate pair.
            text.encode("utf-8")
            self.assertEqual(
                text[len(prompt):],
                self.generate(prompt, "--max_tokens=60", "--temperature=1",
                              f"--seed={seed}")["text"])
            found += text[len(prompt):]
        self.assertTrue(any(ord(c) > 127 and c != "\ufffd" for c in found),
                        found)

    def test_the_event_stream_byte_by_byte(self):
        body = json.dumps({"model": NAME, "prompt": "Once", "stream": True,
                           "max_tokens": 3}).encode()
        status, data = self.gateway.raw(
            b"POST /v1/completions HTTP/1.1\r\nHost: x\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body)
        self.assertEqual(status, 200)
        events = data.split(b"\n\n")
        self.assertEqual(events[-2:], [b"data: [DONE]", b""])
        for event in events[:-2]:
            self.assertTrue(event.startswith(b"data: {"), event)
            json.loads(event[len(b"data: "):].decode("utf-8"))

    # Chats.

    def test_a_chat_is_its_templates_prompt(self):
        expected = self.complete(RENDERED, temperature=0)
        done = self.chat(temperature=0)
        self.assertEqual(done.object, "chat.completion")
        self.assertEqual(done.choices[0].message.role, "assistant")
        self.assertEqual(done.choices[0].message.content,
                         expected.choices[0].text)
        self.assertEqual(done.usage, expected.usage)
        chunks = list(self.chat(temperature=0, stream=True,
                                stream_options={"include_usage": True}))
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual("".join(c.choices[0].delta.content or ""
                                 for c in chunks[:-1]),
                         expected.choices[0].text)
        self.assertEqual(chunks[-1].usage, expected.usage)

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

    def test_without_a_template_there_are_no_chats(self):
        with OpenAiGateway(PROGRAMS, self.cluster) as gateway:
            client = self.client.with_options(base_url=gateway.url)
            error = self.assert_bad(
                lambda: client.chat.completions.create(
                    model=NAME, messages=MESSAGES),
                openai.BadRequestError, "model")
            self.assertIn("chat template", error.message)

    # Models, many at once, errors.

    def test_models(self):
        model, = self.client.models.list().data
        self.assertEqual(model.id, NAME)
        self.assertEqual(model.object, "model")
        self.assertEqual(self.client.models.retrieve(NAME), model)
        self.assertEqual(model.max_model_len,
                         self.protocol.models.GetModel(
                             pb.model.GetModelRequest()).model.limits
                         .max_sequence_tokens)
        self.assert_bad(lambda: self.client.models.retrieve("other"),
                        openai.NotFoundError, code="model_not_found")

    def test_many_at_once(self):
        alone = [self.complete(seed=i).choices[0].text for i in range(24)]

        async def all_at_once() -> list[str]:
            async with openai.AsyncOpenAI(
                    base_url=self.gateway.url, api_key="any", max_retries=0,
                    timeout=300) as client:
                async def one(i: int) -> str:
                    result = await client.completions.create(
                        model=NAME, prompt="Once", max_tokens=12, seed=i,
                        stream=i % 2 == 0)
                    if i % 2:
                        return result.choices[0].text
                    return "".join([c.choices[0].text async for c in result])
                return await asyncio.gather(*map(one, range(24)))

        self.assertEqual(asyncio.run(all_at_once()), alone)

    def test_bad_fields_are_named(self):
        cases = [
            ("max_tokens", {"max_tokens": 0}),
            ("max_tokens", {"max_tokens": 100000}),
            ("max_tokens", {"max_tokens": "many"}),
            ("temperature", {"temperature": -1}),
            ("top_p", {"top_p": 2}),
            ("top_k", {"extra_body": {"top_k": -1}}),
            ("priority", {"extra_body": {"priority": 1000}}),
            ("stop", {"stop": [""]}),
            ("stop", {"stop": [str(i) for i in range(17)]}),
            ("n", {"n": 0}),
            ("logprobs", {"logprobs": 5}),
            ("presence_penalty", {"presence_penalty": 3}),
            ("frequency_penalty", {"frequency_penalty": "much"}),
            ("repetition_penalty", {"extra_body": {"repetition_penalty": 0}}),
            ("logprobs", {"logprobs": 1, "temperature": 0,
                          "presence_penalty": 1}),
            ("logit_bias", {"logit_bias": {"5": 101}}),
            ("logit_bias", {"logit_bias": {str(10**6): 1}}),
            ("prompt", {"prompt": [10**6]}),
            ("prompt", {"prompt": "long " * 1000}),
            ("max_tokns", {"extra_body": {"max_tokns": 1}}),
        ]
        for param, fields in cases:
            with self.subTest(param):
                error = self.assert_bad(lambda: self.complete(**fields),
                                        openai.BadRequestError, param)
                self.assertIn(f"{param}: ", error.message)
        self.assert_bad(lambda: self.chat(extra_body={"tools": [{}]}),
                        openai.BadRequestError, "tools")
        # What the server refuses is named as the body has it.
        self.assert_bad(
            lambda: self.client.chat.completions.create(
                model=NAME,
                messages=[{"role": "user", "content": "long " * 1000}]),
            openai.BadRequestError, "messages")

    def test_an_unknown_model_is_not_found(self):
        for stream in (False, True):
            error = self.assert_bad(
                lambda: self.client.completions.create(
                    model="other", prompt="Once", stream=stream),
                openai.NotFoundError, code="model_not_found")
            self.assertIn("other", error.message)

    def test_ids_and_traces_are_passed_on(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        raw = self.client.completions.with_raw_response.create(
            model=NAME, prompt="Once", max_tokens=1, extra_headers={
                "X-Request-Id": "mine-1",
                "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
        self.assertEqual(raw.headers["x-request-id"], "mine-1")
        self.assertRegex(self.cluster.scheduler.log(),
                         rf"request finished: request_id=mine-1-\w+ .*{trace}")
        self.assertRegex(
            self.gateway.process.log(),
            r"request finished: request_id=mine-1 endpoint=/v1/completions "
            r"status=200 prompt_tokens=\d+ completion_tokens=1 ")
        made = self.client.completions.with_raw_response.create(
            model=NAME, prompt="Once", max_tokens=1)
        self.assertRegex(made.headers["x-request-id"], "^req-[0-9a-f]{16}$")


class KeysTest(unittest.TestCase):
    """A scheduler that wants API keys."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        keys = pathlib.Path(folder.name) / "keys"
        keys.write_text(KEYS)
        worker_key = pathlib.Path(folder.name) / "worker_key"
        worker_key.write_text("worker-key-47c1\n")
        cls.cluster = Cluster(
            PROGRAMS, [[f"--model_dir={MODEL}", "--device_memory=min",
                        "--dtype=float32", f"--api_key_file={worker_key}"]],
            [f"--api_keys={keys}"])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.gateway = OpenAiGateway(PROGRAMS, cls.cluster,
                                    "--tenant_from_user")
        cls.addClassCleanup(cls.gateway.__exit__)

    def complete(self, key: str, **fields):
        with openai.OpenAI(base_url=self.gateway.url, api_key=key,
                           max_retries=0, timeout=120) as client:
            return client.completions.create(
                model=NAME, prompt="Xanadu", max_tokens=2, **fields)

    def test_keys_are_the_servers(self):
        self.complete("alice-key-8d02")
        for key in ("guessed", 5000 * "x"):
            with self.assertRaises(openai.AuthenticationError) as raised:
                self.complete(key)
            self.assertEqual(raised.exception.code, "invalid_api_key")
            self.assertEqual(
                raised.exception.response.headers["www-authenticate"],
                "Bearer")
        with self.assertRaises(openai.PermissionDeniedError):
            self.complete("control-key-11cc")
        response, body = self.gateway.request(
            "POST", "/v1/completions", {"model": NAME, "prompt": "a"})
        self.assertEqual(response.status, 401)
        self.assertEqual(body["error"]["code"], "invalid_api_key")
        response, _ = self.gateway.request("GET", "/v1/models")
        self.assertEqual(response.status, 401)
        # Health needs none.
        response, _ = self.gateway.request("GET", "/health")
        self.assertEqual(response.status, 200)

    def test_users_are_tenants_where_the_key_may_name_them(self):
        self.complete("gateway-key-5e6a", user="bob")
        self.complete("alice-key-8d02", user="alice")
        with self.assertRaises(openai.PermissionDeniedError):
            self.complete("alice-key-8d02", user="bob")
        with self.assertRaises(openai.BadRequestError) as raised:
            self.complete("gateway-key-5e6a", user="b o b")
        self.assertEqual(raised.exception.param, "user")

    def test_logs_hold_neither_keys_nor_prompts(self):
        self.complete("alice-key-8d02")
        with self.assertRaises(openai.AuthenticationError):
            self.complete("guessed-key-0000")
        log = self.gateway.process.log()
        self.assertIn("request finished", log)
        for secret in ("alice-key-8d02", "guessed-key-0000", "Xanadu"):
            self.assertNotIn(secret, log)


class BusyTest(unittest.TestCase):
    """A scheduler with room for nobody."""

    def test_a_full_queue_and_no_worker_say_when_to_come_back(self):
        with Cluster(PROGRAMS, [[
                f"--model_dir={MODEL}", "--device_memory=min",
                "--dtype=float32", "--link_bandwidth=1MB/s"]],
                ["--max_running=1", "--max_queue_requests=1"]) as cluster:
            with OpenAiGateway(PROGRAMS, cluster) as gateway:
                client = openai.OpenAI(base_url=gateway.url, api_key="any",
                                       max_retries=0, timeout=120)
                self.addCleanup(client.close)

                def stream():
                    return client.completions.create(
                        model=NAME, prompt="Once", max_tokens=200, stream=True,
                        extra_body={"ignore_eos": True})

                running = stream()
                next(iter(running))
                # Accepted, so the server takes it; it waits.
                waiting = stream()
                with self.assertRaises(openai.RateLimitError) as raised:
                    stream()
                self.assertEqual(raised.exception.code, "rate_limit_exceeded")
                self.assertGreaterEqual(
                    int(raised.exception.response.headers["retry-after"]), 1)
                # What ran waits now as well, for a worker to come back.
                cluster.workers[0].stop(signal.SIGKILL)
                deadline = time.monotonic() + 60
                while True:
                    with self.assertRaises(openai.APIStatusError) as raised:
                        stream()
                    if raised.exception.status_code == 503:
                        break
                    self.assertEqual(raised.exception.status_code, 429)
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.1)
                self.assertEqual(raised.exception.code, "unavailable")
                self.assertGreaterEqual(
                    int(raised.exception.response.headers["retry-after"]), 1)
                for one in (running, waiting):
                    one.close()


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
