"""Reading the CSV of notebooks (a Python list literal a cell) beside pandas and ast.literal_eval: python measure_parse.py FOLDER

A table in another format is written as such a CSV first.
"""

import sys
import tempfile
import time
from pathlib import Path

import measure

ROUNDS = 3
NAME = "pandas + ast.literal_eval"


def theirs(path):
    import ast

    import numpy as np
    import pandas as pd

    start = time.perf_counter()
    frame = pd.read_csv(path)
    x = np.array([ast.literal_eval(cell) for cell in frame["embeddings"]], dtype=np.float32)
    return time.perf_counter() - start, x.shape


def main(data):
    with tempfile.TemporaryDirectory() as folder:
        path = measure.table(data, "train")
        if path.suffix != ".csv":
            path = measure.write_notebook_csv(path, Path(folder) / "train.csv")
        runs = [(measure.headsmith("inspect", path), measure.peer(theirs, path)) for _ in range(ROUNDS)]
        size = path.stat().st_size / 1e6
    ours = [run[0][0]["tables"][0]["seconds"] for run in runs]
    what = f"read train.csv, {size:.1f} MB"
    measure.row(what, ours, [run[1][0][0] for run in runs], "s", NAME)
    memory = [run[0][1] for run in runs], [run[1][1] for run in runs]
    measure.row(f"{what}, peak memory of the process", *memory, "MB", NAME)


if __name__ == "__main__":
    main(sys.argv[1])
