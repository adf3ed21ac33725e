"""Exported models in onnxruntime against the models' own predictions: every head after every transform.

    target/referees/bin/python bench/referees/exported_models.py [TRAIN]

TRAIN is a table with a column of embeddings (lists, or their text) and a column `label`: Parquet or CSV; the shipped example if it is missing. Heads are fitted on
random rows with features of different sizes after every transform, and on TRAIN. Every file passes `onnx.checker`. Batches of 1, 7 and 1,000 rows, some of them of
the fit, some far out, are predicted by onnxruntime and by `headsmith predict`: probabilities differ by at most 1e-5 (linear, MLP, trees) or 1e-4 (the others); labels
are the same but at ties, and on 99.9% of the rows where trees follow a transform that mixes features. The same for trees of ai.onnx.ml 5.

The programs of `examples/onnx` in Python and Node print what onnxruntime predicts here. The one in Node is left out where npm cannot install onnxruntime-node.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
DATA = ROOT / "examples/sentences"
NODE = "onnxruntime-node@1.30.0"

# A text of each transform, and some of several.
TRANSFORMS = [
    "none", "divide:255", "standardise", "robust", "l2", "sqrt", "power:1/3", "yeo-johnson", "quantile", "pca:5", "whiten", "spectrum:-0.5",
    "sqrt+l2+standardise", "standardise+pca:4+standardise",
]
MIXES = re.compile("l2|pca|whiten|spectrum")
# Heads that store training rows.
STORE = {"kernel", "svm", "knn"}
# Heads whose scores are within 1e-5: those of the others are not bounded, and a calibration may be steep.
CLOSE = {"linear", "mlp", "forest", "extra-trees"}
SMALL = {
    "forest": ["--n-estimators", "40"],
    "extra-trees": ["--n-estimators", "40", "--min-samples-leaf", "3"],
    "mlp": ["--neurons0", "32", "--epochs", "5"],
}


def headsmith(*args):
    done = subprocess.run([HEADSMITH, *map(str, args)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, f"{args} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def heads():
    """The heads that `headsmith fit` lists."""
    text = headsmith("fit", "--help").split("Commands:")[1].split("Options:")[0]
    return [name for name in re.findall(r"^  ([a-z-]+)  ", text, re.M) if name != "help"]


def random_table(n, seed):
    """Rows of three classes; features are of different sizes, some far from zero, one has few values."""
    draw = np.random.default_rng(seed)
    y = draw.integers(3, size=n)
    x = np.random.default_rng(0).normal(size=(3, 12))[y] + draw.normal(size=(n, 12))
    x[:, 0] = np.round(x[:, 0])
    return (x * [1, 100, 0.01, 1, 1, 1, 1, 1, 30, 1, 1, 1] + [0, 1000, 0, -7, 0, 0, 0, 0, 0, 0, 0, 0]).astype(np.float32), y


def queries(x, more):
    """1,000 rows: of the fit, others, others far out, zeros and extremes."""
    n = (1000 - 102) // 3
    edges = np.vstack([np.zeros((2, x.shape[1])), 1e4 * np.sign(more[:100])])
    return np.vstack([x[np.arange(1000 - 102 - 2 * n) % len(x)], more[:n], 10 * more[n : 2 * n], edges]).astype(np.float32)


class Exported:
    """A model, its export, and what both predict of rows."""

    def __init__(self, folder, model, rows, *options):
        self.path = folder / "model.onnx"
        report = headsmith("export", model, "--format", "onnx", "-o", self.path, "--json", *options)
        self.report = json.loads(report)
        onnx.checker.check_model(onnx.load(self.path), full_check=True)
        session_options = onnxruntime.SessionOptions()
        session_options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(self.path, session_options)
        np.save(folder / "rows.npy", rows)
        headsmith("predict", "--model", model, "--data", folder / "rows.npy", "--out", folder / "proba.npy", "--proba", "--quiet")
        headsmith("predict", "--model", model, "--data", folder / "rows.npy", "--out", folder / "labels.csv", "--columns", "label", "--quiet")
        self.rows, self.expected = rows, np.load(folder / "proba.npy")
        self.labels = pd.read_csv(folder / "labels.csv", dtype=str, keep_default_na=False)["label"].to_numpy()

    def run(self, rows):
        return self.session.run(["label", "probabilities"], {"embeddings": rows})

    def compare(self, what, tolerance, share):
        names = [value.name for value in [*self.session.get_inputs(), *self.session.get_outputs()]]
        assert names == ["embeddings", "label", "probabilities"], names
        label, proba = self.run(self.rows)
        for size in [1, 7]:
            some_labels, some = self.run(self.rows[:size])
            assert np.abs(some - proba[:size]).max() <= 1e-5 and (some_labels == label[:size]).all(), (what, size)
        gaps = np.abs(proba - self.expected).max(axis=1)
        best = np.sort(self.expected, axis=1)
        is_clear = best[:, -1] - best[:, -2] > 1e-6 if tolerance <= 1e-5 else best[:, -1] - best[:, -2] > tolerance
        other = (label != self.labels) & is_clear
        assert (gaps > tolerance).mean() <= share and other.mean() <= share, (what, gaps.max(), (gaps > tolerance).sum(), other.sum())
        return gaps.max()


def every_head_and_transform(folder):
    (x, y), (more, _) = random_table(300, 1), random_table(1200, 2)
    rows = queries(x, more)
    np.save(folder / "x.npy", x)
    (folder / "y.txt").write_text("".join(f"class {label}\n" for label in y))
    for head in heads():
        worst = 0
        for transform in TRANSFORMS:
            what = f"{head} after {transform}"
            headsmith("fit", head, "--train", folder / "x.npy", "--labels", folder / "y.txt", "--val-share", 0, "--transform", transform,
                      "--model", folder / "model.safetensors", "--quiet", *SMALL.get(head, []))
            model = Exported(folder, folder / "model.safetensors", rows)
            has_trees = model.report["n_tree_nodes"] > 0
            share = 1e-3 if has_trees and MIXES.search(transform) else 0
            worst = max(worst, model.compare(what, 1e-5 if head in CLOSE else 1e-4, share))
            assert (model.report["n_training_bytes"] > 0) == (head in STORE), what
            if has_trees:
                five = Exported(folder, folder / "model.safetensors", rows, "--opset-ml", 5)
                five.compare(f"{what}, ml 5", 1e-6, share)
        print(f"ok exported {head}: {len(TRANSFORMS)} transforms, probabilities differ by at most {worst:.1e}", flush=True)


def real_rows(folder, train):
    table = pd.read_parquet(train) if train.suffix == ".parquet" else pd.read_csv(train)
    column = next(name for name in table.columns if name != "label")
    rows = np.array([json.loads(cell) if isinstance(cell, str) else cell for cell in table[column]], dtype=np.float32)
    np.save(folder / "real.npy", rows[:1500])
    (folder / "real.txt").write_text("".join(f"{label}\n" for label in table["label"][:1500]))
    # Some rows of the fit, some others.
    rows = rows[1000:2000]
    for head in heads():
        headsmith("fit", head, "--train", folder / "real.npy", "--labels", folder / "real.txt", "--val-share", 0, "--model",
                  folder / "real.safetensors", "--quiet", *SMALL.get(head, []))
        model = Exported(folder, folder / "real.safetensors", rows)
        params = json.loads(onnx_metadata(model.path)["headsmith.params"])
        transform = params.get("transform", params.get("scale", "none"))
        share = 1e-3 if model.report["n_tree_nodes"] and MIXES.search(transform) else 0
        worst = model.compare(f"{head} on {train.name}", 1e-5 if head in CLOSE else 1e-4, share)
        size = model.report["n_bytes"] / 1e6
        print(f"ok exported {head} of {train.name}, {size:.2f} MB: probabilities of {len(rows)} rows differ by at most {worst:.1e}", flush=True)


def onnx_metadata(path):
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def printed(lines):
    """Labels (which may have blanks) and probabilities of a program's lines."""
    cells = [line.rsplit(" ", 3) for line in lines.splitlines()]
    return [cell[0] for cell in cells], np.array([cell[1:] for cell in cells], dtype=np.float64)


