"""headsmith serve, asked by the clients that others wrote: Triton's HTTP client, MLflow's scoring client, and requests; and the files of deploy/, checked
by the schema of Kubernetes and the linter of container files.

Run by `cargo xtask test`; alone: target/referees/bin/python bench/referees/serving.py
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import numpy as np
import pandas as pd
import requests
import tritonclient.http as triton
import yaml
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
DATA = ROOT / "examples/sentences"


def fitted(folder):
    """A model of the example, with prediction sets, and its predictions of the rows to ask for."""
    model, out = folder / "sentences.safetensors", folder / "predictions.csv"
    run = lambda *args: subprocess.run([HEADSMITH, *args, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    run("fit", "linear", "--train", DATA / "train.parquet", "--model", model, "--conformal", "0.9")
    run("predict", "--model", model, "--data", DATA / "val.parquet", "--out", out, "--proba")
    return model, pd.read_csv(out)


def served(model):
    """A server, and its address, which its log tells."""
    args = [HEADSMITH, "serve", model, "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        event = json.loads(line)
        if event.get("message") == "listening":
            return server, event["about"]
    raise AssertionError("the server ended")


def of_triton(address, rows, classes, expected, labels):
    client = triton.InferenceServerClient(address)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("sentences")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata("sentences")
    assert metadata["inputs"][0]["shape"] == [-1, rows.shape[1]], metadata
    for dtype, name in [(np.float32, "FP32"), (np.float64, "FP64")]:
        for is_binary in [True, False]:
            tensor = triton.InferInput("embeddings", rows.shape, name)
            tensor.set_data_from_numpy(rows.astype(dtype), binary_data=is_binary)
            asked = [triton.InferRequestedOutput(o, binary_data=is_binary) for o in ("label", "probabilities", "in_set")]
            for outputs in [None, asked]:
                answer = client.infer("sentences", [tensor], outputs=outputs, request_id="7")
                assert answer.get_response()["id"] == "7"
                np.testing.assert_allclose(answer.as_numpy("probabilities"), expected, atol=1e-6)
                found = [x.decode() if isinstance(x, bytes) else x for x in answer.as_numpy("label")]
                assert found == labels
                assert answer.as_numpy("in_set").shape == expected.shape
    half = triton.InferInput("embeddings", rows.shape, "FP16")
    half.set_data_from_numpy(rows.astype(np.float16))
    found = client.infer("sentences", [half]).as_numpy("probabilities")
    np.testing.assert_allclose(found, expected, atol=0.02)
    print(f"ok Triton's client: {len(rows)} rows as FP32, FP64, FP16, binary and JSON, the same probabilities to 1e-6")
    for wrong in ["nobody", "sentences/../x"]:
        try:
            client.infer(wrong, [half])
        except triton.InferenceServerException as error:
            assert error.status() == "404", error
        else:
            raise AssertionError(wrong)
    print("ok Triton's client: a model that is not there is an error 404")


def of_mlflow(address, rows, labels):
    client = ScoringServerClient(*address.split(":"))
    client.ping()
    client.wait_server_ready(timeout=120, scoring_server_proc=None)
    frame = pd.DataFrame(rows, columns=[f"f{i}" for i in range(rows.shape[1])])
    assert client.invoke(frame).get_predictions()[0].tolist() == labels
    assert client.invoke(rows.astype(np.float64)).get_predictions()[0].tolist() == labels
    print(f"ok MLflow's scoring client: a frame and an array of {len(rows)} rows, the same labels")


def of_requests(address, rows, expected, labels):
    answer = requests.post(f"http://{address}/predict", json={"embeddings": rows.tolist()}).json()
    assert answer["labels"] == labels
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    answer = requests.post(f"http://{address}/predict", data="x", headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    print("ok requests: the same labels and probabilities, and pages of others are refused")


def of_kubernetes():
    files = ["kubernetes.yaml", "kubernetes-job.yaml"]
    n = 0
    for file in files:
        for resource in yaml.safe_load_all((ROOT / "deploy" / file).read_text()):
            kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
            n += 1
    print(f"ok Kubernetes' schema {kubernetes_validate.latest_version()}: {n} resources of {', '.join(files)}")


def of_container():
    """hadolint knows the errors of a Containerfile; and the command that the image starts is one that the binary understands."""
    file = ROOT / "deploy/Containerfile"
    subprocess.run([Path(sys.executable).parent / "hadolint", file], check=True)
    line = next(line for line in file.read_text().splitlines() if line.startswith("CMD "))
    refused = subprocess.run([HEADSMITH, *json.loads(line[4:])], capture_output=True, text=True)
    assert refused.returncode == 1 and "/run/secrets/token" in refused.stderr, refused
    print("ok hadolint: deploy/Containerfile; the binary understands the command of the image")


def of_slurm(folder, model):
    """The tasks of deploy/slurm-array.sh, four at once: their parts in order are the whole."""
    out, command = folder / "parts.csv", Path(HEADSMITH).resolve()
    assert command.name == "headsmith", command
    # The count is that of a job that repeats two tasks: the number of shards does not depend on it.
    array = os.environ | {"PATH": f"{command.parent}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_CPUS_PER_TASK": "1"}
    args = ["bash", ROOT / "deploy/slurm-array.sh", model, DATA / "val.parquet", out]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for wrong in ([], ["four"], ["0"], ["3"]):
        refused = subprocess.run([*args, *wrong], env=array | {"SLURM_ARRAY_TASK_ID": "3"}, capture_output=True, text=True)
        assert refused.returncode != 0 and "shards" in refused.stderr, refused
    tasks = [subprocess.Popen([*args, "4"], env=array | {"SLURM_ARRAY_TASK_ID": str(i)}, **quiet) for i in range(4)]
    assert [task.wait() for task in tasks] == [0] * 4
    whole = folder / "whole.csv"
    subprocess.run([HEADSMITH, "predict", "--model", model, "--data", DATA / "val.parquet", "--out", whole, "--quiet"], check=True, **quiet)
    parts = [(folder / f"parts-{i:05}-of-00004.csv").read_text().splitlines() for i in range(4)]
    assert parts[0][:1] + [line for part in parts for line in part[1:]] == whole.read_text().splitlines()
    print(f"ok Slurm's array: 4 tasks, {sum(len(part) - 1 for part in parts)} rows as in one prediction")


def main():
    of_kubernetes()
    of_container()
    with tempfile.TemporaryDirectory() as folder:
        model, predictions = fitted(Path(folder))
        of_slurm(Path(folder), model)
        table = pd.read_parquet(DATA / "val.parquet")
        column = next(c for c in table.columns if isinstance(table[c].iloc[0], (list, np.ndarray)))
        rows = np.array(table[column].tolist(), dtype=np.float32)[:64]
        server, address = served(model)
        try:
            classes = requests.post(f"http://{address}/predict", json={"embeddings": rows[:1].tolist()}).json()["classes"]
            expected = predictions[classes].to_numpy()[: len(rows)]
            labels = [classes[i] for i in expected.argmax(axis=1)]
            of_triton(address, rows, classes, expected, labels)
            of_mlflow(address, rows, labels)
            of_requests(address, rows, expected, labels)
            server.send_signal(signal.SIGHUP)
            server.send_signal(signal.SIGTERM)
            server.stderr.read()
            assert server.wait() == 0
            print("ok SIGTERM: the server drained and ended with status 0")
        finally:
            server.kill()


main()
