"""Heads with closed forms and logistic regression, beside scikit-learn and beside the operations they need.

    target/referees/bin/python bench/peers/heads.py HEAD LINEAR FOLDER [--quick] [--turns N]

HEAD and LINEAR are release examples of headsmith-heads. Rows are made from a seed: class means, factors of low rank and noise. Both sides
take turns on two threads; the numbers are medians. Writes `heads.txt` and `heads.json` to FOLDER. `--quick` uses few rows, to test the script.
"""

import os

for _name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
    os.environ[_name] = "2"

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV

sys.path.insert(0, str(Path(__file__).parents[1] / "referees"))
from linear import objective  # noqa: E402

JOBS, CLASSES, STRENGTHS = 2, 3, 20
# Fits of a few hundredths of a second: the first also waits for memory and threads.
REPEATS = 5
KERNEL = ["transform=none", "spectrum=none", "gamma=1", "calibration=temperature"]


def make(folder, name, n, n_queries, d):
    random = np.random.default_rng(7)
    means, factors = random.normal(size=(CLASSES, d)) * 0.1, random.normal(size=(min(32, d), d)) * 0.2
    total = n + n_queries
    y = random.integers(CLASSES, size=total).astype("<u4")
    x = (random.normal(size=(total, len(factors))) @ factors + means[y] + random.normal(size=(total, d)) * 0.5).astype("<f4")
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    stem = folder / name
    x[:n].tofile(stem.with_suffix(".f32"))
    y[:n].tofile(stem.with_suffix(".u32"))
    if n_queries:
        x[n:].tofile(stem.with_suffix(".query"))
    return stem, x[:n], y[:n], x[n:]


# A process starts with the peak of the one that starts it, so a small one stands between this and the example.
WATCH = """import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)"""


