//! The state of a study in the live view: counts, the best value so far, the running trials with their curves, and the
//! ended ones.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use headsmith::Progress;
use headsmith::metrics::Metric;
use headsmith::study::{Choice, State, StudyEvent, best_trial};
use headsmith::tune::direction_of;

use super::curve::Curve;
use crate::view::pace::Pace;
use crate::view::study::shown;

/// The maximum number of listed ended trials.
const N_ENDED: usize = 200;

/// A study.
#[derive(Debug)]
pub(super) struct Study {
    pub(super) name: String,
    /// The metric that is a trial's value.
    pub(super) metric: Metric,
    /// The pruner's name, without its options.
    pub(super) pruner: String,
    pub(super) pace: Pace,
    /// The maximum number of epochs of a trial, if known.
    pub(super) n_steps: Option<u64>,
    /// The time at which the view started to show it.
    pub(super) started: Duration,
    pub(super) n_complete: usize,
    pub(super) n_pruned: usize,
    pub(super) n_failed: usize,
    /// The number of epochs reported here.
    pub(super) n_reports: usize,
    pub(super) best: Option<Best>,
    /// Running trials, by number.
    pub(super) running: BTreeMap<u64, Running>,
    /// The current trial of each worker.
    pub(super) workers: Vec<Option<u64>>,
    /// Trials that ended here, the last one first.
    pub(super) ended: VecDeque<Ended>,
    selected: Option<u64>,
}

/// The best trial so far.
#[derive(Debug)]
pub(super) struct Best {
    pub(super) number: u64,
    pub(super) value: f64,
    pub(super) curve: Curve,
}

/// A running trial.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// Its parameters as text.
    pub(super) params: Vec<(String, String)>,
    pub(super) curve: Curve,
    /// The reports so far.
    pub(super) n_reports: usize,
    /// The best of them.
    pub(super) best: Option<f64>,
    /// Whether the user asked for its end.
    pub(super) end_requested: bool,
}

/// An ended trial.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    pub(super) number: u64,
    pub(super) state: State,
    pub(super) value: Option<f64>,
    pub(super) n_reports: usize,
    /// The reason, if it is not complete.
    pub(super) why: String,
}

impl Study {
    /// The study that `progress` starts.
    pub(super) fn begin(progress: &Progress<'_>, now: Duration) -> Option<Study> {
        let Progress::Searching {
            study,
            n_trials,
            timeout,
            n_finished,
            trials,
            n_jobs,
            n_steps,
            pruner,
            metric,
            ..
        } = progress
        else {
            return None;
        };
        let count = |state| trials.iter().filter(|trial| trial.state == state).count();
        let best = best_trial(direction_of(*metric), trials).and_then(|trial| {
            let mut curve = Curve::default();
            trial.intermediate.iter().for_each(|(&step, &value)| curve.push(step as f64 + 1.0, value));
            Some(Best { number: trial.number, value: trial.value?, curve })
        });
        Some(Study {
            name: (*study).to_owned(),
            metric: *metric,
            pruner: pruner.split(':').next().unwrap_or_default().to_owned(),
            pace: Pace { n_trials: *n_trials, timeout: *timeout, at_start: *n_finished },
            n_steps: *n_steps,
            started: now,
            n_complete: count(State::Complete),
            n_pruned: count(State::Pruned),
            n_failed: count(State::Fail),
            n_reports: 0,
            best,
            running: BTreeMap::new(),
            workers: vec![None; *n_jobs],
            ended: VecDeque::new(),
            selected: None,
        })
    }

    /// Applies an event of a trial.
    pub(super) fn apply(&mut self, event: &StudyEvent) {
        match event {
            StudyEvent::Began { number, params, done } => self.began(*number, params, *done),
            StudyEvent::Reported { number, step, value } => self.reported(*number, *step, *value),
            StudyEvent::Ended { number, state, value, reason } => {
                self.ended(*number, *state, *value, reason.as_deref());
            }
            StudyEvent::Lost { number } | StudyEvent::Released { number } => drop(self.free_worker(*number)),
            _ => (),
        }
    }

    /// The number of finished trials.
    pub(super) fn n_finished(&self) -> usize {
        self.n_complete + self.n_pruned + self.n_failed
    }

    /// The selected running trial.
    pub(super) fn in_view(&self) -> Option<u64> {
        let selected = self.selected.filter(|number| self.running.contains_key(number));
        selected.or_else(|| self.running.keys().next().copied())
    }

    /// Selects the trial `by` positions further.
    pub(super) fn turn(&mut self, by: isize) {
        let numbers: Vec<u64> = self.running.keys().copied().collect();
        let Some(at) = self.in_view().and_then(|number| numbers.iter().position(|n| *n == number)) else {
            return;
        };
        let to = (at as isize + by).rem_euclid(numbers.len() as isize);
        self.selected = Some(numbers[to as usize]);
    }

    /// Records the request to end a trial; returns whether it is running.
    pub(super) fn request_end(&mut self, number: u64) -> bool {
        self.running.get_mut(&number).map(|running| running.end_requested = true).is_some()
    }

    fn began(&mut self, number: u64, params: &BTreeMap<String, Choice>, done: usize) {
        let params = params.iter().map(|(name, choice)| (name.clone(), shown(choice))).collect();
        self.running.insert(number, Running { params, n_reports: done, ..Running::default() });
        match self.workers.iter_mut().find(|worker| worker.is_none()) {
            Some(worker) => *worker = Some(number),
            None => self.workers.push(Some(number)),
        }
    }

    fn reported(&mut self, number: u64, step: i64, value: f64) {
        let metric = self.metric;
        self.n_reports += 1;
        if let Some(running) = self.running.get_mut(&number) {
            running.curve.push(step as f64 + 1.0, value);
            running.n_reports += 1;
            running.best = Some(running.best.map_or(value, |best| metric.better(best, value)));
        }
    }

    fn ended(&mut self, number: u64, state: State, value: Option<f64>, reason: Option<&str>) {
        let running = self.free_worker(number);
        match state {
            State::Complete => self.n_complete += 1,
            State::Pruned => self.n_pruned += 1,
            _ => self.n_failed += 1,
        }
        let why = match (reason, state) {
            (Some(reason), _) => reason.to_owned(),
            (None, State::Pruned) => format!("pruned by {}", self.pruner),
            _ => String::new(),
        };
        let n_reports = running.as_ref().map_or(0, |running| running.n_reports);
        self.ended.push_front(Ended { number, state, value, n_reports, why });
        self.ended.truncate(N_ENDED);
        // Of equal values, that of the lower number counts, whichever ended first.
        let metric = self.metric;
        let is_better = |best: &Best, value| {
            metric.is_better(value, best.value) || (value == best.value && number < best.number)
        };
        let value = value.filter(|_| state == State::Complete);
        if let Some(value) =
            value.filter(|value| self.best.as_ref().is_none_or(|best| is_better(best, *value)))
        {
            let curve = running.map(|running| running.curve).unwrap_or_default();
            self.best = Some(Best { number, value, curve });
        }
    }

    /// Removes a trial from its worker.
    fn free_worker(&mut self, number: u64) -> Option<Running> {
        self.workers.iter_mut().filter(|worker| **worker == Some(number)).for_each(|worker| *worker = None);
        self.running.remove(&number)
    }
}
