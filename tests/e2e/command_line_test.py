"""The command line contract: exit codes, lines, flags, batch after a kill.

Usage: command_line_test.py PROGRAMS_ROOT
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from tests.e2e.processes import Cluster, Process, Programs, run_client

MODEL = (pathlib.Path(__file__).resolve().parents[1] / "golden" / "models" /
         "pre_norm")
PROGRAMS = None


class CommandLineTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def run_program(self, *args: str, env=None) -> subprocess.CompletedProcess:
        return subprocess.run(args, capture_output=True, text=True, timeout=60,
                              env={**os.environ, **(env or {})})

    def assert_usage_error(self, *args: str, word: str, env=None) -> None:
        result = self.run_program(*args, env=env)
        self.assertEqual(result.returncode, 2, (args, result.stderr))
        self.assertEqual(result.stdout, "")
        self.assertIn(word, result.stderr.splitlines()[0])

    def test_help_and_version_exit_0_on_stdout(self):
        for program in (PROGRAMS.scheduler, PROGRAMS.worker, PROGRAMS.client):
            for flag in ("--help", "--version"):
                with self.subTest(program=program, flag=flag):
                    result = self.run_program(program, flag)
                    self.assertEqual(result.returncode, 0)
                    self.assertTrue(result.stdout)
        shown = self.run_program(PROGRAMS.client, "--version").stdout
        self.assertRegex(shown, r"\d+\.\d+\.\d+")

    def test_help_lists_every_command(self):
        shown = self.run_program(PROGRAMS.client, "--help").stdout
        commands, _, _ = shown.partition("\nFlags, ")
        self.assertEqual(
            re.findall(r"^  (\w+)  +\w", commands, re.MULTILINE),
            ["generate", "batch", "score", "bench", "plan", "status", "top",
             "health", "models", "doctor", "completion"])
        for line in commands.splitlines():
            self.assertLessEqual(len(line), 80)

    def test_wrong_usage_exits_2_and_names_the_flag_first(self):
        client, worker = PROGRAMS.client, PROGRAMS.worker
        scheduler = PROGRAMS.scheduler
        model = f"--model_dir={MODEL}"
        for args, word in (
                ([client], "command"),
                ([client, "frobnicate"], "frobnicate"),
                ([client, "generate", model], "--prompt"),
                ([client, "generate", "--prompt=a"], "--server"),
                ([client, "generate", "--prompt=a", "--max_tokens=x", model],
                 "max_tokens"),
                ([client, "generate", "--prompt=a", "--no_such_flag=1"],
                 "no_such_flag"),
                ([client, "generate", "--prompt=a", "--output=xml", model],
                 "--output"),
                ([client, "generate", "--prompt=a", model, "--dtype=int3"],
                 "--dtype"),
                ([client, "batch", model], "--input"),
                ([client, "batch", model, "--input=x", "--output_file=y",
                  "--shard=3/2"], "--shard"),
                ([client, "generate", "--prompt=a", model, "--device=gpu"],
                 "--device"),
                ([client, "score", model, "--input=x", "--window=0"],
                 "--window"),
                ([client, "completion"], "bash, zsh, fish"),
                ([client, "completion", "tcsh"], "bash, zsh, fish"),
                ([client, "completion", "bash", "zsh"], "zsh"),
                ([client, "generate", "more"], "more"),
                ([client, "doctor", "--output=xml"], "--output"),
                ([client, "status"], "--server"),
                ([client, "top"], "--server"),
                ([worker], "--"),
                ([worker, "--scheduler=localhost:1", model,
                  "--device_memory=lots"], "--device_memory"),
                ([worker, "--scheduler=localhost:1", model,
                  "--weight_buffers=1"], "--weight_buffers"),
                ([scheduler, "--listen=127.0.0.1:0", "--policy=recompute",
                  "--recompute_ratio=2"], "--recompute_ratio"),
                ([scheduler, "--listen=127.0.0.1:0",
                  "--recompute_ratio=0.5"], "--recompute_ratio"),
                ([scheduler, "--listen=127.0.0.1:0", "--policy=flexgen",
                  "--percent=20,70,0,100,0,100"], "disk"),
                ([scheduler, "--listen=127.0.0.1:0",
                  "--flexgen_relay=true"], "--flexgen_relay"),
                ([scheduler, "--listen=127.0.0.1:0", "--policy=flexgen",
                  "--flexgen_relay=perhaps"], "--flexgen_relay"),
                ([worker, "--scheduler=localhost:1", model,
                  "--resident_weights=120"], "--resident_weights"),
                ([worker, "--scheduler=localhost:1", model,
                  "--device=gpu"], "--device"),
                ([worker, "--scheduler=localhost:1", model,
                  "--unpinned_cache"], "--unpinned_cache"),
                ([scheduler, "--listen=127.0.0.1:0", "--policy=fastest"],
                 "fastest"),
                ([scheduler, "--listen=127.0.0.1:0", "--act_ratio=1.5"],
                 "act_ratio"),
                ([scheduler, "--listen=0.0.0.0:0"], "insecure"),
                *(([PROGRAMS.client, "generate", model, "--prompt=A",
                    *(f"--logit_bias={text}" for text in texts)],
                   "--logit_bias")
                  for texts in (["5"], ["the:1"], ["-1:1"], ["5:much"],
                                ["5:1", "5:2"])),
                ([PROGRAMS.client, "generate", model, "--prompt=A",
                  "--repetition_penalty=high"], "repetition_penalty"),
        ):
            with self.subTest(args=args[1:]):
                self.assert_usage_error(*args, word=word)

    def test_flags_come_from_the_environment_and_the_command_line_wins(self):
        self.assert_usage_error(
            PROGRAMS.scheduler, "--listen=127.0.0.1:0", word="fastest",
            env={"HYBRIDSERVE_POLICY": "fastest"})
        result = run_client(
            PROGRAMS, "generate", "--token_ids=5", "--output=json",
            "--max_tokens=2", env={"HYBRIDSERVE_MODEL_DIR": str(MODEL),
                                   "HYBRIDSERVE_MAX_TOKENS": "7"})
        self.assertEqual(len(json.loads(result.stdout)["token_ids"]), 2)

    def test_help_after_a_command_is_about_that_command(self):
        shown = self.run_program(PROGRAMS.client, "status", "--help").stdout
        self.assertRegex(shown, r"^hybridserve status ")
        self.assertIn("--server=VALUE", shown)
        self.assertNotIn("--prompt=VALUE", shown)
        self.assertNotIn("--model_dir=VALUE", shown)

    def test_flags_come_from_a_file_and_the_environment_wins(self):
        """The order of the three, in scheduler, worker and client."""
        config = self.scratch / "a b.conf"
        config.write_text("# Of a test.\n\npolicy = fastest\n")
        flag = f"--config={config}"
        for program, rest in ((PROGRAMS.scheduler, ["--listen=127.0.0.1:0"]),
                              (PROGRAMS.client, [
                                  "generate", "--token_ids=5",
                                  f"--model_dir={MODEL}"])):
            self.assert_usage_error(program, flag, *rest, word="fastest")
            self.assert_usage_error(
                program, flag, *rest, word="slowest",
                env={"HYBRIDSERVE_POLICY": "slowest"})
            self.assert_usage_error(
                program, flag, *rest, "--policy=middling", word="middling",
                env={"HYBRIDSERVE_POLICY": "slowest"})
            self.assert_usage_error(program, *rest, word="fastest",
                                    env={"HYBRIDSERVE_CONFIG": str(config)})
        config.write_text("weight_buffers = 1\n")
        self.assert_usage_error(
            PROGRAMS.worker, flag, f"--model_dir={MODEL}",
            word=f"--weight_buffers: must be at least 2 (set in {config}:1)")

        config.write_text(f"model_dir = {MODEL}\nmax_tokens = 7\n"
                          "stop = \"\"\noutput = json\n")
        for args, env, tokens in (
                ([], {}, 7), ([], {"HYBRIDSERVE_MAX_TOKENS": "3"}, 3),
                (["--max_tokens=2"], {"HYBRIDSERVE_MAX_TOKENS": "3"}, 2)):
            result = run_client(PROGRAMS, "generate", "--token_ids=5",
                                "--ignore_eos", "--stop=never", flag, *args,
                                env=env)
            self.assertEqual(len(json.loads(result.stdout)["token_ids"]),
                             tokens)

    def test_a_wrong_file_is_named_with_line_and_flag(self):
        config = self.scratch / "wrong.conf"
        for program in (PROGRAMS.scheduler, PROGRAMS.worker, PROGRAMS.client):
            for text, word in (
                    ("\nlog_format\n", f'{config}:2: "log_format": needs ='),
                    ("no_such = 1\n", f"{config}:1: no_such: unknown flag"),
                    ("log_level = a\nlog_level = b\n",
                     f"{config}:2: log_level: is set in line 1"),
                    ("insecure = perhaps\n", f"{config}:1: insecure: ")):
                if program == PROGRAMS.client and text.startswith("insecure"):
                    continue
                config.write_text(text)
                self.assert_usage_error(program, f"--config={config}",
                                        word=f"--config: {word}")
            self.assert_usage_error(program, "--config=/no/such.conf",
                                    word="--config: cannot read /no/such.conf")

    def test_float16_on_cpu_is_wrong_usage(self):
        self.assert_usage_error(
            PROGRAMS.client, "generate", f"--model_dir={MODEL}",
            "--token_ids=5", "--dtype=float16", word="float16")

    def test_too_little_device_memory_says_what_would_do(self):
        result = run_client(
            PROGRAMS, "generate", f"--model_dir={MODEL}", "--token_ids=5",
            "--device_memory=1kB", check=False)
        self.assertEqual(result.returncode, 1)
        error = result.stderr.splitlines()[0]
        self.assertRegex(error, r"^hybridserve: .*device_memory")
        self.assertRegex(error, r"[0-9.]+ [kKM]i?B")

    def test_a_worker_without_a_gpu_says_so_in_one_line(self):
        # Where there is a GPU, too: the driver shows none of them.
        result = subprocess.run(
            [PROGRAMS.worker, "--scheduler=127.0.0.1:1",
             f"--model_dir={MODEL}", "--device=cuda"],
            capture_output=True, text=True, timeout=60,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"\Aworker: .*cuda.*\n\Z")

    def test_commands_log_what_is_asked_for(self):
        def log(*flags):
            stderr = run_client(PROGRAMS, "generate", f"--model_dir={MODEL}",
                                "--token_ids=5", "--max_tokens=2",
                                *flags).stderr
            # Where loading takes more than a second, its bar is there too.
            return "".join(line for line in stderr.splitlines(True)
                           if "MiB of weights" not in line)

        self.assertEqual(log(), "")
        self.assertIn("planned_bytes=", log("--log_level=info"))
        for program, args in ((PROGRAMS.client, ["health", "--server=x:1"]),
                              (PROGRAMS.worker, ["--scheduler=x:1"]),
                              (PROGRAMS.scheduler, ["--listen=127.0.0.1:0"])):
            self.assert_usage_error(program, *args, "--log_level=loud",
                                    word="log_level")

    def test_status_and_models_show_what_was_measured(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}",
                                 "--device_memory=min",
                                 "--link_bandwidth=1GB/s"]]) as cluster:
            cluster.client("generate", "--token_ids=5", "--max_tokens=3")
            shown = cluster.client("status", "--show_profile").stdout
            worker, = json.loads(
                cluster.client("status", "--show_profile",
                               "--output=json").stdout)["workers"]
            plain, = cluster.status()["workers"]
            models = json.loads(
                cluster.client("models", "--output=json").stdout)
        self.assertNotIn("profile", plain)
        self.assertTrue(plain["mix_reason"])
        self.assertIn(plain["mix_reason"], shown)
        costs = worker["profile"]["costs"]
        for kind in ("weights", "kv", "act", "write_back", "rebuild",
                     "forward", "attention", "head"):
            with self.subTest(kind):
                self.assertGreaterEqual(len(costs[kind]["samples"]), 2)
                self.assertLessEqual(costs[kind]["r_squared"], 1)
                self.assertIn(kind, shown)
        self.assertIn("R2", shown)
        self.assertEqual(models["models"][0]["name"], MODEL.name)

    def test_programs_print_their_lines_once_and_nothing_else(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}",
                                 "--listen=127.0.0.1:0"]],
                     ["--metrics_listen=127.0.0.1:0"]) as cluster:
            cluster.client("generate", "--token_ids=5", "--max_tokens=3")
            cluster.client("health")
            self.assertEqual(cluster.scheduler.stop(), 0)
            self.assertEqual(
                [re.sub(r":\d+", ":N", line)
                 for line in cluster.scheduler.lines],
                ["listening 127.0.0.1:N", "metrics 127.0.0.1:N", "ready"])
            self.assertEqual(cluster.workers[0].stop(), 0)
            self.assertEqual(
                [re.sub(r":\d+", ":N", line)
                 for line in cluster.workers[0].lines],
                ["listening 127.0.0.1:N", "ready"])

    def test_health_fails_without_a_server_or_worker(self):
        result = run_client(PROGRAMS, "health", "--server=127.0.0.1:1",
                            check=False)
        self.assertEqual(result.returncode, 1)
        with Cluster(PROGRAMS, []) as cluster:
            self.assertEqual(cluster.client("health", check=False).returncode,
                             1)

    def test_embedded_and_served_generation_agree(self):
        flags = ["--prompt=Hello, world", "--max_tokens=20", "--output=json"]
        alone = run_client(PROGRAMS, "generate", f"--model_dir={MODEL}",
                           *flags).stdout
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]]) as cluster:
            served = cluster.client("generate", *flags).stdout
        self.assertEqual(json.loads(alone), json.loads(served))
        self.assertEqual(set(json.loads(alone)),
                         {"text", "token_ids", "finish_reason", "usage"})

    def test_stop_may_be_repeated(self):
        flags = [f"--model_dir={MODEL}", "--prompt=Hello, world",
                 "--max_tokens=40", "--output=json", "--ignore_eos"]
        text = json.loads(
            run_client(PROGRAMS, "generate", *flags).stdout)["text"]
        shown = [c for c in text if c.isprintable() and c != "�"]
        first = shown[len(shown) // 2]
        stopped = json.loads(run_client(
            PROGRAMS, "generate", *flags, f"--stop={first}",
            "--stop=never to be seen").stdout)
        self.assertEqual(stopped["text"], text[:text.index(first)])
        self.assertEqual(stopped["finish_reason"], "stop")

    def write_batch(self, lines: int) -> pathlib.Path:
        path = self.scratch / "in.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            for i in range(lines):
                if i % 50 == 7:
                    file.write('{"id": "bad", "prompt": 5}\n')
                else:
                    file.write(json.dumps({
                        "id": f"line-{i}", "token_ids": [5 + i % 300, 17],
                        "max_tokens": 3 + i % 9, "ignore_eos": True}) + "\n")
        return path

    def check_batch(self, out: pathlib.Path, lines: int) -> None:
        results = [json.loads(line)
                   for line in out.read_text("utf-8").splitlines()]
        self.assertEqual(sorted(result["line"] for result in results),
                         list(range(1, lines + 1)))
        for result in results:
            i = result["line"] - 1
            if i % 50 == 7:
                self.assertEqual(result["error"]["code"], "INVALID_ARGUMENT")
            else:
                self.assertEqual(result["id"], f"line-{i}")
                self.assertEqual(len(result["token_ids"]), 3 + i % 9)
        bad = [json.loads(line)["line"] for line in
               pathlib.Path(f"{out}.errors").read_text().splitlines()]
        self.assertEqual(sorted(bad),
                         [i + 1 for i in range(lines) if i % 50 == 7])

    def test_batch_gives_every_line_one_result(self):
        source = self.write_batch(120)
        out = self.scratch / "out.jsonl"
        run_client(PROGRAMS, "batch", f"--model_dir={MODEL}",
                   f"--input={source}", f"--output_file={out}", "--ordered")
        self.check_batch(out, 120)
        first = out.read_text()
        # Again: nothing left to do, nothing changes.
        run_client(PROGRAMS, "batch", f"--model_dir={MODEL}",
                   f"--input={source}", f"--output_file={out}", "--ordered")
        self.assertEqual(out.read_text(), first)

    def test_batch_killed_again_and_again_gives_every_line_one_result(self):
        lines = 600
        source = self.write_batch(lines)
        out = self.scratch / "out.jsonl"
        partial = pathlib.Path(f"{out}.partial")
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]]) as cluster:
            flags = [PROGRAMS.client, "batch", f"--server={cluster.address}",
                     f"--input={source}", f"--output_file={out}",
                     "--window=8"]
            for kill in range(4):
                done = partial.stat().st_size if partial.exists() else 0
                process = subprocess.Popen(flags, stderr=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL)
                deadline = time.monotonic() + 60
                while process.poll() is None and (
                        not partial.exists() or
                        partial.stat().st_size < done + 2000):
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.001)
                process.kill()
                process.wait()
                self.assertFalse(out.exists(), f"done before kill {kill}")
            self.assertEqual(subprocess.run(
                flags, capture_output=True, timeout=120).returncode, 0)
        self.check_batch(out, lines)

    def test_a_batch_is_not_written_over_its_input(self):
        source = self.write_batch(3)
        before = source.read_text()
        partial = self.scratch / "link.partial"
        partial.symlink_to(source)
        for out in (source, self.scratch / "link"):
            self.assert_usage_error(
                PROGRAMS.client, "batch", f"--model_dir={MODEL}",
                f"--input={source}", f"--output_file={out}",
                word="--output_file")
        self.assertEqual(source.read_text(), before)

    def test_shards_share_the_lines(self):
        source = self.write_batch(11)
        seen = []
        for shard in range(3):
            out = self.scratch / f"out-{shard}"
            run_client(PROGRAMS, "batch", f"--model_dir={MODEL}",
                       f"--input={source}", f"--output_file={out}",
                       f"--shard={shard}/3")
            seen += [json.loads(line)["line"]
                     for line in out.read_text().splitlines()]
        self.assertEqual(sorted(seen), list(range(1, 12)))

    def test_ctrl_c_cancels_on_the_server(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}"]]) as cluster:
            with Process([PROGRAMS.client, "batch",
                          f"--server={cluster.address}",
                          f"--input={self.write_batch(5000)}",
                          f"--output_file={self.scratch / 'out'}"]) as batch:
                partial = self.scratch / "out.partial"
                deadline = time.monotonic() + 60
                while not (partial.exists() and partial.stat().st_size):
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
                self.assertEqual(batch.stop(signal.SIGINT), 1)
            deadline = time.monotonic() + 30
            while True:
                status = cluster.status()
                if status["queue"] == {"running": 0, "waiting": 0}:
                    break
                self.assertLess(time.monotonic(), deadline, status)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
