"""Records what Optuna's TPE makes of histories: scores.json; what its densities draw: draws.json; and Sobol points.

    pip install optuna==5.0.0 scipy==1.17.1 && python make_samplers.py

For each history and some points: which trials are good, the kernels' weights, middles and widths, and the scores of the
points. numpy sorts equal values into an order that depends on the machine, and that order decides which of equal kernels
is the wide one; here it sorts stably.
"""

import functools
import json
import warnings
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.trial import TrialState, create_trial
from scipy.stats import qmc

HERE = Path(__file__).parent
F, I, C = FloatDistribution, IntDistribution, CategoricalDistribution

FLOATS = {"a": F(-1, 2), "b": F(0, 1e-3), "c": F(1e5, 3e5)}
LOGS = {"lr": F(1e-6, 1e-1, log=True), "decay": F(1e-3, 10, log=True)}
STEPS = {"x": F(0, 1, step=0.1), "y": F(-3, 3, step=0.25)}
INTS = {"n": I(1, 9), "m": I(-40, 200), "k": I(0, 90, step=15)}
LOG_INTS = {"w": I(1, 1024, log=True), "u": I(16, 64, log=True)}
WIDE = {"huge": I(0, 10**6), "log_huge": I(1, 10**6, log=True), "fine": F(0, 1, step=1e-4)}
WORDS = {"head": C(["mlp", "forest", "linear"]), "yes": C([True, False]), "none": C([None, 0.5, 3])}
MIXED = {"lr": F(1e-5, 1, log=True), "depth": I(1, 8), "batch": I(8, 512, log=True), "drop": F(0, 0.9, step=0.05)}
MIXED |= {"kind": C(["relu", "tanh", "gelu", "none"]), "momentum": F(0, 0.99)}


def draw(rng, space):
    """A random setting, floats with few digits."""
    params = {}
    for name, d in space.items():
        if isinstance(d, C):
            params[name] = d.choices[rng.integers(len(d.choices))]
            continue
        low, high = (np.log(d.low), np.log(d.high)) if d.log else (d.low, d.high)
        x = rng.uniform(low, high)
        x = float(f"{np.exp(x) if d.log else x:.7g}")
        if d.step is not None:
            x = min(d.low + round((x - d.low) / d.step) * d.step, d.high)
        params[name] = int(x) if isinstance(d, I) else min(max(x, d.low), d.high)
    return params


def trial(state, params, space, value=None, reports=(), constraints=None):
    attrs = {} if constraints is None else {"constraints": constraints}
    distributions = {name: space[name] for name in params}
    return dict(state=state, value=value, params=params, distributions=distributions, reports=list(reports), attrs=attrs)


def complete(rng, space, n, values=None):
    values = [float(f"{v:.7g}") for v in rng.normal(size=n)] if values is None else values
    return [trial("COMPLETE", draw(rng, space), space, value) for value in values]


def pruned(rng, space, n, last=10):
    steps = rng.integers(0, last, n)
    return [trial("PRUNED", draw(rng, space), space, None, [(s, float(f"{rng.normal():.7g}")) for s in range(k + 1)]) for k in steps]


def running(rng, space, n):
    return [trial("RUNNING", draw(rng, space), space) for _ in range(n)]


def shuffled(rng, trials):
    return [trials[i] for i in rng.permutation(len(trials))]


