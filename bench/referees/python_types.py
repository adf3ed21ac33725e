"""The types of the Python package, by mypy and pyright in their strict modes: its own sources, a user's program, a user's mistakes, and whether every public symbol has one.

    PYTHONPATH=target/python target/referees/bin/python bench/referees/python_types.py
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import headsmith as hs

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "crates/python"
# basedpyright is pyright with its Node.js in the wheel.
PYRIGHT = [Path(sys.executable).with_name("basedpyright"), "--pythonpath", sys.executable]

USER = """
import tempfile
from pathlib import Path
from typing import Any, assert_type

import headsmith as hs
import headsmith.mlflow
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
rng = np.random.default_rng(0)
x = rng.normal(size=(120, 6)).astype(np.float32)
y = np.array(["a", "b", "c"])[rng.integers(3, size=120)]
folder = Path(tempfile.mkdtemp())


def record(event: dict[str, Any]) -> bool:
    return bool(event["event"] == "none")


ESTIMATORS
auto = hs.AutoClassifier(steps=1, heads=["centroid"], trials=0, n_jobs=1, callbacks=[record])
assert_type(auto.fit(x, y, groups=None, validation_data=(x, y)), hs.AutoClassifier)
assert_type(auto.report_, dict[str, Any])
assert_type(auto.steps_, int)
auto.report(folder / "report.html")

mlp = hs.MLPClassifier(epochs=1, class_weight={"a": 2.0}, scale="l2", random_state=rng, verbose=False, validation_fraction=0.25).fit(x, y)
assert_type(mlp, hs.MLPClassifier)
assert_type(mlp.set_params(epochs=2), hs.MLPClassifier)
assert_type(mlp.get_params(), dict[str, Any])
assert_type(mlp.classes_, npt.NDArray[Any])
assert_type(mlp.n_features_in_, int)
assert_type(mlp.n_iter_, int)
assert_type(mlp.fit_info_, dict[str, Any])
assert_type(mlp.score(x, y), float)
assert_type(mlp.to_onnx(folder / "m.onnx"), dict[str, Any])
mlp.save(folder / "m.safetensors")
loaded = hs.load(folder / "m.safetensors", decision="metric")
assert_type(loaded, hs.LoadedClassifier)
assert_type(loaded.predict_proba(x), Floats)

scores = hs.score(y, loaded.predict_proba(x), classes=loaded.classes_, n_resamples=100, random_state=None)
assert_type(scores, hs.Scores)
assert_type(scores.weighted_f1, hs.Score)
assert_type(scores.roc_auc_ovr, hs.Score | None)
assert_type(scores.confusion, npt.NDArray[np.int64])
if scores.accuracy.interval is not None:
    assert_type(scores.accuracy.interval.low, float)

np.save(folder / "x.npy", x)
(folder / "y.txt").write_text("\\n".join(y) + "\\n")
table = hs.read(folder / "x.npy", labels=folder / "y.txt")
assert_type(table, hs.Table)
assert_type(table.X, Floats)
assert_type(table.y, npt.NDArray[Any] | None)
inspection = hs.inspect(table, (x, y))
assert_type(inspection.findings, list[hs.Finding])
assert_type(inspection.is_sound, bool)
assert_type([finding.code for finding in inspection.findings], list[str])

(folder / "t.csv").write_text("\\n".join(["e0,e1,label", *(f"{row[0]},{row[1]},{label}" for row, label in zip(x, y))]))
study = hs.tune(folder / "t.csv", head="mlp", params={"epochs": 1}, trials=1, storage=f"sqlite:///{folder}/s.db", n_jobs=1, callbacks=[record])
assert_type(study, hs.Study)
assert_type(study.best_params, dict[str, Any])
assert_type(study.best_value, float)

predictor = hs.Predictor(folder / "m.safetensors", "embedding", proba=True)
assert_type(predictor({"embedding": x})["prediction"], Any)

headsmith.mlflow.save_model(mlp, folder / "model", signature=False)
assert_type(headsmith.mlflow.load_model(str(folder / "model"), decision="argmax"), hs.LoadedClassifier)
assert_type(headsmith.mlflow.get_default_pip_requirements(), list[str])
"""

# Lines of the same program for each class, so that a new head or transform is checked without a change here.
CLASSIFIER = """
NAME_ = hs.NAME(n_jobs=1, random_state=7, decision="argmax", metric="macro_f1")
assert_type(NAME_.fit(x, y, sample_weight=np.ones(len(x))), hs.NAME)
assert_type(NAME_.predict(x), npt.NDArray[Any])
assert_type(NAME_.predict_proba(x), Floats)
assert_type(NAME_.predict_log_proba(x), Floats)
"""
TRANSFORMER = """
NAME_ = hs.NAME(n_jobs=1)
assert_type(NAME_.fit(np.abs(x)), hs.NAME)
assert_type(NAME_.set_output(transform="default"), hs.NAME)
assert_type(NAME_.get_feature_names_out(), npt.NDArray[np.object_])
"""

MISTAKES = """
import headsmith as hs

