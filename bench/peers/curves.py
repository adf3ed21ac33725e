"""Records learning curves of random configurations of the default space, for `--example pruners`.

    python bench/peers/curves.py MLP FOLDER OUT.jsonl [--trials N] [--epochs N] [--jobs N] [--seed S]

MLP is the example binary of a release build; FOLDER holds train and val tables as `headsmith run` takes them. Inputs are
standardised, no early stopping, learning rates fall on plateaus as in a study. A line of OUT is a trial: `params`, `values` (the
validation weighted F1 after each epoch) and `seconds` (of an epoch on one thread: the fastest, as the machine may do other work).
"""

import argparse
import concurrent.futures
import json
import subprocess
import tempfile
from pathlib import Path

import measure
import numpy as np

SPACE = {
    "neurons0": ("log_int", 16, 2048),
    "neurons1": ("log_int", 16, 2048),
    "neurons2": ("log_int", 16, 2048),
    "layers1": ("int", 0, 3),
    "layers2": ("int", 0, 3),
    "layer_norms": ("int", 0, 2),
    "dropout": ("float", 0.0, 0.9),
    "noise": ("int", 0, 1),
    "lr": ("log_float", 1e-7, 1e-1),
    "batch_size": ("int", 8, 1024),
}


def draw(random, kind, low, high):
    if kind == "int":
        return int(random.integers(low, high + 1))
    if kind == "float":
        return float(random.uniform(low, high))
    value = float(np.exp(random.uniform(np.log(low), np.log(high))))
    return round(value) if kind == "log_int" else value


def save(tables, folder):
    """The tables as raw standardised arrays; gives the number of classes."""
    x, y, x_val, y_val = measure.saved(tables)
    mean, scale = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    classes = np.unique(y)
    for ending, x, y in [("", x, y), ("_val", x_val, y_val)]:
        ((x - mean) / scale).astype(np.float32).tofile(folder / f"x{ending}.f32")
        np.searchsorted(classes, y).astype(np.uint32).tofile(folder / f"y{ending}.u32")
    return len(classes)


def train(binary, folder, n_classes, number, params, epochs):
    words = [word for pair in params.items() for word in pair]
    words += ["epochs", epochs, "patience", "none"]
    command = [binary, folder, n_classes, number, 1, *words]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        return None  # a learning rate at which the loss left the finite numbers at once
    result = json.loads(done.stdout)
    values = [epoch["val"]["weighted_f1"] for epoch in result["history"]]
    return {"params": params, "values": values, "seconds": min(result["epoch_seconds"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mlp", type=Path)
    parser.add_argument("tables", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--trials", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    trials = [{name: draw(random, *of) for name, of in SPACE.items()} for _ in range(options.trials)]
    with tempfile.TemporaryDirectory() as folder, open(options.out, "w") as out:
        arrays, raw = Path(folder, "arrays"), Path(folder, "raw")
        arrays.mkdir(), raw.mkdir()
        measure.save(arrays, measure.table(options.tables, "train"), measure.table(options.tables, "val"))
        n_classes = save(arrays, raw)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            one = lambda pair: train(options.mlp, raw, n_classes, *pair, options.epochs)
            for trial in filter(None, pool.map(one, enumerate(trials))):
                print(json.dumps(trial), file=out, flush=True)


if __name__ == "__main__":
    main()
