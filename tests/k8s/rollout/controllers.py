"""A cluster that does with rendered manifests what Kubernetes' controllers do:
endpoints, a StatefulSet, a Deployment, disruption budgets."""

import collections
import pathlib
import threading
import time
from typing import Callable

from tests.e2e.processes import Programs
from tests.k8s.rendering import Object, find, of_kind
from tests.k8s.rollout.kubelet import Node, Pod
from tests.k8s.rollout.network import Addresses, Endpoint, ServicePort
from tests.k8s.wiring import selects

# How long it takes until every node has heard of a changed endpoint.
ENDPOINTS_LAG_S = 1.0
TICK_S = 0.02
PATIENCE_S = 300


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(TICK_S)


class Cluster:
    """Thread-safe but for starting and closing."""

    def __init__(self, objects: list[Object], programs: Programs,
                 root: pathlib.Path, time_scale: float = 1):
        self.objects = objects
        self.pods: list[Pod] = []
        self.past: list[Pod] = []
        self._scale = time_scale
        self._node = Node(programs, root)
        self._addresses = Addresses()
        self._closing = threading.Event()
        self._ports: list[tuple[Object, Object, ServicePort]] = []
        for service in of_kind(objects, "Service"):
            if service["spec"].get("clusterIP") == "None":
                continue
            ip = self._addresses.take()
            self._node.services[service["metadata"]["name"]] = ip
            for port in service["spec"]["ports"]:
                self._ports.append(
                    (service, port, ServicePort(ip, port["port"])))
        self._proxy = threading.Thread(target=self._follow, daemon=True)
        self._proxy.start()

    def address(self, service: str, port: str) -> str:
        """Where clients dial."""
        spec = find(self.objects, f"Service/{service}")["spec"]
        number = next(p["port"] for p in spec["ports"] if p["name"] == port)
        return f"{self._node.services[service]}:{number}"

    def create(self, name: str, template: Object) -> Pod:
        pod = Pod(name, template, self.objects, self._node,
                  self._addresses.take(), self._scale)
        self.pods = [*self.pods, pod]
        return pod

    def see_off(self, pod: Pod) -> None:
        """Waits until one that was told to go is gone."""
        wait_until(pod.gone.is_set, f"{pod.name} does not go")
        self.pods = [other for other in self.pods if other is not pod]
        self.past.append(pod)

    def faults(self) -> list[str]:
        return [fault for pod in [*self.past, *self.pods]
                for fault in pod.faults]

    # ---- Endpoints ----

    def _endpoints(self, service: Object, port: Object) -> list[Endpoint]:
        spec = service["spec"]
        pods = [pod for pod in self.pods if not pod.gone.is_set()
                and selects(spec["selector"], pod.labels)]
        if not spec.get("publishNotReadyAddresses"):
            ready = [pod for pod in pods if pod.ready]
            staying = [pod for pod in ready if not pod.terminating.is_set()]
            # Those that go, while they are ready, where there are no others.
            pods = staying or ready
        return [(pod.ip, pod.ports.get(port["targetPort"], port["targetPort"]))
                for pod in pods]

    def _follow(self) -> None:
        """Tells the Services' ports of their endpoints, late."""
        lag = ENDPOINTS_LAG_S * self._scale
        seen = [collections.deque([(0.0, [])]) for _ in self._ports]
        told: list[list[Endpoint]] = [[] for _ in self._ports]
        while not self._closing.wait(TICK_S):
            now = time.monotonic()
            for index, (service, port, proxy) in enumerate(self._ports):
                current = self._endpoints(service, port)
                if seen[index][-1][1] != current:
                    seen[index].append((now, current))
                while len(seen[index]) > 1 and seen[index][1][0] + lag <= now:
                    seen[index].popleft()
                if told[index] != seen[index][0][1]:
                    told[index] = seen[index][0][1]
                    proxy.set_endpoints(told[index])

    def close(self) -> None:
        self._closing.set()
        self._proxy.join(30)
        for pod in self.pods:
            pod.close()
        for _, _, proxy in self._ports:
            proxy.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


