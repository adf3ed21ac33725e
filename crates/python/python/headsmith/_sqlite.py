"""One SQLite at a time: Python has a library of its own beside the extension's. The system gives both the same locks of a file, as they are one process, so that each
takes a database that the other has open for its own, and the last one to close it removes a log that the other still writes to."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def alone(storage: str) -> Generator[None]:
    """Closes the idle connections of Optuna's storages to the database before and after; they open new ones when they need them."""
    _close_others(storage)
    try:
        yield
    finally:
        # Those that callbacks have opened meanwhile.
        _close_others(storage)


def _close_others(storage: str) -> None:
    path, optuna = _path(storage), sys.modules.get("optuna.storages")
    if path is None or optuna is None:
        return
    kind: type = optuna.RDBStorage
    # Of storages that are gone, connections may be left until then.
    gc.collect()
    # Nobody keeps a list of them. Some objects lie about their class, but not about their type.
    for found in [found for found in gc.get_objects() if issubclass(type(found), kind)]:
        of_optuna: Any = found
        if _path(str(of_optuna.url)) == path:
            of_optuna.scoped_session.remove()
            of_optuna.engine.dispose()


def _path(storage: str) -> str | None:
    """The file of an address; None for a database that is none."""
    scheme, mark, rest = storage.partition("://")
    if mark and scheme.partition("+")[0] != "sqlite":
        return None
    return os.path.realpath(rest.partition("?")[0][1:] if mark else storage)
