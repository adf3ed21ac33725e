"""AutoGluon's row of the quality suite: `best_quality` with a time limit, by log loss, on one thread."""

import shutil

import numpy as np

import peer_process

FOLDS, SEED = 8, 1


def fit(train, seconds, out):
    from autogluon.tabular import TabularPredictor

    x, y, groups = train
    rows = frame(x)
    rows["label"] = y
    if groups is not None:
        # AutoGluon makes a fold of each value, so it gets its eight folds: stratified, of whole groups.
        rows["fold"] = folds(y, groups)

    def fitted(**rest):
        predictor = TabularPredictor("label", eval_metric="log_loss", path=str(out / "models"), groups=None if groups is None else "fold")
        return predictor.fit(rows, presets="best_quality", time_limit=seconds, num_cpus=1, num_gpus=0, **rest)

    shutil.rmtree(out / "models", ignore_errors=True)
    try:
        predictor, stacking = fitted(), "auto"
    except AssertionError:
        # AutoGluon 1.6.3 ends so where none of its models fits into the quarter of the time that tries stacking ("Learner is
        # already fit"): once more with all of the time, and without that trial.
        shutil.rmtree(out / "models", ignore_errors=True)
        predictor, stacking = fitted(dynamic_stacking=False), False

    def predict(x):
        proba = predictor.predict_proba(frame(x))
        return predictor.predict(frame(x)).to_numpy(), proba.to_numpy(), list(proba.columns)

    return predict, lambda: {"dynamic_stacking": stacking, "model": predictor.model_best, "models": len(predictor.model_names()), "weights": weights(predictor)}


def frame(x):
    import pandas as pd

    return pd.DataFrame(x, columns=[f"f{i}" for i in range(x.shape[1])])


def folds(y, groups):
    from sklearn.model_selection import StratifiedGroupKFold

    found = np.zeros(len(y), dtype=int)
    for i, (_, held_out) in enumerate(StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(y, y, groups)):
        found[held_out] = i
    return found


def weights(predictor):
    """The members of the ensemble that predicts, by their weight."""
    found = predictor.info()["model_info"][predictor.model_best].get("children_info", {}).get("S1F1", {}).get("model_weights", {})
    return {name: round(float(weight), 4) for name, weight in found.items()}


if __name__ == "__main__":
    peer_process.main(fit)
