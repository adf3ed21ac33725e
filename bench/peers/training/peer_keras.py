"""Keras, as its users write it: compiled on TensorFlow or JAX (KERAS_BACKEND), or with --eager as the notebook ran it:
TensorFlow, each operation for itself, its metrics, and TensorBoard with histograms every epoch. See peer.py."""

import os
import sys
import tempfile
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import peer
from configurations import ADAM_EPSILON, NORM_EPSILON, layers


def network(task):
    parts, plan = [keras.Input((task.n_features,))], layers(task.configuration, task.n_classes)
    for i, (kind, *values) in enumerate(plan):
        if kind == "dense":
            parts.append(keras.layers.Dense(values[0], "softmax" if i + 1 == len(plan) else "relu"))
        elif kind == "norm":
            parts.append(keras.layers.LayerNormalization(epsilon=NORM_EPSILON))
        else:
            parts.append({"noise": keras.layers.GaussianNoise, "dropout": keras.layers.Dropout}[kind](*values))
    return keras.Sequential(parts)


class Clock(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


class Trainer:
    def __init__(self, task):
        keras.utils.set_random_seed(42)
        self.task = task
        self.about = f"Keras {keras.__version__} on {keras.backend.backend()}"
        self.network = network(task)
        self.network.set_weights(task.weights())
        self.n_params = self.network.count_params()
        one_hot = np.eye(task.n_classes, dtype=np.float32)
        self.y, self.y_val = one_hot[task.y], one_hot[task.y_val]
        self.compile()

    def compile(self):
        f1 = keras.metrics.F1Score(average="weighted", name="weighted_f1")
        adam = keras.optimizers.Adam(self.task.configuration["lr"], epsilon=ADAM_EPSILON)
        self.network.compile(adam, "categorical_crossentropy", metrics=["accuracy", f1])

    def warm_up(self):
        self.train(2)

    def train(self, n_epochs, callbacks=()):
        clock, task = Clock(), self.task
        history = self.network.fit(
            task.x,
            self.y,
            batch_size=task.batch_size,
            epochs=n_epochs,
            validation_data=(task.x_val, self.y_val),
            validation_batch_size=len(self.y_val),
            shuffle=task.shuffle,
            verbose=0,
            # The clock comes last: what the others do at the end of an epoch is the epoch's.
            callbacks=[*callbacks, clock],
        ).history
        scores = zip(clock.seconds, history["loss"], history["val_loss"], history["val_weighted_f1"])
        names = ("seconds", "loss", "val_loss", "val_weighted_f1")
        return [dict(zip(names, map(float, epoch))) for epoch in scores]


def weighted_f1(y_true, y_pred):
    """As the notebook computed it: batch by batch, outside the graph."""
    y, predicted = np.argmax(y_true, axis=1), np.argmax(y_pred, axis=1)
    return peer.weighted_f1(y, predicted, y_true.shape[1])


class Eager(Trainer):
    def compile(self):
        self.about += ", eager, TensorBoard"
        metrics = ["mae", "mse", "accuracy", weighted_f1, keras.metrics.CategoricalAccuracy()]
        adam = keras.optimizers.Adam(self.task.configuration["lr"], epsilon=ADAM_EPSILON)
        self.network.compile(adam, "categorical_crossentropy", metrics=metrics, run_eagerly=True)

    def warm_up(self):
        # There is nothing to compile, and an epoch may take most of a minute.
        self.network.evaluate(self.task.x_val, self.y_val, batch_size=len(self.y_val), verbose=0)

    def train(self, n_epochs):
        with tempfile.TemporaryDirectory() as folder:
            return super().train(n_epochs, [keras.callbacks.TensorBoard(folder, histogram_freq=1)])


if __name__ == "__main__":
    eager = "--eager" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--eager"]
    peer.main("Keras", Eager if eager else Trainer)
