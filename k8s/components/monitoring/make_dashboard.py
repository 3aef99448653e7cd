#!/usr/bin/python3
"""Writes dashboard.json, which Grafana reads, from panels.py.

Usage: make_dashboard.py (after every change of panels.py or grafana.py)
"""

import json
import pathlib

import grafana
import panels

FOLDER = pathlib.Path(__file__).resolve().parent


def variable(name: str, label: str, query: str, **more) -> dict:
    """One that offers the values of a label."""
    return {"name": name, "label": label, "type": "query",
            "datasource": grafana.DATASOURCE, "definition": query,
            "query": {"query": query, "refId": name}, "refresh": 2,
            "sort": 1, **more}


def dashboard() -> dict:
    return {
        "uid": "hybridserve",
        "title": "HybridServe",
        "description": "A scheduler and its workers; docs/runbook.md says what "
                       "to look at.",
        "tags": ["hybridserve"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "utc",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [
            {"name": "datasource", "label": "Prometheus", "type": "datasource",
             "query": "prometheus"},
            variable("namespace", "Namespace",
                     "label_values(hybridserve_requests_running, namespace)"),
            variable("model", "Model",
                     "label_values(hybridserve_worker_up"
                     '{namespace=~"$namespace"}, model_name)',
                     multi=True, includeAll=True, allValue=".*",
                     current={"text": "All", "value": "$__all"}),
        ]},
        "panels": grafana.panels_of(panels.SECTIONS),
    }


def text() -> str:
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    (FOLDER / "dashboard.json").write_text(text(), "utf-8")
