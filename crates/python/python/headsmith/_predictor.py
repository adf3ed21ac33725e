"""Predictions of batches, for tools that call a class of their user's on each worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np

from . import _data, _seed
from ._data import Floats
from ._loaded import load
from ._tables import Path


class Predictor:
    """Predicts batches with the model in a file, which each worker reads once: `dataset.map_batches(headsmith.Predictor, fn_constructor_args=["m.safetensors"])`.

    Parameters
    ----------
    path : path
        The model's file, on a file system that all workers see.
    columns : str or list of str, default=None
        The column of lists, or the columns of numbers, that are the features. None: the names that the model was fitted on, or a column
        `embeddings`, `embedding`, `features` or `data`.
    proba : bool, default=False
        Whether to add the probabilities, one column for each class: `proba_CLASS`.
    keep : bool, default=True
        Whether the columns of the batch are kept beside the prediction, but the features.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How the label is decided.
    n_jobs : int, default=1
        The threads of each worker.
    """

    def __init__(
        self,
        path: Path,
        columns: str | list[str] | None = None,
        *,
        proba: bool = False,
        keep: bool = True,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        n_jobs: int = 1,
    ) -> None:
        self._model = load(path, decision=decision, n_jobs=n_jobs)
        self._columns = [columns] if isinstance(columns, str) else columns
        self._n_jobs = _seed.threads(n_jobs)
        self._proba = proba
        self._keep = keep

    def __call__(self, batch: Any) -> Any:
        """The batch with a column `prediction`: a dict for a dict, data frame or array, Arrow for Arrow."""
        is_arrow = hasattr(batch, "from_pydict")
        if not is_arrow and not hasattr(batch, "items") and not hasattr(batch, "get_columns"):
            return self._predicted(_data.rows(batch, self).x)
        _data.refuse_twice(_names(batch, is_arrow), "the batch")
        given = {name: batch.column(name) for name in batch.schema.names} if is_arrow else _columns(batch)
        names = self._columns or self._found(given)
        if missing := [name for name in names if name not in given]:
            raise ValueError(f"the batch has no column {', '.join(map(repr, missing[:5]))}, but {', '.join(map(repr, list(given)[:10]))}")
        out = self._predicted(_rows(_chosen(batch, given, names), self._model.n_features_in_))
        kept = {name: column for name, column in given.items() if self._keep and name not in names}
        kind = cast(Any, type(batch))
        return kind.from_pydict(kept | out) if is_arrow else kept | out

    def _predicted(self, x: Floats) -> dict[str, Any]:
        model, n_jobs = self._model.model_, self._n_jobs
        if x.shape[1] != model.n_features:
            raise ValueError(f"the batch has {x.shape[1]} features, but the model is expecting {model.n_features}")
        out: dict[str, Any] = {"prediction": self._model.classes_[model.predict(x, self._model.decision, n_jobs)]}
        if self._proba:
            proba = model.predict_proba(x, n_jobs)
            out |= {f"proba_{name}": proba[:, i] for i, name in enumerate(model.classes)}
        return out

    def _found(self, batch: Mapping[str, Any]) -> list[str]:
        names = getattr(self._model, "feature_names_in_", None)
        if names is not None:
            return list(names)
        for name in ["embeddings", "embedding", "features", "data"]:
            if name in batch:
                return [name]
        if batch and not any(isinstance(name, str) for name in cast(Mapping[Any, Any], batch)):
            # A frame of numbered columns is an array.
            return list(batch)
        raise ValueError(f"none of the columns {', '.join(map(str, batch))} is known to hold the features: name them by columns")


def _names(batch: Any, is_arrow: bool) -> list[Any]:
    """The names of the columns of a batch, each as often as there are columns of it."""
    return list(batch.schema.names if is_arrow else getattr(batch, "columns", batch))


def _columns(batch: Any) -> dict[str, Any]:
    """The columns of a dict, or of a frame of pandas or polars."""
    return dict(batch.items()) if hasattr(batch, "items") else {column.name: column.to_numpy() for column in batch.get_columns()}


def _chosen(batch: Any, given: dict[str, Any], names: list[Any]) -> Any:
    """These columns of a batch: a table of a table, and a list of a dict."""
    if hasattr(batch, "iloc"):
        return batch[names]
    return batch.select(names) if hasattr(batch, "select") else [given[name] for name in names]


def _rows(given: Any, n_features: int) -> Floats:
    """The features of a batch: its columns of numbers, or its one column of lists, where they are if they can be used so."""
    if not isinstance(given, list):
        n_rows: int = given.num_rows if hasattr(given, "num_rows") else len(given)
        return _data.rows(given, None).x if n_rows else np.empty((0, n_features), dtype=np.float32)
    columns: list[Any] = [*cast(Any, given)]
    n_rows = len(columns[0])
    if n_rows == 0:
        return np.empty((0, n_features), dtype=np.float32)
    if len(columns) > 1:
        x = np.column_stack([np.asarray(_data.unmasked(column, "X"), dtype=np.float32) for column in columns])
    else:
        x = _data.unmasked(columns[0], "X")
        x = np.stack([_data.unmasked(row, "X") for row in x]) if x.dtype == object else x.reshape(n_rows, -1)
    return np.ascontiguousarray(x, dtype=np.float32)
