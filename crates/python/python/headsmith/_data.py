"""Rows, labels and weights as the extension takes them: C-contiguous float32, class indices, float32."""

import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from . import _errors, _frames, _words

Floats = npt.NDArray[np.float32]


class Rows(NamedTuple):
    """Features of rows, and the names of their columns if they have any."""

    x: Floats
    names: list[str] | None


class Labels(NamedTuple):
    """The different labels in their order, and the index of each row's."""

    classes: npt.NDArray[Any]
    codes: npt.NDArray[np.uint32]


def rows(X: Any, estimator: object) -> Rows:
    """The rows of `X`: where they are if they are C-contiguous float32, and a copy otherwise."""
    x, names = _features(X)
    if names is not None and x.ndim == 2 and len(names) != x.shape[1]:
        names = None
    if names is not None:
        refuse_twice(names, "X")
    if x.ndim != 2:
        shape = "a scalar" if x.ndim == 0 else f"{x.ndim} dimensions"
        raise ValueError(f"Expected 2D array, got an array with {shape} instead. Reshape your data with X.reshape(-1, 1) if it has a single feature, or X.reshape(1, -1) if it is a single sample.")
    for count, what in zip(x.shape, ["sample", "feature"]):
        if count == 0:
            raise ValueError(f"Found array with 0 {what}(s) (shape={x.shape}) while a minimum of 1 is required by {type(estimator).__name__}.")
    return Rows(x, names)


def refuse_twice(names: Iterable[Any], what: str) -> None:
    """Refuses names of columns that several columns have: one could stand for the other."""
    twice = [name for name, n_columns in Counter(names).items() if n_columns > 1]
    if twice:
        raise ValueError(f"{what} has several columns of the name {_words.plain(twice[0])!r}: give each column a name of its own")


def _features(X: Any) -> tuple[Floats, list[str] | None]:
    # pandas has the interface, too, but knows its own columns better.
    if hasattr(X, "iloc"):
        return _array(_frames.array(X)), _names(X)
    if isinstance(X, np.ndarray):
        return _array(X), _names(X)
    from . import _arrow

    table = _of_hugging_face(X)
    if _arrow.is_arrow(table):
        x, names = _arrow.features(table)
        return _array(x), names
    return _array(X), _names(X)


def _of_hugging_face(X: Any) -> Any:
    """A Dataset of Hugging Face, or a column of one, as Arrow's table: its own rows would be an object of Python for each number."""
    source: Any = getattr(X, "source", None)
    data = source.select_columns(X.column_name) if hasattr(source, "select_columns") and hasattr(X, "column_name") else X
    # Transforms of the user's are left to the data set.
    raw = hasattr(data, "select_columns") and hasattr(data, "with_format") and hasattr(data, "__len__") and data.format["type"] != "custom"
    return data.with_format("arrow")[:] if raw else X


def _array(X: Any) -> Floats:
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TypeError("Sparse data was passed, but dense data is required: use X.toarray() to convert it.")
    given = _tensor(X) if _is_tensor(X) else unmasked(X, "X")
    if given.dtype.kind == "O" and given.ndim == 0:
        raise ValueError(f"X is of the type {type(X).__name__}, expected rows in memory: collect a lazy frame, take the rows of a stream block by block")
    if given.dtype.kind == "c":
        raise ValueError("Complex data not supported")
    if given.dtype.kind == "O" and given.ndim == 2 and given.shape[1] == 1 and len(given) > 0 and _frames.is_list(given[0, 0]):
        given = np.stack([unmasked(row, "X") for row in given[:, 0]])
    if given.dtype.kind in "UST":
        raise ValueError(f"X holds texts, such as {given.ravel()[:1].tolist()}, expected numbers")
    if given.dtype.kind not in "fiub":
        given = np.asarray(given, dtype=np.float64)
    # A number beyond float32 becomes infinite, which is refused where it is found.
    with np.errstate(over="ignore"):
        return np.require(given, dtype=np.float32, requirements=["C", "A"])


