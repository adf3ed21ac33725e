"""How the cost of a fit grows: the forest against rows, features and trees, the perceptron against rows, features, batch
and width.

    python bench/peers/scaling.py FOREST MLP FOLDER [CURVE..]

FOREST and MLP are the example binaries of a release build. Data are made from a seed: features are normal, and the class is
the greatest of three noisy linear scores, so that trees grow deep. One thing varies at a time, the rest is as in `BASE`.
Each point is the median of three fits, or one where it takes long. Exponents are slopes of a straight line through the
logarithms; beside each stands what counting the work lets one expect between the first point and the last. Writes
`scaling.txt`, `.json` and `.svg` to FOLDER.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from math import log, log2, sqrt
from pathlib import Path

import numpy as np

JOBS = len(os.sched_getaffinity(0))
N_CLASSES, N_VAL = 3, 500
BASE = {"rows": 5000, "features": 512, "trees": 100, "batch": 963, "width": 434}
# Fits that take longer are done once.
LONG = 5.0
EPOCHS = 3


def forest_work(p):
    """Sorting all columns once, and for each tree sqrt(features) columns of rows on each of about log2(rows) levels."""
    presort = p["rows"] * p["features"]
    return presort + p["trees"] * sqrt(p["features"]) * p["rows"] * log2(p["rows"])


def mlp_work(p):
    """Products of the layers of equal width (three of them, forwards and twice backwards but for the first input), and
    Adam's work on each weight in each step, which takes about as long as 30 operations."""
    first, rest = p["features"] * p["width"], 2 * p["width"] ** 2 + p["width"] * N_CLASSES
    steps = -(-p["rows"] // p["batch"])
    validation = N_VAL * 2 * (first + rest)
    return p["rows"] * (4 * first + 6 * rest) + validation + steps * 30 * (first + rest)


CURVES = {
    "forest rows": ("rows", [1000, 3000, 10_000, 30_000, 100_000], forest_work),
    "forest features": ("features", [64, 128, 256, 512, 1024], forest_work),
    "forest trees": ("trees", [25, 50, 100, 200, 400], forest_work),
    "mlp rows": ("rows", [5000, 15_000, 50_000, 150_000], mlp_work),
    "mlp features": ("features", [64, 128, 256, 512, 1024], mlp_work),
    "mlp batch": ("batch", [16, 64, 256, 1024], mlp_work),
    "mlp width": ("width", [64, 128, 256, 512, 1024], mlp_work),
}


def make(folder, n_rows, n_features):
    random = np.random.default_rng(0)
    plane = random.normal(size=(n_features, N_CLASSES)).astype(np.float32)
    for ending, n in [("", n_rows), ("_val", N_VAL)]:
        x = random.standard_normal(size=(n, n_features), dtype=np.float32)
        noise = random.standard_normal(size=(n, N_CLASSES), dtype=np.float32) * sqrt(n_features)
        y = (x @ plane + noise).argmax(axis=1).astype(np.uint32)
        x.tofile(folder / f"x{ending}.f32")
        for name in ["x", "y"]:
            y.tofile(folder / f"{name}{ending}.u32")


def fit(binaries, head, folder, p):
    """Seconds of a fit of the forest, or of an epoch of the perceptron."""
    if head == "forest":
        shape = [p["features"], N_CLASSES, JOBS, 0]
        command = [binaries[head], folder / "x", folder / "x_val", *shape, f"n_estimators={p['trees']}"]
    else:
        width = [word for i in range(3) for word in (f"neurons{i}", p["width"])]
        layers = ["layers1", 0, "layers2", 1, "batch_size", p["batch"], "epochs", EPOCHS]
        command = [binaries[head], folder, N_CLASSES, 0, JOBS, *width, *layers]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout)
    return result["fit"] if head == "forest" else statistics.median(result["epoch_seconds"])


def point(binaries, head, folder, p):
    seconds = [fit(binaries, head, folder, p)]
    while len(seconds) < 3 and seconds[0] < LONG:
        seconds.append(fit(binaries, head, folder, p))
    return statistics.median(seconds)


def curve(binaries, name):
    head, (axis, values, work) = name.split()[0], CURVES[name]
    points = []
    for value in values:
        p = BASE | {axis: value}
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), p["rows"], p["features"])
            points.append(point(binaries, head, Path(folder), p))
        print(f"{name} {value}: {points[-1]:.3f} s", file=sys.stderr, flush=True)
    ends = [work(BASE | {axis: value}) for value in (values[0], values[-1])]
    return {
        "axis": axis,
        "values": values,
        "seconds": points,
        "exponent": float(np.polyfit(np.log(values), np.log(points), 1)[0]),
        "expected": log(ends[1] / ends[0]) / log(values[-1] / values[0]),
    }


def table(curves):
    lines = [f"{'cost of a fit against':<24} {'exponent':>8} {'expected':>8}  seconds"]
    for name, c in curves.items():
        cells = "  ".join(f"{value:,}: {seconds:.3f}" for value, seconds in zip(c["values"], c["seconds"]))
        lines.append(f"{name:<24} {c['exponent']:>8.2f} {c['expected']:>8.2f}  {cells}")
    return "\n".join(lines) + "\n"


def svg(curves):
    """A panel a curve, both axes logarithmic; the dashed line has the slope expected."""
    size, gap = 180, 50
    width = len(curves) * (size + gap) + gap
    parts = []
    for i, (name, c) in enumerate(curves.items()):
        left, top = gap + i * (size + gap), 40
        x = np.log(np.array(c["values"], dtype=float))
        y = np.log(np.array(c["seconds"]))
        expected = y.mean() + c["expected"] * (x - x.mean())
        low, high = min(y.min(), expected.min()), max(y.max(), expected.max())
        at = lambda u, v: f"{left + (u - x[0]) / (x[-1] - x[0]) * size:.1f},{top + size - (v - low) / (high - low) * size:.1f}"
        line = lambda ys: " ".join(at(u, v) for u, v in zip(x, ys))
        text = lambda a, b, words, anchor: f'<text x="{a}" y="{b}" text-anchor="{anchor}">{words}</text>'
        parts += [
            f'<rect x="{left}" y="{top}" width="{size}" height="{size}" fill="none" stroke="#cbd5e1"/>',
            f'<polyline points="{line(expected)}" fill="none" stroke="#475569" stroke-dasharray="4 3"/>',
            f'<polyline points="{line(y)}" fill="none" stroke="#c2410c" stroke-width="2"/>',
            text(left, top - 10, f"{name}: {c['exponent']:.2f} ({c['expected']:.2f})", "start"),
            text(left, top + size + 14, f"{c['values'][0]:,}", "start"),
            text(left + size, top + size + 14, f"{c['values'][-1]:,}", "end"),
            text(left - 4, top + size, f"{c['seconds'][0]:.2g} s", "end"),
            text(left - 4, top + 10, f"{max(c['seconds']):.2g} s", "end"),
        ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{size + 80}" font-family="sans-serif" font-size="11">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]) + "\n"


def main(forest, mlp, folder, *names):
    binaries = {"forest": forest, "mlp": mlp}
    curves = {name: curve(binaries, name) for name in names or CURVES}
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scaling.txt").write_text(table(curves))
    (folder / "scaling.json").write_text(json.dumps({"base": BASE, "curves": curves}, indent=2))
    (folder / "scaling.svg").write_text(svg(curves))
    print(table(curves), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
