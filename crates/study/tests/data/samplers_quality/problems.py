"""What the samplers are compared on: functions, and tables of real tuning results.

A problem is a space (parameters in the order in which they are drawn: name, distribution, condition) and a function of
the parameters to be minimised. The same functions stand in Rust beside the test that uses them.
"""

import json
import math
from pathlib import Path

HERE = Path(__file__).parent


def real(low, high, log=False, step=None):
    return {"name": "FloatDistribution", "attributes": {"step": step, "low": float(low), "high": float(high), "log": log}}


def whole(low, high, log=False, step=1):
    return {"name": "IntDistribution", "attributes": {"log": log, "step": step, "low": low, "high": high}}


def choice(*choices):
    return {"name": "CategoricalDistribution", "attributes": {"choices": list(choices)}}


def always(**params):
    return [[name, distribution, None] for name, distribution in params.items()]


def box(n, low, high):
    return always(**{f"x{i:02}": real(low, high) for i in range(n)})


def vector(p):
    return [p[name] for name in sorted(p)]


def branin(p):
    x, y = p["x"], p["y"]
    bend = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return bend * bend + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def rosenbrock(p):
    x = vector(p)
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def ackley(p):
    x = vector(p)
    radius = math.sqrt(sum(v * v for v in x) / len(x))
    waves = sum(math.cos(2 * math.pi * v) for v in x) / len(x)
    return -20 * math.exp(-0.2 * radius) - math.exp(waves) + 20 + math.e


def rastrigin(p):
    return sum(v * v - 10 * math.cos(2 * math.pi * v) + 10 for v in vector(p))


A6 = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P6 = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]
ALPHA6 = [1.0, 1.2, 3.0, 3.2]


def hartmann(p):
    x = vector(p)
    return -sum(
        alpha * math.exp(-sum(a * (v - c) ** 2 for a, v, c in zip(row, x, centre)))
        for alpha, row, centre in zip(ALPHA6, A6, P6)
    )


def levy(p):
    w = [1 + (v - 1) / 4 for v in vector(p)]
    inner = sum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
    last = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return math.sin(math.pi * w[0]) ** 2 + inner + last


def valley(p):
    """A learning rate that wants to be small when the momentum is high, and weight decay that matters little."""
    lr, decay, momentum = math.log10(p["lr"]), math.log10(p["decay"]), p["momentum"]
    return (lr + 2 + 2 * momentum**4) ** 2 + 0.1 * (decay + 4) ** 2 + 0.3 * (momentum - 0.9) ** 2


def staircase(p):
    """Integers and steps that must fit together."""
    n = [p["n0"], p["n1"], p["n2"], p["n3"]]
    return abs(n[0] - 37) + 0.5 * abs(n[1] + n[0] - 60) + abs(n[2] - n[3]) * 0.3 + (p["half"] - 2.5) ** 2 + abs(n[3] - 4)


def widths(p):
    """Layer widths on a logarithmic scale."""
    a, b = math.log2(p["width0"]), math.log2(p["width1"])
    return (a - 7) ** 2 + 0.5 * (b - a + 2) ** 2 + 4 * (p["dropout"] - 0.3) ** 2


MERIT = [[0.0, 3.1, 2.2, 1.7, 0.9], [2.5, 0.4, 1.9, 2.8, 1.2], [1.1, 2.3, 0.7, 0.2, 3.0], [1.8, 0.6, 2.7, 1.4, 0.1]]
LETTERS = "abcde"


def letters(p):
    i = [LETTERS.index(p[f"c{k}"]) for k in range(4)]
    return sum(MERIT[k][i[k]] for k in range(4)) + 1.5 * (i[0] != i[2]) + 0.8 * (i[1] == i[3]) + (p["x"] - 0.1 * i[1]) ** 2


def mixed(p):
    scale = {"none": 1.0, "relu": 0.0, "tanh": 0.4}[p["kind"]]
    lr = math.log10(p["lr"])
    return (
        scale
        + 0.5 * (lr + 3 + 0.2 * p["depth"]) ** 2
        + 0.1 * abs(p["depth"] - 3)
        + 0.3 * (math.log2(p["batch"]) - 5) ** 2
        + (p["dropout"] - 0.2) ** 2 * (5 if p["bias"] else 3)
        + (0.0 if p["bias"] else 0.2)
    )


