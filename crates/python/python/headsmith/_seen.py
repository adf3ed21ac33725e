"""Which rows a fit has seen: hashes of some of them, which tell whether later rows are among them."""

from hashlib import blake2b
from typing import NamedTuple, Self

import numpy as np

from ._data import Floats

# So few that a fit does not feel them, so many that a hundredth of the rows is found.
N_ROWS = 500


class Seen(NamedTuple):
    """Rows of a fit."""

    hashes: frozenset[bytes]
    n_rows: int

    @classmethod
    def of(cls, x: Floats) -> Self:
        """These rows."""
        at = np.unique(np.linspace(0, len(x) - 1, min(N_ROWS, len(x))).astype(np.int64))
        return cls(frozenset(_hashes(x[at])), len(x))

    def share_of(self, x: Floats) -> float:
        """The share of the rows `x` that are among them, estimated by those whose hashes are known."""
        n_found = len(self.hashes & set(_hashes(x)))
        return min(1.0, n_found * self.n_rows / max(1, len(self.hashes)) / max(1, len(x)))


def _hashes(x: Floats) -> list[bytes]:
    return [blake2b(row.tobytes(), digest_size=8).digest() for row in x]
