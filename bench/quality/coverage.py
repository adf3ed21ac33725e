"""How often the 95% intervals of a search hold the score on new rows, where new rows can be drawn.

    target/quality-env/bin/python bench/quality/coverage.py --headsmith BINARY [--repeats 200] [--out FILE]

Draws tables from known distributions, searches on each with `auto`, and predicts 20,000 new rows of the same distribution with the model. An interval is right
where it holds the score on these. Prints a line for each kind of table, and writes all of it as JSON.
"""

import argparse
import csv
import json
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from scores import weighted_f1

FEATURES, NEW = 24, 20_000
HEADS = "gaussian,kernel,linear,knn,ridge"
SCORES = ["weighted_f1", "accuracy", "log_loss"]
# Rows, shares of the classes, and whether a validation table judges, of as many rows as a third of the others.
EVEN, RARE = [0.25] * 4, [0.66, 0.2, 0.1, 0.04]
CASES = [(200, EVEN, False), (1000, EVEN, False), (3000, EVEN, False), (1000, RARE, False), (1000, EVEN, True)]


class Population:
    """Classes that are normal around two centres each, in directions of unequal variance."""

    def __init__(self, seed, shares):
        self.random, self.shares = np.random.default_rng(seed), shares
        self.centres = self.random.normal(size=(len(shares), 2, FEATURES)) * 0.75
        self.scales = np.exp(self.random.normal(size=FEATURES) * 0.4)

    def draw(self, n):
        y = self.random.choice(len(self.shares), n, p=self.shares)
        centres = self.centres[y, self.random.integers(2, size=n)]
        return centres + self.random.normal(size=(n, FEATURES)) * self.scales, y


def write(file, x, y):
    with open(file, "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["embeddings", "label"])
        rows.writerows([json.dumps([round(v, 5) for v in row.tolist()]), f"c{label}"] for row, label in zip(x, y))


def once(binary, seed, rows, shares, has_val):
    """Whether each score's interval holds the score on new rows; by how much the score is above that, and the width."""
    population = Population(seed, shares)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write(folder / "train.csv", *population.draw(rows))
        command = [binary, "auto", "--train", folder / "train.csv", "--out", folder / "out", "--heads", HEADS, "--jobs", "1", "--seed", "1", "--quiet"]
        if has_val:
            write(folder / "val.csv", *population.draw(rows // 3))
            command += ["--val", folder / "val.csv", "--no-refit"]
        new, labels = population.draw(NEW)
        write(folder / "new.csv", new, labels)
        call(command)
        predict = [binary, "predict", "--model", folder / "out/model.safetensors", "--data", folder / "new.csv", "--out", folder / "p.csv"]
        call([*predict, "--proba", "--columns", "label", "--jobs", "1", "--quiet"])
        head = json.loads((folder / "out/report.json").read_text())["heads"][-1]
        with open(folder / "p.csv", newline="") as file:
            found = list(csv.DictReader(file))
    names = [f"c{label}" for label in range(len(shares))]
    proba = np.array([[float(row.get(name) or 0) for name in names] for row in found])
    decided = np.array([names.index(row["label"]) for row in found])
    loss = -np.log(np.maximum(proba[np.arange(NEW), labels], 1e-12)).mean()
    truth = {"weighted_f1": weighted_f1(labels, decided), "accuracy": (labels == decided).mean(), "log_loss": loss}
    judged = head["val"] if has_val else head["out_of_fold"]
    result = {}
    for name in SCORES:
        interval = judged["intervals"][name]
        is_held = interval["low"] <= truth[name] <= interval["high"]
        result[name] = [is_held, judged[name] - truth[name], interval["high"] - interval["low"]]
    return result


def call(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headsmith", type=Path, required=True, help="the release binary")
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2, help="searches at once, of one thread each")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    args = parser.parse_args()
    everything = []
    print(f"{'rows':>5} {'classes':<10} {'scored by':<12} " + " ".join(f"{name + ': held, bias, width':>36}" for name in SCORES))
    for case, (rows, shares, has_val) in enumerate(CASES):
        with ThreadPoolExecutor(args.jobs) as pool:
            seeds = range(1000 * case, 1000 * case + args.repeats)
            found = list(pool.map(lambda seed: once(args.headsmith.resolve(), seed, rows, shares, has_val), seeds))
        line = {"rows": rows, "shares": shares, "by": "validation" if has_val else "out of fold", "repeats": args.repeats}
        for name in SCORES:
            held, bias, width = np.array([one[name] for one in found], dtype=float).T
            line[name] = {"held": held.mean(), "bias": bias.mean(), "bias_error": bias.std() / len(bias) ** 0.5, "width": width.mean()}
        everything.append(line)
        columns = " ".join(f"{line[name]['held']:>18.1%} {line[name]['bias']:>+9.4f} {line[name]['width']:>7.4f}" for name in SCORES)
        print(f"{rows:>5} {'even' if shares == EVEN else 'rare':<10} {line['by']:<12} {columns}", flush=True)
    if args.out:
        args.out.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