def histories():
    """Name, space of the points, trials, direction."""
    rng = np.random.default_rng(20)
    for name, space in [("float", FLOATS), ("log", LOGS), ("step", STEPS), ("int", INTS), ("log_int", LOG_INTS), ("wide", WIDE), ("categorical", WORDS), ("mixed", MIXED)]:
        for n in (11, 60):
            yield f"{name}_{n}", space, complete(rng, space, n), "minimize"
    yield "none", FLOATS, [], "minimize"
    yield "one", MIXED, complete(rng, MIXED, 1), "minimize"
    yield "two", FLOATS, complete(rng, FLOATS, 2), "minimize"
    yield "maximize", MIXED, complete(rng, MIXED, 40), "maximize"
    yield "25", FLOATS, complete(rng, FLOATS, 25), "minimize"
    yield "28", MIXED, complete(rng, MIXED, 28), "minimize"
    yield "130", MIXED, complete(rng, MIXED, 130), "minimize"
    yield "70_rounding_of_gamma", FLOATS, complete(rng, FLOATS, 70), "minimize"
    few = complete(rng, MIXED, 3)
    yield "pruned", MIXED, shuffled(rng, few + pruned(rng, MIXED, 40)), "minimize"
    yield "pruned_maximize", MIXED, shuffled(rng, few + pruned(rng, MIXED, 50, last=3)), "maximize"
    silent = [trial("PRUNED", draw(rng, FLOATS), FLOATS) for _ in range(8)]
    nan = [trial("PRUNED", draw(rng, FLOATS), FLOATS, None, [(0, 1.0), (k, float("nan"))]) for k in (1, 2, 5, 9, 9)]
    odd = [trial("PRUNED", draw(rng, FLOATS), FLOATS, None, [(9, v)]) for v in (float("inf"), float("-inf"), 0.5, 0.5)]
    for direction in ("minimize", "maximize"):
        yield f"nan_and_silent_{direction}", FLOATS, shuffled(rng, silent + nan + odd), direction
    yield "no_complete", FLOATS, shuffled(rng, silent + nan), "minimize"
    yield "running", MIXED, shuffled(rng, complete(rng, MIXED, 40) + running(rng, MIXED, 7)), "minimize"
    failed = [trial("FAIL", draw(rng, MIXED), MIXED) for _ in range(6)]
    yield "failed_and_waiting", MIXED, shuffled(rng, complete(rng, MIXED, 20) + failed), "minimize"
    yield "ties", FLOATS, complete(rng, FLOATS, 40, [float(v) for v in rng.integers(0, 3, 40)]), "minimize"
    yield "ties_maximize", FLOATS, complete(rng, FLOATS, 40, [float(v) for v in rng.integers(0, 3, 40)]), "maximize"
    yield "zeros", FLOATS, complete(rng, FLOATS, 40, [0.0, -0.0] * 20), "maximize"
    infinite = [float("inf"), float("-inf"), 1.0, 0.0] * 8
    yield "infinite_values", FLOATS, complete(rng, FLOATS, 32, infinite), "minimize"
    same = complete(rng, FLOATS, 30)
    for t in same[5:20]:
        t["params"] = same[0]["params"]
    yield "same_points", FLOATS, same, "minimize"
    ends = complete(rng, FLOATS, 12)
    for t, x in zip(ends, [-1.0, 2.0] * 6):
        t["params"] = {"a": x, "b": 0.0, "c": 3e5}
    yield "at_the_ends", FLOATS, ends, "minimize"
    constant = MIXED | {"one": F(1, 1), "only": C(["this"]), "three": I(3, 3)}
    yield "constants", MIXED, complete(rng, constant, 30), "minimize"
    for number in (0.0, 1.5):
        infeasible = [trial("COMPLETE", draw(rng, FLOATS), FLOATS, 0.1 * i, (), [number, float(i % 7) - 2]) for i in range(24)]
        yield f"constraints_{number}", FLOATS, infeasible, "minimize"
    branch = {"head": C(["mlp", "svm"]), "lr": F(1e-5, 1, log=True), "c": F(1e-2, 1e2, log=True), "shared": F(0, 1)}
    tree = complete(rng, branch, 60) + pruned(rng, branch, 20) + running(rng, branch, 5)
    for t in tree:
        gone = "c" if t["params"]["head"] == "mlp" else "lr"
        del t["params"][gone], t["distributions"][gone]
    tree = shuffled(rng, tree)
    yield "conditional_joint", None, tree, "minimize"
    yield "conditional_lr", {"lr": branch["lr"]}, tree, "minimize"
    yield "conditional_c", {"c": branch["c"]}, tree, "minimize"
    lonely = complete(rng, {"shared": branch["shared"]}, 30)
    yield "nobody_has_it", {"c": branch["c"]}, lonely, "minimize"
    moved = complete(rng, {"a": F(0, 1), "b": F(0, 1)}, 15) + complete(rng, {"a": F(0, 1), "b": F(0, 2)}, 15)
    yield "range_changed_joint", None, moved, "minimize"
    yield "range_changed_alone", {"b": F(0, 2)}, moved, "minimize"


def numbers(values):
    """Floats for JSON, which has no word for some."""
    return [str(v) if not np.isfinite(v) else float(v) for v in values]


