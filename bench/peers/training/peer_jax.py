"""JAX: an epoch's steps as one compiled loop, or each step compiled, whichever is faster here. See peer.py."""

import time
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax, random

import peer
from configurations import ADAM_EPSILON, BETA1, BETA2, NORM_EPSILON, layers


def forward(plan, weights, x, key=None):
    """The logits; with a key, those of training."""
    weights = iter(weights)
    n_dense, last = 0, sum(kind == "dense" for kind, *_ in plan)
    for i, (kind, *values) in enumerate(plan):
        if kind == "dense":
            x = x @ next(weights) + next(weights)
            n_dense += 1
            # The softmax is in the loss.
            x = x if n_dense == last else jax.nn.relu(x)
        elif kind == "norm":
            centred = x - x.mean(1, keepdims=True)
            scale = lax.rsqrt((centred * centred).mean(1, keepdims=True) + NORM_EPSILON)
            x = centred * scale * next(weights) + next(weights)
        elif key is not None and values[0] > 0:
            draws = random.fold_in(key, i)
            if kind == "noise":
                x = x + values[0] * random.normal(draws, x.shape)
            else:
                x = jnp.where(random.bernoulli(draws, 1 - values[0], x.shape), x / (1 - values[0]), 0)
    return x


def mean_loss(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def train_step(plan, lr, state, x, y, rows, key):
    weights, m, v, t = state
    x, y, key = x[rows], y[rows], random.fold_in(key, t)
    loss, gradients = jax.value_and_grad(lambda w: mean_loss(forward(plan, w, x, key), y))(weights)
    t = t + 1
    rate = lr * jnp.sqrt(1 - BETA2**t) / (1 - BETA1**t)
    m = [m + (g - m) * (1 - BETA1) for m, g in zip(m, gradients)]
    v = [v + (g * g - v) * (1 - BETA2) for v, g in zip(v, gradients)]
    weights = [w - rate * m / (jnp.sqrt(v) + ADAM_EPSILON) for w, m, v in zip(weights, m, v)]
    return (weights, m, v, t), loss * len(rows)


def scanned(step):
    """An epoch as one compiled loop over whole batches, and what is left."""

    @partial(jax.jit, donate_argnums=0, static_argnums=5)
    def epoch(state, x, y, order, key, batch_size):
        whole = len(order) // batch_size * batch_size
        batches = order[:whole].reshape(-1, batch_size)
        state, losses = lax.scan(lambda state, rows: step(state, x, y, rows, key), state, batches)
        total = losses.sum()
        if whole < len(order):
            state, loss = step(state, x, y, order[whole:], key)
            total += loss
        return state, total

    return epoch


def stepped(step):
    """An epoch as a loop in Python over compiled steps."""
    step = jax.jit(step, donate_argnums=0)

    def epoch(state, x, y, order, key, batch_size):
        losses = []
        for at in range(0, len(order), batch_size):
            state, loss = step(state, x, y, order[at : at + batch_size], key)
            losses.append(loss)
        return state, jnp.stack(losses).sum()

    return epoch


class Trainer:
    def __init__(self, task):
        self.task = task
        # JAX's default generator: `rbg` and `unsafe_rbg` are no faster on processors.
        self.key = random.key(42)
        plan = layers(task.configuration, task.n_classes)
        start = [jnp.asarray(w) for w in task.weights()]
        self.n_params = sum(w.size for w in start)
        self.state = (start, [jnp.zeros_like(w) for w in start], [jnp.zeros_like(w) for w in start], jnp.int32(0))
        self.x, self.y = jnp.asarray(task.x), jnp.asarray(task.y, jnp.int32)
        self.x_val, self.y_val = jnp.asarray(task.x_val), jnp.asarray(task.y_val, jnp.int32)
        step = partial(train_step, plan, task.configuration["lr"])
        self.epochs = {"scan": scanned(step), "step": stepped(step)}

        @jax.jit
        def evaluate(weights, x, y):
            logits = forward(plan, weights, x)
            return mean_loss(logits, y), logits.argmax(1)

        self.evaluate = evaluate
        self.way = "scan"

    def warm_up(self):
        """Compiles, and keeps the faster way."""
        seconds = {}
        for self.way in self.epochs:
            self.train(1)
            seconds[self.way] = min(epoch["seconds"] for epoch in self.train(2))
        self.way = min(seconds, key=seconds.get)

    @property
    def about(self):
        return f"JAX {jax.__version__}, {self.way}"

    def train(self, n_epochs):
        return [self.epoch() for _ in range(n_epochs)]

    def epoch(self):
        start = time.perf_counter()
        order = self.task.order().astype("int32")
        epoch = self.epochs[self.way]
        self.state, total = epoch(self.state, self.x, self.y, order, self.key, self.task.batch_size)
        val_loss, predicted = self.evaluate(self.state[0], self.x_val, self.y_val)
        f1 = peer.weighted_f1(self.task.y_val, jax.device_get(predicted), self.task.n_classes)
        scores = {"loss": float(total) / len(order), "val_loss": float(val_loss), "val_weighted_f1": f1}
        return {"seconds": time.perf_counter() - start} | scores


if __name__ == "__main__":
    peer.main("JAX", Trainer)
