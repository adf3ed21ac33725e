"""Studies of a head's parameters, in Optuna's own database."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from . import _checks, _headsmith, _seed, _sqlite, _words
from ._classifier import Options
from ._listener import Callback, Listener
from ._tables import Path, Reading, paths

# Where a study is kept that has no place; the command keeps it there, too.
STORAGE = "sqlite:///headsmith.db"


class _StudyOptions(NamedTuple):
    """A study, as the extension takes it."""

    head: str
    params: dict[str, bool | int | float | str]
    val_share: float
    hold_back: float
    space: str | None
    trials: int | None
    timeout: float | None
    storage: str
    name: str | None
    sampler: str
    pruner: str
    random_start: bool
    lag: int | None


class Study:
    """A study that has ended here, or was stopped: its report, and where it is stored."""

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report
        self.name: str = report["name"]
        self.storage: str = report["storage"]

    @property
    def best_params(self) -> dict[str, Any]:
        """The parameters of the best trial, as the classifiers take them."""
        return dict(self._best()["params"])

    @property
    def best_value(self) -> float:
        """The value of the metric that the best trial reached; `report["selection"]` corrects it for selection."""
        return float(self._best()["value"])

    def to_optuna(self) -> Any:
        """The same study as an `optuna.Study`."""
        import optuna

        # Headsmith takes the path of a file as well, Optuna the address of a database alone.
        storage = self.storage if "://" in self.storage else f"sqlite:///{self.storage}"
        return optuna.load_study(study_name=self.name, storage=storage)

    def _best(self) -> dict[str, Any]:
        best: dict[str, Any] | None = self.report["best"]
        if best is None:
            raise ValueError("no trial is complete yet")
        return best

    def __repr__(self) -> str:
        best = self.report["best"]
        best_line = f", best {best['value']:.4f} (trial {best['number']})" if best else ""
        return f"Study({self.name!r}, {_words.without_password(self.storage)!r}: {self.report['n_finished']}/{self.report['n_trials']} trials{best_line})"

    def _repr_html_(self) -> str:
        from . import _html_scores

        return _html_scores.of_study(self)


def tune(
    train: Path | Sequence[Path],
    val: Path | Sequence[Path] | None = None,
    *,
    head: str = "mlp",
    params: dict[str, Any] | None = None,
    space: str | None = None,
    trials: int | None = None,
    timeout: float | None = None,
    storage: str | None = None,
    name: str | None = None,
    study: Any = None,
    sampler: Literal["tpe", "random", "grid", "qmc"] = "tpe",
    pruner: str = "asha",
    metric: str = "weighted_f1",
    label_column: str | None = None,
    embeddings_column: str | None = None,
    drop: str | Sequence[str] = (),
    features: str | Sequence[str] = (),
    val_share: float = 0.2,
    hold_back: float = 0.0,
    random_start: bool = False,
    lag: int | None = None,
    random_state: _seed.RandomState = 42,
    n_jobs: int | None = None,
    verbose: int | bool = 0,
    callbacks: list[Callback] | None = None,
) -> Study:
    """Begins a study, or resumes it: the command `headsmith tune`.

    Parameters
    ----------
    train, val : path or list of paths
        The tables; without `val`, `val_share` of the training rows judge the trials.
    label_column, embeddings_column, drop, features
        As of `read`.
    head : str, default="mlp"
        The head whose parameters are searched.
    params : dict, default=None
        Parameters that keep a value.
    space : str, default=None
        The text of a space file; None: the head's own space.
    trials, timeout : default=None
        The trials in all, and the seconds of this call, at most; one of them is needed.
    storage : str, default=None
        The database, which Optuna opens as well; an earlier study of the same content continues. None: `sqlite:///headsmith.db`.
    name : str, default=None
        The name of the study; None: made of its content.
    study : optuna.Study, default=None
        A study of Optuna's to continue, in place of `storage` and `name`: its trials are kept in a database.
    sampler, pruner : str
        How parameters are proposed, and trials ended early, as the command names them.
    metric : str, default="weighted_f1"
        The value of a trial.
    hold_back : float, default=0.0
        The share of the validation rows that no trial sees; the best trial is judged on it.
    random_start : bool, default=False
        Whether to start with random trials instead of configurations that did well on other tables.
    lag : int, default=None
        Trial n is proposed by the results of trials 0 .. n - lag: the same study for any `n_jobs` up to the lag.
    random_state, n_jobs, verbose, callbacks
        As of the classifiers; `n_jobs` trials run at once.

    Returns
    -------
    study : Study
        `study.best_params`, `study.report`, and `study.to_optuna()`.
    """
    if trials is None and timeout is None:
        raise ValueError("give trials or timeout: a study has no end of its own")
    trials, lag, timeout = _checks.count("trials", trials), _checks.count("lag", lag), _checks.number("timeout", timeout, "a number of seconds")
    texts = {"space": space, "storage": storage, "name": name, "head": head, "sampler": sampler, "pruner": pruner}
    for argument, text in texts.items():
        _checks.text(argument, text, "the text of a space file in TOML" if argument == "space" else "a str")
    val_share, hold_back = _checks.share("val_share", val_share), _checks.share("hold_back", hold_back)
    random_start = _checks.flag("random_start", random_start)
    _check_paths(train, "train")
    _check_paths(val, "val")
    if study is not None:
        if storage is not None or name is not None:
            raise ValueError("give study, or storage and name: a study has both of its own")
        storage, name = _place_of(study)
    storage = STORAGE if storage is None else storage
    of_study = _StudyOptions(
        _checks.heads("head", head)[0], _checks.params(params), val_share, hold_back, space, trials, timeout, storage, name, sampler, pruner, random_start, lag,
    )
    reading = Reading.of(label_column, embeddings_column, drop, features)
    with Listener(verbose, callbacks) as listener, _sqlite.alone(storage):
        options = Options.of(n_jobs, listener, metric=metric, seed=_seed.seed(random_state))
        return Study(json.loads(_headsmith.tune(paths(train), paths(val), reading, of_study, options)))


def _check_paths(given: Any, name: str) -> None:
    """Refuses tables in memory: trials read files, wherever they run."""
    table: Any = given
    is_list = isinstance(given, (list, tuple)) and not hasattr(table, "feature_names")
    several: list[Any] = list(table) if is_list else [table]
    if given is not None and not all(isinstance(path, (str, os.PathLike)) for path in several):
        hint = 'pandas.DataFrame(X).add_prefix("emb_").assign(label=y).to_parquet("train.parquet")'
        raise ValueError(f"{name} is of the type {type(table).__name__}, expected a path or a list of paths: write arrays to a file with {hint}")


def _place_of(study: Any) -> tuple[str, str]:
    """The database of a study of Optuna's, and its name there."""
    storage = getattr(study, "_storage", None)
    # Optuna keeps the trials of a database in memory as well.
    storage = getattr(storage, "_backend", storage)
    url = getattr(storage, "url", None)
    if url is None:
        raise ValueError(f'study is kept in {type(storage).__name__}, expected an optuna.Study of a database: optuna.create_study(storage="sqlite:///study.db")')
    return str(url), str(study.study_name)
