"""`hybridserve bench`: what it prints and writes, not how fast anything is.

Usage: bench_test.py PROGRAMS_ROOT
"""

import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from tests.e2e.processes import Cluster, Programs, run_client

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "demo"
PROGRAMS = None
SMALL = ["--batch=4", "--prompt_tokens=32", "--output_tokens=8"]
DEVICE = ["--device_memory=min", "--link_bandwidth=200MB"]
FIELDS = {
    "policy", "batch_requested", "batch_running", "prompt_tokens",
    "output_tokens", "total_tokens_per_s", "decode_tokens_per_s", "ttft_s",
    "inter_token_s", "act_share", "link_busy", "compute_busy", "ideal_step_s",
    "predicted_step_s", "measured_step_s", "overlap_efficiency",
    "bytes_per_step"}
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: pathlib.Path) -> list[str]:
    root = xml.etree.ElementTree.fromstring(svg.read_text())
    assert root.tag == f"{SVG}svg", root.tag
    return [text.text or "" for text in root.iter(f"{SVG}text")]


class BenchTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def bench(self, *flags, check=True):
        return run_client(PROGRAMS, "bench", *flags, "--log_level=info",
                          check=check)

    def test_compares_policies_over_one_worker(self):
        data, chart = self.folder / "b.json", self.folder / "b.svg"
        printed = self.bench(f"--model_dir={MODEL}", *SMALL, *DEVICE,
                             "--repeats=2", f"--json={data}",
                             f"--svg={chart}")
        self.assertEqual(printed.stderr.count("weights loaded"), 1)
        results = json.loads(data.read_text())
        self.assertEqual(set(results), {"machine", "results"})
        machine = results["machine"]
        for field in ("cpu", "cores", "memory_bytes", "date", "command_line",
                      "build_id"):
            self.assertTrue(machine[field], field)
        self.assertIn("--batch=4", machine["command_line"])
        self.assertTrue(machine["paced_link"])
        by_policy = {r["policy"]: r for r in results["results"]}
        self.assertEqual(list(by_policy), ["kv", "act", "hybrid"])
        for policy, result in by_policy.items():
            with self.subTest(policy):
                self.check_result(result)
        self.assertEqual(by_policy["kv"]["bytes_per_step"]["act"], 0)
        self.assertGreater(by_policy["kv"]["bytes_per_step"]["kv"], 0)
        self.assertEqual(by_policy["kv"]["act_share"], 0)
        self.assertGreater(by_policy["act"]["bytes_per_step"]["act"], 0)
        self.assertEqual(by_policy["act"]["bytes_per_step"]["kv"], 0)
        self.assertEqual(by_policy["act"]["act_share"], 1)

        rows = printed.stdout.splitlines()
        for policy in by_policy:
            self.assertEqual(sum(row.startswith(policy) for row in rows), 2,
                             printed.stdout)
        shown = texts(chart)
        for text in ("kv", "act", "hybrid", "generated tokens/s"):
            self.assertIn(text, shown)
        self.assertTrue(any(text.startswith("Paced link: ")
                            for text in shown), shown)

    def check_result(self, result):
        self.assertLessEqual(FIELDS, set(result))
        self.assertEqual(result["batch_requested"], 4)
        self.assertEqual(result["batch_running"], 4)
        self.assertEqual(result["prompt_tokens"], 32)
        self.assertEqual(result["output_tokens"], 8)
        self.assertEqual(result["repeats"], 2)
        for field in ("total_tokens_per_s", "decode_tokens_per_s", "ttft_s",
                      "inter_token_s", "measured_step_s"):
            self.assertGreater(result[field], 0, field)
            spread = result["spread"][field]
            self.assertLessEqual(spread["min"], result[field])
            self.assertLessEqual(result[field], spread["max"])
            samples = result["samples"][field]
            self.assertEqual(len(samples), 2)
            self.assertEqual((min(samples), max(samples)),
                             (spread["min"], spread["max"]))
        for field in ("link_busy", "compute_busy"):
            self.assertGreater(result[field], 0, field)
            self.assertLess(result[field], 1.01, field)
        self.assertGreater(result["ideal_step_s"], 0)
        self.assertGreater(result["overlap_efficiency"], 0)
        sizes = result["bytes_per_step"]
        self.assertEqual(set(sizes), {"weight", "kv", "act", "write_back"})
        self.assertGreater(sizes["weight"], 0)
        self.assertGreater(sizes["write_back"], 0)

    def test_measures_the_decode_phase_alone(self):
        printed = self.bench(f"--model_dir={MODEL}", *SMALL, *DEVICE,
                             "--repeats=1", "--policies=kv,hybrid",
                             "--decode_only", "--output=json")
        results = json.loads(printed.stdout)["results"]
        self.assertEqual([r["policy"] for r in results], ["kv", "hybrid"])
        for result in results:
            self.assertIsNone(result["total_tokens_per_s"])
            self.assertIsNone(result["ttft_s"])
            self.assertTrue(result["decode_apart"])
            self.assertGreaterEqual(result["decode_steps"], 1)
            self.assertEqual(result["batch_running"], 4)
            self.assertGreater(result["decode_tokens_per_s"], 0)
            self.assertGreater(result["overlap_efficiency"], 0)

    def test_compares_prompt_lengths_and_prints_json(self):
        chart = self.folder / "b.svg"
        printed = self.bench(
            f"--model_dir={MODEL}", "--policies=kv,act", "--batch=2",
            "--prompt_tokens=16,48", "--output_tokens=4", "--repeats=1",
            "--output=json", f"--svg={chart}", *DEVICE)
        results = json.loads(printed.stdout)["results"]
        self.assertEqual(
            [(r["prompt_tokens"], r["policy"]) for r in results],
            [(16, "kv"), (16, "act"), (48, "kv"), (48, "act")])
        shown = texts(chart)
        for text in ("kv", "act", "16", "48", "prompt tokens a request"):
            self.assertIn(text, shown)

    def test_takes_a_list_of_act_shares(self):
        printed = self.bench(
            f"--model_dir={MODEL}", "--policies=hybrid", "--batch=2",
            "--act_ratio=0.5,1", "--prompt_tokens=64", "--output_tokens=4",
            "--repeats=1", "--output=json", *DEVICE)
        results = json.loads(printed.stdout)["results"]
        self.assertEqual([r["act_ratio"] for r in results], ["0.5", "1"])
        self.assertEqual(results[1]["act_share"], 1)
        self.assertGreater(results[0]["act_share"], 0)
        self.assertLess(results[0]["act_share"], 1)

    def test_compares_the_baselines_on_workers_of_their_kinds(self):
        printed = self.bench(
            f"--model_dir={MODEL}", "--policies=kv,recompute,flexgen,resident",
            "--batch=2", "--prompt_tokens=64", "--output_tokens=12",
            "--recompute_ratio=0.5", "--percent=0,100,0,100,100,0",
            "--repeats=1", "--output=json", "--device_memory=64MB",
            "--link_bandwidth=200MB")
        results = {r["policy"]: r
                   for r in json.loads(printed.stdout)["results"]}
        self.assertEqual(list(results),
                         ["kv", "recompute", "flexgen", "resident"])
        self.assertEqual(results["recompute"]["recompute_ratio"], "0.5")
        self.assertEqual(results["flexgen"]["percent"],
                         "0,100,0,100,100,0")
        for policy, result in results.items():
            with self.subTest(policy):
                self.assertEqual(result["batch_running"], 2)
                for field in ("ideal_step_s", "predicted_step_s",
                              "measured_step_s"):
                    self.assertGreater(result[field], 0, field)
        flexgen = results["flexgen"]["bytes_per_step"]
        self.assertGreater(flexgen["weight"], 0)
        self.assertGreater(flexgen["kv"], 0)
        resident = results["resident"]["bytes_per_step"]
        self.assertEqual(resident["weight"] + resident["kv"] +
                         resident["write_back"], 0)

    def test_compares_flexgen_without_and_with_the_relay(self):
        chart = self.folder / "b.svg"
        printed = self.bench(
            f"--model_dir={MODEL}", "--policies=kv,flexgen", *SMALL, *DEVICE,
            "--flexgen_relay=false,true", "--repeats=1", "--output=json",
            f"--svg={chart}")
        # kv and flexgen share a worker; the relay's is loaded for each pass,
        # and the other again after its warm-up.
        self.assertEqual(printed.stderr.count("weights loaded"), 4)
        results = json.loads(printed.stdout)["results"]
        self.assertEqual([(r["policy"], r.get("relay")) for r in results],
                         [("kv", None), ("flexgen", None), ("flexgen", True)])
        for result in results:
            self.assertEqual(result["batch_running"], 4)
            for field in ("ideal_step_s", "predicted_step_s",
                          "measured_step_s"):
                self.assertGreater(result[field], 0, field)
            self.assertGreater(result["bytes_per_step"]["kv"], 0)
            self.assertGreater(result["bytes_per_step"]["write_back"], 0)
        for text in ("kv", "flexgen", "flexgen relay"):
            self.assertIn(text, texts(chart))

    def test_the_relay_needs_a_link(self):
        result = self.bench(f"--model_dir={MODEL}", "--policies=flexgen",
                            "--flexgen_relay=true", *SMALL, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("unpinned_cache: host and device are one memory",
                      result.stderr)

    def test_takes_a_list_of_recompute_ratios(self):
        chart = self.folder / "b.svg"
        printed = self.bench(
            f"--model_dir={MODEL}", "--policies=recompute", "--batch=2",
            "--recompute_ratio=0,0.5,1", "--prompt_tokens=64",
            "--output_tokens=4", "--repeats=1", "--output=json",
            f"--svg={chart}", "--device_memory=24MB", "--link_bandwidth=200MB",
            "--dtype=float32", "--resident_weights=0")
        self.assertEqual(printed.stderr.count("weights loaded"), 1)
        results = json.loads(printed.stdout)["results"]
        self.assertEqual([r["recompute_ratio"] for r in results],
                         ["0", "0.5", "1"])
        self.assertIn("share of a sequence recomputed from token ids",
                      texts(chart))

    def test_says_what_resident_needs(self):
        result = self.bench(f"--model_dir={MODEL}", "--policies=resident",
                            *SMALL, "--device_memory=min", check=False)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr,
                         r"does not hold 100% of the weights.*at least \d+ "
                         r"bytes are needed")

    def test_a_batch_of_auto_is_what_the_cache_holds(self):
        # 64 half-slots; a sequence of 96 positions has six blocks.
        printed = self.bench(
            f"--model_dir={MODEL}", "--policies=kv,act", "--batch=auto",
            "--prompt_tokens=92", "--output_tokens=4", "--repeats=1",
            "--host_memory=4MiB", "--dtype=float32", "--output=json",
            *DEVICE)
        results = json.loads(printed.stdout)["results"]
        self.assertEqual([r["batch_requested"] for r in results],
                         ["auto", "auto"])
        self.assertEqual([r["batch_running"] for r in results], [5, 10])

    def test_measures_a_server_as_it_is(self):
        with Cluster(PROGRAMS, [[f"--model_dir={MODEL}", *DEVICE]],
                     ["--policy=act"]) as cluster:
            printed = cluster.client("bench", *SMALL, "--repeats=1",
                                     "--output=json")
            refused = cluster.client("bench", *SMALL, "--policies=kv",
                                     check=False)
        results = json.loads(printed.stdout)["results"]
        self.assertEqual([r["policy"] for r in results], ["act"])
        self.assertGreater(results[0]["bytes_per_step"]["act"], 0)
        self.assert_usage_error(refused, "--policies")

    def assert_usage_error(self, result, flag):
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn(flag, result.stderr.splitlines()[0])
        self.assertEqual(result.stdout, "")

    def test_bad_flags_exit_with_2_and_are_named(self):
        cases = [
            ("--policies", "--policies=kv,,act"),
            ("--policy", "--policies=kv,fast"),
            ("--policy", "--policy=kv"),
            ("--act_ratio", "--act_ratio=0.5,much"),
            ("--act_ratio", "--act_ratio=2"),
            ("--recompute_ratio",
             "--policies=recompute --recompute_ratio=0,1.5"),
            ("--percent", "--policies=flexgen --percent=20,70,0,100,0,100"),
            ("--flexgen_relay",
             "--policies=flexgen --flexgen_relay=false,perhaps"),
            ("--unpinned_cache", "--unpinned_cache"),
            ("--batch", "--batch=0"),
            ("--batch", "--batch=many"),
            ("--prompt_tokens", "--prompt_tokens=0"),
            ("--prompt_tokens", "--prompt_tokens=16,"),
            ("--output_tokens", "--output_tokens=0"),
            ("--repeats", "--repeats=0"),
            ("--device_memory", "--device_memory=little"),
            ("--max_running", "--max_running=0"),
            ("--json", "--json=/no/such/folder/b.json"),
            ("--svg", "--svg=/no/such/folder/b.svg"),
            ("--decode_only", "--decode_only --output_tokens=1"),
            ("--svg", "--decode_only --act_ratio=0,1 --svg=b.svg"),
        ]
        for flag, given in cases:
            with self.subTest(given):
                self.assert_usage_error(
                    self.bench(f"--model_dir={MODEL}", *given.split(),
                               check=False),
                    flag)
        with self.subTest("neither server nor model"):
            self.assert_usage_error(self.bench(*SMALL, check=False),
                                    "--model_dir")

    def test_more_tokens_than_the_model_takes_is_an_error(self):
        result = self.bench(f"--model_dir={MODEL}", "--policies=kv",
                            "--batch=1", "--prompt_tokens=510",
                            "--output_tokens=8", "--repeats=1", *DEVICE,
                            check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("--prompt_tokens: 510", result.stderr)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
