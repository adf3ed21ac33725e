"""What `--mlflow` logs, as an MLflow server has it: a real one on this machine, asked through MLflow's own client, and
compared with events.jsonl, report.json and the study. Also a server that is killed in the middle, Ctrl-C, and what it costs.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request

os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
from mlflow.tracking import MlflowClient

from drive.patience import PATIENCE, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
TABLES = [f"--{role}={ROOT}/examples/sentences/{role}.parquet" for role in ("train", "val")]
SMALL = ["--neurons1", "16", "--neurons2", "16", "--seed", "7"]


def ok(what):
    print(f"ok {what}", flush=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """MLflow's server over a folder of its own, in a group of processes of its own."""

    def __init__(self, folder, *args, port=None):
        port = port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", *args]
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *store]
        env = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with open(f"{folder}/server.log", "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=env, start_new_session=True)
        log = pathlib.Path(folder, "server.log")
        wait_for(lambda: f"MLflow's start\n{log.read_text()}", lambda: self.is_up(log))

    def is_up(self, log):
        assert self.process.poll() is None, f"MLflow did not start\n{log.read_text()}"
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{self.url}/health", timeout=PATIENCE).close()
            return True

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def headsmith(*args, cwd, status=0, env=None):
    command = [str(arg) for arg in (HEADSMITH, *args)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**os.environ, **(env or {})})
    assert done.returncode == status, (args, done.returncode, done.stderr)
    return done


def runs(client, experiment):
    """The newest run of an experiment, and those below it by name."""
    found = client.get_experiment_by_name(experiment)
    every = client.search_runs([found.experiment_id], max_results=1000)
    tops = [run for run in every if "mlflow.parentRunId" not in run.data.tags]
    top = max(tops, key=lambda run: run.info.start_time)
    below = [run for run in every if run.data.tags.get("mlflow.parentRunId") == top.info.run_id]
    named = {run.info.run_name: run for run in below}
    assert len(named) == len(below), "a name is there twice"
    return top, named


def wait_for_trials(client, experiment, n, child):
    """Until a command that goes on has so many runs below its own."""

    def are_there():
        assert child.poll() is None, "the command ended before it was at work"
        found = client.get_experiment_by_name(experiment)
        return found and len(client.search_runs([found.experiment_id])) > n

    wait_for(f"{n} runs below {experiment}", are_there)


def history(client, run, key):
    return [(point.step, point.value) for point in sorted(client.get_metric_history(run.info.run_id, key), key=lambda p: p.step)]


def same(text, value):
    """Whether a parameter's text is the value."""
    if isinstance(value, bool) or value is None:
        return text == {True: "true", False: "false", None: "none"}[value]
    return float(text) == value if isinstance(value, (int, float)) else text == value


def epochs_are(client, run, records, what):
    for side, key in (("train", "train"), ("val", "validation")):
        for name in ("loss", "mae", "mse", "accuracy", "weighted_f1"):
            expected = [(record["epoch"], record[side][name]) for record in records]
            assert history(client, run, f"{key}/epoch_{name}") == expected, (what, side, name)
    expected = [(record["epoch"], record["learning_rate"]) for record in records]
    assert history(client, run, "train/epoch_learning_rate") == expected
    ok(f"{what}: 11 curves of {len(records)} epochs are equal, bit for bit")


def scores_are(run, prefix, judgement):
    metrics, n = run.data.metrics, 0
    for name, value in judgement.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert metrics[f"{prefix}/{name}"] == value, (prefix, name)
            n += 1
    for name, interval in (judgement["intervals"] or {}).items():
        assert [metrics[f"{prefix}/{name}_{end}"] for end in ("low", "high")] == [interval["low"], interval["high"]]
        n += 2
    return n


def params_are(run, prefix, head):
    for name, value in head["params"].items():
        assert same(run.data.params[prefix + name], value), (prefix, name, run.data.params[prefix + name], value)
    assert run.data.params[prefix + "head"] == head["head"]
    return len(head["params"])


def trials_are(client, below, trials, what):
    """`trials` as `study export` tells them."""
    assert set(below) == {f"trial-{trial['number']:04}" for trial in trials}, (set(below), len(trials))
    for trial in trials:
        run = below[f"trial-{trial['number']:04}"]
        expected = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}[trial["state"]]
        assert run.info.status == expected and run.data.tags["headsmith.state"] == trial["state"], trial
        assert set(run.data.params) == set(trial["params"])
        assert all(same(run.data.params[name], value) for name, value in trial["params"].items()), trial
        assert history(client, run, "epoch_weighted_f1") == [tuple(report) for report in trial["reports"]], trial
        metrics = run.data.metrics
        assert (metrics["weighted_f1"], metrics["epochs"]) == (trial["value"], len(trial["reports"])), trial
        assert metrics["pruned"] == float(trial["state"] == "pruned") and run.info.end_time >= run.info.start_time
    states = {state: sum(trial["state"] == state for trial in trials) for state in ("complete", "pruned")}
    assert all(states.values()), states
    ok(f"{what}: {len(trials)} trials ({states}) with parameters, curves, values and states")


