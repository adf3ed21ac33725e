"""Records what Keras does in one and in ten steps of training from given weights and batches.

Run:  KERAS_BACKEND=jax python make_mlp.py > mlp.json       (keras 3.15.1, jax 0.10.2, numpy 2.4.6)

Networks without noise and dropout (both at zero), of at most 64 units. Every network is trained on ten batches
of its own; the weights after the first and after the tenth are recorded, with the loss of every batch before its
step, the probabilities after the tenth, and the names and counts of `model.summary()`.
"""

import json
import sys

import keras
import numpy as np
from keras import layers

NETWORKS = [
    # n_features, n_classes, neurons0, neurons1, neurons2, layers1, layers2, layer_norms, batch_size, lr
    (12, 3, 16, 8, 6, 0, 3, 0, 32, 1.2261e-3),
    (7, 2, 9, 5, 11, 2, 1, 1, 10, 1e-2),
    (33, 5, 64, 31, 17, 1, 1, 2, 21, 3e-3),
    (4, 3, 1, 1, 1, 0, 0, 0, 5, 1e-2),
    (20, 10, 24, 16, 8, 0, 0, 2, 1, 1e-3),
    (5, 4, 20, 33, 12, 3, 2, 1, 64, 1e-3),
]
# The same with `class_weight`, which Keras takes by the number of the class, and we by its name.
WEIGHTED = [
    ((12, 3, 16, 8, 6, 0, 3, 0, 32, 1.2261e-3), {0: 0.5, 1: 4.0}),
    ((7, 2, 9, 5, 11, 2, 1, 1, 10, 1e-2), {1: 0.0, 0: 3.0}),
]

# The same with the options of the recipe; the ten steps are ten epochs.
RECIPES = [
    ((12, 3, 16, 8, 6, 0, 3, 0, 32, 1e-2), {"weight_decay": 0.3}),
    ((7, 2, 9, 5, 11, 2, 1, 1, 10, 1e-2), {"label_smoothing": 0.2}),
    ((12, 3, 16, 8, 6, 1, 1, 0, 32, 1e-2), {"ema_momentum": 0.8}),
    ((5, 4, 20, 33, 12, 0, 0, 0, 64, 2e-2), {"lr_schedule": "cosine", "warmup_epochs": 0.0}),
    (
        (33, 5, 64, 31, 17, 0, 0, 0, 21, 3e-2),
        {"weight_decay": 0.05, "label_smoothing": 0.1, "ema_momentum": 0.9, "lr_schedule": "cosine", "warmup_epochs": 3.0},
    ),
]


def build(n_features, n_classes, neurons0, neurons1, neurons2, layers1, layers2, layer_norms):
    model = keras.Sequential([keras.Input((n_features,)), layers.Dense(neurons0, activation="relu")])
    if layer_norms > 0:
        model.add(layers.LayerNormalization())
    for _ in range(layers1):
        model.add(layers.Dense(neurons1, activation="relu"))
    for _ in range(layers2):
        model.add(layers.Dense(neurons2, activation="relu"))
    if layer_norms > 1:
        model.add(layers.LayerNormalization())
    model.add(layers.Dropout(0.0))
    model.add(layers.Dense(n_classes, activation="softmax"))
    return model


def listed(values):
    return [float(f"{v:.9g}") for v in np.asarray(values, dtype=np.float64).ravel()]


def weights(model):
    return {
        f"{keras_name(model, layer)}/{variable.name}": listed(variable)
        for layer in model.layers
        for variable in layer.weights
    }


def keras_name(model, layer):
    """The layer's name as it would be in a fresh session: Keras counts on from model to model."""
    kind = type(layer)
    nth = [other for other in model.layers if type(other) is kind].index(layer)
    base = keras.src.utils.naming.to_snake_case(kind.__name__)
    return base if nth == 0 else f"{base}_{nth}"


def full(class_weight, n_classes):
    """Keras wants the weight of every class."""
    return class_weight and {k: class_weight.get(k, 1.0) for k in range(n_classes)}


def optimizer(lr, recipe):
    if "lr_schedule" in recipe:
        warmup = int(recipe["warmup_epochs"])
        # Without warm-up the rate begins at the top.
        rise = {"initial_learning_rate": 0.0, "warmup_target": lr, "warmup_steps": warmup} if warmup else {"initial_learning_rate": lr}
        lr = keras.optimizers.schedules.CosineDecay(decay_steps=10 - warmup, **rise)
    momentum = recipe.get("ema_momentum")
    average = {"use_ema": True, "ema_momentum": momentum} if momentum else {}
    if "weight_decay" in recipe:
        return keras.optimizers.AdamW(lr, weight_decay=recipe["weight_decay"], **average)
    return keras.optimizers.Adam(lr, **average)


def case(seed, n_features, n_classes, *sizes, batch_size, lr, class_weight=None, recipe={}):
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model = build(n_features, n_classes, *sizes)
    for layer in model.layers:  # Biases, gains and offsets away from their defaults, so that they matter.
        for variable in layer.weights:
            noise = rng.normal(0, 0.1, variable.shape).astype(np.float32)
            variable.assign(np.asarray(variable) + noise)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.get("label_smoothing", 0.0))
    model.compile(optimizer=optimizer(lr, recipe), loss=loss)
    x = rng.normal(0, 1, (10, batch_size, n_features)).astype(np.float32)
    y = rng.integers(0, n_classes, (10, batch_size))
    start, losses, after_one = weights(model), [], None
    for x_batch, y_batch in zip(x, y):
        one_hot = np.eye(n_classes, dtype=np.float32)[y_batch]
        weights_of_classes = full(class_weight, n_classes)
        losses.append(float(model.train_on_batch(x_batch, one_hot, class_weight=weights_of_classes)))
        # train_on_batch gives a running mean; the loss of the batch is what it adds to it.
        model.reset_metrics()
        after_one = after_one or weights(model)
    if "ema_momentum" in recipe:  # The average takes the place of the weights, as at the end of `fit`.
        model.optimizer.finalize_variable_values(model.trainable_variables)
    ours = {"class_weight": ",".join(f"class{k}:{v}" for k, v in class_weight.items())} if class_weight else {}
    ours |= recipe | ({"epochs": 10} if recipe else {})
    names = ["neurons0", "neurons1", "neurons2", "layers1", "layers2", "layer_norms"]
    return {
        "n_features": n_features,
        "n_classes": n_classes,
        "params": dict(zip(names, sizes)) | {"batch_size": batch_size, "lr": lr, "dropout": 0.0, "noise": 0} | ours,
        "summary": [[keras_name(model, layer), layer.output.shape[1], layer.count_params()] for layer in model.layers],
        "x": listed(x),
        "y": [int(v) for v in y.ravel()],
        "start": start,
        "losses": losses,
        "after_one": after_one,
        "after_ten": weights(model),
        "probabilities": listed(model.predict(x[0], verbose=0)),
    }


cases = [case(i, *net[:8], batch_size=net[8], lr=net[9]) for i, net in enumerate(NETWORKS)]
cases += [
    case(10 + i, *net[:8], batch_size=net[8], lr=net[9], class_weight=weight)
    for i, (net, weight) in enumerate(WEIGHTED)
]
cases += [
    case(20 + i, *net[:8], batch_size=net[8], lr=net[9], recipe=recipe) for i, (net, recipe) in enumerate(RECIPES)
]
json.dump({"keras": keras.__version__, "cases": cases}, sys.stdout)
