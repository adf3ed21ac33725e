"""Support vector machines against scikit-learn's SVC, at a tolerance of 1e-5 on both sides.

    target/referees/bin/python bench/referees/svm.py [TRAIN] [--jobs N]

TRAIN is a table with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV; the shipped example
if it is missing. From the tensors of the fitted head NumPy computes, in double precision, the decision values of every pair of classes for rows that were not
trained on, and the dual objective of each pair. Decision values are within 1e-3 of scikit-learn's, objectives within 1e-4 of them, and the classes that
the head decides for are scikit-learn's labels where every decision value is above 1e-3. Weights of rows and classes scale C.

Times are printed beside those of scikit-learn with a cache of 2 GB, in turns; they depend on what else the machine does.
"""

import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from forest import one_table
from knn import ours


def fitted(folder, facts, queries):
    """The decision values of the queries, and the dual objectives, from the tensors of the head."""
    tensor = lambda name, kind: np.fromfile(folder / f"train.fitted.{name}", kind)
    mean, present, counts = tensor("mean", "<f4"), tensor("present", "<u4"), tensor("n_support", "<u4")
    n_classes, n_features = int(present.sum()), len(mean)
    rows = tensor("rows", "<f4").reshape(-1, n_features).astype(np.float64)
    beta = tensor("dual_coef", "<f4").reshape(len(rows), n_classes - 1).astype(np.float64)
    ends = np.cumsum([0, *counts[present == 1]])
    scaled = (queries.astype(np.float64) - mean) * np.sqrt(facts["gamma"])
    kernel, own = rbf_kernel(scaled, rows, gamma=1), rbf_kernel(rows, gamma=1)
    decisions, objectives = [], []
    for (i, j), intercept in zip(itertools.combinations(range(n_classes), 2), tensor("intercept", "<f8")):
        of_pair = np.zeros(len(rows))
        of_pair[ends[i]:ends[i + 1]] = beta[ends[i]:ends[i + 1], j - 1]
        of_pair[ends[j]:ends[j + 1]] = beta[ends[j]:ends[j + 1], i]
        decisions.append(kernel @ of_pair + intercept)
        objectives.append(of_pair @ own @ of_pair / 2 - np.abs(of_pair).sum())
    return np.stack(decisions, axis=1), np.array(objectives)


def their_objectives(svc, x):
    ends = np.cumsum([0, *svc.n_support_])
    kernel = rbf_kernel(x[svc.support_], gamma=svc._gamma)
    for i, j in itertools.combinations(range(len(svc.classes_)), 2):
        beta = np.zeros(len(kernel))
        beta[ends[i]:ends[i + 1]] = svc.dual_coef_[j - 1, ends[i]:ends[i + 1]]
        beta[ends[j]:ends[j + 1]] = svc.dual_coef_[i, ends[j]:ends[j + 1]]
        yield beta @ kernel @ beta / 2 - np.abs(beta).sum()


def compare(name, folder, x, y, queries, jobs, c, gamma="scale", weights=None, class_weight=None):
    (folder / "train.weights").unlink(missing_ok=True)
    if weights is not None:
        weights.astype("<f4").tofile(folder / "train.weights")
    named = ",".join(f"{label}:{weight}" for label, weight in class_weight.items()) if class_weight else "none"
    given = dict(c=c, gamma=gamma, tol=1e-5, class_weight=named, calibration="none")
    found, _ = ours(folder, x, y, queries, int(y.max()) + 1, jobs, 1, head="svm", **given)
    decided = np.fromfile(folder / "train.decided", "<u4")
    decisions, objectives = fitted(folder, found["facts"], queries)
    wide = x.astype(np.float64)
    svc = SVC(C=c, gamma=gamma, tol=1e-5, decision_function_shape="ovo", class_weight=class_weight, cache_size=2000)
    svc.fit(wide, y, sample_weight=None if weights is None else weights.astype(np.float64))
    expected = svc.decision_function(queries.astype(np.float64)).reshape(len(queries), -1)
    if len(svc.classes_) == 2:
        expected = -expected
    theirs = np.array(list(their_objectives(svc, wide)))
    worst, gap = np.abs(decisions - expected).max(), np.abs(objectives / theirs - 1).max()
    clear = (np.abs(expected) > 1e-3).all(axis=1)
    same = (decided == svc.predict(queries.astype(np.float64)))[clear]
    assert worst < 1e-3 and gap < 1e-4 and same.all(), (name, worst, gap, same.mean())
    assert np.abs(np.array(found["facts"]["dual_objectives"]) / theirs - 1).max() < 1e-4, name
    print(f"ok svm: {name}, C {c}, gamma {gamma}: decision values differ by {worst:.1e}, objectives by {gap:.1e}, "
          f"{clear.sum()} clear labels equal, {found['facts']['n_support']} support vectors ({len(svc.support_)})")


def times(folder, x, y, queries, jobs):
    (folder / "train.weights").unlink(missing_ok=True)
    wide, best = x.astype(np.float64), [np.inf, np.inf]
    for _ in range(2):
        found, _ = ours(folder, x, y, queries, int(y.max()) + 1, jobs, 2, head="svm", c=3)
        started = time.perf_counter()
        SVC(C=3, cache_size=2000).fit(wide, y)
        best = [min(best[0], found["fit"]), min(best[1], time.perf_counter() - started)]
    print(f"  {len(x)} rows x {x.shape[1]}, C 3: fit {best[0]:.3f} s, scikit-learn {best[1]:.3f} s, {best[1] / best[0]:.1f} times")


def main():
    x, y, jobs = one_table(__doc__)
    cut, random = len(x) * 3 // 4, np.random.default_rng(7)
    third = slice(0, cut, 3)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for c in [0.3, 3.0, 30.0]:
            compare("a third of the table", folder, x[third], y[third], x[cut:], jobs, c)
        weights = random.uniform(0.5, 3, len(y[third])).astype(np.float32)
        compare("weights", folder, x[third], y[third], x[cut:], jobs, 2.0, weights=weights)
        compare("weights of rows and classes", folder, x[third], y[third], x[cut:], jobs, 2.0, weights=weights, class_weight={0: 0.5, 2: 3.0})
        far = (random.normal(size=(2000, 8)) + 50).astype(np.float32)
        compare("far from the origin", folder, far[:1500], np.arange(1500) % 4, far[1500:], jobs, 1.0)
        two = random.normal(size=(900, 5)).astype(np.float32)
        compare("two classes", folder, two[:600], (two[:600, 0] > two[:600, 1] ** 2).astype(int), two[600:], jobs, 50.0, gamma=0.5)
        times(folder, x[:cut], y[:cut], x[cut:], jobs)


if __name__ == "__main__":
    main()
