"""What is written for TensorBoard, as TensorBoard itself reads it: its EventAccumulator, and its pages over HTTP with
the data server that it starts by default. Histograms and precision-recall curves are compared with TensorBoard's own,
the graph with the model that Keras makes of it; what `--tensorboard` writes with the report, the model and the study.
"""

import io
import json
import os
import pathlib
import re
import subprocess
import tempfile

import keras
import numpy as np
import safetensors.numpy
from drive.tensorboard import Server
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.util import tensor_util

ROOT = pathlib.Path(__file__).resolve().parents[2]
EPOCHS = 5


def ok(what):
    print(f"ok {what}", flush=True)


def accumulate(folder):
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    return accumulator


def series(accumulator, tag):
    """Steps and values of a tag. EventAccumulator keeps what a later file begins anew; the pages show the later."""
    last = {e.step: tensor_util.make_ndarray(e.tensor_proto) for e in accumulator.Tensors(tag)}
    return list(last), list(last.values())


def buckets(values):
    """The histogram that TensorBoard makes of values."""
    return tensor_util.make_ndarray(histogram_pb("h", values).value[0].tensor)


def curve(probabilities, is_positive, n=201):
    """The precision-recall curve as pr_curve.summary.pb counts it (that function itself needs TensorFlow)."""
    indices = np.int32(np.floor(probabilities * (n - 1)))
    count = lambda weights: np.histogram(indices, bins=n, range=(0, n - 1), weights=weights)[0]
    labels = is_positive.astype(float)
    tp, fp = (np.cumsum(count(w)[::-1])[::-1] for w in (labels, 1.0 - labels))
    tn, fn = fp[0] - fp, tp[0] - tp
    return np.float32([tp, fp, tn, fn, tp / np.maximum(1e-7, tp + fp), tp / np.maximum(1e-7, tp + fn)])


