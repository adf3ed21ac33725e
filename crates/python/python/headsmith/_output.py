"""The output of transformers: arrays, or data frames where they are asked for."""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _errors
from ._data import Floats

FORMS = ["default", "pandas", "polars"]


def checked(form: str) -> str:
    """The form, if there is such a one."""
    if form not in FORMS:
        raise ValueError(f"output must be one of {', '.join(FORMS)}, got {form!r}")
    return form


def wrapped(transformer: Any, values: Floats, X: Any) -> Any:
    """The values in the form that was asked for."""
    form = _form(transformer)
    columns = None if form == "default" else names(transformer, None)
    if form == "pandas":
        import pandas

        return pandas.DataFrame(values, columns=columns, index=getattr(X, "index", None), copy=False)
    if form == "polars":
        import polars

        return polars.DataFrame(values, schema=list(columns if columns is not None else []), orient="row")
    return values


def _form(transformer: Any) -> str:
    own: dict[str, str] = getattr(transformer, "_sklearn_output_config", {})
    sklearn = sys.modules.get("sklearn")
    return own.get("transform") or (sklearn.get_config()["transform_output"] if sklearn else "default")


def names(transformer: Any, input_features: Any) -> npt.NDArray[np.object_]:
    """The names of the columns of a transformer's output."""
    if not hasattr(transformer, "transform_"):
        raise _errors.not_fitted(transformer)
    n_inputs, n_outputs = transformer.n_features_in_, transformer.transform_.n_outputs
    known = getattr(transformer, "feature_names_in_", None)
    if input_features is not None:
        input_features = np.asarray(input_features, dtype=object)
        if known is not None and list(known) != list(input_features):
            raise ValueError("input_features is not equal to feature_names_in_")
        if len(input_features) != n_inputs:
            raise ValueError(f"input_features should have length equal to number of features ({n_inputs}), got {len(input_features)}")
        known = input_features
    if n_outputs != n_inputs or transformer.transform_.mixes:
        prefix = type(transformer).__name__.lower()
        return np.array([f"{prefix}{i}" for i in range(n_outputs)], dtype=object)
    return known if known is not None else np.array([f"x{i}" for i in range(n_inputs)], dtype=object)
