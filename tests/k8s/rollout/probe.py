"""A container's probes, as the kubelet makes them of the manifest."""

import dataclasses
import urllib.error
import urllib.request

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.k8s.rendering import Object


@dataclasses.dataclass(frozen=True)
class Probe:
    """With Kubernetes' defaults for what the manifest leaves out."""

    action: Object
    initial_delay_s: float
    period_s: float
    timeout_s: float
    success_threshold: int
    failure_threshold: int

    @staticmethod
    def of(manifest: Object) -> "Probe":
        known = {"grpc", "httpGet", "initialDelaySeconds", "periodSeconds",
                 "timeoutSeconds", "successThreshold", "failureThreshold"}
        if unknown := set(manifest) - known:
            raise NotImplementedError(f"probes with {sorted(unknown)}")
        return Probe(
            action=manifest,
            initial_delay_s=manifest.get("initialDelaySeconds", 0),
            period_s=manifest.get("periodSeconds", 10),
            timeout_s=manifest.get("timeoutSeconds", 1),
            success_threshold=manifest.get("successThreshold", 1),
            failure_threshold=manifest.get("failureThreshold", 3))

    def succeeds(self, ip: str, ports: dict[str, int]) -> bool:
        """Asks once."""
        if "grpc" in self.action:
            return self._ask_health(f"{ip}:{self.action['grpc']['port']}",
                                    self.action["grpc"].get("service", ""))
        get = self.action["httpGet"]
        port = ports.get(get["port"], get["port"])
        return self._get(f"http://{ip}:{port}{get['path']}")

    def _ask_health(self, address: str, service: str) -> bool:
        # A connection for each, as the kubelet's.
        with grpc.insecure_channel(address, options=[
                ("grpc.use_local_subchannel_pool", 1)]) as channel:
            try:
                answer = health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(service=service),
                    timeout=self.timeout_s)
            except grpc.RpcError:
                return False
        return answer.status == health_pb2.HealthCheckResponse.SERVING

    def _get(self, url: str) -> bool:
        try:
            with urllib.request.urlopen(url, timeout=self.timeout_s) as answer:
                return 200 <= answer.status < 400
        except (OSError, urllib.error.URLError):
            return False
