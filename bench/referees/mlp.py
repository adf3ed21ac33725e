"""The perceptron beside Keras's: the same network on the same numbers, turn by turn.

Run by `cargo xtask test`; alone: target/referees/bin/python bench/referees/mlp.py [FOLDER [SEEDS]]

Without a folder it trains on the shipped example for a few epochs, also with sample weights, and then compares the
training losses of each epoch, of a network without noise and dropout, and of one with AdamW, an average of the weights, label
smoothing and a cosine after a warm-up. With one that holds `train.csv` and `val.csv`
it trains until both stop, for both presets. Ours is `crates/heads/examples/mlp.rs`, which reads raw arrays, so both
sides see the same bytes; the time of an epoch is that of training and validation, on as many threads as there are
cores for Keras and on one for ours.
"""

import ast
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import pandas as pd
from drive.examples import build, program
from sklearn.metrics import f1_score

ROOT = Path(__file__).resolve().parents[2]
OURS = program("mlp")
FINAL = {"neurons0": 642, "neurons2": 38, "layers2": 3, "dropout": 0.73423, "batch_size": 963, "patience": 50}
LEARNING_RATES = {"default": 1.2261e-3, "notebook": 1e-3}


def table(folder, name):
    path = next(Path(folder).glob(f"{name}.*"))
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    cells = frame["embeddings"] if path.suffix == ".parquet" else map(ast.literal_eval, frame["embeddings"])
    return np.array(list(cells), dtype=np.float32), frame["label"].to_numpy(dtype=str)


def scaled(preset, x, x_val):
    if preset == "notebook":
        return x / np.float32(10), x_val / np.float32(10)
    mean, deviation = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    deviation[deviation == 0] = 1
    return tuple(((rows - mean) / deviation).astype(np.float32) for rows in (x, x_val))


def run(folder, seed, *given):
    command = [OURS, folder, 3, seed, 1, *given]
    return json.loads(subprocess.run(map(str, command), check=True, capture_output=True, text=True).stdout)


def ours(folder, preset, seed, epochs):
    given = ["preset", "notebook"] if preset == "notebook" else []
    result = run(folder, seed, *given, "epochs", epochs)
    return result["best"]["val"]["weighted_f1"], np.median(result["epoch_seconds"][1:])


def keras_network(n_features, learning_rate, noise=0.1, dropout=FINAL["dropout"]):
    layers = keras.layers
    network = keras.Sequential(
        [layers.Input((n_features,)), layers.Dense(FINAL["neurons0"], "relu"), layers.GaussianNoise(noise)]
        + [layers.Dense(FINAL["neurons2"], "relu") for _ in range(FINAL["layers2"])]
        + [layers.Dropout(dropout), layers.Dense(3, "softmax")]
    )
    metrics = ["mae", "mse", "accuracy"]
    network.compile(keras.optimizers.Adam(learning_rate), "categorical_crossentropy", metrics=metrics)
    return network


class Watch(keras.callbacks.Callback):
    """The F1 of the whole validation set, which Keras's own would average over batches; its time is not counted."""

    def __init__(self, x_val, y_val):
        super().__init__()
        self.x_val, self.y_val, self.seconds, self.f1 = x_val, y_val, [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)
        predicted = self.model.predict(self.x_val, batch_size=len(self.x_val), verbose=0).argmax(axis=1)
        self.f1.append(f1_score(self.y_val, predicted, average="weighted"))
        logs["val_f1"] = self.f1[-1]


