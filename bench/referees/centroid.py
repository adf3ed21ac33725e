"""`fit centroid` against scikit-learn: the classes that the model predicts for rows it did not see, with both distances.

    target/referees/bin/python bench/referees/centroid.py
"""

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import Normalizer

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
SENTENCES = ROOT / "examples/sentences"


def headsmith(*words):
    subprocess.run([HEADSMITH, *[str(word) for word in words], "--quiet"], stdout=subprocess.DEVNULL, check=True)


def arrays(frame):
    return np.array(frame["embeddings"].tolist(), dtype=np.float64), frame["label"].to_numpy()


def made(n_rows, seed):
    """Four overlapping classes of very different size, far from the origin."""
    rng = np.random.default_rng(seed)
    y = rng.choice(4, n_rows, p=[0.6, 0.25, 0.1, 0.05])
    centres = np.random.default_rng(0).normal(size=(4, 12)) * 0.8 + 3.0
    x = (centres[y] + rng.normal(size=(n_rows, 12))).astype(np.float32)
    return pd.DataFrame({"embeddings": x.tolist(), "label": np.array(["a", "b", "c", "d"])[y]})


def compare(name, folder, train, test, distance):
    train.to_parquet(folder / "train.parquet")
    test.to_parquet(folder / "test.parquet")
    model, out = folder / "m.safetensors", folder / "p.csv"
    headsmith("fit", "centroid", "--train", folder / "train.parquet", "--val-share", 0, "--distance", distance, "--model", model)
    headsmith("predict", "--model", model, "--data", folder / "test.parquet", "--out", out, "--columns", "label")
    (x, y), (x_test, _) = arrays(train), arrays(test)
    if distance == "cosine":
        x, x_test = Normalizer().fit_transform(x), Normalizer().fit_transform(x_test)
    fitted = NearestCentroid().fit(x, y)
    centroids = fitted.centroids_
    if distance == "cosine":
        # At the smallest angle: nearest to the means of length 1.
        centroids = Normalizer().fit_transform(centroids)
    distances = np.linalg.norm(x_test[:, None] - centroids[None], axis=2)
    expected = fitted.classes_[distances.argmin(axis=1)]
    if distance == "euclidean":
        assert (fitted.predict(x_test) == expected).all()
    found = pd.read_csv(out)["label"].to_numpy()
    differ = np.flatnonzero(found != expected)
    # Rows between two means may fall to either side by rounding.
    ordered = np.sort(distances, axis=1)
    assert all(ordered[i, 1] - ordered[i, 0] < 1e-5 for i in differ), (name, distance, differ)
    assert len(differ) <= len(expected) // 1000, (name, distance, len(differ))
    print(f"ok centroid: {name}, {distance}: {len(expected) - len(differ)} of {len(expected)} rows of the same class")


def main():
    train, val = (pd.read_parquet(SENTENCES / f"{name}.parquet") for name in ("train", "val"))
    columns = {column: "embeddings" if train[column].map(np.ndim).iloc[0] else "label" for column in train.columns}
    named = [frame.rename(columns=columns)[["embeddings", "label"]] for frame in (train, val)]
    with tempfile.TemporaryDirectory() as folder:
        for distance in ("euclidean", "cosine"):
            compare("sentences", Path(folder), *named, distance)
            compare("classes of different size", Path(folder), made(2_000, 1), made(1_500, 2), distance)


main()
