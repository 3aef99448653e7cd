"""`hybridserve plan`: what it prints and refuses, not how fast anything is.

Usage: plan_test.py PROGRAMS_ROOT
"""

import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from tests.e2e.processes import Programs, run_client

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "demo"
PROGRAMS = None
LOAD = ["--batch=4", "--prompt_tokens=64", "--output_tokens=48"]
DEVICE = ["--device_memory=min", "--link_bandwidth=200MB"]
SVG = "{http://www.w3.org/2000/svg}"


class PlanTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def plan(self, *flags, check=True):
        return run_client(PROGRAMS, "plan", *flags, check=check)

    def test_forecasts_every_policy(self):
        data, chart = self.folder / "p.json", self.folder / "p.svg"
        printed = self.plan(f"--model_dir={MODEL}", "--device=measured", *LOAD,
                            *DEVICE, "--policies=kv,act,hybrid",
                            "--act_ratio=auto,0.5", f"--json={data}",
                            f"--svg={chart}")
        self.assertIn("plan: measuring", printed.stderr)
        plan = json.loads(data.read_text())
        self.assertEqual(set(plan), {"machine", "fastest", "results"})
        self.assertTrue(plan["machine"]["paced_link"])
        results = plan["results"]
        self.assertEqual([(r["policy"], r["act_ratio"]) for r in results],
                         [("kv", "auto"), ("act", "auto"),
                          ("hybrid", "auto"), ("hybrid", "0.5")])
        for result in results:
            with self.subTest(policy=result["policy"],
                              act_ratio=result["act_ratio"]):
                self.check_result(result)
        kv, act, hybrid, half = results
        self.assertEqual(kv["predicted"]["bytes_per_step"]["act"], 0)
        self.assertEqual(act["predicted"]["bytes_per_step"]["kv"], 0)
        self.assertEqual([kv["act_share"], act["act_share"]], [0, 1])
        self.assertAlmostEqual(half["act_share"], 0.5, delta=0.05)
        # A chosen mix is never predicted to be slower than a fixed one.
        for fixed in (kv, act, half):
            self.assertGreaterEqual(
                hybrid["predicted"]["decode_tokens_per_s"],
                0.99 * fixed["predicted"]["decode_tokens_per_s"])
        for text in ("binds", "fastest: ", hybrid["reason"]):
            self.assertIn(text, printed.stdout)
        root = xml.etree.ElementTree.fromstring(chart.read_text())
        shown = [text.text or "" for text in root.iter(f"{SVG}text")]
        for text in ("Predicted", "Simulated", "kv", "hybrid 0.5"):
            self.assertIn(text, shown)

    def check_result(self, result):
        self.assertEqual(result["batch_requested"], 4)
        self.assertEqual(result["batch_running"], 4)
        predicted = result["predicted"]
        self.assertGreater(predicted["decode_tokens_per_s"], 0)
        self.assertAlmostEqual(
            predicted["decode_tokens_per_s"] * predicted["step_s"], 4)
        layer = predicted["layer"]
        for field in ("link_s", "compute_s", "copy_out_s"):
            self.assertGreater(layer[field], 0, field)
        self.assertIn(predicted["binds"],
                      ("link", "compute", "write-back", "balanced"))
        self.assertGreaterEqual(predicted["mini_batches"], 1)
        self.assertGreater(predicted["bytes_per_step"]["weight"], 0)
        self.assertGreater(predicted["bytes_per_step"]["write_back"], 0)
        # Four sequences of seven blocks.
        self.assertEqual(sum(result["cache_blocks"].values()), 28)
        simulated = result["simulated"]
        for field in ("total_tokens_per_s", "decode_tokens_per_s", "step_s",
                      "link_busy", "compute_busy"):
            self.assertGreater(simulated[field], 0, field)
        self.assertLess(
            abs(simulated["step_s"] / predicted["step_s"] - 1), 0.3, result)
        self.assertTrue(result["reason"])

    def test_json_on_stdout_and_the_profile_is_kept(self):
        profile = self.folder / "profile.json"
        first, second = [
            json.loads(self.plan(f"--model_dir={MODEL}", *LOAD, *DEVICE,
                                 "--policies=hybrid", "--output=json",
                                 f"--profile={profile}").stdout)
            for _ in range(2)]
        self.assertEqual(first["results"], second["results"])

    def test_forecasts_the_baselines_on_workers_of_their_kinds(self):
        printed = self.plan(
            f"--model_dir={MODEL}", *LOAD, "--device_memory=20MB",
            "--link_bandwidth=200MB", "--dtype=float32", "--output=json",
            "--policies=kv,recompute,flexgen,resident",
            "--recompute_ratio=0.5", "--resident_weights=0")
        kv, recompute, flexgen, resident = json.loads(
            printed.stdout)["results"]
        for result in (kv, recompute, flexgen):
            self.assertEqual(result["batch_running"], 4, result["reason"])
            self.assertGreater(result["simulated"]["step_s"], 0)
        self.assertEqual(recompute["recompute_ratio"], "0.5")
        self.assertLess(sum(recompute["cache_blocks"].values()),
                        0.7 * sum(kv["cache_blocks"].values()))
        self.assertIsNone(kv["flexgen"])
        for form in ("device_attention", "host_attention"):
            with self.subTest(form):
                choice = flexgen["flexgen"][form]
                self.assertGreater(choice["tokens_per_s"], 0)
                self.assertEqual(len(choice["percent"].split(",")), 6)
        # It does not fit; the others are told all the same.
        self.assertEqual(resident["batch_running"], 0)
        self.assertIn("resident", resident["reason"])

    def test_without_a_link_nothing_is_staged(self):
        result = json.loads(
            self.plan(f"--model_dir={MODEL}", *LOAD, "--policies=kv",
                      "--output=json").stdout)["results"][0]
        self.assertEqual(result["predicted"]["layer"]["link_s"], 0)
        self.assertEqual(result["predicted"]["binds"], "compute")
        self.assertGreater(result["simulated"]["step_s"], 0)

    def test_bad_flags_exit_with_2_and_are_named(self):
        model = f"--model_dir={MODEL}"
        cases = [
            ("--device", [model, "--device=sim:rtx4090"]),
            ("--device", [model, "--device=cuda"]),
            ("--model", ["--model=opt-30b", "--device=measured"]),
            ("--model_dir", ["--device=measured"]),
            ("--server", [model, "--server=127.0.0.1:1"]),
            ("--policies", [model, "--policies=kv,,act"]),
            ("--flexgen_relay", [model, *DEVICE, "--policies=flexgen",
                                 "--flexgen_relay=true"]),
            ("--batch", [model, "--batch=none"]),
            ("--output", [model, "--output=xml"]),
            ("--dtype", [model, "--device=measured", "--dtype=float16"]),
        ]
        for flag, given in cases:
            with self.subTest(given):
                refused = self.plan(*given, check=False)
                self.assertEqual(refused.returncode, 2, refused.stderr)
                self.assertIn(flag, refused.stderr.splitlines()[0])
                self.assertEqual(refused.stdout, "")

    def test_more_tokens_than_the_model_takes_is_an_error(self):
        refused = self.plan(f"--model_dir={MODEL}", "--prompt_tokens=510",
                            "--output_tokens=8", "--policies=kv", *DEVICE,
                            check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--prompt_tokens: 510", refused.stderr)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
