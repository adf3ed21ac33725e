"""What the measuring scripts share: the binary and a peer, each with its peak memory, and rows of numbers.

Linux counts the memory of whoever starts a process as that process's own peak. So a measuring script stays small: it
loads numpy, pandas and the peers in processes of their own alone, by `peer`.
"""

import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", str(ROOT / "target/release/headsmith"))
JOBS = len(os.sched_getaffinity(0))
# Keras runs on JAX where nothing else is asked for.
os.environ.setdefault("KERAS_BACKEND", "jax")
# What a peer does is written once, in the script of its referee.
sys.path.append(str(ROOT / "bench/referees"))
ARRAYS = ["x", "y", "vx", "vy"]


def headsmith(*args):
    """Runs the binary with --json; gives its object and its peak memory in MB."""
    command = [HEADSMITH, *map(str, args), "--json", "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return json.loads(out), usage.ru_maxrss / 1024


def _answer(function, args):
    return function(*args), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peer(function, *args):
    """Calls `function` in a process of its own; gives its result and that process's peak memory in MB."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_answer, function, args).result()


def table(folder, name):
    """The path of the table `name` in `folder`."""
    found = sorted(Path(folder).glob(f"{name}.*"))
    assert found, f"{folder} has no table {name}"
    return found[0]


def save(folder, train, val):
    """Saves features and labels of both tables in `folder`, so that a peer's memory holds no reader."""
    peer(_save, folder, train, val)


def _save(folder, train, val):
    import ast

    import numpy as np
    import pandas as pd

    for names, path in [(ARRAYS[:2], train), (ARRAYS[2:], val)]:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        cells = frame["embeddings"] if path.suffix == ".parquet" else map(ast.literal_eval, frame["embeddings"])
        np.save(Path(folder) / f"{names[0]}.npy", np.array(list(cells), dtype=np.float32))
        np.save(Path(folder) / f"{names[1]}.npy", frame["label"].to_numpy(dtype=str))


def saved(folder):
    """What `save` saved: features and labels to learn from, features and labels to judge by."""
    import numpy as np

    return [np.load(Path(folder) / f"{name}.npy") for name in ARRAYS]


def row(what, ours, peer, unit, name):
    """Prints one row: the medians of both sides."""
    ours, peer = float(statistics.median(ours)), float(statistics.median(peer))
    print(json.dumps({"what": what, "ours": ours, "peer": peer, "unit": unit, "name": name}), flush=True)


def write_notebook_csv(table, path):
    """Writes a Parquet table as the CSV of notebooks: a list literal a cell, float64 of float32 values."""
    peer(_write_notebook_csv, table, path)
    return path


def _write_notebook_csv(table, path):
    import pandas as pd

    frame = pd.read_parquet(table)
    frame["embeddings"] = [cell.astype(float).tolist() for cell in frame["embeddings"]]
    frame.to_csv(path, index=False)
