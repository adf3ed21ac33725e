//! Replays recorded learning curves under a pruner, with a simulated clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Peers, Pruner};
use crate::trial::{Attributes, Direction, Params, State, Trial};

/// The recorded curve of a trial that ran to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its value after each epoch.
    pub values: Vec<f64>,
    /// The seconds of each epoch; missing ones are like the last.
    pub seconds: Vec<f64>,
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Replay {
    /// The time and the value of each improvement of the best value, over all trials and epochs.
    pub improvements: Vec<(f64, f64)>,
    /// The seconds of all trials.
    pub seconds: f64,
    /// The number of epochs that ran.
    pub n_epochs: usize,
    /// The number of trials that ran to their end.
    pub n_complete: usize,
}

impl Replay {
    /// The best value after so many seconds, if there was one.
    pub fn best_at(&self, seconds: f64) -> Option<f64> {
        self.improvements.iter().take_while(|(at, _)| *at <= seconds).last().map(|(_, best)| *best)
    }
}

/// Runs `curves` one after another, each until `pruner` ends it. Trial `n` sees the trials `0 ..= n - lag`.
pub fn replay<'c>(
    pruner: &dyn Pruner,
    direction: Direction,
    curves: impl IntoIterator<Item = &'c Curve>,
    lag: usize,
) -> Replay {
    let mut played = Replay::default();
    let mut trials: Vec<Arc<Trial>> = Vec::new();
    for (number, curve) in curves.into_iter().enumerate() {
        let seen = (number + 1).saturating_sub(lag.max(1)).min(trials.len());
        let peers = Peers { study_name: "replay", direction, trials: &trials[..seen] };
        let trial = run(pruner, peers, number as u64, curve, &mut played);
        played.n_complete += usize::from(trial.state == State::Complete);
        trials.push(Arc::new(trial));
    }
    played
}

fn run(pruner: &dyn Pruner, peers: Peers<'_>, number: u64, curve: &Curve, played: &mut Replay) -> Trial {
    let mut trial = begun(number);
    for (epoch, &value) in curve.values.iter().enumerate() {
        played.seconds += curve.seconds.get(epoch).or(curve.seconds.last()).copied().unwrap_or(0.0);
        played.n_epochs += 1;
        let is_better = played.improvements.last().is_none_or(|(_, best)| match peers.direction {
            Direction::Minimize => value < *best,
            Direction::Maximize => value > *best,
        });
        if is_better && !value.is_nan() {
            played.improvements.push((played.seconds, value));
        }
        trial.intermediate.insert(epoch as i64, value);
        let verdict = pruner.judge(peers, &trial);
        trial.system_attrs.extend(verdict.remember);
        if verdict.prune {
            trial.state = State::Pruned;
            trial.value = Some(value);
            return trial;
        }
    }
    trial.state = State::Complete;
    trial.value = super::steps::last_report(&trial)
        .map(|_| super::steps::best(peers.direction, trial.intermediate.values().copied()));
    trial
}

fn begun(number: u64) -> Trial {
    Trial {
        id: i64::try_from(number).unwrap_or(i64::MAX),
        number,
        state: State::Running,
        value: None,
        params: Params::new(),
        intermediate: BTreeMap::new(),
        user_attrs: Attributes::new(),
        system_attrs: Attributes::new(),
        started: None,
        completed: None,
        ..Trial::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pruners::parse;

    fn curve(values: &[f64]) -> Curve {
        Curve { values: values.to_vec(), seconds: vec![2.0, 1.0] }
    }

    #[test]
    fn the_clock_is_that_of_the_epochs_that_ran() {
        let curves = [curve(&[0.3, 0.5, 0.6]), curve(&[0.2, 0.9, 0.9]), curve(&[0.4, f64::NAN, 0.7])];
        let none = replay(&super::super::Nop, Direction::Maximize, &curves, 1);
        assert_eq!((none.seconds, none.n_epochs, none.n_complete), (12.0, 9, 3));
        assert_eq!(none.improvements, [(2.0, 0.3), (3.0, 0.5), (4.0, 0.6), (7.0, 0.9)]);
        assert_eq!((none.best_at(1.9), none.best_at(3.5), none.best_at(99.0)), (None, Some(0.5), Some(0.9)));

        let early = parse("one-epoch:keep=3", None).unwrap();
        let early = replay(early.as_ref(), Direction::Maximize, &curves, 1);
        // The second trial ends after its first epoch, so its later values are never seen.
        assert_eq!((early.seconds, early.n_epochs, early.n_complete), (10.0, 7, 2));
        assert_eq!(early.improvements.last(), Some(&(10.0, 0.7)));
    }

    #[test]
    fn a_lag_hides_the_last_trials() {
        let curves = [curve(&[0.9, 0.9]), curve(&[0.1, 0.1]), curve(&[0.1, 0.1])];
        let early = parse("one-epoch:keep=2", None).unwrap();
        let played = |lag| replay(early.as_ref(), Direction::Maximize, &curves, lag).n_epochs;
        assert_eq!((played(1), played(2), played(3)), (4, 5, 6));
    }
}
