"""Prediction sets against the formulas in NumPy, and against MAPIE where it is installed.

    target/referees/bin/python bench/referees/conformal.py

The thresholds in the model file must be, to the last bit, the finite-sample quantiles of the out-of-fold probabilities that the same fit writes; the sets that `predict` writes in each format
must be the classes whose probability is at least their threshold; and coverage and sizes of `evaluate` must be counted from them. With weights and groups the quantile is the one of
Tibshirani and others (2019) and of Lee, Barber and Willett (2023), written out row by row.

MAPIE is not installed by `cargo xtask env`. For the comparison with it: pip install --no-deps --target FOLDER mapie==1.6.0, and PYTHONPATH=FOLDER.
"""

import json
import math
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors import safe_open

from model_file import DATA, HEADSMITH



COMMON = ["--jobs", "2", "--quiet"]


def call(*command):
    return subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True).stdout


def model_of(path):
    with safe_open(path, "numpy") as file:
        return json.loads(file.metadata()["headsmith"])


def quantile(own, level):
    """Of n probabilities of the true class the ceil((n + 1) level)-th largest."""
    k = math.ceil((len(own) + 1) * level - 1e-9)
    return 0.0 if k > len(own) else np.sort(own)[::-1][k - 1]


def weighted(own, masses, of_new, level):
    """The largest of the probabilities that leaves a share `level` of all masses, that of the new row too, at or above it."""
    for p in np.sort(np.unique(own[masses > 0]))[::-1]:
        if masses[own >= p].sum() >= level * (masses.sum() + of_new) - 1e-9:
            return p
    return 0.0


class Case:
    """A fit with sets, its out-of-fold probabilities and what the model file has."""

    def __init__(self, folder, train, head, level, by_class, *more):
        self.model_path, out = folder / "m.safetensors", folder / "oof.parquet"
        kind = ["--conformal-by-class"] if by_class else []
        command = ["fit", head, "--train", train, "--folds", 4, "--folds-out", out, "--model", self.model_path, "--conformal", level, *kind, "--json"]
        self.report = json.loads(call(HEADSMITH, *command, *more, *COMMON))["conformal"]
        self.model = model_of(self.model_path)
        self.names, self.thresholds = self.model["classes"], np.array(self.model["sets"]["thresholds"])
        self.table = pd.read_parquet(out)
        self.y = np.array([self.names.index(label) for label in pd.read_parquet(train)["label"]])
        proba = self.table[self.names].to_numpy(np.float64)
        self.own = proba[np.arange(len(self.y)), self.y]
        self.groups = [self.y == c if by_class else np.ones(len(self.y), bool) for c in range(len(self.names))]


def thresholds(folder, train):
    for head in ["ridge", "knn"]:
        for level in [0.8, 0.9, 0.99]:
            for by_class in [False, True]:
                case = Case(folder, train, head, level, by_class)
                expected = [quantile(case.own[rows], level) for rows in case.groups]
                assert case.thresholds.tolist() == expected, (head, level, case.thresholds, expected)
                assert case.report["thresholds"] == expected and case.report["rows"] == "out_of_fold"
                print(f"ok conformal: {head}, level {level}, {'by class' if by_class else 'together'}: thresholds are NumPy's quantiles {np.round(expected, 4)}")


def with_weights_and_groups(folder, train):
    frame = pd.read_parquet(train)
    random = np.random.default_rng(3)
    frame["w"] = random.integers(0, 5, len(frame)).astype(float)
    frame["site"] = [f"site {i}" for i in random.geometric(0.03, len(frame))]
    frame.to_parquet(folder / "more.parquet")
    for by_class in [False, True]:
        case = Case(folder, folder / "more.parquet", "ridge", 0.8, by_class, "--weight-column", "w")
        weights = case.table["w"].to_numpy()
        expected = [weighted(case.own[rows], weights[rows], weights[rows].max(), 0.8) for rows in case.groups]
        assert case.thresholds.tolist() == expected, (case.thresholds, expected)
        # A group is all rows with one site, and those that share their features.
        case = Case(folder, folder / "more.parquet", "ridge", 0.8, by_class, "--group-column", "site", "--drop", "w")
        sites = case.table["site"].to_numpy()
        expected = []
        for rows in case.groups:
            sizes = Counter(sites[rows])
            expected.append(weighted(case.own[rows], np.array([1 / sizes[site] for site in sites[rows]]), 1.0, 0.8))
        assert case.thresholds.tolist() == expected, (case.thresholds, expected)
        assert case.report["n_groups"] == len(set(sites))
        print(f"ok conformal: weights and groups, {'by class' if by_class else 'together'}: thresholds are those of the formulas")


