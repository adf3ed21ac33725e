"""Tables: files that are read, and what the checks find in them."""

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple, Self, cast

import numpy as np
import numpy.typing as npt

from . import _checks, _data, _headsmith, _inspected
from ._classifier import Options
from ._data import Floats

# Longer labels are texts; NumPy's integers have fewer.
MOST_DIGITS = 30

Path = str | os.PathLike[str]


class Table(NamedTuple):
    """A table: `X, y = table.X, table.y`."""

    X: Floats
    y: npt.NDArray[Any] | None
    feature_names: list[str]
    # What was read: format, columns, rows that were left out.
    report: dict[str, Any]

    def __repr__(self) -> str:
        labels = "no labels" if self.y is None else f"{len(np.unique(self.y))} classes"
        return f"Table({self.X.shape[0]} rows x {self.X.shape[1]} features, {labels})"

    def _repr_html_(self) -> str:
        from . import _html_tables

        return _html_tables.of_table(self)


class Reading(NamedTuple):
    """How a file is read, as the extension takes it."""

    label_column: str | None = None
    embeddings_column: str | None = None
    drop: list[str] = []
    features: list[str] = []
    cache: Path | None = None
    skips_bad_rows: bool = False

    @classmethod
    def of(cls, label_column: Any, embeddings_column: Any, drop: Any, features: Any) -> Self:
        """The columns as arguments name them."""
        _checks.text("label_column", label_column, "the name of a column")
        _checks.text("embeddings_column", embeddings_column, "the name of a column")
        return cls(label_column, embeddings_column, _checks.words("drop", drop), _checks.words("features", features))


class Finding(NamedTuple):
    """A finding of the checks."""

    severity: str
    # The kind of finding, a code that never changes.
    code: str
    table: str
    message: str


class Inspection:
    """What the checks found: `findings`, and a report of each table in `tables`."""

    def __init__(self, tables: list[dict[str, Any]], findings: list[dict[str, Any]]) -> None:
        self.tables = tables
        self.findings: list[Finding] = [Finding(found["severity"], found["code"], found["table"], found["message"]) for found in findings]

    @property
    def is_sound(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return not any(finding.severity in ("warning", "error") for finding in self.findings)

    def __repr__(self) -> str:
        lines = [f"{table['path']}: {table['n_rows']} rows x {table['n_features']} features, {table['format']}" for table in self.tables]
        return "\n".join(lines + [f"{finding.severity}: {finding.table}: {finding.message}" for finding in self.findings])

    def _repr_html_(self) -> str:
        from . import _html_tables

        return _html_tables.of_inspection(self)


def read(
    path: Path | Sequence[Path],
    *,
    labels: Path | Sequence[Path] | None = None,
    label_column: str | None = None,
    embeddings_column: str | None = None,
    drop: str | Sequence[str] = (),
    features: str | Sequence[str] = (),
    cache: Path | None = None,
    on_bad_row: str = "error",
    n_jobs: int | None = None,
) -> Table:
    """Reads a table in any format that the command reads: CSV and other text, Parquet, Arrow, npy, npz, JSON, safetensors, zip.

    Parameters
    ----------
    path : path or list of paths
        A file, a folder, a glob, or several of them.
    labels : path or list of paths, default=None
        The files of the labels, if they are separate.
    label_column, embeddings_column : str, default=None
        The columns of the labels and of the lists of features; None: they are detected.
    drop : str or list of str
        Columns that are neither features nor labels.
    features : str or list of str
        Patterns, such as `emb_*`, of the columns that are features; none: all columns of numbers.
    cache : path, default=None
        A folder for parsed tables: they are mapped from there, and not parsed again.
    on_bad_row : {"error", "skip"}, default="error"
        What to do with a row that cannot be read.
    n_jobs : int, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores.

    Returns
    -------
    table : Table
        `X` as float32, and `y`, integers where all labels are.
    """
    if on_bad_row not in ("error", "skip"):
        raise ValueError(f"on_bad_row is {on_bad_row!r}, expected error or skip")
    reading = Reading.of(label_column, embeddings_column, drop, features)._replace(cache=cache, skips_bad_rows=on_bad_row == "skip")
    table = _headsmith.Table.read(paths(path), paths(labels), reading, Options.of(n_jobs))
    return Table(table.x(), _labels(table), table.feature_names, json.loads(table.report))


def inspect(*tables: Any, label_column: str | None = None, n_jobs: int | None = None) -> Inspection:
    """Looks for what is wrong with tables: duplicate rows, rows in two tables, constant columns, columns that leak the label, classes that differ.

    Rows of tables in memory are numbered from 1 here, as lines of files are; those without a label or with NaN or infinity are found first, and left out of
    the other checks.

    Parameters
    ----------
    *tables : data frames, paths, or pairs (X, y)
        The training table first.
    label_column : str, default=None
        The label column of data frames and files; None: `label`, if a data frame has it, and detected in files.
    n_jobs : int, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores.

    Returns
    -------
    inspection : Inspection
        The findings, the worst first.
    """
    options = Options.of(n_jobs)
    names = ["train", "val", "test", *(f"table {i + 1}" for i in range(3, len(tables)))]
    parts = [_inspected.of(given, name, label_column) for given, name in zip(tables, names)]
    read_in = [_table(part, given, label_column, options) for part, given in zip(_inspected.named(parts), tables)]
    found = json.loads(_headsmith.inspect(read_in, options))
    return Inspection(found["tables"], [*(finding for part in parts if part for finding in part.findings), *found["findings"]])


def _table(part: _inspected.Part | None, given: Any, label: str | None, options: Options) -> _headsmith.Table:
    if part is None:
        return _headsmith.Table.read(paths(cast(Path, given)), [], Reading(label), options)
    if part.y is None:
        return _headsmith.Table.of_arrays(part.name, part.x, None, part.feature_names)
    classes, codes = np.unique(part.y, return_inverse=True)
    return _headsmith.Table.of_arrays(part.name, part.x, (_data.names(classes), codes.astype(np.uint32)), part.feature_names)


def _labels(table: _headsmith.Table) -> npt.NDArray[Any] | None:
    labels = table.labels()
    if labels is None:
        return None
    names, codes = labels
    are_integers = all(map(_is_integer, names))
    return np.array([int(name) for name in names] if are_integers else names)[codes]


def _is_integer(name: str) -> bool:
    """Whether an integer has this name: `7`, but not `07`, and none of more digits than Python reads."""
    digits = name.removeprefix("-")
    return digits.isdecimal() and len(digits) <= MOST_DIGITS and str(int(name)) == name


def paths(given: Path | Sequence[Path] | None) -> list[str]:
    if given is None:
        return []
    return [os.fspath(path) for path in ([given] if isinstance(given, (str, os.PathLike)) else given)]
