"""Scores of probabilities, with their intervals."""

import json
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import _checks, _data, _headsmith, _seed, _words
from ._classifier import Options
from ._data import Floats

# Their scores take 64 MB.
MOST_RESAMPLES = 1_000_000
HINT = "proba has to have a row for each label and a column for each class: give probabilities, as predict_proba returns them"


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

    def __getnewargs__(self) -> tuple[float, Interval | None]:  # type: ignore[override]
        """The arguments of a copy, also pickle's."""
        return float(self), self.interval

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
        The probability of each class for each row. The columns of a frame are found by their names.
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
    labels = _data.column(y)
    _data.refuse_missing(labels, "y")
    rows, names = _probabilities(proba)
    if len(labels) != len(rows):
        raise ValueError(f"y has {len(labels)} labels, expected one for each of the {len(rows)} rows of proba")
    known = _columns(np.unique(labels) if classes is None else np.asarray(classes), names, rows.shape[1], classes is None)
    order = np.argsort(known)
    codes = order[_data.codes(labels, known[order])].astype(np.uint32)
    options = Options.of(n_jobs, seed=_seed.seed(random_state))
    number = f"an int from 0 to {MOST_RESAMPLES:,}"
    n_resamples = _checks.needed("n_resamples", n_resamples, number)
    if n_resamples > MOST_RESAMPLES:
        raise ValueError(f"n_resamples is {n_resamples}, expected {number}")
    level = _checks.number("confidence", confidence, "a number between 0 and 1")
    if level is None or not 0 < level < 1:
        raise ValueError(f"confidence is {confidence!r}, expected a number between 0 and 1")
    resampling = Resampling(n_resamples, level, _data.groups(groups, len(codes)))
    found = json.loads(_headsmith.scores(codes, rows, resampling, options))
    return Scores(found["scores"], found["intervals"], known, confidence)


def _probabilities(proba: Any) -> tuple[Floats, list[str] | None]:
    """The probabilities, and the names of their columns."""
    if getattr(proba, "ndim", 2) == 1 or (hasattr(proba, "dtype") and proba.dtype.kind in "OUST" and not hasattr(proba, "__array_interface__")):
        raise ValueError(HINT)
    columns: Any = getattr(proba, "columns", None) if hasattr(proba, "iloc") else None
    try:
        rows = _data.rows(proba, None)
    except ValueError as error:
        raise ValueError(f"{HINT} ({error})") from error
    # pandas counts columns without names.
    are_counted = type(columns).__name__ == "RangeIndex" and list(columns) == list(range(len(columns)))
    return rows.x, rows.names if columns is None or are_counted else _data.names(np.asarray(columns))


def _columns(known: npt.NDArray[Any], names: list[str] | None, n_columns: int, are_sorted: bool) -> npt.NDArray[Any]:
    """The classes in the order of the columns: that of the columns' names, if they have names."""
    if names is not None and are_sorted and known.dtype.kind in "OUT" and set(known.tolist()) < set(names):
        # Some class has no row.
        known = np.unique(np.array([*known.tolist(), *names], dtype=known.dtype if known.dtype.kind == "O" else None))
    if len(known) != n_columns:
        count = "is 1 class" if len(known) == 1 else f"are {len(known)} classes"
        raise ValueError(f"proba has {n_columns} columns, but there {count}: give classes in the order of the columns")
    if names is None:
        return known
    by_name = dict(zip(_data.names(known), known.tolist()))
    # So Predictor names them.
    names = [name.removeprefix("proba_") if name not in by_name else name for name in names]
    if names == list(by_name):
        return known
    if not are_sorted or sorted(names) != sorted(by_name):
        expected = "classes are" if not are_sorted else "labels are"
        raise ValueError(f"the columns of proba are called {_words.listed(names)}, but the {expected} {_words.listed(list(by_name))}: name the columns so, or give proba as an array")
    return known[[list(by_name).index(name) for name in names]]
