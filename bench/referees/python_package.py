"""The Python package as its users meet it: equal to the command, at home in scikit-learn, interruptible, and without scikit-learn.

    PYTHONPATH=target/python target/referees/bin/python bench/referees/python_package.py
"""

import copy
import datetime
import decimal
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

# Threads without a core of their own would wait for one another: scripts run side by side.
os.environ["OMP_NUM_THREADS"] = "1"

import headsmith as hs
import joblib
import numpy as np
import onnxruntime
import pandas as pd
from safetensors.numpy import load_file
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from drive.failing import fails

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
SENTENCES = ROOT / "examples/sentences"
HEADS = [kind for kind in (getattr(hs, name) for name in hs.__all__) if hasattr(kind, "_head")]
QUICK = {"MLPClassifier": {"epochs": 3}, "KernelClassifier": {}, "RandomForestClassifier": {"n_estimators": 20}, "ExtraTreesClassifier": {"n_estimators": 20}}


def ok(text):
    print(f"ok {text}", flush=True)


def sentences(n_rows):
    table = hs.read(SENTENCES / "train.parquet")
    return np.ascontiguousarray(table.X[:n_rows]), table.y[:n_rows]


def quick(kind, **given):
    return kind(**QUICK.get(kind.__name__, {}), **given)


def command(*words):
    subprocess.run([HEADSMITH, *map(str, words), "--quiet"], stdout=subprocess.DEVNULL, check=True)


def equal_to_the_command(folder, x, y):
    """The same seed gives the same tensors and the same probabilities, by another number of threads and in a file of another format."""
    np.save(folder / "x.npy", x)
    (folder / "y.txt").write_text("\n".join(y) + "\n")
    for kind in HEADS:
        words = [word for name, value in QUICK.get(kind.__name__, {}).items() for word in [f"--{name.replace('_', '-')}", value]]
        model = folder / f"{kind._head}.safetensors"
        command("fit", kind._head, "--train", folder / "x.npy", "--labels", folder / "y.txt", "--val-share", 0, "--seed", 7, "--jobs", 1, "--model", model, *words)
        fitted = quick(kind, random_state=7, n_jobs=2).fit(x, y)
        fitted.save(folder / "own.safetensors")
        theirs, own = load_file(model), load_file(folder / "own.safetensors")
        assert theirs.keys() == own.keys(), kind
        assert all((theirs[name] == own[name]).all() for name in own), kind
        loaded = hs.load(model)
        assert (loaded.classes_ == fitted.classes_).all() and (loaded.predict_proba(x) == fitted.predict_proba(x)).all(), kind
    ok(f"{len(HEADS)} heads: the tensors of the command's model, byte by byte, with another number of threads")


def auto_equal_to_the_command(folder, x, y):
    words = ["--steps", 6, "--heads", "ridge,gaussian,centroid", "--seed", 3, "--jobs", 2]
    command("auto", "--train", folder / "x.npy", "--labels", folder / "y.txt", "--out", folder / "auto", *words)
    auto = hs.AutoClassifier(steps=6, heads=["ridge", "gaussian", "centroid"], random_state=3, n_jobs=1).fit(x, y)
    auto.save(folder / "own.safetensors")
    theirs, own = load_file(folder / "auto/model.safetensors"), load_file(folder / "own.safetensors")
    assert theirs.keys() == own.keys() and all((theirs[name] == own[name]).all() for name in own)
    assert auto.steps_ == json.loads((folder / "auto/report.json").read_text())["auto"]["n_steps"]
    auto.report(folder / "report.html")
    page = (folder / "report.html").read_text()
    assert page.lower().startswith("<!doctype html>") and "in memory" in page
    assert auto.report_["chosen"] in auto._repr_html_()
    by_metric = hs.load(folder / "own.safetensors", decision="metric").predict(x)
    assert (auto.set_params(decision="metric").predict(x) == by_metric).all()
    again = pickle.loads(pickle.dumps(auto))
    assert (again.predict_proba(x) == auto.predict_proba(x)).all()
    ok("AutoClassifier: the bytes of the command's model with as many steps; the report's page; pickle")


def at_home_in_scikit_learn(x, y):
    for kind in HEADS:
        fitted = quick(kind).fit(x, y)
        assert clone(fitted).get_params() == fitted.get_params()
        for again in [pickle.loads(pickle.dumps(fitted)), through_joblib(fitted)]:
            assert (again.predict_proba(x) == fitted.predict_proba(x)).all() and (again.predict(x) == fitted.predict(x)).all()
    ok("clone, pickle and joblib of every head")
    pipeline = make_pipeline(hs.Standardiser(), hs.PCA(n_components=16), hs.LogisticClassifier())
    assert accuracy_score(y, pipeline.fit(x, y).predict(x)) > 0.5
    grid = GridSearchCV(hs.RidgeClassifier(n_jobs=1), {"alpha": [0.1, 1.0, 10.0]}, cv=3, n_jobs=2).fit(x, y)
    assert grid.best_params_["alpha"] in [0.1, 1.0, 10.0]
    proba = cross_val_predict(hs.GaussianClassifier(), x, y, cv=3, method="predict_proba")
    assert proba.shape == (len(y), len(np.unique(y)))
    calibrated = CalibratedClassifierCV(hs.CentroidClassifier(), cv=3).fit(x, y)
    voting = VotingClassifier([("ridge", hs.RidgeClassifier()), ("knn", hs.KNNClassifier())], voting="soft").fit(x, y)
    assert min(accuracy_score(y, model.predict(x)) for model in [calibrated, voting]) > 0.5
    ok("Pipeline, GridSearchCV with two processes, cross_val_predict, CalibratedClassifierCV, VotingClassifier")


class Extended(hs.RidgeClassifier):
    def __init__(self, *, alpha="auto", extra=1, **more):
        super().__init__(alpha=alpha, **more)
        self.extra = extra