def programs(folder):
    """The programs of the examples, on a linear model of three classes."""
    rows, _ = random_table(20, 3)
    headsmith("fit", "linear", "--train", folder / "x.npy", "--labels", folder / "y.txt", "--val-share", 0, "--model",
              folder / "model.safetensors", "--quiet")
    model = Exported(folder, folder / "model.safetensors", rows)
    label, proba = model.run(rows)

    def check(name, command, **given):
        found = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True, **given).stdout
        labels, numbers = printed(found)
        assert labels == list(label) and np.abs(numbers - proba).max() < 1e-6, (name, found)
        print(f"ok exported: the program in {name} prints the same labels and probabilities", flush=True)

    check("Python", [sys.executable, ROOT / "examples/onnx/predict.py", model.path, folder / "rows.npy"])
    if not shutil.which("npm"):
        print("the program in Node is left out: npm is not installed")
        return
    shutil.copy(ROOT / "examples/onnx/predict.mjs", folder)
    # Without scripts: the one of the package downloads libraries for GPUs.
    install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", NODE]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"the program in Node is left out: npm cannot install {NODE}: {done.stderr.strip()}")
        return
    check("Node", ["node", folder / "predict.mjs", model.path], input=json.dumps(rows.tolist()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        every_head_and_transform(folder)
        real_rows(folder, Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "train.parquet")
        programs(folder)
