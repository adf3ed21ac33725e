"""Records a study of Optuna's with trials under way: study.sql, and what its TPE makes of it: running.json.

    pip install optuna==5.0.0 && python make_running.py

The first trial under way has asked for none of its parameters yet, and so has nothing; the second has asked for one, the
third was enqueued with a value of its own for one; the fourth has no parameters that were drawn together but the one it
asked for, and the fifth lacks a piece of them. Scores are those of some points for the next trial, with `constant_liar`.
"""

import functools
import json
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution, distribution_to_json
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.trial import TrialState

HERE = Path(__file__).parent
# Names so long that the attribute takes more than one piece.
DROPOUT, RATE, NEURONS, OPTIMIZER = (f"{name}{'_' * 490}" for name in ("dropout", "rate", "neurons", "optimizer"))
SPACE = {
    DROPOUT: FloatDistribution(0, 0.5),
    RATE: FloatDistribution(1e-5, 1e-1, log=True),
    NEURONS: IntDistribution(16, 256, step=16),
    OPTIMIZER: CategoricalDistribution(["sgd", "adam", None]),
}


def suggest(trial, name):
    return trial._suggest(name, SPACE[name])


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = TPESampler(seed=1, multivariate=True, constant_liar=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.db"
        study = optuna.create_study(storage=f"sqlite:///{file}", study_name="python", sampler=sampler, direction="maximize")
        rng = np.random.default_rng(2)
        for _ in range(12):
            trial = study.ask()
            for name in SPACE:
                suggest(trial, name)
            study.tell(trial, float(rng.normal()))
        study.ask()
        suggest(study.ask(), NEURONS)
        study.enqueue_trial({DROPOUT: 0.25})
        enqueued = study.ask()
        suggest(enqueued, DROPOUT)
        suggest(enqueued, RATE)
        bare, broken = study.ask(), study.ask()
        suggest(bare, OPTIMIZER)
        suggest(broken, NEURONS)
        connection = sqlite3.connect(file)
        delete = "DELETE FROM trial_system_attributes WHERE trial_id = ? AND key = ?"
        n_pieces = sum(key.startswith("tpe:relative") for key in study._storage.get_trial_system_attrs(broken._trial_id))
        for i in range(n_pieces):
            connection.execute(delete, (bare._trial_id, f"tpe:relative_params:{i}"))
        # As if the second piece were not there yet.
        assert n_pieces == 2
        connection.execute(delete, (broken._trial_id, "tpe:relative_params:1"))
        connection.commit()
        (HERE / "study.sql").write_text("\n".join(connection.iterdump()) + "\n")
        (HERE / "running.json").write_text(json.dumps(record(optuna.load_study(storage=f"sqlite:///{file}", study_name="python", sampler=sampler)), indent=1) + "\n")


def record(study):
    sampler = study.sampler
    space = dict(sorted(sampler.infer_relative_search_space(study, None).items()))
    assert space.keys() == SPACE.keys()
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    seen = study.get_trials(deepcopy=False, states=states)
    running = [t for t in seen if t.state == TrialState.RUNNING]
    below, above = _split_trials(study, seen, default_gamma(len(seen) - len(running)))
    densities = [sampler._build_parzen_estimator(study, space, part, handle_below=good) for part, good in ((below, True), (above, False))]
    points = {k: np.asarray(v, float) for k, v in densities[0].sample(np.random.RandomState(3), 24).items()}
    return {
        "running": {str(t.number): sampler._get_params(t, study) for t in running},
        "space": [[k, distribution_to_json(d)] for k, d in space.items()],
        "points": [points[k].tolist() for k in space],
        "above": [t.number for t in above],
        "scores": sampler._compute_acquisition_func(points, *densities).tolist(),
    }


if __name__ == "__main__":
    # Which of equal kernels is the wide one: see ../samplers/make_samplers.py.
    np.argsort = functools.partial(np.argsort, kind="stable")
    main()
