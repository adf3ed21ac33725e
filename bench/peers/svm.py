"""Support vector machines beside scikit-learn's, one thread each, in turns.

    target/referees/bin/python bench/peers/svm.py HEAD [TABLE ..] [--rows 25000] [--features 128] [--turns 3]

HEAD is the release example `head` of headsmith-heads. The rows are those of all TABLEs (as the referees read them) or, without one, simulated: four classes, each normal
around two centres. C is 3, the tolerance 1e-3, gamma `scale` on both sides, and scikit-learn has a cache of 2 GB. Prints the seconds of every turn, the medians, and how many
of 2,000 rows (all, where there are fewer) have the same class.
"""

import os

for _name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[_name] = "1"

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.svm import SVC

sys.path.insert(0, str(Path(__file__).parents[1] / "referees"))
from forest import read, write  # noqa: E402

C, QUERIES, CLASSES = 3, 2000, 4


def simulated(n_rows, n_features):
    random = np.random.default_rng(7)
    y = random.integers(CLASSES, size=n_rows)
    centres = random.normal(size=(CLASSES, 2, n_features)) * 0.2
    return (centres[y, random.integers(2, size=n_rows)] + random.normal(size=(n_rows, n_features))).astype(np.float32), y


def joined(files):
    parts = [read(file) for file in files]
    return np.concatenate([x for x, _ in parts]), np.unique(np.concatenate([labels for _, labels in parts]), return_inverse=True)[1]


def ours(example, stem, x, y):
    """What the example prints, and the classes that the head decides for."""
    command = [example, "svm", stem, x.shape[1], y.max() + 1, 1, 1, f"c={C}"]
    found = json.loads(subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found, np.fromfile(stem.with_suffix(".decided"), "<u4")


def theirs(x, y, queries):
    started = time.perf_counter()
    machine = SVC(C=C, cache_size=2000).fit(x, y)
    seconds = time.perf_counter() - started
    return seconds, machine.predict(queries), len(machine.support_)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("head", type=Path, metavar="HEAD")
    parser.add_argument("tables", nargs="*", type=Path, metavar="TABLE")
    parser.add_argument("--rows", type=int, default=25_000, help="of simulated tables")
    parser.add_argument("--features", type=int, default=128, help="of simulated tables")
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    x, y = joined(args.tables) if args.tables else simulated(args.rows, args.features)
    queries, seconds = x[np.random.default_rng(1).permutation(len(x))[:QUERIES]], []
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "train"
        write(stem, x, y)
        queries.astype("<f4").tofile(stem.with_suffix(".query"))
        for turn in range(args.turns):
            found, decided = ours(args.head, stem, x, y)
            fit, labels, n_support = theirs(x.astype(float), y, queries.astype(float))
            seconds.append((found["fit"], fit))
            print(f"turn {turn}: fit {found['fit']:.2f} s (calibration, which scikit-learn does not do here, {found['calibration']:.2f} s), scikit-learn {fit:.2f} s", flush=True)
    mine, other = map(statistics.median, zip(*seconds))
    print(f"{len(x)} rows x {x.shape[1]}, {y.max() + 1} classes: fit {mine:.2f} s, scikit-learn {other:.2f} s, {other / mine:.1f} times")
    print(f"{(decided == labels).mean():.2%} of {len(queries)} rows have the same class; {found['facts']['n_support']} support vectors, scikit-learn {n_support}")


if __name__ == "__main__":
    main()
