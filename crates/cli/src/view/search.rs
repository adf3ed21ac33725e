//! A study as log lines: one for each ended trial, with the study's progress.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use headsmith::metrics::Metric;
use headsmith::study::{State, StudyEvent, Trial, best_trial};
use headsmith::tune::direction_of;

use super::lines::{counted, one_line};
use super::pace::Pace;

/// The progress of a study.
#[derive(Debug)]
pub(crate) struct Search {
    pace: Pace,
    n_finished: usize,
    /// The metric that is a trial's value.
    metric: Metric,
    n_pruned: usize,
    /// The number of epochs trained here.
    n_epochs: usize,
    /// Whether the head has epochs.
    has_epochs: bool,
    /// The best trial's value and number.
    best: Option<(f64, u64)>,
    running: BTreeMap<u64, Running>,
    started: Instant,
}

/// A trial that runs here.
#[derive(Debug)]
struct Running {
    began: Instant,
    n_epochs: usize,
    last: Option<f64>,
}

impl Search {
    /// A study that begins, or resumes, with these trials.
    pub(crate) fn new(metric: Metric, pace: Pace, trials: &[Arc<Trial>]) -> Search {
        let best = best_trial(direction_of(metric), trials);
        Search {
            pace,
            metric,
            n_finished: pace.at_start,
            n_pruned: trials.iter().filter(|trial| trial.state == State::Pruned).count(),
            n_epochs: 0,
            has_epochs: true,
            best: best.and_then(|best| Some((best.value?, best.number))),
            running: BTreeMap::new(),
            started: Instant::now(),
        }
    }

    /// The same for a head with or without epochs.
    pub(crate) fn with_epochs(self, has_epochs: bool) -> Search {
        Search { has_epochs, ..self }
    }

    /// The number of its ended trials.
    pub(crate) fn n_finished(&self) -> usize {
        self.n_finished
    }

    /// Applies an event of a trial; returns the line of an ended one.
    pub(crate) fn apply(&mut self, event: &StudyEvent, now: Instant) -> Option<String> {
        match event {
            StudyEvent::Began { number, done, .. } => {
                self.running.insert(*number, Running { began: now, n_epochs: *done, last: None });
            }
            StudyEvent::Reported { number, value, .. } => {
                self.n_epochs += 1;
                if let Some(trial) = self.running.get_mut(number) {
                    (trial.n_epochs, trial.last) = (trial.n_epochs + 1, Some(*value));
                }
            }
            StudyEvent::Ended { number, state, value, reason } => {
                self.count(*number, *state, *value);
                let state = match state {
                    State::Complete => "complete",
                    State::Pruned => "pruned",
                    _ => "failed",
                };
                return Some(self.over(*number, state, *value, reason.as_deref(), now));
            }
            StudyEvent::Released { number } => {
                return Some(self.over(*number, "interrupted", None, None, now));
            }
            // This has its own warning.
            StudyEvent::Lost { number } => drop(self.running.remove(number)),
            _ => (),
        }
        None
    }

    fn count(&mut self, number: u64, state: State, value: Option<f64>) {
        self.n_finished += 1;
        self.n_pruned += usize::from(state == State::Pruned);
        let value = value.filter(|_| state == State::Complete);
        // The first of equal values counts, as in the study's report.
        let is_better = |value| {
            self.best.is_none_or(|(best, trial)| {
                self.metric.is_better(value, best) || (value == best && number < trial)
            })
        };
        if let Some(value) = value.filter(|value| is_better(*value)) {
            self.best = Some((value, number));
        }
    }

    /// The line of an ended trial, in columns aligned with the other lines.
    fn over(
        &mut self,
        number: u64,
        state: &str,
        value: Option<f64>,
        reason: Option<&str>,
        now: Instant,
    ) -> String {
        let trial = self.running.remove(&number);
        let last = trial.as_ref().and_then(|trial| trial.last);
        let score = value.or(last).map_or("-".to_owned(), |value| format!("{value:.4}"));
        let (n_epochs, seconds) =
            trial.map_or((0, 0.0), |trial| (trial.n_epochs, (now - trial.began).as_secs_f64()));
        let epochs = match self.has_epochs {
            true => {
                format!("  {:>10}", format!("{n_epochs} {}", if n_epochs == 1 { "epoch " } else { "epochs" }))
            }
            false => String::new(),
        };
        let digits = |n: u64| n.to_string().len();
        let n_trials = self.pace.n_trials;
        let width = n_trials.map_or(1, |n| digits(n.saturating_sub(1)));
        let done = format!("{:>1$} done", self.done(), n_trials.map_or(0, |n| 2 * digits(n) + 1));
        let left = self.left(now);
        let so_far: Vec<String> =
            [done, self.best_so_far(), left].into_iter().filter(|s| !s.is_empty()).collect();
        // One line, whatever the message contains.
        let why = reason.map_or(String::new(), |reason| format!(": {}", one_line(reason)));
        format!(
            "trial {number:>width$}  {state:<11}  {score:>6}{epochs}  {seconds:>6.1} s  {}{why}",
            so_far.join(", ")
        )
    }

