"""The cards of estimators: of an unfitted one its parameters, of a fitted one its answer."""

import inspect
import json
from typing import Any

from . import _data, _draw, _html, _words
from ._html import Markup

HIDDEN_PARAMS = ["verbose", "callbacks", "n_jobs"]
# So many classes are named.
MOST = 12


def of_estimator(estimator: Any) -> str:
    """An estimator: its answer if it is fitted, and the parameters that differ from their defaults."""
    name = type(estimator).__name__
    if hasattr(estimator, "model_"):
        return _html.card(name, _about(estimator), *_fitted(estimator), parameters(estimator))
    if hasattr(estimator, "transform_"):
        n_outputs = estimator.transform_.n_outputs
        return _html.card(name, f"fitted: {_words.counted(estimator.n_features_in_, 'feature')} to {n_outputs:,}", parameters(estimator))
    return _html.card(name, "not fitted", parameters(estimator))


def _about(estimator: Any) -> str:
    facts = getattr(estimator, "fit_info_", {})
    rows = f" to {_words.counted(facts['n_rows'], 'row')}" if "n_rows" in facts else ""
    time = f" in {_words.seconds(facts['seconds'])}" if "seconds" in facts else ""
    return f"fitted{rows}{time}"


def parameters(estimator: Any) -> Markup:
    """The parameters that differ from their defaults, and all of them to unfold."""
    changed = {name: value for name, value in estimator._changed().items() if name not in HIDDEN_PARAMS}
    everything = estimator.get_params()
    rows = [[name, _words.value(value)] for name, value in changed.items()]
    shown = _differing(rows)
    if len(everything) <= len(changed):
        return shown
    table = _html.table(["parameter", "value"], [[name, _words.value(value)] for name, value in everything.items()])
    return _html.joined([shown, _html.details(f"all {_words.counted(len(everything), 'parameter')}", table)])


def _differing(rows: list[list[str]]) -> Markup:
    return _html.table(["parameter that differs", "value"], rows) if rows else _html.element("p", _html.soft("all parameters have their defaults"))


def _fitted(estimator: Any) -> list[Markup]:
    facts = getattr(estimator, "fit_info_", {})
    lines = [facts.get("summary") or estimator.model_.head, of_data(estimator)]
    lines += [f"{name}: {_words.value(value)}, chosen by the fit" for name, value in facts.get("chosen", {}).items()]
    return [*_learnt(estimator, facts), *(_html.element("p", line) for line in lines if line)]


def of_data(estimator: Any) -> Markup:
    """The classes and features that an estimator learnt."""
    classes = _data.names(estimator.classes_)
    shown, more = _html.joined(map(_html.short, classes[:MOST]), ", "), f" and {len(classes) - MOST:,} more" if len(classes) > MOST else ""
    return _html.joined([f"{_words.counted(len(classes), 'class')}: ", shown, f"{more}; {_words.counted(estimator.n_features_in_, 'feature')}"])


def _learnt(estimator: Any, facts: dict[str, Any]) -> list[Markup]:
    """The score of validation rows, and its curve over the epochs."""
    history = [record for record in facts.get("history", []) if record.get("val")]
    if not history:
        return []
    key = "loss" if estimator.metric == "log_loss" else estimator.metric
    name, best = _words.titled(estimator.metric), facts.get("best_epoch")
    values = [record["val"][key] for record in history]
    epochs = [record["epoch"] for record in history]
    at = epochs.index(best) if best in epochs else len(values) - 1
    line = f"after epoch {epochs[at] + 1} of {epochs[-1] + 1}"
    chosen = _html.soft("these rows chose the epoch: optimistic") if getattr(estimator, "monitor", None) else ""
    answer = _html.answer(values[at], _html.joined([_html.element("b", name), " on the validation rows"]), line, chosen)
    drawn = _html.joined([_draw.curve(values, at), _html.soft(f"{name} by epoch, {min(values):.4f} to {max(values):.4f}")])
    return [_html.columns(answer, drawn if len(values) > 1 else "")]


def of_loaded(estimator: Any) -> str:
    """A model from a file: its head, with the parameters that differ from the defaults of its class."""
    if not hasattr(estimator, "model_"):
        return of_estimator(estimator)
    record = json.loads(estimator.model_.record)
    head, params = record.get("head"), record.get("params", {})
    rows = [[name, _words.value(value)] for name, value in params.items() if value != _defaults(head).get(name)]
    data = [f"{table['role']}: {_words.counted(table['n_rows'], 'row')}" for table in record.get("data", [])]
    version = record.get("headsmith_version")
    about = f"{estimator.model_.head}, from a file" + (f" of Headsmith {version}" if version else "")
    lines = [of_data(estimator), "; ".join(data)]
    shown = [_html.element("p", line) for line in lines if line]
    return _html.card(type(estimator).__name__, about, *_recorded(record), *shown, _differing(rows) if params else "")


def _defaults(head: str | None) -> dict[str, Any]:
    from . import _heads

    for name in _heads.__all__:
        kind = getattr(_heads, name)
        if kind._head == head:
            given = {name: parameter.default for name, parameter in inspect.signature(kind).parameters.items()}
            return {name: "none" if value is None else value for name, value in given.items()}
    return {}


def _recorded(record: dict[str, Any]) -> list[Markup]:
    """The scores that the command put into a model's file."""
    given: dict[str, Any] = record.get("metrics") or {}
    names = [name for name in ["weighted_f1", "accuracy", "log_loss"] if any(name in scores for scores in given.values())]
    # Training rows say least, so they come last.
    metrics = sorted(given.items(), key=lambda item: item[0] == "train")
    rows = [[role.replace("_", " "), *(scores.get(name, "") for name in names), scores.get("caution") or ""] for role, scores in metrics]
    return [_html.table(["rows", *map(_words.titled, names), ""], rows)] if names else []
