"""The search for the best model."""

from __future__ import annotations

import json
import os
import time as clock
from typing import Any, Literal, NamedTuple, Self

import numpy as np

from . import _checks, _data, _headsmith
from ._classifier import Classifier, Labelled, Options
from ._listener import Callback

# The time of a search, in seconds, unless its time or its steps are limited.
TIME = 60.0


VAL_IS = ["judge", "train", "choose"]
PREFER = ["best", "simple"]


class Limit(NamedTuple):
    """The limits and choices of a search, as the extension takes them."""

    time: float | None
    steps: int | None
    folds: int
    heads: list[str]
    reduced: list[str]
    val_is: str
    prefer: str
    max_model_size: int | None
    max_predict_time: float | None
    memory: int | None
    refit: bool
    conformal: float | None
    distil: str | None
    trials: int
    elapsed: float


class AutoClassifier(Classifier):
    """The best model that a search finds in a given time.

    Heads are tried one after another, those that gain most for their time first, until the time is over. Each is scored by predictions of rows that its fit did not see; the best are
    pooled, calibrated and decided for the metric. It is the command `headsmith auto`: the same steps give the same bytes.

    Parameters
    ----------
    time : float, default=None
        The seconds of the whole fit. None: 60, or no limit where `steps` are given.
    steps : int, default=None
        The steps of the search: with them a fit gives the same bytes for any number of threads and on any machine of the same instruction set. `steps_` of a
        fit that was limited by time repeats it.
    heads : list of str, default=None
        Only these heads, by the names of the command (`forest`) or of classes (`RandomForestClassifier`); None: those of the portfolio.
    reduced : list of str, default=None
        Heads to try in their reduced form, as a search does that has no time or memory for the whole.
    folds : int, default=5
        The folds of heads without closed-form predictions of rows that they did not see.
    val_is : {"judge", "train", "choose"}, default="judge"
        The use of `validation_data`: they judge the answer, are more training rows, or choose members and decision. The model learns from them, too.
    prefer : {"best", "simple"}, default="best"
        Which model is kept: the best, or a simpler one where that is not significantly worse.
    trials : int, default=24
        Trials of the study of a head's parameters, where the portfolio has one; 0: no study.
    max_model_size : int, default=None
        The bytes of the model's file, at most.
    max_predict_time : float, default=None
        The seconds of the prediction of one row among many, at most.
    memory : int, default=None
        The bytes of memory that a fit may need beside the rows; None: what is free.
    refit : bool, default=True
        Whether the answer is fitted again on all rows, if there is time.
    conformal : float, default=None
        The share of rows whose class the prediction sets of the model should contain, such as 0.9.
    decision : {"argmax", "metric", "votes"}, default="argmax"
        How predict decides: for the largest probability, or for the metric (metric), as the command does.
    metric : str, default="weighted_f1"
        The metric to maximise (log loss: minimise).
    random_state : int, RandomState, Generator or None, default=42
        The seed.
    n_jobs : int, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores.
    verbose : int or bool, default=0
        Whether to show a progress bar (with tqdm) or to log the progress.
    callbacks : list of callables, default=None
        Functions that get each event as a dict, and end the search with its best so far by returning True.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The different labels, in the order of the columns of predict_proba.
    report_ : dict
        The report, as the command writes it to report.json.
    steps_ : int
        The steps of the search.
    n_features_in_ : int
        The number of features of a row.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the features, if the rows came as a data frame with names.
    """

    report_: dict[str, Any]
    steps_: int

    def __init__(
        self,
        *,
        time: float | None = None,
        steps: int | None = None,
        heads: list[str] | None = None,
        reduced: list[str] | None = None,
        folds: int = 5,
        val_is: Literal["judge", "train", "choose"] = "judge",
        prefer: Literal["best", "simple"] = "best",
        trials: int = 24,
        max_model_size: int | None = None,
        max_predict_time: float | None = None,
        memory: int | None = None,
        refit: bool = True,
        conformal: float | None = None,
        decision: Literal["argmax", "metric", "votes"] = "argmax",
        metric: str = "weighted_f1",
        random_state: int | np.random.RandomState | np.random.Generator | None = 42,
        n_jobs: int | None = None,
        verbose: int | bool = 0,
        callbacks: list[Callback] | None = None,
    ) -> None:
        self.time = time
        self.steps = steps
        self.heads = heads
        self.reduced = reduced
        self.folds = folds
        self.val_is = val_is
        self.prefer = prefer
        self.trials = trials
        self.max_model_size = max_model_size
        self.max_predict_time = max_predict_time
        self.memory = memory
        self.refit = refit
        self.conformal = conformal
        self.decision = decision
        self.metric = metric
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callbacks = callbacks

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, validation_data: tuple[Any, Any] | None = None) -> Self:
        """Searches for the best model of these rows; see `fit` of the other classifiers."""
        self._began = clock.monotonic()
        try:
            return super().fit(X, y, sample_weight, groups=groups, validation_data=validation_data)
        finally:
            del self._began

    def _fit_model(self, train: Labelled, validation: Labelled | None, options: Options) -> tuple[_headsmith.Model, dict[str, Any]]:
        import tempfile
        import zlib

        limit = self._limit()
        self._check_groups(train, validation)
        with tempfile.TemporaryDirectory(prefix="headsmith-") as folder:
            model, report = _headsmith.search(train, _data.names(self.classes_), validation, limit, folder, options)
            with open(os.path.join(folder, "report.html"), "rb") as page:
                self._page = zlib.compress(page.read())
        self.report_ = json.loads(report)
        # The folder is no more.
        self.report_["heads"][-1]["model"] = None
        self.steps_ = self.report_["auto"]["n_steps"]
        # Fitted again the model has learnt from the validation rows; otherwise they may have chosen, or did nothing.
        return model, {"n_steps": self.steps_, "chosen_on_val": json.loads(model.record).get("selected_on", [])}

    def _limit(self) -> Limit:
        time = TIME if self.time is None and self.steps is None else self.time
        elapsed = clock.monotonic() - self._began
        heads = [] if self.heads is None else _checks.heads("heads", self.heads)
        if self.heads is not None and not heads:
            raise ValueError("heads is empty: name some, or give None for those of the portfolio")
        size, memory = (_bytes(name, getattr(self, name)) for name in ("max_model_size", "memory"))
        _data.check_word("val_is", self.val_is, VAL_IS)
        _data.check_word("prefer", self.prefer, PREFER)
        return Limit(
            _checks.number("time", time, "a number of seconds"), _checks.count("steps", self.steps), _checks.needed("folds", self.folds), heads,
            _checks.heads("reduced", self.reduced or []), self.val_is, self.prefer, size, _checks.above("max_predict_time", self.max_predict_time, "a number of seconds above 0"),
            memory, _checks.flag("refit", self.refit), _checks.above("conformal", self.conformal, "a number above 0 and below 1, such as 0.9", high=1), None,
            _checks.needed("trials", self.trials), elapsed,
        )

    def _check_groups(self, train: Labelled, validation: Labelled | None) -> None:
        """Refuses fewer groups than folds, where the search needs folds."""
        if train.groups is None or (validation is not None and self.val_is == "choose"):
            return
        n_groups = int(train.groups.max()) + 1
        if n_groups < self.folds:
            hint = f": use folds={n_groups}" if n_groups > 1 else ""
            different = "1 value" if n_groups == 1 else f"{n_groups} different values"
            raise ValueError(f"groups has {different}, but folds is {self.folds}, and no group is parted{hint}")

    def report(self, path: str | os.PathLike[str], X: Any = None, y: Any = None) -> None:
        """Writes the page of the search, which shows the result and whether to trust it; with rows, the page of the model on them, as of other classifiers."""
        import zlib

        self._fitted()
        if X is not None or y is not None:
            return super().report(path, X, y)
        with open(path, "wb") as page:
            page.write(zlib.decompress(self._page))

    def _repr_html_(self) -> str:
        from . import _html_search

        return _html_search.of_search(self)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "report_")


def _bytes(name: str, given: Any) -> int | None:
    """A number of bytes, or None for no limit."""
    what = "an int of at least 1, the number of bytes"
    if given == 0:
        raise ValueError(f"{name} is 0, expected {what}")
    return _checks.count(name, given, what)