def every_kind(folder):
    """The crate's example over numbers made here."""
    draw = np.random.default_rng(5)
    weights = draw.normal(0, 0.1, (EPOCHS, 20_000)).astype(np.float32)
    weights[1] = weights[1, 0]
    logits = draw.normal(size=(500, 3)).astype(np.float32)
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    proba[:4] = [[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [0.005, 0.495, 0.5]]
    truth = draw.integers(0, 3, 500)
    given = pathlib.Path(folder, "input.json")
    given.write_text(json.dumps({"weights": weights.tolist(), "proba": proba.tolist(), "truth": truth.tolist()}))
    logs = f"{folder}/logs"
    command = ["cargo", "run", "--quiet", "--locked", "--package", "headsmith-tensorboard", "--example", "every_kind"]
    subprocess.run([*command, "--", given, logs], check=True, cwd=ROOT)
    accumulated(logs, weights, proba, truth)
    served(logs, weights, proba, truth)
    torn(logs)


def accumulated(logs, weights, proba, truth):
    train = accumulate(f"{logs}/train")
    # From step 2 on, what the second file says counts.
    shift = np.float32([1, 1, 0, 0, 0])[:, None]
    expected = (weights + shift).astype(np.float32)
    steps, values = series(train, "epoch_loss")
    assert steps == list(range(EPOCHS)) and np.array_equal(np.float32(values), expected[:, 0]), (steps, values)
    ok("EventAccumulator: scalars of two files of one run, the second begun anew at step 2")
    steps, values = series(train, "sequential/dense/kernel/histogram")
    assert steps == list(range(EPOCHS))
    for step, value in enumerate(values):
        assert np.array_equal(value, buckets(expected[step])), step
    ok(f"EventAccumulator: {EPOCHS} histograms of {weights.shape[1]} values, equal to TensorBoard's own")
    [model] = train.Tensors("keras")
    model = keras.models.model_from_json(model.tensor_proto.string_val[0].decode())
    shapes = {w.path: tuple(w.shape) for w in model.weights}
    assert shapes["sequential/dense/kernel"] == (5, 7) and shapes["sequential/dense_1/kernel"] == (7, 3), shapes
    assert model.get_layer("gaussian_noise").stddev == 0.1 and model.get_layer("dropout").rate == 0.25
    assert model.get_layer("layer_normalization").epsilon == 1e-3
    ok("EventAccumulator: the graph is a model that Keras makes again")
    [about] = train.Tensors("about")
    assert about.tensor_proto.string_val[0] == b"*all* kinds"
    validation = accumulate(f"{logs}/validation")
    for tag in ["confusion_matrix", "reliability"]:
        [event] = validation.Tensors(tag)
        width, height, png = event.tensor_proto.string_val
        image = Image.open(io.BytesIO(png))
        image.load()
        assert image.size == (int(width), int(height)) and image.mode == "RGB" and len(image.getcolors(1 << 20)) > 9
    ok("EventAccumulator: text and images")
    for k, name in enumerate(["no", "yes", "perhaps"]):
        steps, [value] = series(validation, f"pr_curve/{name}")
        assert steps == [4] and np.array_equal(value, curve(proba[:, k], truth == k)), name
    ok("EventAccumulator: precision-recall curves")


def served(logs, weights, proba, truth):
    with Server(logs) as server:
        server.wait_for(["train", "validation", "study", "study/trial-0", "study/trial-1", "study/trial-2"])
        tags = server.get("plugin/scalars/tags")
        assert set(tags["train"]) == {"epoch_loss"} and set(tags["study/trial-0"]) == {"best_f1"}, tags
        points = server.get("plugin/scalars/scalars", run="train", tag="epoch_loss")
        assert [p[1] for p in points] == list(range(EPOCHS)), points
        assert np.array_equal(np.float32([p[2] for p in points[2:]]), weights[2:, 0]), points
        ok("HTTP: scalars")
        tag = "sequential/dense/kernel/histogram"
        points = server.get("plugin/histograms/histograms", run="train", tag=tag)
        assert np.allclose(points[4][2], buckets(weights[4]), rtol=1e-12), points
        assert server.get("plugin/distributions/tags")["train"].keys() == {tag}
        ok("HTTP: histograms and distributions")
        graph(server, "train", ["dense", "gaussian_noise", "layer_normalization", "dropout", "dense_1"])
        [image] = server.get("plugin/images/images", run="validation", tag="confusion_matrix", sample=0)
        png = server.get("plugin/images/individualImage?" + image["query"])
        Image.open(io.BytesIO(png)).load()
        ok("HTTP: images")
        [points] = server.get("plugin/pr_curves/pr_curves", run="validation", tag="pr_curve/yes").values()
        expected = curve(proba[:, 1], truth == 1)
        # The page leaves out thresholds at the end where nothing is predicted.
        assert np.allclose(points[-1]["precision"], expected[4][: len(points[-1]["precision"])]), points
        ok("HTTP: precision-recall curves")
        sessions(server)


def graph(server, run, layers):
    """The Graphs page is told of the layers, each fed by the one before, in both of its forms."""
    assert server.get("plugin/graphs/info")[run]["run_graph"]
    text = server.get("plugin/graphs/graph", run=run, conceptual="false").decode()
    nodes = re.findall(r'node \{\s+name: "(\w+)"\s+op: "\w+"(?:\s+input: "(\w+)")?', text)
    chain = ["input_layer", *layers]
    assert nodes == [(name, before) for name, before in zip(chain, ["", *chain])], text
    assert server.get("plugin/graphs/info")[run]["tags"]["keras"]["conceptual_graph"]
    text = server.get("plugin/graphs/graph", run=run, tag="keras", conceptual="true").decode()
    nodes = re.findall(r'node \{\s+name: "sequential/(\w+)"(?:\s+input: "sequential/(\w+)")?', text)
    assert nodes == [(name, before) for name, before in zip(chain, ["", *chain])], text
    ok("HTTP: the graph has the layers in their order")


def session_groups(server):
    everything = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
    body = {"experimentName": "", "allowedStatuses": everything, "colParams": [], "startIndex": 0, "sliceSize": 1000}
    return {g["name"]: g for g in server.get("plugin/hparams/session_groups", body)["sessionGroups"]}


def sessions(server):
    experiment = server.get("plugin/hparams/experiment", {"experimentName": ""})
    domains = {h["name"]: (h["type"], h.get("domainInterval") or h.get("domainDiscrete")) for h in experiment["hparamInfos"]}
    assert domains == {
        "lr": ("DATA_TYPE_FLOAT64", {"minValue": 1e-4, "maxValue": 0.1}),
        "scale": ("DATA_TYPE_STRING", ["none", "standard"]),
        "noise": ("DATA_TYPE_BOOL", [False, True]),
    }, domains
    assert experiment["metricInfos"][0]["name"]["tag"] == "best_f1", experiment
    groups = session_groups(server)
    assert set(groups) == {f"trial {i}" for i in range(3)}, groups
    for number, status in enumerate(["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_UNKNOWN"]):
        group = groups[f"trial {number}"]
        lr = 0.01 * (number + 1)
        assert group["hparams"] == {"lr": lr, "scale": "standard", "noise": number == 1}, group
        assert group["metricValues"][0]["value"] == 0.5 + number / 8, group
        assert group["sessions"][0]["status"] == status, group
    ok("HTTP: the experiment's record, and trials with their settings, metrics and status")


def torn(logs):
    """Every cut of the last record leaves what was before."""
    [path] = pathlib.Path(logs, "study/trial-0").iterdir()
    whole = path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, path.name)
        for cut in [1, 4, 5, 20]:
            copy.write_bytes(whole[:-cut])
            accumulator = accumulate(folder)
            assert set(accumulator.Tags()["tensors"]) == {"_hparams_/session_start_info", "best_f1"}, cut
    ok("EventAccumulator: a torn tail loses one record")


