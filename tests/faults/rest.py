"""A cluster at rest: whether it came there, and how soon cancelled work
stops."""

import threading
import time
from typing import Any, Dict, List, Optional

import grpc

from tests.faults import schedule
from tests.faults.clients import Client
from tests.faults.cluster import FaultyCluster, READY
from tests.faults.history import History

REST_SECONDS = 30
# Streams that are cancelled together, and how long they would last.
CANCELLED_STREAMS = 4
CANCELLED_TOKENS = 480
# Until steps that were under way must have been counted.
SETTLE_SECONDS = 1.0


class Sampler:
    """Writes health and load down five times a second."""

    def __init__(self, cluster: FaultyCluster, history: History):
        self._cluster = cluster
        self._history = history
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.sample()
            self._stop.wait(0.2)

    def sample(self) -> None:
        load = self._cluster.load()
        serving = self._cluster.serving()
        if load is None or serving is None:
            self._history.add("sample", serving=None, ready=0, running=0,
                              waiting=0, waiting_tokens=0)
            return
        self._history.add(
            "sample", serving=serving,
            ready=sum(worker.state == READY for worker in load.workers),
            running=load.queue.running, waiting=load.queue.waiting,
            waiting_tokens=load.queue.waiting_tokens)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(30)


def _pools(load) -> List[Dict[str, int]]:
    return [{"half_slots": pool.half_slots, "free": pool.free,
             "cached": pool.cached}
            for worker in load.workers for pool in worker.pools]


def _is_at_rest(load) -> bool:
    return (not load.queue.running and not load.queue.waiting and
            all(pool["free"] + pool["cached"] == pool["half_slots"]
                for pool in _pools(load)))


def wait_for_rest(cluster: FaultyCluster, history: Optional[History],
                  seconds: float = REST_SECONDS) -> bool:
    """Until nothing runs and every slot is free; the history has how it then
    looks, or looked last."""
    deadline = time.monotonic() + seconds
    load: Any = None
    while True:
        load = cluster.load() or load
        if load is not None and _is_at_rest(load):
            break
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    if load is None:
        return False
    if history is not None:
        counts = load.requests
        history.add("quiesce", pools=_pools(load), running=load.queue.running,
                    waiting=load.queue.waiting,
                    requests={"accepted": counts.accepted,
                              "finished": counts.finished,
                              "cancelled": counts.cancelled,
                              "failed": counts.failed})
    return _is_at_rest(load)


def _steps(load) -> Dict[int, int]:
    return {worker.id: worker.totals.steps for worker in load.workers}


def probe_cancel(cluster: FaultyCluster, history: History, how: str) -> None:
    """Cancels all that runs and counts the steps begun after that."""
    # These are no requests of the history: their answers are not known.
    apart = History()
    manner = {"call": "cancel"}.get(how, how)
    clients = [Client(f"cancel-{how}-{i}", cluster.address,
                      cluster.programs.client, apart)
               for i in range(CANCELLED_STREAMS)]
    request = schedule.Request(0.0, 0, CANCELLED_TOKENS, manner, after_s=2.0)
    threads = [threading.Thread(target=client.send,
                                args=(f"cancel-{how}-{i}", request),
                                daemon=True)
               for i, client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    for client in clients:
        client.close()
    before = cluster.load()
    released = wait_for_rest(cluster, None, 15)
    time.sleep(SETTLE_SECONDS)
    after = cluster.load()
    if before is None or after is None:
        history.add("cancel_probe", how=how, steps=0, released=False)
        return
    was = _steps(before)
    history.add("cancel_probe", how=how, released=released, steps=max(
        (steps - was.get(worker, 0)
         for worker, steps in _steps(after).items()), default=0))


def probe_service(cluster: FaultyCluster, history: History) -> None:
    """A request at the end, which every client could send now."""
    client = Client("probe", cluster.address, cluster.programs.client, history)
    try:
        code = client.send("probe", schedule.Request(
            0.0, 0, schedule.MAX_TOKENS[0], "plain"))
    except grpc.RpcError as error:
        code = error.code().name
    client.close()
    history.add("probe", served=code == "OK")
