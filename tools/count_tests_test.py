"""count_tests.py counts what Bazel's events say, and never too few failures."""

import unittest

from tools import count_tests


def configured(label, kind="cc_test rule"):
    return {"id": {"targetConfigured": {"label": label}},
            "configured": {"targetKind": kind}}


def completed(label, success=True, tested=True):
    children = [{"testSummary": {"label": label}}] if tested else []
    return {"id": {"targetCompleted": {"label": label}}, "children": children,
            "completed": {"success": True} if success else {}}


def summary(label, status):
    return {"id": {"testSummary": {"label": label}},
            "testSummary": {"overallStatus": status}}


class CountTestsTest(unittest.TestCase):

    def test_counts_passes_and_names_failures(self):
        events = []
        for label, status in (("//a:p", "PASSED"), ("//a:k", "FLAKY"),
                              ("//a:f", "FAILED"), ("//a:t", "TIMEOUT")):
            events += [configured(label), completed(label),
                       summary(label, status)]
        self.assertEqual(count_tests.count(events, 3),
                         (2, ["//a:f", "//a:t"]))

    def test_a_test_that_does_not_build_has_failed(self):
        events = [configured("//a:t"), completed("//a:t", success=False)]
        self.assertEqual(count_tests.count(events, 1), (0, ["//a:t"]))

    def test_a_test_that_never_completed_has_failed(self):
        self.assertEqual(count_tests.count([configured("//a:t")], 8),
                         (0, ["//a:t"]))

    def test_a_test_that_was_broken_off_has_failed(self):
        events = [configured("//a:t"),
                  {"id": {"testSummary": {"label": "//a:t"}}, "aborted": {}}]
        self.assertEqual(count_tests.count(events, 8), (0, ["//a:t"]))

    def test_a_library_that_does_not_build_has_failed(self):
        events = [configured("//a:l", "cc_library rule"),
                  completed("//a:l", success=False, tested=False)]
        self.assertEqual(count_tests.count(events, 1), (0, ["//a:l"]))

    def test_a_test_that_was_filtered_out_does_not_count(self):
        events = [configured("//a:t"), completed("//a:t", tested=False)]
        self.assertEqual(count_tests.count(events, 0), (0, []))

    def test_a_failure_without_a_target_is_one_failure(self):
        passed, failed = count_tests.count([], 1)
        self.assertEqual((passed, len(failed)), (0, 1))


if __name__ == "__main__":
    unittest.main()
