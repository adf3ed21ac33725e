"""One fit on 1,000,000 x 512 by the cache, beside one on 50,000: python million.py HEADSMITH OUTPUT_FOLDER [SCALING]

It has no peer. Tables are made from a seed (2 GB, in a temporary folder that is removed at the end); the network is
configuration A of bench/peers/training. Of each fit: seconds a row and epoch, the most anonymous memory (what no file
stands behind, polled) and the most pages of mapped files. The small fits stand before and after the large one, so that what
else the machine does is seen; the table is read twice, without a cache file and with it.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_FEATURES, N_CLASSES, SEED = 512, 5, 7
SMALL, LARGE = 50_000, 1_000_000
BLOCK = 50_000
EPOCHS = {SMALL: 6, LARGE: 2}
NETWORK = {"neurons0": 642, "neurons1": 434, "neurons2": 38, "layers1": 0, "layers2": 3, "layer-norms": 0, "noise": 1,
           "batch-size": 963}
TARGET = 1.3


def make(folder, n_rows):
    """Rows around the means of their classes; block by block, so that a table of any size begins with the same rows."""
    path = folder / f"rows{n_rows}.npy"
    x = np.lib.format.open_memmap(path, "w+", np.float32, (n_rows, N_FEATURES))
    y = np.empty(n_rows, np.int64)
    means = np.random.default_rng(SEED).normal(size=(N_CLASSES, N_FEATURES)).astype(np.float32) / 8
    for start in range(0, n_rows, BLOCK):
        rng = np.random.default_rng((SEED, start))
        y[start:start + BLOCK] = rng.integers(N_CLASSES, size=BLOCK)
        x[start:start + BLOCK] = rng.standard_normal((BLOCK, N_FEATURES), np.float32) + means[y[start:start + BLOCK]]
    x.flush()
    np.save(path.with_suffix(".labels.npy"), y)
    return path


def memory(process):
    """MB of anonymous memory and of mapped files that a running process has."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    status = dict(line.split(":", 1) for line in lines)
    return tuple(int(status.get(name, "0 kB").split()[0]) / 1024 for name in ("RssAnon", "RssFile"))


def run(*args):
    """The JSON result of the command, its seconds, and its peaks of memory."""
    start, peaks = time.monotonic(), (0, 0)
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([*map(str, args), "--quiet", "--json"], stdout=out)
        while process.poll() is None:
            peaks = tuple(map(max, peaks, memory(process)))
            time.sleep(0.02)
        if process.returncode:
            sys.exit(f"{args}: status {process.returncode}")
        out.seek(0)
        return json.load(out), time.monotonic() - start, peaks


def fit(headsmith, folder, n_rows, scaling, *more):
    network = [f"--{name}={value}" for name, value in NETWORK.items()]
    result, seconds, (anonymous, mapped) = run(
        headsmith, "fit", "mlp", "--train", folder / f"rows{n_rows}.npy", "--model", folder / "m.safetensors",
        "--epochs", EPOCHS[n_rows], "--scale", scaling, *network, *more)
    a_row = statistics.median(result["epoch_seconds"]) / n_rows
    line = {"rows": n_rows, "microseconds_a_row": 1e6 * a_row, "seconds": seconds, "anonymous_mb": anonymous,
            "mapped_mb": mapped, "epoch_seconds": result["epoch_seconds"]}
    print(f"{n_rows:>9} rows {' '.join(map(str, more))[:9]:9} {1e6 * a_row:8.2f} us a row and epoch, {seconds:7.1f} s in all, "
          f"{anonymous:6.0f} MB anonymous, {mapped:6.0f} MB of mapped files", flush=True)
    return line


def main(headsmith, out, scaling):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        cache = folder / "cache"
        small, large = make(folder, SMALL), make(folder, LARGE)
        reads = []
        for what in ["parsed, and the cache written", "mapped"]:
            _, seconds, (anonymous, _) = run(headsmith, "inspect", large, "--cache", cache)
            print(f"inspect {LARGE} rows, {what}: {seconds:.1f} s, {anonymous:.0f} MB anonymous", flush=True)
            reads.append({"what": what, "seconds": seconds, "anonymous_mb": anonymous})
        fits = [fit(headsmith, folder, n_rows, scaling, "--cache", cache) for n_rows in (SMALL, LARGE, SMALL)]
    before, million, after = [line["microseconds_a_row"] for line in fits]
    ratio = million / statistics.mean([before, after])
    print(f"ratio of a row's time: {ratio:.2f} (asked: {TARGET} at most)")
    result = {"scaling": scaling, "reads": reads, "fits": fits, "ratio": ratio, "target": TARGET}
    out.mkdir(parents=True, exist_ok=True)
    (out / "million.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "standardise")
