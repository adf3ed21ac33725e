"""Records what scikit-learn says of many sets of predictions, into metrics.json beside this script.

    python make_metrics.py

with the packages of bench/referees/requirements.txt: numpy 2.4.6 and scikit-learn 1.9.1. The probabilities are
float32 numbers; scikit-learn gets them as float64. `null` stands where it raises or gives NaN. It has no expected
calibration error: that one is computed here bin by bin, as the paper has it.
"""

import json
import math
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics as m

assert (np.__version__, sklearn.__version__) == ("2.4.6", "1.9.1"), (np.__version__, sklearn.__version__)
warnings.simplefilter("ignore")
rng = np.random.default_rng(20261124)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def draw(n, weights, skill, temperature=1.0):
    """Labels of these class weights, and probabilities that lean towards them by `skill`."""
    k = len(weights)
    y = rng.choice(k, size=n, p=np.array(weights) / np.sum(weights))
    z = rng.normal(size=(n, k))
    z[np.arange(n), y] += skill
    return y, softmax(z / temperature)


def coarse(p, steps):
    """Probabilities in multiples of 1/steps, so that many are equal, with exact zeros and ones among them."""
    counts = np.array([rng.multinomial(steps, row) for row in p])
    return counts / steps


def one_hot(p):
    return np.eye(p.shape[1])[p.argmax(axis=1)]


def cases():
    for n in (1, 2, 3, 7, 40):
        for k in (2, 3, 5):
            yield f"{n} samples, {k} classes", *draw(n, np.ones(k), rng.uniform(0, 2))
    for k in (2, 3, 7):
        yield f"imbalance, {k} classes", *draw(60, 0.4 ** np.arange(k), 0.8)
        y, p = draw(50, np.ones(k), 0.7)
        yield f"ties, {k} classes", y, coarse(p, 4)
        yield f"exactly 0 and 1, {k} classes", y, one_hot(p)
        yield f"all equal, {k} classes", y, np.full_like(p, 1 / k)
        yield f"all right, {k} classes", y, np.eye(k)[y]
        yield f"all wrong, {k} classes", y, np.eye(k)[(y + 1) % k]
        yield f"overconfident, {k} classes", *draw(50, np.ones(k), 0.5, temperature=0.02)
        y, p = draw(30, np.ones(k), 0.5)
        yield f"one class only, {k} classes", np.full_like(y, k - 1), p
        yield f"one class only, never predicted, {k} classes", np.full_like(y, k - 1), np.eye(k)[y * 0]
        yield f"one class only, all right, {k} classes", np.full_like(y, k - 1), np.eye(k)[y * 0 + k - 1]
        yield f"only one predicted, {k} classes", y, np.eye(k)[y * 0]
    for k in (3, 4, 6):
        y, p = draw(40, np.ones(k), 0.7)
        yield f"a class absent, {k} classes", np.where(y == 1, 0, y), p
        p = p * (np.arange(k) != 1)
        p /= p.sum(axis=1, keepdims=True)
        yield f"a class absent and never predicted, {k} classes", np.where(y == 1, 0, y), p
        yield f"a class never predicted, {k} classes", y, p
        yield f"two classes of {k}", np.minimum(y, 1) + k - 2, draw(40, np.ones(k), 0)[1]
    yield "many", *draw(500, [5, 1, 3, 2], 1.0)


def null(value):
    return None if value is None or math.isnan(value) else float(value)


def calibration_error(y, p):
    confidence, predicted = p.max(axis=1), p.argmax(axis=1)
    total = 0.0
    for b in range(15):
        # 15 p is exact in float64 for a float32 p.
        inside = (15 * confidence > b) & (15 * confidence <= b + 1)
        if inside.any():
            total += inside.mean() * abs((predicted == y)[inside].mean() - confidence[inside].mean())
    return total


def one_vs_rest(y, p, average):
    k = p.shape[1]
    if k == 2:  # scikit-learn takes one column in the binary case
        return None if len(set(y)) < 2 else m.roc_auc_score(y, p[:, 1])
    return m.roc_auc_score(y, p, multi_class="ovr", average=average, labels=range(k))


def expected(y, p):
    k = p.shape[1]
    labels = list(range(k))
    predicted = p.argmax(axis=1)
    averages = {a: m.precision_recall_fscore_support(y, predicted, average=a) for a in ("macro", "weighted", "micro")}
    per_class = m.precision_recall_fscore_support(y, predicted, labels=labels, average=None)
    return {
        "n_samples": len(y),
        "accuracy": m.accuracy_score(y, predicted),
        "balanced_accuracy": m.balanced_accuracy_score(y, predicted),
        "weighted_f1": averages["weighted"][2],
        "macro_f1": averages["macro"][2],
        "micro_f1": averages["micro"][2],
        "weighted_precision": averages["weighted"][0],
        "macro_precision": averages["macro"][0],
        "weighted_recall": averages["weighted"][1],
        "macro_recall": averages["macro"][1],
        "log_loss": m.log_loss(y, p, labels=labels),
        "brier": m.brier_score_loss(y, p, labels=labels),
        "roc_auc_ovr": null(one_vs_rest(y, p, "macro")),
        "roc_auc_ovr_weighted": null(one_vs_rest(y, p, "weighted")),
        "mcc": float(m.matthews_corrcoef(y, predicted)),
        "cohen_kappa": null(m.cohen_kappa_score(y, predicted)),
        "ece": float(calibration_error(y, p)),
        "per_class": [
            {
                "class": c,
                "precision": float(per_class[0][c]),
                "recall": float(per_class[1][c]),
                "f1": float(per_class[2][c]),
                "support": int(per_class[3][c]),
                "roc_auc": None if len(set(y == c)) < 2 else m.roc_auc_score(y == c, p[:, c]),
                "average_precision": m.average_precision_score(y == c, p[:, c]),
            }
            for c in labels
        ],
        "confusion": m.confusion_matrix(y, predicted, labels=labels).tolist(),
    }


def main():
    recorded = []
    for name, y, p in cases():
        p32 = p.astype(np.float32)
        recorded.append({
            "name": name,
            "y_true": y.tolist(),
            # The shortest decimals that give the same float32 back.
            "proba": [[float(str(v)) for v in row] for row in p32],
            "scores": expected(y, p32.astype(np.float64)),
        })
    text = "[\n" + ",\n".join(json.dumps(case) for case in recorded) + "\n]\n"
    pathlib.Path(__file__).with_name("metrics.json").write_text(text)


main()
