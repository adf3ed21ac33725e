"""The flavour of MLflow's models: saved, logged and loaded, by this process and by fresh ones, with the predictions of the classifier.

    PYTHONPATH=target/python target/referees/bin/python bench/referees/python_mlflow.py
"""

import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}

import headsmith as hs
import headsmith.mlflow
import mlflow
import numpy as np
import pandas as pd
import yaml

from drive.failing import fails

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
SENTENCES = ROOT / "examples/sentences"


def ok(text):
    print(f"ok {text}", flush=True)


def data(n_rows=300):
    table = hs.read(SENTENCES / "train.parquet")
    x = np.ascontiguousarray(table.X[:n_rows, :24])
    return x, table.y[:n_rows], pd.DataFrame(x, columns=[f"emb_{i}" for i in range(x.shape[1])])


FRESH = """
import sys, warnings
import numpy as np, pandas as pd
# Of names that are not known.
warnings.filterwarnings("error", message="X ")
{native}
np.savez(sys.argv[3], proba=proba, labels=labels)
"""
NATIVE = """
import headsmith.mlflow
model = headsmith.mlflow.load_model(sys.argv[1])
frame = pd.read_parquet(sys.argv[2])
proba, labels = model.predict_proba(frame), model.predict(frame)
"""
PYFUNC = """
import mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
frame = pd.read_parquet(sys.argv[2])
found = model.predict(frame)
assert type(found) is pd.DataFrame and (found.index == frame.index).all() and list(found.columns) == ["a", "b", "ç"], found
proba, labels = found.to_numpy(), model.predict(frame, params={"output": "labels"})
"""


def fresh_process(folder, x, frame):
    """Saved here, and loaded where nothing else is imported."""
    y = np.array(["b", "a", "ç"], dtype=object)[np.arange(len(x)) % 3]
    fitted = hs.MLPClassifier(epochs=2).fit(frame, y)
    headsmith.mlflow.save_model(fitted, folder / "saved", input_example=frame[:2], metadata={"of": "the referee"})
    files = sorted(str(file.relative_to(folder / "saved")) for file in (folder / "saved").rglob("*") if file.is_file())
    expected = ["MLmodel", "conda.yaml", "data/model.safetensors", "input_example.json", "python_env.yaml", "requirements.txt", "serving_input_example.json"]
    assert files == expected, files
    assert f"headsmith=={hs.__version__}" in (folder / "saved/requirements.txt").read_text().split()
    described = yaml.safe_load((folder / "saved/MLmodel").read_text())
    assert described["metadata"] == {"of": "the referee"} and described["flavors"]["headsmith"]["head"] == "mlp"
    assert [column["name"] for column in json.loads(described["signature"]["inputs"])] == list(frame.columns)
    fitted.save(folder / "own.safetensors")
    assert (folder / "own.safetensors").read_bytes() == (folder / "saved/data/model.safetensors").read_bytes()
    frame.set_axis(np.arange(len(frame))[::-1]).to_parquet(folder / "rows.parquet")
    for code in [NATIVE, PYFUNC]:
        words = [sys.executable, "-c", FRESH.format(native=code), folder / "saved", folder / "rows.parquet", folder / "found.npz"]
        subprocess.run(list(map(str, words)), check=True)
        found = np.load(folder / "found.npz", allow_pickle=True)
        assert (found["proba"] == fitted.predict_proba(frame)).all() and (found["labels"] == fitted.predict(frame)).all()
    ok(f"save_model: {len(files)} files, the model as save writes it, this version pinned; the same predictions in fresh processes, by the flavour and by pyfunc")


