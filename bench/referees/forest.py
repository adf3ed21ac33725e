"""The forests against scikit-learn's RandomForestClassifier and ExtraTreesClassifier, all with their defaults and two threads.

    target/referees/bin/python bench/referees/forest.py [TRAIN VAL] [--rows N] [--seeds N] [--jobs N] [--predict N]

TRAIN and VAL are tables with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV. Without
them, 1,500 rows of the shipped example are compared, in seconds, as `cargo xtask test` does; the figures of
docs/measurements.md come from whole tables. For each seed one forest of ours and one of scikit-learn's is fitted in
turn, so that both see the same load of the machine; a prediction is timed three times and the shortest taken. Peak memory is that of a process that
reads the samples as raw binary, fits once and predicts.

Scores may not differ by more than their spread over the seeds explains (Welch's t-test), and ours must be faster. A second
comparison, without times, gives both the same sample weights, with and without bootstrap.

With `--predict N`, nothing is compared but the time to predict N rows that are made from TRAIN: each side fits it whole, then predicts in turns.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from drive.examples import build, program
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = program("forest")
DATA = ROOT / "examples/sentences"
HEADS = {"forest": RandomForestClassifier, "extra-trees": ExtraTreesClassifier}


def read(path):
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    column = next(name for name in table.columns if name != "label")
    cells = (json.loads(cell) if isinstance(cell, str) else cell for cell in table[column])
    return np.array(list(cells), dtype=np.float32), table["label"].to_numpy()


def one_table(doc):
    """The features and classes of the table that the command line of a referee names, and its number of jobs; builds the examples."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", type=Path, default=DATA / "train.parquet", metavar="TRAIN")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    build()
    x, labels = read(args.table)
    return x, np.unique(labels, return_inverse=True)[1], args.jobs


def resampled(x, y, n_rows):
    """Rows between two random rows of one class, plus noise of 0.3 standard deviations."""
    random = np.random.default_rng(0)
    first = random.integers(len(y), size=n_rows)
    of_class = [np.flatnonzero(y == c) for c in range(y.max() + 1)]
    second = np.array([of_class[c][random.integers(len(of_class[c]))] for c in y[first]])
    share = random.uniform(size=(n_rows, 1)).astype(np.float32)
    noise = random.standard_normal(size=(n_rows, x.shape[1]), dtype=np.float32) * (0.3 * x.std(axis=0))
    return x[first] * share + x[second] * (1 - share) + noise, y[first]


def write(stem, x, y):
    x.astype("<f4").tofile(f"{stem}.f32")
    y.astype("<u4").tofile(f"{stem}.u32")


# Runs a command and prints its peak memory in kB. A process starts with the peak of the one it was forked from: that must
# be a small one.
PEAK = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(*command):
    """What a command wrote to stdout, and its peak memory in MB."""
    done = subprocess.run([sys.executable, "-c", PEAK, *map(str, command)], stdout=subprocess.PIPE, text=True, check=True)
    *output, peak = done.stdout.splitlines()
    return "\n".join(output), int(peak) / 1024


def ours(folder, shape, jobs, seed, head, *given):
    """What the example says of one fit, and the peak memory of its process in MB."""
    output, peak = run(EXAMPLE, folder / "train", folder / "val", *shape, jobs, seed, f"head={head}", *given)
    return json.loads(output) | {"peak": peak}


def theirs(train, val, jobs, seed, head, weights=None, **parameters):
    started = time.perf_counter()
    forest = HEADS[head](random_state=seed, n_jobs=jobs, **parameters).fit(*train, sample_weight=weights)
    fitted = time.perf_counter()
    predict = shortest(lambda: forest.predict_proba(train[0]))
    guess = forest.predict(val[0])
    return {
        "fit": fitted - started,
        "predict": predict,
        "accuracy": accuracy_score(val[1], guess),
        "weighted_f1": f1_score(val[1], guess, average="weighted"),
        "nodes": sum(tree.tree_.node_count for tree in forest.estimators_),
    }


def shortest(call):
    """The least seconds of three calls."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def their_peak(folder, shape, jobs, head):
    """The peak memory, in MB, of a process that does with scikit-learn what the example does."""
    code = f"""
