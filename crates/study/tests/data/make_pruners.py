"""Plays studies with Optuna's pruners and records what each says after each report.

Run with optuna 5.0.0 and scipy: python crates/study/tests/data/make_pruners.py

Writes pruners.json beside itself: a list of studies, each with the pruner as `pruners::parse` reads it and what
happened, in order:

    [number, step, value, prune, remembered]   a report, the pruner's answer, and what the trial remembers after it
    [number, step, value]                      a report after which nobody asked
    [number, state, value]                     the end of a trial; state is a word

Trials run at the same time, end early, miss steps, report NaN and infinities, and sometimes go on though pruned.
Values are rounded, so that equal ones occur.
"""

import json
import math
import pathlib
import random
import warnings

import optuna
from optuna.pruners import (
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
)
from optuna.trial import TrialState

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)

F = "faithful=true"
PRUNERS = [
    ("none", lambda: NopPruner(), {}),
    ("median", lambda: MedianPruner(), {}),
    ("median:n_startup_trials=0", lambda: MedianPruner(0), {}),
    ("median:n_startup_trials=2,n_warmup_steps=3,interval_steps=4", lambda: MedianPruner(2, 3, 4), {}),
    ("median:n_startup_trials=1,n_min_trials=4", lambda: MedianPruner(1, n_min_trials=4), {}),
    ("percentile:percentile=25", lambda: PercentilePruner(25.0), {}),
    ("percentile:percentile=90,n_startup_trials=3", lambda: PercentilePruner(90.0, 3), {}),
    ("percentile:percentile=0,n_startup_trials=3", lambda: PercentilePruner(0.0, 3), {}),
    ("percentile:percentile=100,n_startup_trials=3", lambda: PercentilePruner(100.0, 3), {}),
    ("percentile:percentile=33.3,n_startup_trials=4,n_warmup_steps=2,interval_steps=3,n_min_trials=2",
     lambda: PercentilePruner(33.3, 4, 2, 3, n_min_trials=2), {}),
    ("threshold:lower=0.3", lambda: ThresholdPruner(lower=0.3), {}),
    ("threshold:upper=0.8,n_warmup_steps=3,interval_steps=2", lambda: ThresholdPruner(upper=0.8, n_warmup_steps=3, interval_steps=2), {}),
    ("threshold:lower=0.2,upper=0.8,interval_steps=5", lambda: ThresholdPruner(0.2, 0.8, interval_steps=5), {}),
    ("wilcoxon", lambda: WilcoxonPruner(), {"instances": True, "trials": 9}),
    ("wilcoxon:p_threshold=0.3,n_startup_steps=0", lambda: WilcoxonPruner(p_threshold=0.3, n_startup_steps=0), {"instances": True, "trials": 9}),
    ("wilcoxon:p_threshold=0.05,n_startup_steps=6", lambda: WilcoxonPruner(p_threshold=0.05, n_startup_steps=6), {"instances": True, "length": 60, "trials": 9}),
    (f"halving:{F}", lambda: SuccessiveHalvingPruner(1), {}),
    (f"halving:min_resource=auto,{F}", lambda: SuccessiveHalvingPruner(), {"sequential": True, "length": 260, "coarse": 9, "trials": 16}),
    (f"halving:reduction_factor=2,{F}", lambda: SuccessiveHalvingPruner(1, 2), {}),
    (f"halving:min_resource=2,reduction_factor=2,min_early_stopping_rate=1,{F}", lambda: SuccessiveHalvingPruner(2, 2, 1), {}),
    (f"halving:min_resource=3,reduction_factor=3,bootstrap_count=4,{F}", lambda: SuccessiveHalvingPruner(3, 3, 0, 4), {}),
    (f"hyperband:max_resource=27,{F}", lambda: HyperbandPruner(1, 27), {"trials": 30}),
    (f"hyperband:max_resource=27,reduction_factor=2,{F}", lambda: HyperbandPruner(1, 27, 2), {"trials": 30}),
    (f"hyperband:min_resource=2,max_resource=20,bootstrap_count=1,{F}", lambda: HyperbandPruner(2, 20, 3, 1), {"trials": 30}),
    (f"hyperband:max_resource=auto,{F}", lambda: HyperbandPruner(), {"trials": 30, "sequential": True}),
    (f"patient:patience=3,{F}", lambda: PatientPruner(None, 3), {}),
    (f"patient:patience=0,min_delta=0.05,{F}", lambda: PatientPruner(None, 0, 0.05), {}),
    (f"patient-median:patience=2,{F},n_startup_trials=2", lambda: PatientPruner(MedianPruner(2), 2), {}),
    (f"patient-threshold:patience=1,{F},lower=0.5", lambda: PatientPruner(ThresholdPruner(lower=0.5), 1), {}),
    (f"patient-halving:patience=4,{F},reduction_factor=2", lambda: PatientPruner(SuccessiveHalvingPruner(1, 2), 4), {}),
    ("patient-hyperband:max_resource=27,patience=5", lambda: PatientPruner(HyperbandPruner(1, 27), 5), {"trials": 30}),
]


