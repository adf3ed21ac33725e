"""Seeds and threads, as scikit-learn's users give them."""

import os
from typing import Any, TypeAlias

import numpy as np

# A text: NumPy loads its random numbers when they are first named, which is half of the time of importing this package.
RandomState: TypeAlias = "int | np.random.RandomState | np.random.Generator | None"

# More than any machine has; what is larger is a slip.
MOST_THREADS = 2**31


def seed(random_state: Any) -> int:
    """The seed: an int is one, a generator gives one, and None takes one from NumPy's global generator."""
    if random_state is None:
        return int(np.random.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**63 - 1))
    number: Any = random_state
    if isinstance(random_state, (int, np.integer)) and 0 <= number < 2**64:
        return int(number)
    raise ValueError(f"random_state is {random_state!r}, expected an int of at least 0, a RandomState, a Generator or None")


def threads(n_jobs: Any) -> int:
    """The number of threads: None and -1 are all cores, -2 all but one. OMP_NUM_THREADS limits None, as joblib's workers ask for."""
    if n_jobs is None:
        limit = os.environ.get("OMP_NUM_THREADS", "")
        return min(cores(), int(limit)) if limit.isdecimal() and int(limit) > 0 else cores()
    number: Any = n_jobs
    if isinstance(n_jobs, (int, np.integer)) and number != 0 and number < MOST_THREADS:
        return int(number) if number > 0 else max(1, cores() + 1 + int(number))
    below = f" below {MOST_THREADS:,}" if isinstance(n_jobs, int) and number > 0 else ""
    raise ValueError(f"n_jobs is {n_jobs!r}, expected an int other than 0{below}, or None for all cores")


def cores() -> int:
    """The cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
