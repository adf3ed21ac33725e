"""FLAML's row of the quality suite: its search with a time budget, by log loss, on one thread."""

import peer_process

FOLDS, SEED = 5, 1


def fit(train, seconds, out):
    from flaml import AutoML

    x, y, groups = train

    def fitted(**rest):
        model = AutoML()
        model.fit(x, y, task="classification", metric="log_loss", time_budget=seconds, n_jobs=1, seed=SEED, verbose=1, **rest)
        return model

    # Folds of whole groups, where there are some; which models and how many folds is FLAML's own choice.
    model = fitted(**({} if groups is None else {"split_type": "group", "groups": groups}))
    again = model.model is None and groups is not None
    if again:
        # FLAML 2.8.0 scores nothing where a class has no group in the part that it holds out: once more with all of the time,
        # by stratified folds of whole groups.
        from sklearn.model_selection import StratifiedGroupKFold

        model = fitted(split_type=StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED), groups=groups)
    chosen = {"stratified_groups": again, "model": model.best_estimator, "parameters": model.best_config, "trials": len(model.config_history)}
    return (lambda x: (model.predict(x), model.predict_proba(x), model.classes_)), lambda: chosen


if __name__ == "__main__":
    peer_process.main(fit)
