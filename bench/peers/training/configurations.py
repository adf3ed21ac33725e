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

# What is to be reached: times faster than the better of PyTorch and JAX, and than compiled Keras, with as many fits at
# once as cores; then the share of the machine's peak in matrix products, or of the configuration's own roofline.
TARGETS = {
    "A": {"best": 1.5, "keras": 7.0, "peak": 0.75},
    "B": {"best": 3.0, "keras": 20.0, "roofline": 0.40},
    "C": {"best": 1.5, "keras": 7.0, "peak": 0.60},
    "D": {"best": 5.0, "keras": 20.0, "roofline": 0.40},
    "E": {"best": 1.15, "keras": 3.5, "peak": 0.75},
}
GEOMETRIC_MEAN_TARGET = 2.5
# One fit on all cores is never slower than PyTorch or JAX.
FIT_TARGET = 1.0


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
