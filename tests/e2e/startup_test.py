"""How workers come up, what is known of them meanwhile, and what a model's own
generation_config.json changes.

Usage: startup_test.py PROGRAMS_ROOT
"""

import itertools
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Process, Programs, run_client

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
PROGRAMS = None
# Some 300 MB in float32: its weights are not there at once.
LARGE_CONFIG = {
    "architectures": ["OPTForCausalLM"], "model_type": "opt",
    "hidden_size": 1024, "word_embed_proj_dim": 1024,
    "num_hidden_layers": 6, "num_attention_heads": 16, "ffn_dim": 4096,
    "vocab_size": 512, "max_position_embeddings": 128,
    "do_layer_norm_before": True, "activation_function": "relu",
    "tie_word_embeddings": True, "bos_token_id": 2, "eos_token_id": 2,
    "pad_token_id": 1, "torch_dtype": "float32",
}


class StartupTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def copy_model(self, name: str) -> pathlib.Path:
        copy = self.folder / name
        shutil.copytree(MODEL, copy)
        for path in [copy, *copy.iterdir()]:
            path.chmod(0o755)
        return copy

    def test_health_can_be_watched_from_before_the_first_worker(self):
        with Cluster(PROGRAMS, []) as cluster:
            channel = grpc.insecure_channel(cluster.address)
            self.addCleanup(channel.close)
            answers = health_pb2_grpc.HealthStub(channel).Watch(
                health_pb2.HealthCheckRequest(service=""), timeout=60)
            # A state may be told again while it lasts.
            changes = (state for state, _ in itertools.groupby(
                answer.status for answer in answers))
            self.assertEqual(next(changes), NOT_SERVING)
            worker = cluster.add_worker([f"--model_dir={MODEL}"])
            self.assertEqual(next(changes), SERVING)
            worker.stop(signal.SIGKILL)
            self.assertEqual(next(changes), NOT_SERVING)

    def test_a_second_worker_of_a_model_gets_ready_too(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]]) as cluster:
            cluster.add_worker([f"--model_dir={MODEL}"])
            deadline = time.monotonic() + 30
            while True:
                workers = cluster.status()["workers"]
                if all(worker["totals"]["sampled_tokens"] > 0
                       for worker in workers):
                    break
                self.assertLess(time.monotonic(), deadline, workers)
                time.sleep(0.05)
            self.assertEqual([w["state"] for w in workers], ["ready"] * 2)

    def test_loading_is_told_while_it_goes_on(self):
        (self.folder / "config.json").write_text(json.dumps(LARGE_CONFIG))
        with Cluster(PROGRAMS, []) as cluster, \
                pb.Client(cluster.address) as client:
            worker = Process([
                PROGRAMS.worker, f"--scheduler={cluster.address}",
                f"--model_dir={self.folder}", "--model_name=large",
                "--random_weights=1"])
            self.addCleanup(worker.stop, signal.SIGKILL)
            deadline = time.monotonic() + 60
            while True:
                loading = client.control.GetServerInfo(
                    pb.control.GetServerInfoRequest()).loading_workers
                if loading and loading[0].loaded_bytes > 0:
                    break
                self.assertLess(time.monotonic(), deadline, worker.log())
                time.sleep(0.002)
            self.assertEqual(loading[0].model, "large")
            self.assertTrue(loading[0].stage)
            self.assertLessEqual(loading[0].loaded_bytes,
                                 loading[0].total_bytes)
            worker.wait_for_line("ready")
            info = client.control.GetServerInfo(
                pb.control.GetServerInfoRequest())
            self.assertFalse(info.loading_workers)

    def test_a_worker_serves_health_and_reflection_where_it_is_told_to(self):
        with Cluster(PROGRAMS, []) as cluster:
            worker = Process([
                PROGRAMS.worker, f"--scheduler={cluster.address}",
                f"--model_dir={MODEL}", "--listen=127.0.0.1:0"])
            self.addCleanup(worker.stop, signal.SIGKILL)
            address = worker.wait_for_line(r"listening (.+:\d+)").group(1)
            worker.wait_for_line("ready")
            channel = grpc.insecure_channel(address)
            self.addCleanup(channel.close)
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=""))
            self.assertEqual(answer.status, SERVING)
            self.assertIn("grpc.health.v1.Health",
                          ProtoReflectionDescriptorDatabase(
                              channel).get_services())

    def test_a_worker_that_does_not_listen_prints_ready_alone(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]]) as cluster:
            self.assertEqual(cluster.workers[0].stop(), 0)
            self.assertEqual(cluster.workers[0].lines, ["ready"])

    def test_a_worker_refuses_a_damaged_model(self):
        model = self.copy_model("damaged")
        weights = model / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
        refused = subprocess.run(
            [PROGRAMS.worker, "--scheduler=127.0.0.1:1",
             f"--model_dir={model}"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertEqual(refused.stdout, "")
        errors = [line for line in refused.stderr.splitlines()
                  if line.startswith("worker: ")]
        self.assertEqual(len(errors), 1, refused.stderr)
        self.assertIn("model.safetensors", errors[0])

    def test_a_models_own_defaults_count_where_they_are_asked_for(self):
        model = self.copy_model("own")
        (model / "generation_config.json").write_text(json.dumps({
            "do_sample": True, "temperature": 5.0, "top_k": 1,
            "max_new_tokens": 5}))

        def ids(*flags):
            return json.loads(run_client(
                PROGRAMS, "generate", f"--model_dir={model}", "--token_ids=7",
                "--ignore_eos", "--output=json", *flags).stdout)["token_ids"]

        greedy = ids("--max_tokens=8")
        own = ["--generation_config=model"]
        self.assertEqual(len(ids()), 128)
        # So hot a draw from the likeliest token alone is that token.
        self.assertEqual(ids(*own), greedy[:5])
        self.assertEqual(ids(*own, "--max_tokens=8"), greedy)
        self.assertNotEqual(ids(*own, "--top_k=0", "--seed=3"), greedy[:5])
        # As in transformers it counts whether the model samples or not.
        (model / "generation_config.json").write_text(json.dumps({
            "repetition_penalty": 1.7, "max_new_tokens": 20}))
        penalised = ids("--repetition_penalty=1.7", "--max_tokens=20")
        self.assertEqual(ids(*own), penalised)
        self.assertEqual(ids(*own, "--repetition_penalty=1"),
                         ids("--max_tokens=20"))
        self.assertNotEqual(ids("--max_tokens=20"), penalised)

    def test_ctrl_c_ends_a_text_and_tells_what_there_was(self):
        with Cluster(PROGRAMS, [[
                f"--model_dir={MODEL}", "--device_memory=min",
                "--link_bandwidth=2MB/s"]]) as cluster:
            client = subprocess.Popen(
                [PROGRAMS.client, "generate", f"--server={cluster.address}",
                 "--token_ids=5", "--max_tokens=250", "--ignore_eos",
                 "--output=json"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            killer = threading.Timer(60, client.kill)
            killer.start()
            self.addCleanup(killer.cancel)
            while cluster.status()["queue"]["running"] < 1:
                time.sleep(0.02)
            client.send_signal(signal.SIGINT)
            out, err = client.communicate()
            self.assertEqual(client.returncode, 1, err)
            answer = json.loads(out)
            self.assertEqual(answer["finish_reason"], "cancelled")
            self.assertLess(len(answer["token_ids"]), 250)
            deadline = time.monotonic() + 30
            while cluster.status()["queue"]["running"] > 0:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
