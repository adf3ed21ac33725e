"""Computes parameter importances with Optuna.

Run with optuna 5.0.0: python crates/study/tests/data/make_importance.py

Writes importance.json beside itself: studies with their trials (parameters with their distributions, and values) and
`optuna.importance.get_param_importances` of them.
"""

import json
import math
import pathlib
import random
import warnings

import optuna
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def draw(rng, d):
    if isinstance(d, CategoricalDistribution):
        return rng.choice(d.choices)
    if isinstance(d, IntDistribution):
        if d.log:
            return min(d.high, max(d.low, round(math.exp(rng.uniform(math.log(d.low), math.log(d.high))))))
        return d.low + d.step * rng.randrange((d.high - d.low) // d.step + 1)
    if d.log:
        return math.exp(rng.uniform(math.log(d.low), math.log(d.high)))
    if d.step:
        return d.low + d.step * rng.randrange(round((d.high - d.low) / d.step) + 1)
    return rng.uniform(d.low, d.high)


SPACE = {
    "lr": FloatDistribution(1e-5, 1e-1, log=True),
    "dropout": FloatDistribution(0.0, 0.9),
    "grid": FloatDistribution(0.0, 1.0, step=0.1),
    "neurons": IntDistribution(16, 2048, log=True),
    "layers": IntDistribution(0, 3),
    "even": IntDistribution(0, 200, step=2),
    "activation": CategoricalDistribution(["relu", "tanh", "gelu"]),
    "only": IntDistribution(5, 5),
}


def trial(rng, number, changing):
    space = dict(SPACE)
    params, distributions = {}, {}
    for name, d in space.items():
        if name == "dropout" and changing and number % 3 == 0:
            d = FloatDistribution(0.0, 0.5)
        params[name], distributions[name] = draw(rng, d), d
    if params["layers"] >= 2:
        d = IntDistribution(8, 512, log=True)
        params["neurons2"], distributions["neurons2"] = draw(rng, d), d
    loss = (math.log10(params["lr"]) + 3) ** 2 + params["dropout"] + 0.5 * (params["activation"] == "tanh")
    loss += 0.001 * abs(params.get("neurons2", 300) - 200) + rng.gauss(0, 0.1)
    return params, distributions, loss


def main():
    studies = []
    for direction in ["minimize", "maximize"]:
        for n, changing in [(1, False), (2, False), (7, False), (40, False), (40, True), (150, True)]:
            rng = random.Random(n * 2 + changing)
            study = optuna.create_study(direction=direction)
            trials = []
            for number in range(n):
                params, distributions, loss = trial(rng, number, changing)
                value = loss if direction == "minimize" else -loss
                value = round(value, 2 if n == 40 else 6)
                if n == 150 and number % 29 == 3:
                    value = math.inf
                study.add_trial(
                    optuna.create_trial(params=params, distributions=distributions, value=value)
                )
                trials.append({
                    "value": value if math.isfinite(value) else str(value),
                    "params": {k: [distribution_to_json(d), d.to_internal_repr(params[k])] for k, d in distributions.items()},
                })
            importance = optuna.importance.get_param_importances(study)
            studies.append({"direction": direction, "trials": trials, "importance": importance})
    text = "[\n" + ",\n".join(json.dumps(s, separators=(",", ":"), allow_nan=False) for s in studies) + "\n]\n"
    pathlib.Path(__file__).with_name("importance.json").write_text(text)


if __name__ == "__main__":
    main()
