"""`fit forest --folds` against scikit-learn: the scores of the predictions that it writes, the folds, and what scikit-learn's
own forest gets on them.

    target/referees/bin/python bench/referees/folds.py
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import metrics as m
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import PredefinedSplit, StratifiedGroupKFold, cross_val_predict

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
N_FOLDS = 5
rng = np.random.default_rng(5)


def table(n_groups):
    """Groups of 2 to 12 rows around a point of their own, most of one class of three."""
    sizes = rng.integers(2, 13, n_groups)
    groups = np.repeat(np.arange(n_groups), sizes)
    own = rng.choice(3, n_groups, p=[0.6, 0.3, 0.1])
    y = np.where(rng.random(len(groups)) < 0.8, own[groups], rng.choice(3, len(groups)))
    x = rng.normal(size=(n_groups, 8))[groups] * 0.7 + rng.normal(size=(len(groups), 8)) * 0.7
    x[:, :3] += 1.2 * np.eye(3)[y]
    frame = pd.DataFrame(x.astype(np.float32), columns=[f"f{i}" for i in range(8)])
    frame["site"], frame["label"] = [f"site {g}" for g in groups], np.array(["a", "b", "c"])[y]
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)


def cross_validated(folder, frame, *more):
    frame.to_csv(folder / "t.csv", index=False)
    command = [HEADSMITH, "fit", "forest", "--train", folder / "t.csv", "--model", folder / "m.safetensors", "--folds", N_FOLDS]
    command += ["--folds-out", folder / "oof.parquet", "--json", "--quiet", *more]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["folds"], pd.read_parquet(folder / "oof.parquet")


def scores(y, predicted, proba):
    classes = sorted(set(y))
    one_hot = (np.asarray(y)[:, None] == np.array(classes)).astype(float)
    proba = proba.to_numpy(float)
    return {
        "accuracy": m.accuracy_score(y, predicted),
        "balanced_accuracy": m.balanced_accuracy_score(y, predicted),
        "weighted_f1": m.f1_score(y, predicted, average="weighted", labels=classes),
        "macro_f1": m.f1_score(y, predicted, average="macro", labels=classes),
        "mcc": m.matthews_corrcoef(y, predicted),
        "brier": ((proba - one_hot) ** 2).sum(1).mean(),
    }


def compare(ours, theirs, what):
    for key, value in theirs.items():
        assert abs(ours[key] - value) < 1e-6, (what, key, ours[key], value)


def deviation(y, fold):
    counts = pd.crosstab(np.asarray(fold), np.asarray(y)).to_numpy()
    return np.abs(counts / counts.sum(0) - 1 / N_FOLDS)


with tempfile.TemporaryDirectory() as folder:
    folder = Path(folder)
    frame = table(150)
    folds, oof = cross_validated(folder, frame, "--group-column", "site")
    y, fold = frame["label"], oof["cv_fold"]
    assert (oof["site"] == frame["site"]).all()
    compare(folds["out_of_fold"], scores(y, oof["label"], oof[["a", "b", "c"]]), "all rows")
    for report in folds["folds"]:
        own = fold == report["fold"]
        assert own.sum() == report["n_samples"]
        compare(report, scores(y[own], oof["label"][own], oof[["a", "b", "c"]][own]), report["fold"])
    for key in ["accuracy", "weighted_f1", "brier"]:
        values = [report[key] for report in folds["folds"]]
        assert abs(folds["mean"][key] - np.mean(values)) < 1e-9
        assert abs(folds["std"][key] - np.std(values, ddof=1)) < 1e-9
    print(f"ok scores of {len(y)} out-of-fold predictions, of each fold, their mean and standard deviation: scikit-learn's")

    assert frame.groupby("site").apply(lambda rows: fold[rows.index].nunique(), include_groups=False).max() == 1
    theirs = []
    for seed in range(20):
        assigned = np.empty(len(y), int)
        splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
        for k, (_, rows) in enumerate(splitter.split(frame, y, frame["site"])):
            assigned[rows] = k
        theirs.append(deviation(y, assigned))
    ours, theirs = deviation(y, fold), np.array(theirs)
    assert ours.mean() < 1.25 * theirs.mean() + 1e-3 and ours.max() < 1.25 * theirs.max() + 1e-3, (ours.max(), theirs.max())
    print(
        f"ok no group in two folds; shares of the classes off an even split by {ours.mean():.4f} on average, at most "
        f"{ours.max():.4f}; StratifiedGroupKFold {theirs.mean():.4f}, {theirs.max():.4f}"
    )

    x = frame[[f"f{i}" for i in range(8)]].to_numpy()
    accuracies = []
    for seed in range(5):
        forest = RandomForestClassifier(random_state=seed, n_jobs=2)
        predicted = cross_val_predict(forest, x, y, cv=PredefinedSplit(fold - 1))
        accuracies.append(m.accuracy_score(y, predicted))
    mine, spread = folds["out_of_fold"]["accuracy"], 4 * np.std(accuracies, ddof=1) + 0.005
    assert abs(mine - np.mean(accuracies)) < spread, (mine, accuracies)
    print(f"ok accuracy of the forest out of fold {mine:.4f}; scikit-learn's on the same folds {np.mean(accuracies):.4f}")

    folds, oof = cross_validated(folder, frame, "--drop", "site")
    assert deviation(y, oof["cv_fold"]).max() < 1.5 / y.value_counts().min()
    print("ok without groups, each fold has its share of each class to the row")
