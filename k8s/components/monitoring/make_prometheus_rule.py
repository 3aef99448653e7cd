#!/usr/bin/python3
"""Writes prometheus_rule.yaml: rules.yaml as Prometheus's operator wants it.

Usage: make_prometheus_rule.py (after every change of rules.yaml)
"""

import pathlib
import textwrap

FOLDER = pathlib.Path(__file__).resolve().parent

HEAD = """\
# Made of rules.yaml by make_prometheus_rule.py: change that, not this.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: hybridserve
  labels:
    app.kubernetes.io/name: hybridserve
spec:
"""


def prometheus_rule(rules: str) -> str:
    """The object that holds a file of rules."""
    return HEAD + textwrap.indent(rules[rules.index("groups:"):], "  ")


if __name__ == "__main__":
    (FOLDER / "prometheus_rule.yaml").write_text(
        prometheus_rule((FOLDER / "rules.yaml").read_text("utf-8")), "utf-8")
