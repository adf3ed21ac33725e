"""The TPE of studies as a sampler of Optuna, for objectives of Python's own.

    import optuna
    from headsmith.optuna import TPESampler
    study = optuna.create_study(sampler=TPESampler(seed=1))
    study.optimize(objective, n_trials=60)

It needs Optuna, which `import headsmith` does not.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple, TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

import numpy as np
from optuna.distributions import IntDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState

from . import _headsmith

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["TPESampler"]

# Where Optuna's own sampler keeps what it drew for a running trial, in pieces that every database takes.
_DRAWN, _PIECE = "tpe:relative_params", 2045
_CONSTRAINTS = "constraints"
# So many take seconds for a proposal.
_MAX_CANDIDATES = 1_000_000
_COUNTING = (TrialState.COMPLETE, TrialState.PRUNED)


class _OpenTrial(NamedTuple):
    """What is proposed for a running trial, and the first of the trials that it follows."""

    proposal: _headsmith.Proposal
    first: FrozenTrial | None


class TPESampler(BaseSampler):
    """The tree-structured Parzen estimator of `headsmith tune`: the same proposals for the same trials, space and seed.

    The densities are those of `optuna.samplers.TPESampler`. The random numbers of a trial are a function of the seed and the trial's number alone: a study that is
    resumed continues as if it had not ended, and no two trials use the same random numbers, whatever the seeds of the workers that share it.

    Parameters
    ----------
    n_startup_trials : int, default=10
        The complete and pruned trials before the densities are used; until then parameters are drawn at random.
    n_ei_candidates : int, default=24
        The points that are drawn for a proposal, of which the best is taken; at most 1,000,000.
    seed : int, default=None
        The seed, at least 0; None draws one.
    multivariate : bool, default=True
        Whether parameters that all trials have are drawn together. Others are drawn by themselves, from the trials that have them.
    constant_liar : bool, default=True
        Whether running trials count as bad ones, so that parallel workers do not try the same.

    Notes
    -----
    Choices may be anything that Optuna takes. Constraints that a trial sets (`trial.set_constraint`) rank it after all feasible ones. A study of several objectives
    is refused.

    Examples
    --------
    >>> import optuna
    >>> from headsmith.optuna import TPESampler
    >>> optuna.logging.set_verbosity(optuna.logging.WARNING)
    >>> study = optuna.create_study(sampler=TPESampler(seed=1))
    >>> study.optimize(lambda trial: trial.suggest_float("x", -10, 10) ** 2, n_trials=30)
    >>> study.best_value < 1
    True
    """

    def __init__(
        self,
        *,
        n_startup_trials: int = 10,
        n_ei_candidates: int = 24,
        seed: int | None = None,
        multivariate: bool = True,
        constant_liar: bool = True,
    ) -> None:
        self._n_startup_trials = _count("n_startup_trials", n_startup_trials, 0)
        self._n_ei_candidates = _count("n_ei_candidates", n_ei_candidates, 1, _MAX_CANDIDATES)
        self._seed = secrets.randbits(64) if seed is None else _count("seed", seed, 0)
        self._multivariate = bool(multivariate)
        self._constant_liar = bool(constant_liar)
        self._begin()

    def _begin(self) -> None:
        options = (self._seed, self._n_startup_trials, self._n_ei_candidates, self._multivariate, self._constant_liar)
        self._tpe = _headsmith.Tpe(*options)
        # Finished trials do not change: each is converted once.
        self._known: dict[int, tuple[FrozenTrial, _headsmith.Trial]] = {}
        # By storage, which numbers the trials of all its studies; one that is gone takes its own along.
        self._open: WeakKeyDictionary[BaseStorage, dict[tuple[int, int], _OpenTrial]] = WeakKeyDictionary()
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_tpe", "_known", "_open", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._begin()

    def reseed_rng(self) -> None:
        """Does nothing: the random numbers belong to a trial, so no two workers have the same."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters that all complete and pruned trials have, with the same distribution."""
        proposal, first = self._asked(study, trial)
        return {name: first.distributions[name] for name in proposal.joint()} if first else {}

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        """The parameters of `search_space`, drawn together; none in the first trials."""
        if not search_space:
            return {}
        drawn = self._asked(study, trial).proposal.together([(name, _checked(name, distribution)) for name, distribution in search_space.items()])
        params = {name: search_space[name].to_external_repr(value) for name, value in drawn.items()}
        if params and self._constant_liar:
            _publish(study, trial, params)
        return params

    def sample_independent(self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution) -> Any:
        """One parameter, drawn by itself."""
        value = self._asked(study, trial).proposal.alone(param_name, _checked(param_name, param_distribution))
        return param_distribution.to_external_repr(value)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Forgets what was drawn for the trial."""
        with self._lock:
            self._open.get(study._storage, {}).pop(_key(study, trial), None)

    def _asked(self, study: Study, trial: FrozenTrial) -> _OpenTrial:
        key = _key(study, trial)
        with self._lock:
            opened = self._open.setdefault(study._storage, {})
            if key not in opened:
                opened[key] = self._ask(study, trial, opened)
            return opened[key]

    def _ask(self, study: Study, trial: FrozenTrial, opened: dict[tuple[int, int], _OpenTrial]) -> _OpenTrial:
        if len(study.directions) > 1:
            raise ValueError(
                f"headsmith.optuna.TPESampler is for one objective, and the study has {len(study.directions)}: use optuna.samplers.TPESampler or NSGAIISampler for it"
            )
        trials = study.get_trials(deepcopy=False, states=(*_COUNTING, TrialState.RUNNING))
        counting = [each for each in trials if each.state in _COUNTING]
        finished = [self._converted(each) for each in counting]
        others = [each for each in trials if each.state == TrialState.RUNNING and each.number != trial.number]
        _forget_ended(opened, study)
        proposal = self._tpe.begin(trial.number, study.direction == StudyDirection.MAXIMIZE, finished, [_convert(each) for each in others])
        return _OpenTrial(proposal, counting[0] if counting else None)

    def _converted(self, trial: FrozenTrial) -> _headsmith.Trial:
        known = self._known.get(trial.number)
        # The trial of that number may be another study's.
        if known is None or known[0] is not trial:
            known = self._known[trial.number] = (trial, _convert(trial))
        return known[1]


def _key(study: Study, trial: FrozenTrial) -> tuple[int, int]:
    return study._study_id, trial._trial_id


def _forget_ended(opened: dict[tuple[int, int], _OpenTrial], study: Study) -> None:
    """Drops the trials of a study that no longer run: `after_trial` is not called for those that end elsewhere."""
    own = [key for key in opened if key[0] == study._study_id]
    # Hyperband's studies list the trials of a bracket, their storage lists all.
    running = study._storage.get_all_trials(study._study_id, deepcopy=False, states=(TrialState.RUNNING,)) if own else []
    for key in set(own) - {_key(study, each) for each in running}:
        del opened[key]


def _checked(name: str, distribution: BaseDistribution) -> BaseDistribution:
    """A distribution whose values are exact as Optuna keeps them, which is as floats."""
    if isinstance(distribution, IntDistribution):
        for end in (distribution.low, distribution.high):
            if abs(end) > 2**53:
                raise ValueError(f"{name}: integers must lie within 2^53 of 0, found {end}; use a float, or another unit")
    return distribution


def _convert(trial: FrozenTrial) -> _headsmith.Trial:
    # Optuna keeps the index of a choice, and the number of any other value.
    params = {name: (distribution, distribution.to_internal_repr(trial.params[name])) for name, distribution in trial.distributions.items()}
    attributes = {name: value for name, value in trial.system_attrs.items() if name.startswith((_DRAWN, _CONSTRAINTS)) and value is not None}
    value = trial.value if trial.state == TrialState.COMPLETE else None
    return _headsmith.Trial(trial.number, trial.state.name, value, params, trial.intermediate_values, attributes)


def _publish(study: Study, trial: FrozenTrial, params: dict[str, Any]) -> None:
    """Lets other workers see the parameters before the objective has asked for them, in Optuna's own way."""
    text = json.dumps({name: value for name, value in params.items() if value is None or isinstance(value, (bool, int, float, str))})
    for i in range(0, len(text), _PIECE):
        study._storage.set_trial_system_attr(trial._trial_id, f"{_DRAWN}:{i // _PIECE}", text[i : i + _PIECE])


def _count(name: str, value: Any, least: int, most: int = 2**64 - 1) -> int:
    if isinstance(value, (int, np.integer)) and least <= value <= most:
        return int(cast(int, value))
    raise ValueError(f"{name} is {value!r}, expected an integer of at least {least} and at most {most}")
