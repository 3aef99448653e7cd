"""What live programs export after requests that ended well, were refused and
failed, and what docs/metrics.md says that they do."""

import pathlib
import re
import signal
import urllib.request

import grpc

from tests.e2e import generated_client as pb
from tests.e2e.processes import Cluster, Process, Programs

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "tests" / "golden" / "models" / "pre_norm"
DOCS = ROOT / "docs" / "metrics.md"

ROW = re.compile(r"\| `(\w+)` \| (S|W|O|SW|SWO) \| (\w+) \|([^|]*)\|")
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? ([^ ]+)")
LABEL = re.compile(r'(\w+)="(?:[^"\\]|\\.)*"')
# What the types' own series have, beside the labels that they were given.
OWN_LABELS = {"le", "quantile"}

# A metric's type and its labels.
Metrics = dict[str, tuple[str, frozenset[str]]]


def documented(program: str) -> Metrics:
    """What docs/metrics.md has of a program, "S", "W" or "O"."""
    metrics: Metrics = {}
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


def exported(page: str) -> Metrics:
    """What a scrape has samples of."""
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


def scrape(address: str) -> str:
    # The second page has what the first one cost.
    for _ in range(2):
        with urllib.request.urlopen(f"http://{address}/metrics",
                                    timeout=60) as answer:
            page = answer.read().decode("utf-8")
    return page


class ScrapedCluster:
    """A scheduler and a worker with /metrics, on the model "pre_norm"."""

    def __init__(self, programs: Programs):
        self.programs = programs
        self.cluster = Cluster(programs, [], ["--metrics_listen=127.0.0.1:0",
                                              "--failover_timeout=0s"])
        self.workers: list[Process] = []
        try:
            self.address = self.cluster.address
            self.scheduler_metrics = self._metrics_of(self.cluster.scheduler)
            worker = self._start_worker("--metrics_listen=127.0.0.1:0")
            self.worker_metrics = self._metrics_of(worker)
            worker.wait_for_line("ready")
        except BaseException:
            self.__exit__()
            raise

    def scheduler_page(self) -> str:
        return scrape(self.scheduler_metrics)

    def worker_page(self) -> str:
        return scrape(self.worker_metrics)

    def finish_and_refuse(self) -> None:
        """One request that ends well, and one that asks for too much."""
        with pb.Client(self.address) as client:
            request = pb.request(pb.inference.GenerateRequest,
                                 model="pre_norm", token_ids=[5, 6, 7],
                                 max_tokens=8)
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

    def fail(self) -> str:
        """Loses the only worker of a model under a request; the scheduler's
        page before that, as some metrics are there only while something
        runs."""
        doomed = self._start_worker("--model_name=doomed")
        doomed.wait_for_line("ready")
        request = pb.request(pb.inference.GenerateStreamRequest,
                             model="doomed", token_ids=[5], max_tokens=240)
        request.stopping.ignore_eos = True
        with pb.Client(self.address) as client:
            events = client.inference.GenerateStream(request)
            for event in events:
                if event.HasField("token_output"):
                    break
            page = self.scheduler_page()
            doomed.stop(signal.SIGKILL)
            try:
                for event in events:
                    pass
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.ABORTED:
                    return page
                raise
            raise AssertionError("the request outlived its worker")

    def _start_worker(self, *flags: str) -> Process:
        worker = Process([
            self.programs.worker, f"--scheduler={self.cluster.address}",
            f"--model_dir={MODEL}", "--device_memory=min",
            "--link_bandwidth=20MB/s", *flags])
        self.workers.append(worker)
        return worker

    @staticmethod
    def _metrics_of(process: Process) -> str:
        return process.wait_for_line(r"metrics (.+:\d+)").group(1)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        for worker in self.workers:
            worker.stop(signal.SIGKILL)
        self.cluster.__exit__()
