"""The MLP beside Keras, the same network trained in the same way until it stops: python measure_mlp.py FOLDER

With the preset `notebook` (features divided by 10, learning rate 1e-3). Keras's time of an epoch is without the weighted
F1 that its callbacks watch; ours is with it.
"""

import statistics
import sys
import tempfile
from pathlib import Path

import measure

SEEDS = 3
NAME = "Keras on JAX"


def theirs(folder, seed):
    import mlp
    import numpy as np

    x, y, vx, vy = measure.saved(folder)
    classes, y = np.unique(y, return_inverse=True)
    x, vx = mlp.scaled("notebook", x, vx)
    return mlp.theirs(x, y, vx, np.searchsorted(classes, vy), "notebook", seed, epochs=500)


def main(data):
    train, val = measure.table(data, "train"), measure.table(data, "val")
    with tempfile.TemporaryDirectory() as folder:
        measure.save(folder, train, val)
        fit = ["fit", "mlp", "--preset", "notebook", "--train", train, "--val", val]
        fit += ["--model", Path(folder) / "m.safetensors"]
        runs = [(measure.headsmith(*fit, "--seed", s), measure.peer(theirs, folder, s)) for s in range(SEEDS)]
    (ours, memory), (peer, peer_memory) = [zip(*side) for side in zip(*runs)]
    f1, seconds = zip(*peer)
    epochs = [statistics.median(o["epoch_seconds"]) for o in ours]
    measure.row("MLP epoch, training and validation", epochs, seconds, "s", NAME)
    measure.row("MLP peak memory of the process", memory, peer_memory, "MB", NAME)
    measure.row("MLP validation weighted F1", [o["val"]["weighted_f1"] for o in ours], f1, "", NAME)


if __name__ == "__main__":
    main(sys.argv[1])
