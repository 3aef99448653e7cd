"""No request fails while a cell of real processes is updated, scaled and
drained as the manifests say; and requests do fail where the manifests are bad.

Usage: rollout_test.py PROGRAMS_ROOT TIME_SCALE. At 1 every pause is as long as
in the manifests; below, pauses between probes, preStop's sleep and the lag of
endpoints are shortened.
"""

import sys
import unittest

from tests.e2e.processes import Programs
from tests.k8s.rendering import find, of_kind, render
from tests.k8s.rollout.rollout import OVERLAY, Rollout, table

PROGRAMS = None
TIME_SCALE = 1.0
CLIENTS = 4
UPDATE = "update of the scheduler"


class RolloutTest(unittest.TestCase):
    def test_no_request_fails(self):
        result = Rollout(render(OVERLAY), PROGRAMS, TIME_SCALE, CLIENTS).run()
        print(table(result))
        self.assertEqual(result.failures, [])
        self.assertEqual(result.faults, [])
        phases = {phase.name: phase for phase in result.phases}
        for name in ("rolling update of the workers", "one worker more",
                     "one worker less", "all nodes drained", UPDATE):
            self.assertGreater(phases[name].requests, 0, name)
        # The budget let one worker go at a time.
        self.assertGreater(result.refused_evictions, 0)
        # There was something to retry in the scheduler's update, and nothing
        # but that.
        for name, phase in phases.items():
            unavailable = phase.codes_without_retries.pop("UNAVAILABLE", 0)
            self.assertLessEqual(set(phase.codes_without_retries), {"OK"})
            if name == UPDATE:
                self.assertGreater(unavailable, 0)

    def test_a_drain_of_most_of_a_minute_is_waited_for(self):
        """The policy's pauses are longer than the longest drain."""
        if TIME_SCALE < 1:
            self.skipTest("takes minutes: in the nightly run")
        objects = render(OVERLAY)
        for item in of_kind(objects, "ConfigMap"):
            if item["metadata"]["name"].startswith("worker-flags"):
                # So slow a link that each request takes some 40 s.
                item["data"].update({
                    "HYBRIDSERVE_DEVICE_MEMORY": "min",
                    "HYBRIDSERVE_DTYPE": "float32",
                    "HYBRIDSERVE_LINK_BANDWIDTH": "50MB/s"})
        rollout = Rollout(objects, PROGRAMS, TIME_SCALE, CLIENTS)
        rollout.phases = {UPDATE: rollout.phases[UPDATE]}
        result = rollout.run()
        print(table(result))
        self.assertEqual(result.failures, [])
        self.assertEqual(result.faults, [])
        (update, _) = result.phases
        self.assertGreater(update.codes_without_retries["UNAVAILABLE"], 0)

    def test_a_drain_that_is_cut_short_is_seen(self):
        """Streams that are under way end with an error, and cannot be
        retried."""
        objects = render(OVERLAY)
        pod = find(objects, "Deployment/scheduler")["spec"]["template"]["spec"]
        args = pod["containers"][0]["args"]
        args[args.index("--drain_timeout=60s")] = "--drain_timeout=0s"
        # SIGTERM at once: after a sleep the clients, whose requests end
        # together, might all be between two.
        del pod["containers"][0]["lifecycle"]
        # So long that on the fastest machine it does not end meanwhile.
        rollout = Rollout(objects, PROGRAMS, TIME_SCALE, CLIENTS,
                          max_tokens=384)
        rollout.phases = {UPDATE: rollout.when_a_stream_begins(
            rollout.phases[UPDATE])}
        result = rollout.run()
        self.assertTrue(result.failures)
        self.assertEqual(result.faults, [])
        for failure in result.failures:
            self.assertRegex(failure, "UNAVAILABLE")


if __name__ == "__main__":
    PROGRAMS = Programs(sys.argv.pop(1))
    TIME_SCALE = float(sys.argv.pop(1))
    unittest.main(verbosity=2, warnings="ignore")
