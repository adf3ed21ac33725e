"""Waiting for what must come, however slow and busy the machine is."""

import os
import time

# Longer than anything takes that a referee waits for: only what never comes takes as long.
PATIENCE = float(os.environ.get("HEADSMITH_PATIENCE", 600))


def wait_for(what, found, patience=PATIENCE):
    """Asks `found` again and again until it gives something; `what` is a text, or gives one."""
    end = time.monotonic() + patience
    while not (answer := found()):
        assert time.monotonic() < end, f"waited {patience:.0f} s in vain: {what() if callable(what) else what}"
        time.sleep(0.05)
    return answer
