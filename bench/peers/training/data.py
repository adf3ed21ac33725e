"""The data of a measurement: raw arrays in a folder, made from a seed where none are given."""

from pathlib import Path

import numpy as np

N_TRAIN, N_VAL, N_FEATURES, N_CLASSES = 5000, 2000, 512, 3
# `zeros`: what a rectifier leaves of embeddings, divided by ten as the notebook does; a fifth of the values are exactly zero,
# and units of the first layer die, as all inputs are positive. `dense`: normals.
KINDS = ("zeros", "dense")
# The rank of what the features have in common, and its share of their variance.
RANK, COMMON = 24, 0.6


def make(folder, kind="dense", n_train=N_TRAIN, n_val=N_VAL, seed=42):
    """Writes a training and a validation set of three classes that a network can learn from, not perfectly."""
    random = np.random.default_rng(seed)
    plane = random.normal(size=(N_FEATURES, N_CLASSES))
    rows = _rectified(random) if kind == "zeros" else lambda n: random.normal(size=(n, N_FEATURES))
    for ending, n_rows in [("", n_train), ("_val", n_val)]:
        x = rows(n_rows).astype(np.float32)
        score = (x - x.mean(axis=0)) / x.std() @ plane
        score += random.normal(scale=20.0, size=score.shape)
        x.tofile(Path(folder) / f"x{ending}.f32")
        score.argmax(axis=1).astype(np.uint32).tofile(Path(folder) / f"y{ending}.u32")


def shorten(folder, target, n_train, n_val):
    """Writes the first rows of the arrays of a folder to another."""
    for ending, n_rows in [("", n_train), ("_val", n_val)]:
        y = np.fromfile(Path(folder) / f"y{ending}.u32", np.uint32)
        x = np.fromfile(Path(folder) / f"x{ending}.f32", np.float32).reshape(len(y), -1)
        x[:n_rows].tofile(Path(target) / f"x{ending}.f32")
        y[:n_rows].tofile(Path(target) / f"y{ending}.u32")


def _rectified(random):
    """Correlated normals, each feature shifted so that its own share of zeros is left by the rectifier: none to four fifths."""
    directions = random.normal(size=(RANK, N_FEATURES)) / np.sqrt(RANK)
    draws = np.sort(random.normal(size=4096))
    shifts = -np.quantile(draws, random.beta(0.9, 3.5, N_FEATURES))

    def rows(n_rows):
        common = random.normal(size=(n_rows, RANK)) @ directions
        own = random.normal(size=(n_rows, N_FEATURES))
        return 0.06 * np.maximum(np.sqrt(COMMON) * common + np.sqrt(1 - COMMON) * own + shifts, 0)

    return rows
