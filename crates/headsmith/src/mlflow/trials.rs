//! A study's trials, each as a child run of the command's run.

use std::collections::BTreeMap;
use std::sync::Arc;

use headsmith_mlflow::{Key, Message, Metric, NewRun, Status, Tracker};
use headsmith_study::{Choice, State, StudyEvent, Trial};

use super::millis;
use crate::curves::{self, EPOCHS, PRUNED, trial_name};
use crate::snapshot::names_of;

/// The trials of a study that run here.
#[derive(Default)]
pub(super) struct Trials {
    study: String,
    /// The metric that is a trial's value.
    value: headsmith_metrics::Metric,
    /// The earlier reports of unfinished trials.
    earlier: BTreeMap<u64, Vec<(i64, f64)>>,
    running: BTreeMap<u64, Running>,
    n_begun: Key,
}

/// A running trial.
struct Running {
    run: Key,
    n_epochs: i64,
}

impl Trials {
    pub(super) fn begin(study: &str, value: headsmith_metrics::Metric, trials: &[Arc<Trial>]) -> Trials {
        let unfinished = trials.iter().filter(|trial| !trial.state.is_finished());
        let reports =
            |trial: &Trial| trial.intermediate.iter().map(|(step, value)| (*step, *value)).collect();
        let earlier = unfinished.map(|trial| (trial.number, reports(trial))).collect();
        Trials { study: study.to_owned(), value, earlier, ..Trials::default() }
    }

    pub(super) fn record(&mut self, event: &StudyEvent, tracker: &Tracker) {
        match event {
            StudyEvent::Began { number, params, done } => self.began(*number, params, *done as i64, tracker),
            StudyEvent::Reported { number, step, value } => {
                if let Some(trial) = self.running.get_mut(number) {
                    trial.n_epochs = step + 1;
                    tracker.send(Message::metrics(
                        trial.run,
                        vec![metric(&curves::of_trial(self.value), *value, *step)],
                    ));
                }
            }
            StudyEvent::Ended { number, state, value, reason } => {
                self.ended(*number, *state, *value, reason.as_deref(), tracker);
            }
            // Another worker may continue it; here it has no result.
            StudyEvent::Lost { number } => self.left(*number, "lost", tracker),
            StudyEvent::Released { number } => self.left(*number, "given back", tracker),
            _ => (),
        }
    }

    /// Ends the trials that are still running, for example after an error.
    pub(super) fn end_all(&mut self, tracker: &Tracker) {
        let numbers: Vec<u64> = self.running.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.left(number, "left", tracker));
    }

    fn began(&mut self, number: u64, params: &BTreeMap<String, Choice>, done: i64, tracker: &Tracker) {
        self.left(number, "left", tracker);
        self.n_begun += 1;
        let run = Tracker::PARENT + self.n_begun;
        let tags = vec![
            ("headsmith.study".to_owned(), self.study.clone()),
            ("headsmith.trial".to_owned(), number.to_string()),
        ];
        let new = NewRun { name: trial_name(number), tags, started: millis() };
        tracker.send(Message::Begin { run, new });
        let params = params.iter().map(|(name, choice)| (name.clone(), choice.to_string())).collect();
        // The curve of a resumed trial includes its earlier reports.
        let earlier = self.earlier.remove(&number).unwrap_or_default().into_iter();
        let curve = curves::of_trial(self.value);
        let metrics =
            earlier.filter(|(step, _)| *step < done).map(|(step, value)| metric(&curve, value, step));
        tracker.send(Message::Log { run, metrics: metrics.collect(), params, tags: Vec::new() });
        self.running.insert(number, Running { run, n_epochs: done });
    }

    fn ended(
        &mut self,
        number: u64,
        state: State,
        value: Option<f64>,
        reason: Option<&str>,
        tracker: &Tracker,
    ) {
        let Some(Running { run, n_epochs }) = self.running.remove(&number) else { return };
        let last = (n_epochs - 1).max(0);
        let pruned = f64::from(u8::from(state == State::Pruned));
        let mut metrics = vec![metric(EPOCHS, n_epochs as f64, last), metric(PRUNED, pruned, last)];
        metrics.extend(value.map(|value| metric(self.value.name(), value, last)));
        let mut tags = vec![("headsmith.state".to_owned(), names_of(state)[0].to_owned())];
        tags.extend(reason.map(|reason| ("headsmith.reason".to_owned(), reason.to_owned())));
        tracker.send(Message::Log { run, metrics, params: Vec::new(), tags });
        let status = match state {
            State::Complete => Status::Finished,
            State::Fail => Status::Failed,
            State::Pruned | State::Running | State::Waiting => Status::Killed,
        };
        tracker.send(Message::End { run, status, time: millis() });
    }

    /// The trial did not finish here.
    fn left(&mut self, number: u64, how: &str, tracker: &Tracker) {
        let Some(Running { run, .. }) = self.running.remove(&number) else { return };
        tracker.send(Message::tags(run, vec![("headsmith.state".to_owned(), how.to_owned())]));
        tracker.send(Message::End { run, status: Status::Killed, time: millis() });
    }
}

fn metric(key: &str, value: f64, step: i64) -> Metric {
    Metric { key: key.to_owned(), value, step, time: millis() }
}
