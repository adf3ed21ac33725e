"""Makes knn.json: what scikit-learn's KNeighborsClassifier(algorithm="brute") predicts.

Run with the referees' environment (bench/referees/requirements.txt: scikit-learn 1.9.1, numpy 2.4.6):

    python crates/heads/tests/data/make_knn.py

Rows are those of the formula of make_forest.py (repeated in tests/tables/mod.rs), moved by -0.75; the first 20 queries are training rows. With
`grid`, features are rounded to multiples of 1/2, so that many distances are equal. Where rows at the distance of the k-th neighbour are left
out, scikit-learn's choice among them depends on its heap and its threads: the expected probabilities of such a query are those of the
first of these rows, and `n_tied` counts them, `n_tied_equal` those where scikit-learn comes to the same.
"""

import json
import pathlib

import numpy as np
import sklearn
from make_forest import samples
from sklearn.metrics.pairwise import cosine_distances
from sklearn.neighbors import KNeighborsClassifier

HERE = pathlib.Path(__file__).parent


def by_order(distances, y, k, weights, n_classes):
    """Of equal distances the first row is the nearer."""
    proba = np.zeros((len(distances), n_classes))
    for row, out in zip(distances, proba):
        nearest = np.argsort(row, kind="stable")[:k]
        zero = row[nearest] == 0
        votes = np.ones(k) if weights == "uniform" else zero.astype(float) if zero.any() else 1 / row[nearest]
        np.add.at(out, y[nearest], votes)
        out /= out.sum()
    return proba


def case(shape, metric, weights, k, grid=False):
    (x, y), (other, _) = samples(0, *shape), samples(5_000, 40, *shape[1:])
    x, other = x.astype(np.float64) - 0.75, other.astype(np.float64) - 0.75
    if grid:
        x, other = np.round(2 * x) / 2, np.round(2 * other) / 2
    queries = np.vstack([x[:20], other])
    fitted = KNeighborsClassifier(n_neighbors=k, weights=weights, metric=metric, algorithm="brute").fit(x, y)
    proba = np.zeros((len(queries), shape[2]))
    proba[:, fitted.classes_] = fitted.predict_proba(queries)
    # Differences of numbers with few bits are exact.
    distances = cosine_distances(queries, x) if metric == "cosine" else np.sqrt(((queries[:, None] - x[None]) ** 2).sum(axis=2))
    if metric == "cosine":
        distances[np.abs(distances) < 1e-15] = 0
    reference = by_order(distances, y, k, weights, shape[2])
    ordered = np.sort(distances, axis=1)
    tied = ordered[:, k] - ordered[:, k - 1] < 1e-12
    assert np.abs(proba - reference)[~tied].max(initial=0) < 1e-6
    equal = np.abs(proba - reference).max(axis=1) < 1e-6
    return {
        "shape": shape, "metric": metric, "weights": weights, "n_neighbors": k, "grid": grid,
        "n_tied": int(tied.sum()), "n_tied_equal": int((tied & equal).sum()),
        "probabilities": np.where(tied[:, None], reference, proba).ravel().tolist(),
    }


def cases():
    for metric in ["euclidean", "cosine"]:
        for weights in ["uniform", "distance"]:
            for shape, k in [([150, 6, 3], 5), ([150, 6, 3], 1), ([90, 40, 4], 20), ([300, 3, 5], 50)]:
                yield case(shape, metric, weights, k)
    for weights in ["uniform", "distance"]:
        yield case([200, 3, 3], "euclidean", weights, 6, grid=True)
        yield case([200, 2, 4], "euclidean", weights, 9, grid=True)


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(case) for case in cases())
    (HERE / "knn.json").write_text(f'{{"sklearn": "{sklearn.__version__}", "cases": [\n{lines}\n]}}\n')