def number(value):
    """A value as JSON has it."""
    return value if math.isfinite(value) else str(value)


def curve(rng, options, quality):
    """Steps and values of a trial: a noisy, saturating curve."""
    length = options.get("length", 27)
    start = rng.choice([0, 0, 0, 1])
    kind = rng.random()
    if kind < 0.1:
        length = rng.randrange(0, length)
    reports = []
    for step in range(start, start + length, options.get("coarse", 1)):
        if kind > 0.85 and rng.random() < 0.3:
            continue
        share = 1.0 if options.get("instances") else 1.0 - math.exp(-step / (4 + 6 * quality))
        value = round(quality * share + rng.gauss(0, 0.05 + 0.1 * bool(options.get("instances"))), 2)
        if 0.1 < kind < 0.2 and rng.random() < 0.2 or 0.2 < kind < 0.23:
            value = math.nan
        elif kind > 0.97 and rng.random() < 0.1:
            value = rng.choice([math.inf, -math.inf])
        reports.append((step, value))
    return reports


def play(name, make, options, direction, seed):
    rng = random.Random(f"{name} {direction} {seed}")
    study_name = f"study {seed}"
    study = optuna.create_study(
        study_name=study_name, direction=direction, pruner=make(), sampler=optuna.samplers.RandomSampler(0)
    )
    sign = 1 if direction == "maximize" else -1
    at_once = 1 if options.get("sequential") else rng.choice([1, 3, 6])
    left = options.get("trials", 22)
    running, events = [], []
    while left or running:
        if left and len(running) < at_once:
            left -= 1
            reports = curve(rng, options, rng.betavariate(3, 2))
            running.append((study.ask(), [(s, sign * v) for s, v in reports], 0, rng.random() < 0.05))
            continue
        at = rng.randrange(len(running))
        trial, reports, done, stubborn = running.pop(at)
        state = None
        if done < len(reports):
            step, value = reports[done]
            trial.report(value, step)
            if rng.random() < 0.04:
                events.append([trial.number, step, number(value)])
            else:
                prune = trial.should_prune()
                attrs = study._storage.get_trial(trial._trial_id).system_attrs
                rungs = [number(v) for k, v in sorted(attrs.items()) if k.startswith("completed_rung")]
                events.append([trial.number, step, number(value), int(prune), rungs])
                state = TrialState.PRUNED if prune and not stubborn else None
        else:
            finite = [v for _, v in reports if math.isfinite(v)]
            state = TrialState.COMPLETE if finite and rng.random() > 0.05 else TrialState.FAIL
        if state is None:
            running.insert(at, (trial, reports, done + 1, stubborn))
            continue
        value = None
        if state == TrialState.COMPLETE:
            value = round(sum(finite) / len(finite), 4) if options.get("instances") else finite[-1]
        study.tell(trial, value, state)
        end = study.trials[trial.number].value
        events.append([trial.number, state.name.lower(), end if end is None else number(end)])
    return {"pruner": name, "direction": direction, "study": study_name, "events": events}


def main():
    studies = []
    for name, make, options in PRUNERS:
        for direction in ["minimize", "maximize"]:
            for seed in range(2):
                studies.append(play(name, make, options, direction, seed))
    text = "[\n" + ",\n".join(json.dumps(s, separators=(",", ":"), allow_nan=False) for s in studies) + "\n]\n"
    pathlib.Path(__file__).with_name("pruners.json").write_text(text)


if __name__ == "__main__":
    main()
