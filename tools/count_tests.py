"""Counts the tests of a Bazel invocation from its build event file.

    count_tests.py EVENTS.json EXIT_STATUS

Prints "PASSED FAILED", then a line for each target that failed: a test that
failed, timed out or could not be built, or any other target that could not.
An invocation that failed without naming a target counts as one failure.
"""

import json
import sys

_PASSED = ("PASSED", "FLAKY")


def _events(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def count(events, exit_status):
    """Returns (number passed, labels of what failed, sorted)."""
    tests = {}  # Label -> status; None until a summary says otherwise.
    broken = set()
    for event in events:
        identity = event["id"]
        if "targetConfigured" in identity:
            label = identity["targetConfigured"]["label"]
            kind = event.get("configured", {}).get("targetKind", "")
            if kind.endswith("_test rule"):
                tests.setdefault(label, None)
        elif "testSummary" in identity:
            label = identity["testSummary"]["label"]
            # Without a status where the run was broken off.
            tests[label] = event.get("testSummary", {}).get("overallStatus")
        elif "targetCompleted" in identity:
            label = identity["targetCompleted"]["label"]
            if "aborted" in event or not event.get("completed",
                                                   {}).get("success"):
                broken.add(label)
            elif "testSummary" not in str(event.get("children", "")):
                # Built, but not chosen to run by --test_tag_filters.
                tests.pop(label, None)
    passed = [label for label, status in tests.items() if status in _PASSED]
    failed = {label for label, status in tests.items() if status not in _PASSED}
    failed |= broken
    if exit_status != 0 and not failed:
        failed.add("(the build: see its messages)")
    return len(passed), sorted(failed)


def main(argv):
    passed, failed = count(_events(argv[1]), int(argv[2]))
    print(passed, len(failed))
    for label in failed:
        print(label)


if __name__ == "__main__":
    main(sys.argv)
