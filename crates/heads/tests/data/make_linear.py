"""Makes linear.json and centroid.json: what scikit-learn's LogisticRegression and NearestCentroid find.

Run with the referees' environment (bench/referees/requirements.txt: scikit-learn 1.9.1, numpy 2.4.6):

    python crates/heads/tests/data/make_linear.py

linear.json: the minimum of the objective, divided by `C sum(weights)`, and the probabilities of the first rows, on data from the formula
of make_forest.py (repeated in tests/tables/mod.rs). The minimum is found in double precision by newton-cg and lbfgs with tolerances far
below the defaults, which must agree; with an L1 term by saga.

centroid.json: the centroids and the predicted classes of other rows, of the metric euclidean; and the same on rows of norm 1
with the centroids brought to norm 1, which is the metric cosine.
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
from make_forest import samples, uniform
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import normalize
from sklearn.utils.class_weight import compute_sample_weight

warnings.simplefilter("ignore")

HERE = pathlib.Path(__file__).parent


def sample_weights(n_samples):
    """Every seventh row weighs nothing."""
    return np.array([0.0 if i % 7 == 3 else 3 * uniform(4_000_000 + i) for i in range(n_samples)], dtype=np.float32)


def objective(fitted, x, y, weights, c, l1_ratio=0.0):
    scores = x @ fitted.coef_.T + fitted.intercept_
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    top = scores.max(axis=1)
    losses = np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top - scores[np.arange(len(y)), y]
    penalty = (1 - l1_ratio) * (fitted.coef_**2).sum() / 2 + l1_ratio * np.abs(fitted.coef_).sum()
    return (weights @ losses + penalty / c) / weights.sum()


def linear_case(name, shape, c=1.0, l1_ratio=0.0, weighted=False, class_weight=None, fit_intercept=True):
    x, y = samples(0, *shape)
    x = x.astype(np.float64)
    given = sample_weights(len(y)).astype(np.float64) if weighted else np.ones(len(y))
    params = dict(C=c, class_weight=class_weight, fit_intercept=fit_intercept, max_iter=100_000)
    solvers = ["saga"] if l1_ratio > 0 else ["newton-cg", "lbfgs"]
    fits = [
        LogisticRegression(solver=solver, tol=1e-10, l1_ratio=l1_ratio, **params).fit(x, y, sample_weight=given if weighted else None)
        for solver in solvers
    ]
    if class_weight == "balanced":
        # Balanced by the sums of the sample weights, as LogisticRegression does.
        of_class = np.bincount(y, weights=given)
        weights = given * (given.sum() / (len(of_class) * of_class))[y]
    else:
        weights = given * compute_sample_weight(class_weight, y)
    values = [objective(fitted, x, y, weights, c, l1_ratio) for fitted in fits]
    assert abs(values[0] / values[-1] - 1) < 1e-8, (name, values)
    best = fits[int(np.argmin(values))]
    return {
        "name": name,
        "shape": shape,
        "c": c,
        "l1_ratio": l1_ratio,
        "weighted": weighted,
        "class_weight": "none" if class_weight is None else class_weight if isinstance(class_weight, str)
        else ",".join(f"class{k}:{w}" for k, w in class_weight.items()),
        "fit_intercept": fit_intercept,
        "objective": min(values),
        "probabilities": best.predict_proba(x[:5]).ravel().tolist(),
    }


def linear_cases():
    yield linear_case("three classes", [120, 6, 3])
    yield linear_case("more features than rows", [40, 100, 3])
    yield linear_case("more features than rows, two classes", [40, 100, 2])
    yield linear_case("two classes", [150, 10, 2])
    yield linear_case("two classes, balanced", [150, 10, 2], class_weight="balanced")
    yield linear_case("two classes, sample weights", [150, 10, 2], weighted=True)
    yield linear_case("two classes, no intercept", [150, 10, 2], fit_intercept=False)
    yield linear_case("no intercept", [120, 6, 3], fit_intercept=False)
    yield linear_case("balanced", [300, 8, 5], class_weight="balanced")
    yield linear_case("classes by name", [300, 8, 5], class_weight={0: 0.25, 4: 20})
    yield linear_case("sample weights", [200, 7, 4], weighted=True)
    yield linear_case("sample weights, balanced", [200, 7, 4], weighted=True, class_weight="balanced")
    yield linear_case("weak penalty", [200, 7, 4], c=1e4)
    yield linear_case("strong penalty", [200, 7, 4], c=1e-4)
    yield linear_case("separable, weak penalty", [40, 60, 3], c=1e4)
    yield linear_case("many classes", [500, 20, 30])
    yield linear_case("one feature", [100, 1, 3])
    yield linear_case("lasso", [200, 7, 4], c=0.3, l1_ratio=1.0)
    yield linear_case("elastic net", [200, 7, 4], l1_ratio=0.4, weighted=True)
    yield linear_case("lasso, two classes, balanced", [150, 10, 2], c=0.2, l1_ratio=1.0, class_weight="balanced")
    yield linear_case("lasso, no intercept", [120, 6, 3], l1_ratio=1.0, fit_intercept=False)
    yield linear_case("elastic net, more features than rows", [40, 100, 3], l1_ratio=0.5)


def centroid_case(shape, cosine):
    (x, y), (other, _) = samples(0, *shape), samples(5_000, 60, *shape[1:])
    # The features are all positive: moved, so that directions differ.
    x, other = x.astype(np.float64) - 0.75, other.astype(np.float64) - 0.75
    if cosine:
        x, other = normalize(x), normalize(other)
    fitted = NearestCentroid().fit(x, y)
    if cosine:
        fitted.centroids_ = normalize(fitted.centroids_)
    return {
        "shape": shape,
        "metric": "cosine" if cosine else "euclidean",
        "centroids": fitted.centroids_.ravel().tolist(),
        "classes": fitted.predict(other).tolist(),
    }


def write(name, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / name).write_text(f'{{"sklearn": "{sklearn.__version__}", "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    write("linear.json", linear_cases())
    shapes = [[120, 6, 3], [40, 50, 4], [30, 1, 2]]
    write("centroid.json", (centroid_case(shape, cosine) for shape in shapes for cosine in [False, True] if shape[1] > 1 or not cosine))