def trials_of(folder, storage, name):
    headsmith("study", "export", "--storage", storage, "--study", name, "--out", "trials.json", cwd=folder)
    return json.loads(pathlib.Path(folder, "trials.json").read_text())


def artifacts_are(client, run, folder, names):
    listed = {file.path: file.file_size for file in client.list_artifacts(run.info.run_id)}
    assert set(listed) == set(names), (listed, names)
    for name in names:
        with tempfile.TemporaryDirectory() as there:
            got = pathlib.Path(client.download_artifacts(run.info.run_id, name, there)).read_bytes()
        assert got == pathlib.Path(folder, name).read_bytes(), name


def whole_run(folder, server, client):
    url = server.url.replace("http://", "http://me:s3cret@")
    test = f"--test={ROOT}/examples/sentences/test.parquet"
    flags = ["--trials", "12", "--epochs", "12"]
    done = headsmith("run", "--recipe", "notebook", *TABLES, test, *SMALL, *flags, "--out", "out", "--forest-n-estimators", "20", "--mlflow", url, cwd=folder)
    assert "lost" not in done.stderr, done.stderr
    out = pathlib.Path(folder, "out")
    report = json.loads((out / "report.json").read_text())
    log = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    top, below = runs(client, "headsmith")
    assert top.info.status == "FINISHED" and top.info.run_name == "run"
    epochs_are(client, top, [event["record"] for event in log if event["event"] == "epoch"], "run")
    forest, mlp = report["heads"]
    n = params_are(top, "baseline/", forest) + params_are(top, "", mlp)
    assert top.data.params["seed"] == "7" and top.data.params["preset"] == "standard"
    ok(f"run: {n} parameters of both heads, and seed and preset")
    n = scores_are(top, "validation", mlp["val"]) + scores_are(top, "train", mlp["train"])
    n += scores_are(top, "baseline/validation", forest["val"])
    difference = report["comparison"]["difference"]["weighted_f1"]
    metrics = top.data.metrics
    name = "comparison/difference/weighted_f1"
    assert [metrics[f"{name}{end}"] for end in ("/observed", "_low", "_high")] == [difference[k] for k in ("observed", "low", "high")]
    assert metrics["study/selection/corrected"] == report["study"]["selection"]["corrected"]
    ok(f"run: {n} scores and ends of intervals, the paired difference, the selection-corrected score")
    for table in report["tables"]:
        assert top.data.tags[f"headsmith.data.{table['role']}"] == table["fingerprint"]
    assert top.data.tags["headsmith.chosen"] == report["chosen"]
    assert top.data.tags["headsmith.study"] == report["study"]["name"]
    trials_are(client, below, trials_of(folder, "out/study.db", report["study"]["name"]), "run")
    names = ["events.jsonl", "report.json", "report.html", "model-card.md", "model.safetensors", "submission.csv", "submission.zip"]
    artifacts_are(client, top, out, names)
    ok(f"run: {len(names)} artifacts, byte for byte, with the hashes of the tables as tags")
    texts = [path.read_bytes() for path in [*out.iterdir(), pathlib.Path(folder, "mlflow.db")] if path.is_file()]
    assert not any(b"s3cret" in text for text in texts), "a password was kept"
    ok("run: the password of the address is in no file and in no record")


def fit(folder, server, client):
    plain = headsmith("fit", "mlp", *TABLES, *SMALL, "--epochs", "6", "--model", "plain.safetensors", cwd=folder)
    args = ["fit", "mlp", *TABLES, *SMALL, "--epochs", "6", "--model", "m.safetensors", "--json"]
    done = headsmith(*args, "--mlflow", server.url, "--mlflow-experiment", "a fit", cwd=folder)
    report = json.loads(done.stdout)
    assert "warning" not in plain.stderr + done.stderr, done.stderr
    top, below = runs(client, "a fit")
    assert top.info.status == "FINISHED" and not below and top.info.run_name == "fit mlp"
    epochs_are(client, top, report["history"], "fit")
    params_are(top, "", report)
    scores_are(top, "validation", report["val"])
    artifacts_are(client, top, folder, ["m.safetensors"])
    assert pathlib.Path(folder, "plain.safetensors").read_bytes() == pathlib.Path(folder, "m.safetensors").read_bytes()
    ok("fit: parameters, scores and the model, which is the same bytes without --mlflow")


