"""The events of a fit: as warnings, progress, the log, and for callbacks that may end it."""

import json
import logging
import warnings
from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from . import _progress
from ._errors import HeadsmithWarning, caller_level

Callback = Callable[[dict[str, Any]], bool | None]

log = logging.getLogger("headsmith")


def _functions(callbacks: Any) -> list[Callback]:
    several: Any = callbacks or []
    given: list[Any] = list(several) if callbacks is None or isinstance(callbacks, Iterable) else [None]
    if not all(map(callable, given)):
        raise ValueError(f"callbacks is {callbacks!r}, expected a list of functions, such as [print]")
    return given


class Listener:
    """Receives the events of one fit, in a `with` block."""

    def __init__(self, verbose: Any = 0, callbacks: Iterable[Callback] | None = None, head: str = "") -> None:
        if not isinstance(verbose, (int, np.bool_, np.integer)):
            raise ValueError(f"verbose is {verbose!r}, expected an int, True or False")
        self._callbacks = _functions(callbacks)
        self._progress = _progress.of_work(head) if verbose else None

    @property
    def follows(self) -> bool:
        """Whether it wants all events, or warnings alone."""
        return bool(self._callbacks) or self._progress is not None or log.isEnabledFor(logging.DEBUG)

    def __call__(self, text: str) -> bool:
        """Passes an event on; returns whether the fit shall end with its best so far."""
        event = json.loads(text)
        if event["event"] == "warning":
            warnings.warn(event["text"], HeadsmithWarning, stacklevel=caller_level())
        log.debug("%s", text)
        if self._progress is not None:
            self._progress.on_event(event)
        # Every callback gets every event.
        return any([bool(callback(event)) for callback in self._callbacks])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Ends the progress."""
        if self._progress is not None:
            self._progress.close()
