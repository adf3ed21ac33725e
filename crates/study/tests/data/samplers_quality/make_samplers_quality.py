"""Records what Optuna's TPE finds on the problems: best.json, problem by problem; what is there is kept.

    pip install optuna==5.0.0 && OMP_NUM_THREADS=1 python make_samplers_quality.py

For each problem, 30 seeds and 50, 100 and 200 trials: the value of the best trial (of a noisy function: the value
without noise of the trial that seemed the best), and the function at a few points, so that its other copy can be
checked. Default settings of optuna.samplers.TPESampler.
"""

import json
import sys

import numpy as np
import optuna
from problems import FUNCTIONS, HERE, NOISE, TABLES, problem

SEEDS, AFTER = 30, (50, 100, 200)


def suggest(trial, space):
    """The parameters that are there, drawn in order."""
    params = {}
    for name, distribution, when in space:
        if when is not None and (when[0] not in params or params[when[0]] not in when[1]):
            continue
        kind, a = distribution["name"], distribution["attributes"]
        if kind == "CategoricalDistribution":
            params[name] = trial.suggest_categorical(name, a["choices"])
        elif kind == "IntDistribution":
            params[name] = trial.suggest_int(name, **a)
        else:
            params[name] = trial.suggest_float(name, **a)
    return params


def run(name, seed):
    space, function = problem(name)
    noise = np.random.default_rng(seed)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    best, best_seen, values = None, float("inf"), []
    for _ in range(max(AFTER)):
        trial = study.ask()
        value = function(suggest(trial, space))
        seen = value + NOISE.get(name, 0.0) * noise.standard_normal()
        if seen < best_seen:
            best, best_seen = value, seen
        study.tell(trial, seen)
        values.append(best)
    return [values[n - 1] for n in AFTER]


def points(name):
    """Random settings and their values."""
    space, function = problem(name)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    settings = [suggest(study.ask(), space) for _ in range(8)]
    return [[p, function(p)] for p in settings]


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    file = HERE / "best.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    for name in sys.argv[1:] or [*FUNCTIONS, *TABLES]:
        if name in results:
            continue
        runs = [run(name, seed) for seed in range(SEEDS)]
        best = {str(n): [float(f"{r[i]:.9g}") for r in runs] for i, n in enumerate(AFTER)}
        results[name] = {"space": problem(name)[0], "noise": NOISE.get(name, 0.0), "points": points(name), "best": best}
        file.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in results.items()) + "\n}\n")
        print(name, flush=True)


if __name__ == "__main__":
    main()