def record(name, space, trials, direction):
    study = optuna.create_study(direction=direction, sampler=TPESampler(seed=1))
    sampler = study.sampler
    for t in trials:
        state, reports = TrialState[t["state"]], dict(t["reports"])
        study.add_trial(create_trial(state=state, value=t["value"], params=t["params"], distributions=t["distributions"], intermediate_values=reports, system_attrs=t["attrs"]))
    joint = sampler.infer_relative_search_space(study, None)
    space = dict(sorted((joint if space is None else space).items()))
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    seen = study.get_trials(deepcopy=False, states=states)
    below, above = _split_trials(study, seen, default_gamma(sum(t.state != TrialState.RUNNING for t in seen)))
    densities = [
        sampler._build_parzen_estimator(study, space, part, handle_below=good) for part, good in ((below, True), (above, False))
    ]
    points = {k: np.asarray(v, float) for k, v in densities[0].sample(np.random.RandomState(3), 24).items()}
    extra = np.random.default_rng(4)
    for corner in (lambda d: d.low, lambda d: d.high, None, None, None, None):
        for key, d in space.items():
            external = draw(extra, {key: d})[key] if corner is None or isinstance(d, C) else corner(d)
            points[key] = np.append(points[key], d.to_internal_repr(external))
    scores = sampler._compute_acquisition_func(points, *densities)
    return {
        "name": name,
        "direction": direction,
        "distributions": sorted({(k, distribution_to_json(d)) for t in trials for k, d in t["distributions"].items()}),
        "trials": [
            {
                "state": t["state"],
                "value": None if t["value"] is None else numbers([t["value"]])[0],
                "params": {k: [distribution_to_json(t["distributions"][k]), d] for k, d in ((k, float(t["distributions"][k].to_internal_repr(v))) for k, v in t["params"].items())},
                "reports": [[int(s), *numbers([v])] for s, v in t["reports"]],
                "attrs": t["attrs"],
            }
            for t in trials
        ],
        "joint": sorted(joint),
        "space": [[k, distribution_to_json(d)] for k, d in space.items()],
        "points": [list(map(float, points[k])) for k in space],
        "below": [t.number for t in below],
        "above": [t.number for t in above],
        "densities": [shape(d) for d in densities],
        "scores": numbers(scores),
    }


def shape(density):
    mixture = density._mixture_distribution
    kernels = [{"mus": list(d.mu), "sigmas": list(d.sigma)} if hasattr(d, "mu") else d.weights.tolist() for d in mixture.distributions]
    return {"weights": list(mixture.weights), "kernels": kernels}


def compact(record):
    """Distributions of trials as indices into the list of the history's."""
    index = {json_: i for i, (_, json_) in enumerate(record["distributions"])}
    for t in record["trials"]:
        t["params"] = {k: [index[d], v] for k, (d, v) in t["params"].items()}
    if len(record["trials"]) > 30:
        # The kernels of the good trials are enough.
        record["densities"][1]["kernels"] = []
    return record


def draws():
    """Of a density around good trials: the shares of 20,000 draws at or below some values, by parameter."""
    rng = np.random.default_rng(8)
    space = dict(sorted((MIXED | {"n": I(0, 90, step=15), "narrow": F(0, 1)}).items()))
    study = optuna.create_study(sampler=TPESampler(seed=1))
    history = complete(rng, space, 200)
    for t in history:
        study.add_trial(create_trial(state=TrialState.COMPLETE, value=t["value"], params=t["params"], distributions=space))
    recorded = record("draws", space, history, "minimize")
    below, _ = _split_trials(study, study.trials, default_gamma(200))
    density = study.sampler._build_parzen_estimator(study, space, below, handle_below=True)
    sample = density.sample(np.random.RandomState(5), 20_000)
    shares = []
    for key in space:
        x = np.sort(sample[key])
        values = np.unique(x[:: len(x) // 50])
        shares.append([[float(v), float(np.mean(x <= v))] for v in values])
    return compact(recorded) | {"shares": shares, "points": [], "scores": [], "densities": []}


def sobol():
    """Points of unscrambled sequences: dimension, number, point."""
    out = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for d in (1, 2, 5, 21, 64, 128):
            points = qmc.Sobol(d, scramble=False).random(1030)
            out += [[d, n, points[n].tolist()] for n in ([0, 1, 2, 3, 7, 100, 511, 1029] if d > 5 else [*range(16), 1029])]
        far = qmc.Sobol(3, scramble=False).fast_forward(1_000_003).random(1)
        out.append([3, 1_000_003, far[0].tolist()])
    return out


def write(name, items):
    (HERE / name).write_text("[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n]\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    np.argsort = functools.partial(np.argsort, kind="stable")
    write("scores.json", [compact(record(*history)) for history in histories()])
    write("draws.json", [draws()])
    write("sobol.json", sobol())
