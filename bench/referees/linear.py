"""Logistic regression against scikit-learn's LogisticRegression.

    target/referees/bin/python bench/referees/linear.py [TRAIN] [--jobs N]

TRAIN is a table with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV; the shipped example
if it is missing. Features are standardised. The objective of our coefficients, computed in double precision, may be no more than
1e-6 of it above the minimum, which scikit-learn finds in double precision with a tolerance of 1e-9. Cases: the table; more features than
rows; unbalanced classes with class weights; two classes; sample weights; a path of 20 strengths; elastic net and lasso, whose zeros must be those of
saga as well; and the choice by folds, which must be near that of LogisticRegressionCV.

Times are printed, of scikit-learn with its defaults on the same 32-bit features; they depend on what else the machine does.
"""

import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import json
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.utils.class_weight import compute_class_weight

from drive.examples import program
from forest import one_table, write

EXAMPLE = program("linear")


def objective(coef, intercept, x, y, weights, c, l1_ratio=0.0):
    """Of one row of coefficients for two classes, as scikit-learn has it."""
    scores = x @ coef.T + intercept
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    top = scores.max(axis=1)
    losses = np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top - scores[np.arange(len(y)), y]
    penalty = (1 - l1_ratio) * (coef**2).sum() / 2 + l1_ratio * np.abs(coef).sum()
    return (weights @ losses + penalty / c) / weights.sum()


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


def compare_path(folder, x, y, jobs):
    """20 strengths one after another, each at its minimum, and scikit-learn's fits one after another."""
    x, wide = x.astype(np.float32), x.astype(np.float32).astype(float)
    cs, n_classes = np.logspace(-4, 4, 20), int(y.max()) + 1
    stem = folder / "train"
    for old in folder.iterdir():
        old.unlink()
    write(stem, x, y)
    command = [EXAMPLE, stem, x.shape[1], n_classes, jobs, 3, "path=" + ",".join(map(repr, cs.tolist()))]
    found = json.loads(subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True).stdout)
    coefs = np.fromfile(f"{stem}.coef", "<f4").astype(float).reshape(len(cs), n_classes, -1)
    intercepts = np.fromfile(f"{stem}.intercept", "<f4").astype(float).reshape(len(cs), n_classes)
    theirs, worst = 0.0, -np.inf
    for i, c in enumerate(cs):
        started = time.perf_counter()
        LogisticRegression(C=c).fit(x, y)
        theirs += time.perf_counter() - started
        best = LogisticRegression(C=c, tol=1e-8, max_iter=20_000).fit(wide, y)
        ours_and_theirs = [objective(*parts, wide, y, np.ones(len(y)), c) for parts in
                           [(coefs[i], intercepts[i]), (best.coef_, best.intercept_)]]
        worst = max(worst, ours_and_theirs[0] / ours_and_theirs[1] - 1)
    assert worst < 1e-6, worst
    print(f"ok linear: a path of {len(cs)} strengths, at most {worst:+.1e} of scikit-learn's minima")
    print(f"  path {found['fit']:.3f} s; scikit-learn with its defaults {theirs:.3f} s: {theirs / found['fit']:.1f} times faster")


def compare_choice(folder, x, y, jobs):
    """The loss of the path and its best strength, beside LogisticRegressionCV with folds of its own."""
    found, *_ = ours(folder, x.astype(np.float32), y, jobs, 1, None, {})
    cs, losses = np.array(found["path"]).T
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = [cross_val_score(LogisticRegression(C=c, max_iter=1000), x, y, cv=folds, scoring="neg_log_loss").mean() for c in cs]
    differences = np.abs(losses + scores)
    assert differences.max() < 0.02 and found["c"] == cs[losses.argmin()], (found, scores)
    assert abs(losses.argmin() - int(np.argmax(scores))) <= 1, (losses, scores)
    print(f"ok linear: folds choose c {found['c']:.2e}; losses of {len(cs)} strengths within {differences.max():.4f} of scikit-learn's folds")


def compare(name, folder, x, y, jobs, weights=None, c=1.0, l1_ratio=0.0, class_weight=None, timed=False):
    x = x.astype(np.float32)
    n_classes = int(y.max()) + 1
    row_weights = np.ones(len(y)) if weights is None else weights.astype(float)
    if class_weight is not None:
        classes = np.arange(n_classes)
        row_weights = row_weights * compute_class_weight(class_weight, classes=classes, y=y, sample_weight=weights)[y]
    params = {"c": c, "l1_ratio": l1_ratio}
    if class_weight == "balanced":
        params["class_weight"] = "balanced"
    elif class_weight:
        params["class_weight"] = ",".join(f"{k}:{w}" for k, w in class_weight.items())
    repeats = 5 if timed else 1
    found, *mine = ours(folder, x, y, jobs, repeats, weights, params)
    wide = x.astype(np.float64)
    solver = {"solver": "saga", "l1_ratio": l1_ratio} if l1_ratio > 0 else {}
    other = LogisticRegression(C=c, class_weight=class_weight, tol=1e-9, max_iter=20_000, **solver).fit(wide, y, sample_weight=weights)
    values = [objective(*parts, wide, y, row_weights, c, l1_ratio) for parts in [mine, (other.coef_, other.intercept_)]]
    excess = values[0] / values[1] - 1
    assert found["converged"] and abs(excess) < 1e-6, (name, found, values, excess)
    zeros = [(coef == 0).sum() for coef in [mine[0], other.coef_]]
    assert l1_ratio == 0 or zeros[0] > 0 and abs(zeros[0] - zeros[1]) <= 2, (name, zeros)
    print(f"ok linear: {name}, {x.shape[0]} x {x.shape[1]}, {n_classes} classes: objective {values[0]:.8f}, "
          f"{excess:+.1e} of scikit-learn's, after {found['n_iter']} iterations")
    if timed:
        for params in [{}, {"tol": 1e-5, "max_iter": 1000}]:
            theirs, n_iter = seconds(x, y, weights, {"C": c, "class_weight": class_weight, **params}, repeats)
            print(f"  fit {found['fit']:.4f} s; scikit-learn {params or 'with its defaults'} {theirs:.4f} s in {n_iter} iterations: "
                  f"{theirs / found['fit']:.1f} times faster")


def main():
    warnings.simplefilter("ignore")
    x, y, jobs = one_table(__doc__)
    scale = x.std(axis=0, dtype=float)
    x = (x - x.mean(axis=0, dtype=float)) / np.where(scale > 0, scale, 1)
    random = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        run = lambda name, *data, **options: compare(name, Path(folder), *data, jobs, **options)
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
        run("elastic net", noisy, rare, c=0.05, l1_ratio=0.5)
        run("lasso", noisy, rare, c=0.05, l1_ratio=1.0)
        run("lasso, two classes, balanced", noisy, np.minimum(rare, 1), c=0.01, l1_ratio=1.0, class_weight="balanced")
        compare_path(Path(folder), x, y, jobs)
        compare_choice(Path(folder), x, y, jobs)
        run("sample weights, balanced", noisy, rare, weights=weights, class_weight="balanced")


if __name__ == "__main__":
    main()
