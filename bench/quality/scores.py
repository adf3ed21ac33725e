"""What the quality suite judges by: scores of one method on the test rows, differences of two, ranks of many."""

from math import erfc

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


def draws(y, groups):
    """Resamples of the test rows; of whole groups where there are some, since rows of one group are not independent."""
    random = np.random.default_rng(SEED)
    if groups is None:
        return [random.integers(len(y), size=len(y)) for _ in range(RESAMPLES)]
    names = np.unique(groups)
    members = [np.flatnonzero(groups == name) for name in names]
    return [np.concatenate([members[i] for i in random.integers(len(names), size=len(names))]) for _ in range(RESAMPLES)]


def interval(rows, ours, theirs, score):
    """The difference ours - theirs on the test rows, its 95% interval and p-value over resamples: both are judged on the same
    rows. The interval has the resamples' quantiles; the p-value of no difference, two-sided, their standard error."""
    found = np.array([score(ours, drawn) - score(theirs, drawn) for drawn in rows])
    every = np.arange(len(ours))
    difference = float(score(ours, every) - score(theirs, every))
    low, high = np.quantile(found, [0.025, 0.975])
    error = found.std(ddof=1)
    return {"difference": difference, "low": float(low), "high": float(high), "p": erfc(abs(difference) / error / 2**0.5) if error > 0 else 1.0}


def f1_interval(y, rows, ours, theirs):
    labels = [np.array(cell["predicted"]) for cell in (ours, theirs)]
    return interval(rows, *labels, lambda predicted, drawn: weighted_f1(y[drawn], predicted[drawn]))


def loss_interval(rows, ours, theirs):
    losses = [np.array(cell["losses"]) for cell in (ours, theirs)]
    return interval(rows, *losses, lambda loss, drawn: loss[drawn].mean())


def holm(values):
    """p-values that hold for all together (Holm 1979)."""
    order, found, largest = np.argsort(values), np.zeros(len(values)), 0.0
    for position, i in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - position) * values[i]))
        found[i] = largest
    return found.tolist()


def ranks(values):
    """1 for the greatest; the mean rank for equals."""
    values = np.array(values)
    return [float(1 + (values > value).sum() + ((values == value).sum() - 1) / 2) for value in values]


def mean_ranks(table, methods):
    """The mean rank of each of `methods` among them and its 95% interval over resamples of the tables, from
    {table: {method: value}}, greater being better; of the tables that all of them have, whose number comes first."""
    whole = [[found[method] for method in methods] for found in table.values() if found.keys() >= set(methods)]
    if not whole:
        return 0, {}
    per_table = np.array([ranks(values) for values in whole])
    drawn = np.random.default_rng(SEED).integers(len(whole), size=(RESAMPLES, len(whole)))
    low, high = np.quantile(per_table[drawn].mean(axis=1), [0.025, 0.975], axis=0)
    return len(whole), {method: [float(per_table[:, i].mean()), float(low[i]), float(high[i])] for i, method in enumerate(methods)}
