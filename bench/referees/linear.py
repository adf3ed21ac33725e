"""Logistic regression against scikit-learn's LogisticRegression.

    target/referees/bin/python bench/referees/linear.py [TRAIN] [--jobs N]

TRAIN is a table with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV; the shipped example
if it is missing. Features are standardised. The objective of our coefficients, computed in double precision, may be no more than
1e-6 of it above the minimum, which scikit-learn finds in double precision with a tolerance of 1e-9. Cases: the table; more features than
rows; unbalanced classes with class weights; two classes; sample weights.

Times are printed, of scikit-learn with its defaults on the same 32-bit features; they depend on what else the machine does.
"""

import argparse
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import json
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight

from forest import ROOT, read, write

EXAMPLE = ROOT / "target/release/examples/linear"
DATA = ROOT / "examples/sentences"


def objective(coef, intercept, x, y, weights, c):
    """Of one row of coefficients for two classes, as scikit-learn has it."""
    scores = x @ coef.T + intercept
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    top = scores.max(axis=1)
    losses = np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top - scores[np.arange(len(y)), y]
    return (weights @ losses + (coef**2).sum() / (2 * c)) / weights.sum()


def ours(folder, x, y, jobs, repeats, weights, params):
    stem = folder / "train"
    for old in folder.iterdir():
        old.unlink()
    write(stem, x, y)
    if weights is not None:
        weights.astype("<f4").tofile(f"{stem}.weights")
    n_classes = int(y.max()) + 1
    given = [f"{name}={value}" for name, value in params.items()]
    command = [EXAMPLE, stem, x.shape[1], n_classes, jobs, repeats, *given]
    found = json.loads(subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True).stdout)
    coef = np.fromfile(f"{stem}.coef", "<f4").astype(float).reshape(n_classes, -1)
    intercept = np.fromfile(f"{stem}.intercept", "<f4").astype(float)
    if n_classes == 2:
        coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
    return found, coef, intercept


def seconds(x, y, weights, params, repeats):
    best, n_iter = np.inf, 0
    for _ in range(repeats):
        started = time.perf_counter()
        fitted = LogisticRegression(**params).fit(x, y, sample_weight=weights)
        best, n_iter = min(best, time.perf_counter() - started), fitted.n_iter_[0]
    return best, n_iter


def compare(name, folder, x, y, jobs, weights=None, c=1.0, class_weight=None, timed=False):
    x = x.astype(np.float32)
    n_classes = int(y.max()) + 1
    row_weights = np.ones(len(y)) if weights is None else weights.astype(float)
    if class_weight is not None:
        classes = np.arange(n_classes)
        row_weights = row_weights * compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)[y]
    params = {"c": c}
    if class_weight == "balanced":
        params["class_weight"] = "balanced"
    elif class_weight:
        params["class_weight"] = ",".join(f"{k}:{w}" for k, w in class_weight.items())
    repeats = 5 if timed else 1
    found, *mine = ours(folder, x, y, jobs, repeats, weights, params)
    wide = x.astype(np.float64)
    other = LogisticRegression(C=c, class_weight=class_weight, tol=1e-9, max_iter=20_000).fit(wide, y, sample_weight=weights)
    values = [objective(*parts, wide, y, row_weights, c) for parts in [mine, (other.coef_, other.intercept_)]]
    excess = values[0] / values[1] - 1
    assert found["converged"] and abs(excess) < 1e-6, (name, found, values, excess)
    print(f"ok linear: {name}, {x.shape[0]} x {x.shape[1]}, {n_classes} classes: objective {values[0]:.8f}, "
          f"{excess:+.1e} of scikit-learn's, after {found['n_iter']} iterations")
    if timed:
        for params in [{}, {"tol": 1e-5, "max_iter": 1000}]:
            theirs, n_iter = seconds(x, y, weights, {"C": c, "class_weight": class_weight, **params}, repeats)
            print(f"  fit {found['fit']:.4f} s; scikit-learn {params or 'with its defaults'} {theirs:.4f} s in {n_iter} iterations: "
                  f"{theirs / found['fit']:.1f} times faster")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", type=Path, default=DATA / "train.parquet", metavar="TRAIN")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "headsmith-heads", "--example", "linear"], cwd=ROOT, check=True)
    x, labels = read(args.table)
    y = np.unique(labels, return_inverse=True)[1]
    scale = x.std(axis=0, dtype=float)
    x = (x - x.mean(axis=0, dtype=float)) / np.where(scale > 0, scale, 1)
    random = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        run = lambda name, *data, **options: compare(name, Path(folder), *data, args.jobs, **options)
        run("the table", x, y, timed=True)
        run("a strong penalty", x, y, c=1e-3)
        run("a weak penalty", x, y, c=100.0)
        run("more features than rows", random.normal(size=(150, 600)), np.arange(150) % 4)
        centres = random.normal(size=(5, 20))
        rare = random.choice(5, 2000, p=[0.9, 0.05, 0.03, 0.015, 0.005])
        noisy = centres[rare] + random.normal(size=(2000, 20))
        run("balanced", noisy, rare, class_weight="balanced")
        run("classes weighted by name", noisy, rare, class_weight={4: 50.0, 0: 0.25})
        run("two classes", noisy, np.minimum(rare, 1))
        run("two classes, balanced", noisy, np.minimum(rare, 1), class_weight="balanced")
        weights = random.gamma(1.0, size=2000).astype(np.float32)
        weights[::9] = 0
        run("sample weights", noisy, rare, weights=weights)
        run("sample weights, balanced", noisy, rare, weights=weights, class_weight="balanced")


if __name__ == "__main__":
    main()
