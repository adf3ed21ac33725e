"""Weights of classes as the library takes them: a text, LABEL:WEIGHT,.., of a dict by labels."""

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from . import _data, _words

WHAT = 'a dict of weights by label, such as {"a": 2.0}, a text such as "balanced", or None'


def text(given: Any, classes: npt.NDArray[Any]) -> str:
    """The text of what `class_weight` is."""
    if given is None or isinstance(given, str):
        return "none" if given is None else str(given)
    if not isinstance(given, dict):
        raise ValueError(f"class_weight is {given!r}, expected {WHAT}")
    by_label: dict[Any, Any] = dict(cast(Any, given))
    names = _data.names(classes)
    known: dict[Any, int] = {label: i for i, label in enumerate(classes.tolist())}
    places = [known[label] if label in known else _index(label, classes) for label in by_label]
    parts = [f"{_clear(names[place])}:{_weight(label, weight)!r}" for place, (label, weight) in zip(places, by_label.items())]
    return ",".join(parts) or "none"


def _index(label: Any, classes: npt.NDArray[Any]) -> int:
    """The index of the class that the label is, though it is none of Python's values of them: a date of NumPy's."""
    same: list[int] = np.flatnonzero(classes == _moment(label)).tolist() if classes.dtype.kind == "M" else []
    if not same:
        raise ValueError(f"class_weight names {_words.plain(label)!r}, expected some of the classes {', '.join(_data.names(classes))}")
    return same[0]


def _moment(label: Any) -> Any:
    """A date or a time as NumPy's; no time where it is none."""
    try:
        return label.to_datetime64() if hasattr(label, "to_datetime64") else np.datetime64(label)
    except (TypeError, ValueError):
        return np.datetime64("NaT")


def _weight(label: Any, weight: Any) -> float:
    number = _words.plain(weight)
    if isinstance(number, (int, float)) and 0 <= number < float(np.finfo(np.float32).max):
        return float(number)
    raise ValueError(f"class_weight has {_words.plain(label)!r}: {number!r}, expected a number of at least 0")


def _clear(name: str) -> str:
    """A name that the text holds unchanged: a part of it that looks like a weight would end it."""
    parts = name.split(",")
    for i in range(1, len(parts)):
        begun, colon, weight = ",".join(parts[:i]).rpartition(":")
        if colon and _is_number(weight):
            raise ValueError(f"class_weight names {name!r}, of which {begun + colon + weight + ','!r} would be read as a label and its weight: give the classes names without such parts, or give sample_weight to fit")
    return name


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
