"""Gaussian discriminant analysis against scikit-learn: LinearDiscriminantAnalysis(solver="lsqr"), GaussianNB and
QuadraticDiscriminantAnalysis(solver="eigen").

    target/referees/bin/python bench/referees/gaussian.py [TRAIN] [--jobs N]

TRAIN is a table with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV; the shipped example
if it is missing. Each case compares probabilities of rows that were not trained on, in double precision; with a shared covariance also the coefficients,
of each class against the mean of all, and the amounts of shrinkage.

Times are printed, beside those of scikit-learn on the same 32-bit features; they depend on what else the machine does.
"""

import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

import knn
from forest import one_table


def ours(folder, x, y, queries, jobs, repeats, **params):
    return knn.ours(folder, x, y, queries, int(y.max()) + 1, jobs, repeats, head="gaussian", **params)


def priors(y, uniform):
    n_classes = int(y.max()) + 1
    return np.full(n_classes, 1 / n_classes) if uniform else None


def shared(name, folder, x, y, queries, jobs, shrinkage="auto", uniform=False):
    wide, n_classes = x.astype(np.float64), int(y.max()) + 1
    found, proba = ours(folder, x, y, queries, jobs, 1, shrinkage=shrinkage, priors="uniform" if uniform else "empirical")
    coef = np.fromfile(folder / "train.fitted.coef", "<f4").astype(float).reshape(n_classes, -1)
    fitted = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=priors(y, uniform)).fit(wide, y)
    expected = fitted.coef_ if n_classes > 2 else np.vstack([-fitted.coef_, fitted.coef_]) / 2
    centred = [c - c.mean(axis=0) for c in (coef, expected)]
    worst = np.abs(centred[0] - centred[1]).max() / np.abs(centred[1]).max()
    off = np.abs(proba - fitted.predict_proba(queries.astype(np.float64))).max()
    amounts = found["facts"]["shrinkage"]
    if shrinkage == "auto":
        theirs = [ledoit_wolf_shrinkage(StandardScaler().fit_transform(wide[y == c])) for c in range(n_classes)]
        assert np.allclose(amounts, theirs, rtol=1e-6, atol=1e-12), (name, amounts, theirs)
    assert worst < 1e-6 and off < 2e-5, (name, worst, off)
    print(f"ok gaussian: {name}, shared, shrinkage {min(amounts):.4f} to {max(amounts):.4f}{', uniform priors' if uniform else ''}: coefficients differ by "
          f"{worst:.1e}, probabilities by {off:.1e}")


def diagonal(name, folder, x, y, queries, jobs, uniform=False, var_smoothing=1e-9):
    _, proba = ours(folder, x, y, queries, jobs, 1, covariance="diagonal", priors="uniform" if uniform else "empirical", var_smoothing=var_smoothing)
    fitted = GaussianNB(priors=priors(y, uniform), var_smoothing=var_smoothing).fit(x.astype(np.float64), y)
    off = np.abs(proba - fitted.predict_proba(queries.astype(np.float64))).max()
    assert off < 1e-6, (name, off)
    print(f"ok gaussian: {name}, diagonal, smoothing {var_smoothing}: probabilities differ by {off:.1e}")


def full(name, folder, x, y, queries, jobs, shrinkage="auto", uniform=False):
    _, proba = ours(folder, x, y, queries, jobs, 1, covariance="full", shrinkage=shrinkage, priors="uniform" if uniform else "empirical")
    fitted = QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage, priors=priors(y, uniform), tol=0).fit(x.astype(np.float64), y)
    off = np.abs(proba - fitted.predict_proba(queries.astype(np.float64))).max()
    assert off < 2e-4, (name, off)
    print(f"ok gaussian: {name}, full, shrinkage {shrinkage}: probabilities differ by {off:.1e}")


def times(folder, x, y, queries, jobs):
    found, _ = ours(folder, x, y, queries, jobs, 5)
    best = np.inf
    for _ in range(3):
        started = time.perf_counter()
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y)
        best = min(best, time.perf_counter() - started)
    print(f"  {len(x)} x {x.shape[1]}, {int(y.max()) + 1} classes, shared: fit {found['fit']:.4f} s, predict {len(queries)} rows "
          f"{found['predict']:.4f} s; scikit-learn fits in {best:.4f} s: {best / found['fit']:.1f} times faster")


def main():
    warnings.simplefilter("ignore")
    x, y, jobs = one_table(__doc__)
    random = np.random.default_rng(7)
    cut = len(x) * 3 // 4
    made = random.normal(size=(3000, 20)) @ random.normal(size=(20, 20)) + 3
    rare = random.choice(4, 3000, p=[0.6, 0.3, 0.07, 0.03])
    made = (made + random.normal(size=(4, 20))[rare] * 2).astype(np.float32)
    few = random.normal(size=(200, 900)).astype(np.float32) + (np.arange(200) % 3)[:, None] * 0.1
    few = few.astype(np.float32)
    constant = made.copy()
    constant[:, 3] = 2.5
    cases = {
        "the table": (x[:cut], y[:cut], x[cut:]),
        "classes of different size": (made[:2000], rare[:2000], made[2000:]),
        "two classes": (made[:2000], np.minimum(rare[:2000], 1), made[2000:]),
        "a constant feature": (constant[:2000], rare[:2000], constant[2000:]),
        "fewer rows than features": (few[:150], np.arange(150) % 3, few[150:]),
        "fewer rows than a third of the features": (few[:90], np.arange(90) % 3, few[150:]),
    }
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, (train, classes, queries) in cases.items():
            shared(name, folder, train, classes, queries, jobs)
            shared(name, folder, train, classes, queries, jobs, shrinkage=0.3, uniform=True)
            if name != "a constant feature":
                diagonal(name, folder, train, classes, queries, jobs)
                diagonal(name, folder, train, classes, queries, jobs, uniform=True, var_smoothing=0.01)
            full(name, folder, train, classes, queries, jobs)
            full(name, folder, train, classes, queries, jobs, shrinkage=0.2, uniform=True)
        wide = random.normal(size=(9000, 512)).astype(np.float32)
        times(folder, wide[:7000], np.arange(7000) % 3, wide[7000:], jobs)


if __name__ == "__main__":
    main()
