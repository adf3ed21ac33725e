"""Which kinds of labels a model's file keeps: it has their names, and their kinds beside them."""

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _words

# Of arrays of objects: how a name becomes a label again.
OBJECTS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "bool": "True".__eq__,
    "int": int,
    "float": float,
    "date": datetime.date.fromisoformat,
    "datetime": datetime.datetime.fromisoformat,
    "Decimal": decimal.Decimal,
}
TYPES: dict[type, str] = {
    str: "str", bool: "bool", int: "int", float: "float", datetime.date: "date", datetime.datetime: "datetime", decimal.Decimal: "Decimal",
}
# Booleans, integers, floats, texts, dates and NumPy's texts of any length.
ARRAYS = "biufUMT"


def recorded(classes: npt.NDArray[Any]) -> dict[str, Any]:
    """The kinds of labels, as a model's file keeps them."""
    kind = classes.dtype.kind
    if kind == "T":
        return {"dtype": "T"}
    if kind in ARRAYS:
        return {"dtype": classes.dtype.str}
    labels = [_words.plain(label) for label in classes.tolist()]
    other = next((label for label in labels if type(label) not in TYPES), None)
    if kind != "O" or other is not None:
        found = type(labels[0] if other is None else other).__name__
        raise ValueError(f"the labels are of the type {found}, which the file of a model does not keep; expected {', '.join(OBJECTS)} or datetime64: fit on str(label), or pickle the classifier")
    kinds = [TYPES[type(label)] for label in labels]
    return {"dtype": classes.dtype.str} | ({} if set(kinds) == {"str"} else {"kinds": kinds})


def restored(names: list[str], record: dict[str, Any] | None) -> npt.NDArray[Any]:
    """The labels of these names; texts where the file tells no kinds, as those of the command."""
    if record is None:
        return np.array(names, dtype=object)
    if record["dtype"] == "T":
        return np.array(names, dtype=np.dtypes.StringDType())
    dtype = np.dtype(record["dtype"])
    if dtype.kind == "b":
        return np.array([name == "True" for name in names])
    if dtype.kind != "O":
        return np.array(names).astype(dtype)
    labels = np.empty(len(names), dtype=object)
    labels[:] = [OBJECTS[kind](name) for kind, name in zip(record.get("kinds", ["str"] * len(names)), names)]
    return labels