def rows_of_all_kinds(folder, x, frame):
    y = np.arange(len(x)) % 2 + 7
    plain, named = hs.RidgeClassifier().fit(x, y), hs.RidgeClassifier().fit(frame, y)
    headsmith.mlflow.save_model(plain, folder / "plain")
    headsmith.mlflow.save_model(named, folder / "named")
    headsmith.mlflow.save_model(named, folder / "free", signature=False)
    expected = plain.predict_proba(x)
    served = {name: mlflow.pyfunc.load_model(str(folder / name)) for name in ["plain", "named", "free"]}
    turned, other = frame[frame.columns[::-1]], frame.rename(columns={"emb_0": "other"})
    given = {"plain": [x, x.astype(np.float64), frame, pd.DataFrame(x)], "named": [frame, turned, frame.assign(id="text")], "free": [x, frame, turned, frame.assign(id="text")]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", hs.HeadsmithWarning)
        for name, kinds in given.items():
            for rows in kinds:
                found = served[name].predict(rows)
                assert (found.to_numpy() == expected).all() and list(found.columns) == ["7", "8"] and set(found.dtypes) == {np.dtype(np.float32)}, name
    labels = served["plain"].predict(x, params={"output": "labels"})
    assert labels.dtype == y.dtype and (labels == plain.predict(x)).all()
    ok("pyfunc: arrays and data frames; columns by the names of the features, in any order and among others; labels of their kind")
    fails(lambda: served["named"].predict(other), mlflow.MlflowException, "missing inputs ['emb_0']")
    fails(lambda: served["free"].predict(other), ValueError, "no column 'emb_0', which the model was fitted with")
    fails(lambda: served["free"].predict(x[:, :5]), ValueError, "expecting 24 features")
    fails(lambda: served["plain"].predict(x, params={"output": "votes"}), ValueError, "output is 'votes', expected one of probabilities, labels")
    fails(lambda: mlflow.pyfunc.load_model(str(folder / "plain"), model_config={"decision": "best"}), ValueError, "expected decision (one of argmax, metric, votes)")
    fails(lambda: headsmith.mlflow.save_model(hs.RidgeClassifier(), folder / "unfitted"), hs.NotFittedError, "not fitted yet")
    fails(lambda: headsmith.mlflow.save_model({"a": 1}, folder / "dict"), ValueError, "the model is a dict, expected a classifier of headsmith")
    fails(lambda: headsmith.mlflow.save_model(plain, folder / "plain"), mlflow.MlflowException, "already exists")
    assert not (folder / "unfitted").exists() and not (folder / "dict").exists()
    ok("errors name what is missing, and leave no folder")


def requirements(folder, x):
    """Lists, and texts, which are paths of files as they are for MLflow."""
    clf, own, file = hs.RidgeClassifier().fit(x, np.arange(len(x)) % 2), f"headsmith=={hs.__version__}", folder / "reqs.txt"
    file.write_text("pandas>=2\npyarrow>=9\n")
    given = [({}, {own}), ({"extra_pip_requirements": ["pyarrow"]}, {own, "pyarrow"}), ({"extra_pip_requirements": str(file)}, {own, "pandas>=2", "pyarrow>=9"}),
             ({"pip_requirements": str(file)}, {"pandas>=2", "pyarrow>=9"}), ({"pip_requirements": ["pyarrow"]}, {"pyarrow"})]
    for i, (words, expected) in enumerate(given):
        headsmith.mlflow.save_model(clf, folder / f"required{i}", **words)
        found = set((folder / f"required{i}/requirements.txt").read_text().split())
        assert {each for each in found if not each.startswith("mlflow")} == expected, (words, found)
    ok(f"{len(given)} kinds of requirements: lists, and files of them")


def foreign_descriptions(folder, x):
    """A description of somebody else's loads no file but the model's own, and may lack what this version writes."""
    for name, shift in [("mine", 0), ("other", 1)]:
        headsmith.mlflow.save_model(hs.RidgeClassifier().fit(x, (np.arange(len(x)) + shift) % 2), folder / name)
    own, described = hs.load(folder / "mine/data/model.safetensors"), yaml.safe_load((folder / "mine/MLmodel").read_text())
    for flavor in [{"data": "../other/data/model.safetensors"}, {"data": str(folder / "other/data/model.safetensors")}, {}]:
        (folder / "mine/MLmodel").write_text(yaml.safe_dump(described | {"flavors": {"headsmith": flavor}}))
        loaded = headsmith.mlflow.load_model(str(folder / "mine"))
        assert loaded.decision == "argmax" and (loaded.predict_proba(x) == own.predict_proba(x)).all(), flavor
    (folder / "mine/MLmodel").write_text(yaml.safe_dump(described | {"flavors": {"headsmith": {"decision": "best"}}}))
    fails(lambda: headsmith.mlflow.load_model(str(folder / "mine")), ValueError, "has the decision 'best', expected one of argmax, metric, votes")
    (folder / "mine/data/model.safetensors").unlink()
    fails(lambda: headsmith.mlflow.load_model(str(folder / "mine"), decision="argmax"), ValueError, "has the decision 'best'")
    (folder / "mine/MLmodel").write_text(yaml.safe_dump(described))
    fails(lambda: headsmith.mlflow.load_model(str(folder / "mine")), FileNotFoundError, "model.safetensors")
    ok("a foreign description leads to no other file, and needs no keys")


def logged(folder, x, y, frame):
    """Runs and models in a store: MLflow's default, SQLite."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("referee", artifact_location=(folder / "artifacts").as_uri()))
    auto = hs.AutoClassifier(steps=2, heads=["gaussian", "ridge"], trials=0, folds=2, decision="metric").fit(frame, y)
    with mlflow.start_run() as run:
        info = headsmith.mlflow.log_model(auto, "answer", registered_model_name="sentences", pip_requirements=["headsmith"], input_example=frame[:3])
    for uri in [info.model_uri, f"runs:/{run.info.run_id}/answer", "models:/sentences/1"]:
        loaded, served = headsmith.mlflow.load_model(uri), mlflow.pyfunc.load_model(uri)
        assert (loaded.predict_proba(frame) == auto.predict_proba(frame)).all() and (served.predict(frame).to_numpy() == auto.predict_proba(frame)).all(), uri
        # The decision of the classifier that was logged, unless another is asked for.
        assert loaded.decision == "metric" and (loaded.predict(frame) == auto.predict(frame)).all()
        assert (served.predict(frame, params={"output": "labels"}) == auto.predict(frame)).all()
        other = mlflow.pyfunc.load_model(uri, model_config={"decision": "argmax", "n_jobs": 1}).predict(frame, params={"output": "labels"})
        assert (other == auto.classes_[auto.predict_proba(frame).argmax(axis=1)]).all() and headsmith.mlflow.load_model(uri, decision="argmax").decision == "argmax"
    n_runs = len(mlflow.search_runs())
    fails(lambda: headsmith.mlflow.log_model(hs.RidgeClassifier()), hs.NotFittedError, "not fitted yet")
    assert len(mlflow.search_runs()) == n_runs, "a run was begun for nothing"
    ok("log_model: by the model's, the run's and the registry's address; the decision that was logged, or another")
    mlflow.pyfunc.log_model(name="other", python_model=Other(), registered_model_name="other")
    fails(lambda: headsmith.mlflow.load_model("models:/other/1"), ValueError, "has the flavors python_function, expected headsmith")
    ok("a model of another library is refused")


class Other(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return model_input


def of_the_command(folder):
    """A model that the command wrote, and what it logs of it: the file among the artifacts of a run."""
    model = folder / "model.safetensors"
    words = ["fit", "ridge", "--train", SENTENCES / "train.parquet", "--val-share", "0", "--model", model, "--quiet"]
    subprocess.run([HEADSMITH, *map(str, words)], stdout=subprocess.DEVNULL, check=True)
    x = hs.read(SENTENCES / "train.parquet").X[:50]
    own = hs.load(model)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(model))
    again = headsmith.mlflow.load_model(f"runs:/{run.info.run_id}/model.safetensors")
    assert (again.predict_proba(x) == own.predict_proba(x)).all() and (again.classes_ == own.classes_).all()
    info = headsmith.mlflow.log_model(model, run_id=run.info.run_id)
    assert info.run_id == run.info.run_id
    found = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model").predict(pd.DataFrame(x, columns=getattr(own, "feature_names_in_", None)))
    assert (found.to_numpy() == own.predict_proba(x)).all() and list(found.columns) == list(own.classes_)
    ok("the command's artifact of a run is loaded by its address, and its file logged as a model of the same run")


def not_imported():
    code = "import sys, headsmith; assert 'mlflow' not in sys.modules and not hasattr(headsmith, 'mlflow')"
    subprocess.run([sys.executable, "-c", code], check=True)
    ok("MLflow is imported with headsmith.mlflow alone")


def main():
    x, y, frame = data()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        fresh_process(folder, x, frame)
        rows_of_all_kinds(folder, x, frame)
        requirements(folder, x)
        foreign_descriptions(folder, x)
        logged(folder, x, y, frame)
        of_the_command(folder)
        not_imported()


if __name__ == "__main__":
    main()
