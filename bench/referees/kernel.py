"""Kernel machines against NumPy in double precision.

    target/referees/bin/python bench/referees/kernel.py [TRAIN]

TRAIN is a table with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV; the shipped example
if it is missing. Of every third row, for fixed parameters, with and without weights: leave-one-out and out-of-fold outputs, and predictions of other rows, all
clipped and divided by their sum, are those of a kernel ridge regression with an intercept that NumPy solves in double precision,
out-of-fold ones by fits without the fold. One case has the dual coefficients of scikit-learn's KernelRidge on targets less the intercept.
"""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import euclidean_distances

from forest import one_table
from knn import ours
from ridge import clipped

TOLERANCE = 1e-4
GAMMA, ALPHA = 0.8, 0.4


def kernel_of(name, scale, a, b):
    if name == "polynomial":
        return (GAMMA * scale * a @ b.T + 1) ** 3
    distances = euclidean_distances(a, b) * np.sqrt(scale)
    return np.exp(-GAMMA * distances ** {"rbf": 2, "laplace": 1, "power": 1.5}[name])


def solved(matrix, targets, weights):
    """The coefficients, the intercepts, and the inverse with the intercept."""
    n = len(matrix)
    bordered = np.ones((n + 1, n + 1))
    bordered[:n, :n], bordered[n, n] = matrix + np.diag(ALPHA / weights), 0
    inverse = np.linalg.inv(bordered)
    solution = inverse[:, :n] @ targets
    return solution[:n], solution[n], inverse[:n, :n]


def compare(name, folder, x, y, queries, weights, kernel):
    (folder / "train.weights").unlink(missing_ok=True)
    if weights is not None:
        weights.astype("<f4").tofile(folder / "train.weights")
    w = np.ones(len(x)) if weights is None else weights.astype(np.float64)
    folds = np.arange(len(x)) * 7 % 5
    folds.astype("<u4").tofile(folder / "train.folds")
    n_classes, wide, targets = int(y.max()) + 1, x.astype(np.float64), np.eye(int(y.max()) + 1)[y]
    given = dict(kernel=kernel, gamma=GAMMA, alpha=ALPHA, spectrum="none", transform="none", calibration="none")
    _, proba = ours(folder, x, y, queries, n_classes, 2, 1, head="kernel", **given)
    scale = 1 / wide.var(axis=0).sum()
    matrix = kernel_of(kernel, scale, wide, wide)
    alpha, intercept, inverse = solved(matrix, targets, w)
    expected = clipped(kernel_of(kernel, scale, queries.astype(np.float64), wide) @ alpha + intercept)
    left_out = clipped(targets - alpha / np.diag(inverse)[:, None])
    outside = np.empty_like(targets)
    for fold in range(5):
        kept, held = folds != fold, folds == fold
        a, b, _ = solved(matrix[np.ix_(kept, kept)], targets[kept], w[kept])
        outside[held] = matrix[np.ix_(held, kept)] @ a + b
    loaded = [np.fromfile(folder / f"train.{what}", "<f4").reshape(len(x), n_classes) for what in ["loo", "oof"]]
    worst = [np.abs(a - b).max() for a, b in [(proba, expected), (loaded[0], left_out), (loaded[1], clipped(outside))]]
    assert max(worst) < TOLERANCE, (name, kernel, worst)
    if weights is None:
        dual = KernelRidge(alpha=ALPHA, kernel="precomputed").fit(matrix, targets - intercept).dual_coef_
        ours_dual = np.fromfile(folder / "train.fitted.alpha", "<f4").reshape(len(x), n_classes)
        assert np.abs(dual - ours_dual).max() < TOLERANCE * np.abs(dual).max(), (name, kernel)
    print(f"ok kernel: {name}, {kernel}: predictions differ by {worst[0]:.1e}, leave-one-out by {worst[1]:.1e}, folds by {worst[2]:.1e}")


def main():
    x, y, _ = one_table(__doc__)
    # Every third row: NumPy inverts six matrices a case.
    x, y = x[::3], y[::3]
    weights = np.random.default_rng(7).uniform(0.5, 3, len(x)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for kernel in ["rbf", "laplace", "power", "polynomial"]:
            compare("the table", folder, x, y, x[:100] * np.float32(1.1), None, kernel)
        compare("the table with weights", folder, x, y, x[:100] * np.float32(1.1), weights, "rbf")


if __name__ == "__main__":
    main()
