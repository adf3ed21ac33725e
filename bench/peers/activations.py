"""What SiLU, GELU and residual blocks would be worth to the multilayer perceptron: its defaults, written in JAX.

    target/referees/bin/python bench/peers/activations.py [TABLE ..] [--folder target/quality] [--out FILE]

TABLE is a table that `cargo xtask bench quality` made, or a folder with tables `train` and `val` as the referees read them. Each network is
trained on five folds, by groups where there are some, of at most 3,000 rows. Prints its log loss and weighted F1, and how
far they are from those of the defaults, paired by fold, with the standard error. `relu 0` is what `headsmith fit mlp` trains.
A block is `h + dense(dropout(activation(dense(normalised(h)))))`, as wide as the layer before it. --out also gets the
scores of every fold, as JSON.
"""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.metrics import f1_score, log_loss
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

sys.path += [str(Path(__file__).parents[1] / name) for name in ("quality", "referees")]
import tables  # noqa: E402
from forest import read  # noqa: E402

ROWS, FOLDS = 3000, 5
UNITS, EPOCHS, RATE = 512, 30, 0.002
ACTIVATIONS = {"relu": jax.nn.relu, "silu": jax.nn.silu, "gelu": partial(jax.nn.gelu, approximate=False)}
VARIANTS = [("relu", 0), ("silu", 0), ("gelu", 0), ("relu", 1), ("gelu", 1), ("relu", 2)]


@dataclass(frozen=True)
class Recipe:
    """The defaults that depend on the number of features, and the variant."""

    batch: int
    dropout: float
    noise: float
    smoothing: float
    decay: float
    activation: str
    blocks: int


def recipe(n_features, activation, blocks):
    values = (256, 0.5, 0.5, 0.1, 0.5) if n_features >= 100 else (64, 0.2, 0.0, 0.0, 0.05)
    return Recipe(*values, activation, blocks)


def table(name, folder):
    """Features, classes as numbers, and groups or None."""
    if Path(name).is_dir():
        parts = [(*read(next(Path(name).glob(f"{part}.*"))), None) for part in ("train", "val")]
    else:
        parts = [tables.read(folder / "tables", name, part) for part in ("train", "test")]
    x, labels = [np.concatenate([part[i] for part in parts]) for i in (0, 1)]
    groups = None if parts[0][2] is None else np.concatenate([part[2] for part in parts])
    drawn = np.sort(np.random.default_rng(7).permutation(len(x))[:ROWS])
    return x[drawn], np.unique(labels[drawn], return_inverse=True)[1], None if groups is None else groups[drawn]


def scaled(train, held_out):
    """As `power:auto+standardise` does."""
    if train.min() >= 0:
        train, held_out = [np.sign(x) * np.sqrt(np.abs(x)) for x in (train, held_out)]
    mean, deviation = train.mean(0, dtype=float), train.std(0, dtype=float)
    deviation[deviation == 0] = 1
    return [((x - mean) / deviation).astype(np.float32) for x in (train, held_out)]


def dense(key, n_in, n_out):
    limit = (6 / (n_in + n_out)) ** 0.5
    return {"kernel": jax.random.uniform(key, (n_in, n_out), minval=-limit, maxval=limit), "bias": jnp.zeros(n_out)}


def network(key, n_features, n_classes, blocks):
    keys = iter(jax.random.split(key, 2 + 2 * blocks))
    found = {"first": dense(next(keys), n_features, UNITS), "last": dense(next(keys), UNITS, n_classes), "blocks": []}
    for _ in range(blocks):
        block = {"gain": jnp.ones(UNITS), "offset": jnp.zeros(UNITS), "wide": dense(next(keys), UNITS, UNITS), "back": dense(next(keys), UNITS, UNITS)}
        found["blocks"].append(block)
    return found


def through(layer, x):
    return x @ layer["kernel"] + layer["bias"]


def normalised(block, x):
    centred = x - x.mean(1, keepdims=True)
    return centred / jnp.sqrt(x.var(1, keepdims=True) + 1e-3) * block["gain"] + block["offset"]


def dropped(key, x, rate):
    return x * jax.random.bernoulli(key, 1 - rate, x.shape) / (1 - rate)


