"""Records the decisions of Keras's callbacks on curves of a metric.

Run:  KERAS_BACKEND=jax python make_callbacks.py > callbacks.json       (keras 3.15.1, jax 0.10.2, numpy 2.4.6)

The callbacks are driven by hand with a model that is nothing but weights and a learning rate. Curves are random:
rising and noisy, flat, on a coarse grid (ties), with NaN here and there or at the start.
"""

import json
import sys
import types

import keras
import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau


class Model:
    def __init__(self, lr):
        self.optimizer = types.SimpleNamespace(learning_rate=np.float32(lr))
        self.stop_training = False
        self.epoch = None

    def get_weights(self):
        return [self.epoch]

    def set_weights(self, weights):
        self.epoch = weights[0]


def curve(rng, kind, n):
    if kind == "rising":
        return 0.6 - 0.3 * np.exp(-np.arange(n) / 10) + rng.normal(0, 0.01, n)
    if kind == "flat":
        return 0.5 + rng.normal(0, 1e-4, n)
    if kind == "grid":
        return np.round(rng.uniform(0.4, 0.6, n), 2)
    if kind == "close":  # Steps at and around min_delta, and below what single precision tells apart.
        return 0.5 + rng.choice([0, 1e-9, 5e-5, 1e-4, 1.0001e-4, 2e-4], n).cumsum() * rng.choice([1, -1])
    values = np.round(rng.uniform(0.4, 0.6, n), 2)
    values[rng.uniform(size=n) < 0.2] = np.nan
    if kind == "nan first":
        values[0] = np.nan
    return values


def drive(callback, model, values):
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"m": float(value)})
        yield epoch
        if model.stop_training:
            return


def early_stopping(values, mode, patience):
    model = Model(1.0)
    callback = EarlyStopping(monitor="m", mode=mode, patience=patience, restore_best_weights=True)
    epochs = list(drive(callback, model, values))
    callback.on_train_end()
    return {"n_epochs": len(epochs), "stopped": model.stop_training, "restored": model.epoch}


def plateau(values, mode, lr, **options):
    model = Model(lr)
    callback = ReduceLROnPlateau(monitor="m", mode=mode, **options)
    return [float(model.optimizer.learning_rate) for _ in drive(callback, model, values)]


class Saves(ModelCheckpoint):
    def _save_model(self, epoch, batch, logs):
        self.saved.append(self._should_save_model(epoch, batch, logs, self.filepath))


def checkpoint(values, mode):
    callback = Saves("x.keras", monitor="m", mode=mode, save_best_only=True)
    callback.saved = []
    for epoch in drive(callback, Model(1.0), values):
        pass
    return callback.saved


def case(rng):
    kind = rng.choice(["rising", "flat", "grid", "close", "nan", "nan first"])
    values = curve(rng, kind, int(rng.integers(1, 60)))
    mode = str(rng.choice(["min", "max"]))
    values = -values if mode == "min" and rng.uniform() < 0.5 else values
    patience = int(rng.integers(0, 12))
    options = {
        "factor": float(rng.choice([0.3, 0.1, 0.5, 0.9])),
        "patience": int(rng.integers(1, 8)),
        "min_delta": float(rng.choice([1e-4, 0.0, 1e-2])),
        "cooldown": int(rng.integers(0, 5)),
        "min_lr": float(rng.choice([1e-10, 1e-4, 0.0])),
    }
    lr = float(rng.choice([1.2261e-3, 1e-3, 0.1]))
    return {
        "values": [None if np.isnan(v) else float(v) for v in values],
        "mode": mode,
        "patience": patience,
        "early_stopping": early_stopping(values, mode, patience),
        "plateau_options": options | {"mode": mode},
        "lr": lr,
        "learning_rates": plateau(values, mode, lr, **options),
        "saves": checkpoint(values, mode),
    }


keras.utils.set_random_seed(0)
rng = np.random.default_rng(2026)
json.dump({"keras": keras.__version__, "cases": [case(rng) for _ in range(300)]}, sys.stdout)
