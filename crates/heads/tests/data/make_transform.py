"""Records what scikit-learn's transforms give for small tables, in transform.json.

Run: python make_transform.py    (numpy 2.4.6, scikit-learn 1.9.1)
"""

import json
import pathlib

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, PowerTransformer, QuantileTransformer, RobustScaler, StandardScaler

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


def columns(n):
    """Features of many kinds: skewed to both sides, of one sign and of both, with zeros, ties, large and small values."""
    rng = np.random.default_rng(5)
    uniform, normal = rng.uniform(size=(4, n)), rng.normal(size=(4, n))
    table = np.stack(
        [
            np.exp(normal[0]),
            -np.exp(normal[1]) - 0.5,
            uniform[0] - 0.3,
            np.maximum(normal[2], 0),  # as many embeddings are
            np.round(4 * uniform[1]),
            1e6 * normal[3] * np.abs(normal[3]),
            5 + uniform[2] ** 2,  # away from zero
            0.01 * (uniform[3] - 0.7),
            np.full(n, 3.25),
        ],
        axis=1,
    )
    return table.astype(np.float32)


def robust(x):
    scaler = RobustScaler().fit(x)
    return {"median": scaler.center_.tolist(), "scale": scaler.scale_.tolist(), "rows": scaler.transform(x)[:9].tolist()}


def yeo_johnson(x):
    power = PowerTransformer(method="yeo-johnson", standardize=True).fit(x)
    scaler = power._scaler
    return {
        "lambda": power.lambdas_.tolist(),
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "rows": power.transform(x)[:9].tolist(),
    }


def quantile(x, unseen):
    # Of 65 rows all places are exact in binary.
    transformer = QuantileTransformer(n_quantiles=1000, output_distribution="normal", subsample=None).fit(x)
    return {
        "ends": transformer.quantiles_[[0, 1, len(transformer.quantiles_) // 3, -1]].tolist(),
        "rows": transformer.transform(np.concatenate([x[:9], unseen])).tolist(),
    }


def axes(x, weigh):
    """All principal axes, scaled by what `weigh` makes of their variances; variances are of n, not n - 1."""
    pca = PCA(svd_solver="full").fit(x)
    keep = min(len(x) - 1, x.shape[1])
    variances = pca.explained_variance_[:keep] * (len(x) - 1) / len(x)
    # The sign that makes the largest value of an axis positive.
    largest = np.take_along_axis(pca.components_, np.abs(pca.components_).argmax(axis=1)[:, None], axis=1)
    rows = (pca.transform(x) * np.sign(largest[:, 0]))[:, :keep] * weigh(variances)
    return rows[:5].tolist()


def spectrum_power(x, p):
    return axes(x, lambda w: w ** (p / 2) / np.sqrt((w ** (1 + p)).sum()))


def whiten(x, shrinkage):
    mu = x.var(axis=0).sum() / x.shape[1]
    return axes(x, lambda w: 1 / np.sqrt((1 - shrinkage) * w + shrinkage * mu))


def by_axes(x):
    shrinkage = ledoit_wolf_shrinkage(x)
    powers = {f"spectrum:{p}": spectrum_power(x, float(p)) for p in ("-1", "-0.25", "0", "0.6", "2")}
    return {
        "x": x.tolist(),
        "n_features": x.shape[1],
        "shrinkage": shrinkage,
        "rows": powers | {"whiten": whiten(x, shrinkage), "whiten:0.3": whiten(x, 0.3), "whiten:0": whiten(x, 0.0)},
    }


spectrum = np.diag([4.0, 2.0, 1.0, 0.5, 0.2, 0.1])
wide = (rng.normal(size=(700, 6)) @ spectrum @ rng.normal(size=(6, 6)) + 3.0).astype(np.float32)
constant = np.full((1000, 3), [0.1, -7.3e8, 1e-20], dtype=np.float32)
many, unseen = columns(1_300), columns(30)[::3] * np.float32(1.25)  # more rows than quantiles
long = (rng.normal(size=(12, 40)) * np.linspace(0.5, 2, 40) + 1.0).astype(np.float32)  # fewer rows than features
recorded = {
    "tall": by_axes(wide[:300].astype(np.float64)),
    "long": by_axes(long.astype(np.float64)),
    "columns": many.tolist(),
    "unseen": unseen.tolist(),
    "robust": robust(many.astype(np.float64)),
    "yeo-johnson": yeo_johnson(many.astype(np.float64)),
    "quantile": quantile(many.astype(np.float64), unseen.astype(np.float64)),
    "few_quantiles": quantile(many[:65].astype(np.float64), unseen.astype(np.float64)),
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
