"""Panels of a Grafana dashboard, and their place on it, as plain data."""

import dataclasses

COLUMNS = 24
ROW_HEIGHT = 8
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclasses.dataclass
class Target:
    expr: str
    legend: str


@dataclasses.dataclass
class Panel:
    title: str
    unit: str
    targets: list[Target]
    kind: str = "timeseries"
    stacked: bool = False
    most: float | None = None  # The axis ends there.
    height: int = ROW_HEIGHT
    key: str = ""  # Tables: what their rows are.
    units: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Section:
    title: str
    panels: list[Panel]


def quantiles(histogram: str, labels: str) -> list[Target]:
    buckets = (f"sum by (le) (rate({histogram}_bucket{{{labels}}}"
               "[$__rate_interval]))")
    return [Target(f"histogram_quantile({share}, {buckets})",
                   f"p{share * 100:g}")
            for share in (0.5, 0.95, 0.99)]


def stat(title: str, unit: str, expr: str) -> Panel:
    """The latest value, large."""
    return Panel(title, unit, [Target(expr, title)], "stat", height=4)


def table(title: str, key: str, columns: list[tuple[str, str, str]]) -> Panel:
    """A row for each value of a label, a column for each (name, unit, expr)."""
    return Panel(title, "short",
                 [Target(expr, name) for name, _, expr in columns], "table",
                 key=key, units=[unit for _, unit, _ in columns])


def _field_config(panel: Panel) -> dict:
    defaults: dict = {"unit": panel.unit, "min": 0}
    if panel.most is not None:
        defaults["max"] = panel.most
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 30 if panel.stacked else 0,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none"},
        }
    overrides = [{
        "matcher": {"id": "byName", "options": target.legend},
        "properties": [{"id": "unit", "value": unit}],
    } for target, unit in zip(panel.targets, panel.units)]
    return {"defaults": defaults, "overrides": overrides}


def _options(panel: Panel) -> dict:
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"]}}
    if panel.kind == "table":
        return {"showHeader": True}
    return {"legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"}}


def _transformations(panel: Panel) -> list[dict]:
    """Of a table: one row a key, columns named as the targets."""
    if panel.kind != "table":
        return []
    names = {f"Value #{_ref_id(i)}": target.legend
             for i, target in enumerate(panel.targets)}
    return [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {"Time": True},
            "indexByName": {panel.key: 0} | {
                name: i + 1 for i, name in enumerate(names)},
            "renameByName": names,
        }},
    ]


def _ref_id(index: int) -> str:
    return chr(ord("A") + index)


def _panel(panel: Panel, number: int, place: dict) -> dict:
    targets = []
    for i, target in enumerate(panel.targets):
        query = {"refId": _ref_id(i), "datasource": DATASOURCE,
                 "expr": target.expr, "legendFormat": target.legend}
        if panel.kind == "table":
            query |= {"format": "table", "instant": True}
        targets.append(query)
    made = {"id": number, "type": panel.kind, "title": panel.title,
            "datasource": DATASOURCE, "gridPos": place,
            "fieldConfig": _field_config(panel), "options": _options(panel),
            "targets": targets}
    if transformations := _transformations(panel):
        made["transformations"] = transformations
    return made


def _rows_of(panels: list[Panel]) -> list[list[Panel]]:
    """Tables alone, of the others up to three side by side; small ones six."""
    rows: list[list[Panel]] = []
    for panel in panels:
        beside = 6 if panel.kind == "stat" else 3
        if (not rows or panel.kind == "table" or rows[-1][0].kind == "table"
                or len(rows[-1]) == beside):
            rows.append([])
        rows[-1].append(panel)
    return rows


def panels_of(sections: list[Section]) -> list[dict]:
    """All panels, numbered, from the top down."""
    made: list[dict] = []
    y = 0
    for section in sections:
        made.append({"id": len(made) + 1, "type": "row", "title": section.title,
                     "collapsed": False, "panels": [],
                     "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y}})
        y += 1
        for row in _rows_of(section.panels):
            width = COLUMNS // len(row)
            for i, panel in enumerate(row):
                place = {"h": panel.height, "w": width, "x": i * width, "y": y}
                made.append(_panel(panel, len(made) + 1, place))
            y += row[0].height
    return made
