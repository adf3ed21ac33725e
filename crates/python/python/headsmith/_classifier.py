"""What all classifiers have in common."""

import json
import os
import warnings
from typing import Any, NamedTuple, Self, cast

import numpy as np
import numpy.typing as npt

from . import _checks, _class_weight, _data, _headsmith, _input, _kinds, _routing, _seed, _tags, _words
from ._data import Floats
from ._errors import HeadsmithWarning, caller_level
from ._listener import Listener
from ._params import Estimator
from ._seen import Seen

DECISIONS = ["argmax", "metric", "votes"]

# The versions of the operators of trees that runtimes have.
ML_OPSETS = [3, 5]

# From this share of seen rows on, the rows count as the fit's own; below it, a warning.
MIN_SEEN_SHARE = 0.1


class Labelled(NamedTuple):
    """Rows with their classes, as the extension takes them."""

    x: Floats
    y: npt.NDArray[np.uint32]
    weights: Floats | None = None
    groups: npt.NDArray[np.uint32] | None = None


class Options(NamedTuple):
    """How a fit is done, as the extension takes it."""

    feature_names: list[str]
    metric: str
    seed: int
    n_jobs: int
    listener: Listener
    follows: bool

    @classmethod
    def of(cls, n_jobs: Any, listener: Listener | None = None, *, metric: str = "weighted_f1", seed: int = 0, feature_names: list[str] | None = None) -> Self:
        """Those of work with so many threads; by default nobody follows it."""
        listener = Listener() if listener is None else listener
        return cls(feature_names or [], _metric(metric), seed, _seed.threads(n_jobs), listener, listener.follows)


def _metric(given: Any) -> str:
    """The name of a metric; whether there is such a one the library says."""
    if isinstance(given, str):
        return given
    known = json.loads(_headsmith.declarations())["metrics"]
    raise ValueError(f"metric is {given!r}, expected one of {', '.join(known)}")