def subclasses_and_metadata(x, y):
    """Estimators of users' own, and what scikit-learn's routers pass on."""
    own = Extended(alpha=2.0, extra=3, scale=None)
    assert repr(own) == "Extended(alpha=2.0, extra=3)" and clone(own).get_params() == {"alpha": 2.0, "extra": 3}
    assert Extended(alpha=1.0).fit(x, y).set_params(extra=2).extra == 2
    weights, groups = np.linspace(0.5, 2.0, len(y)), np.arange(len(y)) // 5
    with config_context(enable_metadata_routing=True):
        for kind in HEADS:
            # A request of nothing passes nothing.
            assert len(make_pipeline(hs.Standardiser(), quick(kind)).fit(x[:200], y[:200]).predict(x)) == len(y), kind
        asked = lambda: hs.RidgeClassifier().set_fit_request(sample_weight=True, groups=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(hs.L2Normaliser(), asked()).fit(x, y, sample_weight=weights, groups=groups)
        alone, rows = hs.RidgeClassifier(), hs.L2Normaliser().fit_transform(x)
        alone.fit(rows, y, weights, groups=groups)
        assert (pipeline.predict_proba(x) == alone.predict_proba(rows)).all()
        assert pipeline.score(x, y, sample_weight=weights) == alone.score(rows, y, weights) != alone.score(rows, y)
        for again in [clone(asked()), pickle.loads(pickle.dumps(asked()))]:
            assert str(again.get_metadata_routing()) == str(asked().get_metadata_routing())
        for estimator in [asked(), make_pipeline(hs.Standardiser(), asked())]:
            name = "alpha" if hasattr(estimator, "alpha") else "ridgeclassifier__alpha"
            grid = GridSearchCV(estimator, {name: [0.1, 1.0]}, cv=GroupKFold(3)).fit(x, y, sample_weight=weights, groups=groups)
            assert np.isfinite(grid.cv_results_["mean_test_score"]).all()
        fails(lambda: make_pipeline(hs.RidgeClassifier()).fit(x, y, sample_weight=weights), ValueError, "not explicitly set as requested or not requested")
    fails(lambda: hs.RidgeClassifier().set_fit_request(groups=True), RuntimeError, "only available when metadata routing is enabled")
    ok(f"subclasses with **kwargs; metadata routing of {len(HEADS)} heads in pipelines and searches")


def weights_of_classes(x, y):
    """Those of a dict are those of its labels, whatever is in them."""
    codes = np.unique(y, return_inverse=True)[1]
    fit = lambda labels, given: hs.RidgeClassifier(class_weight=given).fit(x, np.asarray(labels)[codes]).predict_proba(x)
    expected = fit(["0", "1", "2"], {"1": 3.0, "2": 0.5})
    dates = np.array(["2024-01-01", "2025-01-01", "2026-01-01"], dtype="M8[ns]")
    for labels, first, second in [(["a", "a,b", "a:b"], "a,b", "a:b"), (["a", "b:1", "c,:2"], "b:1", "c,:2"), (dates, dates[1], pd.Timestamp(dates[2])),
                                  (dates.astype("M8[D]"), dates[1], datetime.date(2026, 1, 1)), (dates.astype("M8[s]"), datetime.datetime(2025, 1, 1), "2026-01-01")]:
        assert (fit(labels, {first: 3, second: np.float32(0.5)}) == expected).all(), labels
    assert (fit(["0", "1", "2"], {}) == fit(["0", "1", "2"], None)).all() and (expected != fit(["0", "1", "2"], None)).any()
    fails(lambda: fit(["a", "a:1,b", "b"], {"a:1,b": 2.0}), ValueError, "of which 'a:1,' would be read as a label and its weight")
    for wrong in [[1, 2, 3], 3]:
        fails(lambda: fit(["0", "1", "2"], wrong), ValueError, f"class_weight is {wrong}, expected a dict of weights by label")
    for wrong in [-1, float("nan"), "x", None]:
        fails(lambda: fit(["0", "1", "2"], {"1": wrong}), ValueError, f"class_weight has '1': {wrong!r}, expected a number of at least 0")
    fails(lambda: fit(dates, {"2027-01-01": 2}), ValueError, "class_weight names '2027-01-01', expected some of the classes 2024-01-01T")
    ok("class weights of labels with commas and colons, and of dates")


def values_too_large(folder, x, y):
    """No NaN for a probability, and no class for a row that has none."""
    large = x[:20].copy()
    large[7:9] = 3e38
    for kind in HEADS:
        fitted = quick(kind, random_state=0).fit(x, y)
        fitted.save(folder / "large.safetensors")
        calls = [fitted.predict_proba, fitted.predict, hs.Predictor(folder / "large.safetensors")]
        calls += [copy.copy(fitted).set_params(decision=decision).predict for decision in ["metric", "votes"]]
        for call in calls:
            try:
                found = call(large)
            except ValueError as error:
                assert "row 7 of X has no probabilities: its values are too large" in str(error), error
            else:
                # Trees compare, and sums of others may be finite.
                assert np.isfinite(fitted.predict_proba(large)).all() and len(found) > 0, kind
    fails(lambda: hs.RidgeClassifier().fit(x, y).predict(large), ValueError, "row 7 of X has no probabilities")
    ok(f"rows of 3e38: {len(HEADS)} heads have probabilities, or the error names the row")


def through_joblib(value):
    file = io.BytesIO()
    joblib.dump(value, file)
    file.seek(0)
    return joblib.load(file)


def models_are_files(folder, x, y):
    for classes in [np.array([10, 9]), np.array([False, True]), np.array(["no", "yes"])]:
        labels = classes[(np.arange(len(x)) % 2)]
        fitted = hs.CentroidClassifier().fit(x, labels)
        fitted.save(folder / "m.safetensors")
        loaded = hs.load(folder / "m.safetensors")
        assert loaded.classes_.dtype == fitted.classes_.dtype and (loaded.predict(x) == fitted.predict(x)).all()
    fitted = quick(hs.MLPClassifier).fit(x, y)
    facts = fitted.to_onnx(folder / "m.onnx")
    session = onnxruntime.InferenceSession(folder / "m.onnx")
    outputs = session.run(None, {session.get_inputs()[0].name: x})
    proba = next(output for output in outputs if getattr(output, "ndim", 0) == 2)
    assert facts["n_compared"] > 0 and np.abs(proba - fitted.predict_proba(x)).max() < 1e-5
    ok("save and load with labels of their kind; to_onnx, run by onnxruntime")


def reports(folder, x, y):
    """The page of a plain estimator on rows that it did not see, on those that it learnt from, and on those that chose."""
    path, half = folder / "page.html", len(x) // 2
    train, val, other = ((x[rows], y[rows]) for rows in [slice(half), slice(half, half + 300), slice(half + 300, None)])
    text = lambda: " ".join(path.read_text().split())
    for kind in HEADS:
        fitted = quick(kind).fit(*train)
        fitted.report(path, *other)
        # As the command decides: by the votes of a head that has them.
        page, score = text(), f1_score(other[1], fitted.set_params(decision="votes").predict(other[0]), average="weighted", zero_division=0)
        assert page.lower().startswith("<!doctype html>") and "took no part in any choice" in page and "All parameters" in page, kind
        assert f'<p class="big">{score:.4f}</p>' in page and f"{len(other[0])} validation rows" in page, kind
        assert "as validation rows" in page and "rows to predict" not in page, kind
        assert f"<th>{kind._head}, validation</th>" in page.replace(' scope="col"', "") and f"{kind._head}, training" not in page, kind
    ok(f"report of {len(HEADS)} heads on rows that chose nothing, with scikit-learn's weighted F1")
    fitted = hs.MLPClassifier(epochs=6, monitor="metric").fit(*train, validation_data=val)
    fitted.report(path, *other)
    assert "trained for 6 epochs" in text() and "took no part in any choice" in text()
    fitted.report(path, *val)
    assert "these rows chose the epoch: optimistic" in text()
    for rows in [slice(half), slice(100, 250), np.arange(half) % 3 == 0]:
        fitted.report(path, x[:half][rows], y[:half][rows])
        assert "these are training rows: optimistic" in text()
    mixed = [np.concatenate([part, seen[:25]]) for part, seen in zip(other, train)]
    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        fitted.report(path, *mixed)
    assert len(messages) == 1 and "are among those that the fit learnt from" in str(messages[0].message) and messages[0].filename == __file__, messages
    fitted.save(folder / "m.safetensors")
    for same in [hs.load(folder / "m.safetensors"), pickle.loads(pickle.dumps(fitted))]:
        same.report(path, *other)
        assert f'<p class="big">{hs.score(other[1], fitted.predict_proba(other[0]), classes=fitted.classes_).weighted_f1:.4f}</p>' in text()
        same.report(path, *train)
        assert "these are training rows: optimistic" in text()
        same.report(path, *val)
        assert "these rows chose the epoch: optimistic" in text()
    auto = hs.AutoClassifier(steps=2, heads=["ridge", "centroid"]).fit(*train)
    auto.report(path, *other)
    assert "took no part in any choice" in text()
    auto.report(path)
    assert ">Search</h2>" in text()
    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        auto.report(path, *mixed)
    assert len(messages) == 1 and messages[0].filename == __file__, messages
    # Validation rows of a search chose, did nothing, or were learnt from in the end.
    uses = [("choose", False, "these rows chose the members, the calibration"), ("judge", False, "took no part in any choice"), ("choose", True, "these are training rows")]
    for val_is, refit, words in uses:
        auto = hs.AutoClassifier(steps=2, heads=["ridge", "centroid"], trials=0, val_is=val_is, refit=refit).fit(*train, validation_data=val)
        auto.report(path, *val)
        assert words in text(), (val_is, refit, auto.fit_info_)
    fails(lambda: fitted.report(path), ValueError, "give rows that the fit did not see, report(path, X, y)")
    fails(lambda: fitted.report(path, other[0], other[1][1:]), ValueError, "expected one for each of the")
    fails(lambda: fitted.report(path, other[0], ["none such"] * len(other[0])), ValueError, "is none of the classes")
    fails(lambda: hs.RidgeClassifier().report(path, *other), hs.NotFittedError, "not fitted yet")
    ok("report of rows that were seen says so: training rows, some of them, rows that chose; of loaded models and of a search on other rows")


def words_of_python(folder, x, y):
    """Messages name arguments, where the command's name flags."""
    messages = []
    storage = f"sqlite:///{folder / 'words.db'}"
    frame = pd.DataFrame(x[:, :8], columns=[f"emb_{i}" for i in range(8)]).assign(label=y)
    frame.to_csv(folder / "words.csv", index=False)
    np.save(folder / "bare.npy", x[:50])
    tune = lambda **given: hs.tune(folder / "words.csv", head="gaussian", trials=1, storage=storage, **given)
    messages.append(fails(lambda: hs.read(folder / "words.csv", features=["other_*", "e"]), ValueError, 'features=["other_*", "e"]'))
    messages.append(fails(lambda: hs.read(folder / "words.csv", embeddings_column="emb_0"), ValueError, "embeddings_column"))
    messages.append(fails(lambda: hs.tune(folder / "bare.npy", trials=1, storage=storage), ValueError, "the column of the labels with label_column"))
    messages.append(fails(lambda: tune(val_share=1.5), ValueError, "val_share=1.5 is not a valid share"))
    messages.append(fails(lambda: hs.tune(folder / "words.csv", head="centroid", trials=1, storage=storage), ValueError, "name one with space"))
    messages.append(fails(lambda: hs.AutoClassifier(steps=1, folds=1).fit(x, y), ValueError, "folds=1: expected 2 to"))
    messages.append(fails(lambda: hs.AutoClassifier(steps=1, heads=["centroid"], max_model_size=10).fit(x, y), RuntimeError, "within max_model_size and max_predict_time"))
    messages.append(fails(lambda: hs.AutoClassifier(steps=1, heads=["centroid"]).fit(x, y, groups=np.arange(len(y)) % 3), ValueError, "use folds=3"))
    leaky = frame.assign(code=np.unique(y, return_inverse=True)[1])
    found = [finding.message for finding in hs.inspect(leaky).findings if "drop" in finding.message]
    assert any('leave it out with drop=["code"]' in message for message in found), hs.inspect(leaky)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        tune(n_jobs=9)
    assert any("because of n_jobs: another machine needs lag=9" in str(warning.message) for warning in warned), warned
    messages += found + [str(warning.message) for warning in warned]
    assert not any("--" in text for text in messages), messages
    ok(f"{len(messages)} messages of the library name Python's arguments")


def errors(folder, x, y):
    fails(lambda: hs.MLPClassifier().predict(x), hs.NotFittedError, "not fitted yet")
    fails(lambda: hs.MLPClassifier(dropout=2).fit(x, y), ValueError, "dropout is 2.0, expected a number in 0..0.99 or auto")
    fails(lambda: hs.RandomForestClassifier(n_estimators=1.5).fit(x, y), ValueError, "expected an integer in 1..1000000")
    fails(lambda: hs.MLPClassifier(scale="l3").fit(x, y), ValueError, "scale is l3, expected none, or divide:K")
    fails(lambda: hs.MLPClassifier(metric="f1").fit(x, y), ValueError, "there are weighted_f1")
    fails(lambda: hs.MLPClassifier(class_weight={"none such": 1}).fit(x, y), ValueError, "class_weight names 'none such'")
    fails(lambda: hs.MLPClassifier(n_jobs=0).fit(x, y), ValueError, "n_jobs is 0")
    fails(lambda: hs.load(folder / "none.safetensors"), FileNotFoundError, "none.safetensors")
    fails(lambda: hs.read(folder / "none.csv"), FileNotFoundError, "none.csv")
    with_nan = x.copy()
    with_nan[3, 5] = np.nan
    fails(lambda: hs.RidgeClassifier().fit(with_nan, y), ValueError, "feature 5 of row 3 is NaN")
    fails(lambda: hs.RidgeClassifier().fit(x.astype(np.float64) * 1e60, y), ValueError, "inf")
    # A fit that fails leaves the earlier one.
    fitted = hs.RidgeClassifier().fit(x, y)
    before = fitted.predict_proba(x)
    fails(lambda: fitted.set_params(alpha="wide").fit(x, np.roll(y, 1)), ValueError, "alpha is wide")
    assert (fitted.predict_proba(x) == before).all()
    ok("errors say what was expected, and leave an earlier fit as it was")


def callbacks_and_progress(x, y):
    events = []
    fitted = hs.MLPClassifier(epochs=20, callbacks=[lambda event: events.append(event) or len([1 for e in events if e["event"] == "epoch"]) == 4]).fit(x, y)
    assert len(fitted.fit_info_["history"]) == 4 and fitted.fit_info_["stopped"] == "asked", fitted.fit_info_["stopped"]
    assert [event["record"]["epoch"] for event in events if event["event"] == "epoch"] == [0, 1, 2, 3]

    def failing(_):
        raise LookupError("of the callback")

    fails(lambda: hs.MLPClassifier(callbacks=[failing]).fit(x, y), LookupError, "of the callback")
    lines = subprocess.run([sys.executable, "-c", FIT.format(count="verbose=1, epochs=3")], capture_output=True, text=True, check=True)
    assert "mlp: epoch 1, loss " in lines.stderr, lines.stderr
    ended = subprocess.run([sys.executable, "-c", WRONG], capture_output=True, text=True)
    assert ended.stdout == "4 times 0 []\n", (ended.stdout, ended.stderr)
    ok("callbacks get every epoch, end a fit after the same one, and their errors come out; progress as lines of logging")


FIT = """
import headsmith as hs, numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(300, 20)).astype(np.float32)
hs.MLPClassifier({count}).fit(x, rng.integers(3, size=300))
"""


# What is wrong is found after the log is opened.
WRONG = """
import logging
import headsmith as hs, numpy as np
x, y, log, n_failed = np.eye(6, 3, dtype=np.float32), np.arange(6) % 2, logging.getLogger("headsmith"), 0
for call in [lambda wrong: hs.MLPClassifier(verbose=1, **wrong).fit(x, y), lambda wrong: hs.tune("none.csv", trials=1, verbose=1, **wrong)]:
    for wrong in [{"n_jobs": "all"}, {"random_state": "seed"}]:
        try:
            call(wrong)
        except ValueError:
            n_failed += 1
print(n_failed, "times", log.level, log.handlers)
"""


def no_lock(x, y):
    """Another thread of Python goes on while a fit is under way, and two fits at once give what one gives."""
    count, done = 0, threading.Event()

    def counting():
        nonlocal count
        while not done.is_set():
            count += 1
            time.sleep(0.001)

    thread = threading.Thread(target=counting)
    thread.start()
    started = time.perf_counter()
    hs.MLPClassifier(epochs=30, n_jobs=1).fit(x, y)
    seconds = time.perf_counter() - started
    done.set()
    thread.join()
    assert count > 10 * seconds, f"{count} steps of another thread in {seconds:.2f} s"
    alone, found = hs.MLPClassifier(epochs=5).fit(x, y).predict_proba(x), [None] * 4

    def fitting(i):
        found[i] = hs.MLPClassifier(epochs=5).fit(x, y).predict_proba(x)

    threads = [threading.Thread(target=fitting, args=[i]) for i in range(len(found))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((one == alone).all() for one in found)
    ok(f"the interpreter is free in a fit: {count} steps of another thread in {seconds:.2f} s; four fits at once give the same")


INTERRUPTED = """
import sys, threading, time, os, signal
import headsmith as hs, numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=({rows}, {features})).astype(np.float32)
y = rng.integers(20, size=len(x))
clf = hs.{name}(**{small!r}).fit(x[:100], y[:100] % 2)
# Whoever starts the referee in the background may have it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
before = clf.predict_proba(x[:100])
clf.set_params(**{params!r})
sent = [0.0]
def send():
    time.sleep({after})
    sent[0] = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=send).start()
try:
    clf.fit(x, y)
except KeyboardInterrupt:
    print("interrupted", time.perf_counter() - sent[0])
else:
    print("finished")
    sys.exit()
assert (clf.predict_proba(x[:100]) == before).all(), "the earlier fit is gone"
assert clf.set_params(**{small!r}).fit(x[:100], y[:100] % 2).predict(x[:1]).shape == (1,), "it cannot be fitted again"
"""

# One fit for each kind of work, its rows and features, and the longest time until Ctrl-C ends it on a quiet machine.
LONG = [
    ("MLPClassifier", {"epochs": 300}, 40000, 256, 0.2),
    ("RandomForestClassifier", {"n_estimators": 1000}, 8000, 256, 0.2),
    ("LogisticClassifier", {}, 40000, 512, 0.2),
    ("SVMClassifier", {}, 12000, 256, 0.2),
    ("KNNClassifier", {}, 40000, 256, 0.2),
    ("KernelClassifier", {}, 5000, 256, 1.0),
    ("AutoClassifier", {"time": 60}, 6000, 256, 1.0),
]
# A fit that has ended by then is done again with twice the rows.
AFTER, DOUBLINGS = 0.4, 4


def seconds_until_the_end(name, params, rows, features):
    """From Ctrl-C to the end of a fit; none where it ended before."""
    params = {**params, "n_jobs": 2}
    small = {"steps": 1, **params, "heads": ["centroid"]} if name == "AutoClassifier" else params
    params = {**params, "heads": None, "steps": None} if name == "AutoClassifier" else params
    code = INTERRUPTED.format(name=name, params=params, small=small, rows=rows, features=features, after=AFTER)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, (name, done.stdout, done.stderr)
    word, *seconds = done.stdout.split()
    return float(seconds[0]) if word == "interrupted" else None


def interrupted():
    for name, params, rows, features, limit in LONG:
        seconds = None
        for doubling in range(DOUBLINGS):
            seconds = seconds or seconds_until_the_end(name, params, rows << doubling, features)
        assert seconds is not None, f"{name} is too fast to be interrupted"
        print(f"{name}: ended {seconds:.3f} s after Ctrl-C, expected {limit} s on a quiet machine", flush=True)
        # A busy machine gives the process no time for a while.
        assert seconds < 10 * limit, name
    ok(f"Ctrl-C ends {len(LONG)} long fits in the middle of a step, and leaves the earlier fit")


ALONE = """
import sys, time

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"sklearn", "scipy", "pandas", "polars", "pyarrow", "tqdm", "joblib", "torch"}:
            raise ImportError(name)

sys.meta_path.insert(0, Refused())
import numpy as np
before = set(sys.modules)
started = time.perf_counter()
import headsmith as hs
seconds = time.perf_counter() - started
more = sorted({name.split(".")[0] for name in set(sys.modules) - before} - {"headsmith"})
rng = np.random.default_rng(0)
x, y = rng.normal(size=(60, 5)), np.arange(60) % 2
for kind in [hs.MLPClassifier, hs.RidgeClassifier]:
    clf = kind(verbose=1).fit(x, y)
    assert clf.score(x, y) > 0 and kind.__name__ in repr(clf) and clf._repr_html_()
assert hs.Standardiser().fit_transform(x).shape == x.shape
try:
    hs.KNNClassifier().predict(x)
except hs.NotFittedError:
    print(f"{seconds * 1e3:.0f} ms {' '.join(more)}")
"""


def alone():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True)
    assert done.returncode == 0 and " ms " in done.stdout, done.stderr
    ok(f"without scikit-learn, pandas, tqdm and others; the import takes, beyond NumPy's, {done.stdout.strip()}")


def scores_and_tables(folder, x, y):
    proba = hs.GaussianClassifier().fit(x[:1000], y[:1000]).predict_proba(x[1000:])
    truth, classes = y[1000:], np.unique(y)
    scores = hs.score(truth, proba, classes=classes)
    assert abs(scores.weighted_f1 - f1_score(truth, classes[proba.argmax(axis=1)], average="weighted")) < 1e-12
    low, high = scores.weighted_f1.interval
    assert low < scores.weighted_f1 < high and scores.confusion.sum() == len(truth) and "weighted_f1" in repr(scores)
    shuffled = hs.score(truth, proba[:, ::-1], classes=classes[::-1])
    assert shuffled.accuracy == scores.accuracy and shuffled.log_loss == scores.log_loss
    assert hs.score(truth, proba, n_resamples=0).accuracy.interval is None
    fails(lambda: hs.score(truth, proba[:, :2]), ValueError, "2 columns, but there are 3 classes")
    ok("score: scikit-learn's number with its interval, for classes in any order")
    frame = pd.DataFrame(x[:300], columns=[f"emb_{i}" for i in range(x.shape[1])]).assign(label=y[:300])
    found = hs.inspect(pd.concat([frame, frame[:5]]), frame[:20])
    codes = {finding.code for finding in found.findings}
    assert {"duplicate-rows", "leakage"} & codes and not found.is_sound and "<table" in found._repr_html_(), codes
    assert hs.inspect(frame[:100], (x[200:300], y[200:300])).tables[1]["n_rows"] == 100
    assert f"0 rows, {x.shape[1]} features" in hs.Table(x[:0], y[:0], [], {})._repr_html_()
    frame.to_csv(folder / "t.csv", index=False)
    frame.assign(label=np.arange(300) % 2).to_parquet(folder / "t.parquet")
    table = hs.read(folder / "t.csv")
    assert (table.X == x[:300]).all() and (table.y == y[:300]).all() and table.feature_names == list(frame.columns[:-1])
    assert hs.read(folder / "t.parquet").y.dtype.kind == "i" and hs.inspect(folder / "t.csv").tables[0]["n_rows"] == 300
    ok("inspect of data frames, pairs and files finds copies and leaks; read gives the features, names and labels")


def studies(folder, x, y):
    pd.DataFrame({"embeddings": list(x[:400]), "label": y[:400]}).to_parquet(folder / "study.parquet")
    given = {"params": {"epochs": 3}, "storage": f"sqlite:///{folder / 'study.db'}", "random_state": 5}
    study = hs.tune(folder / "study.parquet", trials=3, n_jobs=2, **given)
    assert study.report["n_finished"] == 3 and study.name in repr(study)
    theirs = study.to_optuna()
    assert len(theirs.trials) == 3 and theirs.best_value == study.best_value
    assert hs.tune(folder / "study.parquet", trials=4, **given).report["n_finished"] == 4
    by_path = hs.tune(folder / "study.parquet", trials=1, params={"epochs": 1}, storage=str(folder / "path.db"))
    assert len(by_path.to_optuna().trials) == 1
    hs.MLPClassifier(**study.best_params).fit(x[:400], y[:400])
    fails(lambda: hs.tune(folder / "study.parquet"), ValueError, "give trials or timeout")
    ok("tune begins and resumes a study that Optuna opens")


def command_comes_along():
    def run(*words):
        return subprocess.run(words, capture_output=True, text=True)

    module = [sys.executable, "-m", "headsmith"]
    assert run(*module, "--version").stdout == run(HEADSMITH, "--version").stdout == f"headsmith {hs.__version__}\n"
    wrong = run(*module, "fit", "ridge", "--train", "none.csv", "--model", "m", "--json")
    assert wrong.returncode == 1 and json.loads(wrong.stdout)["error"]["status"] == 1
    assert run(*module, "fit", "--wrong").returncode == 2
    assert run(*module, "reference").stdout == run(HEADSMITH, "reference").stdout
    ok("python -m headsmith is the command: version, exit status, errors as JSON, reference")


def validation_data_is_checked(x, y):
    """Rows that choose are checked as rows to predict are; arguments that are something else say what was expected."""
    frame = pd.DataFrame(x[:200, :6], columns=list("abcdef"))
    turned, labels = frame[list("fedcba")], y[:200]
    fitted = hs.RidgeClassifier().fit(frame, labels)
    try:
        fitted.predict(turned)
    except ValueError as error:
        text = str(error)
    for kind in [quick(hs.MLPClassifier), hs.RidgeClassifier(), hs.AutoClassifier(steps=1, heads=["centroid"])]:
        fails(lambda: kind.fit(frame, labels, validation_data=(turned, labels)), ValueError, text)
    for kind in [*(quick(kind) for kind in HEADS), hs.AutoClassifier(steps=1, heads=["centroid"])]:
        fails(lambda: kind.fit(x[:200], labels, validation_data=(x[:200, :2], labels)), ValueError, f"X has 2 features, but {type(kind).__name__} is expecting {x.shape[1]}")
    fails(lambda: hs.RidgeClassifier().fit(x, y, validation_data=x), ValueError, "of the type ndarray, expected a pair (X, y)")
    fails(lambda: hs.RidgeClassifier().fit(x, y, validation_data=(x, y[:3])), ValueError, "3 labels, expected one for each of the 1500 rows")
    fails(lambda: hs.RidgeClassifier(callbacks=print).fit(x, y), ValueError, "expected a list of functions")
    ok(f"validation data of {len(HEADS)} heads and a search: other columns, widths and lengths are refused as predict does")


def kinds_of_labels(folder, x):
    """Labels come back from a file as they were, or the file is not written."""
    date, moment = datetime.date, datetime.datetime
    kept = [[date(2026, 1, 1), date(2025, 3, 1)], [moment(2026, 1, 1, 5, tzinfo=datetime.timezone.utc), moment(2025, 1, 1, tzinfo=datetime.timezone.utc)],
            [decimal.Decimal("1.50"), decimal.Decimal(2)], [True, False], [3, -1], [1, 2.5], ["b", "ç"]]
    refused = [[(1, 2), (3, 4)], [b"a", b"b"], [datetime.time(1), datetime.time(2)], [pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2025-01-01", tz="UTC")]]
    arrays = [objects(classes) for classes in kept] + [np.array(["2026-01-01", "2025-01-01"], dtype=f"M8[{unit}]") for unit in ["Y", "D", "s", "us", "ns"]]
    arrays += [np.array([early, "2026-01-01"], dtype=f"M8[{unit}]") for early in ["-5000-01-01", "12345-01-01"] for unit in ["Y", "D", "s"]] + [np.array([-0.0, 1.0])]
    arrays += [np.array([2, 1], kind) for kind in ["u1", ">i4", "f2", "f8"]]
    path = folder / "labels.safetensors"
    fitted = lambda classes: hs.CentroidClassifier().fit(x, classes[np.arange(len(x)) % 2])
    for classes in arrays:
        model = fitted(classes)
        model.save(path)
        loaded = hs.load(path)
        assert loaded.classes_.dtype == model.classes_.dtype and [*map(type, loaded.classes_.tolist())] == [*map(type, model.classes_.tolist())], classes
        assert loaded.classes_.tolist() == np.sort(classes).tolist() and repr(loaded.classes_) == repr(model.classes_) and (loaded.predict(x) == model.predict(x)).all(), classes
    path.unlink()
    for classes in refused:
        model = fitted(objects(classes))
        fails(lambda: model.save(path), ValueError, f"the labels are of the type {type(classes[0]).__name__}, which the file of a model does not keep")
        assert not path.exists() and (pickle.loads(pickle.dumps(model)).predict(x) == model.predict(x)).all()
    ok(f"{len(arrays)} kinds of labels survive save and load, {len(refused)} are refused")


def objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def scores_of_frames(x, y):
    """Scores can be copied; probabilities of a frame are found by the names of its columns; what is missing is refused."""
    fitted = hs.GaussianClassifier().fit(x, y)
    proba, names = fitted.predict_proba(x), list(fitted.classes_)
    scores = hs.score(y, proba, n_resamples=200)
    for again in [pickle.loads(pickle.dumps(scores)), copy.copy(scores), copy.deepcopy(scores)]:
        assert repr(again) == repr(scores) and again.mcc.interval == scores.mcc.interval and (again.confusion == scores.confusion).all()
    for again in [pickle.loads(pickle.dumps(scores.mcc, 2)), copy.copy(scores.mcc), copy.deepcopy(scores.mcc)]:
        assert type(again) is hs.Score and again == scores.mcc and again.interval == scores.mcc.interval
    turned = pd.DataFrame(proba[:, ::-1], columns=names[::-1])
    for given in [turned, turned.add_prefix("proba_"), pd.DataFrame(proba), pd.DataFrame(proba, columns=names)]:
        assert hs.score(y, given, n_resamples=0).log_loss == scores.log_loss
    codes = np.searchsorted(names, y)
    assert hs.score(codes, pd.DataFrame(proba[:, ::-1], columns=[2, 1, 0]), n_resamples=0).log_loss == scores.log_loss
    numbers = hs.GaussianClassifier().fit(x, codes.astype(float))
    by_float = pd.DataFrame(numbers.predict_proba(x), columns=numbers.classes_)
    assert hs.score(codes.astype(float), by_float[[2.0, 0.0, 1.0]], n_resamples=0).log_loss == scores.log_loss
    for columns in [pd.RangeIndex(2, -1, -1), [2, 1, 0]]:
        assert hs.score(codes, pd.DataFrame(proba[:, ::-1], columns=columns), n_resamples=0).log_loss == scores.log_loss
    few = y != names[2]
    assert hs.score(y[few], turned[few], n_resamples=0).log_loss == hs.score(y[few], proba[few], classes=names, n_resamples=0).log_loss
    fails(lambda: hs.score(y, pd.DataFrame(proba, columns=["a", "b", "c"])), ValueError, "the columns of proba are called a, b, c, but the labels are")
    fails(lambda: hs.score(y, turned, classes=names), ValueError, "but the classes are")
    for given in [fitted.predict(x), proba[:, 1], codes]:
        fails(lambda: hs.score(y, given), ValueError, "give probabilities, as predict_proba returns them")
    missing = objects([None, *y[1:]])
    fails(lambda: hs.score(missing, proba), ValueError, "Input y contains NaN or None")
    for groups in [missing, np.where(np.arange(len(y)) == 3, np.nan, 1.0)]:
        fails(lambda: hs.score(y, proba, groups=groups), ValueError, "Input groups contains NaN or None")
        fails(lambda: hs.RidgeClassifier().fit(x, y, groups=groups), ValueError, "Input groups contains NaN or None")
    ok("scores: copies, columns by name, and labels, groups and probabilities that are none")


def labels_of_other_kinds(x, y):
    """Labels that cannot be those of the fit are errors, not wrong answers."""
    codes = np.unique(y, return_inverse=True)[1]
    for labels, others in [(y, codes), (codes, y), (y.astype(object), codes), (codes, y.astype(object)), (np.datetime64("2026-01-01") + codes, y)]:
        fails(lambda: hs.RidgeClassifier().fit(x, labels, validation_data=(x, others)), ValueError, "validation_data: y has labels such as ")
    mixed = objects([i if i % 2 else str(i) for i in range(len(y))])
    fails(lambda: hs.RidgeClassifier().fit(x, y, groups=mixed), ValueError, "groups are of kinds that have no order among them")
    fails(lambda: hs.score(y, np.full((len(y), 3), 1 / 3), groups=mixed), ValueError, "groups are of kinds that have no order among them")
    fitted = hs.RidgeClassifier().fit(x, y)
    fails(lambda: fitted.score(x, y[:1]), ValueError, "y has 1 label, expected one for each of the 300 rows of X")
    fails(lambda: fitted.score(x, objects([None, *y[1:]])), ValueError, "Input y contains NaN or None")
    fails(lambda: fitted.score(x, codes), ValueError, "y has labels such as ")
    fails(lambda: hs.RidgeClassifier().fit(x, codes).score(x, np.where(codes == 0, np.nan, codes)), ValueError, "Input y contains NaN or None")
    assert fitted.score(x, y.astype(object)) == accuracy_score(y, fitted.predict(x))
    ok("labels of another kind, and fewer or missing ones, are refused in validation data, groups and scores")


def arguments_of_estimators(folder, x, y):
    """Each error names the argument, its value, and what was expected."""
    n_wrong = 0
    for name, values in {"metric": [None, 3], "n_jobs": [10**30, "all", 0], "verbose": ["x", None], "decision": [None]}.items():
        for value in values:
            fails(lambda: hs.MLPClassifier(**{"epochs": 1, name: value}).fit(x, y), ValueError, f"{name} is {value!r}, expected ")
            n_wrong += 1
    wrong = [(hs.Divider, "divisor", ["2+standardise", "2.0", -1, 0, None, True, float("nan")], "a number of at least 0"), (hs.PCA, "n_components", [0, -1, "x", 2.5, True], "an integer of at least 1 or None"),
             (hs.Whitener, "shrinkage", [2, -0.5, "x"], "a number in 0..1 or None"), (hs.SignedPower, "exponent", [9, None, "1"], "a number in 0..1 or auto"), (hs.SpectrumPower, "exponent", [9, "x", None], "a number in -1..2")]
    for kind, name, values, expected in wrong:
        for value in values:
            fails(lambda: kind(**{name: value}).fit(x), ValueError, f"{name} is {value!r}, expected {expected}")
            n_wrong += 1
    for kind, given, text in [(hs.Divider, {"divisor": np.float32(2)}, "divide:2"), (hs.PCA, {"n_components": np.int64(2)}, "pca:2"), (hs.SignedPower, {"exponent": "auto"}, "power:auto"), (hs.Whitener, {}, "whiten")]:
        assert kind(**given).fit(x).transform_.text == text
    fitted, path = hs.CentroidClassifier().fit(x, y), folder / "wrong.onnx"
    for version in [4, 300, "3", 3.0, None, True]:
        fails(lambda: fitted.to_onnx(path, ml_opset=version), ValueError, f"ml_opset is {version!r}, expected 3 or 5")
    fails(lambda: fitted.to_onnx(path, force="x"), ValueError, "force is 'x', expected True or False")
    fitted.save(folder / "wrong.safetensors")
    fails(lambda: hs.Predictor(folder / "wrong.safetensors", n_jobs=0), ValueError, "n_jobs is 0, expected ")
    assert (hs.Predictor(folder / "wrong.safetensors", n_jobs=-1)(x)["prediction"] == fitted.predict(x)).all()
    ok(f"{n_wrong} wrong arguments of classifiers and transformers are named, with what was expected; those of files as well")


def names_in_files(folder):
    """Columns are named by one text or several; labels are integers where all of them are."""
    (folder / "names.csv").write_text("f0,f1,label\n" + "".join(f"{i},{i * i},{label}\n" for i, label in enumerate(["--5", "3", "-7"] * 4)))
    (folder / "long.csv").write_text("f0,label\n" + "".join(f"{i},{label}\n" for i, label in enumerate(["9" * 5000, "3"] * 4)))
    read = lambda **given: hs.read(folder / "names.csv", **given)
    assert set(read().y) == {"--5", "3", "-7"} and set(hs.read(folder / "long.csv").y) == {"9" * 5000, "3"}
    assert read(drop="f0").feature_names == read(features="f1").feature_names == read(drop=["f0"]).feature_names == ["f1"] and read(features="f*").feature_names == ["f0", "f1"]
    for name, value in {"drop": 3, "features": [3], "label_column": 3, "embeddings_column": ["e"]}.items():
        for call in [read, lambda **given: hs.tune(folder / "names.csv", trials=1, **given)]:
            fails(lambda: call(**{name: value}), ValueError, f"{name} is {value!r}, expected ")
    fails(lambda: read(drop="f"), ValueError, 'there is no drop column "f"')
    ok("read: columns by one name, labels with two signs and of 5,000 digits")


def arguments_of_searches(folder, x, y):
    """Each error names the argument, its value, and what was expected."""
    search = lambda **given: hs.AutoClassifier(**{"steps": 1, "heads": ["centroid"], **given}).fit(x, y)
    wrong = {"time": "60s", "steps": 2.5, "trials": -1, "refit": "yes", "max_model_size": "1MB", "memory": -1, "folds": 2.5, "max_predict_time": "x", "conformal": True, "val_is": None, "prefer": 1, "metric": None}
    limits = [(name, 0) for name in ["max_model_size", "max_predict_time", "memory"]] + [("conformal", 1.5), ("conformal", 0), ("max_predict_time", -1)]
    for name, value in [*wrong.items(), *limits]:
        fails(lambda: search(**{name: value}), ValueError, f"{name} is {value!r}, expected ")
    fails(lambda: search().report(folder / "report.html", None, y), ValueError, "give rows that the fit did not see, report(path, X, y)")
    # Hashes of 500 rows have 8 kB; with a limit they give way.
    few = np.ascontiguousarray(x[:, :8])
    small, free = (hs.AutoClassifier(steps=1, heads=["centroid"], max_model_size=limit).fit(few, y) for limit in [8000, None])
    for model in [small, free]:
        model.save(folder / "limit.safetensors")
        assert ((folder / "limit.safetensors").stat().st_size <= 8000) == (model is small), (folder / "limit.safetensors").stat().st_size
        assert (hs.load(folder / "limit.safetensors").predict(few) == model.predict(few)).all()
    for name in ["heads", "reduced"]:
        fails(lambda: search(**{name: ["none such"]}), ValueError, f"{name}: there is no head 'none such'; there are forest, ")
    fails(lambda: search(heads=[hs.KNNClassifier()]), ValueError, "expected a list of names of heads")
    fails(lambda: search(heads=[]), ValueError, "heads is empty")
    assert search(heads="centroid").report_["heads"][-1]["head"] == search(heads=["CentroidClassifier"]).report_["heads"][-1]["head"] == search(heads=[hs.CentroidClassifier]).report_["heads"][-1]["head"]
    fails(lambda: hs.AutoClassifier(steps=1).fit(x, y, groups=np.arange(len(y)) // 500), ValueError, "groups has 3 different values, but folds is 5")
    for name, value in {"space": {"epochs": 1}, "trials": 1.5, "lag": "x", "timeout": "1h", "val_share": "x", "params": [1], "name": 3}.items():
        fails(lambda: hs.tune("none.csv", **{"trials": 1, name: value}), ValueError, f"{name} is {value!r}, expected ")
    for train in [x, (x, y), hs.Table(x, y, [], {}), pd.DataFrame(x)]:
        fails(lambda: hs.tune(train, trials=1), ValueError, f"train is of the type {type(train).__name__}, expected a path or a list of paths: write arrays to a file with")
    # As the message says.
    pd.DataFrame(x).add_prefix("emb_").assign(label=y).to_parquet(folder / "train.parquet")
    table = hs.read(folder / "train.parquet")
    assert (table.X == x).all() and (table.y == y).all()
    ok(f"{len(wrong)} wrong arguments of a search and those of a study are named, with what was expected")


def what_inspect_finds(folder):
    """The same leaks in a file, its table and arrays; values that are missing are findings, and other columns errors."""
    rng = np.random.default_rng(0)
    codes = np.arange(150) % 3
    values, labels = np.column_stack([rng.normal(size=(150, 3)), codes]), np.array(["a", "b", "c"])[codes]
    frame = pd.DataFrame(values, columns=["p", "q", "r", "leak"]).assign(label=labels)
    frame.to_csv(folder / "leak.csv", index=False)
    for given, name in [(folder / "leak.csv", "leak"), (hs.read(folder / "leak.csv"), "leak"), (frame, "leak"), ((values, labels), "feature 3")]:
        assert any(f'column "{name}" determines the label' in finding.message for finding in hs.inspect(given).findings), name
    holed = frame.astype({"label": object})
    holed.loc[3, "q"], holed.loc[5, "r"], holed.loc[7, "label"] = np.nan, np.inf, None
    found = hs.inspect(holed)
    assert [(one.severity, one.code) for one in found.findings[:2]] == [("error", "not-finite"), ("error", "no-label")] and found.tables[0]["n_rows"] == 147
    assert '2 rows have NaN or infinity, first row 4 in column "q"' in found.findings[0].message and "first row 8" in found.findings[1].message
    fails(lambda: hs.inspect(frame.assign(text="x")), ValueError, "column 'text' holds no numbers ('x' in row 0)")
    fails(lambda: hs.inspect(frame[:0]), ValueError, "the table train has no rows")
    fails(lambda: hs.inspect(frame, label_column="nope"), ValueError, "has no column 'nope', but 'p', 'q', 'r', 'leak', 'label'")
    fails(lambda: hs.inspect(frame, frame.label), ValueError, "pair, inspect((X, y))")
    ok("inspect: leaks in files, tables, frames and arrays; values and labels that are missing; columns that there are not")


LINES = """
import logging, sys
import headsmith as hs, numpy as np
logging.getLogger("headsmith").setLevel({level})
rng = np.random.default_rng(0)
hs.MLPClassifier(epochs=5, verbose=1).fit(rng.normal(size=(300, 20)), rng.integers(3, size=300))
"""


def lines_of_progress():
    def lines(level):
        return subprocess.run([sys.executable, "-c", LINES.format(level=level)], capture_output=True, text=True, check=True).stderr.splitlines()

    heard = lines("logging.NOTSET")
    assert heard[0].startswith("mlp: epoch 1, ") and heard[-1].startswith("mlp: epoch 5, "), heard
    assert lines("logging.WARNING") == [] and lines("logging.INFO")[-1].startswith("mlp: epoch 5, ")
    ok("progress: the first and the last epoch, unless the level of the log is higher")


def main():
    x, y = sentences(1500)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        equal_to_the_command(folder, x, y)
        auto_equal_to_the_command(folder, x, y)
        at_home_in_scikit_learn(x, y)
        subclasses_and_metadata(x[:600], y[:600])
        weights_of_classes(x[:600], y[:600])
        values_too_large(folder, x[:600], y[:600])
        models_are_files(folder, x, y)
        validation_data_is_checked(x, y)
        kinds_of_labels(folder, x)
        scores_of_frames(x, y)
        labels_of_other_kinds(x[:300], y[:300])
        arguments_of_searches(folder, x, y)
        arguments_of_estimators(folder, x[:300], y[:300])
        names_in_files(folder)
        what_inspect_finds(folder)
        lines_of_progress()
        reports(folder, x, y)
        words_of_python(folder, x, y)
        errors(folder, x, y)
        callbacks_and_progress(x, y)
        no_lock(x, y)
        alone()
        scores_and_tables(folder, x, y)
        studies(folder, x, y)
        command_comes_along()
        interrupted()


if __name__ == "__main__":
    main()
