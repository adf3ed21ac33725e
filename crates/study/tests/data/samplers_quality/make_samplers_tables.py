"""Makes the two tables of real tuning results: full grids of settings, each fitted and judged.

    pip install scikit-learn==1.9.1 pyarrow==26.0.1 && OMP_NUM_THREADS=1 python make_samplers_tables.py EXAMPLES

digits_heads.json: logistic regression, support vector machines and nearest neighbours on scikit-learn's digits; the
error of five-fold cross-validation. sentences_mlp.json: a perceptron of one layer on EXAMPLES/sentences; one less the
weighted F1 on the validation set after 20 epochs. Half an hour on one core.
"""

import itertools
import json
import sys
import warnings
from pathlib import Path

import numpy as np
from problems import HERE, choice, whole


def table(name, space, branches, judge):
    out = []
    for when, axes in branches:
        keys = [key for key, _ in axes]
        grid = [when | dict(zip(keys, setting)) for setting in itertools.product(*(values for _, values in axes))]
        out.append({"when": when, "axes": axes, "values": [round(judge(params), 6) for params in grid]})
        print(name, when, len(grid), flush=True)
    (HERE / f"{name}.json").write_text(json.dumps({"space": space, "branches": out}) + "\n")


def half_decades(low, high):
    return list(range(low, high + 1))


def digits():
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    x, y = load_digits(return_X_y=True)
    x, y = x[:900] / 16, y[:900]

    def judge(p):
        if p["head"] == "logistic":
            head = LogisticRegression(C=10 ** (p["c"] / 4), max_iter=200)
        elif p["head"] == "neighbours":
            head = KNeighborsClassifier(p["k"], weights=p["weights"], p=p["power"])
        else:
            degree = p.get("degree", 3)
            kernel = {"rbf": "rbf", "poly": "poly"}[p["head"]]
            head = SVC(C=10 ** (p["c"] / 2), gamma=10 ** (p["gamma"] / 2), kernel=kernel, degree=degree)
        return 1 - cross_val_score(head, x, y, cv=5).mean()

    space = [
        ["head", choice("logistic", "neighbours", "rbf", "poly"), None],
        ["c", whole(-8, 8), ["head", ["logistic", "rbf", "poly"]]],
        ["gamma", whole(-8, 4), ["head", ["rbf", "poly"]]],
        ["degree", whole(2, 5), ["head", ["poly"]]],
        ["k", whole(1, 40), ["head", ["neighbours"]]],
        ["weights", choice("uniform", "distance"), ["head", ["neighbours"]]],
        ["power", whole(1, 3), ["head", ["neighbours"]]],
    ]
    c, gamma = ["c", half_decades(-8, 8)], ["gamma", half_decades(-8, 4)]
    neighbours = [["k", list(range(1, 41))], ["weights", ["uniform", "distance"]], ["power", [1, 2, 3]]]
    branches = [
        ({"head": "logistic"}, [c]),
        ({"head": "neighbours"}, neighbours),
        ({"head": "rbf"}, [c, gamma]),
        ({"head": "poly"}, [c, gamma, ["degree", [2, 3, 4, 5]]]),
    ]
    table("digits_heads", space, branches, judge)


def sentences(examples):
    import pyarrow.parquet
    from sklearn.metrics import f1_score
    from sklearn.neural_network import MLPClassifier

    def read(part, rows):
        data = pyarrow.parquet.read_table(Path(examples) / "sentences" / f"{part}.parquet").slice(0, rows)
        return np.array(data["embeddings"].to_pylist(), np.float32), np.array(data["label"].to_pylist())

    (x, y), (val_x, val_y) = read("train", 1500), read("val", 1000)

    def judge(p):
        head = MLPClassifier(
            hidden_layer_sizes=[2 ** p["width"]],
            learning_rate_init=10 ** (p["lr"] / 2),
            alpha=10 ** (p["alpha"] / 1),
            batch_size=2 ** p["batch"],
            activation=p["activation"],
            max_iter=20,
            random_state=0,
        )
        head.fit(x, y)
        return 1 - f1_score(val_y, head.predict(val_x), average="weighted")

    axes = [
        ["width", [2, 3, 4, 5, 6, 7]],
        ["lr", list(range(-9, 1))],
        ["alpha", [-6, -5, -4, -3, -2, -1, 0]],
        ["batch", [5, 7, 9]],
        ["activation", ["relu", "tanh"]],
    ]
    space = [
        ["width", whole(2, 7), None],
        ["lr", whole(-9, 0), None],
        ["alpha", whole(-6, 0), None],
        ["batch", whole(5, 9, step=2), None],
        ["activation", choice("relu", "tanh"), None],
    ]
    table("sentences_mlp", space, [({}, axes)], judge)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    digits()
    sentences(sys.argv[1])
