"""Records the ROC and precision-recall curves that scikit-learn draws, into curves.json beside this script.

    python make_curves.py

with the packages of bench/referees/requirements.txt: numpy 2.4.6 and scikit-learn 1.9.1. Curves are lists of
[threshold, x, y]; `null` is the threshold that nothing reaches.
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn import metrics as m

assert (np.__version__, sklearn.__version__) == ("2.4.6", "1.9.1"), (np.__version__, sklearn.__version__)
rng = np.random.default_rng(7)


def curve(thresholds, x, y):
    return [[float(t) if np.isfinite(t) else None, float(a), float(b)] for t, a, b in zip(thresholds, x, y)]


cases = []
for n, k, steps in [(30, 3, 5), (60, 4, 1000), (12, 2, 3)]:
    y = rng.integers(0, k, n)
    proba = (rng.multinomial(steps, np.full(k, 1 / k), size=n) / steps).astype(np.float32)
    curves = []
    for c in range(k):
        p = proba[:, c].astype(np.float64)
        fpr, tpr, thresholds = m.roc_curve(y == c, p, drop_intermediate=False)
        precision, recall, t = m.precision_recall_curve(y == c, p)
        pr = curve(np.append(t, np.inf), recall, precision)[::-1]
        curves.append({"roc": curve(thresholds, fpr, tpr), "precision_recall": pr})
    cases.append({"y": y.tolist(), "proba": proba.astype(float).tolist(), "curves": curves})
path = pathlib.Path(__file__).with_name("curves.json")
path.write_text(json.dumps(cases) + "\n")
