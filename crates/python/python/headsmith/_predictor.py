"""Predictions of batches, for tools that call a class of their user's on each worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

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
        self._proba = proba
        self._keep = keep

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The batch with a column `prediction`."""
        columns = self._columns or self._found(batch)
        if len(columns) == 1:
            cells = np.asarray(batch[columns[0]])
            x = np.stack([np.asarray(row) for row in cells]) if cells.dtype == object else cells
        else:
            x = np.column_stack([np.asarray(batch[name], dtype=np.float32) for name in columns])
        x = np.ascontiguousarray(x, dtype=np.float32)
        out = {name: column for name, column in batch.items() if self._keep and name not in columns}
        out["prediction"] = self._model.classes_[self._model.model_.predict(x, self._model.decision, self._model.n_jobs or 1)]
        if self._proba:
            proba = self._model.model_.predict_proba(x, self._model.n_jobs or 1)
            out |= {f"proba_{name}": proba[:, i] for i, name in enumerate(self._model.model_.classes)}
        return out

    def _found(self, batch: Mapping[str, Any]) -> list[str]:
        names = getattr(self._model, "feature_names_in_", None)
        if names is not None:
            return list(names)
        for name in ["embeddings", "embedding", "features", "data"]:
            if name in batch:
                return [name]
        raise ValueError(f"none of the columns {', '.join(batch)} is known to hold the features: name them by columns")
