"""The features of pandas' frames and series, whose columns have names that errors can tell."""

from typing import Any

import numpy as np
import numpy.typing as npt


def array(X: Any) -> npt.NDArray[Any]:
    """A frame or a series as an array: of one column of lists, their rows."""
    given = np.asarray(X)
    if given.dtype.kind not in "OUSMm":
        return given
    # Series have one axis, frames two.
    columns = [X] if given.ndim == 1 else [X.iloc[:, i] for i in range(X.shape[1])]
    lists = [column for column in columns if is_of_lists(column)]
    if len(lists) == 1 == len(columns):
        return _stacked(lists[0])
    if lists:
        raise ValueError(f"the columns {', '.join(str(column.name) for column in columns[:10])} hold lists and more: give the column of lists, or columns of numbers alone")
    return given if given.ndim == 1 else _numbers(columns)


def is_of_lists(column: Any) -> bool:
    """Whether the cells of a column are rows of features."""
    return len(column) > 0 and is_list(column.iloc[0])


def is_list(cell: Any) -> bool:
    """Whether a cell is a row of features."""
    return isinstance(cell, (list, tuple, np.ndarray))


def _stacked(column: Any) -> npt.NDArray[Any]:
    from ._data import unmasked

    rows = [unmasked(row, "X") for row in column]
    shapes = [row.shape for row in rows]
    other = next((i for i, shape in enumerate(shapes) if shape != shapes[0] or len(shape) != 1), None)
    if other is not None:
        raise ValueError(f"the lists of column {column.name!r} have different lengths: {shapes[0]} in row 0, {shapes[other]} in row {other}; expected as many numbers in each row")
    return np.stack(rows)


def _numbers(columns: list[Any]) -> npt.NDArray[Any]:
    out = np.empty((len(columns[0]) if columns else 0, len(columns)))
    for i, column in enumerate(columns):
        values = np.asarray(column)
        if values.dtype.kind in "Mm":
            raise ValueError(f"column {column.name!r} holds no numbers (it is {values.dtype}): leave it out, or convert it")
        try:
            out[:, i] = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {column.name!r} {_fault(values)}") from error
    return out


def _fault(values: npt.NDArray[Any]) -> str:
    for i, value in enumerate(values.tolist()):
        try:
            float(value)
        except (TypeError, ValueError):
            if value is None or type(value).__name__ == "NAType":
                return f"has values that are missing, as in row {i}: they have to be replaced or left out first"
            return f"holds no numbers ({value!r} in row {i}): leave it out, or convert it"
    return "holds no numbers: leave it out, or convert it"
