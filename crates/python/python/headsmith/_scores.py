"""Scores of probabilities, with their intervals."""

import json
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _data, _headsmith, _seed
from ._classifier import Options


class Interval(NamedTuple):
    """The ends of a confidence interval."""

    low: float
    high: float


class Score(float):
    """A score, with its interval where one was drawn."""

    interval: Interval | None

    def __new__(cls, value: float, interval: Interval | None) -> "Score":
        score = super().__new__(cls, value)
        score.interval = interval
        return score

    def __repr__(self) -> str:
        return f"{float(self):.4f}" + (f" ({self.interval.low:.4f} .. {self.interval.high:.4f})" if self.interval else "")


class Resampling(NamedTuple):
    """How intervals are drawn, as the extension takes it."""

    n_resamples: int
    confidence: float
    groups: npt.NDArray[np.uint32] | None


class Scores:
    """The scores of probabilities: `accuracy`, `balanced_accuracy`, `weighted_f1`, `macro_f1`, `log_loss`, `brier`, `mcc`, `ece` and others, each with its `interval` where
    one is drawn; `per_class` and `confusion`. Scores that need a row of another class are None where there is none."""

    accuracy: Score
    balanced_accuracy: Score
    weighted_f1: Score
    macro_f1: Score
    micro_f1: Score
    weighted_precision: Score
    macro_precision: Score
    weighted_recall: Score
    macro_recall: Score
    log_loss: Score
    brier: Score
    roc_auc_ovr: Score | None
    roc_auc_ovr_weighted: Score | None
    mcc: Score
    cohen_kappa: Score | None
    ece: Score

    def __init__(self, scores: dict[str, Any], intervals: dict[str, Any] | None, classes: npt.NDArray[Any], confidence: float = 0.95) -> None:
        self.confidence = confidence
        self.classes = classes
        self.n_samples: int = scores.pop("n_samples")
        self.per_class: list[dict[str, Any]] = scores.pop("per_class")
        self.confusion: npt.NDArray[np.int64] = np.array(scores.pop("confusion"))
        drawn = {name: Interval(**ends) for name, ends in (intervals or {}).items()}
        self._scores = {name: None if value is None else Score(value, drawn.get(name)) for name, value in scores.items()}

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_scores"][name]
        except KeyError:
            raise AttributeError(f"there is no score {name!r}; there are {', '.join(self.__dict__.get('_scores', {}))}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._scores]

    def __repr__(self) -> str:
        return "\n".join(f"{name:<20} {score!r}" for name, score in self._scores.items())

    def _repr_html_(self) -> str:
        from . import _html_scores

        return _html_scores.of_scores(self)


def score(
    y: Any,
    proba: Any,
    *,
    classes: Any = None,
    groups: Any = None,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
    random_state: _seed.RandomState = 42,
    n_jobs: int | None = None,
) -> Scores:
    """The scores of probabilities of rows with known labels.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        The labels.
    proba : array-like of shape (n_samples, n_classes)
        The probability of each class for each row.
    classes : array-like of shape (n_classes,), default=None
        The classes, in the order of the columns: `classes_` of a classifier. None: the different labels in `y`, sorted.
    groups : array-like of shape (n_samples,), default=None
        Rows of one group are right and wrong together: intervals are drawn by groups.
    n_resamples : int, default=10000
        The resamples of which intervals are made; 0: no intervals.
    confidence : float, default=0.95
        The share of resamples within an interval.
    random_state : int, RandomState, Generator or None, default=42
        The seed of the resamples.
    n_jobs : int, default=None
        The number of threads; None: all cores, or OMP_NUM_THREADS if that is set; -1: all cores.

    Returns
    -------
    scores : Scores
        `scores.weighted_f1` is a float; `scores.weighted_f1.interval` has its ends.
    """
    rows = _data.rows(proba, score).x
    labels = _data.column(y)
    known = np.unique(labels) if classes is None else np.asarray(classes)
    if len(known) != rows.shape[1]:
        raise ValueError(f"proba has {rows.shape[1]} columns, but there are {len(known)} classes: give classes in the order of the columns")
    order = np.argsort(known)
    codes = order[_data.codes(labels, known[order])].astype(np.uint32)
    options = Options.of(n_jobs, seed=_seed.seed(random_state))
    resampling = Resampling(n_resamples, confidence, _data.groups(groups, len(codes)))
    found = json.loads(_headsmith.scores(codes, rows, resampling, options))
    return Scores(found["scores"], found["intervals"], known, confidence)
