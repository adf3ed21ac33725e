"""The whole job of predicting a large table, Parquet in and out, beside onnxruntime: python predicting.py HEADSMITH FOLDER [ROWS [LARGE]]

The table (ROWS x 512, default 200,000) and the 8,000 training rows are made from a seed. `headsmith predict` and onnxruntime, which reads and writes by pyarrow and runs
the exported model, take turns on two threads; both write an id, the label and four probabilities. With LARGE rows, all heads predict such a table, in a process each,
whose peak memory is told; kernel machine, support vectors and nearest neighbours and what is quick predict a tenth of it (`--shard 0/10`).
Needs the packages of bench/referees/requirements.txt.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq

N_FEATURES, CLASSES, BLOCK, SEED = 512, ["a", "b", "c", "d"], 20_000, 1
N_TRAIN, REPEATS, THREADS = 8_000, 3, 2
FITS = {
    # Configuration A of bench/peers/training.
    "mlp": ["--neurons0", "642", "--neurons2", "38", "--layers2", "3"],
    "forest": ["--n-estimators", "100"],
    "kernel": ["--n-landmarks", "1000"],
}
WHOLE = ["forest", "mlp", "kernel"]
TENTH = ["linear", "ridge", "gaussian", "centroid", "extra-trees", "svm", "knn"]


def make(path, n_rows, seed, labelled):
    """Rows around the means of four classes."""
    means = np.random.default_rng(SEED).normal(size=(4, N_FEATURES)).astype(np.float32) * 0.3
    rng = np.random.default_rng(seed)
    fields = [("id", pa.int64()), ("embeddings", pa.list_(pa.float32()))] + [("label", pa.string())] * labelled
    with pq.ParquetWriter(path, pa.schema(fields), use_dictionary=["label"] if labelled else False) as writer:
        for start in range(0, n_rows, BLOCK):
            n = min(BLOCK, n_rows - start)
            y = rng.integers(4, size=n)
            x = rng.standard_normal((n, N_FEATURES), np.float32) + means[y]
            offsets = pa.array(np.arange(0, (n + 1) * N_FEATURES, N_FEATURES, dtype=np.int32))
            columns = [pa.array(np.arange(start, start + n)), pa.ListArray.from_arrays(offsets, pa.array(x.ravel()))]
            writer.write_table(pa.Table.from_arrays(columns + [pa.array(np.array(CLASSES)[y])] * labelled, schema=pa.schema(fields)))


def peer(model, table, out):
    """onnxruntime, block by block; prints the seconds after the imports."""
    start = time.perf_counter()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    schema = pa.schema([("id", pa.int64()), ("label", pa.string())] + [(name, pa.float32()) for name in CLASSES])
    with pq.ParquetWriter(out, schema) as writer:
        for batch in pq.ParquetFile(table).iter_batches(batch_size=8192, use_threads=True):
            x = batch.column("embeddings").flatten().to_numpy(zero_copy_only=True).reshape(len(batch), -1)
            label, proba = session.run(["label", "probabilities"], {"embeddings": x})
            columns = [pa.array(np.ascontiguousarray(column)) for column in proba.T]
            writer.write_batch(pa.RecordBatch.from_arrays([batch.column("id"), pa.array(label), *columns], schema=schema))
    print(time.perf_counter() - start)


def ours(headsmith, model, table, out, *more):
    """Seconds and peak memory in MB of a prediction."""
    args = [headsmith, "predict", "--model", model, "--data", table, "--out", out, "--columns", "id,label", "--proba", "--jobs", str(THREADS), "--quiet", *more]
    start = time.perf_counter()
    process = subprocess.Popen([*map(str, args)], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, high_water_mark(process.pid))
        time.sleep(0.005)
    assert process.returncode == 0, args
    return time.perf_counter() - start, peak


def high_water_mark(pid):
    """The most resident memory of a process so far, in MB; 0 when it has just ended. `wait4` would count this process's own, from before the exec."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0)


def fitted(headsmith, folder, head):
    model = folder / f"{head}.safetensors"
    args = [headsmith, "fit", head, "--train", folder / "train.parquet", "--model", model, "--quiet", *FITS.get(head, [])]
    subprocess.run([*map(str, args)], check=True, stdout=subprocess.DEVNULL)
    return model


def compare(headsmith, folder, head, table):
    model, onnx, out = fitted(headsmith, folder, head), folder / f"{head}.onnx", folder / "predictions.parquet"
    subprocess.run([headsmith, "export", model, "-o", onnx, "--quiet"], check=True)
    seconds = []
    for _ in range(REPEATS):
        theirs = subprocess.run([sys.executable, __file__, "--peer", onnx, table, folder / "peer.parquet"], check=True, stdout=subprocess.PIPE)
        seconds.append((ours(headsmith, model, table, out)[0], float(theirs.stdout)))
    same = np.mean(pq.read_table(out)["label"].to_numpy() == pq.read_table(folder / "peer.parquet")["label"].to_numpy())
    assert same > 0.9999, f"{same:.5f} of the labels are the same"
    a, b = (statistics.median(of) for of in zip(*seconds))
    print(f"{head}: headsmith {a:.2f} s, onnxruntime {b:.2f} s, {b / a:.1f} times", flush=True)


def main(headsmith, folder, n_rows=200_000, n_large=0):
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    make(folder / "train.parquet", N_TRAIN, 2, True)
    table, large = folder / "rows.parquet", folder / "large.parquet"
    make(table, int(n_rows), 3, False)
    for head in FITS:
        compare(headsmith, folder, head, table)
    if int(n_large) == 0:
        return
    make(large, int(n_large), 3, False)
    for head in WHOLE + TENTH:
        shard = ["--shard", "0/10"] if head in TENTH else []
        seconds, peak = ours(headsmith, fitted(headsmith, folder, head), large, folder / "predictions.parquet", *shard)
        print(f"{head}: {int(n_large) // (10 if shard else 1)} rows in {seconds:.1f} s, peak memory {peak:.0f} MB", flush=True)


if __name__ == "__main__":
    peer(*sys.argv[2:]) if sys.argv[1] == "--peer" else main(*sys.argv[1:])
