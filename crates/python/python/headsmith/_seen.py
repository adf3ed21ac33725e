"""Which rows a fit has seen: hashes of some of them, which tell whether later rows are among them."""

from hashlib import blake2b
from typing import Any, NamedTuple, Self

import numpy as np

from ._data import Floats

# So few that a fit does not feel them, so many that a hundredth of the rows is found.
N_ROWS = 500
# Bytes of a hash.
SIZE = 8


class Seen(NamedTuple):
    """Rows of a fit."""

    hashes: frozenset[bytes]
    n_rows: int

    @classmethod
    def of(cls, x: Floats) -> Self:
        """These rows."""
        at = np.unique(np.linspace(0, len(x) - 1, min(N_ROWS, len(x))).astype(np.int64))
        return cls(frozenset(_hashes(x[at])), len(x))

    @classmethod
    def restored(cls, record: dict[str, Any] | None) -> Self | None:
        """Those of a saved model; none of one that has none."""
        if not record:
            return None
        joined = bytes.fromhex(record["hashes"])
        return cls(frozenset(joined[i : i + SIZE] for i in range(0, len(joined), SIZE)), int(record["n_rows"]))

    def recorded(self) -> dict[str, Any]:
        """The form in a model's file."""
        return {"hashes": b"".join(sorted(self.hashes)).hex(), "n_rows": self.n_rows}

    def share_of(self, x: Floats) -> float:
        """The share of the rows `x` that are among them, estimated by those whose hashes are known."""
        n_found = len(self.hashes & set(_hashes(x)))
        return min(1.0, n_found * self.n_rows / max(1, len(self.hashes)) / max(1, len(x)))


def _hashes(x: Floats) -> list[bytes]:
    return [blake2b(row.tobytes(), digest_size=SIZE).digest() for row in x]
