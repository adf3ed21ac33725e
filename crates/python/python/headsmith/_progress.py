"""The progress of a fit, a search or a study: a bar in terminals and notebooks, lines of the log elsewhere."""

import sys
import warnings
from typing import Any

from . import _lines, _words

# The events that begin something to count.
BEGINNINGS = ("fitting", "started", "searching")


def of_work(head: str) -> "Bar | _lines.Lines":
    """A bar in a notebook or an interactive terminal with tqdm, otherwise lines; the head is that of a single fit."""
    kind = _tqdm() if _is_watched() else None
    return _lines.Lines(head) if kind is None else Bar(kind, head)


def _is_watched() -> bool:
    """Whether this is a notebook, or a terminal shows what is written."""
    return "IPKernelApp" in _ipython_config() or bool(sys.stderr and sys.stderr.isatty())


def _ipython_config() -> Any:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "config", {})


def _tqdm() -> Any:
    """tqdm's bar: the widget in notebooks with ipywidgets."""
    try:
        with warnings.catch_warnings():
            # Without ipywidgets a notebook gets a bar of text, and needs no advice.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm


class Bar:
    """A bar of tqdm: of epochs or the like; of candidates, in a search; of trials, in a study."""

    def __init__(self, tqdm: Any, head: str) -> None:
        self._tqdm = tqdm
        # It is made when there is something to count.
        self._bar: Any = None
        self._counts = "steps"
        self._head = head
        self._best: float | None = None
        self._metric = ""

    def on_event(self, event: dict[str, Any]) -> None:
        """Shows an event."""
        show = getattr(self, f"_on_{event['event']}", None)
        if self._bar is None and event["event"] not in BEGINNINGS:
            return
        if show is not None:
            show(event)
        elif self._counts == "steps" and "done" in event and "total" in event:
            self._to(event["done"])
        elif self._counts == "candidates" and event.get("total", 0) > 1:
            self._say(f"{self._head} {event['done']}/{event['total']}")

    def close(self) -> None:
        """Leaves the bar as it is."""
        if self._bar is not None:
            self._bar.close()

    def _begin(self, counts: str, total: int | None, unit: str, title: str | None = None) -> None:
        if self._bar is None or counts != self._counts:
            self.close()
            self._bar = self._tqdm(total=total, unit=unit, desc=title or self._head or None)
        elif counts == "steps":
            self._bar.reset(total=total)
            self._bar.unit = unit
        self._counts = counts

    def _to(self, done: int) -> None:
        self._bar.update(done - self._bar.n)

    def _say(self, text: str) -> None:
        self._bar.set_postfix_str(text)

    def _on_fitting(self, event: dict[str, Any]) -> None:
        self._head = event["head"]
        purpose = event["purpose"]
        if purpose == "candidate" and self._counts != "candidates":
            self._begin("candidates", None, " candidates", "search")
        if self._counts == "candidates":
            self._say(self._head if purpose == "candidate" else f"{self._head} ({purpose})")

    def _on_started(self, event: dict[str, Any]) -> None:
        if self._counts == "steps":
            self._begin("steps", event["total"], f" {_words.many(event['unit'])}")

    def _on_epoch(self, event: dict[str, Any]) -> None:
        if self._counts == "steps":
            self._bar.set_postfix(_lines.figures(event["record"]), refresh=False)
            self._to(event["record"]["epoch"] + 1)

    def _on_candidate(self, event: dict[str, Any]) -> None:
        self._bar.write(_lines.of_candidate(event["candidate"]))
        self._bar.update(1)

    def _on_fitted(self, event: dict[str, Any]) -> None:
        if self._counts == "candidates":
            self._say(event["head"]["title"])

    def _on_searching(self, event: dict[str, Any]) -> None:
        # In a search a study is one candidate.
        if self._counts != "candidates":
            self._head, self._metric = event["study"], event["metric"]
            self._begin("trials", event["n_trials"], " trials")
            self._to(event["n_finished"])

    def _on_trial_ended(self, event: dict[str, Any]) -> None:
        if self._counts != "trials":
            return
        if event["state"] == "complete" and event["value"] is not None:
            known = [event["value"]] if self._best is None else [self._best, event["value"]]
            self._best = max(known, key=lambda value: _words.gain(self._metric, value))
            self._bar.set_postfix(best=f"{self._best:.4f}", refresh=False)
        self._bar.update(1)