def branches(p):
    """Three algorithms with parameters of their own."""
    if p["head"] == "forest":
        return 1.0 + 0.02 * abs(p["trees"] - 150) ** 0.5 + 0.05 * abs(p["depth"] - 9)
    if p["head"] == "linear":
        return 0.8 + 0.1 * (math.log10(p["c"]) - 1) ** 2
    lr = 0.2 * (math.log10(p["lr"]) + 2.5) ** 2
    decay = 0.3 * (math.log10(p["decay"]) + 4) ** 2 if p["optimizer"] == "adamw" else 0.2
    return 0.3 + lr + decay + 0.02 * abs(p["epochs"] - 30)


def tower(p):
    """As many widths as layers."""
    total = 0.4 * abs(p["layers"] - 2)
    for i in range(p["layers"]):
        total += 0.2 * (math.log2(p[f"units{i}"]) - (8 - 2 * i)) ** 2
    return total + (math.log10(p["lr"]) + 3) ** 2


def griewank(p):
    x = vector(p)
    waves = math.prod(math.cos(v / math.sqrt(i + 1)) for i, v in enumerate(x))
    return 1 + sum(v * v for v in x) / 4000 - waves


def table(name):
    """Values of a full grid of integer and categorical parameters, one array a branch."""
    data = json.loads((HERE / f"{name}.json").read_text())

    def look_up(p):
        for branch in data["branches"]:
            if all(p[key] == value for key, value in branch["when"].items()):
                index = 0
                for axis, values in branch["axes"]:
                    index = index * len(values) + values.index(p[axis])
                return branch["values"][index]
        raise KeyError(p)

    return data["space"], look_up


FUNCTIONS = {
    "branin": (always(x=real(-5, 10), y=real(0, 15)), branin),
    "rosenbrock_5": (box(5, -2, 2), rosenbrock),
    "ackley_10": (box(10, -10, 20), ackley),
    "rastrigin_5": (box(5, -5.12, 4), rastrigin),
    "hartmann_6": (box(6, 0, 1), hartmann),
    "hartmann_6_noisy": (box(6, 0, 1), hartmann),
    "levy_20": (box(20, -8, 10), levy),
    "griewank_8": (box(8, -50, 70), griewank),
    "valley": (
        always(lr=real(1e-6, 1, log=True), decay=real(1e-8, 1e-1, log=True), momentum=real(0, 0.99)),
        valley,
    ),
    "staircase": (
        always(n0=whole(0, 100), n1=whole(-20, 60, step=4), n2=whole(1, 30), n3=whole(1, 30), half=real(0, 10, step=0.5)),
        staircase,
    ),
    "widths": (
        always(width0=whole(4, 1024, log=True), width1=whole(4, 1024, log=True), dropout=real(0, 0.9)),
        widths,
    ),
    "letters": (always(**{f"c{k}": choice(*LETTERS) for k in range(4)}, x=real(0, 1)), letters),
    "mixed": (
        always(
            kind=choice("none", "relu", "tanh"),
            lr=real(1e-5, 1, log=True),
            depth=whole(1, 8),
            batch=whole(8, 512, log=True),
            dropout=real(0, 0.9, step=0.05),
            bias=choice(True, False),
        ),
        mixed,
    ),
    "branches": (
        [
            ["head", choice("forest", "linear", "mlp"), None],
            ["trees", whole(10, 500, log=True), ["head", ["forest"]]],
            ["depth", whole(2, 20), ["head", ["forest"]]],
            ["c", real(1e-4, 1e4, log=True), ["head", ["linear"]]],
            ["lr", real(1e-5, 1, log=True), ["head", ["mlp"]]],
            ["optimizer", choice("sgd", "adamw"), ["head", ["mlp"]]],
            ["decay", real(1e-7, 1e-1, log=True), ["optimizer", ["adamw"]]],
            ["epochs", whole(5, 100), ["head", ["mlp"]]],
        ],
        branches,
    ),
    "tower": (
        [
            ["layers", whole(1, 4), None],
            ["units0", whole(4, 1024, log=True), None],
            ["units1", whole(4, 1024, log=True), ["layers", [2, 3, 4]]],
            ["units2", whole(4, 1024, log=True), ["layers", [3, 4]]],
            ["units3", whole(4, 1024, log=True), ["layers", [4]]],
            ["lr", real(1e-6, 1, log=True), None],
        ],
        tower,
    ),
}
TABLES = ["digits_heads", "sentences_mlp"]
NOISE = {"hartmann_6_noisy": 0.2}


def problem(name):
    return table(name) if name in TABLES else FUNCTIONS[name]
