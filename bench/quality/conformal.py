"""How often conformal prediction sets contain the class of a new row, and how large they are.

    target/quality-env/bin/python bench/quality/conformal.py --headsmith BINARY [--simulated 250] [--resamples 20] [--tables NAMES] [--out FILE]

Simulated tables are drawn from a known distribution, and so are many new rows; real tables are halved at random again and again. On the rows of each, `fit --conformal` calibrates the sets
on validation rows (split) or by cross-validation (folds), and `auto --conformal` on the out-of-fold predictions of the rows that it searches on; `evaluate` then counts on the new rows. Each
at two levels, for all classes together and class by class. Prints a line for each, as a row of the table in docs/guide/conformal.md: the mean coverage with its standard error, the coverage of
the class that is covered least (the mean over the tables of each class's coverage), the mean size of a set, and the share of empty sets.
"""

import argparse
import json
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from conformal_tables import REAL, SIMULATED, write

COMMON = ["--jobs", 1, "--seed", 1, "--quiet"]
# Quick heads: the coverage does not depend on how good the head is.
SOURCES = {
    "split": ["fit", "linear", "--val-share", 0.4],
    # Few distinct probabilities: many rows are at the threshold.
    "split, 50 trees": ["fit", "forest", "--n-estimators", 50, "--val-share", 0.4],
    "folds": ["fit", "ridge", "--folds", 5],
    "auto": ["auto", "--heads", "gaussian,ridge,knn"],
}
LEVELS = [0.9, 0.8]


def call(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return done.stdout


def once(binary, table, seed, sources):
    """Coverage, coverage of each class by name, mean size and share of empty sets on new rows, by source, level and kind."""
    rows, new = {**SIMULATED, **REAL}[table](seed)
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        train, test, model = folder / "train.parquet", folder / "new.parquet", folder / "out/model.safetensors"
        (folder / "out").mkdir()
        write(train, *rows)
        write(test, *new)
        for source in sources:
            command = SOURCES[source]
            where = ["--out", folder / "out"] if command[0] == "auto" else ["--model", model]
            for level in LEVELS:
                for by_class in [False, True]:
                    by = ["--conformal-by-class"] if by_class else []
                    call(binary, *command, "--train", train, *where, "--conformal", level, *by, *COMMON)
                    found = json.loads(call(binary, "evaluate", "--model", model, "--data", test, "--json", *COMMON))
                    sets, names = found["conformal"], [of["class"] for of in found["per_class"]]
                    of_class = {name: of["coverage"] for name, of in zip(names, sets["per_class"])}
                    kind = "by class" if by_class else "together"
                    result[f"{source}; {kind}; {level}"] = [sets["coverage"], of_class, sets["mean_size"], sets["sizes"][0] / sets["n_samples"]]
    return result


def cells(key, repeats):
    """The mean coverage with its standard error, the coverage of the class that is covered least, the mean size, and the share of empty sets."""
    coverage, size, empty = [np.array([repeat[key][i] for repeat in repeats]) for i in (0, 2, 3)]
    names = {name for repeat in repeats for name in repeat[key][1]}
    of_class = [[repeat[key][1].get(name) for repeat in repeats] for name in names]
    least = min(np.mean([of for of in all_of if of is not None]) for all_of in of_class)
    error = coverage.std(ddof=1) / len(coverage) ** 0.5
    return f"{coverage.mean():.1%} ({error:.1%}) | {least:.1%} | {size.mean():.2f} | {empty.mean():.1%}"


def lines(table, repeats):
    """A row for each source and kind of thresholds."""
    for source, kind in dict.fromkeys(tuple(key.split("; ")[:2]) for key in repeats[0]):
        yield f"| {table} | {source} | {kind} | " + " | ".join(cells(f"{source}; {kind}; {level}", repeats) for level in LEVELS) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--headsmith", type=Path, required=True, help="the release binary")
    parser.add_argument("--simulated", type=int, default=250, help="simulated tables of each kind")
    parser.add_argument("--resamples", type=int, default=20, help="halvings of each real table")
    parser.add_argument("--tables", default=",".join([*SIMULATED, *REAL]))
    parser.add_argument("--sources", default=";".join(SOURCES), help="separated by semicolons")
    parser.add_argument("--jobs", type=int, default=2, help="tables at once, of one thread each")
    parser.add_argument("--out", type=Path, help="write every repeat here, as JSON")
    args = parser.parse_args()
    columns = " | ".join(f"{level:.0%}: coverage (s. e.) | least class | size | empty" for level in LEVELS)
    print(f"| table | calibrated on | thresholds | {columns} |\n" + "|---" * 11 + "|")
    everything = {}
    with ProcessPoolExecutor(args.jobs) as pool:
        for table in args.tables.split(","):
            n = args.simulated if table in SIMULATED else args.resamples
            repeats = list(pool.map(once, [args.headsmith] * n, [table] * n, range(n), [args.sources.split(";")] * n))
            for line in lines(table, repeats):
                print(line, flush=True)
            everything[table] = repeats
            if args.out:
                args.out.write_text(json.dumps(everything))


if __name__ == "__main__":
    main()
