"""The MLP beside Keras, the same network trained in the same way: python mlp.py FOLDER

With the preset `notebook` (features divided by 10, learning rate 1e-3), and callbacks that watch the weighted F1 of the
whole validation set on both sides. Keras computes that F1 between its epochs, and its time is not counted.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import measure

SEEDS = 3
NAME = "Keras on JAX"


def theirs(folder, seed):
    import keras
    import numpy as np
    from sklearn.metrics import f1_score

    x, y, vx, vy = measure.saved(folder)
    x, vx = x / 10, vx / 10
    classes, y = np.unique(y, return_inverse=True)
    vy = np.searchsorted(classes, vy)
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    network = keras.Sequential(
        [layers.Input((x.shape[1],)), layers.Dense(642, "relu"), layers.GaussianNoise(0.1)]
        + [layers.Dense(38, "relu") for _ in range(3)]
        + [layers.Dropout(0.73423), layers.Dense(len(classes), "softmax")]
    )
    network.compile(keras.optimizers.Adam(1e-3), "categorical_crossentropy", metrics=["mae", "mse", "accuracy"])
    seconds, f1 = [], []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            seconds.append(time.perf_counter() - self.start)
            predicted = network.predict(vx, batch_size=len(vx), verbose=0).argmax(axis=1)
            f1.append(f1_score(vy, predicted, average="weighted"))
            logs["val_f1"] = f1[-1]

    # The watch comes first: the others read what it adds to the logs.
    callbacks = [
        Watch(),
        keras.callbacks.EarlyStopping("val_f1", mode="max", patience=50, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("val_f1", mode="max", factor=0.3, patience=10, min_lr=1e-10),
    ]
    one_hot = keras.utils.to_categorical
    data = {"x": x, "y": one_hot(y), "validation_data": (vx, one_hot(vy))}
    network.fit(**data, batch_size=963, epochs=500, verbose=0, callbacks=callbacks)
    return statistics.median(seconds), sum(seconds), len(seconds), max(f1)


def main(data):
    train, val = measure.table(data, "train"), measure.table(data, "val")
    with tempfile.TemporaryDirectory() as folder:
        measure.save(folder, train, val)
        fit = ["fit", "mlp", "--preset", "notebook", "--train", train, "--val", val]
        fit += ["--model", Path(folder) / "m.safetensors"]
        runs = [(measure.headsmith(*fit, "--seed", s), measure.peer(theirs, folder, s)) for s in range(SEEDS)]
    ours, memory = [run[0][0] for run in runs], [run[0][1] for run in runs]
    peer, peer_memory = [run[1][0] for run in runs], [run[1][1] for run in runs]
    epochs = [statistics.median(o["epoch_seconds"]) for o in ours]
    measure.row("MLP epoch, training and validation", epochs, [p[0] for p in peer], "s", NAME)
    measure.row("MLP fit until it stops", [o["fit_seconds"] for o in ours], [p[1] for p in peer], "s", NAME)
    measure.row("MLP epochs until it stops", [o["epochs"] for o in ours], [p[2] for p in peer], "", NAME)
    measure.row("MLP peak memory of the process", memory, peer_memory, "MB", NAME)
    measure.row("MLP validation weighted F1", [o["val"]["weighted_f1"] for o in ours], [p[3] for p in peer], "", NAME)


if __name__ == "__main__":
    main(sys.argv[1])
