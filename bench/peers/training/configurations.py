"""The networks that are timed: their layers, their size, and the least work that an epoch of each takes."""

from dataclasses import dataclass
from math import prod

# Keras's defaults, and the deviation of the notebook's noise.
NORM_EPSILON = 1e-3
NOISE = 0.1
BETA1, BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-7


def _configuration(neurons0, neurons1, neurons2, layers1, layers2, layer_norms, noise, batch_size):
    sizes = {"neurons0": neurons0, "neurons1": neurons1, "neurons2": neurons2, "layers1": layers1, "layers2": layers2}
    rest = {"layer_norms": layer_norms, "noise": noise, "batch_size": batch_size}
    return sizes | rest | {"dropout": 0.73423, "lr": 0.0012261}


CONFIGURATIONS = {
    "A": _configuration(642, 434, 38, 0, 3, 0, 1, 963),
    "B": _configuration(65, 52, 396, 2, 1, 1, 1, 628),
    "C": _configuration(547, 1355, 32, 1, 2, 0, 1, 64),
    "D": _configuration(128, 128, 64, 1, 1, 2, 1, 16),
    "E": _configuration(1500, 1500, 1500, 2, 2, 1, 0, 256),
}

# A whole fit is so many epochs, in turns of ten. Adam's momentums of weights that get no gradient any more are below the normal
# numbers after some 800 steps, which B, C and D reach in half a fit or less.
N_EPOCHS, TURN = 60, 10
# E trains on a quarter of the rows, or its fits alone would take most of an hour.
N_ROWS = {"E": (1280, 512)}

# What is asked. `best`: times faster than the better of PyTorch and JAX, with as many fits at once as cores; `fit`: the same of
# one fit on all cores; `thread`: one fit on all cores beside one on one thread, which it is never to be slower than but for what
# measuring is off by; `floor`: times the least seconds at most; `late`: last epochs beside early ones.
LEAST = {"best": 1.05, "fit": 1.0, "thread": 0.98}
MOST = {"floor": 1.3, "late_fit": 1.05, "late_study": 1.05}
GEOMETRIC_MEAN_TARGET = 2.0


def describe(configuration):
    """The configuration in a line."""
    c = configuration
    widths = "/".join(str(c[f"neurons{i}"]) for i in range(3))
    norms = f"norms {c['layer_norms']}, noise {c['noise']}"
    return f"{widths}, layers {c['layers1']}+{c['layers2']}, {norms}, batch {c['batch_size']}"


def layers(configuration, n_classes):
    """The layers in their order: ("dense", units), ("noise", deviation), ("norm",), ("dropout", rate).

    A dense layer is followed by a rectifier, the last by a softmax.
    """
    c = configuration
    noise = [("noise", NOISE)] if c["noise"] else []
    first, last = [[("norm",)] if c["layer_norms"] > at else [] for at in (0, 1)]
    hidden = [("dense", c["neurons1"])] * c["layers1"] + [("dense", c["neurons2"])] * c["layers2"]
    end = [("dropout", c["dropout"]), ("dense", n_classes)]
    return [("dense", c["neurons0"]), *noise, *first, *hidden, *last, *end]


def weights(configuration, n_features, n_classes):
    """What is learnt, in Keras's order: kernels with their biases, gains with their offsets, and their shapes."""
    found, width = [], n_features
    for kind, *values in layers(configuration, n_classes):
        if kind == "dense":
            found += [("kernel", (width, values[0])), ("bias", (values[0],))]
            width = values[0]
        elif kind == "norm":
            found += [("gain", (width,)), ("offset", (width,))]
    return found


@dataclass
class Work:
    """What an epoch cannot do without."""

    n_params: int
    """Weights."""
    multiply_adds: float
    """Operations of the matrix products, a multiplication and an addition counted as two."""
    state_bytes: float
    """Weights and both of Adam's moments read once and written once a step."""
    roots: float
    """Adam's square roots; as many divisions."""


def work(configuration, n_features, n_classes, n_train, n_val):
    """Forward, gradient of the weights and, but for the first layer, gradient of the input for every training row;
    forward for every validation row; Adam once a batch."""
    shapes = weights(configuration, n_features, n_classes)
    kernels = [shape[0] * shape[1] for name, shape in shapes if name == "kernel"]
    n_params = sum(prod(shape) for _, shape in shapes)
    steps = -(-n_train // configuration["batch_size"])
    operations = 2.0 * (n_train * (3 * sum(kernels) - kernels[0]) + n_val * sum(kernels))
    return Work(n_params, operations, 24.0 * n_params * steps, float(n_params * steps))
