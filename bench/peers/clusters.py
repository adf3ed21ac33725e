"""The programs of examples/cluster on this machine, beside the command: seconds, memory of each worker, and whether all say the same.

    pip install "ray[data]==2.60.0" pyspark==4.3.0 headsmith
    python bench/peers/clusters.py FOLDER [ROWS]

FOLDER keeps the rows: 1,000,000 of 128 numbers in Parquet, unless ROWS says otherwise.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import headsmith as hs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

EXAMPLES = Path(__file__).resolve().parents[2] / "examples/cluster"
HEADSMITH = os.environ.get("HEADSMITH", "headsmith")
N_FEATURES, N_CLASSES, N_FILES = 128, 5, 10


def rows(n_rows, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(N_CLASSES, size=n_rows)
    centres = np.random.default_rng(0).normal(size=(N_CLASSES, N_FEATURES)).astype(np.float32)
    return centres[y] * np.float32(0.25) + rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32), np.array(["cat", "dog", "fish", "horse", "owl"])[y]


def prepare(folder, n_rows):
    hs.MLPClassifier(epochs=5).fit(*rows(4000, N_FILES)).save(folder / "model.safetensors")
    (folder / "rows").mkdir(exist_ok=True)
    share = n_rows // N_FILES
    for i in range(N_FILES):
        x = rows(share, i)[0]
        table = pa.table({"id": np.arange(i * share, (i + 1) * share), "embeddings": pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), N_FEATURES)})
        pq.write_table(table, folder / f"rows/{i:02}.parquet", row_group_size=20_000)


def private_megabytes(word):
    """The memory that each process with the word in its name has for itself, by process."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if word in (process / "cmdline").read_text(errors="replace").replace("\0", " ") and int(process.name) != os.getpid():
                status = (process / "status").read_text()
                found[process.name] = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("RssAnon"))
        except (FileNotFoundError, ProcessLookupError, StopIteration):
            pass  # It has ended meanwhile.
    return found


def measure(name, words, worker=None):
    peaks, started = {}, time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(list(map(str, words)), stdout=log, stderr=log)
        while child.poll() is None:
            for process, megabytes in (private_megabytes(worker) if worker else {}).items():
                peaks[process] = max(peaks.get(process, 0), megabytes)
            time.sleep(0.1)
        seconds = time.perf_counter() - started
        log.seek(0)
        assert child.returncode == 0, log.read()
    largest = ", ".join(f"{peak:.0f}" for peak in sorted(peaks.values())[-2:])
    print(f"{name}: {seconds:.1f} s from start to end" + (f", {largest} MB of private memory in the two workers" if worker else ""), flush=True)


def predictions(path):
    table = pq.read_table(path).sort_by("id")
    return table["id"].to_numpy(), np.asarray(table["prediction" if "prediction" in table.schema.names else "label"]).astype(str)


def main(folder, n_rows=1_000_000):
    folder = Path(folder).resolve()
    folder.mkdir(exist_ok=True)
    prepare(folder, int(n_rows))
    given = [folder / "model.safetensors", folder / "rows"]
    measure("headsmith predict", [HEADSMITH, "predict", "--model", given[0], "--data", given[1], "--columns", "id,label", "--out", folder / "command.parquet", "--quiet"])
    measure("Ray Data", [sys.executable, EXAMPLES / "ray_predict.py", *given, folder / "ray"], "ray::MapWorker")
    measure("Spark", [sys.executable, EXAMPLES / "spark_predict.py", *given, folder / "spark"], "pyspark.daemon")
    id, labels = predictions(folder / "command.parquet")
    for name in ["ray", "spark"]:
        theirs = predictions(folder / name)
        assert (theirs[0] == id).all() and (theirs[1] == labels).all(), name
    print(f"{len(id)} labels of each are equal")


if __name__ == "__main__":
    main(*sys.argv[1:])