def commands(folder):
    """A fit and a study of real tables with `--tensorboard`."""
    binary = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
    logs, model, storage = f"{folder}/logs", f"{folder}/model.safetensors", f"sqlite:///{folder}/study.db"
    tables = ["--train", ROOT / "examples/sentences/train.parquet", "--val", ROOT / "examples/sentences/val.parquet"]

    def run(*args):
        done = subprocess.run([binary, *args], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout)

    small = ["--neurons0", "24", "--neurons1", "12", "--neurons2", "6"]
    watched = [*tables, "--json", "--tensorboard", logs]
    report = run("fit", "mlp", "--preset", "classic", "--model", model, "--epochs", "7", "--layer-norms", "1", *small, *watched)
    run("tune", "--preset", "classic", "--trials", "9", "--epochs", "6", *small, "--study", "s", "--storage", storage, *watched)
    run("study", "export", "--study", "s", "--storage", storage, "--out", f"{folder}/trials.json", "--json")
    trials = json.loads(pathlib.Path(folder, "trials.json").read_text())
    names = [f"s/trial-{trial['number']:04}" for trial in trials]
    with Server(logs) as server:
        sides = [f"{name}/{side}" for name in names for side in ("train", "validation")]
        server.wait_for(["train", "validation", "s", *names, *sides])
        fit_is_served(server, report)
        study_is_served(server, trials)
    weights_are_the_models(accumulate(f"{logs}/train"), report["best_epoch"], model)


def fit_is_served(server, report):
    for run, side in [("train", "train"), ("validation", "val")]:
        for name in ["loss", "mae", "mse", "accuracy", "weighted_f1"]:
            points = server.get("plugin/scalars/scalars", run=run, tag=f"epoch_{name}")
            expected = [np.float32(epoch[side][name]) for epoch in report["history"]]
            assert [p[1] for p in points] == list(range(7)) and [p[2] for p in points] == expected, (run, name)
    ok("fit --tensorboard: scalars of each epoch are those of the report")
    graph(server, "train", [layer["name"] for layer in report["structure"]["layers"]])
    for per_class in report["val"]["per_class"]:
        tag = f"pr_curve/{per_class['class']}"
        [point] = server.get("plugin/pr_curves/pr_curves", run="validation", tag=tag).values()
        positives, recall = point[-1]["true_positives"], point[-1]["recall"]
        assert positives[0] == per_class["support"] and recall[0] == 1 and point[-1]["step"] == report["best_epoch"]
    ok("fit --tensorboard: precision-recall curves begin with the support of their class")


