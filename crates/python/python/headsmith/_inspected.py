"""What `inspect` is given, in parts: features, labels, and what is wrong with them before the checks can run."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _data
from ._data import Floats


class Part(NamedTuple):
    """A table in memory; rows that the checks cannot take are left out, and found."""

    name: str
    x: Floats
    y: npt.NDArray[Any] | None
    feature_names: list[str]
    findings: list[dict[str, Any]]


def of(given: Any, name: str, label: str | None) -> Part | None:
    """The parts of a table in memory; none of files."""
    if isinstance(given, (str, os.PathLike)):
        return None
    X, y, known = _split(given, name, label)
    if getattr(X, "shape", (1,))[0] == 0:
        raise ValueError(f"the table {name} has no rows")
    try:
        rows = _data.rows(X, None)
    except ValueError as error:
        raise ValueError(f"the table {name}: {error}{_hint(X, y)}") from error
    labels = None if y is None else _data.column(y)
    if labels is not None and len(labels) != len(rows.x):
        raise ValueError(f"the table {name} has {len(rows.x)} rows and {len(labels)} labels, expected one for each row")
    return _sound(Part(name, rows.x, labels, known or rows.names or [], []))


def named(parts: list[Part | None]) -> list[Part | None]:
    """The parts, where none has names of features with some: leaks are named by them."""
    if any(part is None or part.feature_names for part in parts):
        return parts
    return [part and part._replace(feature_names=[f"feature {i}" for i in range(part.x.shape[1])]) for part in parts]


def _split(given: Any, name: str, label: str | None) -> tuple[Any, Any, list[str]]:
    """The features, the labels and the names of the features."""
    if hasattr(given, "feature_names") and hasattr(given, "report"):
        return given.X, given.y, list(given.feature_names)
    pair: Any = given
    if isinstance(given, tuple):
        if len(pair) != 2:
            raise ValueError(f"the table {name} is a tuple of {len(pair)}, expected a pair (X, y)")
        return pair[0], pair[1], []
    if getattr(given, "ndim", 2) == 1 and getattr(given, "dtype", None) != object:
        raise ValueError(f"the table {name} has one axis: are these labels? Give rows and labels as a pair, inspect((X, y))")
    columns = getattr(given, "columns", None)
    if label is not None and columns is not None and label not in list(columns):
        raise ValueError(f"the table {name} has no column {label!r}, but {', '.join(map(repr, list(columns)[:10]))}{' and more' if len(columns) > 10 else ''}")
    label = label or "label"
    if columns is None or label not in list(columns):
        return given, None, []
    drop = given.drop(columns=label) if hasattr(given, "iloc") else given.drop(label)
    return drop, given[label], []


def _hint(X: Any, y: Any) -> str:
    return '; a column of labels is named by label_column="COLUMN"' if y is None and hasattr(X, "columns") else ""


def _sound(part: Part) -> Part:
    """The part without rows that have no label or a feature that is not finite, which are findings."""
    bad = ~np.isfinite(part.x)
    rows: npt.NDArray[np.bool_] = np.asarray(bad.any(axis=1))
    missing = np.zeros(len(part.x), dtype=bool)
    if part.y is not None:
        missing = np.array([_data.is_missing(label) for label in part.y.tolist()])
    if not (rows | missing).any():
        return part
    findings: list[dict[str, Any]] = []
    if rows.any():
        findings.append(_found(part, "not-finite", f"{_of(rows)} NaN or infinity, first row {rows.argmax() + 1} in {_columns(part, bad)}"))
    if missing.any():
        findings.append(_found(part, "no-label", f"{_of(missing)} no label, first row {missing.argmax() + 1}"))
    kept = ~(rows | missing)
    if not kept.any():
        raise ValueError(f"the table {part.name}: {findings[0]['message']}")
    y = None if part.y is None else part.y[kept]
    if y is not None and y.dtype.kind == "f" and (y == np.floor(y)).all():
        # Integers became floats for NaN's sake.
        y = y.astype(np.int64)
    return part._replace(x=np.ascontiguousarray(part.x[kept]), y=y, findings=findings)


def _of(rows: npt.NDArray[np.bool_]) -> str:
    n_rows = int(rows.sum())
    return f"{n_rows:,} row has" if n_rows == 1 else f"{n_rows:,} rows have"


def _columns(part: Part, bad: npt.NDArray[np.bool_]) -> str:
    """The columns with such values, the first row's before others."""
    first = int(bad[bad.any(axis=1).argmax()].argmax())
    others = int(bad.any(axis=0).sum()) - 1
    name = f'column "{part.feature_names[first]}"' if part.feature_names else f"feature {first}"
    return name + (f", and in {others:,} more" if others else "")


def _found(part: Part, code: str, message: str) -> dict[str, Any]:
    text = f"{message}: replace them or leave them out; the other checks number the rows that are left"
    return {"severity": "error", "code": code, "table": part.name, "message": text}
