"""The TPE of studies as a sampler of Optuna: the proposals of the command, the scores of Optuna's own, and whatever an objective of Python asks for.

    PYTHONPATH=target/python target/referees/bin/python bench/referees/python_optuna.py
"""

import json
import math
import os
import pickle
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import headsmith
import optuna
from headsmith.optuna import TPESampler
from optuna.distributions import CategoricalDistribution, IntDistribution, json_to_distribution
from optuna.trial import TrialState, create_trial

from drive.failing import fails
from drive.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
HEADSMITH = os.environ.get("HEADSMITH", ROOT / "target/release/headsmith")
SENTENCES = ROOT / "examples/sentences"
# A parameter of every kind that the command has, one of them only with another's values.
SPACE = """
[layers1]
low = 0
high = 2

[layers2]
low = 0
high = 3
when = { layers1 = [1, 2] }

[label_smoothing]
low = 0.0
high = 0.2
step = 0.05

[scale]
type = "categorical"
choices = ["standardise", "none"]
"""

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def ok(text):
    print(f"ok {text}", flush=True)


def suggest(trial, name, distribution):
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    ask = trial.suggest_int if isinstance(distribution, IntDistribution) else trial.suggest_float
    return ask(name, distribution.low, distribution.high, log=distribution.log, step=distribution.step)


def tuned(folder, name, *words):
    """A study of the command, and its plan."""
    database = folder / f"{name}.db"
    (folder / "space.toml").write_text(SPACE)
    command = [HEADSMITH, "tune", "--train", SENTENCES / "train.parquet", "--val", SENTENCES / "val.parquet", "--space", folder / "space.toml", "--storage",
               f"sqlite:///{database}", "--study", name, "--jobs", 2, "--live", "off", *words]
    subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with sqlite3.connect(database) as connection:
        [[plan]] = connection.execute("select value_json from study_system_attributes where key = 'headsmith:plan'").fetchall()
    return optuna.load_study(study_name=name, storage=f"sqlite:///{database}").trials, json.loads(plan)


def proposed(trials, plan, number):
    """What the sampler proposes for a trial, after those that the command's sampler saw, beside those that it knew to be running."""
    study = optuna.create_study(direction="maximize", sampler=TPESampler(seed=plan["seed"]))
    for trial in trials[:number]:
        if trial.number + plan["lag"] <= number:
            study.add_trial(trial)
        else:
            study.add_trial(create_trial(state=TrialState.RUNNING, params=trial.params, distributions=trial.distributions))
    trial = study.ask()
    for param in plan["space"]:
        when = param["when"]
        if when is None or trial.params.get(when["param"]) in when["is_one_of"]:
            suggest(trial, param["name"], json_to_distribution(param["distribution"]))
    return trial.params


def equal_to_the_command(folder):
    trials, plan = tuned(folder, "random-start", "--trials", 28, "--epochs", 4, "--seed", 5, "--lag", 3, "--random-start")
    for trial in trials:
        assert proposed(trials, plan, trial.number) == trial.params, trial
    states = [trial.state.name for trial in trials]
    n_without = sum("layers2" not in trial.params for trial in trials)
    assert states.count("PRUNED") > 3 and 0 < n_without < len(trials), (states, n_without)
    ok(f"{len(trials)} trials of `headsmith tune`, {states.count('PRUNED')} pruned, {n_without} without a conditional parameter, up to 2 others running: the same proposals, bit for bit")
    trials, plan = tuned(folder, "listed", "--trials", 22, "--epochs", 1, "--seed", 6)
    same = [proposed(trials, plan, trial.number) == trial.params for trial in trials]
    n_listed = same.index(True)
    assert n_listed <= 12 and all(same[n_listed:]), same
    ok(f"after the {n_listed} configurations that the command tries first, the same proposals for {len(trials) - n_listed} trials")


