"""Which conformal score gives the smallest sets at equal coverage, and which covers hard rows and rare classes best.

    target/quality-env/bin/python bench/quality/conformal_scores.py --headsmith BINARY [--repeats 20] [--tables NAMES]

Fits a head with `fit --folds 5` on half of a table and predicts the other half. From the same out-of-fold probabilities, NumPy computes the thresholds of each score and its sets on the
new rows, none of them with random numbers at prediction:

- threshold: 1 - p of the class (Sadinle, Lei and Wasserman 2019), the score of headsmith, also class by class;
- aps: the probabilities of all classes at least as probable as the class, summed (Romano, Sesia and Candes 2020);
- aps, uniform: the same, with a uniform share of the class's own probability in the calibration rows and half of it at prediction;
- raps: aps with 0.05 for each class after the second in the order of probability (Angelopoulos, Bates, Jordan and Malik 2021).

Prints for each table and score: coverage, mean size, the share of empty sets, the coverage of the worst class, and that of the rows whose most probable class has a probability in the lowest quarter.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from conformal import call
from conformal_tables import REAL, SIMULATED, write

TABLES = {**SIMULATED, **REAL}


def quantile(scores, level):
    """The finite-sample quantile: of n scores the ceil((n + 1) level)-th smallest."""
    k = int(np.ceil((len(scores) + 1) * level - 1e-9))
    return np.inf if k > len(scores) else np.sort(scores)[k - 1]


def threshold(proba, _):
    return 1 - proba


def aps(proba, share):
    """For each class, the probabilities of the classes before it, and `share` of its own."""
    order = np.argsort(-proba, axis=1, kind="stable")
    sorted_proba = np.take_along_axis(proba, order, axis=1)
    sums = np.cumsum(sorted_proba, axis=1) - sorted_proba * (1 - share)
    result = np.empty_like(proba)
    np.put_along_axis(result, order, sums, axis=1)
    return result


def raps(proba, share):
    ranks = np.argsort(np.argsort(-proba, axis=1, kind="stable"), axis=1)
    return aps(proba, share) + 0.05 * np.maximum(ranks + 1 - 2, 0)


SCORES = {
    "threshold": (threshold, lambda random, n: 1.0, 1.0),
    "aps": (aps, lambda random, n: 1.0, 1.0),
    "aps, uniform": (aps, lambda random, n: random.random((n, 1)), 0.5),
    "raps": (raps, lambda random, n: 1.0, 1.0),
}


def probabilities(binary, head, folder, rows, new):
    """Out-of-fold probabilities of `rows`, and those of `new` by the model of all rows, with their labels as indices."""
    train, test, out_of_fold, predicted, model = [folder / name for name in ["train.parquet", "new.parquet", "oof.parquet", "p.parquet", "m.safetensors"]]
    write(train, *rows)
    write(test, *new)
    common = ["--jobs", 1, "--quiet", "--seed", 1]
    call(binary, "fit", head, "--train", train, "--folds", 5, "--folds-out", out_of_fold, "--model", model, *common)
    call(binary, "predict", "--model", model, "--data", test, "--out", predicted, "--proba", "--columns", "label", *common)
    names = sorted(set(rows[1]))
    result = []
    for file, labels in [(out_of_fold, rows[1]), (predicted, new[1])]:
        found = pq.read_table(file).to_pydict()
        result.append((np.array([found[name] for name in names], dtype=float).T, np.array([names.index(label) for label in labels])))
    return result


def measures(scores, new_scores, y, new_y, proba, level, by_class=False):
    own = scores[np.arange(len(y)), y]
    t = [quantile(own[y == c] if by_class else own, level) for c in range(scores.shape[1])]
    sets = new_scores <= np.array(t)
    hit = sets[np.arange(len(new_y)), new_y]
    size = sets.sum(axis=1)
    top = proba.max(axis=1)
    hard = top <= np.quantile(top, 0.25)
    worst = min(hit[new_y == c].mean() for c in np.unique(new_y) if (new_y == c).sum() >= 10)
    return hit.mean(), size.mean(), (size == 0).mean(), worst, hit[hard].mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headsmith", type=Path, required=True, help="the release binary")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--head", default="linear")
    args = parser.parse_args()
    print("| table | level | score | coverage | mean size | empty | worst class | hardest quarter |")
    print("|---|---|---|---|---|---|---|---|")
    for table in args.tables.split(","):
        found = {}
        for seed in range(args.repeats):
            rows, new = TABLES[table](seed)
            with tempfile.TemporaryDirectory() as folder:
                (proba, y), (new_proba, new_y) = probabilities(args.headsmith, args.head, Path(folder), rows, new)
            random = np.random.default_rng(seed)
            for level in [0.9, 0.8]:
                for name, (score, share, at_prediction) in SCORES.items():
                    scores, new_scores = score(proba, share(random, len(y))), score(new_proba, at_prediction)
                    found.setdefault((level, name), []).append(measures(scores, new_scores, y, new_y, new_proba, level))
                of_classes = measures(1 - proba, 1 - new_proba, y, new_y, new_proba, level, by_class=True)
                found.setdefault((level, "threshold, by class"), []).append(of_classes)
        for (level, name), all_of in found.items():
            coverage, size, empty, worst, hard = np.mean(all_of, axis=0)
            print(f"| {table} | {level:.0%} | {name} | {coverage:.1%} | {size:.2f} | {empty:.1%} | {worst:.1%} | {hard:.1%} |", flush=True)


if __name__ == "__main__":
    main()
