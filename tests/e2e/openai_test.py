"""OpenAI's own Python package against hybridserve-openai: what it returns is
what `hybridserve generate` and the server's own protocol do.

Usage: openai_test.py PROGRAMS_ROOT
"""

import asyncio
import json
import sys
import time
import typing
import unittest

import openai
from openai.types import completion_create_params as params
from openai.types.chat import completion_create_params as chat_params

from tests.e2e import generated_client as pb
from tests.e2e.openai_case import MESSAGES, NAME, RENDERED, OpenAiCase
from tests.e2e.openai_gateway import OpenAiGateway
from tests.e2e.processes import Programs


class OpenAiTest(OpenAiCase):
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

    def test_what_changes_nothing_in_a_chat_is_taken(self):
        expected = self.chat(temperature=0)
        named = [{**message, "name": "Ann"} for message in MESSAGES]
        named[2]["tool_calls"] = []
        done = self.client.chat.completions.create(
            model=NAME, messages=named, max_tokens=12, temperature=0,
            safety_identifier="a", prompt_cache_key="b",
            prompt_cache_retention="24h", prompt_cache_options={"ttl": "30m"},
            store=False, metadata={}, service_tier="auto",
            parallel_tool_calls=True)
        self.assertEqual(done.choices, expected.choices)
        self.assertEqual(done.usage, expected.usage)
        # An answer goes back as it came.
        answer = expected.choices[0].message
        again = self.client.chat.completions.create(
            model=NAME, max_tokens=2,
            messages=[*MESSAGES, answer, {"role": "user", "content": "And?"}])
        self.assertEqual(len(again.choices), 1)
        for field, value in [("store", True), ("metadata", {"a": "b"}),
                             ("service_tier", "flex")]:
            error = self.assert_bad(lambda: self.chat(**{field: value}),
                                    openai.BadRequestError, field)
            self.assertIn("is not supported", error.message)

    def test_every_field_of_the_package_is_known(self):
        for path, typed in [
                ("/v1/completions", params.CompletionCreateParamsStreaming),
                ("/v1/chat/completions",
                 chat_params.CompletionCreateParamsStreaming)]:
            fields = typing.get_type_hints(typed)
            self.assertIn("stream_options", fields)
            for field in fields:
                with self.subTest(path=path, field=field):
                    response, body = self.gateway.request(
                        "POST", path, {field: [{"no": "such"}]})
                    self.assertEqual(response.status, 400)
                    self.assertTrue(
                        body["error"]["param"].startswith(field), body)
                    self.assertNotEqual(body["error"]["message"],
                                        f"{field}: is unknown")

    def test_without_a_template_there_are_no_chats(self):
        with OpenAiGateway(self.programs, self.cluster) as gateway:
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
            ("logprobs", {"logprobs": 6}),
            ("presence_penalty", {"presence_penalty": 3}),
            ("frequency_penalty", {"frequency_penalty": "much"}),
            ("repetition_penalty", {"extra_body": {"repetition_penalty": 0}}),
            ("logprobs", {"logprobs": 2, "echo": True}),
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
        # Also where nothing is generated.
        for param, fields in cases:
            if param in ("max_tokens", "prompt", "priority"):
                continue
            with self.subTest(param, max_tokens=0):
                again = self.assert_bad(
                    lambda: self.complete(**{"max_tokens": 0, "echo": True,
                                             **fields}),
                    openai.BadRequestError, param)
                self.assertIn(f"{param}: ", again.message)
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


if __name__ == "__main__":
    OpenAiCase.programs = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