def sphere(trial):
    """Five parameters: three on a line, one by its logarithm, one choice."""
    x = [trial.suggest_float(f"x{i}", -5, 5) for i in range(3)]
    rate = math.log10(trial.suggest_float("rate", 1e-6, 1, log=True)) + 3
    return sum(v * v for v in x) + rate * rate + {"a": 4.0, "b": 0.0, "c": 9.0}[trial.suggest_categorical("kind", ["a", "b", "c"])]


def mixed(trial):
    """Numbers of every other kind: integers with steps and by their logarithm, floats with steps, yes or no."""
    width = math.log2(trial.suggest_int("width", 1, 256, log=True)) - 5
    depth = (trial.suggest_int("depth", 0, 100, step=5) - 35) / 20
    share = 4 * (trial.suggest_float("share", 0.0, 1.0, step=0.05) - 0.3)
    count = (trial.suggest_int("count", -20, 20) - 7) / 6
    return width**2 + depth**2 + share**2 + count**2 + 2.0 * trial.suggest_categorical("wrong", [True, False])


def bests(objective, sampler, n_trials, seeds):
    values = []
    for seed in seeds:
        study = optuna.create_study(sampler=sampler(seed=seed))
        study.optimize(objective, n_trials=n_trials)
        values.append(study.best_value)
    return values


def finds_what_is_best():
    n_trials, seeds = 60, range(7)
    for objective in [sphere, mixed]:
        ours, theirs, random = (
            statistics.median(bests(objective, sampler, n_trials, seeds)) for sampler in [TPESampler, optuna.samplers.TPESampler, optuna.samplers.RandomSampler]
        )
        assert ours <= random, (objective.__name__, ours, random)
        ok(f"{objective.__name__}: the median of the best of {n_trials} trials, {len(seeds)} seeds: {ours:.3f}; Optuna's TPE {theirs:.3f}, random {random:.3f}")


# Objects that no storage but the memory holds, and values that Python calls equal to none of the others.
CHOICES = [None, True, "none", "ß", 3, 2.5, (1, 2), ("a", None), frozenset([1]), float]


def by_run(trial):
    """Parameters that depend on others, one whose range changes, some of one value, and choices of any kind."""
    value = trial.suggest_float("x", -3, 3) ** 2
    choice = trial.suggest_categorical("choice", CHOICES)
    value += CHOICES.index(choice) / 4
    if trial.suggest_categorical("deep", [False, True]):
        value += abs(trial.suggest_int("depth", 1, 8) - 5)
        if trial.params["depth"] > 4:
            value += trial.suggest_float("drop", 0.0, 0.5 + 0.01 * trial.number)
    else:
        value += 1 + trial.suggest_float("shallow", 1e-4, 1, log=True)
    trial.suggest_int("only", 3, 3)
    for step in range(4):
        trial.report(value + 3 - step, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    if trial.number % 11 == 7:
        raise ArithmeticError
    return value


def asked(study, n_trials, objective=by_run):
    study.optimize(objective, n_trials=n_trials, catch=ArithmeticError)
    return [(trial.number, trial.state, trial.params, trial.value) for trial in study.trials]


def new(sampler, storage=None, **given):
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5)
    return optuna.create_study(sampler=sampler, pruner=pruner, storage=storage, **given)


