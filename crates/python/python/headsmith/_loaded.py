"""Models from files."""

import json
import os
from typing import Any, Literal

import numpy as np

from . import _data, _headsmith, _kinds, _seed
from ._classifier import DECISIONS, Classifier, Labelled, Options
from ._seen import Seen


class LoadedClassifier(Classifier):
    """A classifier that was fitted elsewhere: by an estimator that saved it, or by the command.

    It predicts as it did there, and cannot be fitted again.
    """

    def __init__(self, *, decision: Literal["argmax", "metric", "votes"] = "argmax", n_jobs: int | None = None) -> None:
        self.decision = decision
        self.n_jobs = n_jobs

    verbose: int | bool = 0
    callbacks: Any = None
    random_state: Any = None
    metric: str = "weighted_f1"

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.model_.head}, {self.n_features_in_} features, {len(self.classes_)} classes>" if hasattr(self, "model_") else super().__repr__()

    def _repr_html_(self) -> str:
        from . import _html_models

        return _html_models.of_loaded(self)

    def _fit_model(self, train: Labelled, validation: Labelled | None, options: Options) -> tuple[_headsmith.Model, dict[str, Any]]:
        raise ValueError("a loaded model cannot be fitted again: fit an estimator of its kind")


def load(path: str | os.PathLike[str], *, decision: Literal["argmax", "metric", "votes"] = "argmax", n_jobs: int | None = None) -> LoadedClassifier:
    """The model in a file: one that `save` of an estimator or the command wrote.

    Labels are of the kind that they had in Python: str, bool, int, float, date, datetime or Decimal, or NumPy's datetime64 and numbers of its types. Of others
    `save` makes an error. Those of a model from the command are texts.
    """
    _data.check_word("decision", decision, DECISIONS)
    _seed.threads(n_jobs)
    model = _headsmith.Model.load(path)
    record = json.loads(model.record)
    kinds = record.get("extra", {}).get("python")
    loaded = LoadedClassifier(decision=decision, n_jobs=n_jobs)
    loaded.model_ = model
    loaded.n_features_in_ = model.n_features
    loaded.classes_ = _kinds.restored(model.classes, json.loads(kinds) if kinds else None)
    seen = json.loads(record.get("extra", {}).get("seen", "{}"))
    loaded._train, loaded._val = Seen.restored(seen.get("_train")), Seen.restored(seen.get("_val"))
    loaded.fit_info_ = {"chosen_on_val": seen.get("chosen_on_val", [])}
    if record.get("feature_names"):
        loaded.feature_names_in_ = np.array(record["feature_names"], dtype=object)
    return loaded
