"""Ridge regression on the classes against scikit-learn's RidgeCV.

    target/referees/bin/python bench/referees/ridge.py [TRAIN]

TRAIN is a table with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV; the shipped example
if it is missing. With and without weights of the rows: leave-one-out over the same strengths chooses the same one; coefficients, and leave-one-out
outputs as probabilities (clipped, divided by their sum), are those of scikit-learn in double precision.
"""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge, RidgeCV

from forest import one_table
from knn import ours

TOLERANCE = 1e-4


def clipped(outputs):
    outputs = outputs.clip(0, 1)
    return outputs / outputs.sum(axis=1, keepdims=True)


def compare(name, folder, x, y, weights):
    (folder / "train.weights").unlink(missing_ok=True)
    if weights is not None:
        weights.astype("<f4").tofile(folder / "train.weights")
    n_classes = int(y.max()) + 1
    found, proba = ours(folder, x, y, x, n_classes, 2, 1, head="ridge", calibration="none", transform="none")
    targets, wide = np.eye(n_classes)[y], x.astype(np.float64)
    alphas = [tried["alpha"] for tried in found["facts"]["tried"]]
    errors = np.array([tried["squared_error"] for tried in found["facts"]["tried"]])
    fitted = RidgeCV(alphas, store_cv_results=True).fit(wide, targets, sample_weight=weights)
    # scikit-learn's errors are of rows scaled by the roots of their weights.
    expected = fitted.cv_results_.sum(axis=(0, 1)) / (len(x) if weights is None else weights.sum())
    assert np.allclose(errors, expected, rtol=1e-3), (name, errors / expected)
    alpha = found["facts"]["alpha"]
    best = expected.argmin()
    assert alpha == alphas[best], (name, alpha, alphas[best])
    alone = Ridge(alpha).fit(wide, targets, sample_weight=weights)
    coef = np.fromfile(folder / "train.fitted.coef", "<f4").reshape(n_classes, -1)
    worst = np.abs(coef - alone.coef_).max() / np.abs(alone.coef_).max()
    assert worst < TOLERANCE, (name, worst)
    predicted = np.abs(proba - clipped(alone.predict(wide))).max()
    assert predicted < TOLERANCE, (name, predicted)
    w = np.ones(len(x)) if weights is None else weights.astype(np.float64)
    centred = wide - w @ wide / w.sum()
    inverse = np.linalg.inv(centred.T @ (centred * w[:, None]) + alpha * np.eye(x.shape[1]))
    leverage = w * (1 / w.sum() + np.einsum("ij,jk,ik->i", centred, inverse, centred))
    left_out = targets - (targets - alone.predict(wide)) / (1 - leverage)[:, None]
    oof = np.fromfile(folder / "train.loo", "<f4").reshape(len(x), n_classes)
    outside = np.abs(oof - clipped(left_out)).max()
    assert outside < TOLERANCE, (name, outside)
    print(f"ok ridge: {name}: alpha {alpha:.4g} is scikit-learn's, errors within {np.abs(errors / expected - 1).max():.1e}, coefficients "
          f"{worst:.1e}, predictions {predicted:.1e}, leave-one-out {outside:.1e}")


def main():
    x, y, _ = one_table(__doc__)
    random = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        compare("the table", folder, x, y, None)
        compare("the table with weights", folder, x, y, random.uniform(0.5, 3, len(x)).astype(np.float32))


if __name__ == "__main__":
    main()
