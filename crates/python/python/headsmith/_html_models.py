"""The cards of estimators: of an unfitted one its parameters, of a fitted one its answer."""

import inspect
import json
from typing import Any

from . import _data, _draw, _html, _words
from ._draw import Whisker
from ._html import Markup

OWN = ["verbose", "callbacks", "n_jobs"]


def of_estimator(estimator: Any) -> str:
    """An estimator: its answer if it is fitted, and the parameters that differ from their defaults."""
    name = type(estimator).__name__
    if hasattr(estimator, "model_"):
        return _html.card(name, _about(estimator), *_fitted(estimator), _parameters(estimator))
    if hasattr(estimator, "transform_"):
        n_outputs = estimator.transform_.n_outputs
        return _html.card(name, f"fitted: {_words.counted(estimator.n_features_in_, 'feature')} to {n_outputs:,}", _parameters(estimator))
    return _html.card(name, "not fitted", _parameters(estimator))


def _about(estimator: Any) -> str:
    facts = getattr(estimator, "fit_info_", {})
    rows = f" to {_words.counted(facts['n_rows'], 'row')}" if "n_rows" in facts else ""
    time = f" in {_words.seconds(facts['seconds'])}" if "seconds" in facts else ""
    return f"fitted{rows}{time}"


def _parameters(estimator: Any) -> Markup:
    changed = {name: value for name, value in estimator._changed().items() if name not in OWN}
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
    lines = [facts.get("summary") or estimator.model_.head, _of_data(estimator)]
    lines += [f"{name}: {_words.value(value)}, chosen by the fit" for name, value in facts.get("chosen", {}).items()]
    return [*_learnt(estimator, facts), *(_html.element("p", line) for line in lines if line)]


def _of_data(estimator: Any) -> str:
    classes = _data.names(estimator.classes_)
    return f"{_words.counted(len(classes), 'class')}: {_words.listed(classes)}; {_words.counted(estimator.n_features_in_, 'feature')}"


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
    said = f"after epoch {epochs[at] + 1} of {epochs[-1] + 1}"
    chosen = _html.soft("these rows chose the epoch: optimistic") if getattr(estimator, "monitor", None) else ""
    answer = _html.answer(values[at], _html.joined([_html.element("b", name), " on the validation rows"]), said, chosen)
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
    lines = [_of_data(estimator), "; ".join(data)]
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
    given = record.get("metrics") or {}
    names = [name for name in ["weighted_f1", "accuracy", "log_loss"] if any(name in scores for scores in given.values())]
    # Training rows say least, so they come last.
    metrics = sorted(given.items(), key=lambda item: item[0] == "train")
    rows = [[role.replace("_", " "), *(scores.get(name, "") for name in names), scores.get("caution") or ""] for role, scores in metrics]
    return [_html.table(["rows", *map(_words.titled, names), ""], rows)] if names else []


def of_search(estimator: Any) -> str:
    """A search with its answer, as the first screen of its report shows it, and the candidates."""
    report = getattr(estimator, "report_", None)
    if report is None:
        return of_estimator(estimator)
    auto, chosen, metric = report["auto"], report["heads"][-1], report["metric"]
    rows = report["tables"][0]
    about = f"{chosen['title']}, fitted to {_words.counted(auto['n_fitted'], 'row')} in {_words.seconds(report['seconds'])}"
    body = [_html.columns(_result(chosen, metric), _drawn(auto, chosen, metric)), _html.element("p", _made_of(auto, chosen, metric)), _html.element("p", _of_data(estimator))]
    tried = f"{_words.counted(len(auto['candidates']), 'candidate')} in {_words.counted(auto['n_steps'], 'step')}, scored on {_words.counted(rows['n_rows'], 'row')} that their fits did not see"
    candidates = _html.details(tried, _candidates(auto, metric), open="")
    return _html.card(type(estimator).__name__, about, *body, candidates, _parameters(estimator))


def _scores(chosen: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The scores that say most about new rows, and whose they are."""
    if chosen.get("val"):
        return chosen["val"], f"on {chosen['val']['n_samples']:,} validation rows"
    if chosen.get("out_of_fold"):
        return chosen["out_of_fold"], f"on {chosen['out_of_fold']['n_samples']:,} rows, out of fold"
    return chosen["train"], "on the training rows"


def _interval(scores: dict[str, Any], metric: str) -> dict[str, Any] | None:
    return (scores.get("intervals") or {}).get(metric)


def _result(chosen: dict[str, Any], metric: str) -> Markup:
    scores, where = _scores(chosen)
    others = [name for name in ["weighted_f1", "accuracy", "log_loss"] if name != metric]
    lines = [_html.joined([_html.element("b", _words.titled(metric)), f" {where}"]), _words.between(_interval(scores, metric))]
    lines += [_html.soft(", ".join(f"{_words.titled(name)} {scores[name]:.4f}" for name in others)), _html.soft(scores.get("caution") or "")]
    return _html.answer(scores[metric], *lines)


def _drawn(auto: dict[str, Any], chosen: dict[str, Any], metric: str) -> Markup:
    """The answer beside the best that a single candidate reached."""
    order = min if metric == "log_loss" else max
    shown = []
    if auto["candidates"]:
        best = order(auto["candidates"], key=lambda one: one["score"])
        shown.append(Whisker(f"best alone: {best['head']}", best["score"], colour=_draw.GREY))
    for key, name, colour in [("out_of_fold", "the model, out of fold", _draw.PURPLE), ("val", "on validation rows", _draw.BLUE)]:
        if scores := chosen.get(key):
            interval = _interval(scores, metric) or {}
            shown.append(Whisker(name, scores[metric], interval.get("low"), interval.get("high"), colour))
    return _draw.whiskers(shown, left=150) if shown else Markup("")


def _made_of(auto: dict[str, Any], chosen: dict[str, Any], metric: str) -> str:
    """What the model is, in words."""
    members = [one for one in auto["candidates"] if one.get("weight")]
    members.sort(key=lambda one: -one["weight"])
    parts = [f"{one['title']} ({one['weight']:.2f})" for one in members]
    made = f"A pool of {_words.listed(parts)}" if len(parts) > 1 else chosen["title"][0].upper() + chosen["title"][1:]
    decided = f"; the scores are of classes decided for {_words.titled(metric)}, as predict does with decision=\"metric\"" if any(auto.get("decision") or []) else ""
    simpler = auto.get("simpler")
    as_good = f". Simpler, and not worse beyond chance: {simpler['title']} (prefer=\"simple\" takes it)" if simpler and simpler["is_as_good"] and not simpler["is_taken"] else ""
    return f"{made}: {_words.size(auto['n_bytes'])}, {_words.short_time(auto['predict_seconds'])} a row{decided}{as_good}."


def _candidates(auto: dict[str, Any], metric: str) -> Markup:
    return _html.table(["head", "", _words.titled(metric), "log loss", "time", "size", "weight"], [_candidate(one) for one in auto["candidates"]])


def _candidate(one: dict[str, Any]) -> list[object]:
    told = ", ".join(f"{name} {_told(one['params'][name])}" for name in one["telling"][:3] if name in one["params"])
    time, size = _html.figure(_words.seconds(one["seconds"])), _html.figure(_words.size(one["n_bytes"]))
    cells = [one["title"], _html.soft(told), one["score"], one["log_loss"], time, size]
    return _html.Row([*cells, _html.figure(f"{one['weight']:.2f}")]) if one.get("weight") else [*cells, ""]


def _told(value: Any) -> str:
    return value if isinstance(value, str) else _words.value(value)
