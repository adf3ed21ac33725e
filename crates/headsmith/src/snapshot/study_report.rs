//! The results of a study, as `report.json` and `--json` have them.

use std::sync::Arc;

use headsmith_study::storages::{StudyRecord, without_password};
use headsmith_study::{Direction, State, Trial, best_trial, importance, pareto_front, summary};

use super::{StateNames, names_of, trial_row};
use crate::plan::{objectives, plan_of};
use crate::report::{Importance, StateLine, StudyReport};

/// The system attribute of a trial that a user ended.
pub(crate) const PRUNED_BY_HAND: &str = "headsmith:pruned_by_hand";

/// The complete trials that importance takes at least: the best tenth of fewer is less than one.
pub const MIN_FOR_IMPORTANCE: usize = 10;

/// The results of a study's trials.
pub(crate) fn study_report(
    record: &StudyRecord,
    storage: &str,
    trials: &[Arc<Trial>],
    words: &StateNames,
) -> StudyReport {
    let is_single = record.further_directions.is_empty();
    let rows = |front: Vec<&Arc<Trial>>| front.into_iter().map(|trial| trial_row(trial, words)).collect();
    let directions: Vec<Direction> = record.directions().collect();
    StudyReport {
        name: record.name.clone(),
        storage: without_password(storage),
        metric: plan_of(record).ok().map(|plan| plan.metric),
        objectives: objectives(record),
        n_trials: trials.len(),
        n_finished: trials.iter().filter(|trial| trial.state.is_finished()).count(),
        states: states(trials, words),
        saved_seconds: summary(record.direction, trials).saved_seconds,
        n_pruned_by_hand: trials
            .iter()
            .filter(|trial| trial.system_attrs.contains_key(PRUNED_BY_HAND))
            .count(),
        best: best_trial(record.direction, trials).filter(|_| is_single).map(|trial| trial_row(trial, words)),
        pareto_front: (!is_single).then(|| rows(pareto_front(&directions, trials))),
        selection: None,
        held_back: None,
        importance: if is_single { important(record.direction, trials) } else { Vec::new() },
        seconds: 0.0,
    }
}

/// A line for each state that occurs.
fn states(trials: &[Arc<Trial>], state_names: &StateNames) -> Vec<StateLine> {
    let line = |state: &'static str| {
        let of_state = || trials.iter().filter(|trial| state_names.of(trial) == state);
        StateLine {
            state: state.to_owned(),
            n_trials: of_state().count(),
            n_epochs: of_state().map(|trial| trial.intermediate.len()).sum(),
            seconds: of_state().filter_map(|trial| trial.seconds()).sum(),
        }
    };
    let all = headsmith_study::STATES.into_iter().flat_map(names_of);
    all.map(|word| line(word)).filter(|line| line.n_trials > 0).collect()
}

/// The importance of the parameters; empty if the trials show no differences.
fn important(direction: Direction, trials: &[Arc<Trial>]) -> Vec<Importance> {
    let complete: Vec<&Arc<Trial>> = trials.iter().filter(|trial| trial.state == State::Complete).collect();
    let shares = importance(direction, trials);
    let are_equal = shares.windows(2).all(|pair| pair[0].1 == pair[1].1);
    if complete.len() < MIN_FOR_IMPORTANCE || are_equal {
        return Vec::new();
    }
    let n_trials = |param: &str| complete.iter().filter(|trial| trial.params.contains_key(param)).count();
    shares.into_iter().map(|(param, share)| Importance { n_trials: n_trials(&param), param, share }).collect()
}

#[cfg(test)]
mod tests {
    use headsmith_study::{Distribution, Params};

    use super::*;

    /// A trial whose value is that of `lr`; of every third one `units_l3` is inactive.
    fn trial(number: u64, lr: f64) -> Arc<Trial> {
        let unit = || Distribution::Float { low: 0.0, high: 1.0, log: false, step: None };
        let mut params: Params = [("lr".to_owned(), (unit(), lr))].into();
        if !number.is_multiple_of(3) {
            params.insert("units_l3".to_owned(), (unit(), number as f64 % 7.0 / 7.0));
        }
        Arc::new(Trial { number, state: State::Complete, value: Some(lr), params, ..Trial::default() })
    }

    #[test]
    fn importance_needs_trials_and_a_difference() {
        let trials: Vec<Arc<Trial>> = (0..30).map(|i| trial(i, i as f64 / 30.0)).collect();
        assert!(important(Direction::Maximize, &trials[..9]).is_empty());
        let found = important(Direction::Maximize, &trials);
        assert_eq!((found[0].param.as_str(), found[0].n_trials), ("lr", 30));
        assert_eq!((found[1].param.as_str(), found[1].n_trials), ("units_l3", 20));
        assert!(found[0].share > 0.8 && (found[0].share + found[1].share - 1.0).abs() < 1e-12, "{found:?}");
        // All trials are equally good: there is no best tenth.
        let equal: Vec<Arc<Trial>> = trials
            .iter()
            .map(|trial| Arc::new(Trial { value: Some(0.5), ..trial.as_ref().clone() }))
            .collect();
        assert!(important(Direction::Maximize, &equal).is_empty());
        // Trials that did not complete do not count.
        let pruned = trials
            .iter()
            .skip(9)
            .map(|trial| Arc::new(Trial { state: State::Pruned, ..trial.as_ref().clone() }));
        let few: Vec<Arc<Trial>> = trials.iter().take(9).cloned().chain(pruned).collect();
        assert!(important(Direction::Maximize, &few).is_empty());
    }
}
