"""What the quality suite judges by: scores of one method on the test rows, differences of two, ranks of many."""

import numpy as np

RESAMPLES, SEED, LEAST = 2000, 17, 1e-15


def scored(y, predicted, proba):
    """Weighted F1, and the log loss of each row and of all. Classes are numbers; `proba` has a column for each."""
    losses = -np.log(np.clip(proba[np.arange(len(y)), y], LEAST, 1))
    return {
        "f1": float(weighted_f1(y, predicted)), "predicted": [int(label) for label in predicted],
        "log_loss": float(losses.mean()), "losses": [round(float(loss), 6) for loss in losses],
    }


def weighted_f1(y, predicted):
    """The mean of the classes' F1, weighted by their rows; a class that is nowhere counts nothing."""
    width = max(y.max(), predicted.max()) + 1
    rows, named = np.bincount(y, minlength=width), np.bincount(predicted, minlength=width)
    right = np.bincount(y[y == predicted], minlength=width)
    return np.sum(rows * 2 * right / np.maximum(rows + named, 1)) / len(y)


def interval(y, ours, theirs, score):
    """The difference ours - theirs and its 95% interval, by resampling the test rows: both are judged on the same."""
    random = np.random.default_rng(SEED)
    draws = [random.integers(len(y), size=len(y)) for _ in range(RESAMPLES)]
    found = [score(ours, rows) - score(theirs, rows) for rows in draws]
    every = np.arange(len(y))
    low, high = np.quantile(found, [0.025, 0.975])
    return {"difference": float(score(ours, every) - score(theirs, every)), "low": float(low), "high": float(high)}


def f1_interval(y, ours, theirs):
    labels = [np.array(cell["predicted"]) for cell in (ours, theirs)]
    return interval(y, *labels, lambda predicted, rows: weighted_f1(y[rows], predicted[rows]))


def loss_interval(y, ours, theirs):
    losses = [np.array(cell["losses"]) for cell in (ours, theirs)]
    return interval(y, *losses, lambda loss, rows: loss[rows].mean())


def ranks(values):
    """1 for the greatest; the mean rank for equals."""
    values = np.array(values)
    return [float(1 + (values > value).sum() + ((values == value).sum() - 1) / 2) for value in values]


def mean_ranks(table):
    """The mean rank of each method, from {table: {method: value}}, greater being better; of methods that every table has."""
    common = sorted(set.intersection(*[set(found) for found in table.values()])) if table else []
    per_table = [ranks([found[method] for method in common]) for found in table.values()]
    means = np.mean(per_table, axis=0) if common else []
    return dict(sorted(((method, float(mean)) for method, mean in zip(common, means)), key=lambda pair: pair[1]))