def logits(weights, x, how, key=None):
    """Those of a training step with a key, which drops; of a prediction without."""
    activation = ACTIVATIONS[how.activation]
    drop = (lambda x, i: x) if key is None else (lambda x, i: dropped(jax.random.fold_in(key, i), x, how.dropout))
    hidden = activation(through(weights["first"], x))
    for i, block in enumerate(weights["blocks"]):
        inner = activation(through(block["wide"], normalised(block, hidden)))
        hidden = hidden + through(block["back"], drop(inner, i + 1))
    return through(weights["last"], drop(hidden, 0))


def loss(weights, rows, targets, counts, key, how):
    noise, drop = jax.random.split(key)
    rows = rows + how.noise * jax.random.normal(noise, rows.shape)
    losses = -(targets * jax.nn.log_softmax(logits(weights, rows, how, drop))).sum(1)
    return (losses * counts).sum() / counts.sum()


@partial(jax.jit, static_argnames="how")
def epoch(state, batches, key, n_steps, how):
    """AdamW's steps through the batches, at a rate that falls by a cosine to 0 at the last of n_steps."""

    def step(state, batch):
        weights, mean, square, t = state
        slope = jax.grad(loss)(weights, *batch, how)
        rate, t = RATE * 0.5 * (1 + jnp.cos(jnp.pi * t / n_steps)), t + 1
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, slope)
        square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, slope)
        unbiased = jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        moved = lambda w, m, s: w * (1 - rate * how.decay) - rate * unbiased * m / (jnp.sqrt(s) + 1e-7)
        return (jax.tree.map(moved, weights, mean, square), mean, square, t), None

    return jax.lax.scan(step, state, (*batches, jax.random.split(key, len(batches[0]))))[0]


def predicted(x, y, n_classes, queries, seed, how):
    """The probabilities of the queries, by a network fitted to x and y."""
    targets = np.eye(n_classes, dtype=np.float32)[y] * (1 - how.smoothing) + how.smoothing / n_classes
    steps, random = -(-len(x) // how.batch), np.random.default_rng(seed)
    # The last batch is filled with rows that do not count.
    counts = (np.arange(steps * how.batch) < len(x)).astype(np.float32).reshape(steps, how.batch)
    weights = network(jax.random.PRNGKey(seed), x.shape[1], n_classes, how.blocks)
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = weights, zeros, zeros, jnp.float32(0)
    for i in range(EPOCHS):
        order = np.resize(random.permutation(len(x)), counts.size).reshape(counts.shape)
        state = epoch(state, (x[order], targets[order], counts), jax.random.PRNGKey(1000 * seed + i), EPOCHS * steps, how)
    return np.asarray(jax.nn.softmax(logits(state[0], queries, how)), dtype=float)


def scores(rows, activation, blocks):
    """Log loss and weighted F1 of each fold."""
    x, y, groups = rows
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    how, found = recipe(x.shape[1], activation, blocks), []
    for seed, (inner, outer) in enumerate(splitter(FOLDS, shuffle=True, random_state=3).split(x, y, groups)):
        train, held_out = scaled(x[inner], x[outer])
        proba = predicted(train, y[inner], y.max() + 1, held_out, seed, how)
        found.append((log_loss(y[outer], proba / proba.sum(1, keepdims=True), labels=range(y.max() + 1)), f1_score(y[outer], proba.argmax(1), average="weighted")))
    return np.array(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", default=["reviews", "novels", "mails", "satellite", "spam"], metavar="TABLE")
    parser.add_argument("--folder", type=Path, default="target/quality", help="cache of the quality suite")
    parser.add_argument("--out", type=Path, help="write the scores of every fold here, as JSON")
    args = parser.parse_args()
    everything = {}
    for name in args.tables:
        rows, defaults = table(name, args.folder), None
        for activation, blocks in VARIANTS:
            found = scores(rows, activation, blocks)
            defaults = found if defaults is None else defaults
            change = found - defaults
            mean, error = change.mean(0), change.std(0, ddof=1) / FOLDS**0.5
            said = [f"{title} {found.mean(0)[i]:.4f}, {mean[i]:+.4f} ({error[i]:.4f})" for i, title in enumerate(["log loss", "weighted F1"])]
            print(f"{Path(name).name} {activation} {blocks}: {'; '.join(said)}", flush=True)
            everything.setdefault(name, {})[f"{activation} {blocks}"] = found.tolist()
            if args.out:
                args.out.write_text(json.dumps(everything))


if __name__ == "__main__":
    main()
