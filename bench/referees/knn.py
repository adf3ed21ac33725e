"""k nearest neighbours against scikit-learn's KNeighborsClassifier(algorithm="brute").

    target/referees/bin/python bench/referees/knn.py [TRAIN] [--jobs N]

TRAIN is a table with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV; the shipped example
if it is missing. Each case compares the probabilities of rows that were not trained on, with uniform weights and those by distance, for both
distances, in double precision; queries whose k-th neighbour is at the distance of the next one are left to chance by scikit-learn and are not
compared. Then, with votes that weigh exp(-d / T), the probabilities are those of NumPy.

Times are printed, beside that of the matrix product alone and of scikit-learn on the same 32-bit features; they depend on what else the machine does.
"""

import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.metrics.pairwise import cosine_distances, euclidean_distances
from sklearn.neighbors import KNeighborsClassifier

from drive.examples import program
from forest import one_table, write

EXAMPLE = program("head")
TOLERANCE = 2e-6


def ours(folder, x, y, queries, n_classes, jobs, repeats, head="knn", **params):
    write(folder / "train", x, y)
    queries.astype("<f4").tofile(folder / "train.query")
    given = [f"{name}={value}" for name, value in params.items()]
    command = [EXAMPLE, head, folder / "train", x.shape[1], n_classes, jobs, repeats, *given]
    found = json.loads(subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found, np.fromfile(folder / "train.proba", "<f4").reshape(len(queries), n_classes)


def neighbours(distance, x, queries, k):
    distances = cosine_distances(queries, x) if distance == "cosine" else euclidean_distances(queries, x)
    order = np.argsort(distances, axis=1, kind="stable")
    ordered = np.take_along_axis(distances, order[:, : k + 1], axis=1)
    tied = ordered[:, k] - ordered[:, k - 1] < 1e-9 * ordered[:, k] if k < len(x) else np.zeros(len(queries), bool)
    return order[:, :k], ordered[:, :k], tied


def compare(name, folder, x, y, queries, jobs, k):
    wide, n_classes = x.astype(np.float64), int(y.max()) + 1
    for distance in ["cosine", "euclidean"]:
        rows, distances, tied = neighbours(distance, wide, queries.astype(np.float64), k)
        for weights in ["uniform", "distance"]:
            _, proba = ours(folder, x, y, queries, n_classes, jobs, 1, n_neighbors=k, distance=distance, weights=weights)
            fitted = KNeighborsClassifier(k, weights=weights, metric=distance, algorithm="brute").fit(wide, y)
            expected = np.zeros_like(proba, dtype=float)
            expected[:, fitted.classes_] = fitted.predict_proba(queries.astype(np.float64))
            worst = np.abs(proba - expected)[~tied].max(initial=0)
            same = (proba.argmax(axis=1) == expected.argmax(axis=1))[~tied].mean()
            assert worst < TOLERANCE, (name, distance, weights, worst)
            print(f"ok knn: {name}, {distance}, {weights}, {k} neighbours: probabilities differ by {worst:.1e}, "
                  f"{same:.2%} of {(~tied).sum()} classes equal, {tied.sum()} queries tied")
        found, proba = ours(folder, x, y, queries, n_classes, jobs, 1, n_neighbors=k, distance=distance)
        votes = np.zeros_like(proba, dtype=float)
        weights = np.exp((distances[:, :1] - distances) / found["facts"]["temperature"])
        for i in range(len(queries)):
            np.add.at(votes[i], y[rows[i]], weights[i])
        shares = np.bincount(y, minlength=n_classes) / len(y)
        expected = (len(y) * votes / votes.sum(axis=1, keepdims=True) + shares) / (len(y) + 1)
        worst = np.abs(proba - expected)[~tied].max(initial=0)
        assert worst < TOLERANCE, (name, distance, worst)
        print(f"ok knn: {name}, {distance}, temperature {found['facts']['temperature']:.4g}: probabilities differ by {worst:.1e} from NumPy's")


def times(folder, x, y, queries, jobs):
    n_classes = int(y.max()) + 1
    for k in ["auto", 10, 80]:
        found, _ = ours(folder, x, y, queries, n_classes, jobs, 5, n_neighbors=k)
        print(f"  {len(x)} rows x {x.shape[1]}, {len(queries)} queries, {k} neighbours ({found['facts']['n_neighbors']}): fit {found['fit']:.4f} s, "
              f"predict {found['predict']:.4f} s, {found['predict'] / found['product']:.2f} times the product ({found['product']:.4f} s)")
    fitted = KNeighborsClassifier(10, metric="cosine", algorithm="brute", n_jobs=jobs).fit(x, y)
    best = np.inf
    for _ in range(3):
        started = time.perf_counter()
        fitted.predict_proba(queries)
        best = min(best, time.perf_counter() - started)
    print(f"  scikit-learn, 10 neighbours: predict {best:.4f} s")


def main():
    x, y, jobs = one_table(__doc__)
    cut, random = len(x) * 3 // 4, np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        compare("the table", folder, x[:cut], y[:cut], x[cut:], jobs, 25)
        copies = np.vstack([x[:cut], x[:50]])
        compare("queries that are training rows", folder, copies, np.append(y[:cut], y[:50]), x[:200], jobs, 5)
        wide = random.normal(size=(500, 3000)) + 1
        compare("more features than rows", folder, wide[:300].astype(np.float32), np.arange(300) % 7, wide[300:].astype(np.float32), jobs, 12)
        far = random.normal(size=(4000, 8)) + 100
        compare("far from the origin", folder, far[:3000].astype(np.float32), np.arange(3000) % 4, far[3000:].astype(np.float32), jobs, 40)
        compare("all rows vote", folder, far[:50].astype(np.float32), np.arange(50) % 4, far[3000:].astype(np.float32), jobs, 50)
        made = random.normal(size=(10_000, 512)).astype(np.float32)
        times(folder, made[:7000], np.arange(7000) % 3, made[7000:], jobs)


if __name__ == "__main__":
    main()