def study_is_served(server, trials):
    groups = session_groups(server)
    assert set(groups) == {f"s/trial-{trial['number']:04}" for trial in trials}, groups
    for trial in trials:
        run = f"s/trial-{trial['number']:04}"
        group = groups[run]
        assert group["hparams"] == trial["params"], (group, trial)
        assert group["sessions"][0]["status"] == "STATUS_SUCCESS", group
        metrics = {metric["name"]["tag"]: metric["value"] for metric in group["metricValues"]}
        pruned = float(trial["state"] == "pruned")
        expected = {"weighted_f1": trial["value"], "epochs": len(trial["reports"]), "pruned": pruned}
        assert {tag: np.float32(value) for tag, value in expected.items()} == metrics, (metrics, trial)
        points = server.get("plugin/scalars/scalars", run=run, tag="epoch_weighted_f1")
        assert [(p[1], p[2]) for p in points] == [(step, np.float32(value)) for step, value in trial["reports"]]
        trial_is_served(server, run, trial)
    ok(f"tune --tensorboard: {len(trials)} trials on the HParams page, with settings, metrics, status and curves")
    ok("tune --tensorboard: every trial has Keras's scalars of training and validation, histograms each epoch, and its graph")


def trial_is_served(server, run, trial):
    """What Keras's callback would have written of this trial."""
    steps = [step for step, _ in trial["reports"]]
    for side in ("train", "validation"):
        for name in ["loss", "mae", "mse", "accuracy", "weighted_f1"]:
            points = server.get("plugin/scalars/scalars", run=f"{run}/{side}", tag=f"epoch_{name}")
            assert [p[1] for p in points] == steps, (run, side, name, points)
            if (side, name) == ("validation", "weighted_f1"):
                assert [p[2] for p in points] == [np.float32(value) for _, value in trial["reports"]], (run, points)
    rates = server.get("plugin/scalars/scalars", run=f"{run}/train", tag="epoch_learning_rate")
    assert np.isclose(rates[0][2], trial["params"]["lr"], rtol=1e-6), (run, rates)
    tags = server.get("plugin/histograms/tags")[f"{run}/train"]
    assert {"sequential/dense/kernel/histogram", "sequential/dense_1/bias/histogram"} <= set(tags), tags
    for tag in tags:
        points = server.get("plugin/histograms/histograms", run=f"{run}/train", tag=tag)
        assert [p[1] for p in points] == steps, (run, tag)
        assert server.get("plugin/distributions/distributions", run=f"{run}/train", tag=tag), (run, tag)
    nodes = server.get("plugin/graphs/graph", run=f"{run}/train", tag="keras", conceptual="true")
    assert b"dense" in nodes and b"input_layer" in nodes, nodes[:200]


def weights_are_the_models(train, best_epoch, model):
    """The histograms of the best epoch are those of the weights in the model file."""
    scaling = ("/mean", "/scale")
    raw = {key: value for key, value in safetensors.numpy.load_file(model).items() if not key.endswith(scaling)}
    n_compared = 0
    for tag in train.Tags()["tensors"]:
        if not tag.endswith("/histogram"):
            continue
        name = tag.removeprefix("sequential/").removesuffix("/histogram")
        [weights] = [values for key, values in raw.items() if key.endswith(name)]
        steps, values = series(train, tag)
        assert steps == list(range(7)) and np.array_equal(values[best_epoch], buckets(weights)), tag
        n_compared += 1
    assert n_compared == len(raw), (n_compared, raw.keys())
    ok(f"fit --tensorboard: histograms of the best epoch are those of the {n_compared} tensors of the model")


with tempfile.TemporaryDirectory() as folder:
    every_kind(folder)
with tempfile.TemporaryDirectory() as folder:
    commands(folder)