def unmasked(given: Any, name: str) -> npt.NDArray[Any]:
    """`given` as an array; `numpy.asarray` would show what lies behind the mask of a masked one, such as DuckDB's of columns with NULL."""
    if n_masked := _n_masked(given):
        raise ValueError(f"Input {name} contains NaN or None: {n_masked} of its values are masked. They have to be replaced or left out first.")
    return np.asarray(given)


def _n_masked(given: Any) -> int:
    """The values that are masked in an array, or in the arrays of a list."""
    parts = cast(list[Any], given) if isinstance(given, (list, tuple)) else [given]
    masks = (np.ma.getmaskarray(cast(Any, part)) for part in parts if isinstance(part, np.ma.MaskedArray))
    return sum(int(np.count_nonzero(cast(Any, mask))) for mask in masks)


def _tensor(X: Any) -> npt.NDArray[Any]:
    """A tensor where it is; through its own conversion where NumPy does not know its numbers, such as bfloat16."""
    try:
        return np.from_dlpack(X)
    except (BufferError, RuntimeError, TypeError) as error:
        fault = error
    try:
        given = np.asarray(X)
    except (RuntimeError, TypeError, ValueError):
        given = None
    if given is None or given.dtype.kind == "O":
        text = f"the {type(X).__name__} cannot be read: {fault}. Give it as numbers that NumPy knows, detached and on the processor, such as X.detach().cpu().float()"
        raise ValueError(text) from fault
    return given


def _is_tensor(X: Any) -> bool:
    return hasattr(X, "__dlpack__") and not isinstance(X, np.ndarray) and not hasattr(X, "__array_interface__")


def _names(X: Any) -> list[str] | None:
    """The names of the columns of a data frame, if all are texts."""
    columns = getattr(X, "columns", None)
    names = [] if columns is None or callable(columns) else list(columns)
    return names if names and all(isinstance(name, str) for name in names) else None


def labels(y: Any, n_rows: int, estimator: object) -> Labels:
    """The labels of `y`, of any kind that has an order."""
    if y is None:
        raise ValueError(f"{type(estimator).__name__} requires y to be passed, but the target y is None")
    y = column(y)
    if len(y) != n_rows:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: [{n_rows}, {len(y)}]")
    _refuse_numbers_that_are_no_classes(y)
    try:
        classes, codes = np.unique(y, return_inverse=True)
    except TypeError:
        raise ValueError("Unknown label type: labels of kinds that have no order among them; convert all to str") from None
    if len(classes) < 2:
        raise ValueError(f"y has 1 class, {_words.plain(classes[0])!r}: a classifier needs rows of 2 classes at least")
    if classes.dtype.kind == "f":
        # A file of a model knows no negative zero.
        classes[classes == 0] = 0
    return Labels(classes, codes.astype(np.uint32))


