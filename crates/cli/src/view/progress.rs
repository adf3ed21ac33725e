//! Progress on standard error: a bar with the time left on a terminal, plain lines elsewhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headsmith::heads::{EpochRecord, Event};
use headsmith::study::{Direction, State, StudyEvent, Trial, best_trial};
use headsmith::{Progress, View};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::{self, time_left};
pub(crate) use super::lines::{counted, severity_word};
use crate::view;

/// How often a plain line tells how far a fit is, at most.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// The view on standard error.
pub(crate) struct StderrView {
    quiet: bool,
    bar: ProgressBar,
    plain: bool,
    muted: bool,
    head: &'static str,
    unit: &'static str,
    total: usize,
    started: Instant,
    last_line: Instant,
    best: Option<f64>,
    search: Search,
}

/// How far a study is.
#[derive(Default)]
struct Search {
    n_finished: usize,
    /// Trials that were finished when it began here.
    at_start: usize,
    n_pruned: usize,
    n_epochs: usize,
    best_trial: Option<u64>,
}

impl StderrView {
    /// A view that shows everything, or warnings alone when `quiet`.
    pub(crate) fn new(quiet: bool) -> StderrView {
        let plain = !std::io::IsTerminal::is_terminal(&std::io::stderr());
        let now = Instant::now();
        StderrView {
            quiet,
            bar: ProgressBar::hidden(),
            plain,
            muted: false,
            head: "",
            unit: "",
            total: 0,
            started: now,
            last_line: now,
            best: None,
            search: Search::default(),
        }
    }

    /// The same in plain lines, also on a terminal.
    pub(crate) fn in_lines() -> StderrView {
        StderrView { plain: true, ..StderrView::new(false) }
    }

    /// Says nothing, while another view has the screen.
    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Prints a line above the bar.
    fn say(&self, text: &str) {
        if !self.muted {
            self.bar.suspend(|| view::say(text));
        }
    }

    fn started(&mut self, total: usize, unit: &'static str) {
        let now = Instant::now();
        (self.total, self.unit, self.started, self.last_line, self.best) = (total, unit, now, now, None);
        if !self.quiet && !self.plain {
            self.bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            let template = format!("  {{bar:24}} {{pos}}/{{len}} {unit}s, {{msg}}");
            if let Ok(style) = ProgressStyle::with_template(&template) {
                self.bar.set_style(style);
            }
        }
    }

    /// Shows that `done` steps are over, with the time left and `what` else there is to say.
    fn step(&mut self, done: usize, what: &str) {
        let left = time_left(self.started.elapsed(), done, self.total);
        let message = [what, &left].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(", ");
        if self.plain && self.last_line.elapsed() >= PLAIN_EVERY {
            self.last_line = Instant::now();
            self.line(&format!("{}: {done}/{} {}s, {message}", self.head, self.total, self.unit));
        }
        self.bar.set_position(done as u64);
        self.bar.set_message(message);
    }

    fn epoch(&mut self, record: &EpochRecord) {
        let Some(val) = record.val else {
            return self.step(record.epoch + 1, &format!("loss {:.4}", record.train.loss));
        };
        let best = self.best.map_or(val.weighted_f1, |best| best.max(val.weighted_f1));
        self.best = Some(best);
        let loss = record.train.loss;
        self.step(
            record.epoch + 1,
            &format!("loss {loss:.4}, val weighted F1 {:.4} (best {best:.4})", val.weighted_f1),
        );
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Started { total, unit } => self.started(*total, unit),
            Event::Epoch(record) => self.epoch(record),
            Event::Trees { done, .. } => self.step(*done, ""),
            _ => {}
        }
    }

    fn searching(&mut self, n_trials: Option<u64>, n_finished: usize, trials: &[Arc<Trial>]) {
        self.head = "study";
        let best = best_trial(Direction::Maximize, trials);
        self.search = Search {
            n_finished,
            at_start: n_finished,
            n_pruned: trials.iter().filter(|trial| trial.state == State::Pruned).count(),
            n_epochs: 0,
            best_trial: best.map(|best| best.number),
        };
        self.started(n_trials.map_or(0, |n| n as usize), "trial");
        self.best = best.and_then(|best| best.value);
        self.bar.set_position(n_finished as u64);
    }

    fn trial(&mut self, event: &StudyEvent) {
        match event {
            StudyEvent::Ended { number, state, value, .. } => {
                let search = &mut self.search;
                search.n_finished += 1;
                search.n_pruned += usize::from(*state == State::Pruned);
                if *state == State::Complete
                    && value.is_some_and(|value| self.best.is_none_or(|best| value > best))
                {
                    self.best = *value;
                    search.best_trial = Some(*number);
                }
                self.searched_so_far();
            }
            StudyEvent::Reported { .. } => {
                self.search.n_epochs += 1;
                if self.plain {
                    self.searched_so_far();
                }
            }
            _ => {}
        }
    }

    fn searched_so_far(&mut self) {
        let search = &self.search;
        let best = match (self.best, search.best_trial) {
            (Some(best), Some(trial)) => format!("best {best:.4} (trial {trial})"),
            _ => "none complete yet".to_owned(),
        };
        let what = format!("{best}, {} pruned, {}", search.n_pruned, counted(search.n_epochs, "epoch"));
        let done = search.n_finished - search.at_start;
        let left = match self.total {
            0 => String::new(),
            total => time_left(self.started.elapsed(), done, total.saturating_sub(search.at_start)),
        };
        let message = [what, left].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(", ");
        if self.plain && self.last_line.elapsed() >= PLAIN_EVERY {
            self.last_line = Instant::now();
            let of = if self.total > 0 { format!("/{}", self.total) } else { String::new() };
            self.line(&format!("study: {}{of} trials, {message}", search.n_finished));
        }
        self.bar.set_position(search.n_finished as u64);
        self.bar.set_message(message);
    }

    fn end_bar(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }
}

impl View for StderrView {
    fn see(&mut self, progress: &Progress<'_>) {
        if let Progress::Fitted(_) | Progress::Searched = progress {
            self.end_bar();
        }
        match lines::told(progress) {
            Some(told) if told.always => self.say(&told.text),
            Some(told) => self.line(&told.text),
            None => (),
        }
        match progress {
            Progress::Fitting { head, .. } => self.head = head,
            Progress::Fit(event) => self.event(event),
            Progress::Searching { n_trials, n_finished, trials, .. } => {
                self.searching(*n_trials, *n_finished, trials);
            }
            Progress::Trial(event) => self.trial(event),
            _ => {}
        }
    }
}
