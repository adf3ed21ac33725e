"""The data of a measurement: raw arrays in a folder, made from a seed where none are given."""

from pathlib import Path

import numpy as np

N_TRAIN, N_VAL, N_FEATURES, N_CLASSES = 5000, 2000, 512, 3


def make(folder, n_train=N_TRAIN, seed=42):
    """Writes a training and a validation set of three classes that a network can learn from, not perfectly."""
    random = np.random.default_rng(seed)
    plane = random.normal(size=(N_FEATURES, N_CLASSES))
    for ending, n_rows in [("", n_train), ("_val", N_VAL)]:
        x = random.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
        score = x @ plane + random.normal(scale=20.0, size=(n_rows, N_CLASSES))
        x.tofile(Path(folder) / f"x{ending}.f32")
        score.argmax(axis=1).astype(np.uint32).tofile(Path(folder) / f"y{ending}.u32")