def theirs(x, y, x_val, y_val, preset, seed, epochs):
    keras.utils.set_random_seed(seed)
    network = keras_network(x.shape[1], LEARNING_RATES[preset])
    watch = Watch(x_val, y_val)
    # The watch comes first: the others read what it adds to the logs.
    callbacks = [
        watch,
        keras.callbacks.EarlyStopping("val_f1", mode="max", patience=FINAL["patience"], restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("val_f1", mode="max", factor=0.3, patience=10, min_lr=1e-10),
    ]
    one_hot = keras.utils.to_categorical
    network.fit(
        x,
        one_hot(y),
        validation_data=(x_val, one_hot(y_val)),
        batch_size=FINAL["batch_size"],
        epochs=epochs,
        verbose=0,
        callbacks=callbacks,
    )
    return max(watch.f1), np.median(watch.seconds[1:])


def arrays(data, preset):
    """Scaled features and classes of both tables, under the names of the files of the example."""
    (x, labels), (x_val, labels_val) = table(data, "train"), table(data, "val")
    classes, y = np.unique(labels, return_inverse=True)
    y_val = np.searchsorted(classes, labels_val)
    x, x_val = scaled(preset, x, x_val)
    return {"x.f32": x, "y.u32": y, "x_val.f32": x_val, "y_val.u32": y_val}


def write(folder, files):
    for name, values in files.items():
        values.astype("<" + {"f": "f4", "u": "u4"}[name[-3]]).tofile(Path(folder) / name)


def compare_weighted(data, seeds, epochs):
    """The training loss of each epoch and the last validation F1, with the same sample weights: their means over the seeds may
    not differ by more than their spread explains (Welch's t-test). Weights that are on average 2.4 raise the loss as much."""
    files = arrays(data, "default")
    x, y, x_val, y_val = files.values()
    rng = np.random.default_rng(0)
    weights = (rng.choice([0, 0.5, 1, 3], len(y)) * np.where(y == 0, 4, 1)).astype(np.float32)
    losses, f1 = [], []
    without = ["patience", "none", "plateau_patience", "none", "dropout", 0, "noise", 0]
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files | {"w.f32": weights})
        for seed in range(seeds):
            mine = run(folder, seed, "epochs", epochs, *without)["history"]
            keras.utils.set_random_seed(seed)
            network = keras_network(x.shape[1], LEARNING_RATES["default"], noise=0.0, dropout=0.0)
            theirs = network.fit(
                x, keras.utils.to_categorical(y), sample_weight=weights, batch_size=FINAL["batch_size"], epochs=epochs, verbose=0
            )
            predicted = network.predict(x_val, verbose=0).argmax(axis=1)
            losses.append(([epoch["train"]["loss"] for epoch in mine], theirs.history["loss"]))
            f1.append((mine[-1]["val"]["weighted_f1"], f1_score(y_val, predicted, average="weighted")))
    ours_loss, keras_loss = np.mean(losses, axis=0)
    error = np.sqrt(np.var(losses, axis=0, ddof=1).sum(axis=0) / seeds)
    worst = np.abs((ours_loss - keras_loss) / error).max()
    assert worst < 4 and error.max() < 0.2, f"training losses {ours_loss}, Keras {keras_loss}: t = {worst:.1f}"
    a, b = np.mean(f1, axis=0)
    assert abs(a - b) < 0.03, f"weighted F1 {a:.4f}, Keras {b:.4f}"
    print(
        f"ok mlp, sample weights: training loss {ours_loss[0]:.3f} .. {ours_loss[-1]:.3f}, Keras {keras_loss[0]:.3f} .. "
        f"{keras_loss[-1]:.3f} (greatest t of an epoch: {worst:.1f}); validation weighted F1 {a:.4f}, Keras {b:.4f}",
        flush=True,
    )


RECIPE = {
    "neurons0": 256, "layers2": 0, "batch_size": 256, "lr": 2e-3, "weight_decay": 0.5, "label_smoothing": 0.1, "ema_momentum": 0.9,
    "lr_schedule": "cosine", "warmup_epochs": 1, "monitor": "none", "dropout": 0, "noise": 0,
}


