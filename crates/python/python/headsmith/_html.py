"""Estimators in notebooks."""

import html
from typing import Any

STYLE = "border-collapse:collapse;font-size:90%"


def of_estimator(estimator: Any) -> str:
    """An estimator with the parameters that differ from their defaults."""
    title = f"<b>{html.escape(type(estimator).__name__)}</b>"
    changed = estimator._changed()
    return title + table(["parameter", "value"], [[name, repr(value)] for name, value in changed.items()]) if changed else title


def of_search(estimator: Any) -> str:
    """A search with its answer, and the candidates."""
    report = getattr(estimator, "report_", None)
    if report is None:
        return of_estimator(estimator)
    auto, chosen = report["auto"], report["heads"][-1]
    scores = chosen.get("val") or chosen.get("out_of_fold") or chosen["train"]
    metric = report["metric"]
    line = f"<b>{html.escape(report['chosen'])}</b>: {_named(metric)} {scores[metric]:.4f}"
    intervals: dict[str, Any] = scores.get("intervals") or {}
    if interval := intervals.get(metric):
        line += f" ({interval['low']:.4f} .. {interval['high']:.4f})"
    line += f", accuracy {scores['accuracy']:.4f}, log loss {scores['log_loss']:.4f}; {auto['n_steps']} steps"
    rows = [[one["head"], f"{one['score']:.4f}", f"{one['log_loss']:.4f}", f"{one.get('weight') or 0:.2f}"] for one in auto["candidates"]]
    return line + table(["head", _named(metric), "log loss", "weight"], rows)


def _named(metric: str) -> str:
    return metric.replace("_", " ").replace("f1", "F1")


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table of texts."""
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f'<table style="{STYLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
