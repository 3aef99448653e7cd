"""The kubelet, the Services and the controllers of the rollout do as those of
Kubernetes do, so that a rollout without faults means something."""

import copy
import pathlib
import socket
import stat
import sys
import tempfile
import time
import unittest

from tests.k8s.rendering import Object
from tests.k8s.rollout.controllers import (Cluster, Deployment, StatefulSet,
                                           wait_until)
from tests.k8s.rollout.kubelet import Node, Pod
from tests.k8s.rollout.network import Addresses, ServicePort
from tests.k8s.rollout.probe import Probe

FAKE = pathlib.Path(__file__).resolve().with_name("fake_program.py")
ADDRESSES = Addresses()
PORT = 8080
TEMPLATE: Object = {
    "metadata": {"labels": {"app": "fake"}},
    "spec": {
        "terminationGracePeriodSeconds": 2,
        "containers": [{
            "name": "fake",
            "command": ["/opt/hybridserve/bin/scheduler"],
            "args": [f"--listen=0.0.0.0:{PORT}"],
            "env": [{"name": "FAKE_MANNER", "value": "polite"}],
            "resources": {"limits": {"cpu": "500m"}},
            "ports": [{"name": "http", "containerPort": PORT}],
            "readinessProbe": {
                "httpGet": {"path": "/metrics", "port": "http"},
                "periodSeconds": 0.1, "failureThreshold": 2},
        }],
    },
}


