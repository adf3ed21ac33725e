"""The transforms of `--transform` against scikit-learn's: rows of the shipped example that they were not fitted on.

    target/referees/bin/python bench/referees/transforms.py [TRAIN VAL] [--jobs N]

TRAIN and VAL are tables with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV. Both sides are fitted
on TRAIN and transform VAL: ours in single precision, scikit-learn in double. Differences are measured by the spread of the
feature that scikit-learn gives. Whitening and spectrum are scikit-learn's PCA, scaled as the documentation says; they are also fitted on
fewer rows than features.

Times are printed, of fitting and transforming; they depend on what else the machine does.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from drive.examples import build, program
from forest import DATA, read

EXAMPLE = program("transform")


def signed(power):
    return FunctionTransformer(lambda x: np.sign(x) * np.abs(x) ** power)


class Axes(TransformerMixin, BaseEstimator):
    """Principal axes by scikit-learn, scaled by a function of their variances (of n, not n - 1)."""

    def __init__(self, weigh):
        self.weigh = weigh

    def fit(self, x, y=None):
        self.pca = PCA(svd_solver="full").fit(x)
        variances = self.pca.explained_variance_ * (len(x) - 1) / len(x)
        # Axes along which the rows hardly vary are dropped.
        self.n = np.count_nonzero(variances[: len(x) - 1] >= 1e-6 * variances[0])
        signs = np.sign(np.take_along_axis(c := self.pca.components_, np.abs(c).argmax(axis=1)[:, None], axis=1))[:, 0]
        self.factors = (signs[: self.n]) * self.weigh(variances[: self.n], x)
        return self

    def transform(self, x):
        return self.pca.transform(x)[:, : self.n] * self.factors


def spectrum(p):
    return Axes(lambda w, _: w ** (p / 2) / np.sqrt((w ** (1 + p)).sum()))


def whiten(shrinkage=None):
    def weigh(w, x):
        s = ledoit_wolf_shrinkage(x) if shrinkage is None else shrinkage
        return 1 / np.sqrt((1 - s) * w + s * x.var(axis=0).mean())

    return Axes(weigh)


def quantile():
    return QuantileTransformer(output_distribution="normal", subsample=None)


TRANSFORMS = {
    "divide:3": FunctionTransformer(lambda x: x / 3),
    "standardise": StandardScaler(),
    "robust": RobustScaler(),
    "l2": Normalizer(),
    "sqrt": signed(0.5),
    "power:1/3": signed(1 / 3),
    "yeo-johnson": PowerTransformer(),
    "quantile": quantile(),
    "pca:40": PCA(40, svd_solver="covariance_eigh"),
    "whiten": whiten(),
    "whiten:0.1": whiten(0.1),
    "spectrum:-1": spectrum(-1),
    "spectrum:-0.25": spectrum(-0.25),
    "spectrum:0.6": spectrum(0.6),
    "sqrt+standardise": make_pipeline(signed(0.5), StandardScaler()),
    "power:0.5+spectrum:0.5+l2": make_pipeline(signed(0.5), spectrum(0.5), Normalizer()),
}


def ours(folder, text, train, rows, jobs):
    for name, x in (("train", train), ("rows", rows)):
        x.astype("<f4").tofile(folder / f"{name}.f32")
    command = [EXAMPLE, text, folder / "train.f32", folder / "rows.f32", train.shape[1], jobs]
    done = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    return found, np.fromfile(folder / "rows.out", "<f4").astype(float).reshape(len(rows), found["n_features"])


def what(text):
    return "axes" if any(step in text for step in ("pca", "whiten", "spectrum")) else "features"


def compare(name, folder, text, train, rows, jobs):
    found, transformed = ours(folder, text, train, rows, jobs)
    started = time.perf_counter()
    transformer = TRANSFORMS[text].fit(train.astype(float))
    fitted = time.perf_counter()
    expected = transformer.transform(rows.astype(float))
    seconds = time.perf_counter() - fitted
    assert transformed.shape == expected.shape, (name, text, transformed.shape, expected.shape)
    differences = np.abs(transformed - expected) / expected.std(axis=0)
    if text == "quantile":
        # scikit-learn takes all that is closer than 1e-7 to the smallest or largest value for it.
        ends = np.abs(rows[:, None] - np.stack([train.min(axis=0), train.max(axis=0)])[None]).min(axis=1) < 2e-7
        differences = np.where(ends, 0, differences)
    worst = differences.max()
    # Sums of products in single precision lose digits along axes of small variance.
    assert worst < (3e-5 if what(text) == "axes" else 2e-6), (name, text, worst)
    print(
        f"ok transforms: {name}, {text}: {rows.shape[1]} to {expected.shape[1]} features, differences up to {worst:.0e} of the spread "
        f"(fit {found['fit']:.3f} s and {fitted - started:.3f} s, transform {found['apply']:.3f} s and {seconds:.3f} s)"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", type=Path, default=[DATA / "train.parquet", DATA / "val.parquet"])
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    build()
    train, rows = (read(path)[0] for path in args.tables)
    with tempfile.TemporaryDirectory() as folder:
        for text in TRANSFORMS:
            compare("the table", Path(folder), text, train, rows, args.jobs)
        few = train[: train.shape[1] // 2]
        for text in ("pca:40", "whiten", "spectrum:-1", "spectrum:0.6"):
            compare("fewer rows than features", Path(folder), text, few, rows, args.jobs)


main()
