"""The progress as lines of the log `headsmith`."""

import logging
import threading
import time
from typing import Any

from . import _words

log = logging.getLogger("headsmith")
# A line at most so often, beside those that end something.
PERIOD = 1.0


class LogHandler:
    """Adds a handler and the level INFO while work runs, and leaves the log as it was after the last of several at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_open = 0
        self._level = logging.NOTSET
        self._handler: logging.Handler | None = None

    def open(self) -> None:
        """Lets lines pass, to standard error if nobody has a handler."""
        with self._lock:
            self._n_open += 1
            if self._n_open > 1:
                return
            self._level = log.level
            self._handler = None if log.hasHandlers() else logging.StreamHandler()
            if self._handler is not None:
                log.addHandler(self._handler)
            # A level that somebody chose stays: WARNING is what logging begins with.
            if log.level == logging.NOTSET and log.getEffectiveLevel() == logging.WARNING:
                log.setLevel(logging.INFO)

    def close(self) -> None:
        """Ends what `open` began."""
        with self._lock:
            self._n_open -= 1
            if self._n_open:
                return
            log.setLevel(self._level)
            if self._handler is not None:
                log.removeHandler(self._handler)


HANDLER = LogHandler()


class Lines:
    """Lines of the log `headsmith`."""

    def __init__(self, head: str) -> None:
        self._head = head
        self._last = 0.0
        # A line that came too early, which is written if it was the last.
        self._held = ""
        HANDLER.open()

    def close(self) -> None:
        """Leaves the log as it was."""
        if self._held:
            log.info("%s", self._held)
        HANDLER.close()

    def on_event(self, event: dict[str, Any]) -> None:
        """Logs an event, if it says something, and not too often."""
        self._head = event["head"] if event["event"] == "fitting" else self._head
        line, is_end = self._line(event)
        now = time.monotonic()
        if line and (is_end or now - self._last >= PERIOD):
            self._last = now
            self._held = ""
            log.info("%s", line)
        else:
            self._held = line or self._held

    def _line(self, event: dict[str, Any]) -> tuple[str, bool]:
        """The line of an event, and whether it is the end of something."""
        name, head = event["event"], f"{self._head}: " if self._head else ""
        if name == "epoch":
            record = event["record"]
            shown = ", ".join(f"{key} {figure}" for key, figure in figures(record).items())
            return f"{head}epoch {record['epoch'] + 1}, {shown}", False
        if name == "candidate":
            return of_candidate(event["candidate"]), True
        if name == "trial_ended":
            value = "" if event["value"] is None else f", {event['value']:.4f}"
            return f"trial {event['number']} {event['state']}{value}", True
        if name == "fitting":
            return f"fitting {self._head}" + (f" ({event['purpose']})" if event.get("purpose") else ""), True
        if "done" in event and "total" in event:
            # What is done in one piece has no progress.
            return (f"{head}{event['done']}/{event['total']}", event["done"] == event["total"]) if event["total"] > 1 else ("", False)
        return "", False


def of_candidate(one: dict[str, Any]) -> str:
    """A candidate of a search in a line."""
    return f"{one['head']}: log loss {one['log_loss']:.4f} out of fold ({_words.seconds(one['seconds'])}, at {_words.seconds(one['at_seconds'])})"


def figures(record: dict[str, Any]) -> dict[str, str]:
    """The figures of an epoch that are worth a line."""
    shown = {"loss": f"{record['train']['loss']:.4f}"}
    if record["val"]:
        shown |= {"val_loss": f"{record['val']['loss']:.4f}", "val_weighted_f1": f"{record['val']['weighted_f1']:.4f}"}
    return shown
