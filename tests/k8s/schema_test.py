"""The schema check finds what is wrong, in built-in and custom kinds."""

import unittest

from tests.k8s import schema
from tests.k8s.rendering import Object, find, render

CERTIFICATE = "Certificate/scheduler"


class SchemaTest(unittest.TestCase):
    def check(self, folder: str, name: str, change, problem: str) -> None:
        item: Object = find(render(folder), name)
        self.assertIsNone(schema.problem_of(item))
        change(item)
        self.assertRegex(schema.problem_of(item) or "nothing", problem)

    def test_built_in_kinds(self):
        cases = [
            ("Service/scheduler", lambda o: o["spec"].update(typ="ClusterIP"),
             "'typ' was unexpected"),
            ("Deployment/scheduler", lambda o: o["spec"].pop("selector"),
             "'selector' is a required property"),
            ("StatefulSet/worker", lambda o: o["spec"].update(replicas="two"),
             "spec.replicas: 'two' is not of type"),
            ("NetworkPolicy/worker",
             lambda o: o["spec"].update(policyTypes="Ingress"),
             "spec.policyTypes: 'Ingress' is not of type"),
        ]
        for name, change, problem in cases:
            with self.subTest(name):
                self.check("base", name, change, problem)

    def test_custom_kinds(self):
        cases = [
            (lambda o: o["spec"].update(dnsName=["a"]),
             "spec: .*'dnsName' was unexpected"),
            (lambda o: o["spec"].pop("secretName"),
             "spec: 'secretName' is a required property"),
            (lambda o: o["spec"]["issuerRef"].pop("name"),
             "spec.issuerRef: 'name' is a required"),
            (lambda o: o["spec"]["issuerRef"].update(kind="Issuers"),
             "spec.issuerRef.kind: 'Issuers' is not one of"),
            (lambda o: o["spec"].update(dnsNames="a"),
             "spec.dnsNames: 'a' is not of type 'array'"),
            (lambda o: o["spec"]["privateKey"].update(size="256"),
             "spec.privateKey.size: '256' is not of type 'integer'"),
            (lambda o: o["metadata"].pop("name"), "metadata: 'name' is a req"),
        ]
        for change, problem in cases:
            with self.subTest(problem):
                self.check("overlays/tls", CERTIFICATE, change, problem)

    def test_an_inference_pool(self):
        self.check("overlays/inference-pool", "InferencePool/hybridserve",
                   lambda o: o["spec"].update(extensionRef={"name": "epp"}),
                   "'extensionRef' was unexpected")

    def test_a_kind_that_nobody_wrote_down(self):
        for kind in ({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"},
                     {"apiVersion": "v2", "kind": "Service"}):
            self.assertIn("no schema of", schema.problem_of(
                {**kind, "metadata": {"name": "a"}, "spec": {}}))


if __name__ == "__main__":
    unittest.main(verbosity=2)
