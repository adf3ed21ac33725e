"""Headsmith's rows of the quality suite: `auto` with some seconds, and the plain heads. `commands` alone knows the command line."""

import csv
import json
import subprocess
import time

import numpy as np

HEADS = ["linear", "ridge", "gaussian", "knn", "kernel"]


def commands(binary, head, seconds, folder, out, grouped):
    """What fits, and what then predicts the test part with probabilities to `out`/test.csv."""
    train, test, model = folder / "train.parquet", folder / "test.parquet", out / "model.safetensors"
    common = ["--seed", "1", "--jobs", "1", "--quiet", *(["--group-column", "group"] if grouped else [])]
    if head == "auto":
        fit = [binary, "auto", "--train", train, "--test", test, "--time", f"{seconds}s", "--out", out, "--json", *common]
    else:
        # All rows: heads with closed forms choose their strength without a part of its own.
        fit = [binary, "fit", head, "--train", train, "--val-share", "0", "--model", model, *common]
    predict = [binary, "predict", "--model", model, "--data", test, "--out", out / "test.csv"]
    return fit, [*predict, "--proba", "--columns", "label", "--jobs", "1", "--quiet"]


def has_auto(binary):
    return subprocess.run([binary, "auto", "--help"], capture_output=True).returncode == 0


def run(binary, head, seconds, folder, out, classes, grouped):
    """Labels and probabilities of the test part (classes as numbers), what was chosen, and the seconds of the fit."""
    out.mkdir(parents=True, exist_ok=True)
    fit, predict = commands(binary, head, seconds, folder, out, grouped)
    start = time.perf_counter()
    checked(fit)
    seconds = time.perf_counter() - start
    checked(predict)
    with open(out / "test.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    number = {name: i for i, name in enumerate(classes)}
    labels = np.array([number[row["label"]] for row in rows])
    proba = np.array([[float(row.get(name) or 0) for name in classes] for row in rows])
    report = out / "report.json"
    chosen = json.loads(report.read_text()).get("chosen", {}) if head == "auto" and report.exists() else {}
    return labels, proba, chosen, seconds


def checked(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
