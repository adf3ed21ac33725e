"""One suggestion of TPE with ten parameters after 1,000 and 10,000 trials: ours beside Optuna's and rustuna's.

    pip install -r study_samplers_requirements.txt
    cargo build --release -p headsmith-study --example suggest
    python study_samplers.py [ROUNDS]

The same histories for all, in memory, no trial under way; the three take turns. Asking for a trial and suggesting its
ten parameters is timed, telling its end is not. Prints a table of medians in milliseconds.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import optuna
import rustuna

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target/release/examples/suggest"


def real(low, high, log=False, step=None):
    return "float", dict(low=float(low), high=float(high), log=log, step=step)


def whole(low, high, log=False, step=1):
    return "int", dict(low=low, high=high, log=log, step=step)


def choice(*choices):
    return "categorical", dict(choices=list(choices))


FLOATS = {f"x{i}": real(-5, 5) for i in range(10)}
MIXED = {
    "lr": real(1e-5, 1, log=True),
    "decay": real(1e-8, 1e-1, log=True),
    "momentum": real(0, 0.99),
    "dropout": real(0, 0.9, step=0.05),
    "neurons0": whole(16, 1024, log=True),
    "neurons1": whole(16, 1024),
    "layers": whole(1, 8),
    "batch": whole(16, 512, step=16),
    "optimizer": choice("sgd", "adam", "adamw"),
    "activation": choice("relu", "tanh", "gelu", "elu"),
}
OPTUNA = {
    "float": optuna.distributions.FloatDistribution,
    "int": optuna.distributions.IntDistribution,
    "categorical": optuna.distributions.CategoricalDistribution,
}


def column(rng, kind, a, n):
    """Random values, as a user sees them."""
    if kind == "categorical":
        return [a["choices"][i] for i in rng.integers(len(a["choices"]), size=n)]
    low, high = (np.log(a["low"]), np.log(a["high"])) if a["log"] else (a["low"], a["high"])
    x = rng.uniform(low, high, n)
    x = np.exp(x) if a["log"] else x
    if a["step"] is not None:
        x = a["low"] + np.round((x - a["low"]) / a["step"]) * a["step"]
    x = np.clip(x, a["low"], a["high"])
    return [int(v) if kind == "int" else float(v) for v in x]


def suggest(trial, space):
    for name, (kind, a) in space.items():
        if kind == "categorical":
            trial.suggest_categorical(name, a["choices"])
        elif kind == "int":
            trial.suggest_int(name, a["low"], a["high"], log=a["log"], step=a["step"])
        else:
            trial.suggest_float(name, a["low"], a["high"], log=a["log"], step=a["step"])


class Peer:
    """A study of Optuna or of rustuna, which has the same interface."""

    def __init__(self, module, space, distributions, columns, values):
        self.module, self.space = module, space
        self.study = module.create_study(sampler=module.samplers.TPESampler(seed=1))
        for i, value in enumerate(values):
            params = {name: columns[name][i] for name in space}
            self.study.add_trial(module.create_trial(value=value, params=params, distributions=distributions))

    def seconds(self):
        start = time.perf_counter()
        trial = self.study.ask()
        suggest(trial, self.space)
        seconds = time.perf_counter() - start
        failed = self.module.trial.TrialState.FAIL
        self.study.tell(trial if self.module is optuna else trial.number, state=failed)
        return seconds


class Ours:
    """The example `suggest`, a line for a line."""

    def __init__(self, space, distributions, columns, values):
        params = [
            [name, optuna.distributions.distribution_to_json(d), [float(d.to_internal_repr(v)) for v in columns[name]]]
            for name, d in distributions.items()
        ]
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump({"params": params, "values": values}, file)
        self.process = subprocess.Popen([OURS, file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.n_params = len(space)
        self.seconds()
        Path(file.name).unlink()

    def seconds(self):
        self.process.stdin.write("\n")
        seconds, n_params = self.process.stdout.readline().split()
        assert int(n_params) == self.n_params
        return float(seconds)


def rustuna_distribution(kind, a):
    return getattr(rustuna.distributions.Distribution, kind)(**a)


def contenders(space, n):
    rng = np.random.default_rng(n)
    columns = {name: column(rng, kind, a, n) for name, (kind, a) in space.items()}
    values = [float(v) for v in rng.normal(size=n)]
    distributions = {name: OPTUNA[kind](**a) for name, (kind, a) in space.items()}
    theirs = {name: rustuna_distribution(kind, a) for name, (kind, a) in space.items()}
    return {
        "headsmith": Ours(space, distributions, columns, values),
        "Optuna 5.0.0": Peer(optuna, space, distributions, columns, values),
        "rustuna 0.2.0": Peer(rustuna, space, theirs, columns, values),
    }


def main(rounds=15):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    optuna.create_trial = optuna.trial.create_trial
    rustuna.create_trial = rustuna.trial.create_trial
    print("| parameters | trials | headsmith, ms | Optuna 5.0.0, ms | rustuna 0.2.0, ms |")
    print("|---|---|---|---|---|")
    for what, space in (("10 floats", FLOATS), ("10 of all kinds", MIXED)):
        for n in (1_000, 10_000):
            sides = contenders(space, n)
            times = {name: [] for name in sides}
            for _ in range(rounds):
                for name, side in sides.items():
                    times[name].append(side.seconds())
            medians = [f"{1e3 * statistics.median(t):.2f}" for t in times.values()]
            print(f"| {what} | {n:,} | {' | '.join(medians)} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