def predictions(folder, train, new):
    case = Case(folder, train, "ridge", 0.9, True)
    for name in ["p.parquet", "p.csv", "p.jsonl"]:
        call(HEADSMITH, "predict", "--model", case.model_path, "--data", new, "--out", folder / name, "--proba", "--columns", "label,prediction_set", *COMMON)
    found = pd.read_parquet(folder / "p.parquet")
    proba = found[case.names].to_numpy(np.float64)
    members = proba >= case.thresholds
    assert [list(row) for row in found["prediction_set"]] == [[case.names[c] for c in np.flatnonzero(row)] for row in members]
    of_csv = pd.read_csv(folder / "p.csv")["prediction_set"].str.get_dummies().reindex(columns=case.names, fill_value=0)
    assert (of_csv.to_numpy() == members).all()
    of_json = pd.read_json(folder / "p.jsonl", lines=True)["prediction_set"]
    assert of_json.tolist() == [list(row) for row in found["prediction_set"]]
    print(f"ok conformal: {len(members)} sets in Parquet, CSV (get_dummies) and JSON Lines are the classes above their thresholds")
    evaluated = json.loads(call(HEADSMITH, "evaluate", "--model", case.model_path, "--data", new, "--json", *COMMON))["conformal"]
    y = np.array([case.names.index(label) for label in pd.read_parquet(new)["label"]])
    hit, size = members[np.arange(len(y)), y], members.sum(axis=1)
    assert math.isclose(evaluated["coverage"], hit.mean()) and math.isclose(evaluated["mean_size"], size.mean())
    assert evaluated["sizes"] == np.bincount(size).tolist()
    for c, of_class in enumerate(evaluated["per_class"]):
        assert math.isclose(of_class["coverage"], hit[y == c].mean()) and math.isclose(of_class["mean_size"], size[y == c].mean())
    half = 1.959964 * size.std(ddof=1) / math.sqrt(len(size))
    assert math.isclose(evaluated["intervals"]["mean_size"]["high"], size.mean() + half, rel_tol=1e-6)
    print(f"ok conformal: evaluate counts coverage {hit.mean():.4f} and size {size.mean():.3f} as NumPy does")


def mapie(folder, train, val, new):
    try:
        from mapie.classification import SplitConformalClassifier
    except ImportError:
        print("conformal: MAPIE is not installed, so there is no comparison with it")
        return
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Known(ClassifierMixin, BaseEstimator):
        """A classifier whose features are its probabilities."""

        def fit(self, x, y):
            self.classes_ = np.arange(x.shape[1])
            return self

        def predict_proba(self, x):
            return x

        def predict(self, x):
            return x.argmax(axis=1)

    model = folder / "split.safetensors"
    for level in [0.8, 0.9]:
        call(HEADSMITH, "fit", "forest", "--n-estimators", 50, "--train", train, "--val", val, "--model", model, "--conformal", level, *COMMON)
        names, sets = model_of(model)["classes"], []
        for table in [val, new]:
            out = folder / "p.parquet"
            call(HEADSMITH, "predict", "--model", model, "--data", table, "--out", out, "--proba", "--columns", "label,prediction_set", *COMMON)
            found = pd.read_parquet(out)
            y = np.array([names.index(label) for label in pd.read_parquet(table)["label"]])
            sets.append((found[names].to_numpy(np.float64), y, np.array([[name in row for name in names] for row in found["prediction_set"]])))
        (proba, y, _), (new_proba, _, ours) = sets
        classifier = SplitConformalClassifier(Known().fit(proba, y), confidence_level=level, conformity_score="lac", prefit=True)
        theirs = classifier.conformalize(proba / proba.sum(axis=1, keepdims=True), y).predict_set(new_proba / new_proba.sum(axis=1, keepdims=True))[1][:, :, 0]
        differ = (theirs != ours).any(axis=1)
        # MAPIE computes 1 - p, which rounds, and takes probabilities that sum to 1 in double precision: ties may differ.
        assert differ.mean() < 0.01, (level, differ.mean())
        print(f"ok conformal: level {level}: {len(ours) - differ.sum()} of {len(ours)} sets are MAPIE's (LAC, split)")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        train = pd.read_parquet(DATA / "train.parquet").head(2000)
        train.to_parquet(folder / "train.parquet")
        thresholds(folder, folder / "train.parquet")
        with_weights_and_groups(folder, folder / "train.parquet")
        predictions(folder, folder / "train.parquet", DATA / "val.parquet")
        mapie(folder, folder / "train.parquet", DATA / "val.parquet", DATA / "train.parquet")


if __name__ == "__main__":
    main()
