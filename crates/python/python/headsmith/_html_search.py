"""The card of a search: its answer, and the candidates."""

from typing import Any

from . import _draw, _html, _html_models, _words
from ._draw import Whisker
from ._html import Markup
from ._words import Ends


def of_search(estimator: Any) -> str:
    """A search with its answer, as the first screen of its report shows it, and the candidates."""
    report = getattr(estimator, "report_", None)
    if report is None:
        return _html_models.of_estimator(estimator)
    auto, chosen, metric = report["auto"], report["heads"][-1], report["metric"]
    about = f"{chosen['title']}, fitted to {_words.counted(auto['n_fitted'], 'row')} in {_words.seconds(report['seconds'])}"
    body = [_html.columns(_result(chosen, metric), _drawn(auto, chosen, metric)), _html.element("p", _made_of(auto, chosen, metric)), _html.element("p", _html_models.of_data(estimator))]
    tried = f"{_words.counted(len(auto['candidates']), 'candidate')} in {_words.counted(auto['n_steps'], 'step')}, scored on {_words.counted(auto['n_rows'], 'row')} that their fits did not see"
    candidates = _html.details(tried, _candidates(auto, metric), _left_out(auto), open="")
    return _html.card(type(estimator).__name__, about, *body, candidates, _html_models.parameters(estimator))


def _left_out(auto: dict[str, Any]) -> Markup:
    """The heads that were not tried, each with the reason to whoever points at it."""
    given: list[tuple[str, str]] = auto.get("left_out") or []
    heads = _html.joined((_html.element("span", head, title=reason) for head, reason in given), ", ")
    return _html.soft("left out: ", heads) if given else Markup("")


def _scores(chosen: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The scores that say most about new rows, and whose they are."""
    if chosen.get("val"):
        return chosen["val"], f"on {chosen['val']['n_samples']:,} validation rows"
    if chosen.get("out_of_fold"):
        return chosen["out_of_fold"], f"on {chosen['out_of_fold']['n_samples']:,} rows, out of fold"
    return chosen["train"], "on the training rows"


def _interval(scores: dict[str, Any], metric: str) -> Ends | None:
    intervals: dict[str, Any] = scores.get("intervals") or {}
    return _words.ends(intervals.get(metric))


def _result(chosen: dict[str, Any], metric: str) -> Markup:
    scores, where = _scores(chosen)
    others = [name for name in ["weighted_f1", "accuracy", "log_loss"] if name != metric]
    lines = [_html.joined([_html.element("b", _words.titled(metric)), f" {where}"]), _words.between(_interval(scores, metric))]
    lines += [_html.soft(", ".join(f"{_words.titled(name)} {scores[name]:.4f}" for name in others)), _html.soft(scores.get("caution") or "")]
    return _html.answer(scores[metric], *lines)


def _drawn(auto: dict[str, Any], chosen: dict[str, Any], metric: str) -> Markup:
    """The answer beside the best that a single candidate reached."""
    shown: list[Whisker] = []
    if auto["candidates"]:
        best = max(auto["candidates"], key=lambda one: _words.gain(metric, one["score"]))
        shown.append(Whisker(f"best alone: {best['head']}", best["score"], colour=_draw.GREY))
    for key, name, colour in [("out_of_fold", "the model, out of fold", _draw.PURPLE), ("val", "on validation rows", _draw.BLUE)]:
        if scores := chosen.get(key):
            shown.append(Whisker(name, scores[metric], _interval(scores, metric), colour))
    return _draw.whiskers(shown, left=150) if shown else Markup("")


def _made_of(auto: dict[str, Any], chosen: dict[str, Any], metric: str) -> str:
    """What the model is, in words."""
    members = [one for one in auto["candidates"] if one.get("weight")]
    members.sort(key=lambda one: -one["weight"])
    parts = [f"{one['title']} ({one['weight']:.2f})" for one in members]
    made = f"A pool of {_words.listed(parts)}" if len(parts) > 1 else chosen["title"][0].upper() + chosen["title"][1:]
    decided = f"; the scores are of classes decided for {_words.titled(metric)}, as predict does with decision=\"metric\"" if any(auto.get("decision") or []) else ""
    simpler = auto.get("simpler")
    as_good = f". Simpler, and not significantly worse: {simpler['title']} (prefer=\"simple\" selects it)" if simpler and simpler["is_as_good"] and not simpler["is_taken"] else ""
    return f"{made}: {_words.size(auto['n_bytes'])}, {_words.short_time(auto['predict_seconds'])} a row{decided}{as_good}."


def _candidates(auto: dict[str, Any], metric: str) -> Markup:
    return _html.table(["head", "", _words.titled(metric), "log loss", "time", "size", "weight"], [_candidate(one) for one in auto["candidates"]])


def _candidate(one: dict[str, Any]) -> list[object]:
    settings = ", ".join(f"{name} {_setting(one['params'][name])}" for name in one["telling"][:3] if name in one["params"])
    time, size = _html.figure(_words.seconds(one["seconds"])), _html.figure(_words.size(one["n_bytes"]))
    cells = [one["title"], _html.soft(settings), one["score"], one["log_loss"], time, size]
    return _html.Row([*cells, _html.figure(f"{one['weight']:.2f}")]) if one.get("weight") else [*cells, ""]


def _setting(value: Any) -> str:
    return value if isinstance(value, str) else _words.value(value)
