"""What the scripts of the peers share: their command line, their data, and the turns in which they train.

    python peer_torch.py FOLDER CONFIGURATION [--epochs N]

FOLDER holds x.f32, y.u32, x_val.f32 and y_val.u32; CONFIGURATION is a letter of configurations.py or a JSON object. A
script prints one JSON object when it is ready to train, all compiled and warm. Then it trains N epochs, or without
--epochs as many as each line of its input says, and prints one object with their seconds (training, and validation with
the weighted F1 of the whole set) and scores.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

from configurations import CONFIGURATIONS, weights

N_THREADS = len(os.sched_getaffinity(0))


class Task:
    """Data and configuration of a training."""

    def __init__(self, folder, configuration):
        def array(name, kind):
            return np.fromfile(Path(folder) / name, kind)

        self.configuration = configuration
        self.y, self.y_val = (array(name, np.uint32).astype(np.int64) for name in ("y.u32", "y_val.u32"))
        self.x, self.x_val = (array(name, np.float32) for name in ("x.f32", "x_val.f32"))
        self.x, self.x_val = self.x.reshape(len(self.y), -1), self.x_val.reshape(len(self.y_val), -1)
        self.n_features, self.n_classes = self.x.shape[1], int(self.y.max()) + 1
        self.batch_size = min(configuration["batch_size"], len(self.y))
        # A training from given weights is there to be compared: its order is that of the table.
        self.shuffle = "weights" not in configuration
        self._random = np.random.default_rng(42)

    def order(self):
        """The order of the rows in the next epoch."""
        return self._random.permutation(len(self.y)) if self.shuffle else np.arange(len(self.y))

    def weights(self):
        """The weights to begin with: those of the file that the configuration names, or by Keras's rule."""
        wanted = weights(self.configuration, self.n_features, self.n_classes)
        if "weights" not in self.configuration:
            return [self._initial(name, shape) for name, shape in wanted]
        values = np.fromfile(self.configuration["weights"], np.float32)
        ends = np.cumsum([np.prod(shape) for _, shape in wanted])
        assert len(values) == ends[-1], f"{len(values)} weights, expected {ends[-1]}"
        return [part.reshape(shape) for part, (_, shape) in zip(np.split(values, ends[:-1]), wanted)]

    def _initial(self, name, shape):
        if name != "kernel":
            return np.full(shape, float(name == "gain"), np.float32)
        limit = np.sqrt(6 / sum(shape))
        return self._random.uniform(-limit, limit, shape).astype(np.float32)


def weighted_f1(y, predicted, n_classes):
    """F1 per class, weighted by the class's share of the rows."""
    confusion = np.bincount(y * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    support, found, hits = confusion.sum(1), confusion.sum(0), np.diag(confusion)
    return float((2 * hits / np.maximum(support + found, 1) * support).sum() / len(y))


def main(name, trainer):
    """Runs a peer. `trainer(task)` gives an object with `task`, `n_params`, `about`, `warm_up()`, and `train(n)`, which trains
    n epochs and gives a dictionary a epoch: seconds, loss, val_loss, val_weighted_f1."""
    parser = argparse.ArgumentParser(description=name)
    parser.add_argument("folder")
    parser.add_argument("configuration")
    parser.add_argument("--epochs", type=int)
    arguments = parser.parse_args()
    text = arguments.configuration
    # Libraries print what they like; ours alone goes where the numbers are read.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(value):
        print(json.dumps(value), file=out, flush=True)

    peer = trainer(Task(arguments.folder, CONFIGURATIONS.get(text) or json.loads(text)))
    if peer.task.shuffle:
        peer.warm_up()
    say({"name": name, "about": peer.about, "n_params": peer.n_params})
    for n_epochs in [arguments.epochs] if arguments.epochs else map(int, sys.stdin):
        epochs = peer.train(n_epochs)
        say({key: [epoch[key] for epoch in epochs] for key in epochs[0]})
