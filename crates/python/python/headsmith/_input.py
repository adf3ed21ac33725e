"""The features of an estimator: how many it was fitted on, and their names."""

import warnings
from typing import Any

import numpy as np

from . import _data, _errors
from ._data import Floats
from ._errors import HeadsmithWarning, caller_level


def learn(estimator: Any, rows: _data.Rows) -> None:
    """Remembers the features of the training rows."""
    estimator.n_features_in_ = rows.x.shape[1]
    if rows.names is not None:
        estimator.feature_names_in_ = np.array(rows.names, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def check(estimator: Any, X: Any, fitted: str) -> Floats:
    """The rows of `X`, which must have the features of the training rows."""
    if not hasattr(estimator, fitted):
        raise _errors.not_fitted(estimator)
    return _alike(estimator, X, getattr(estimator, "feature_names_in_", None), estimator.n_features_in_)


def alike(estimator: Any, X: Any, train: _data.Rows) -> Floats:
    """The rows of `X`, which must have the features of the rows `train` that are fitted together with them."""
    return _alike(estimator, X, train.names, train.x.shape[1])


def _alike(estimator: Any, X: Any, names: Any, n_features: int) -> Floats:
    rows = _data.rows(X, estimator)
    _compare_names(estimator, rows.names, names)
    if rows.x.shape[1] != n_features:
        raise ValueError(f"X has {rows.x.shape[1]} features, but {type(estimator).__name__} is expecting {n_features} features as input.")
    return rows.x


def _compare_names(estimator: Any, names: list[str] | None, known: Any) -> None:
    name = type(estimator).__name__
    if known is None and names is not None:
        warnings.warn(f"X has feature names, but {name} was fitted without feature names", HeadsmithWarning, stacklevel=caller_level())
    elif known is not None and names is None:
        warnings.warn(f"X does not have valid feature names, but {name} was fitted with feature names", HeadsmithWarning, stacklevel=caller_level())
    elif known is not None and names is not None and list(known) != names:
        unseen, missing = sorted(set(names) - set(known)), sorted(set(known) - set(names))
        text = "The feature names should match those that were passed during fit.\n"
        text += _listed("Feature names unseen at fit time:", unseen) + _listed("Feature names seen at fit time, yet now missing:", missing)
        raise ValueError(text if unseen or missing else text + "Feature names must be in the same order as they were in fit.\n")


def _listed(title: str, names: list[str]) -> str:
    shown = names[:5] + ["..."] * (len(names) > 5)
    return "".join(f"{line}\n" for line in [title, *(f"- {name}" for name in shown)]) if names else ""
