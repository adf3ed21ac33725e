"""Records what scikit-learn's transforms give for small tables, in transform.json.

Run: python make_transform.py    (numpy 2.4.6, scikit-learn 1.9.1)
"""

import json
import pathlib

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

rng = np.random.default_rng(20261124)
n_samples = 700  # more than one block of rows
L2_COLUMNS = [0, 3, 7]  # of one size, so that none drowns in the norm

x = rng.normal(size=(n_samples, 8)) * [1, 1e-6, 1e6, 3, 0, 0, 0, 5] + [0, 1, -2e6, 2, 0, 0, 0, 0]
x[:, 4] = 0.1  # constant, and not exact in binary
x[:, 5] = 0.0
x[:, 6] = 1e7  # constant but for one unit in the last place of one row
x[3, 6] = np.nextafter(np.float32(1e7), np.float32(np.inf))
x = x.astype(np.float32)

small = rng.normal(size=(6, 3)).astype(np.float32)
small[2] = 0.0
small[4] = [3e-30, -4e-30, 0.0]  # below ten epsilons: scikit-learn leaves it
small[5] = [3e-10, -4e-10, 0.0]


def fitted(scaler, rows):
    return {"mean": scaler.mean_.tolist(), "scale": scaler.scale_.tolist(), "rows": rows.tolist()}


def standardise(x):
    scaler = StandardScaler().fit(x)
    return fitted(scaler, scaler.transform(x.astype(np.float64))[:5])


def l2_standardise(x):
    pipeline = make_pipeline(Normalizer(), StandardScaler()).fit(x)
    return fitted(pipeline[-1], pipeline.transform(x)[:5])


def standardise_pca(x, k):
    pipeline = make_pipeline(StandardScaler(), PCA(k, svd_solver="covariance_eigh")).fit(x)
    return {"components": pipeline[-1].components_.tolist(), "rows": pipeline.transform(x)[:5].tolist()}


spectrum = np.diag([4.0, 2.0, 1.0, 0.5, 0.2, 0.1])
wide = (rng.normal(size=(700, 6)) @ spectrum @ rng.normal(size=(6, 6)) + 3.0).astype(np.float32)
constant = np.full((1000, 3), [0.1, -7.3e8, 1e-20], dtype=np.float32)
recorded = {
    "x": [float(str(v)) for v in x.ravel()],
    "n_samples": n_samples,
    "n_features": x.shape[1],
    "standardise": standardise(x),
    "l2_columns": L2_COLUMNS,
    "l2+standardise": l2_standardise(x[:, L2_COLUMNS]),
    "wide": wide.tolist(),
    "standardise+pca:3": standardise_pca(wide.astype(np.float64), 3),
    "small": small.tolist(),
    "l2": Normalizer().fit_transform(small.astype(np.float64)).tolist(),
    "constant": constant[0].tolist(),
    "constant_scale": StandardScaler().fit(constant).scale_.tolist(),
}
path = pathlib.Path(__file__).with_name("transform.json")
path.write_text(json.dumps(recorded) + "\n")
