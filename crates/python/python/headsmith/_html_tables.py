"""The cards of tables, and of what the checks found in them."""

from typing import Any

import numpy as np

from . import _data, _draw, _html, _words

COLOURS = {"error": _draw.RED, "warning": _draw.ORANGE}
# Of a table are shown so many rows and features.
ROWS, FEATURES = 5, 6


def of_table(table: Any) -> str:
    """A table: its size and format, its classes, and its first rows."""
    n_rows, n_features = table.X.shape
    about = f"{_words.counted(n_rows, 'row')}, {_words.counted(n_features, 'feature')}"
    line = ", ".join(text for text in [table.report.get("format"), _skipped(table.report)] if text)
    return _html.card("Table", about, _html.element("p", line) if line else "", _html.columns(_classes(table), _first(table)))


def _skipped(report: dict[str, Any]) -> str:
    return f"{_words.counted(report['n_skipped'], 'row')} left out" if report.get("n_skipped") else ""


def _classes(table: Any) -> _html.Markup:
    if table.y is None:
        return _html.element("p", _html.soft("no labels"))
    classes, counts = np.unique(table.y, return_counts=True)
    return _draw.shares(zip(map(_html.short, _data.names(classes)), counts.tolist()))


def _first(table: Any) -> _html.Markup:
    names = table.feature_names or [f"x{i}" for i in range(table.X.shape[1])]
    shown, more = [_html.short(name) for name in names[:FEATURES]], ["..."] if len(names) > FEATURES else []
    labels = [] if table.y is None else ["label"]
    cells = [[*map(float, row), *more, *([] if table.y is None else [_html.short(table.y[i])])] for i, row in enumerate(table.X[:ROWS, :FEATURES])]
    return _html.table([*shown, *more, *labels], cells)


def of_inspection(inspection: Any) -> str:
    """The tables, and the findings with their severity."""
    line = "sound: neither an error nor a warning" if inspection.is_sound else "look at the findings before you fit"
    tables = [[table["path"], table["n_rows"], table["n_features"], table["format"]] for table in inspection.tables]
    findings = [[_mark(one.severity), one.table, one.message] for one in inspection.findings]
    return _html.card("Inspection", line, _html.table(["table", "rows", "features", "format"], tables), _html.table(["", "table", "finding"], findings) if findings else "")


def _mark(severity: str) -> _html.Markup:
    return _html.element("span", severity, class_="mark", style=f"background:{COLOURS.get(severity, _draw.GREY)}")