def whatever_is_asked(folder):
    with warnings.catch_warnings():
        # Optuna warns of choices that storages cannot hold.
        warnings.simplefilter("ignore")
        all_at_once = asked(new(TPESampler(seed=3)), 50)
        states = [state for _, state, _, _ in all_at_once]
        assert {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL} == set(states), states
        assert any("drop" in params for _, _, params, _ in all_at_once) and any("shallow" in params for _, _, params, _ in all_at_once)
        assert all(any(params["choice"] == choice and type(params["choice"]) is type(choice) for choice in CHOICES) for _, _, params, _ in all_at_once)
        best = statistics.mean(value for _, _, params, value in all_at_once[30:] if value is not None)
        first = statistics.mean(value for _, _, params, value in all_at_once[:10] if value is not None)
        assert best < first, (best, first)
        ok(f"conditional parameters, a range that changes, {len(CHOICES)} choices of any kind, {states.count(TrialState.PRUNED)} pruned and {states.count(TrialState.FAIL)} failed of 50")
        assert asked(new(TPESampler(seed=3)), 50) == all_at_once and asked(new(TPESampler(seed=4)), 50) != all_at_once
        study = new(TPESampler(seed=3))
        asked(study, 17)
        study.sampler = pickle.loads(pickle.dumps(study.sampler))
        assert asked(study, 33) == all_at_once
    plain = lambda trial: sphere(trial)
    url = f"sqlite:///{folder / 'own.db'}"
    whole = asked(new(TPESampler(seed=8)), 30, plain)
    asked(new(TPESampler(seed=8), url, study_name="own"), 13, plain)
    resumed = optuna.load_study(study_name="own", storage=url, sampler=TPESampler(seed=8))
    assert asked(resumed, 17, plain) == whole
    ok("the same seed gives the same study, also with a sampler that was pickled in the middle, and one that was resumed from a database")


def others_running(folder):
    """Workers that share a study, in one process and in several, whose samplers have the same seed."""
    study = optuna.create_study(sampler=TPESampler(seed=1))
    study.optimize(sphere, n_trials=40, n_jobs=4)
    url = f"sqlite:///{folder / 'shared.db'}"
    shared = optuna.create_study(storage=url, study_name="shared")
    workers = [subprocess.Popen([sys.executable, "-c", WORKER.format(url=url)]) for _ in range(2)]
    assert [ended(worker) for worker in workers] == [0, 0]
    for trials in [study.trials, shared.trials]:
        assert len(trials) == 40 and len({trial.params["x0"] for trial in trials}) == 40
    # What is drawn for a running trial is known before its objective asks for it.
    first, second = (optuna.load_study(study_name="shared", storage=url, sampler=TPESampler(seed=1)).ask() for _ in range(2))
    assert first.suggest_float("x0", -5, 5) != second.suggest_float("x0", -5, 5)
    drawn = [trial.system_attrs for trial in shared.trials[-2:]]
    assert all("x1" in attrs["tpe:relative_params:0"] for attrs in drawn), drawn
    ok("4 threads and 2 processes with one seed propose nothing twice, and tell one another what they draw")


def ended(worker):
    """The status of a worker, which ends in time, or is ended."""
    try:
        return worker.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        worker.kill()
        raise AssertionError(f"a worker of 20 trials still runs after {PATIENCE:.0f} s") from None


WORKER = """
import math, optuna
from headsmith.optuna import TPESampler
optuna.logging.set_verbosity(optuna.logging.ERROR)
def sphere(trial):
    x = [trial.suggest_float(f"x{{i}}", -5, 5) for i in range(3)]
    rate = math.log10(trial.suggest_float("rate", 1e-6, 1, log=True)) + 3
    return sum(v * v for v in x) + rate * rate
optuna.load_study(study_name="shared", storage={url!r}, sampler=TPESampler(seed=1)).optimize(sphere, n_trials=20)
"""


def constrained(trial):
    x = trial.suggest_float("x", 0, 1)
    trial.set_constraint("above", 0.5 - x)
    return x


