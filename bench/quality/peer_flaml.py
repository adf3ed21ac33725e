"""FLAML's row of the quality suite: its search with a time budget, by log loss, on one thread."""

import peer_process


def fit(train, seconds, out):
    from flaml import AutoML

    x, y, groups = train
    # Folds of whole groups, where there are some; which models and how many folds is FLAML's own choice.
    grouped = {} if groups is None else {"split_type": "group", "groups": groups}
    model = AutoML()
    model.fit(x, y, task="classification", metric="log_loss", time_budget=seconds, n_jobs=1, seed=1, verbose=1, **grouped)
    chosen = {"model": model.best_estimator, "parameters": model.best_config, "trials": len(model.config_history)}
    return (lambda x: (model.predict(x), model.predict_proba(x), model.classes_)), lambda: chosen


if __name__ == "__main__":
    peer_process.main(fit)
