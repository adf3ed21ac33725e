"""Reading the CSV of notebooks (a Python list literal a cell) beside pandas: python measure_parse.py FOLDER

A table in another format is written as such a CSV first.
"""

import sys
import tempfile
from pathlib import Path

import measure
from parse_csv import read_with_pandas

ROUNDS = 3
NAME = "pandas + ast.literal_eval"


def main(data):
    with tempfile.TemporaryDirectory() as folder:
        path = measure.table(data, "train")
        if path.suffix != ".csv":
            path = measure.write_notebook_csv(path, Path(folder) / "train.csv")
        runs = [(measure.headsmith("inspect", path), measure.peer(read_with_pandas, path)) for _ in range(ROUNDS)]
        size = path.stat().st_size / 1e6
    (ours, memory), (peer, peer_memory) = [zip(*side) for side in zip(*runs)]
    what = f"read train.csv, {size:.1f} MB"
    measure.row(what, [o["tables"][0]["seconds"] for o in ours], [p["seconds"] for p in peer], "s", NAME)
    measure.row(f"{what}, peak memory of the process", memory, peer_memory, "MB", NAME)


if __name__ == "__main__":
    main(sys.argv[1])
