"""How often the 95% intervals of a search hold the score on new rows, where new rows can be drawn.

    target/quality-env/bin/python bench/quality/coverage.py --headsmith BINARY [--repeats 200] [--cases NAMES] [--kept FILE]

Draws tables from known distributions, searches on each with `auto` or `run`, or fits one head and scores it with `evaluate`, and predicts many new rows of the same distribution with the model. An interval is right where it
holds the score on these; for n rows that judge and m new rows its ends are moved apart by sqrt(1 + n / m), since the score on new rows has an error, too. Prints a line
for each kind of table, as a row of the table in docs/guide/honest-numbers.md: how often each interval holds, by how much the mean score is above that on new rows, and the
mean width. With --kept every repeat is appended to a file, and serves again while the binary and the case are the same: a run that was interrupted goes on.
`coverage_chart.py` draws the table of that page.
"""

import argparse
import hashlib
import json
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scores import weighted_f1

FEATURES = 24
SCORES = {"weighted_f1": "weighted F1", "accuracy": "accuracy", "log_loss": "log loss"}
EVEN, RARE = (0.25,) * 4, (0.66, 0.2, 0.1, 0.04)
ALL, QUICK = "gaussian,kernel,linear,knn,ridge", "gaussian,ridge"


@dataclass(frozen=True)
class Case:
    """Tables of so many rows."""

    rows: int
    shares: tuple = EVEN
    heads: str = ALL
    # A validation table judges, of a third of the rows.
    has_val: bool = False
    n_new: int = 20_000
    # Rows of a group share their class and most of their noise, and a column names it.
    rows_of_group: int = 1
    # Every row occurs one to three times.
    has_copies: bool = False
    # `auto`, `run`, or `evaluate` after the fit of one head.
    command: str = "auto"
    # Rows of the validation table, where they are not a third.
    n_val: int = 0

    def n_judging(self):
        return (self.n_val or self.rows // 3) if self.has_val else self.rows

    def title(self):
        if self.rows_of_group > 1:
            heads = ", all heads" if self.heads == ALL and self.command == "auto" else ""
            return f"{self.rows:,} in {self.rows // self.rows_of_group} groups{heads}"
        return f"{self.rows:,}, copies of {self.rows // 2}" if self.has_copies else f"{self.rows:,}"

    def judged_by(self):
        by = "" if self.command == "auto" else f"by `{self.command}`, "
        return by + (f"on {self.n_judging():,} validation rows" if self.has_val else "out of fold")


CASES = {
    "200": Case(200),
    "500": Case(500),
    "1000": Case(1000),
    "rare": Case(1000, RARE),
    "val": Case(1000, heads=QUICK, has_val=True),
    "4000": Case(4000, heads=QUICK),
    "20000": Case(20_000, heads=QUICK, n_new=200_000),
    "copies": Case(1000, heads=QUICK, has_copies=True),
    "groups": Case(1000, heads=QUICK, rows_of_group=5),
    "groups-val": Case(1500, heads=QUICK, has_val=True, rows_of_group=5),
    "run": Case(1000, heads=QUICK, has_val=True, command="run"),
    "evaluate-200": Case(1000, has_val=True, command="evaluate", n_val=200),
    "evaluate-rare": Case(1000, RARE, has_val=True, command="evaluate", n_val=1000),
    "evaluate-copies": Case(1000, has_val=True, has_copies=True, command="evaluate", n_val=1000),
    "evaluate-groups": Case(1000, has_val=True, rows_of_group=5, command="evaluate", n_val=1000),
    "evaluate-20000": Case(1000, has_val=True, command="evaluate", n_val=20_000, n_new=200_000),
    "groups-all": Case(1000, rows_of_group=5),
}


class Population:
    """Classes that are normal around two centres each, in directions of unequal variance."""

    def __init__(self, seed, case):
        self.random, self.shares, self.case = np.random.default_rng(seed), case.shares, case
        shares, self.n_groups = case.shares, 0
        self.centres = self.random.normal(size=(len(shares), 2, FEATURES)) * 0.45
        self.scales = np.exp(self.random.normal(size=FEATURES) * 0.4)

    def draw(self, n, is_new=False):
        """Features, classes and, where there are any, groups of n rows."""
        if self.case.has_copies and not is_new:
            # As many of each, so that the mean is that of new rows.
            different = np.repeat(np.arange(n // 2), self.random.permutation(np.resize([1, 2, 3], n // 2)))
            different = np.resize(different, n)
            x, y, group = self.draw(n // 2, is_new=True)
            return x[different], y[different], group
        size = self.case.rows_of_group
        group = np.arange(n) // size
        y = self.random.choice(len(self.shares), n // size, p=self.shares)[group]
        centres = self.centres[y, self.random.integers(2, size=n // size)[group]]
        noise = self.random.normal(size=(n, FEATURES))
        if size > 1:
            noise = 0.6 * noise + 0.8 * self.random.normal(size=(n // size, FEATURES))[group]
        # No group is in two tables.
        names = group + self.n_groups
        self.n_groups += n // size
        return (centres + noise * self.scales).astype(np.float32), y, names if size > 1 else None


def write(file, rows):
    x, y, group = rows
    lists = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), x.shape[1])
    columns = {"embeddings": lists, "label": [f"c{label}" for label in y]}
    if group is not None:
        columns["group"] = [f"g{number}" for number in group]
    pq.write_table(pa.table(columns), file)


def judged(binary, case, folder):
    """Fits to the tables of the folder; the scores with their intervals, as the command reports them, and the model's file."""
    train, val, out = folder / "train.parquet", folder / "val.parquet", folder / "out"
    rest = ["--jobs", "1", "--seed", "1", "--quiet"]
    groups = ["--group-column", "group"] if case.rows_of_group > 1 else []
    if case.command == "evaluate":
        model = folder / "model.safetensors"
        call([binary, "fit", "gaussian", "--train", train, "--val-share", "0", "--model", model, *groups, *rest])
        return json.loads(call([binary, "evaluate", "--model", model, "--data", val, "--json", *groups, *rest])), model
    command = [binary, case.command, "--train", train, "--out", out, "--heads", case.heads, *groups, *rest]
    call([*command, *(["--val", val, "--no-refit"] if case.has_val else [])])
    head = json.loads((out / "report.json").read_text())["heads"][-1]
    return head["val"] if case.has_val else head["out_of_fold"], out / "model.safetensors"


def once(binary, seed, case):
    """Each score of the report, the same on new rows, and the ends of its interval."""
    population = Population(seed, case)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write(folder / "train.parquet", population.draw(case.rows))
        if case.has_val:
            write(folder / "val.parquet", population.draw(case.n_judging()))
        rows = population.draw(case.n_new, is_new=True)
        labels = rows[1]
        new, out = folder / "new.parquet", folder / "p.parquet"
        write(new, rows)
        found, model = judged(binary, case, folder)
        call([binary, "predict", "--model", model, "--data", new, "--out", out, "--proba", "--columns", "label", "--jobs", "1", "--quiet"])
        predicted = pq.read_table(out).to_pydict()
    names = [f"c{label}" for label in range(len(case.shares))]
    proba = np.array([predicted.get(name, [0.0] * case.n_new) for name in names], dtype=float).T
    decided = np.array([names.index(label) for label in predicted["label"]])
    loss = -np.log(np.maximum(proba[np.arange(case.n_new), labels], 1e-12)).mean()
    truth = {"weighted_f1": weighted_f1(labels, decided), "accuracy": (labels == decided).mean(), "log_loss": loss}
    ends = found["intervals"]
    return {name: [float(v) for v in (found[name], truth[name], ends[name]["low"], ends[name]["high"])] for name in SCORES}


def call(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return done.stdout


def measured(binary, name, seeds, jobs, kept):
    """Of each seed what `once` gives, from the file `kept` or measured."""
    case = CASES[name]
    key = [hashlib.sha256(binary.read_bytes()).hexdigest()[:16], repr(case)]
    lines = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    found = {line["seed"]: line["scores"] for line in lines if line["key"] == key}
    left = [seed for seed in seeds if seed not in found]
    with ProcessPoolExecutor(jobs) as pool:
        for seed, of_seed in zip(left, pool.map(once, [binary] * len(left), left, [case] * len(left))):
            found[seed] = of_seed
            if kept:
                with open(kept, "a") as file:
                    file.write(json.dumps({"key": key, "case": name, "seed": seed, "scores": of_seed}) + "\n")
    return [found[seed] for seed in seeds]


def summary(case, repeats):
    """For each score: the share of intervals that hold, its standard error, the bias and its standard error, and the width."""
    result = {}
    for name in SCORES:
        score, truth, low, high = np.array([repeat[name] for repeat in repeats]).T
        apart = (1 + case.n_judging() / case.n_new) ** 0.5
        low, high = score - apart * (score - low), score + apart * (high - score)
        held, n = ((low <= truth) & (truth <= high)).mean(), len(score)
        bias = score - truth
        result[name] = {
            "held": held,
            "held_error": (held * (1 - held) / n) ** 0.5,
            "bias": bias.mean(),
            "bias_error": bias.std() / n**0.5,
            "width": (high - low).mean() / apart,
        }
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headsmith", type=Path, required=True, help="the release binary")
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--cases", default=",".join(CASES), help=f"of {', '.join(CASES)} [default: all]")
    parser.add_argument("--jobs", type=int, default=2, help="searches at once, of one thread each")
    parser.add_argument("--kept", type=Path, help="file of the repeats, which is made or goes on")
    args = parser.parse_args()
    print("| rows | classes | scored | tables | " + " | ".join(f"{title}: held | bias | width" for title in SCORES.values()) + " |")
    print("|---" * (4 + 3 * len(SCORES)) + "|")
    for number, (name, case) in enumerate(CASES.items()):
        if name not in args.cases.split(","):
            continue
        seeds = range(1000 * number, 1000 * number + args.repeats)
        of = summary(case, measured(args.headsmith.resolve(), name, seeds, args.jobs, args.kept))
        columns = " | ".join(f"{of[score]['held']:.1%} | {of[score]['bias']:+.4f} | {of[score]['width']:.3f}" for score in SCORES)
        classes = "equal" if case.shares == EVEN else "66%, 20%, 10%, 4%"
        print(f"| {case.title()} | {classes} | {case.judged_by()} | {args.repeats} | {columns} |", flush=True)


if __name__ == "__main__":
    main()
