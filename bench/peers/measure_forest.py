"""The random forest beside scikit-learn's, both with their defaults and all cores: python measure_forest.py FOLDER

Fits and predictions of the rows learned from, of the tables in FOLDER and of 100,000 rows made from them: each lies between
two rows of one class, with some noise. A prediction is the shortest of three. The 100,000 rows take scikit-learn minutes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import measure

NAME = "scikit-learn"
ASKED = "(asked: 10 times)"
HEAD = "forest"
SEEDS = 3
MANY_ROWS = 100_000


def write(folder, tables):
    """Writes `tables`, and a larger one made from the first, in the form in which both sides read them; gives the shape."""
    import forest as referee
    import numpy as np

    x, labels, val_x, val_labels = measure.saved(tables)
    classes, y = np.unique(labels, return_inverse=True)
    val = val_x, np.searchsorted(classes, val_labels)
    for name, train in [("few", (x, y)), ("many", referee.resampled(x, y, MANY_ROWS))]:
        (folder / name).mkdir()
        referee.write(folder / name / "train", *train)
        referee.write(folder / name / "val", *val)
    return x.shape, len(classes)


def ours(folder, shape, seed):
    import forest as referee

    return referee.ours(folder, shape, measure.JOBS, seed, HEAD)


def theirs(folder, shape, seed):
    import forest as referee
    import numpy as np

    read = lambda name: (np.fromfile(folder / f"{name}.f32", "<f4").reshape(-1, shape[0]), np.fromfile(folder / f"{name}.u32", "<u4"))
    return referee.theirs(read("train"), read("val"), measure.JOBS, seed, HEAD)


def compare(folder, shape, n_rows, n_seeds):
    """Both sides in turns; prints the rows of fit and predict, and gives all results."""
    runs = []
    for seed in range(n_seeds):
        a, _ = measure.peer(ours, folder, shape, seed)
        runs.append((a, *measure.peer(theirs, folder, shape, seed)))
    for what in ["fit", "predict"]:
        label = f"forest {what}, {n_rows:,} x {shape[0]} {ASKED}"
        measure.row(label, [a[what] for a, _, _ in runs], [b[what] for _, b, _ in runs], "s", NAME)
    return runs


def main(data):
    example = ["cargo", "build", "--quiet", "--release", "--locked", "-p", "headsmith-heads", "--example", "forest"]
    subprocess.run(example, cwd=measure.ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        measure.save(folder, measure.table(data, "train"), measure.table(data, "val"))
        ((n_rows, n_features), n_classes), _ = measure.peer(write, folder, folder)
        shape = (n_features, n_classes)
        runs = compare(folder / "few", shape, n_rows, SEEDS)
        memory = [a["peak"] for a, _, _ in runs], [peak for _, _, peak in runs]
        measure.row("forest peak memory of the process", *memory, "MB", NAME)
        f1 = [a["weighted_f1"] for a, _, _ in runs], [b["weighted_f1"] for _, b, _ in runs]
        measure.row("forest validation weighted F1", *f1, "", NAME)
        compare(folder / "many", shape, MANY_ROWS, 1)


if __name__ == "__main__":
    main(sys.argv[1])