import numpy as np
from sklearn.ensemble import {HEADS[head].__name__} as Forest
x = np.fromfile({str(folder / "train.f32")!r}, "<f4").reshape(-1, {shape[0]})
y = np.fromfile({str(folder / "train.u32")!r}, "<u4")
Forest(n_jobs={jobs}, random_state=0).fit(x, y).predict_proba(x)
"""
    return run(sys.executable, "-c", code)[1]


def welch_t(a, b):
    return (np.mean(a) - np.mean(b)) / max(np.sqrt(np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b)), 1e-12)


def compare(folder, train, val, n_classes, seeds, jobs, head):
    shape = (train[0].shape[1], n_classes)
    write(folder / "train", *train)
    write(folder / "val", *val)
    a, b = [], []
    for seed in range(seeds):
        a.append(ours(folder, shape, jobs, seed, head))
        b.append(theirs(train, val, jobs, seed, head))
    column = lambda runs, name: np.array([run[name] for run in runs])
    for name in ["fit", "predict"]:
        times = column(a, name), column(b, name)
        for kind, of in [("best", np.min), ("median", np.median)]:
            mine, other = map(of, times)
            print(f"{name}, {kind}: {mine:.4f} s, scikit-learn {other:.4f} s: {other / mine:.1f} times faster")
        assert min(times[0]) < min(times[1]), f"{name} is slower"
    mine, other = max(column(a, "peak")), their_peak(folder, shape, jobs, head)
    print(f"peak memory: {mine:.0f} MB, scikit-learn {other:.0f} MB")
    assert mine < other, "more memory"
    compare_scores(a, b)


def compare_predictions(folder, train, many, n_classes, seeds, jobs, head):
    """Both fitted on `train`, in turns the prediction of `many` rows, of which ours takes the shortest of three and so does theirs."""
    shape = (train[0].shape[1], n_classes)
    write(folder / "train", *train)
    write(folder / "val", *many)
    times = []
    for seed in range(seeds):
        forest = HEADS[head](random_state=seed, n_jobs=jobs).fit(*train)
        times.append((ours(folder, shape, jobs, seed, head)["predict_val"], shortest(lambda: forest.predict_proba(many[0]))))
    mine, other = np.median(times, axis=0)
    print(f"{head}: predict {len(many[1]):,} rows, {jobs} jobs, median of {seeds}: {mine:.4f} s, scikit-learn {other:.4f} s: {other / mine:.1f} times faster", flush=True)
    assert mine < other, "predict is slower"


def compare_weighted(folder, train, val, n_classes, seeds, jobs, head):
    """Forests of rows that weigh 0 to 4, most those of the first class, and of all rows alike."""
    shape = (train[0].shape[1], n_classes)
    rng = np.random.default_rng(0)
    weights = (rng.integers(0, 5, len(train[1])) * np.where(train[1] == 0, 3, 1)).astype(np.float32)
    write(folder / "train", *train)
    write(folder / "val", *val)
    for bootstrap in [True, False]:
        given = f"bootstrap={str(bootstrap).lower()}"
        (folder / "train.weights").unlink(missing_ok=True)
        unweighted = ours(folder, shape, jobs, 0, head, given)
        weights.astype("<f4").tofile(folder / "train.weights")
        a = [ours(folder, shape, jobs, seed, head, given) for seed in range(seeds)]
        b = [theirs(train, val, jobs, seed, head, weights, bootstrap=bootstrap) for seed in range(seeds)]
        print(f"sample weights, {given}:")
        compare_scores(a, b)
        assert unweighted["nodes"] != a[0]["nodes"], "the weights change nothing"


def compare_scores(a, b):
    column = lambda runs, name: np.array([run[name] for run in runs])
    for name in ["accuracy", "weighted_f1", "nodes"]:
        mine, other = column(a, name), column(b, name)
        t = welch_t(mine, other)
        print(f"{name}: {np.mean(mine):.4f} +- {np.std(mine, ddof=1):.4f}, scikit-learn {np.mean(other):.4f} +- "
              f"{np.std(other, ddof=1):.4f}: t = {t:.2f}")
        if name == "weighted_f1":
            print("  ours        ", *(f"{v:.4f}" for v in mine))
            print("  scikit-learn", *(f"{v:.4f}" for v in other))
        assert abs(t) < 3.5, f"{name} differs"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", type=Path, metavar="TABLE", help="TRAIN and VAL")
    parser.add_argument("--rows", type=int, help="use the first N rows of TRAIN")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--predict", type=int, help="compare the time to predict N rows made from TRAIN, and nothing else")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    build()
    tables = args.tables or [DATA / "train.parquet", DATA / "val.parquet"]
    rows = args.rows or (None if args.tables else 1500)
    (x, labels), (val_x, val_labels) = map(read, tables)
    classes, y = np.unique(labels[:rows], return_inverse=True)
    train, val = (x[:rows], y), (val_x, np.searchsorted(classes, val_labels))
    with tempfile.TemporaryDirectory() as folder:
        if args.predict:
            for head in HEADS:
                compare_predictions(Path(folder), train, resampled(*train, args.predict), len(classes), args.seeds, args.jobs, head)
            return
        for head in HEADS:
            print(f"{head}:")
            (Path(folder) / "train.weights").unlink(missing_ok=True)
            compare(Path(folder), train, val, len(classes), args.seeds, args.jobs, head)
            compare_weighted(Path(folder), train, val, len(classes), args.seeds, args.jobs, head)
    print(f"ok forest: {args.seeds} forests of each kind on {x[:rows].shape[0]} x {x.shape[1]} like scikit-learn's, faster, in less memory; also with sample weights")


if __name__ == "__main__":
    main()