    /// The study's progress as text.
    pub(crate) fn so_far(&self, now: Instant) -> String {
        let parts = [
            self.best_so_far(),
            format!("{} pruned", self.n_pruned),
            if self.has_epochs { counted(self.n_epochs, "epoch") } else { String::new() },
            self.left(now),
        ];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// The number of ended and of all trials.
    pub(crate) fn done(&self) -> String {
        let of = self.pace.n_trials.map_or(String::new(), |n| format!("/{n}"));
        format!("{}{of}", self.n_finished)
    }

    fn best_so_far(&self) -> String {
        match self.best {
            Some((best, trial)) => format!("best {best:.4} (trial {trial})"),
            None => "none complete yet".to_owned(),
        }
    }

    fn left(&self, now: Instant) -> String {
        self.pace.left(now - self.started, self.n_finished)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn began(number: u64, done: usize) -> StudyEvent {
        StudyEvent::Began { number, params: BTreeMap::new(), done }
    }

    fn ended(number: u64, state: State, value: Option<f64>, reason: Option<&str>) -> StudyEvent {
        StudyEvent::Ended { number, state, value, reason: reason.map(str::to_owned) }
    }

    /// The lines of a study whose events come a second apart.
    fn lines(n_trials: Option<u64>, events: &[StudyEvent]) -> Vec<String> {
        let pace = Pace { n_trials, timeout: None, at_start: 0 };
        lines_of(Search::new(Metric::default(), pace, &[]), events)
    }

    fn lines_of(mut search: Search, events: &[StudyEvent]) -> Vec<String> {
        let at = |i: usize| search.started + Duration::from_secs(i as u64);
        let times: Vec<Instant> = (0..events.len()).map(at).collect();
        events.iter().zip(times).filter_map(|(event, now)| search.apply(event, now)).collect()
    }

    #[test]
    fn trials_of_a_head_without_epochs_count_none() {
        let pace = Pace { n_trials: Some(2), timeout: None, at_start: 0 };
        let mut search = Search::new(Metric::default(), pace, &[]).with_epochs(false);
        let start = search.started;
        let reported = StudyEvent::Reported { number: 0, step: 0, value: 0.5 };
        for event in [began(0, 0), reported] {
            assert_eq!(search.apply(&event, start), None);
        }
        let line = search.apply(&ended(0, State::Complete, Some(0.5), None), start).unwrap();
        assert!(line.starts_with("trial 0  complete     0.5000     0.0 s  1/2 done"), "{line}");
        assert!(!search.so_far(start).contains("epoch"));
    }

    #[test]
    fn each_trial_that_is_over_is_one_line() {
        let reported = |number, step, value| StudyEvent::Reported { number, step, value };
        let events = [
            began(0, 0),
            reported(0, 0, 0.5),
            reported(0, 1, 0.61239),
            began(1, 4),
            reported(1, 4, 0.4),
            ended(0, State::Complete, Some(0.61239), None),
            ended(1, State::Pruned, Some(0.4), Some("pruned by hand")),
            began(2, 0),
            ended(2, State::Fail, None, Some("it diverged\nat once")),
            began(3, 0),
            began(10, 0),
            reported(10, 0, 0.3),
            StudyEvent::Released { number: 10 },
            ended(3, State::Complete, Some(0.61239), None),
            StudyEvent::Lost { number: 7 },
        ];
        let expected = [
            "trial  0  complete     0.6124    2 epochs     5.0 s   1/11 done, best 0.6124 (trial 0), about 50 s left",
            "trial  1  pruned       0.4000    5 epochs     3.0 s   2/11 done, best 0.6124 (trial 0), about 27 s left: pruned by hand",
            "trial  2  failed            -    0 epochs     1.0 s   3/11 done, best 0.6124 (trial 0), about 21 s left: it diverged at once",
            "trial 10  interrupted  0.3000    1 epoch      2.0 s   3/11 done, best 0.6124 (trial 0), about 32 s left",
            "trial  3  complete     0.6124    0 epochs     4.0 s   4/11 done, best 0.6124 (trial 0), about 23 s left",
        ];
        assert_eq!(lines(Some(11), &events), expected);
    }

    #[test]
    fn a_study_without_an_end_has_no_time_left() {
        let events = [began(0, 0), ended(0, State::Pruned, Some(0.25), None)];
        let expected = "trial 0  pruned       0.2500    0 epochs     1.0 s  1 done, none complete yet";
        assert_eq!(lines(None, &events), [expected]);
    }

    #[test]
    fn of_equals_the_first_is_the_best() {
        let events = [ended(4, State::Complete, Some(0.5), None), ended(2, State::Complete, Some(0.5), None)];
        assert!(lines(None, &events)[1].ends_with("2 done, best 0.5000 (trial 2)"));
    }

    #[test]
    fn the_best_is_that_of_the_metric_and_the_timeout_is_an_end() {
        let pace = Pace { n_trials: Some(100), timeout: Some(Duration::from_secs(20)), at_start: 1 };
        let first = Trial { state: State::Complete, value: Some(0.4), ..Trial::default() };
        let search = Search::new(Metric::LogLoss, pace, &[Arc::new(first)]);
        let events = [1, 2].map(|n| ended(n, State::Complete, Some(0.5 - 0.2 * (n - 1) as f64), None));
        let lines = lines_of(search, &events);
        assert!(lines[0].ends_with("2/100 done, best 0.4000 (trial 0), under 1 s left"), "{lines:?}");
        assert!(lines[1].ends_with("3/100 done, best 0.3000 (trial 2), at most 19 s left"), "{lines:?}");
    }
}