STUDY = [*SMALL, "--epochs", "8", "--study", "s", "--storage", "s.db", "--quiet"]


def interrupted_and_resumed(folder, server, client):
    tune = ["tune", *TABLES, *SMALL, "--epochs", "40", "--jobs", "2", "--study", "s", "--storage", "s.db", "--mlflow", server.url]
    # More trials than there is time for.
    command = [str(arg) for arg in (HEADSMITH, *tune, "--mlflow-experiment", "study", "--trials", "1000")]
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_trials(client, "study", 4, child)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=PATIENCE) == 130
    first, before = runs(client, "study")
    assert first.info.status == "KILLED" and all(run.info.status != "RUNNING" for run in before.values())
    left = [run for run in before.values() if run.data.tags["headsmith.state"] == "given back"]
    ok(f"tune: Ctrl-C leaves the run and the {len(left)} trials under way killed, none running")
    # Enough that some are pruned.
    n_trials = max(20, len(trials_of(folder, "s.db", "s")) + 4)
    headsmith(*tune, "--mlflow-experiment", "study", "--trials", n_trials, cwd=folder)
    second, after = runs(client, "study")
    assert second.info.run_id != first.info.run_id and second.info.status == "FINISHED"
    assert second.data.tags["headsmith.study"] == first.data.tags["headsmith.study"] == "s"
    assert second.data.params["head"] == "mlp" and "space/lr" in second.data.params
    ended = {name: run for name, run in before.items() if run.data.tags["headsmith.state"] != "given back"}
    assert not set(ended) & set(after)
    trials_are(client, {**ended, **after}, trials_of(folder, "s.db", "s"), "tune, resumed in a run of its own")


def vanishing(folder):
    """The server is killed in the middle of a study: the study is the same, and what was lost is told."""
    headsmith("tune", *TABLES, *STUDY, "--trials", "12", "--jobs", "2", cwd=folder)
    alone = trials_of(folder, "s.db", "s")
    os.rename(f"{folder}/s.db", f"{folder}/alone.db")
    with Server(folder, "--artifacts-destination", f"{folder}/artifacts") as server:
        client = MlflowClient(server.url)
        command = [str(arg) for arg in (HEADSMITH, "tune", *TABLES, *STUDY, "--trials", "12", "--jobs", "2", "--mlflow", server.url)]
        env = {**os.environ, "MLFLOW_HTTP_REQUEST_TIMEOUT": "2"}
        child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env)
        wait_for_trials(client, "headsmith", 2, child)
        server.kill()
        stderr = child.communicate(timeout=PATIENCE)[1]
    assert child.returncode == 0 and "records were lost" in stderr and "are whole" in stderr, stderr
    strip = lambda trials: [{k: v for k, v in t.items() if k not in ("seconds", "started", "completed")} for t in trials]
    assert strip(trials_of(folder, "s.db", "s")) == strip(alone)
    ok("a server killed in the middle: the study is the same, and a warning says what was lost")
    done = headsmith("fit", "forest", *TABLES, "--model", "m.safetensors", "--mlflow", server.url, cwd=folder, status=1)
    assert "cannot log to MLflow" in done.stderr and not os.path.exists(f"{folder}/m.safetensors"), done.stderr
    ok("a server that is not there: one error before anything is read")


def own_folder(folder):
    """A server that takes no artifacts: they are written to its folder, which is on this machine."""
    root = f"file://{folder}/own%20folder"
    with Server(folder, "--no-serve-artifacts", "--default-artifact-root", root) as server:
        args = ["fit", "forest", *TABLES, "--n-estimators", "5", "--model", "f.safetensors", "--mlflow", server.url]
        headsmith(*args, cwd=folder)
        client = MlflowClient(server.url)
        top, _ = runs(client, "headsmith")
        artifacts_are(client, top, folder, ["f.safetensors"])
    ok("a server without artifacts of its own: the model is in the folder that it names")


def main():
    with tempfile.TemporaryDirectory() as folder:
        with Server(folder, "--artifacts-destination", f"{folder}/artifacts") as server:
            client = MlflowClient(server.url)
            whole_run(folder, server, client)
            fit(folder, server, client)
            interrupted_and_resumed(folder, server, client)
    for part in (vanishing, own_folder):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)


main()
