"""What is heard of a fit: warnings, a progress bar, the log, and callbacks that may end it."""

import json
import logging
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from ._errors import HeadsmithWarning

Callback = Callable[[dict[str, Any]], bool | None]

log = logging.getLogger("headsmith")


class Listener:
    """Receives the events of one fit."""

    def __init__(self, verbose: Any = 0, callbacks: Iterable[Callback] | None = None) -> None:
        self._callbacks = list(callbacks or [])
        self._bar = _bar() if verbose else None
        self._level = logging.INFO if verbose and self._bar is None else logging.DEBUG

    @property
    def follows(self) -> bool:
        """Whether it wants all events, or warnings alone."""
        return bool(self._callbacks) or self._bar is not None or log.isEnabledFor(self._level)

    def __call__(self, text: str) -> bool:
        """Hears an event; returns whether the fit shall end with its best so far."""
        event = json.loads(text)
        if event["event"] == "warning":
            warnings.warn(event["text"], HeadsmithWarning, stacklevel=2)
        log.log(self._level, "%s", text)
        if self._bar is not None:
            _advance(self._bar, event)
        # Every callback hears every event.
        return any([bool(callback(event)) for callback in self._callbacks])

    def close(self) -> None:
        """Ends the progress bar."""
        if self._bar is not None:
            self._bar.close()


def _bar() -> Any:
    """A progress bar, a widget in notebooks that have one; None without tqdm."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(leave=False)


def _advance(bar: Any, event: dict[str, Any]) -> None:
    name = event["event"]
    if name == "fitting":
        bar.set_description(event["head"])
    elif name == "started":
        bar.reset(total=event["total"])
        bar.unit = event["unit"]
    elif name == "epoch":
        bar.set_postfix(_figures(event["record"]), refresh=False)
        bar.update(event["record"]["epoch"] + 1 - bar.n)
    elif name == "candidate":
        bar.write(f"{event['candidate']['head']}: log loss {event['candidate']['log_loss']:.4f} out of fold")
    elif "done" in event and "total" in event:
        bar.update(event["done"] - bar.n)


def _figures(record: dict[str, Any]) -> dict[str, str]:
    figures = {"loss": f"{record['train']['loss']:.4f}"}
    if record["val"]:
        figures |= {"val_loss": f"{record['val']['loss']:.4f}", "val_weighted_f1": f"{record['val']['weighted_f1']:.4f}"}
    return figures
