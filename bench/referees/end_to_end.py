"""The whole job on the shipped example, its files read by pandas and its scores computed again by scikit-learn.

Run by `cargo xtask test`; alone: target/referees/bin/python bench/referees/end_to_end.py
"""

import ast
import json
import os
import subprocess
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import metrics

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
DATA = ROOT / "examples/sentences"
CLASSES = ["negative", "neutral", "positive"]
OUTPUTS = [
    ".headsmith.lock", "events.jsonl", "model-card.md", "model.safetensors", "report.html", "report.json", "study.db", "submission.csv",
    "submission.zip",
]
# Small enough for seconds, large enough to leave chance far behind.
SMALL = {
    "forest": ["--n-estimators", "20"],
    "mlp": ["--neurons0", "64", "--neurons1", "32", "--neurons2", "16", "--epochs", "6", "--batch-size", "128"],
}


# scikit-learn says so of probabilities that were rounded to f32.
warnings.filterwarnings("ignore", "The y_prob values do not sum to one")


def headsmith(*args, status=0):
    """Runs the binary and gives back what it wrote to stdout."""
    done = subprocess.run([HEADSMITH, *map(str, args)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == status, f"{args} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def passed(check):
    print(f"ok {check}", flush=True)


def close(ours, theirs, tolerance, what):
    assert abs(ours - theirs) <= tolerance, f"{what}: {ours} is not {theirs} within {tolerance}"


def vectors(column):
    return np.array([ast.literal_eval(cell) for cell in column], dtype=np.float32)


def run(out):
    """`run` on the example's own configuration, smaller."""
    small = ["--epochs", 5, "--forest-n-estimators", 20, "--trials", 3, "--quiet"]
    headsmith("run", "--recipe", "notebook", "--config", DATA / "headsmith.toml", "--out", out, *small)
    test = pd.read_parquet(DATA / "test.parquet")

    names = sorted(path.name for path in out.iterdir())
    assert names == OUTPUTS, names
    passed("run: writes the model, the report, the submission and its zip, and nothing else")

    submission = pd.read_csv(out / "submission.csv")
    assert list(submission.columns) == ["embeddings", "label"], submission.columns
    assert len(submission) == len(test)
    assert set(submission["label"]) <= set(CLASSES)
    passed("run: submission.csv has the columns embeddings and label, no index, and every row")

    assert np.array_equal(vectors(submission["embeddings"]), np.stack(test["embeddings"]).astype(np.float32))
    passed("run: pandas reads the embeddings of submission.csv as those of test.parquet, bit for bit")

    with zipfile.ZipFile(out / "submission.zip") as archive:
        assert archive.testzip() is None and archive.namelist() == ["submission.csv"], archive.namelist()
        assert archive.read("submission.csv") == (out / "submission.csv").read_bytes()
    passed("run: submission.zip holds submission.csv and nothing else")

    report(json.loads((out / "report.json").read_text()), submission)


def report(report, submission):
    """The report's keys, and that it says what the files say."""
    keys = ["format", "version", "seed", "tables", "findings", "classes", "heads", "comparison", "chosen", "predictions"]
    assert set(keys) <= set(report), f"report.json lacks {set(keys) - set(report)}"
    assert report["format"] == "headsmith-report" and report["version"] == 1
    assert report["classes"] == CLASSES
    heads = {head["head"]: head for head in report["heads"]}
    assert set(heads) == {"forest", "mlp"}
    passed("run: report.json has its keys and both heads")

    best = max(heads, key=lambda head: heads[head]["val"]["weighted_f1"])
    assert report["chosen"] == best
    counts = {row["class"]: row["count"] for row in report["predictions"]["counts"]}
    assert submission["label"].value_counts().to_dict() == {name: n for name, n in counts.items() if n}
    passed("run: the better head on validation is chosen, and the counts of the predictions are those of submission.csv")


def formats(folder):
    """What pandas and numpy write of one table is the same table in every format: the fingerprint is of the values."""
    table = pd.read_parquet(DATA / "val.parquet")
    x = np.stack(table["embeddings"])
    columns = pd.DataFrame(x.astype(float), columns=[f"x{i}" for i in range(x.shape[1])])
    columns["label"] = table["label"]
    table["embeddings"] = [row.astype(float).tolist() for row in x]
    table.to_csv(folder / "lists.csv", index=False)
    table.to_csv(folder / "lists.csv.gz", index=False)
    table.to_parquet(folder / "lists-f64.parquet", compression="zstd")
    columns.to_csv(folder / "columns.csv", index=False)
    columns.to_parquet(folder / "columns.parquet")
    np.savez(folder / "arrays.npz", x=np.asfortranarray(x), y=table["label"].to_numpy(dtype=str))
    files = sorted(folder.iterdir())
    tables = json.loads(headsmith("inspect", DATA / "val.parquet", *files, "--json"))["tables"]
    assert len(tables) == len(files) + 1
    for read in tables:
        what = read["n_rows"], read["n_features"], read["label_column"] is not None, read["fingerprint"]
        assert what == (2000, 256, True, tables[0]["fingerprint"]), read
    passed(f"formats: {', '.join(file.name for file in files)} of pandas and numpy are the same table, bit for bit")


def fit(head, folder):
    """`fit`, `evaluate` and `predict` agree with each other and with scikit-learn."""
    model, predictions = folder / f"{head}.safetensors", folder / f"{head}.csv"
    train, val = DATA / "train.parquet", DATA / "val.parquet"
    fitted = json.loads(headsmith("fit", head, "--train", train, "--val", val, "--model", model, "--json", *SMALL[head]))
    for key in ["head", "fit_seconds", "train", "val", "model"]:
        assert key in fitted, f"fit --json has no {key}: {list(fitted)}"
    if head == "mlp":
        assert fitted["epochs"] == len(fitted["epoch_seconds"]) == 6
    passed(f"{head}: fit --json has its keys")

    judged = json.loads(headsmith("evaluate", "--model", model, "--data", val, "--json"))
    headsmith("predict", "--model", model, "--data", val, "--out", predictions, "--proba", "--quiet")
    predicted = pd.read_csv(predictions)
    compare(head, judged, predicted, pd.read_parquet(val)["label"])
    for key in ["weighted_f1", "accuracy"]:
        close(fitted["val"][key], judged[key], 1e-12, f"{head} {key}, fit and evaluate")
    passed(f"{head}: fit and evaluate say the same of the validation table")


def compare(head, judged, predicted, truth):
    """`evaluate --json` against scikit-learn on the table that `predict --proba` wrote."""
    label, proba = predicted["label"], predicted[CLASSES].to_numpy(dtype=np.float32)
    assert np.array_equal(label, np.array(CLASSES)[proba.argmax(axis=1)])
    assert np.allclose(proba.sum(axis=1), 1, atol=1e-5)
    passed(f"{head}: the label is the class of the largest probability, and probabilities sum to one")

    assert judged["n_samples"] == len(truth)
    exact = {
        "accuracy": metrics.accuracy_score(truth, label),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, label),
        "weighted_f1": metrics.f1_score(truth, label, average="weighted"),
        "macro_f1": metrics.f1_score(truth, label, average="macro"),
        "mcc": metrics.matthews_corrcoef(truth, label),
        "cohen_kappa": metrics.cohen_kappa_score(truth, label),
    }
    for key, value in exact.items():
        close(judged[key], value, 1e-12, f"{head} {key}")
    passed(f"{head}: {', '.join(exact)} are scikit-learn's to 1e-12")

    # The file has each f32 in the fewest digits that give it back, so both sides compute from the same numbers.
    wide = proba.astype(np.float64)
    close(judged["log_loss"], metrics.log_loss(truth, wide), 1e-12, f"{head} log_loss")
    close(judged["roc_auc_ovr"], metrics.roc_auc_score(truth, wide, multi_class="ovr"), 1e-12, f"{head} roc_auc_ovr")
    passed(f"{head}: log loss and ROC AUC of the printed probabilities are scikit-learn's to 1e-12")

    assert judged["confusion"] == metrics.confusion_matrix(truth, label, labels=CLASSES).tolist()
    per_class = metrics.precision_recall_fscore_support(truth, label, labels=CLASSES, zero_division=0)
    for ours, *theirs in zip(judged["per_class"], *per_class):
        for key, value in zip(["precision", "recall", "f1", "support"], theirs):
            close(ours[key], value, 1e-12, f"{head} {ours['class']} {key}")
    passed(f"{head}: the confusion matrix and the scores of each class are scikit-learn's")

    interval = judged["intervals"]["weighted_f1"]
    low, high = interval["low"], interval["high"]
    assert low < judged["weighted_f1"] < high and 0.02 < high - low < 0.06, interval
    passed(f"{head}: the 95% interval of weighted F1 holds it and is as wide as 2,000 rows make it")


def same_bytes(head, folder):
    """The same seed gives the same bytes, whatever the number of threads; another seed does not."""
    models = []
    for seed, jobs in [(1, 1), (1, 2), (1, 3), (2, 2)]:
        model = folder / f"{head}-{seed}-{jobs}.safetensors"
        flags = ["--seed", seed, "--jobs", jobs, "--quiet", *SMALL[head]]
        headsmith("fit", head, "--train", DATA / "val.parquet", "--model", model, *flags)
        models.append(model.read_bytes())
    assert models[0] == models[1] == models[2] != models[3]
    passed(f"{head}: seed 1 gives the same model file with 1, 2 and 3 threads; seed 2 gives another")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder) / "out")
        (Path(folder) / "formats").mkdir()
        formats(Path(folder) / "formats")
        for head in SMALL:
            fit(head, Path(folder))
            same_bytes(head, Path(folder))
