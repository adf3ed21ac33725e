"""Waiting for what must come, however slow and busy the machine is."""

import contextlib
import os
import time

# Longer than anything takes that a referee waits for: only what never comes takes as long.
PATIENCE = float(os.environ.get("HEADSMITH_PATIENCE", 600))

# The patience of waits inside `expecting_nothing`; None outside.
_brief = None


@contextlib.contextmanager
def expecting_nothing(seconds):
    """Within this context a wait is for something that must not come: it fails after some seconds. On a slow machine it is the
    weaker test, never the wrong one."""
    global _brief
    _brief = seconds
    try:
        yield
    finally:
        _brief = None


def wait_for(what, found, patience=PATIENCE):
    """Asks `found` again and again until it gives something; `what` is a text, or gives one."""
    patience = patience if _brief is None else _brief
    end = time.monotonic() + patience
    while not (answer := found()):
        assert time.monotonic() < end, f"waited {patience:.0f} s in vain: {what() if callable(what) else what}"
        time.sleep(0.05)
    return answer