def also():
    study = optuna.create_study(sampler=TPESampler(seed=2))
    study.optimize(constrained, n_trials=40)
    late = [trial.params["x"] for trial in study.trials[20:]]
    assert statistics.median(late) > 0.45 and study.best_value >= 0.5 and study.best_value < 0.6, (statistics.median(late), study.best_value)
    # The way up is the way down of the negative values.
    up, down = (optuna.create_study(direction=direction, sampler=TPESampler(seed=2)) for direction in ["maximize", "minimize"])
    up.optimize(lambda trial: -sphere(trial), n_trials=25)
    down.optimize(sphere, n_trials=25)
    assert [trial.params for trial in up.trials] == [trial.params for trial in down.trials]
    # Enqueued values are kept, and a sampler that fixes some passes the others on.
    study = optuna.create_study(sampler=optuna.samplers.PartialFixedSampler({"x1": 2.0}, TPESampler(seed=2)))
    study.enqueue_trial({"x0": 1.5, "kind": "b"})
    study.optimize(sphere, n_trials=20)
    assert study.trials[0].params["x0"] == 1.5 and all(trial.params["x1"] == 2.0 for trial in study.trials)
    alone = optuna.create_study(sampler=TPESampler(seed=2, multivariate=False, constant_liar=False, n_startup_trials=5, n_ei_candidates=12))
    alone.optimize(sphere, n_trials=20)
    assert "tpe:relative_params:0" not in alone.trials[-1].system_attrs
    band = optuna.create_study(sampler=TPESampler(seed=2), pruner=optuna.pruners.HyperbandPruner(max_resource=4))
    band.optimize(by_number, n_trials=40)
    assert len(band.trials) == 40
    two = optuna.create_study(directions=["minimize", "maximize"], sampler=TPESampler())
    fails(lambda: two.optimize(lambda trial: (trial.suggest_float("x", 0, 1),) * 2, n_trials=1), ValueError, "is for one objective, and the study has 2")
    for given, text in [({"seed": -1}, "seed is -1"), ({"seed": 0.5}, "seed is 0.5"), ({"n_ei_candidates": 0}, "n_ei_candidates is 0, expected an integer of at least 1"),
                        ({"n_ei_candidates": 1_000_001}, "n_ei_candidates is 1000001, expected an integer of at least 1 and at most 1000000")]:
        fails(lambda: TPESampler(**given), ValueError, text)
    beyond_floats()
    ok("constraints, both directions, enqueued and fixed values, parameters by themselves, Hyperband; errors")


def beyond_floats():
    """Integers that Optuna, which keeps floats, would round: in the first trials, when all are drawn together, and alone."""
    for low, high, found in [(0, 2**53 + 1, 2**53 + 1), (0, 2**70, 2**70), (-(2**64), 0, -(2**64))]:
        for given in [{}, {"n_startup_trials": 0}, {"n_startup_trials": 0, "multivariate": False}]:
            study = optuna.create_study(sampler=TPESampler(seed=1, **given))
            study.add_trial(create_trial(value=1.0, params={"n": 0}, distributions={"n": IntDistribution(low, high)}))
            fails(lambda: study.optimize(lambda trial: trial.suggest_int("n", low, high), n_trials=1), ValueError, f"n: integers must lie within 2^53 of 0, found {found};")
    study = optuna.create_study(sampler=TPESampler(seed=1, n_startup_trials=2))
    study.optimize(lambda trial: abs(trial.suggest_int("n", -(2**53), 2**53)), n_trials=8)
    assert all(type(trial.params["n"]) is int for trial in study.trials)


def asked_elsewhere(folder):
    """One sampler of several studies of one name and of several in one storage, and trials that are asked here and told elsewhere."""
    sampler = TPESampler(seed=1, n_startup_trials=2)
    spaces = {"x": lambda trial: trial.suggest_float("x", 0, 1), "y": lambda trial: trial.suggest_float("y", 5, 6)}
    studies = {name: optuna.create_study(study_name="one", sampler=sampler) for name in spaces}
    for _ in range(4):
        asked = {name: study.ask() for name, study in studies.items()}
        values = {name: spaces[name](trial) for name, trial in asked.items()}
        assert 0 <= values["x"] <= 1 and 5 <= values["y"] <= 6
        for name, study in studies.items():
            study.tell(asked[name], values[name])
    alone = optuna.create_study(sampler=TPESampler(seed=1, n_startup_trials=2))
    alone.optimize(spaces["y"], n_trials=4)
    assert [trial.params for trial in alone.trials] == [trial.params for trial in studies["y"].trials], "a study got another's proposals"
    url = f"sqlite:///{folder / 'elsewhere.db'}"
    here = [optuna.create_study(study_name=name, storage=optuna.storages.get_storage(url) if i == 0 else url, sampler=sampler) for i, name in enumerate("ab")]
    there = [optuna.load_study(study_name=name, storage=url) for name in "ab"]
    n_open = lambda: sum(map(len, sampler._open.values()))
    for _ in range(6):
        for study, other in zip(here, there):
            trial = study.ask()
            other.tell(trial.number, spaces["x"](trial))
    # The last trial of each is noticed when the next one is asked for.
    assert n_open() == 2, dict(sampler._open)
    del study, here, trial
    assert n_open() == 0, "a storage that is gone leaves trials"
    ok("a sampler of several studies proposes to each its own, and forgets trials that ended elsewhere")


