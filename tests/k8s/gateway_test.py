"""The gateway's configuration has fields that Envoy has, and names what the
protocol and the cell have.

Usage: gateway_test.py DESCRIPTOR, the public protocol as protoc describes it.
"""

import base64
import copy
import json
import pathlib
import re
import sys
import unittest

import jsonschema
import yaml
from google.protobuf import (descriptor_pb2, descriptor_pool, json_format,
                             message_factory)

from tests.k8s.rendering import (K8S, Object, find, flag_values, of_kind,
                                 render)
from tests.k8s.schema import schema_of
from tests.k8s.wiring import seconds_of

FIELDS = yaml.safe_load(
    pathlib.Path(__file__).with_name("envoy_fields.yaml").read_text())
RETRIES = K8S.parent / "docs" / "grpc_service_config.json"
# From the end of the drain until the next scheduler has a worker: its last words
# (2 s), its start, the workers' dialling, its readiness probe (5 s).
NEXT_SCHEDULER_SECONDS = 15
ERROR_DETAILS = K8S.parent / "proto" / "google" / "rpc" / "error_details.proto"
DESCRIPTOR = pathlib.Path()


def problem_of(config: Object) -> str | None:
    """What Envoy would not know in it; None: nothing."""
    try:
        jsonschema.validate(config, schema_of(FIELDS["bootstrap"]))
        for filter_ in http_filters(config):
            jsonschema.validate(filter_, {
                "required": ["name", "typed_config"],
                "properties": {"name": {"enum": list(FIELDS["http_filters"])}}})
            jsonschema.validate(
                filter_["typed_config"],
                schema_of(FIELDS["http_filters"][filter_["name"]]))
    except jsonschema.ValidationError as error:
        return error.message
    return None


def manager(config: Object) -> Object:
    listener = config["static_resources"]["listeners"][0]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def http_filters(config: Object) -> list[Object]:
    return manager(config)["http_filters"]


def longest_pauses(policy: Object) -> list[float]:
    """Before each retry: Envoy takes any pause from 0 to base * 2^n, capped."""
    back_off = policy["retry_back_off"]
    return [min(seconds_of(back_off["base_interval"]) * 2 ** n,
                seconds_of(back_off["max_interval"]))
            for n in range(policy["num_retries"])]


def chance_of_less(longest: list[float], seconds: float) -> float:
    """That pauses, each from 0 to its longest, are over in less."""
    step = 0.05
    chances = [1.0] + [0.0] * round(seconds / step)  # By the sum, in steps.
    for pause in longest:
        width, inside, after = round(pause / step), 0.0, []
        for n, chance in enumerate(chances):
            inside += chance - (chances[n - width] if n >= width else 0)
            after.append(inside / width)
        chances = after
    return sum(chances)


def descriptor(data: bytes) -> descriptor_pb2.FileDescriptorSet:
    return descriptor_pb2.FileDescriptorSet.FromString(data)


class GatewayTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.objects = render("overlays/gateway")
        # As the pod sees it: one map of files.
        config_map = of_kind(cls.objects, "ConfigMap")[0]
        cls.files = {
            **{name: text.encode()
               for name, text in config_map.get("data", {}).items()},
            **{name: base64.b64decode(text)
               for name, text in config_map["binaryData"].items()}}
        cls.config = yaml.safe_load(cls.files["envoy.yaml"])
        cls.transcoder = next(
            f["typed_config"] for f in http_filters(cls.config)
            if f["name"].endswith("grpc_json_transcoder"))

    def test_the_descriptor_is_the_protocols(self):
        self.assertEqual(descriptor(self.files["hybridserve.binpb"]),
                         descriptor(DESCRIPTOR.read_bytes()))

    def test_it_has_the_types_of_every_detail_of_an_error(self):
        """Envoy makes JSON of grpc-status-details-bin by this set alone, and of
        a detail that it does not know no body at all."""
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor(self.files["hybridserve.binpb"]).file:
            pool.Add(file)
        details = [f"google.rpc.{name}" for name in re.findall(
            r"^message (\w+)", ERROR_DETAILS.read_text(), re.M)]
        self.assertIn("google.rpc.RetryInfo", details)
        status = message_factory.GetMessageClass(
            pool.FindMessageTypeByName("google.rpc.Status"))(
                code=8, message="the queue is full")
        for name in details:
            status.details.add(type_url=f"type.googleapis.com/{name}")
        written = json_format.MessageToDict(status, descriptor_pool=pool)
        self.assertEqual([detail["@type"] for detail in written["details"]],
                         [f"type.googleapis.com/{name}" for name in details])

    def test_the_descriptor_is_mounted_where_envoy_reads_it(self):
        pod = find(self.objects, "Deployment/gateway")["spec"]["template"][
            "spec"]
        container = pod["containers"][0]
        folder = container["volumeMounts"][0]["mountPath"]
        self.assertEqual(self.transcoder["proto_descriptor"],
                         f"{folder}/hybridserve.binpb")
        self.assertIn(f"{folder}/envoy.yaml", container["args"])

    def test_services_are_the_protocols_but_not_the_operators(self):
        files = descriptor(DESCRIPTOR.read_bytes()).file
        known = {f"{file.package}.{service.name}"
                 for file in files for service in file.service}
        self.assertEqual(set(self.transcoder["services"]), known)
        self.assertNotIn("hybridserve.v1.ControlService", known)
        # No other way to it either than a gRPC call by its name; annotations
        # would make auto_mapping void.
        self.assertTrue(self.transcoder["auto_mapping"])
        self.assertFalse([method for file in files for service in file.service
                          for method in service.method
                          if method.HasField("options")])

    def test_every_field_is_envoys(self):
        self.assertIsNone(problem_of(self.config))

    def test_a_field_that_is_not_envoys_is_found(self):
        def changed(change) -> str | None:
            config = copy.deepcopy(self.config)
            change(config)
            return problem_of(config)
        for change in (
                lambda c: c["static_resources"].update(listener=[]),
                lambda c: c["static_resources"].pop("clusters"),
                lambda c: manager(c).update(stat_prefix=1),
                lambda c: http_filters(c)[1]["typed_config"].update(
                    auto_map=True),
                lambda c: http_filters(c)[1].update(name="envoy.filters.jwt"),
                lambda c: http_filters(c)[2].pop("typed_config")):
            self.assertIsNotNone(changed(change))

    def test_filters_are_in_an_order_that_works(self):
        names = [f["name"].rpartition(".")[2]
                 for f in http_filters(self.config)]
        self.assertEqual(names, ["health_check", "grpc_json_transcoder",
                                 "router"])

    def test_it_leads_to_the_scheduler_from_the_port_that_is_probed(self):
        resources = self.config["static_resources"]
        cluster = resources["clusters"][0]
        end = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0][
            "endpoint"]["address"]["socket_address"]
        service = find(render("base"), f"Service/{end['address']}")
        self.assertIn(end["port_value"],
                      [port["port"] for port in service["spec"]["ports"]])
        route = manager(self.config)["route_config"]["virtual_hosts"][0][
            "routes"][0]["route"]
        self.assertEqual(route["cluster"], cluster["name"])
        self.assertEqual(cluster["load_assignment"]["cluster_name"],
                         cluster["name"])
        listened = resources["listeners"][0]["address"]["socket_address"]
        container = find(self.objects, "Deployment/gateway")["spec"][
            "template"]["spec"]["containers"][0]
        self.assertEqual([port["containerPort"]
                          for port in container["ports"]],
                         [listened["port_value"]])
        path = http_filters(self.config)[0]["typed_config"]["headers"][0][
            "string_match"]["exact"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(container[probe]["httpGet"]["path"], path)

    def retry_policy(self) -> Object:
        return manager(self.config)["route_config"]["virtual_hosts"][0][
            "routes"][0]["route"]["retry_policy"]

    def test_it_retries_what_clients_are_told_to_retry(self):
        """UNAVAILABLE: the scheduler's, and what gRPC makes of a connection
        that there is none of. Nothing that may have begun."""
        policy = json.loads(RETRIES.read_text())["methodConfig"][0][
            "retryPolicy"]
        self.assertEqual(policy["retryableStatusCodes"], ["UNAVAILABLE"])
        self.assertEqual(
            set(self.retry_policy()["retry_on"].split(",")),
            {"unavailable", "connect-failure", "refused-stream",
             "reset-before-request"})

    def test_it_retries_through_the_longest_update_of_the_scheduler(self):
        cell = render("base")
        flags = flag_values(find(cell, "Deployment/scheduler")["spec"][
            "template"]["spec"]["containers"][0], cell)
        update = seconds_of(flags["drain_timeout"]) + NEXT_SCHEDULER_SECONDS
        pauses = longest_pauses(self.retry_policy())
        self.assertLess(chance_of_less(pauses, update), 1e-4)
        # Nor does it hold those up who ask in vain.
        self.assertLess(sum(pauses) / 2, 180)

    def test_the_arithmetic_of_pauses(self):
        policy = {"num_retries": 5, "retry_back_off": {
            "base_interval": "1s", "max_interval": "10s"}}
        self.assertEqual(longest_pauses(policy), [1, 2, 4, 8, 10])
        self.assertAlmostEqual(chance_of_less([10], 4), 0.4, delta=0.02)
        # Of two the sum is below t in t * t / 2 of all.
        self.assertAlmostEqual(chance_of_less([10, 10], 5), 0.125, delta=0.02)
        # What there was: four pauses can't last a minute.
        policy = {"num_retries": 4, "retry_back_off": {
            "base_interval": "2s", "max_interval": "60s"}}
        self.assertAlmostEqual(chance_of_less(longest_pauses(policy), 60), 1)

    def test_all_that_it_has_may_wait_for_a_retry(self):
        cluster = self.config["static_resources"]["clusters"][0]
        thresholds, = cluster["circuit_breakers"]["thresholds"]
        self.assertGreaterEqual(thresholds["max_retries"],
                                thresholds["max_requests"])


if __name__ == "__main__":
    DESCRIPTOR = pathlib.Path(sys.argv.pop(1))
    unittest.main(verbosity=2)
