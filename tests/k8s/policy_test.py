"""Each rule of the policy finds its offender."""

import unittest
from typing import Callable

from tests.k8s import policy
from tests.k8s.rendering import Object, find, render

Change = Callable[[Object, Object], None]  # Of a pod's spec and its container.


def set_in(path: str, value: object) -> Change:
    """In `pod.FIELD...` or `container.FIELD...`; None: takes it away."""
    where, *fields, last = path.split(".")

    def change(pod: Object, container: Object) -> None:
        target = pod if where == "pod" else container
        for field in fields:
            target = target.setdefault(field, {})
        if value is None:
            target.pop(last)
        else:
            target[last] = value
    return change


OFFENDERS: dict[str, list[Change]] = {
    "limits": [
        set_in("container.resources", None),
        set_in("container.resources.limits.cpu", None),
        set_in("container.resources.requests.memory", None),
        set_in("container.resources.requests.memory", "1Mi"),
    ],
    "probes": [
        set_in("container.startupProbe", None),
        set_in("container.readinessProbe", None),
        set_in("container.livenessProbe", None),
        set_in("container.livenessProbe.timeoutSeconds", None),
    ],
    "non_root": [
        set_in("pod.securityContext.runAsNonRoot", None),
        set_in("container.securityContext.runAsNonRoot", False),
        set_in("container.securityContext.runAsUser", 0),
        set_in("pod.securityContext.runAsUser", None),
    ],
    "read_only_root": [
        set_in("container.securityContext.readOnlyRootFilesystem", None),
        set_in("container.securityContext.readOnlyRootFilesystem", False),
    ],
    "dropped_rights": [
        set_in("container.securityContext", None),
        set_in("container.securityContext.allowPrivilegeEscalation", None),
        set_in("container.securityContext.privileged", True),
        set_in("container.securityContext.capabilities.drop", ["NET_RAW"]),
        set_in("container.securityContext.capabilities.add", ["SYS_ADMIN"]),
        set_in("pod.securityContext.seccompProfile.type", "Unconfined"),
    ],
    "fixed_images": [
        set_in("container.image", "hybridserve"),
        set_in("container.image", "hybridserve:latest"),
        set_in("container.image", "registry:5000/hybridserve"),
        set_in("container.image", "hybridserve:0.1"),
    ],
    "no_host": [
        set_in("pod.hostNetwork", True),
        set_in("pod.hostPID", True),
        set_in("pod.volumes", [{"name": "a", "hostPath": {"path": "/a"}}]),
        set_in("container.ports", [{"containerPort": 1, "hostPort": 1}]),
    ],
    "no_token": [
        set_in("pod.automountServiceAccountToken", None),
        set_in("pod.serviceAccountName", None),
    ],
}


class PolicyTest(unittest.TestCase):
    def test_every_rule_has_an_offender(self):
        self.assertEqual(set(OFFENDERS), set(policy.RULES))

    def test_each_offender_is_found_by_its_rule(self):
        for name, changes in OFFENDERS.items():
            for number, change in enumerate(changes):
                for workload in ("Deployment/scheduler", "StatefulSet/worker"):
                    with self.subTest(rule=name, change=number):
                        objects = render("overlays/cpu-demo")
                        self.assertEqual(
                            list(policy.RULES[name](objects)), [])
                        pod = find(objects, workload)["spec"]["template"][
                            "spec"]
                        change(pod, pod["containers"][0])
                        self.assertTrue(list(policy.RULES[name](objects)))

    def test_a_job_is_judged_too_but_needs_no_probes(self):
        objects = render("overlays/batch-job")
        self.assertEqual(policy.violations(objects), [])
        pod = find(objects, "Job/batch")["spec"]["template"]["spec"]
        pod["containers"][0].pop("securityContext")
        self.assertTrue(policy.violations(objects))

    def test_init_containers_are_judged_too(self):
        objects = render("base")
        pod = find(objects, "StatefulSet/worker")["spec"]["template"]["spec"]
        pod["initContainers"] = [{"name": "a", "image": "busybox"}]
        found = policy.violations(objects)
        for rule in ("limits", "read_only_root", "fixed_images"):
            self.assertTrue([f for f in found if f.startswith(f"{rule}: ")])

    def test_an_account_that_hands_out_tokens(self):
        objects = render("base")
        find(objects, "ServiceAccount/hybridserve").pop(
            "automountServiceAccountToken")
        self.assertTrue(list(policy.no_token(objects)))

    def test_a_host_path_with_a_reason_is_fine(self):
        objects = render("base")
        template = find(objects, "StatefulSet/worker")["spec"]["template"]
        template["spec"]["volumes"] = [
            {"name": "a", "hostPath": {"path": "/models"}}]
        template["metadata"]["annotations"] = {
            policy.HOST_PATH_REASON: "models on the node's own disks"}
        self.assertEqual(list(policy.no_host(objects)), [])
        template["metadata"]["annotations"][policy.HOST_PATH_REASON] = ""
        self.assertTrue(list(policy.no_host(objects)))

    def test_digests_and_suffixes_name_one_version(self):
        for image in ("a/b:1.2.3", "a:v1.31.2", "a:1.2.3-cuda13",
                      "a@sha256:" + 64 * "0"):
            objects = render("base")
            pod = find(objects, "Deployment/scheduler")["spec"]["template"]
            pod["spec"]["containers"][0]["image"] = image
            self.assertEqual(list(policy.fixed_images(objects)), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
