"""What both clients do with the live service."""

import asyncio
import concurrent.futures
import os
import pathlib
import pickle
import subprocess
import sys

import grpc

import hybridserve
from client.python.tests.live_service import (PROGRAMS, LiveServiceTest,
                                              each_client)
from hybridserve import (Accepted, Finished, FinishReason, HealthStatus,
                         TokenOutput)

PROMPTS = ["In the beginning", "Größe 数学 🜁 naïve", " \t\n", "And God said"]


class PackageTest(LiveServiceTest):
    def test_it_is_the_installed_one_and_of_the_programs_version(self):
        prefix = os.environ["HYBRIDSERVE_TEST_PREFIX"]
        self.assertTrue(pathlib.Path(hybridserve.__file__).is_relative_to(
            prefix), hybridserve.__file__)
        self.assertEqual(sys.prefix, prefix)
        printed = subprocess.run([PROGRAMS.client, "--version"], check=True,
                                 capture_output=True, text=True).stdout
        self.assertIn(hybridserve.__version__, printed.split())
        self.assertEqual(self.client.server_info().version,
                         hybridserve.__version__)

    def test_it_goes_together_with_others_google_rpc_and_health(self):
        """A pool of protobuf takes each name from one file only."""
        script = """
from google.protobuf import descriptor_pb2, descriptor_pool
import hybridserve
pool = descriptor_pool.Default()
for name, package, message in [
        ("google/rpc/status.proto", "google.rpc", "Status"),
        ("google/rpc/error_details.proto", "google.rpc", "RetryInfo"),
        ("grpc_health/v1/health.proto", "grpc.health.v1",
         "HealthCheckRequest")]:
    file = descriptor_pb2.FileDescriptorProto(name=name, package=package)
    file.message_type.add(name=message)
    pool.AddSerializedFile(file.SerializeToString())
"""
        subprocess.run([sys.executable, "-c", script], check=True)