class FakePrograms:
    """A scheduler that is FAKE."""

    def __init__(self, folder: str):
        program = pathlib.Path(folder) / "fake"
        program.write_text(f"#!/bin/sh\nexec {sys.executable} {FAKE} \"$@\"\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.scheduler = self.worker = self.openai_gateway = str(program)


class FakeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.programs = FakePrograms(folder.name)
        self.template = copy.deepcopy(TEMPLATE)
        self.container = self.template["spec"]["containers"][0]

    def behave(self, manner: str) -> None:
        self.container["env"][0]["value"] = manner


class PodTest(FakeTest):
    def start(self, manner: str = "polite") -> Pod:
        self.behave(manner)
        pod = Pod("fake-0", self.template, [],
                  Node(self.programs, pathlib.Path()), ADDRESSES.take())
        self.addCleanup(pod.close)
        return pod

    def end(self, pod: Pod) -> None:
        pod.delete()
        wait_until(pod.gone.is_set, "it does not go")

    def test_it_becomes_ready_and_goes(self):
        pod = self.start()
        wait_until(lambda: pod.ready, "it is not ready")
        self.end(pod)
        self.assertFalse(pod.ready)
        self.assertEqual(pod.faults, [])

    def test_what_answers_badly_is_not_ready(self):
        pod = self.start("sick")
        time.sleep(1)
        self.assertFalse(pod.ready)

    def test_pre_stop_comes_before_sigterm(self):
        self.container["lifecycle"] = {
            "preStop": {"exec": {"command": ["sleep", "1"]}}}
        pod = self.start()
        wait_until(lambda: pod.ready, "it is not ready")
        begun = time.monotonic()
        pod.delete()
        self.assertTrue(pod.ready)
        wait_until(pod.gone.is_set, "it does not go")
        self.assertGreaterEqual(time.monotonic() - begun, 1)
        self.assertEqual(pod.faults, [])

    def test_what_does_not_hear_sigterm_is_killed(self):
        pod = self.start("stubborn")
        wait_until(lambda: pod.ready, "it is not ready")
        self.end(pod)
        self.assertRegex(pod.faults[0], "SIGKILL")

    def test_another_exit_code_than_0_is_a_fault(self):
        pod = self.start("sloppy")
        wait_until(lambda: pod.ready, "it is not ready")
        self.end(pod)
        self.assertRegex(pod.faults[0], "drained with 3")

    def test_one_that_ends_by_itself_is_started_again(self):
        pod = self.start("fleeting")
        wait_until(lambda: len(pod.faults) >= 2, "it is not started again")
        self.assertRegex(pod.faults[0], "ended with 4")

    def test_one_that_is_not_alive_is_killed(self):
        self.container["livenessProbe"] = {
            "httpGet": {"path": "/metrics", "port": "http"},
            "periodSeconds": 0.1}
        pod = self.start("sick")
        wait_until(lambda: bool(pod.faults), "it is not killed")
        self.assertRegex(pod.faults[0], "livenessProbe")

    def test_until_it_has_started_nothing_else_is_asked(self):
        self.container["startupProbe"] = {
            "httpGet": {"path": "/metrics", "port": "http"},
            "periodSeconds": 0.1, "failureThreshold": 20}
        self.container["livenessProbe"] = {
            "httpGet": {"path": "/metrics", "port": "http"},
            "periodSeconds": 0.1, "failureThreshold": 1}
        pod = self.start("sick")
        wait_until(lambda: bool(pod.faults), "it is not killed")
        self.assertRegex(pod.faults[0], "startupProbe")

    def test_a_probe_that_nobody_taught_us_is_refused(self):
        with self.assertRaises(NotImplementedError):
            Probe.of({"tcpSocket": {"port": 1}})


class ServicePortTest(unittest.TestCase):
    def setUp(self):
        self.server = socket.create_server((ADDRESSES.take(), PORT))
        self.addCleanup(self.server.close)
        self.port = ServicePort(ADDRESSES.take(), PORT)
        self.addCleanup(self.port.close)

    def dial(self) -> socket.socket:
        connection = socket.create_connection((self.port.ip, PORT), 10)
        self.addCleanup(connection.close)
        return connection

    def test_without_endpoints_it_refuses(self):
        with self.assertRaises(ConnectionRefusedError):
            self.dial()
        self.port.set_endpoints([self.server.getsockname()])
        self.dial()
        self.port.set_endpoints([])
        with self.assertRaises(ConnectionRefusedError):
            self.dial()

    def test_connections_outlive_their_endpoint(self):
        self.port.set_endpoints([self.server.getsockname()])
        near = self.dial()
        far, _ = self.server.accept()
        self.addCleanup(far.close)
        self.port.set_endpoints([])
        near.sendall(b"a")
        self.assertEqual(far.recv(1), b"a")
        far.sendall(b"b")
        self.assertEqual(near.recv(1), b"b")
        far.close()
        self.assertEqual(near.recv(1), b"")


class ControllersTest(FakeTest):
    def cluster(self, replicas: int = 3) -> Cluster:
        selector = {"matchLabels": {"app": "fake"}}
        cluster = Cluster([
            {"kind": "StatefulSet", "metadata": {"name": "fake"},
             "spec": {"replicas": replicas, "template": self.template,
                      "podManagementPolicy": "Parallel"}},
            {"kind": "Deployment", "metadata": {"name": "one"},
             "spec": {"strategy": {"type": "Recreate"},
                      "template": self.template}},
            {"kind": "PodDisruptionBudget", "metadata": {"name": "fake"},
             "spec": {"maxUnavailable": 1, "selector": selector}},
            {"kind": "Service", "metadata": {"name": "fake"},
             "spec": {"selector": {"app": "fake"}, "ports": [
                 {"name": "http", "port": PORT, "targetPort": "http"}]}},
        ], self.programs, pathlib.Path(), time_scale=0.1)
        self.addCleanup(cluster.close)
        return cluster

    def test_an_update_goes_from_the_last_to_the_first(self):
        cluster = self.cluster()
        workers = StatefulSet(cluster, "fake")
        workers.start()
        workers.wait_ready()
        old = dict(workers.pods)
        workers.rolling_update()
        self.assertEqual([pod.name for pod in cluster.past],
                         ["fake-2", "fake-1", "fake-0"])
        self.assertEqual(cluster.past, [old[2], old[1], old[0]])
        self.assertTrue(all(pod.ready for pod in workers.pods.values()))

    def test_scaling_takes_the_highest(self):
        cluster = self.cluster()
        workers = StatefulSet(cluster, "fake")
        workers.start()
        workers.wait_ready()
        workers.scale(1)
        self.assertEqual(list(workers.pods), [0])
        workers.scale(2)
        self.assertEqual(sorted(workers.pods), [0, 1])

    def test_a_budget_lets_one_go_at_a_time(self):
        cluster = self.cluster()
        workers = StatefulSet(cluster, "fake")
        workers.start()
        workers.wait_ready()
        old = workers.pods[0]
        self.assertTrue(workers.evict(0))
        self.assertFalse(workers.evict(1))
        wait_until(lambda: workers.pods[0] is not old, "it is not replaced")
        workers.wait_ready()
        self.assertTrue(workers.evict(1))

    def test_recreate_has_no_two_at_once(self):
        cluster = self.cluster()
        one = Deployment(cluster, "one")
        one.start()
        one.wait_ready()
        old = one.pod
        one.recreate()
        self.assertTrue(old.gone.is_set())
        self.assertIsNot(one.pod, old)

    def test_the_service_follows_readiness(self):
        cluster = self.cluster()
        one = Deployment(cluster, "one")
        host, _, port = cluster.address("fake", "http").partition(":")

        def dials() -> bool:
            try:
                socket.create_connection((host, int(port)), 10).close()
                return True
            except ConnectionRefusedError:
                return False

        self.assertFalse(dials())
        one.start()
        wait_until(dials, "no endpoint")
        one.pod.delete()
        wait_until(lambda: not dials(), "the endpoint stays")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
