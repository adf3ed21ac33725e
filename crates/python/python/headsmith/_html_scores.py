"""The cards of scores and studies."""

from typing import Any

from . import _data, _draw, _html, _words
from ._draw import Whisker
from ._html import Markup

# More classes than these have no matrix and no table that a person would read.
MAX_CLASSES_SHOWN = 20


def of_scores(scores: Any) -> str:
    """Scores with their intervals, the classes, and the confusion matrix."""
    names = [_html.short(name) for name in _data.names(scores.classes)]
    best = scores.weighted_f1
    about = f"of {_words.counted(scores.n_samples, 'row')}, {_words.counted(len(names), 'class')}"
    lines = [_html.element("b", "weighted F1"), _words.between(best.interval, scores.confidence), _html.soft(f"accuracy {scores.accuracy:.4f}, log loss {scores.log_loss:.4f}")]
    shown = [Whisker(_words.titled(name), float(score), score.interval) for name, score in scores._scores.items() if score is not None and score.interval and _is_share(name)]
    body = [_html.columns(_html.answer(best, *lines), _draw.whiskers(shown) if shown else ""), _html.details("all scores", _all(scores))]
    if len(names) <= MAX_CLASSES_SHOWN:
        body.insert(1, _html.columns(_classes(scores, names), _confusion(scores, names)))
    return _html.card("Scores", about, *body)


def _is_share(name: str) -> bool:
    """Whether a score is one of those between 0 and 1 of which more is better."""
    return name in ("accuracy", "balanced_accuracy", "weighted_f1", "macro_f1")


def _all(scores: Any) -> Markup:
    rows = [[_words.titled(name), float(score), _words.span(score.interval)] for name, score in scores._scores.items() if score is not None]
    return _html.table(["score", "value", "interval"], rows)


def _classes(scores: Any, names: list[Markup]) -> Markup:
    rows = [[name, one["precision"], one["recall"], one["f1"], one["support"]] for name, one in zip(names, scores.per_class)]
    return _html.table(["class", "precision", "recall", "F1", "rows"], rows)


def _confusion(scores: Any, names: list[Markup]) -> Markup:
    """The matrix: rows are labels, columns predictions, and a cell is as blue as its share of the label's rows."""
    rows = [[name, *(_shaded(int(n), n / max(1, counts.sum())) for n in counts)] for name, counts in zip(names, scores.confusion)]
    return _html.table([_html.soft("label \\ predicted"), *names], rows)


def _shaded(count: int, share: float) -> Markup:
    style = f"display:block;min-width:3.2em;padding:.1em .5em;border-radius:3px;text-align:right;background:rgba(42,143,208,{0.65 * share:.2f})"
    return _html.figure(_html.element("span", count, style=style))


def of_study(study: Any) -> str:
    """A study: its best trial, what is left of the value after the choice among so many, and how the trials ended."""
    report = study.report
    metric, best = _words.titled(report["metric"]), report["best"]
    about = f"{report['name']}: {report['n_finished']}/{_words.counted(report['n_trials'], 'trial')}, in {_stored(study.storage)}"
    states = _html.table(["trials", "", "epochs", "time"], [[state["state"], state["n_trials"], state["n_epochs"], _html.figure(_words.seconds(state["seconds"]))] for state in report["states"]])
    if not best:
        return _html.card("Study", about, states)
    lines = [_html.joined([_html.element("b", metric), f" of trial {best['number']}"])]
    params = _html.table(["best parameters", ""], [[name, _words.value(value)] for name, value in best["params"].items()])
    return _html.card("Study", about, _html.columns(_html.answer(best["value"], *lines, _html.soft("these rows chose it: optimistic")), _selection(report)), _html.columns(params, states))


def _selection(report: dict[str, Any]) -> Markup:
    """The best value, and the value corrected for having been chosen."""
    chosen = report.get("selection")
    if not chosen:
        return Markup("")
    pairs = [("the best trial", "observed", _draw.GREY), ("corrected", "corrected", _draw.BLUE)]
    shown = [Whisker(name, chosen[key], _words.ends(chosen[f"{key}_interval"]), colour) for name, key, colour in pairs]
    line = f"corrected for the choice among {_words.counted(chosen['n_trials'], 'trial')}: {chosen['corrected']:.4f}"
    return _html.joined([_draw.whiskers(shown, left=90), _html.element("div", line)])


def _stored(storage: str) -> str:
    """Where a study is: the name of its file, or the database without its password."""
    shown = _words.without_password(storage)
    return shown.rsplit("/", 1)[-1] if shown.startswith("sqlite") else shown
