//! A summary of a study: counts, the best trial, and the time used.

use std::sync::Arc;

use crate::objective::best_trial;
use crate::trial::{Direction, State, Trial};

/// The states, in the order in which a summary lists them.
pub const STATES: [State; 5] = [State::Complete, State::Pruned, State::Fail, State::Running, State::Waiting];

/// A summary of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The number and the time of the trials in each state, in the order of [`STATES`].
    pub spent: [StateTotals; 5],
    /// The number of the best trial.
    pub best: Option<u64>,
    /// The seconds that pruning saved: those that pruned trials would have needed to run as many steps as complete
    /// trials do (the median), each at its own pace; `None` while no trial is complete.
    pub saved_seconds: Option<f64>,
}

/// The number and the time of the trials in one state.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StateTotals {
    /// The number of trials.
    pub n_trials: usize,
    /// The number of their reports.
    pub n_reports: usize,
    /// The seconds that their workers spent on them: [`Trial::seconds`].
    pub seconds: f64,
}

impl Summary {
    /// The trials in one state.
    pub fn of(&self, state: State) -> StateTotals {
        STATES
            .iter()
            .zip(self.spent)
            .find(|(s, _)| **s == state)
            .map_or_else(StateTotals::default, |(_, spent)| spent)
    }
}

/// Summarises `trials`.
pub fn summary(direction: Direction, trials: &[Arc<Trial>]) -> Summary {
    let spent = STATES.map(|state| {
        let mut spent = StateTotals::default();
        for trial in trials.iter().filter(|t| t.state == state) {
            spent.n_trials += 1;
            spent.n_reports += trial.intermediate.len();
            spent.seconds += trial.seconds().unwrap_or(0.0);
        }
        spent
    });
    Summary {
        spent,
        best: best_trial(direction, trials).map(|t| t.number),
        saved_seconds: saved_seconds(trials),
    }
}

fn saved_seconds(trials: &[Arc<Trial>]) -> Option<f64> {
    let n_reports = |t: &Arc<Trial>| t.intermediate.len();
    let mut complete: Vec<usize> =
        trials.iter().filter(|t| t.state == State::Complete).map(n_reports).collect();
    complete.sort_unstable();
    let whole = *complete.get(complete.len() / 2)?;
    let saved = |t: &Arc<Trial>| {
        let missing = whole.saturating_sub(n_reports(t)) as f64;
        (n_reports(t) > 0).then(|| t.seconds().unwrap_or(0.0) * missing / n_reports(t) as f64)
    };
    let pruned = trials.iter().filter(|t| t.state == State::Pruned);
    // The sum of no numbers would be -0.
    Some(pruned.filter_map(saved).fold(0.0, |sum, seconds| sum + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Attributes, Params};
    use jiff::Timestamp;

    fn trial(number: u64, state: State, value: Option<f64>, n_reports: i64, seconds: i64) -> Arc<Trial> {
        let started = Timestamp::from_second(1_000_000).unwrap();
        Arc::new(Trial {
            id: number as i64,
            number,
            state,
            value,
            params: Params::new(),
            intermediate: (0..n_reports).map(|step| (step, 0.5)).collect(),
            user_attrs: Attributes::new(),
            system_attrs: Attributes::new(),
            started: Some(started),
            completed: state.is_finished().then(|| Timestamp::from_second(1_000_000 + seconds).unwrap()),
            heartbeat: Timestamp::from_second(1_000_000 + seconds).ok(),
            ..Trial::default()
        })
    }

    #[test]
    fn a_study_in_numbers() {
        let trials = [
            trial(0, State::Complete, Some(0.6), 10, 100),
            trial(1, State::Complete, Some(0.7), 10, 50),
            trial(2, State::Pruned, Some(0.9), 2, 6),
            trial(3, State::Pruned, None, 0, 1),
            trial(4, State::Fail, None, 3, -5),
            trial(5, State::Running, None, 4, 30),
            trial(6, State::Complete, Some(0.7), 10, 50),
            trial(7, State::Complete, Some(f64::NAN), 1, 2),
        ];
        let found = summary(Direction::Maximize, &trials);
        assert_eq!(found.of(State::Complete), StateTotals { n_trials: 4, n_reports: 31, seconds: 202.0 });
        assert_eq!(found.of(State::Pruned), StateTotals { n_trials: 2, n_reports: 2, seconds: 7.0 });
        // The clock went back: that trial took no time.
        assert_eq!(found.of(State::Fail), StateTotals { n_trials: 1, n_reports: 3, seconds: 0.0 });
        // Counts up to its worker's last heartbeat.
        assert_eq!(found.of(State::Running), StateTotals { n_trials: 1, n_reports: 4, seconds: 30.0 });
        assert_eq!(found.of(State::Waiting), StateTotals::default());
        assert_eq!(found.best, Some(1));
        assert_eq!(found.saved_seconds, Some(24.0));
        assert_eq!(summary(Direction::Minimize, &trials).best, Some(0));
        assert_eq!(summary(Direction::Minimize, &[]).saved_seconds, None);
    }
}