class StatefulSet:
    """Ordinals, each with a pod of its own."""

    def __init__(self, cluster: Cluster, name: str):
        self._cluster = cluster
        self._name = name
        self._spec = find(cluster.objects, f"StatefulSet/{name}")["spec"]
        strategy = self._spec.get("updateStrategy", {"type": "RollingUpdate"})
        if strategy not in ({"type": "RollingUpdate"},):
            raise NotImplementedError(f"updateStrategy {strategy}")
        if self._spec.get("podManagementPolicy") != "Parallel":
            raise NotImplementedError("podManagementPolicy OrderedReady")
        self.replicas: int = self._spec.get("replicas", 1)
        self.pods: dict[int, Pod] = {}

    def start(self) -> None:
        """All at once: Parallel. Does not wait."""
        for ordinal in range(self.replicas):
            self._create(ordinal)

    def _create(self, ordinal: int) -> None:
        self.pods[ordinal] = self._cluster.create(
            f"{self._name}-{ordinal}", self._spec["template"])

    def wait_ready(self) -> None:
        wait_until(lambda: all(self.pods[n].ready
                               for n in range(self.replicas)),
                   f"{self._name} is not ready")

    def _replace(self, ordinal: int) -> None:
        """The same name is taken only when the old pod is gone."""
        old = self.pods[ordinal]
        self._cluster.see_off(old)
        self._create(ordinal)

    def rolling_update(self) -> None:
        """From the highest ordinal down, each ready before the next goes."""
        for ordinal in reversed(range(self.replicas)):
            self.pods[ordinal].delete()
            self._replace(ordinal)
            self.wait_ready()

    def scale(self, replicas: int) -> None:
        """The highest ordinals come and go."""
        before, self.replicas = self.replicas, replicas
        for ordinal in range(before, replicas):
            self._create(ordinal)
        going = [self.pods.pop(n) for n in range(replicas, before)]
        for pod in going:
            pod.delete()
        for pod in going:
            self._cluster.see_off(pod)
        self.wait_ready()

    def evict(self, ordinal: int) -> bool:
        """As `kubectl drain` does; False: the disruption budget says no."""
        pod = self.pods[ordinal]
        for budget in of_kind(self._cluster.objects, "PodDisruptionBudget"):
            if not selects(budget["spec"]["selector"], pod.labels):
                continue
            healthy = [p for p in self.pods.values()
                       if p.ready and not p.terminating.is_set()]
            if (pod in healthy and len(healthy) - 1
                    < self.replicas - budget["spec"]["maxUnavailable"]):
                return False
        pod.delete()
        threading.Thread(target=self._replace, args=(ordinal,),
                         daemon=True).start()
        return True


class RollingDeployment:
    """Pods that a RollingUpdate replaces one by one: a new one is ready before
    an old one is told to go."""

    def __init__(self, cluster: Cluster, name: str):
        self._cluster = cluster
        self._name = name
        self._spec = find(cluster.objects, f"Deployment/{name}")["spec"]
        strategy = self._spec["strategy"]
        if strategy != {"type": "RollingUpdate", "rollingUpdate": {
                "maxUnavailable": 0, "maxSurge": 1}}:
            raise NotImplementedError(f"strategy {strategy}")
        self._made = 0
        self.pods: list[Pod] = []

    def start(self) -> None:
        """Does not wait."""
        for _ in range(self._spec.get("replicas", 1)):
            self._create()

    def _create(self) -> None:
        self._made += 1
        self.pods.append(self._cluster.create(f"{self._name}-{self._made}",
                                              self._spec["template"]))

    def wait_ready(self) -> None:
        wait_until(lambda: all(pod.ready for pod in self.pods),
                   f"{self._name} is not ready")

    def rolling_update(self) -> None:
        old, going = list(self.pods), []
        for pod in old:
            self._create()
            self.wait_ready()
            self.pods.remove(pod)
            pod.delete()
            going.append(pod)
        for pod in going:
            self._cluster.see_off(pod)

    def end(self) -> None:
        going, self.pods = self.pods, []
        for pod in going:
            pod.delete()
        for pod in going:
            self._cluster.see_off(pod)


class Deployment:
    """One pod, which Recreate ends before it makes another."""

    def __init__(self, cluster: Cluster, name: str):
        self._cluster = cluster
        self._name = name
        self._spec = find(cluster.objects, f"Deployment/{name}")["spec"]
        if self._spec.get("strategy") != {"type": "Recreate"}:
            raise NotImplementedError(f"strategy {self._spec.get('strategy')}")
        if self._spec.get("replicas", 1) != 1:
            raise NotImplementedError("several replicas")
        self._revision = 0
        self.pod: Pod | None = None

    def start(self) -> None:
        """Does not wait."""
        self._revision += 1
        self.pod = self._cluster.create(f"{self._name}-{self._revision}",
                                        self._spec["template"])

    def wait_ready(self) -> None:
        wait_until(lambda: self.pod.ready, f"{self._name} is not ready")

    def recreate(self) -> None:
        old = self.pod
        old.delete()
        self._cluster.see_off(old)
        self.start()
        self.wait_ready()
