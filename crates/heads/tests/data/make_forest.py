"""Makes forest_trees.json and forest_scores.json: what scikit-learn's RandomForestClassifier does.

Run with the referees' environment (bench/referees/requirements.txt: scikit-learn 1.9.1, numpy 2.4.6):

    python crates/heads/tests/data/make_forest.py

forest_trees.json: single trees on all rows and all features, node by node in breadth-first order. Such a tree is a
function of the samples as long as no two splits of a node are equally good: each is grown with 20 random states, and
must come out the same.

forest_scores.json: what 20 forests with different seeds come to on data from the formula in `samples` below (repeated
in tests/forest/statistics.rs), for the defaults and for each parameter that changes what is drawn or weighed.
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, log_loss

warnings.simplefilter("ignore")

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1


def splitmix64(k):
    z = (k + 1) * 0x9E3779B97F4A7C15 & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def uniform(k):
    """In [0, 1) with 24 bits: exact in single precision."""
    return (splitmix64(k) >> 40) / 2.0**24


def samples(start, n_samples, n_features, n_classes):
    """Row i is of class min(floor(n_classes * u^2)), so that classes differ in size."""
    x = np.empty((n_samples, n_features), dtype=np.float32)
    y = np.empty(n_samples, dtype=np.uint32)
    for i in range(n_samples):
        row = start + i
        y[i] = int(n_classes * uniform(1_000_000 + row) ** 2)
        for j in range(n_features):
            centre = uniform(2_000_000 + int(y[i]) * n_features + j)
            x[i, j] = uniform(3_000_000 + row * n_features + j) + 0.5 * centre
    return x, y


def breadth_first(tree):
    order = [0]
    for node in order:
        if tree.children_left[node] >= 0:
            order += [int(tree.children_left[node]), int(tree.children_right[node])]
    split = [tree.children_left[node] >= 0 for node in order]
    return {
        "feature": [int(tree.feature[n]) if s else -1 for n, s in zip(order, split)],
        "threshold": [float(tree.threshold[n]) if s else 0.0 for n, s in zip(order, split)],
        "impurity": [float(tree.impurity[n]) for n in order],
        "weight": [float(tree.weighted_n_node_samples[n]) for n in order],
        "value": [tree.value[n, 0].tolist() for n in order],
    }


def n_nodes(tree):
    """Nodes of which no ancestor has one class only: with weights that are no integers, rounding errors make
    scikit-learn split some of those, to no effect."""
    n, pending = 0, [0]
    while pending:
        node = pending.pop()
        n += 1
        if tree.children_left[node] >= 0 and np.count_nonzero(tree.value[node, 0]) > 1:
            pending += [tree.children_left[node], tree.children_right[node]]
    return n


def weights(n):
    """Weights of rows, in quarters: sums of them are exact."""
    return np.floor(16 * np.array([uniform(4_000_000 + i) for i in range(n)])) / 4 * (np.arange(n) % 5 > 0)


def tree_case(name, x, y, weights=None, **params):
    trees = []
    for seed in range(20):
        forest = RandomForestClassifier(1, bootstrap=False, max_features=None, random_state=seed, **params).fit(x, y, sample_weight=weights)
        trees.append(breadth_first(forest.estimators_[0].tree_) | {"importances": forest.feature_importances_.tolist()})
    assert all(t["feature"] == trees[0]["feature"] and t["threshold"] == trees[0]["threshold"] for t in trees), name
    return {
        "name": name,
        "params": params,
        "n_features": x.shape[1],
        "n_classes": int(y.max()) + 1,
        "x": [float(v) for v in x.ravel()],
        "y": y.tolist(),
    } | ({} if weights is None else {"weights": weights.tolist()}) | trees[0]


def tree_cases():
    x, y = samples(0, 240, 5, 4)
    yield tree_case("gini", x, y, max_depth=4, min_samples_leaf=8)
    yield tree_case("entropy", x, y, criterion="entropy", max_depth=4, min_samples_leaf=8)
    yield tree_case("log_loss", x, y, criterion="log_loss", max_depth=4, min_samples_leaf=8)
    yield tree_case("balanced", x, y, class_weight="balanced", max_depth=4, min_samples_leaf=8)
    yield tree_case("balanced entropy", x, y, criterion="entropy", class_weight="balanced_subsample", max_depth=4, min_samples_leaf=8)
    yield tree_case("fraction in leaf", x, y, min_samples_leaf=0.071)
    yield tree_case("fraction to split", x, y, min_samples_split=0.301, min_samples_leaf=4)
    yield tree_case("impurity decrease", x, y, min_impurity_decrease=0.013, min_samples_leaf=4)
    yield tree_case("impurity decrease balanced", x, y, min_impurity_decrease=0.013, class_weight="balanced", min_samples_leaf=4)
    # Few distinct values: most neighbours in a sorted column are equal.
    coarse = np.floor(x * 12).astype(np.float32)
    yield tree_case("equal values", coarse, y, max_depth=4, min_samples_leaf=8)
    # Steps around 1e-7, below which scikit-learn takes values for equal.
    tiny = np.float32(2e-9) * np.floor(x * 40).astype(np.float32) ** 2
    yield tree_case("nearly equal values", tiny, y, max_depth=4, min_samples_leaf=8)
    # Neighbours in single precision: the middle between them is not one of its numbers.
    bits = (np.float32(3.0).view(np.uint32) + np.floor(x * 300).astype(np.uint32)).view(np.float32)
    yield tree_case("neighbouring floats", bits, y, max_depth=4, min_samples_leaf=8)
    signs = (x - np.float32(0.7)) * np.float32(1e30)
    yield tree_case("large values of both signs", signs, y, max_depth=4, min_samples_leaf=8)
    constant = np.concatenate([np.full((240, 1), 0.5, np.float32), x[:, :2], np.zeros((240, 1), np.float32)], axis=1)
    yield tree_case("constant features", constant, y, max_depth=4, min_samples_leaf=8)
    many, classes = samples(5000, 1500, 6, 9)
    yield tree_case("many rows", many, classes, max_depth=5, min_samples_leaf=20)
    yield tree_case("weights", x, y, weights(240), max_depth=4, min_samples_leaf=8)
    yield tree_case("weights entropy", x, y, weights(240), criterion="entropy", max_depth=4, min_samples_leaf=8)
    yield tree_case("weights balanced", x, y, weights(240), class_weight="balanced", max_depth=4, min_samples_leaf=8)
    yield tree_case("weights decrease", x, y, weights(240), min_impurity_decrease=0.013, min_samples_leaf=4)
    yield tree_case("weights of many rows", many, classes, weights(1500), max_depth=5, min_samples_leaf=20)


def score_cases():
    x, y = samples(0, 500, 16, 4)
    val_x, val_y = samples(10_000, 500, 16, 4)
    cases = {
        "defaults": {},
        "entropy": {"criterion": "entropy"},
        "log2": {"max_features": "log2"},
        "half the features": {"max_features": 0.5},
        "five features": {"max_features": 5},
        "all features": {"max_features": None},
        "depth": {"max_depth": 5},
        "split": {"min_samples_split": 20},
        "leaf": {"min_samples_leaf": 0.01},
        "decrease": {"min_impurity_decrease": 0.005},
        "balanced": {"class_weight": "balanced"},
        "balanced_subsample": {"class_weight": "balanced_subsample"},
        "balanced leaves": {"class_weight": "balanced_subsample", "min_samples_leaf": 5},
        "max_samples fraction": {"max_samples": 0.3},
        "max_samples count": {"max_samples": 100},
        "no bootstrap": {"bootstrap": False},
        "weights": {},
        "weights balanced": {"class_weight": "balanced"},
        "weights balanced_subsample": {"class_weight": "balanced_subsample"},
        "weights no bootstrap": {"bootstrap": False},
    }
    for name, params in cases.items():
        sample_weight = weights(len(y)) if name.startswith("weights") else None
        scores = {k: [] for k in ["accuracy", "weighted_f1", "log_loss", "nodes", "importance", "oob_accuracy"]}
        for seed in range(20):
            oob = params.get("bootstrap", True)
            forest = RandomForestClassifier(50, random_state=seed, oob_score=oob, n_jobs=2, **params)
            forest.fit(x, y, sample_weight=sample_weight)
            proba = forest.predict_proba(val_x)
            scores["accuracy"].append(accuracy_score(val_y, proba.argmax(axis=1)))
            scores["weighted_f1"].append(f1_score(val_y, proba.argmax(axis=1), average="weighted"))
            clipped = np.maximum(proba, 1e-3)
            scores["log_loss"].append(log_loss(val_y, clipped / clipped.sum(axis=1, keepdims=True)))
            scores["nodes"].append(sum(n_nodes(t.tree_) for t in forest.estimators_))
            scores["importance"].append(float(forest.feature_importances_[:4].sum()))
            if oob:
                scores["oob_accuracy"].append(forest.oob_score_)
        case = {"name": name, "params": {k: "all" if v is None else v for k, v in params.items()}, "scores": scores}
        yield case | ({} if sample_weight is None else {"weights": sample_weight.tolist()})


if __name__ == "__main__":
    made_by = {"made_by": "make_forest.py", "sklearn": sklearn.__version__, "numpy": np.__version__}
    for name, cases in [("forest_trees", tree_cases()), ("forest_scores", score_cases())]:
        lines = ",\n".join(json.dumps(case) for case in cases)
        header = json.dumps(made_by)[:-1]
        (HERE / f"{name}.json").write_text(f'{header}, "cases": [\n{lines}\n]}}\n')