def codes(y: Any, classes: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """The indices of the labels `y` in `classes`."""
    given = column(y)
    refuse_missing(given, "y")
    refuse_other_kind(given, classes)
    found: npt.NDArray[np.uint32] = _places(given, classes)
    unknown = classes[found] != given
    if unknown.any():
        raise ValueError(f"the label {_shown(given[unknown][0])} is none of the classes {', '.join(names(classes))}")
    return found


def _places(given: npt.NDArray[Any], classes: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Where the labels are among the classes, or would be."""
    try:
        places = np.searchsorted(classes, given)
    except TypeError:
        raise _of_other_kind(given, classes) from None
    return np.minimum(places, len(classes) - 1).astype(np.uint32)


def refuse_other_kind(given: npt.NDArray[Any], classes: npt.NDArray[Any]) -> None:
    """Refuses texts where the classes are none, and the other way round: no label of them would be right."""
    kinds = given.dtype.kind, classes.dtype.kind
    if "O" not in kinds and (kinds[0] in "UT") != (kinds[1] in "UT"):
        raise _of_other_kind(given, classes)


def _of_other_kind(given: npt.NDArray[Any], classes: npt.NDArray[Any]) -> ValueError:
    return ValueError(f"y has labels such as {_shown(given[0])}, expected those of the kind that the fit had, such as {_shown(classes[0])}")


def _shown(label: Any) -> str:
    """A label in messages; of some dates Python has numbers alone."""
    is_date = isinstance(label, np.datetime64)
    return names(np.asarray([cast(Any, label)]))[0] if is_date else repr(_words.plain(label))


def column(y: Any) -> npt.NDArray[Any]:
    """`y` as an array of one axis."""
    given: npt.NDArray[Any] = _relation(y) if hasattr(y, "fetchnumpy") else unmasked(y, "y")
    if given.ndim == 2 and given.shape[1] == 1:
        text = "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples, ), for example using ravel()."
        warnings.warn(_errors.data_conversion(text), stacklevel=_errors.caller_level())
        given = given.ravel()
    if given.ndim != 1:
        raise ValueError(f"y should be a 1d array, got an array of shape {given.shape} instead.")
    return given


def _relation(y: Any) -> npt.NDArray[Any]:
    """The one column of a relation of DuckDB, which is no array."""
    columns = [unmasked(column, "y") for column in y.fetchnumpy().values()]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _refuse_numbers_that_are_no_classes(y: npt.NDArray[Any]) -> None:
    if y.dtype.kind == "c":
        raise ValueError("Unknown label type: complex")
    if y.dtype.kind in "OmM":
        refuse_missing(y, "y")
    if y.dtype.kind == "f":
        if not np.isfinite(y).all():
            raise ValueError("Input y contains NaN or infinity.")
        if (y != np.floor(y)).any():
            raise ValueError("Unknown label type: continuous. Perhaps you are trying to fit a classifier on a regression target with continuous values.")


def refuse_missing(given: npt.NDArray[Any], name: str) -> None:
    """Refuses labels or groups of which some are missing."""
    if given.dtype.kind in "OmMf" and any(map(is_missing, given.tolist() if given.dtype.kind == "O" else given)):
        raise ValueError(f"Input {name} contains NaN or None.")


def is_missing(label: Any) -> bool:
    """Whether a label is none."""
    # NA of pandas has no truth value, NaN and NaT differ from themselves.
    return label is None or type(label).__name__ == "NAType" or bool(label != label)


def weights(sample_weight: Any, n_rows: int) -> Floats | None:
    """The weights of rows."""
    if sample_weight is None:
        return None
    given = np.require(unmasked(sample_weight, "sample_weight"), dtype=np.float32, requirements=["C", "A"])
    if given.ndim == 0:
        given = np.full(n_rows, given, dtype=np.float32)
    if given.shape != (n_rows,):
        raise ValueError(f"sample_weight has shape {given.shape}, expected ({n_rows},)")
    if len(given) and not given.any():
        raise ValueError("Sample weights must contain at least one non-zero number: all weights are zero.")
    return given


def groups(given: Any, n_rows: int) -> npt.NDArray[np.uint32] | None:
    """The groups of rows, numbered."""
    if given is None:
        return None
    given = unmasked(given, "groups")
    if given.shape != (n_rows,):
        raise ValueError(f"groups have shape {given.shape}, expected ({n_rows},)")
    refuse_missing(given, "groups")
    try:
        return np.unique(given, return_inverse=True)[1].astype(np.uint32)
    except TypeError:
        raise ValueError("groups are of kinds that have no order among them: convert all to str") from None


def names(classes: npt.NDArray[Any]) -> list[str]:
    """The names of classes, as model files have them: whole numbers have no fraction."""
    plain = classes.tolist()
    if classes.dtype.kind == "M":
        # Of dates that Python has not it gives numbers.
        return [str(label if isinstance(date, int) else date) for label, date in zip(classes, plain)]
    return [_name(label) for label in plain]


def _name(label: Any) -> str:
    number: Any = label
    return str(int(number)) if isinstance(label, (float, np.floating)) and number == np.floor(number) else str(number)


def check_word(name: str, value: Any, words: list[str]) -> None:
    """Refuses a value of a parameter that is none of its words."""
    if value not in words:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(words)}")
