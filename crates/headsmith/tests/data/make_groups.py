"""Records how scikit-learn splits groups, into groups.json beside this script.

    python make_groups.py

with the packages of bench/referees/requirements.txt: numpy 2.4.6 and scikit-learn 1.9.1. For each table (the class and the
group of each row) it has, of StratifiedGroupKFold under 20 seeds, the mean and the greatest deviation of a class's share of
a fold from that of an even split, in rows of the class.
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.model_selection import StratifiedGroupKFold

assert (np.__version__, sklearn.__version__) == ("2.4.6", "1.9.1"), (np.__version__, sklearn.__version__)
rng = np.random.default_rng(11)


def deviation(y, fold, n_splits):
    counts = np.array([np.bincount(y[fold == k], minlength=y.max() + 1) for k in range(n_splits)])
    return np.abs(counts / np.bincount(y) - 1 / n_splits)


cases = []
# Groups of about one size and of one class each; of several classes; a few large ones among many small; rare classes.
for n_groups, sizes, purity, shares, n_splits in [
    (60, (3, 8), 0.95, [0.5, 0.3, 0.2], 5),
    (40, (5, 30), 0.5, [0.4, 0.3, 0.2, 0.1], 4),
    (120, (1, 60), 0.8, [0.9, 0.1], 5),
    (200, (1, 4), 0.7, [0.6, 0.25, 0.1, 0.05], 10),
]:
    size = np.maximum(1, (sizes[0] + (sizes[1] - sizes[0]) * rng.random(n_groups) ** 3).astype(int))
    groups = np.repeat(np.arange(n_groups), size)
    own = rng.choice(len(shares), n_groups, p=shares)
    y = np.where(rng.random(len(groups)) < purity, own[groups], rng.choice(len(shares), len(groups), p=shares))
    order = rng.permutation(len(y))
    y, groups = y[order], groups[order]
    found = []
    for seed in range(20):
        fold = np.empty(len(y), int)
        splitter = StratifiedGroupKFold(n_splits=n_splits, shuffle=True, random_state=seed)
        for k, (_, rows) in enumerate(splitter.split(np.zeros(len(y)), y, groups)):
            fold[rows] = k
        found.append(deviation(y, fold, n_splits))
    found = np.array(found)
    cases.append({
        "y": y.tolist(),
        "groups": groups.tolist(),
        "n_splits": n_splits,
        "mean": float(found.mean()),
        "worst": float(found.max()),
    })
path = pathlib.Path(__file__).with_name("groups.json")
path.write_text(json.dumps(cases) + "\n")
