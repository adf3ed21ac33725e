//! The objectives of a study, and its best trials.

use std::sync::Arc;

use serde_json::Value;

use crate::storages::StudyRecord;
use crate::trial::{Direction, State, Trial};

/// Optuna's system attribute with the objectives' names (`Study.set_metric_names`).
pub const METRIC_NAMES: &str = "study:metric_names";

/// One objective of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objective {
    /// Its name, if the study has one.
    pub name: Option<String>,
    /// Whether smaller or larger values are better.
    pub direction: Direction,
}

impl StudyRecord {
    /// The directions of all objectives.
    pub fn directions(&self) -> impl Iterator<Item = Direction> {
        std::iter::once(self.direction).chain(self.further_directions.iter().copied())
    }

    /// All objectives, at least one.
    pub fn objectives(&self) -> Vec<Objective> {
        let names = self.system_attrs.get(METRIC_NAMES).and_then(Value::as_array);
        let name = |i: usize| Some(names?.get(i)?.as_str()?.to_owned());
        self.directions().enumerate().map(|(i, direction)| Objective { name: name(i), direction }).collect()
    }
}

/// The complete trial with the best value, the first of equals. If the study has constraints, only trials that satisfy
/// them are considered.
pub fn best_trial(direction: Direction, trials: &[Arc<Trial>]) -> Option<&Arc<Trial>> {
    let mut best: Option<(&Arc<Trial>, f64)> = None;
    for trial in candidates(trials) {
        let Some(value) = trial.value.filter(|value| !value.is_nan()) else { continue };
        if best.is_none_or(|(_, so_far)| direction.is_better(value, so_far)) {
            best = Some((trial, value));
        }
    }
    best.map(|(trial, _)| trial)
}

/// The complete trials that no other trial dominates, that is, is at least as good in every objective and better in
/// one. They are in the order of their numbers. Optuna's `Study.best_trials`.
pub fn pareto_front<'t>(directions: &[Direction], trials: &'t [Arc<Trial>]) -> Vec<&'t Arc<Trial>> {
    let scored: Vec<(&Arc<Trial>, Vec<f64>)> =
        candidates(trials).map(|trial| (trial, trial.values().collect())).collect();
    let dominates = |a: &[f64], b: &[f64]| {
        let pairs = || directions.iter().zip(a.iter().zip(b));
        pairs().all(|(direction, (a, b))| !direction.is_better(*b, *a))
            && pairs().any(|(direction, (a, b))| direction.is_better(*a, *b))
    };
    let on_front = |values: &[f64]| !scored.iter().any(|(_, other)| dominates(other, values));
    scored.iter().filter(|(_, values)| on_front(values)).map(|(trial, _)| *trial).collect()
}

fn candidates(trials: &[Arc<Trial>]) -> impl Iterator<Item = &Arc<Trial>> {
    trials.iter().filter(|trial| trial.state == State::Complete && trial.is_feasible())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trial::Attributes;

    fn trial(number: u64, values: &[f64]) -> Arc<Trial> {
        let value = values.first().copied();
        let further_values = values.iter().skip(1).copied().collect();
        Arc::new(Trial { number, state: State::Complete, value, further_values, ..Trial::default() })
    }

    fn numbers(front: &[&Arc<Trial>]) -> Vec<u64> {
        front.iter().map(|trial| trial.number).collect()
    }

    #[test]
    fn the_best_is_the_first_in_the_direction() {
        let infeasible = Trial {
            system_attrs: [("constraints".to_owned(), json!([1.0]))].into(),
            ..trial(0, &[9.0]).as_ref().clone()
        };
        let trials = [
            Arc::new(infeasible),
            trial(1, &[0.5]),
            trial(2, &[0.7]),
            trial(3, &[0.7]),
            trial(4, &[f64::NAN]),
        ];
        assert_eq!(best_trial(Direction::Maximize, &trials).unwrap().number, 2);
        assert_eq!(best_trial(Direction::Minimize, &trials).unwrap().number, 1);
    }

    #[test]
    fn the_front_has_the_undominated_trials() {
        let trials = [
            trial(0, &[0.5, 10.0]),
            trial(1, &[0.6, 10.0]),
            trial(2, &[0.4, 12.0]),
            trial(3, &[0.4, 12.0]),
            trial(4, &[0.3, 9.0]),
            Arc::new(Trial { number: 5, state: State::Pruned, value: Some(0.0), ..Trial::default() }),
        ];
        let front = |a, b| numbers(&pareto_front(&[a, b], &trials));
        use Direction::{Maximize, Minimize};
        assert_eq!(front(Minimize, Maximize), [2, 3, 4]);
        assert_eq!(front(Maximize, Maximize), [1, 2, 3]);
        assert_eq!(front(Minimize, Minimize), [4]);
        assert_eq!(numbers(&pareto_front(&[Maximize], &trials[..2])), [1]);
        assert!(pareto_front(&[Minimize, Maximize], &[]).is_empty());
    }

    #[test]
    fn names_are_those_of_optuna() {
        let mut record = StudyRecord {
            id: 1,
            name: "s".to_owned(),
            direction: Direction::Minimize,
            further_directions: vec![Direction::Maximize],
            user_attrs: Attributes::new(),
            system_attrs: [(METRIC_NAMES.to_owned(), json!(["size", "accuracy"]))].into(),
        };
        let objective =
            |name: Option<&str>, direction| Objective { name: name.map(str::to_owned), direction };
        let expected =
            [objective(Some("size"), Direction::Minimize), objective(Some("accuracy"), Direction::Maximize)];
        assert_eq!(record.objectives(), expected);
        record.system_attrs.clear();
        assert_eq!(record.objectives()[1], objective(None, Direction::Maximize));
    }
}