def in_and_out(folder):
    """A study of Optuna's is continued, and is one again."""
    small = {"head": "knn", "lag": 1, "n_jobs": 1, "random_state": 7}
    whole = headsmith.tune(SENTENCES / "train.parquet", trials=5, storage=f"sqlite:///{folder / 'whole.db'}", **small).to_optuna()
    study = optuna.create_study(storage=f"sqlite:///{folder / 'parts.db'}", study_name="parts", direction="maximize")
    for n_trials in [2, 5]:
        study = headsmith.tune(SENTENCES / "train.parquet", trials=n_trials, study=study, **small).to_optuna()
        assert study.study_name == "parts" and len(study.trials) == n_trials
    assert [(trial.params, trial.value) for trial in study.trials] == [(trial.params, trial.value) for trial in whole.trials]
    fails(lambda: headsmith.tune(SENTENCES / "train.parquet", trials=1, study=optuna.create_study()), ValueError, "study is kept in InMemoryStorage, expected")
    for given in [{"storage": "sqlite:///other.db"}, {"name": "other"}]:
        fails(lambda: headsmith.tune(SENTENCES / "train.parquet", trials=9, study=study, **given), ValueError, "give study, or storage and name")
    ok("a study of Optuna's, continued twice by tune: the trials of one call")


def in_turn(folder):
    """Python and the extension have an SQLite each: whatever one writes, the other and later processes find."""
    url = f"sqlite:///{folder}/turns.db"
    study = optuna.create_study(storage=url, study_name="turns", direction="maximize")
    found = f"import optuna; print(sorted(optuna.load_study(study_name='turns', storage={url!r}).user_attrs))"
    for n in (3, 5, 7, 9):
        tuned = headsmith.tune(SENTENCES / "val.parquet", head="knn", trials=n, study=study)
        study.set_user_attr(f"after{n}", n)
        tuned.to_optuna().set_user_attr(f"loaded{n}", n)
        optuna.create_study(storage=url, study_name=f"other{n}").set_user_attr("a", 1)
        assert len(study.trials) == n, (n, len(study.trials))
    done = subprocess.run([sys.executable, "-c", found], capture_output=True, text=True, check=True)
    expected = sorted(f"{kind}{n}" for kind in ("after", "loaded") for n in (3, 5, 7, 9))
    assert [name for name in eval(done.stdout) if name.startswith(("after", "loaded"))] == expected, done.stdout
    ok("tune and Optuna in turn on one SQLite file: nothing is lost")


def by_number(trial):
    value = sphere(trial)
    for step in range(4):
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned
    return value


ALONE = "import sys, headsmith; assert not {'optuna', 'headsmith.optuna'} & set(sys.modules)"


def main():
    subprocess.run([sys.executable, "-c", ALONE], check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        equal_to_the_command(folder)
        in_and_out(folder)
        in_turn(folder)
        finds_what_is_best()
        whatever_is_asked(folder)
        others_running(folder)
        asked_elsewhere(folder)
        also()


if __name__ == "__main__":
    main()