class Classifier(Estimator):
    """A classifier: subclasses have parameters, and fit models of their kind."""

    classes_: npt.NDArray[Any]
    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]
    model_: _headsmith.Model

    n_iter_: int
    fit_info_: dict[str, Any]
    _train: Seen | None
    _val: Seen | None

    # Those of every classifier.
    random_state: Any
    n_jobs: int | None
    verbose: int | bool
    callbacks: Any
    decision: str
    metric: str

    def _fit_model(self, train: Labelled, validation: Labelled | None, options: Options) -> tuple[_headsmith.Model, dict[str, Any]]:
        raise NotImplementedError

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, validation_data: tuple[Any, Any] | None = None) -> Self:
        """Fits the classifier.

        Parameters
        ----------
        X : array-like, data frame or tensor of shape (n_samples, n_features)
            Rows to learn from; C-contiguous float32 is used in place.
        y : array-like of shape (n_samples,)
            Their labels, of any kind.
        sample_weight : array-like of shape (n_samples,), default=None
            A row of weight 2 counts as two rows do.
        groups : array-like of shape (n_samples,), default=None
            Rows of one group are never parted where the fit leaves rows out.
        validation_data : (X, y), default=None
            Rows that choose, where the fit has a use for them.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        rows = _data.rows(X, self)
        labels = _data.labels(y, len(rows.x), self)
        self._check_decision()
        weights, units = _data.weights(sample_weight, len(rows.x)), _data.groups(groups, len(rows.x))
        train = Labelled(rows.x, labels.codes, weights, units)
        with Listener(self.verbose, self.callbacks, getattr(self, "_head", "")) as listener:
            options = Options.of(self.n_jobs, listener, metric=self.metric, seed=_seed.seed(self.random_state), feature_names=rows.names)
            # An earlier fit stays until this one has ended well.
            earlier = self.__dict__.get("classes_")
            self.classes_ = labels.classes
            try:
                validation = self._validation(validation_data, labels.classes, rows)
                model, facts = self._fit_model(train, validation, options)
            except BaseException:
                self._restore(earlier)
                raise
        _input.learn(self, rows)
        self._keep(model, {**facts, "n_rows": len(rows.x)})
        if facts.get("description", {}).get("converged") is False:
            warnings.warn(f"{facts['summary']}: raise max_iter or tol", HeadsmithWarning, stacklevel=caller_level())
        self._train, self._val = Seen.of(rows.x), Seen.of(validation.x) if validation else None
        return self

    def _restore(self, classes: npt.NDArray[Any] | None) -> None:
        if classes is None:
            del self.classes_
        else:
            self.classes_ = classes

    def _validation(self, data: tuple[Any, Any] | None, classes: npt.NDArray[Any], train: _data.Rows) -> Labelled | None:
        if data is None:
            return None
        pair: Any = data
        if not isinstance(cast(object, data), (tuple, list)) or len(pair) != 2:
            raise ValueError(f"validation_data is of the type {type(pair).__name__}, expected a pair (X, y)")
        X, y = pair
        try:
            return _labelled(_input.alike(self, X, train), y, classes)
        except ValueError as error:
            raise ValueError(f"validation_data: {error}") from error

    def _keep(self, model: _headsmith.Model, facts: dict[str, Any]) -> None:
        self.model_ = model
        self.fit_info_ = facts
        self.n_iter_ = max(1, facts.get("n_steps", 1))

    def _check_decision(self) -> None:
        _data.check_word("decision", self.decision, DECISIONS)

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class for each row, in the order of `classes_`."""
        x = _input.check(self, X, "model_")
        return self.model_.predict_proba(x, _seed.threads(self.n_jobs))

    def predict_log_proba(self, X: Any) -> Floats:
        """The logarithms of the probabilities."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The label of each row."""
        x = _input.check(self, X, "model_")
        self._check_decision()
        return self.classes_[self.model_.predict(x, self.decision, _seed.threads(self.n_jobs))]

    def predict_set(self, X: Any) -> npt.NDArray[np.bool_]:
        """Whether each class is in the prediction set of each row, of shape (n_samples, n_classes), in the order of `classes_`: of a search with `conformal`, or a model of the command with such sets."""
        x = _input.check(self, X, "model_")
        sets = self.model_.predict_set(x, _seed.threads(self.n_jobs))
        if sets is None:
            raise ValueError("the model has no prediction sets: fit it with AutoClassifier(conformal=0.9), or with the command's --conformal 0.9")
        return sets

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy on rows with known labels."""
        predicted, truth = self.predict(X), _data.column(y)
        if len(truth) != len(predicted):
            raise ValueError(f"y has {_words.counted(len(truth), 'label')}, expected one for each of the {len(predicted)} rows of X")
        _data.refuse_missing(truth, "y")
        _data.refuse_other_kind(truth, self.classes_)
        return float(np.average(predicted == truth, weights=sample_weight))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model to a file that `headsmith.load` and the command read.

        Labels have to be of a kind that it keeps: str, bool, int, float, date, datetime, Decimal or datetime64.
        """
        model = self._fitted().with_extra("python", self._labels())
        whole = model.with_extra("seen", self._seen())
        limit: int | None = getattr(self, "max_model_size", None)
        if limit is None or len(whole.to_bytes()) <= limit:
            return whole.save(path)
        # A limit is kept rather than what tells reports the rows of the fit.
        model.save(path)
        if (n_bytes := len(model.to_bytes())) > limit:
            warnings.warn(f"the file has {n_bytes:,} bytes, with the kind of the labels, but max_model_size is {limit:,}", HeadsmithWarning, stacklevel=caller_level())

    def to_onnx(self, path: str | os.PathLike[str], *, ml_opset: int = 3, force: bool = False) -> dict[str, Any]:
        """Writes the model as an ONNX file, after comparing the predictions of both.

        Parameters
        ----------
        path : path
            The file.
        ml_opset : {3, 5}, default=3
            The version of the operators of trees: 3 for all runtimes, 5 for those from 2025 on.
        force : bool, default=False
            Whether to write trees that are too large for runtimes to load quickly.

        Returns
        -------
        facts : dict
            The size of the file, and how it compares with the model.
        """
        expected = " or ".join(map(str, ML_OPSETS))
        version = _checks.needed("ml_opset", ml_opset, expected)
        if version not in ML_OPSETS:
            raise ValueError(f"ml_opset is {version}, expected {expected}")
        facts: dict[str, Any] = json.loads(self._fitted().to_onnx(path, version, _checks.flag("force", force)))
        return facts

    def report(self, path: str | os.PathLike[str], X: Any = None, y: Any = None) -> None:
        """Writes a page that shows how the classifier does on rows, and whether to trust it.

        It has the scores with their intervals, by class, the confusion, curves, calibration, the checks of the rows, the surest mistakes, how the fit went, and
        all parameters: one file of HTML that fetches nothing. Classes are decided as `headsmith evaluate` does, by the votes or the offsets of a model that has them.

        Parameters
        ----------
        path : path
            The file.
        X : array-like, data frame or tensor of shape (n_samples, n_features)
            Rows that the fit did not see and that chose nothing. Of others the page says that their scores are optimistic.
        y : array-like of shape (n_samples,)
            Their labels.
        """
        model = self._fitted()
        if X is None or y is None:
            raise ValueError("a report shows the scores of rows that chose nothing: give rows that the fit did not see, report(path, X, y)")
        rows = _labelled(_input.check(self, X, "model_"), y, self.classes_)
        seed = json.loads(model.record).get("seed") or 0
        names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        options = Options.of(self.n_jobs, metric=self.metric, seed=seed, feature_names=names)
        _headsmith.report(model, rows, json.dumps(getattr(self, "fit_info_", {})), self._used_for(rows.x), path, options)

    def _used_for(self, x: Floats) -> list[str]:
        """What these rows were used for in the fit."""
        train: Seen | None = getattr(self, "_train", None)
        val: Seen | None = getattr(self, "_val", None)
        learnt = train.share_of(x) if train else 0.0
        if learnt >= MIN_SEEN_SHARE:
            return ["weights"]
        if learnt > 0:
            warnings.warn(f"about {learnt:.1%} of the rows are among those that the fit learnt from: their scores are optimistic", HeadsmithWarning, stacklevel=caller_level())
        if val and val.share_of(x) >= MIN_SEEN_SHARE:
            return list(self.fit_info_.get("chosen_on_val", ["weights"]))
        return []

    def _fitted(self) -> _headsmith.Model:
        from ._errors import not_fitted

        if not hasattr(self, "model_"):
            raise not_fitted(self)
        return self.model_

    def _labels(self) -> str:
        """The kind of the labels, which the names in a model's file do not tell."""
        return json.dumps(_kinds.recorded(self.classes_))

    def _seen(self) -> str:
        """Hashes of some rows of the fit, by which a loaded model knows them again."""
        rows = {name: seen.recorded() for name in ["_train", "_val"] if (seen := getattr(self, name, None)) is not None}
        return json.dumps({**rows, "chosen_on_val": getattr(self, "fit_info_", {}).get("chosen_on_val", [])})

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        return _tags.classifier()

    def get_metadata_routing(self) -> Any:
        """What scikit-learn's routers pass to `fit` and `score`: the requests that were set, of `scikit-learn.utils.metadata_routing`."""
        return _routing.requests(self)

    def set_fit_request(self, *, sample_weight: _routing.Request = _routing.UNCHANGED, groups: _routing.Request = _routing.UNCHANGED) -> Self:
        """Which of these scikit-learn's pipelines and searches pass to `fit`, with `enable_metadata_routing=True`: True, False, another name, or None for an error where one is given."""
        return _routing.changed(self, "fit", {"sample_weight": sample_weight, "groups": groups})

    def set_score_request(self, *, sample_weight: _routing.Request = _routing.UNCHANGED) -> Self:
        """The same for `score`."""
        return _routing.changed(self, "score", {"sample_weight": sample_weight})


