"""The files of k8s/components/monitoring, and the queries in them."""

import dataclasses
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "k8s" / "components" / "monitoring"
RUNBOOK = ROOT / "docs" / "runbook.md"

# A name that is no function and no keyword: followed by labels, a range, an
# operator or nothing. Ours have prefixes, so this is all that they need.
METRIC = re.compile(
    r"(?<![\w:])((?:hybridserve|process|exposer)_\w+|up|\w+:hybridserve_[\w:]+)"
    r"(?![\w:(])")

# Labels by which series are grouped or matched.
LABELS = re.compile(r"\b(?:by|without|on|ignoring) \([^()]*\)")


@dataclasses.dataclass(frozen=True)
class Query:
    """A PromQL expression and where it is from."""

    where: str
    expr: str

    def metrics(self) -> set[str]:
        """Names of metrics and of recorded series in it."""
        without_strings = re.sub(r'"(?:[^"\\]|\\.)*"', '""', self.expr)
        return set(METRIC.findall(LABELS.sub(" ", without_strings)))


def rule_groups() -> list[dict]:
    return yaml.safe_load((FOLDER / "rules.yaml").read_text("utf-8"))["groups"]


def rules() -> list[dict]:
    return [rule for group in rule_groups() for rule in group["rules"]]


def alerts() -> dict[str, dict]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


def dashboard() -> dict:
    return json.loads((FOLDER / "dashboard.json").read_text("utf-8"))


def panels() -> list[dict]:
    """All that show something: rows are headings."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> list[Query]:
    """Every expression of rules and dashboard."""
    found = [Query(rule.get("alert") or rule["record"], rule["expr"])
             for rule in rules()]
    for panel in panels():
        found += [Query(f'panel "{panel["title"]}"', target["expr"])
                  for target in panel["targets"]]
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            labels_of = re.fullmatch(r"label_values\((.*), \w+\)",
                                     variable["query"]["query"])
            found.append(Query(f'variable {variable["name"]}',
                               labels_of.group(1)))
    return found


def without_suffix(metric: str) -> str:
    """A histogram's name from that of its series."""
    return re.sub(r"_(bucket|sum|count)$", "", metric)
