"""What is heard of a fit: warnings, its progress, the log, and callbacks that may end it."""

import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from . import _progress
from ._errors import HeadsmithWarning

Callback = Callable[[dict[str, Any]], bool | None]

log = logging.getLogger("headsmith")


def _functions(callbacks: Any) -> list[Callback]:
    given: list[Any] = list(callbacks or []) if callbacks is None or isinstance(callbacks, Iterable) else [None]
    if not all(map(callable, given)):
        raise ValueError(f"callbacks is {callbacks!r}, expected a list of functions, such as [print]")
    return given


class Listener:
    """Receives the events of one fit."""

    def __init__(self, verbose: Any = 0, callbacks: Iterable[Callback] | None = None, head: str = "") -> None:
        self._callbacks = _functions(callbacks)
        self._progress = _progress.of_work(head) if verbose else None

    @property
    def follows(self) -> bool:
        """Whether it wants all events, or warnings alone."""
        return bool(self._callbacks) or self._progress is not None or log.isEnabledFor(logging.DEBUG)

    def __call__(self, text: str) -> bool:
        """Hears an event; returns whether the fit shall end with its best so far."""
        event = json.loads(text)
        if event["event"] == "warning":
            warnings.warn(event["text"], HeadsmithWarning, stacklevel=_level())
        log.debug("%s", text)
        if self._progress is not None:
            self._progress.hear(event)
        # Every callback gets every event.
        return any([bool(callback(event)) for callback in self._callbacks])

    def close(self) -> None:
        """Ends the progress bar."""
        if self._progress is not None:
            self._progress.close()


def _level() -> int:
    """The level of the line that called the package: a warning names that one."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        frame, level = frame.f_back, level + 1
    return level