def keras_recipe(n_features, n_batches, epochs):
    """The network of RECIPE, which has no random parts but its first weights and the order of the rows."""
    layers, warmup = keras.layers, RECIPE["warmup_epochs"] * n_batches
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, epochs * n_batches - warmup, warmup_target=RECIPE["lr"], warmup_steps=warmup
    )
    network = keras.Sequential([layers.Input((n_features,)), layers.Dense(RECIPE["neurons0"], "relu"), layers.Dense(3, "softmax")])
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=RECIPE["weight_decay"], use_ema=True, ema_momentum=RECIPE["ema_momentum"]
    )
    network.compile(optimizer, keras.losses.CategoricalCrossentropy(label_smoothing=RECIPE["label_smoothing"]))
    return network


def compare_recipe(data, seeds, epochs):
    """The training loss of each epoch, and the log loss of the averaged weights on the validation rows, as in compare_weighted."""
    files = arrays(data, "default")
    x, y, x_val, y_val = files.values()
    given = [part for item in (RECIPE | {"epochs": epochs}).items() for part in item]
    losses = []
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files)
        for seed in range(seeds):
            mine = run(folder, seed, *given)["history"]
            keras.utils.set_random_seed(seed)
            network = keras_recipe(x.shape[1], -(-len(y) // RECIPE["batch_size"]), epochs)
            theirs = network.fit(x, keras.utils.to_categorical(y), batch_size=RECIPE["batch_size"], epochs=epochs, verbose=0)
            # `fit` leaves the averages in the place of the weights.
            proba = network.predict(x_val, verbose=0)
            val_loss = -np.log(proba[np.arange(len(y_val)), y_val]).mean()
            mine_losses = [epoch["train"]["loss"] for epoch in mine] + [mine[-1]["val"]["loss"]]
            losses.append((mine_losses, theirs.history["loss"] + [val_loss]))
    ours_loss, keras_loss = np.mean(losses, axis=0)
    error = np.sqrt(np.var(losses, axis=0, ddof=1).sum(axis=0) / seeds)
    worst = np.abs((ours_loss - keras_loss) / error).max()
    assert worst < 4 and error.max() < 0.05, f"losses {ours_loss}, Keras {keras_loss}: t = {worst:.1f}"
    print(
        f"ok mlp, AdamW, average, smoothing, cosine: training loss {ours_loss[0]:.3f} .. {ours_loss[-2]:.3f}, Keras "
        f"{keras_loss[0]:.3f} .. {keras_loss[-2]:.3f}; validation {ours_loss[-1]:.4f}, Keras {keras_loss[-1]:.4f} "
        f"(greatest t: {worst:.1f})",
        flush=True,
    )


def compare(data, preset, seeds, epochs, tolerance):
    files = arrays(data, preset)
    x, y, x_val, y_val = files.values()
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files)
        runs = [
            (ours(folder, preset, seed, epochs), theirs(x, y, x_val, y_val, preset, seed, epochs))
            for seed in range(seeds)
        ]
    f1, seconds = np.array(runs).transpose(2, 1, 0)
    listed = [", ".join(f"{v:.4f}" for v in side) for side in f1]
    a, b = f1.mean(axis=1)
    assert abs(a - b) <= tolerance, f"{preset}: weighted F1 {listed[0]}, Keras {listed[1]}"
    ours_seconds, keras_seconds = np.median(seconds, axis=1)
    print(
        f"ok mlp, {preset}: best validation weighted F1 {listed[0]} (mean {a:.4f}), Keras {listed[1]} (mean {b:.4f}); "
        f"{ours_seconds:.3f} s an epoch on one thread, Keras {keras_seconds:.3f} s",
        flush=True,
    )


def main(folder=None, seeds=5):
    build()
    if folder is None:
        compare(ROOT / "examples/sentences", "default", seeds=2, epochs=12, tolerance=0.03)
        compare_weighted(ROOT / "examples/sentences", seeds=6, epochs=6)
        compare_recipe(ROOT / "examples/sentences", seeds=6, epochs=5)
        return
    for preset in LEARNING_RATES:
        # Five standard deviations of the difference of two means, of runs that differ by 0.005.
        compare(folder, preset, int(seeds), epochs=500, tolerance=5 * 0.005 * (2 / int(seeds)) ** 0.5)


if __name__ == "__main__":
    main(*sys.argv[1:])
