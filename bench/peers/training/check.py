"""Compares what the peers compute with what we do, from the same weights, without noise and dropout.

    python check.py [--configurations ABD]

Prints a line that starts with `ok ` for each comparison that holds; ends with an error at the first that does not.
"""

import argparse
import json
import os
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import contenders
import data
from configurations import CONFIGURATIONS, weights

HEADSMITH = os.environ.get("HEADSMITH", str(contenders.HERE.parents[2] / "target/release/headsmith"))
TOLERANCE = 1e-3
N_EPOCHS = 5
# Few rows: after some hundred steps the rounding of each shows more than what they compute.
N_TRAIN = 1000
SCORES = ["loss", "val_loss"]


def tables(folder):
    """Writes the raw arrays as the archives that the command reads."""
    for name, ending in [("train", ""), ("val", "_val")]:
        y = np.fromfile(folder / f"y{ending}.u32", np.uint32)
        x = np.fromfile(folder / f"x{ending}.f32", np.float32).reshape(len(y), -1)
        np.savez(folder / f"{name}.npz", x=x, y=y.astype(np.int64))


def initial_weights(folder, configuration):
    """Writes the weights that a fit of ours with seed 0 begins with: those of a model that learnt at a rate of 0."""
    model = folder / "model.safetensors"
    given = configuration | {"lr": 0, "epochs": 1, "seed": 0, "scale": "none"}
    flags = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    files = ["--train", folder / "train.npz", "--val", folder / "val.npz", "--model", model]
    command = [HEADSMITH, "fit", "mlp", *map(str, files), *flags, "--json", "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    content = model.read_bytes()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    # A tensor's name ends in layer and variable; before them stands the node it belongs to.
    header = {tuple(name.split("/")[-2:]): entry for name, entry in json.loads(content[8:start]).items()}
    count = {"dense": 0, "layer_normalization": 0}
    with (folder / "weights.f32").open("wb") as file:
        for name, _ in weights(configuration, data.N_FEATURES, data.N_CLASSES):
            layer = "dense" if name in ("kernel", "bias") else "layer_normalization"
            nth = f"_{count[layer]}" if count[layer] else ""
            ours = {"gain": "gamma", "offset": "beta"}.get(name, name)
            first, end = header[f"{layer}{nth}", ours]["data_offsets"]
            file.write(content[start + first : start + end])
            count[layer] += name in ("bias", "offset")


def losses(contender, n_epochs):
    """The losses of a contender's first epochs."""
    answer = contender.train(n_epochs)[0]
    contender.close()
    return np.array([answer[score] for score in SCORES])


def peer(name, folder, configuration, n_epochs):
    """The number of weights of a peer, and its losses."""
    contender = contenders.peer(name, folder, configuration | {"weights": str(folder / "weights.f32")})
    return contender.about["n_params"], losses(contender, n_epochs)


def ours(folder, configuration, n_epochs):
    """The same of us."""
    shapes = weights(configuration, data.N_FEATURES, data.N_CLASSES)
    contender = contenders.ours(contenders.FIT, folder, configuration)
    return sum(int(np.prod(shape)) for _, shape in shapes), losses(contender, n_epochs)


def agree(what, one, other):
    """Says that both are the same, or ends."""
    assert one[0] == other[0], f"{what}: {one[0]} and {other[0]} weights"
    apart = np.abs(one[1] - other[1]).max()
    assert apart <= TOLERANCE, f"{what}: losses {one[1].tolist()} and {other[1].tolist()}"
    print(f"ok {what}: {one[0]:,} weights, losses at most {apart:.1e} apart", flush=True)


def check(folder, letter):
    configuration = CONFIGURATIONS[letter] | {"dropout": 0.0, "noise": 0}
    tables(folder)
    initial_weights(folder, configuration)
    # A batch of all rows, for then their order does not matter: each of us draws its own.
    whole = configuration | {"batch_size": N_TRAIN}
    mine = ours(folder, whole, N_EPOCHS)
    peers = [name for name in contenders.PEERS if name != contenders.EAGER]
    for name in peers:
        agree(f"{letter}, {N_EPOCHS} steps, headsmith and {name}", mine, peer(name, folder, whole, N_EPOCHS))
    # In batches, the last of them smaller, in the order of the table.
    reference = peer(peers[-1], folder, configuration, 1)
    for name in peers[:-1]:
        agree(f"{letter}, an epoch, {peers[-1]} and {name}", reference, peer(name, folder, configuration, 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configurations", default="ABD")
    letters = parser.parse_args().configurations
    with tempfile.TemporaryDirectory() as folder:
        data.make(folder, n_train=N_TRAIN)
        for letter in letters:
            check(Path(folder), letter)


if __name__ == "__main__":
    main()
