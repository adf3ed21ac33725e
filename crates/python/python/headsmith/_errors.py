"""Errors and warnings, which are scikit-learn's as well where scikit-learn is imported."""

import sys
from typing import Any, TypeVar


class NotFittedError(ValueError, AttributeError):
    """An estimator is used before it is fitted."""


class HeadsmithWarning(UserWarning):
    """Something differs from what was asked for; the work continues."""


class DataConversionWarning(HeadsmithWarning):
    """Data had to be brought into another shape."""


Kind = TypeVar("Kind", bound=Exception)


def not_fitted(estimator: object) -> NotFittedError:
    """The error of an estimator that is not fitted."""
    name = type(estimator).__name__
    text = f"This {name} instance is not fitted yet. Call 'fit' with appropriate arguments before using this estimator."
    return _also_of_sklearn(NotFittedError)(text)


def data_conversion(text: str) -> DataConversionWarning:
    """The warning that data had to be converted."""
    return _also_of_sklearn(DataConversionWarning)(text)


def _also_of_sklearn(kind: type[Kind]) -> type[Kind]:
    """The class, and scikit-learn's class of that name where it is imported: importing it would take longer than most fits."""
    theirs: Any = getattr(sys.modules.get("sklearn.exceptions"), kind.__name__, None)
    if theirs is None:
        return kind
    both: type[Kind] = type(kind.__name__, (kind, theirs), {"__module__": kind.__module__})
    return both


def caller_level() -> int:
    """The level of the line that called the package: a warning names that one."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame, level = frame.f_back, level + 1
    return level