def _labelled(x: Floats, y: Any, classes: npt.NDArray[Any]) -> Labelled:
    """Rows with their labels among known classes."""
    codes = _data.codes(y, classes)
    if len(codes) != len(x):
        raise ValueError(f"y has {len(codes)} labels, expected one for each of the {len(x)} rows of X")
    return Labelled(x, codes)


class HeadClassifier(Classifier):
    """A classifier of one kind of head."""

    _head: str
    # Validation rows that are split off; heads without a use for them lack the parameter.
    validation_fraction: float = 0.0
    class_weight: Any

    def _fit_model(self, train: Labelled, validation: Labelled | None, options: Options) -> tuple[_headsmith.Model, dict[str, Any]]:
        params = {name: self._value(name) for name in self._own}
        names = _data.names(self.classes_)
        share = 0.0 if validation else _share(self.validation_fraction)
        model, facts = _headsmith.fit(self._head, params, train, names, validation, share, options)
        return model, json.loads(facts)

    # The names of the head's parameters.
    _own: tuple[str, ...]

    def _value(self, name: str) -> bool | int | float | str:
        value = getattr(self, name)
        if name == "class_weight":
            return _class_weight.text(value, self.classes_)
        if value is None:
            return "none"
        if isinstance(value, np.generic):
            value = cast(object, value.item())
        if isinstance(value, (bool, int, float, str)):
            return value
        raise ValueError(f"{name} is {value!r}, expected a number, a text or None")


def _share(fraction: Any) -> float:
    number: Any = fraction
    if isinstance(fraction, (int, float, np.number)) and 0 <= number < 1:
        return float(number)
    raise ValueError(f"validation_fraction is {fraction!r}, expected a number of at least 0 and below 1")