hs.MLPClassifier(epochs="many")  # wrong
hs.MLPClassifier(layers=3)  # wrong
hs.MLPClassifier(decision="best")  # wrong
hs.RidgeClassifier(metric="f1")  # wrong
hs.AutoClassifier(prefer="fast")  # wrong
hs.RandomForestClassifier(criterion="entropy")
hs.PCA(n_components=None)
hs.Whitener(size=1)  # wrong
hs.load(3)  # wrong
hs.load("m").predict()  # wrong
hs.tune("t.csv", sampler="annealing")  # wrong
hs.score([0], [[1.0]]).weighted_f1.interval.low  # wrong
hs.score([0], [[1.0]], random_state="seed")  # wrong
hs.read("t.csv").columns  # wrong
hs.inspect("t.csv").findings[0].line  # wrong
hs.MLPClassifier(callbacks=[lambda: True])  # wrong
"""


def ok(text):
    print(f"ok {text}", flush=True)


def run(*words, folder, fails=False):
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=folder)
    assert fails or done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def mypy(path, folder, **more):
    """The lines of `path` that mypy finds wrong."""
    out = run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder / "mypy", path, folder=folder, **more)
    return {int(line) for line in re.findall(rf"^{path.name}:(\d+): error", out, re.M)}


def pyright(path, folder, **more):
    """The lines of `path` that pyright finds wrong."""
    (folder / "pyrightconfig.json").write_text(json.dumps({"include": [path.name], "typeCheckingMode": "strict", "pythonVersion": "3.11"}))
    found = json.loads(run(*PYRIGHT, "--outputjson", "-p", folder, folder=folder, **more))
    assert found["summary"]["filesAnalyzed"] >= 1, found
    return {error["range"]["start"]["line"] + 1 for error in found["generalDiagnostics"] if error["severity"] == "error"}


def own_sources(folder):
    run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder / "mypy", "--config-file", PACKAGE / "pyproject.toml", PACKAGE / "python/headsmith", folder=folder)
    found = json.loads(run(*PYRIGHT, "--outputjson", "-p", PACKAGE, folder=folder))
    n_files = len(list((PACKAGE / "python/headsmith").glob("*.py")))
    assert found["summary"]["filesAnalyzed"] >= n_files, found["summary"]
    ok(f"{n_files} modules of the package: no error of mypy --strict and of pyright in strict mode")


def user_program(folder):
    kinds = [getattr(hs, name) for name in hs.__all__]
    classifiers = [kind.__name__ for kind in kinds if hasattr(kind, "_head")]
    transformers = [kind.__name__ for kind in kinds if hasattr(kind, "_kind")]
    estimators = [CLASSIFIER.replace("NAME", name) for name in classifiers] + [TRANSFORMER.replace("NAME", name) for name in transformers]
    path = folder / "user.py"
    path.write_text(USER.replace("ESTIMATORS", "".join(estimators)))
    run(sys.executable, path, folder=folder)
    assert not mypy(path, folder) and not pyright(path, folder)
    ok(f"a program with {len(classifiers) + 1} classifiers, {len(transformers)} transformers and every function: {path.read_text().count('assert_type')} types are what both checkers say, and it runs")


def mistakes(folder):
    path = folder / "mistakes.py"
    path.write_text(MISTAKES)
    expected = {i + 1 for i, line in enumerate(MISTAKES.splitlines()) if line.endswith("# wrong")}
    # pyright's strict mode also minds expressions that are not used.
    for name, found in [("mypy", mypy(path, folder, fails=True)), ("pyright", pyright(path, folder, fails=True))]:
        assert found == expected, (name, sorted(expected ^ found))
    ok(f"{len(expected)} mistakes of a user are found by both, and nothing else")


# Optuna says of no class of its own that it has types, so nor has one that extends it.
UNTYPED = ["headsmith.optuna.TPESampler"]


def completeness(folder):
    found = json.loads(run(*PYRIGHT, "--outputjson", "--ignoreexternal", "--verifytypes", "headsmith", folder=folder, fails=True))["typeCompleteness"]
    wrong = [symbol["name"] for symbol in found["symbols"] if not symbol["isTypeKnown"]]
    assert wrong == UNTYPED, (found["completenessScore"], wrong)
    ok(f"{found['exportedSymbolCounts']['withKnownType']} public symbols and {found['otherSymbolCounts']['withKnownType']} that they refer to have known types")


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        own_sources(folder)
        user_program(folder)
        mistakes(folder)
        completeness(folder)


if __name__ == "__main__":
    main()
