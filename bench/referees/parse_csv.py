"""Reading the notebook's CSV: Headsmith against pandas + ast.literal_eval, in one run.

    target/referees/bin/python bench/referees/parse_csv.py [TABLE.csv [REPEATS]]

Prints the seconds of both (medians; the runs alternate), the most memory each process had, and how they compare. The
table has a column `embeddings` of Python list literals; both read it from a warm page cache, pandas ends with a
float32 matrix as Headsmith does. Without a table, pandas writes one of 500 rows of the shipped example.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from drive.examples import build, program

ROOT = Path(__file__).resolve().parents[2]


def read_with_pandas(path):
    """The notebook's way; in a process of its own its memory is its own."""
    import ast

    import numpy as np
    import pandas as pd

    start = time.perf_counter()
    table = pd.read_csv(path)
    x = np.array([ast.literal_eval(cell) for cell in table["embeddings"]], dtype=np.float32)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows, features = x.shape
    return {"n_rows": rows, "n_features": features, "seconds": seconds, "peak_rss_kib": peak}


def run(*command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def compare(path, repeats):
    ours, theirs = [], []
    for _ in range(repeats):
        theirs.append(run(sys.executable, __file__, "--pandas", path))
        # One reading a process for memory; the median of five in another for time.
        ours.append(run(program("read"), path, "0", "5") | {"peak_rss_kib": run(program("read"), path)["peak_rss_kib"]})
    for one, other in zip(ours, theirs):
        assert (one["n_rows"], one["n_features"]) == (other["n_rows"], other["n_features"]), (one, other)
    n_rows, n_features = ours[0]["n_rows"], ours[0]["n_features"]
    file_mib = Path(path).stat().st_size / 2**20
    matrix_mib = n_rows * n_features * 4 / 2**20
    seconds = [statistics.median(run["seconds"] for run in runs) for runs in (ours, theirs)]
    memory = [max(run["peak_rss_kib"] for run in runs) / 1024 for runs in (ours, theirs)]
    print(f"{n_rows} x {n_features}, file {file_mib:.1f} MiB, matrix {matrix_mib:.1f} MiB")
    print(f"headsmith {seconds[0]:.4f} s, peak {memory[0]:.0f} MiB ({memory[0] / (file_mib + matrix_mib):.2f} x file + matrix)")
    print(f"pandas + literal_eval {seconds[1]:.2f} s, peak {memory[1]:.0f} MiB")
    # Far below what is measured of a large table: a small one and a busy machine must not fail it.
    assert seconds[1] > 20 * seconds[0], f"{seconds[1] / seconds[0]:.0f} times faster, expected at least 20"
    print(f"ok parse_csv: {seconds[1] / seconds[0]:.0f} times faster than pandas + ast.literal_eval, the same shape")


def example(path):
    """Writes rows of the shipped example as the notebook's CSV: float64 of float32 values."""
    import pandas as pd

    table = pd.read_parquet(ROOT / "examples/sentences/val.parquet").head(500)
    table["embeddings"] = [cell.astype(float).tolist() for cell in table["embeddings"]]
    table.to_csv(path, index=False)


def main(path=None, repeats=3):
    if path == "--pandas":
        return print(json.dumps(read_with_pandas(repeats)))
    build()
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder) / "val.csv"
            example(path)
        compare(path, int(repeats))


if __name__ == "__main__":
    main(*sys.argv[1:])
