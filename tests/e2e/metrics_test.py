"""Every metric that live programs export is in docs/metrics.md, and the other way
round; promtool finds nothing to say of them.

Usage: metrics_test.py PROGRAMS_ROOT
"""

import pathlib
import re
import signal
import subprocess
import sys
import unittest
import urllib.request

import grpc

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Process, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
DOCS = ROOT / "docs" / "metrics.md"
PROGRAMS = None

ROW = re.compile(r"\| `(\w+)` \| (S|W|SW) \| (\w+) \|([^|]*)\|")
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? ([^ ]+)")
LABEL = re.compile(r'(\w+)="(?:[^"\\]|\\.)*"')
# What the types' own series have, beside the labels that they were given.
OWN_LABELS = {"le", "quantile"}


def documented(program: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Type and labels of each metric on a program, "S" or "W"."""
    metrics = {}
    for line in DOCS.read_text("utf-8").splitlines():
        if not line.startswith("| `"):
            continue
        row = ROW.match(line)
        if row is None:
            raise ValueError(f"not a row of metrics: {line}")
        name, programs, kind, labels = row.groups()
        if program not in programs:
            continue
        known = set()
        for label in filter(None, labels.strip().split(", ")):
            # "worker (S)": on the scheduler only.
            label, _, where = label.strip().partition(" ")
            if not where or where == f"({program})":
                known.add(label)
        if name in metrics:
            raise ValueError(f"{name} is there twice")
        metrics[name] = kind, frozenset(known)
    return metrics


def exported(page: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Type and labels of each metric that a scrape has samples of."""
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", page, re.MULTILINE))
    labels: dict[str, set[str]] = {}
    for line in page.splitlines():
        if not line or line.startswith("#"):
            continue
        name, pairs, _ = SAMPLE.fullmatch(line).groups()
        if name not in types:
            name = re.sub(r"_(bucket|sum|count)$", "", name)
        found = set(LABEL.findall(pairs or ""))
        labels.setdefault(name, set()).update(found - OWN_LABELS)
    return {name: (types[name], frozenset(found))
            for name, found in labels.items()}


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(PROGRAMS, [], ["--metrics_listen=127.0.0.1:0",
                                             "--failover_timeout=0s"])
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.scheduler_metrics = cls.metrics_address(cls.cluster.scheduler)
        worker = cls.start_worker("--metrics_listen=127.0.0.1:0")
        worker_metrics = cls.metrics_address(worker)
        worker.wait_for_line("ready")
        with pb.Client(cls.cluster.address) as client:
            cls.finish_and_refuse(client)
            # Some are there only while something runs.
            cls.busy_page = cls.fail(client)
        cls.pages = {"S": cls.scrape(cls.scheduler_metrics),
                     "W": cls.scrape(worker_metrics)}

    @classmethod
    def start_worker(cls, *flags: str) -> Process:
        worker = Process([
            PROGRAMS.worker, f"--scheduler={cls.cluster.address}",
            f"--model_dir={MODEL}", "--device_memory=min",
            "--link_bandwidth=20MB/s", *flags])
        cls.addClassCleanup(worker.__exit__)
        return worker

    @staticmethod
    def metrics_address(process: Process) -> str:
        return process.wait_for_line(r"metrics (.+:\d+)").group(1)

    @staticmethod
    def scrape(address: str) -> str:
        # The second page has what the first one cost.
        for _ in range(2):
            with urllib.request.urlopen(f"http://{address}/metrics",
                                        timeout=60) as answer:
                page = answer.read().decode("utf-8")
        return page

    @staticmethod
    def finish_and_refuse(client: pb.Client) -> None:
        request = pb.request(pb.inference.GenerateRequest, model="pre_norm",
                             token_ids=[5, 6, 7], max_tokens=8)
        request.stopping.ignore_eos = True
        client.inference.Generate(request)
        request.stopping.max_tokens = 100000
        try:
            client.inference.Generate(request)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                return
            raise
        raise AssertionError("too many tokens were not refused")

    @classmethod
    def fail(cls, client: pb.Client) -> str:
        """Loses the only worker of a model; the page before that."""
        doomed = cls.start_worker("--model_name=doomed")
        doomed.wait_for_line("ready")
        request = pb.request(pb.inference.GenerateStreamRequest,
                             model="doomed", token_ids=[5], max_tokens=240)
        request.stopping.ignore_eos = True
        events = client.inference.GenerateStream(request)
        for event in events:
            if event.HasField("token_output"):
                break
        page = cls.scrape(cls.scheduler_metrics)
        doomed.stop(signal.SIGKILL)
        try:
            for event in events:
                pass
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.ABORTED:
                return page
            raise
        raise AssertionError("the request outlived its worker")

    def test_the_docs_list_what_is_exported(self):
        for program in ("S", "W"):
            with self.subTest(program):
                known = documented(program)
                busy_page = self.busy_page if program == "S" else ""
                found = exported(busy_page + self.pages[program])
                self.assertEqual(sorted(known), sorted(found))
                for name, (kind, labels) in found.items():
                    self.assertEqual((name, kind, sorted(labels)),
                                     (name, known[name][0],
                                      sorted(known[name][1])))

    def test_promtool_has_nothing_to_say(self):
        for program in ("S", "W"):
            with self.subTest(program):
                # What the exposer adds of its own is not ours to name.
                page = "".join(
                    line for line in self.pages[program].splitlines(True)
                    if "exposer_" not in line)
                result = subprocess.run(
                    ["promtool", "check", "metrics"], input=page, text=True,
                    capture_output=True, timeout=60)
                self.assertEqual((result.returncode, result.stdout,
                                  result.stderr), (0, "", ""))

    def test_the_counts_are_those_of_the_requests(self):
        page = self.pages["S"]
        for sample in (
                'hybridserve_request_success_total{finished_reason="length",'
                'model_name="pre_norm"} 1\n',
                'hybridserve_request_rejected_total{code="INVALID_ARGUMENT"} '
                '1\n',
                'hybridserve_tenant_requests_total{outcome="rejected",'
                'tenant=""} 1\n'):
            self.assertIn(sample, page)

    def test_the_worker_is_up_and_loaded_and_its_steps_are_counted(self):
        page = self.pages["W"]
        self.assertIn('hybridserve_worker_up{model_name="pre_norm"} 1\n', page)
        self.assertIn(
            'hybridserve_model_load_ratio{model_name="pre_norm"} 1\n', page)
        steps = re.search(r"hybridserve_steps_total\{.*\} (\d+)\n", page)
        self.assertGreater(int(steps.group(1)), 8)
        moved = re.search(r'hybridserve_offload_bytes_total\{dir="in",'
                          r'kind="weight",.*\} ([\d.e+]+)\n', page)
        self.assertGreater(float(moved.group(1)), 0)


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    unittest.main(verbosity=2)
