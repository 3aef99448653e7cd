"""The service seen from another language: a Python client made of the protos.

Usage: service_test.py PROGRAMS_ROOT
"""

import concurrent.futures
import pathlib
import sys
import time
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
PROGRAMS = None


class ServiceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(PROGRAMS, [[
            f"--model_dir={MODEL}", "--device_memory=min",
            "--dtype=float32"]])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.client = pb.Client(cls.cluster.address)
        cls.addClassCleanup(cls.client.__exit__)

    def wait_until_all_slots_are_free(self):
        deadline = time.monotonic() + 30
        while True:
            load = self.client.control.GetLoad(
                pb.control.GetLoadRequest()).load
            pools = [pool for worker in load.workers for pool in worker.pools]
            if pools and all(pool.free + pool.cached == pool.half_slots
                             for pool in pools):
                return
            self.assertLess(time.monotonic(), deadline, load)
            time.sleep(0.02)

    def assert_refused(self, call, code, field=None):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(raised.exception.code(), code,
                         raised.exception.details())
        if field is not None:
            violations = [
                violation.field
                for bad in pb.details(raised.exception,
                                      pb.error_details.BadRequest)
                for violation in bad.field_violations]
            self.assertEqual(violations, [field],
                             raised.exception.details())
        return raised.exception

    def generate(self, **fields):
        return self.client.inference.Generate(
            pb.request(pb.inference.GenerateRequest, **fields))

    def test_generates(self):
        response = self.generate(prompt="Hello, world", max_tokens=9)
        self.assertEqual(len(response.token_ids), 9)
        self.assertEqual(response.usage.completion_tokens, 9)
        self.assertEqual(response.usage.prompt_tokens, 13)  # With </s>.
        self.assertEqual(response.finish_reason,
                         pb.generation.FINISH_REASON_LENGTH)
        self.assertTrue(response.request_id)

    def test_streams_what_it_generates(self):
        whole = self.generate(prompt="Hello, world", max_tokens=24)
        events = list(self.client.inference.GenerateStream(
            pb.request(pb.inference.GenerateStreamRequest,
                       prompt="Hello, world", max_tokens=24)))
        kinds = [event.WhichOneof("event") for event in events]
        self.assertEqual(kinds[0], "accepted")
        self.assertEqual(kinds[-1], "finished")
        self.assertEqual(set(kinds[1:-1]), {"token_output"})
        self.assertEqual(
            [token for event in events
             for token in event.token_output.token_ids],
            list(whole.token_ids))
        self.assertEqual(
            "".join(event.token_output.text_delta for event in events),
            whole.text)
        self.assertEqual([event.HasField("usage") for event in events],
                         [False] * (len(events) - 1) + [True])
        self.assertEqual(events[-1].usage, whole.usage)

    def test_text_is_what_detokenizing_all_ids_gives(self):
        response = self.generate(prompt="Größe 数学", max_tokens=24)
        text = self.client.inference.Detokenize(
            pb.inference.DetokenizeRequest(token_ids=response.token_ids)).text
        self.assertEqual(response.text, text)

    def test_cancelling_gives_back_every_slot(self):
        stream = self.client.inference.GenerateStream(
            pb.request(pb.inference.GenerateStreamRequest, prompt="A",
                       max_tokens=250))
        for event in stream:
            if event.HasField("token_output"):
                break
        stream.cancel()
        self.wait_until_all_slots_are_free()

    def test_a_deadline_ends_the_call_and_gives_back_every_slot(self):
        request = pb.request(pb.inference.GenerateRequest, prompt="A",
                             max_tokens=250)
        request.stopping.ignore_eos = True
        self.assert_refused(
            lambda: self.client.inference.Generate(request, timeout=0.05),
            grpc.StatusCode.DEADLINE_EXCEEDED)
        self.wait_until_all_slots_are_free()

    def test_an_unknown_model_is_not_found(self):
        error = self.assert_refused(
            lambda: self.generate(prompt="A", model="no-such-model"),
            grpc.StatusCode.NOT_FOUND)
        self.assertIn("no-such-model", error.details())
        resources = pb.details(error, pb.error_details.ResourceInfo)
        self.assertEqual([r.resource_name for r in resources],
                         ["no-such-model"])

    def test_bad_fields_are_named(self):
        sampling = pb.generation.SamplingParams
        stopping = pb.generation.StoppingOptions
        cases = [
            ("sampling.temperature", {"sampling": sampling(temperature=-1)}),
            ("sampling.temperature",
             {"sampling": sampling(temperature=float("nan"))}),
            ("sampling.top_p", {"sampling": sampling(top_p=0)}),
            ("sampling.top_p", {"sampling": sampling(top_p=1.5)}),
            ("sampling.top_k", {"sampling": sampling(top_k=-1)}),
            ("sampling.presence_penalty",
             {"sampling": sampling(presence_penalty=2.5)}),
            ("sampling.frequency_penalty",
             {"sampling": sampling(frequency_penalty=float("nan"))}),
            ("sampling.repetition_penalty",
             {"sampling": sampling(repetition_penalty=0)}),
            ("sampling.logit_bias",
             {"sampling": sampling(logit_bias={5: float("inf")})}),
            ("sampling.logit_bias",
             {"sampling": sampling(logit_bias={2**32 - 1: 1})}),
            ("sampling.logit_bias",
             {"sampling": sampling(logit_bias=dict.fromkeys(range(513), 1))}),
            ("stopping.max_tokens", {"stopping": stopping(max_tokens=0)}),
            ("stopping.max_tokens",
             {"stopping": stopping(max_tokens=100000)}),
            ("priority", {"priority": 101}),
            ("priority", {"priority": -101}),
        ]
        for field, fields in cases:
            with self.subTest(field=field, **fields):
                self.assert_refused(
                    lambda f=fields: self.generate(prompt="A", **f),
                    grpc.StatusCode.INVALID_ARGUMENT, field)
        with self.subTest("token id outside of the vocabulary"):
            self.assert_refused(lambda: self.generate(token_ids=[5, 320]),
                                grpc.StatusCode.INVALID_ARGUMENT, "token_ids")
        with self.subTest("no input"):
            self.assert_refused(lambda: self.generate(),
                                grpc.StatusCode.INVALID_ARGUMENT)
        with self.subTest("no ids"):
            self.assert_refused(lambda: self.generate(token_ids=[]),
                                grpc.StatusCode.INVALID_ARGUMENT)

    def test_unset_differs_from_zero(self):
        # max_tokens unset is 128, set to 0 is refused (above).
        request = pb.request(pb.inference.GenerateRequest, prompt="A")
        request.stopping.ignore_eos = True
        response = self.client.inference.Generate(request)
        self.assertEqual(len(response.token_ids), 128)

    def test_an_end_token_ends_nothing_before_min_tokens(self):
        free = self.generate(prompt="A", stopping=pb.generation.StoppingOptions(
            max_tokens=40, ignore_eos=True))
        end = free.token_ids[0]

        def stopping(**fields):
            options = pb.generation.StoppingOptions(
                max_tokens=40, ignore_eos=True, **fields)
            options.conditions.add(token_id=end)
            return options

        at_once = self.generate(prompt="A", stopping=stopping())
        self.assertEqual(list(at_once.token_ids), [end])
        later = self.generate(prompt="A", stopping=stopping(min_tokens=7))
        expected = list(free.token_ids)
        rest = [i for i in range(6, 40) if expected[i] == end]
        self.assertEqual(list(later.token_ids),
                         expected[:rest[0] + 1] if rest else expected)
        self.assert_refused(
            lambda: self.generate(prompt="A", stopping=stopping(min_tokens=41)),
            grpc.StatusCode.INVALID_ARGUMENT, field="stopping.min_tokens")

    def test_stop_text_ends_the_output_and_is_not_in_it(self):
        whole = self.generate(prompt="Hello, world", max_tokens=40)
        printable = [c for c in whole.text if c.isprintable() and c != "�"]
        self.assertTrue(printable, whole.text)
        stop = printable[len(printable) // 2]
        stopped = self.generate(
            prompt="Hello, world",
            stopping=pb.generation.StoppingOptions(
                max_tokens=40,
                conditions=[pb.generation.StopCondition(text=stop)]))
        self.assertEqual(stopped.text, whole.text[:whole.text.index(stop)])
        self.assertEqual(stopped.finish_reason,
                         pb.generation.FINISH_REASON_STOP)
        self.assertEqual(stopped.stop_match.text, stop)

    def test_seeded_draws_repeat_and_differ_by_seed(self):
        def draw(seed):
            return list(self.generate(
                prompt="A", max_tokens=30,
                sampling=pb.generation.SamplingParams(
                    temperature=1, seed=seed)).token_ids)
        self.assertEqual(draw(7), draw(7))
        self.assertNotEqual(draw(7), draw(8))

    def test_top_k_of_one_is_greedy(self):
        greedy = self.generate(prompt="A", max_tokens=20)
        drawn = self.generate(
            prompt="A", max_tokens=20,
            sampling=pb.generation.SamplingParams(temperature=2, top_k=1,
                                                  seed=1))
        self.assertEqual(list(drawn.token_ids), list(greedy.token_ids))

    def test_penalties_and_biases_change_what_is_said(self):
        def ids(**sampling):
            return list(self.generate(
                prompt="A", max_tokens=40,
                sampling=pb.generation.SamplingParams(**sampling)).token_ids)

        greedy = ids()
        self.assertLess(len(set(greedy)), len(greedy))  # It repeats itself.
        bias = {token: -100 for token in set(greedy)}
        self.assertEqual(ids(presence_penalty=0, frequency_penalty=0,
                             repetition_penalty=1), greedy)
        self.assertGreater(len(set(ids(frequency_penalty=2))),
                           len(set(greedy)))
        self.assertFalse(set(ids(logit_bias=bias)) & set(greedy))
        self.assertEqual(set(ids(logit_bias={9: 100})), {9})

    def test_a_live_request_id_is_taken(self):
        request = pb.request(pb.inference.GenerateStreamRequest, prompt="A",
                             max_tokens=250, request_id="mine")
        request.stopping.ignore_eos = True
        stream = self.client.inference.GenerateStream(request)
        next(iter(stream))
        self.assert_refused(
            lambda: self.generate(prompt="B", request_id="mine"),
            grpc.StatusCode.ALREADY_EXISTS)
        self.client.control.Abort(pb.control.AbortRequest(request_id="mine"))
        last = list(stream)[-1]
        self.assertEqual(last.finished.reason,
                         pb.generation.FINISH_REASON_CANCELLED)
        self.assert_refused(
            lambda: self.client.control.Abort(
                pb.control.AbortRequest(request_id="mine")),
            grpc.StatusCode.NOT_FOUND)

    def test_score_sums_up_to_what_generate_reports(self):
        request = pb.request(pb.inference.GenerateRequest,
                             prompt="Hello, world", max_tokens=10)
        request.response.log_probs = True
        response = self.client.inference.Generate(request)
        prompt = self.client.inference.Tokenize(pb.inference.TokenizeRequest(
            text="Hello, world")).token_ids
        ids = list(prompt) + list(response.token_ids)
        score = pb.inference.ScoreRequest()
        score.token_ids.ids.extend(ids)
        log_probs = self.client.inference.Score(score).log_probs
        self.assertEqual(len(log_probs), len(ids) - 1)
        self.assertEqual(list(log_probs)[-10:], list(response.log_probs))

    def test_a_prompt_as_long_as_the_limit_is_taken_and_one_more_refused(self):
        limit = self.client.models.GetModel(
            pb.model.GetModelRequest()).model.limits.max_sequence_tokens
        self.assertEqual(limit, 256)
        response = self.generate(token_ids=[5] * (limit - 1), max_tokens=1)
        self.assertEqual(len(response.token_ids), 1)
        self.assert_refused(
            lambda: self.generate(token_ids=[5] * limit, max_tokens=1),
            grpc.StatusCode.INVALID_ARGUMENT)

    def test_64_at_once_of_every_length_get_what_each_gets_alone(self):
        limit = 256
        # From one token to as many as leave room for one.
        prompts = [[5 + n % 200 for n in range(1 + i * (limit - 2) // 63)]
                   for i in range(64)]
        self.assertEqual([len(prompts[0]), len(prompts[-1])], [1, limit - 1])

        def tokens_of(prompt: list[int]) -> list[int]:
            request = pb.request(
                pb.inference.GenerateRequest, token_ids=prompt,
                max_tokens=min(limit - len(prompt), 1 + len(prompt) % 20))
            request.stopping.ignore_eos = True
            response = self.client.inference.Generate(request, timeout=300)
            self.assertEqual(len(response.token_ids),
                             request.stopping.max_tokens)
            return list(response.token_ids)

        with concurrent.futures.ThreadPoolExecutor(len(prompts)) as pool:
            together = list(pool.map(tokens_of, prompts))
        self.wait_until_all_slots_are_free()
        self.assertEqual(together, [tokens_of(prompt) for prompt in prompts])

    def test_lists_the_model(self):
        models = self.client.models.ListModels(
            pb.model.ListModelsRequest()).models
        self.assertEqual([m.name for m in models], ["pre_norm"])
        self.assertEqual(models[0].shape.hidden, 48)

    def test_health_answers_for_server_services_and_model(self):
        stub = health_pb2_grpc.HealthStub(self.client.channel)
        for service in ("", "hybridserve.v1.InferenceService", "pre_norm"):
            with self.subTest(service):
                answer = stub.Check(
                    health_pb2.HealthCheckRequest(service=service))
                self.assertEqual(answer.status,
                                 health_pb2.HealthCheckResponse.SERVING)
        self.assert_refused(
            lambda: stub.Check(health_pb2.HealthCheckRequest(service="no")),
            grpc.StatusCode.NOT_FOUND)

    def test_reflection_lists_the_services(self):
        services = ProtoReflectionDescriptorDatabase(
            self.client.channel).get_services()
        for name in ("hybridserve.v1.InferenceService",
                     "hybridserve.v1.ModelService",
                     "hybridserve.v1.ControlService",
                     "grpc.health.v1.Health"):
            self.assertIn(name, services)

    def test_no_more_than_256_may_watch_at_once(self):
        watch = self.client.control.WatchLoad
        message = pb.control.WatchLoadRequest(interval_ms=100)
        calls = [watch(message) for _ in range(256)]
        for call in calls:
            next(call)
        error = self.assert_refused(lambda: next(watch(message)),
                                    grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertTrue(pb.details(error, pb.error_details.RetryInfo))
        for call in calls:
            call.cancel()
        deadline = time.monotonic() + 30
        while True:
            try:
                next(watch(message))
                return
            except grpc.RpcError:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.1)

    def test_text_that_is_not_utf8_is_refused(self):
        # Python's own messages refuse to hold such text: send the bytes of
        # {prompt: "ab\xff"} (field 3, length 3).
        call = self.client.channel.unary_unary(
            "/hybridserve.v1.InferenceService/Generate",
            request_serializer=lambda raw: raw,
            response_deserializer=lambda raw: raw)
        error = self.assert_refused(lambda: call(b"\x1a\x03ab\xff"),
                                    grpc.StatusCode.INVALID_ARGUMENT)
        self.assertRegex(error.details(), r"\b2\b")  # The offset.


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
