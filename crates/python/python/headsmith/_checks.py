"""Checks of arguments before the extension takes them: each error names the argument, what it is, and what was expected."""

from collections.abc import Collection, Iterable
from typing import Any, cast

import numpy as np

from . import _words


def number(name: str, value: Any, what: str = "a number") -> float | None:
    """A number, or None."""
    if value is None:
        return None
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return float(cast(float, value))
    raise ValueError(f"{name} is {_words.plain(value)!r}, expected {what}")


def count(name: str, value: Any, what: str = "an int of at least 0") -> int | None:
    """A number of things, or None."""
    if value is None:
        return None
    given: Any = value
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= given < 2**63:
        return int(given)
    raise ValueError(f"{name} is {_words.plain(given)!r}, expected {what}")


def needed(name: str, value: Any, what: str = "an int of at least 0") -> int:
    """A number of things."""
    given = count(name, value, what)
    if given is None:
        raise ValueError(f"{name} is None, expected {what}")
    return given


def above(name: str, value: Any, what: str, high: float = np.inf) -> float | None:
    """A number above 0 and below `high`, or None."""
    given = number(name, value, what)
    if given is not None and not 0 < given < high:
        raise ValueError(f"{name} is {_words.plain(value)!r}, expected {what}")
    return given


def flag(name: str, value: Any) -> bool:
    """Yes or no."""
    given: Any = value
    if isinstance(value, (bool, np.bool_)):
        return bool(given)
    raise ValueError(f"{name} is {value!r}, expected True or False")


def share(name: str, value: Any) -> float:
    """A share of rows."""
    given = number(name, value)
    if given is None:
        raise ValueError(f"{name} is None, expected a number")
    return given


def text(name: str, value: Any, what: str) -> None:
    """A text, or None."""
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, expected {what}")


def words(name: str, given: Any) -> list[str]:
    """A list of texts; one text is a list of one."""
    items: Any = given
    several: list[Any] = [given] if isinstance(given, str) else list(items) if isinstance(given, Iterable) else [None]
    if not all(isinstance(word, str) for word in several):
        raise ValueError(f"{name} is {given!r}, expected a list of str")
    return [str(word) for word in several]


def params(given: Any) -> dict[str, bool | int | float | str]:
    """Parameters of a head by name, as the extension takes them."""
    entries: Any = {} if given is None else given
    if given is not None and not isinstance(given, dict):
        raise ValueError(f"params is {given!r}, expected a dict, such as {{'epochs': 30}}")
    found: dict[str, bool | int | float | str] = {}
    for name, value in entries.items():
        plain = "none" if value is None else _words.plain(value)
        if not isinstance(name, str) or not isinstance(plain, (bool, int, float, str)):
            raise ValueError(f"params has {name!r}: {value!r}, expected the name of a parameter and a number, a text or None")
        found[name] = plain
    return found


def heads(name: str, given: object) -> list[str]:
    """The names of heads: a name or a list of names, those of the command or of classes."""
    from . import _heads

    kinds = [getattr(_heads, kind) for kind in _heads.__all__]
    known = {kind.__name__: kind._head for kind in kinds} | {kind._head: kind._head for kind in kinds}
    items: list[Any] = [given] if isinstance(given, (str, type)) else [None]
    if isinstance(given, (list, tuple, set, frozenset)):
        items = list(cast(Collection[Any], given))
    found: list[str] = []
    for item in items:
        # The class itself is as clear as its name.
        key = item.__name__ if isinstance(item, type) else item
        if not isinstance(key, str):
            raise ValueError(f"{name} is {given!r}, expected a list of names of heads, such as [\"ridge\", \"knn\"], without parameters: the search finds those")
        if key not in known:
            raise ValueError(f"{name}: there is no head {key!r}; there are {', '.join(kind._head for kind in kinds)}")
        found.append(known[key])
    return found