class GenerateTest(LiveServiceTest):
    """Every test for both clients."""

    def assert_refused(self, call, field):
        with self.assertRaises(hybridserve.InvalidArgumentError) as raised:
            call()
        self.assertEqual(raised.exception.fields, (field,))
        self.assertEqual(raised.exception.code,
                         grpc.StatusCode.INVALID_ARGUMENT)
        return raised.exception

    @each_client
    def test_generates(self, client):
        done = client.generate(PROMPTS[0], max_tokens=9, ignore_eos=True)
        self.assertEqual(len(done.token_ids), 9)
        self.assertEqual(done.usage.completion_tokens, 9)
        self.assertGreater(done.usage.prompt_tokens, 1)
        self.assertEqual(done.finish_reason, FinishReason.LENGTH)
        self.assertEqual(str(done.finish_reason), "length")
        self.assertIsNone(done.log_probs)
        self.assertTrue(done.text)
        self.assertTrue(done.request_id)

    @each_client
    def test_tells_the_likeliest_tokens(self, client):
        done = client.generate(PROMPTS[0], max_tokens=6, log_probs=True,
                               top_log_probs=5, temperature=1, seed=3)
        self.assertEqual([len(top) for top in done.top_log_probs],
                         [5] * len(done.token_ids))
        prompt = client.tokenize(PROMPTS[0])
        for place, top in enumerate(done.top_log_probs):
            self.assertEqual(list(top),
                             sorted(top, key=lambda t: -t.log_prob))
            for token in top:  # By another way through the model.
                score = client.score(
                    token_ids=[*prompt, *done.token_ids[:place],
                               token.token_id])
                self.assertEqual(score.log_probs[-1], token.log_prob)
                self.assertEqual(score.top_token_ids[-1], top[0].token_id)
        with client.stream(PROMPTS[0], max_tokens=6, top_log_probs=5,
                           temperature=1, seed=3) as stream:
            self.assertEqual(stream.result().top_log_probs,
                             done.top_log_probs)
        self.assertIsNone(client.generate(PROMPTS[0], max_tokens=1)
                          .top_log_probs)

    @each_client
    def test_streams_what_it_generates(self, client):
        for prompt in PROMPTS:
            whole = client.generate(prompt, max_tokens=24, log_probs=True)
            with client.stream(prompt, max_tokens=24,
                               log_probs=True) as stream:
                events = list(stream)
            self.assertIsInstance(events[0], Accepted)
            self.assertEqual(events[0].request_id, stream.request_id)
            self.assertIsInstance(events[-1], Finished)
            outputs = events[1:-1]
            self.assertEqual({type(event) for event in outputs},
                             {TokenOutput})
            self.assertEqual("".join(each.text for each in outputs),
                             whole.text)
            self.assertEqual([token for each in outputs
                              for token in each.token_ids],
                             whole.token_ids)
            self.assertEqual(len(whole.log_probs), len(whole.token_ids))
            streamed = stream.result()
            self.assertEqual(streamed.log_probs, whole.log_probs)
            self.assertEqual(streamed.usage, whole.usage)
            self.assertEqual(streamed.text, whole.text)
            self.assertEqual(streamed.finish_reason, whole.finish_reason)
            self.assertEqual("".join(client.stream(
                prompt, max_tokens=24).texts()), whole.text)

    @each_client
    def test_the_clients_agree_with_the_program(self, client):
        printed = self.cluster.client("generate", f"--prompt={PROMPTS[1]}",
                                      "--max_tokens=24").stdout
        done = client.generate(PROMPTS[1], max_tokens=24)
        self.assertEqual(done.text, printed.removesuffix("\n"))

    @each_client
    def test_unset_differs_from_zero(self, client):
        self.assertEqual(len(client.generate(
            PROMPTS[0], ignore_eos=True).token_ids), 128)
        self.assert_refused(lambda: client.generate(
            PROMPTS[0], max_tokens=0), "stopping.max_tokens")
        self.assert_refused(lambda: client.generate(
            PROMPTS[0], top_p=0), "sampling.top_p")
        zero = client.generate(PROMPTS[0], temperature=0, top_k=0, seed=0,
                               min_tokens=0, max_tokens=8)
        self.assertEqual(zero.token_ids, client.generate(
            PROMPTS[0], max_tokens=8).token_ids)

    @each_client
    def test_draws_are_repeatable_by_their_seed(self, client):
        draws = [client.generate(PROMPTS[0], temperature=1.5, seed=seed,
                                 max_tokens=24).token_ids
                 for seed in (7, 7, 2**64 - 1)]
        self.assertEqual(draws[0], draws[1])
        self.assertNotEqual(draws[0], draws[2])

    @each_client
    def test_penalties_and_biases_change_what_is_said(self, client):
        def ids(**options):
            return client.generate(PROMPTS[0], max_tokens=24,
                                   ignore_eos=True, **options).token_ids

        plain = ids()
        self.assertEqual(ids(presence_penalty=0, frequency_penalty=0,
                             repetition_penalty=1, logit_bias={}), plain)
        for change in ({"presence_penalty": 2}, {"frequency_penalty": 2},
                       {"repetition_penalty": 2.0},
                       {"logit_bias": {plain[0]: -100}}):
            self.assertNotEqual(ids(**change), plain)
        self.assertEqual(set(ids(logit_bias={9: 100})), {9})
        for wrong in ({5: "much"}, {"5": 1}, [5]):
            with self.assertRaisesRegex(TypeError, "logit_bias"):
                ids(logit_bias=wrong)

    @each_client
    def test_stops_at_texts_and_ids(self, client):
        whole = client.generate(PROMPTS[0], max_tokens=24,
                                ignore_eos=True)
        word = whole.text.split()[3]
        stopped = client.generate(PROMPTS[0], max_tokens=24, stop=word)
        self.assertEqual(stopped.text, whole.text.split(word)[0])
        self.assertEqual(stopped.stop_match, word)
        self.assertEqual(stopped.finish_reason, FinishReason.STOP)
        ended = client.generate(PROMPTS[0], max_tokens=24,
                                stop=["no such text", whole.token_ids[5]])
        self.assertEqual(ended.stop_match, whole.token_ids[5])
        self.assertEqual(ended.token_ids[-1], whole.token_ids[5])

    @each_client
    def test_scores_and_tokenizes(self, client):
        for text in PROMPTS:
            ids = client.tokenize(text, add_special_tokens=False)
            self.assertEqual(client.detokenize(ids), text)
            self.assertEqual(len(client.tokenize(text)), len(ids) + 1)
            score = client.score(text)
            self.assertEqual(score.token_ids, client.tokenize(text))
            self.assertEqual(len(score.log_probs), len(ids))
            self.assertEqual(client.score(
                token_ids=score.token_ids).log_probs, score.log_probs)
            self.assertGreater(score.perplexity, 1)
        done = client.generate(PROMPTS[0], max_tokens=8, log_probs=True)
        whole = client.score(token_ids=client.tokenize(PROMPTS[0])
                             + done.token_ids)
        for scored, generated in zip(whole.log_probs[-8:], done.log_probs):
            self.assertAlmostEqual(scored, generated, places=4)

    @each_client
    def test_tells_models_load_and_health(self, client):
        [model] = client.models()
        self.assertEqual(model.name, "demo")
        self.assertEqual(client.model(), model)
        self.assertEqual(client.model("demo"), model)
        self.assertEqual(client.health(), HealthStatus.SERVING)
        self.assertEqual(client.health("demo"), HealthStatus.SERVING)
        with self.assertRaises(hybridserve.NotFoundError):
            client.health("no such service")
        self.assertEqual([worker.model for worker in client.load().workers],
                         ["demo"])
        self.assertFalse(client.server_info().draining)
        loads = self.client.watch_load(interval=0.1)
        self.assertEqual([len(next(loads).workers) for _ in range(3)],
                         [1, 1, 1])
        loads.close()
        self.assertEqual(list(loads), [])

    @each_client
    def test_errors_say_what_and_whose(self, client):
        with self.assertRaises(hybridserve.NotFoundError) as raised:
            client.generate(PROMPTS[0], model="none", request_id="mine")
        error = raised.exception
        self.assertEqual(error.status.resource,
                         hybridserve.Resource("model", "none"))
        self.assertEqual((error.request_id, error.attempts), ("mine", 1))
        self.assertIn("NOT_FOUND", str(error))
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(copy), copy.status), (type(error),
                                                     error.status))
        with self.assertRaises(hybridserve.NotFoundError):
            list(client.stream(PROMPTS[0], model="none"))
        with self.assertRaises(hybridserve.NotFoundError):
            client.abort("nobody's")

    @each_client
    def test_bad_fields_are_named(self, client):
        bad = [
            ("sampling.temperature", {"temperature": -1}),
            ("sampling.temperature", {"temperature": float("nan")}),
            ("sampling.top_p", {"top_p": 1.5}),
            ("sampling.top_k", {"top_k": -1}),
            ("sampling.presence_penalty", {"presence_penalty": -2.5}),
            ("sampling.frequency_penalty", {"frequency_penalty": 3}),
            ("sampling.repetition_penalty", {"repetition_penalty": 0}),
            ("sampling.logit_bias", {"logit_bias": {5: 200}}),
            ("sampling.logit_bias", {"logit_bias": {2**31: 1}}),
            ("sampling.logit_bias", {"logit_bias": {-1: 1}}),
            ("stopping.max_tokens", {"max_tokens": 100_000}),
            ("stopping.min_tokens", {"min_tokens": 9, "max_tokens": 8}),
            ("priority", {"priority": 101}),
            ("request_id", {"request_id": 200 * "x"}),
            # What the protocol cannot carry.
            ("sampling.top_k", {"top_k": 2**40}),
            ("sampling.seed", {"seed": -1}),
            ("stopping.max_tokens", {"max_tokens": -1}),
            ("stopping.conditions[1].text", {"stop": ["a", "\ud800"]}),
            ("generation_config", {"generation_config": "all"}),
            ("tenant", {"tenant": "ß"}),
        ]
        for field, options in bad:
            with self.subTest(**options):
                self.assert_refused(lambda: client.generate(
                    PROMPTS[0], **options), field)
                self.assert_refused(lambda: list(client.stream(
                    PROMPTS[0], **options)), field)
        self.assert_refused(lambda: client.generate("\udc80"), "prompt")
        self.assert_refused(lambda: client.generate(token_ids=[4096]),
                            "token_ids")
        self.assert_refused(lambda: client.generate(token_ids=[-1]),
                            "token_ids")
        with self.assertRaises(hybridserve.InvalidArgumentError):
            client.generate(token_ids=[])
        self.assertTrue(client.generate("ok", max_tokens=1).request_id)

    @each_client
    def test_values_of_another_type_are_named(self, client):
        wrong = {"temperature": "hot", "max_tokens": 2.5, "top_k": True,
                 "ignore_eos": 1, "stop": 1.5, "model": 3, "timeout": "soon",
                 "tenant": 5}
        for name, value in wrong.items():
            with self.subTest(name), self.assertRaisesRegex(
                    TypeError,
                    "conditions" if name == "stop" else name):
                client.generate(PROMPTS[0], **{name: value})
        for prompt, more, named in [
                (None, {}, "prompt and token_ids"),
                ("A", {"token_ids": [5]}, "prompt and token_ids"),
                (b"A", {}, "prompt"), (5, {}, "prompt"),
                (None, {"token_ids": "12"}, "token_ids"),
                (None, {"token_ids": [1.5]}, "token_ids"),
                ("A", {"max_token": 5}, "'max_token'")]:
            with self.assertRaisesRegex(TypeError, named):
                client.generate(prompt, **more)

    def test_a_closed_client_says_so(self):
        client = hybridserve.Client(self.address)
        stream = client.stream(PROMPTS[0])
        client.close()
        client.close()
        for call in (lambda: client.generate("A"), lambda: next(stream)):
            with self.assertRaisesRegex(hybridserve.HybridServeError,
                                        "closed"):
                call()

        async def run():
            async with hybridserve.AsyncClient(self.address) as client:
                await client.generate("A", max_tokens=1)
            await client.generate("A")

        with self.assertRaisesRegex(hybridserve.HybridServeError, "closed"):
            asyncio.run(run())


class ConcurrencyTest(LiveServiceTest):
    def expected(self):
        return {prompt: self.client.generate(prompt, max_tokens=24).text
                for prompt in PROMPTS}

    def test_threads_stream_at_once(self):
        expected = self.expected()
        jobs = 6 * PROMPTS
        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            texts = list(pool.map(
                lambda prompt: "".join(self.client.stream(
                    prompt, max_tokens=24).texts()), jobs))
        self.assertEqual(texts, [expected[prompt] for prompt in jobs])

    def test_tasks_stream_at_once(self):
        expected = self.expected()
        jobs = 6 * PROMPTS

        async def text_of(client, prompt):
            async with client.stream(prompt, max_tokens=24) as stream:
                return "".join([text async for text in stream.texts()])

        async def run():
            async with hybridserve.AsyncClient(self.address) as client:
                return await asyncio.gather(
                    *(text_of(client, prompt) for prompt in jobs))

        self.assertEqual(asyncio.run(run()),
                         [expected[prompt] for prompt in jobs])


if __name__ == "__main__":
    import unittest
    unittest.main()