def run(command):
    """What an example prints, and the most memory it held, in bytes."""
    watched = [sys.executable, "-c", WATCH, *map(str, command)]
    found, peak = subprocess.run(watched, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return json.loads(found), int(peak) * 1024


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def median(values):
    return statistics.median(values)


def logistic(c, tol):
    return LogisticRegression(C=c, tol=tol, max_iter=20_000)


def loss(coef, intercept, rows, y, c):
    return objective(coef, intercept, rows, y, np.ones(len(y)), c)


def loosest(single, double, y, c, enough):
    """The rows, in single precision if that does, and the loosest tolerance with which scikit-learn's loss is at most `enough`."""
    for rows, tolerances in [(single, [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]), (double, [1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10])]:
        for tol in tolerances:
            fitted = logistic(c, tol).fit(rows, y)
            if loss(fitted.coef_, fitted.intercept_, double, y, c) <= enough:
                return rows, tol
    raise SystemExit(f"scikit-learn does not reach the loss {enough} of the strength {c}: there is nothing to compare")


class Bench:
    def __init__(self, args):
        self.args, self.rows = args, []

    def head(self, name, stem, d, *given, repeats=1):
        return run([self.args.head, name, stem, d, CLASSES, JOBS, repeats, *given])

    def turns(self, *sides):
        """The results of each side, which take turns."""
        return zip(*[[side() for side in sides] for _ in range(self.args.turns)])

    def row(self, what, ours, other, kind, ratio, asked, unit="s"):
        self.rows.append({"what": what, "ours": ours, "other": other, "kind": kind, "ratio": ratio, "asked": asked, "unit": unit})
        print(line(self.rows[-1]), flush=True)

    def product(self, stem, x, queries):
        n, m, d = len(x), len(queries), x.shape[1]
        ours, theirs = self.turns(lambda: self.head("knn", stem, d, "n_neighbors=10")[0]["product"], lambda: timed(lambda: x @ queries.T))
        ours, theirs = [2 * n * m * d / median(seconds) / 1e9 for seconds in (ours, theirs)]
        self.row("matrix product, GFLOP/s", ours, theirs, "NumPy", ours / theirs, "", "")
        return ours * 1e9

    def kernel(self, stem, n, d, rate):
        one, search = self.turns(
            lambda: self.head("kernel", stem, d, *KERNEL, "alpha=1")[0],
            lambda: self.head("kernel", stem, d, *KERNEL, "alpha=auto", "screen_rows=100")[0])
        seconds = median([found["fit"] for found in one])
        asked, needed = n**3 + 2 * n**2 * d, 2 / 3 * n**3 + n**2 * d
        self.row("kernel, leave-one-out; n^3 + 2 n^2 d operations", seconds, asked / rate, "floor", seconds * rate / asked, "<= 1.6")
        self.row("kernel, leave-one-out; 2/3 n^3 + n^2 d operations", seconds, needed / rate, "floor", seconds * rate / needed, "")
        tried = [found["facts"].get("tried") for found in search]
        counts = [len(t) if isinstance(t, list) else t for t in tried]
        if all(counts):
            eight = median([8 * found["fit"] / count for found, count in zip(search, counts)])
            self.row(f"kernel, 8 of the {counts[0]} fits of alpha=auto", eight, seconds, "one fit", eight / seconds, "<= 7")

    def path(self, stem, x, y):
        cs, d = np.logspace(-4, 4, STRENGTHS), x.shape[1]
        command = [self.args.linear, stem, d, CLASSES, JOBS, 1, "path=" + ",".join(map(repr, cs.tolist()))]
        run(command)
        coefs = np.fromfile(stem.with_suffix(".coef"), dtype="<f4").reshape(STRENGTHS, CLASSES, d)
        intercepts = np.fromfile(stem.with_suffix(".intercept"), dtype="<f4").reshape(STRENGTHS, CLASSES)
        double, settings, worst = x.astype(np.float64), [], 0.0
        for c, coef, intercept in zip(cs, coefs, intercepts):
            best, reached = logistic(c, 1e-10).fit(double, y), loss(coef, intercept, double, y, c)
            worst = max(worst, reached / loss(best.coef_, best.intercept_, double, y, c) - 1)
            settings.append((c, *loosest(x, double, y, c, reached * (1 + 1e-6))))

        def peer():
            return timed(lambda: [logistic(c, tol).fit(rows, y) for c, rows, tol in settings])

        ours, theirs = map(median, self.turns(lambda: run(command)[0]["fit"], peer))
        what = f"linear, {STRENGTHS} strengths to one loss, {worst:.0e} above the least"
        self.row(what, ours, theirs, "scikit-learn", theirs / ours, ">= 10")

    def knn(self, stem, d):
        for k in [10, 40]:
            found = [self.head("knn", stem, d, f"n_neighbors={k}")[0] for _ in range(self.args.turns)]
            ours, product = [median([f[name] for f in found]) for name in ("predict", "product")]
            self.row(f"knn, predict, {k} neighbours", ours, product, "product", ours / product, "<= 1.5")

    def closed(self, stem, x, y):
        peers = {
            "gaussian": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y),
            "ridge": lambda: RidgeClassifierCV(alphas=np.logspace(-4, 4, STRENGTHS)).fit(x, y),
        }
        for name, given in {"gaussian": ["covariance=shared", "shrinkage=auto"], "ridge": ["alpha=auto"]}.items():
            ours, theirs = map(median, self.turns(
                lambda: self.head(name, stem, x.shape[1], *given, repeats=REPEATS)[0]["fit"],
                lambda: min(timed(peers[name]) for _ in range(REPEATS))))
            self.row(f"{name} {' '.join(given)}, the least of {REPEATS}", ours, theirs, "scikit-learn", theirs / ours, ">= 5")

    def large(self, stem, n, d):
        for name in ["linear", "gaussian", "ridge"]:
            found, memory = zip(*[self.head(name, stem, d) for _ in range(self.args.turns)])
            seconds = median([f["fit"] + f["transform"] for f in found])
            self.row(f"{name}, {n} rows", seconds, 60, "limit", seconds / 60, "<= 1")
            self.row(f"{name}, {n} rows, peak", max(memory) / 1e9, 4, "limit", max(memory) / 4e9, "<= 1", "GB")


def line(row):
    what = row["what"] + (f", {row['unit']}" if row["unit"] else "")
    return f"{what:<64} {row['ours']:>10.4f} {row['other']:>10.4f} {row['ratio']:>7.2f} {row['asked']:>7}  {row['kind']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("head", type=Path)
    parser.add_argument("linear", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    n, queries, many, d = (400, 200, 1000, 32) if args.quick else (7000, 3000, 100_000, 512)
    bench = Bench(args)
    header = f"{'measured':<64} {'headsmith':>10} {'other':>10} {'ratio':>7} {'asked':>7}  other"
    print(header)
    with tempfile.TemporaryDirectory() as folder:
        stem, x, y, q = make(Path(folder), "rows", n, queries, d)
        rate = bench.product(stem, x, q)
        bench.knn(stem, d)
        stem.with_suffix(".query").unlink()
        bench.kernel(stem, n, d, rate)
        bench.path(stem, x, y)
        bench.closed(stem, x, y)
        bench.large(make(Path(folder), "many", many, 0, d)[0], many, d)
    args.folder.mkdir(parents=True, exist_ok=True)
    (args.folder / "heads.txt").write_text("\n".join([header, *map(line, bench.rows)]) + "\n")
    (args.folder / "heads.json").write_text(json.dumps({"rows": n, "features": d, "measured": bench.rows}, indent=1))


if __name__ == "__main__":
    main()
