//! Progress on standard error: a bar with the time left on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use headsmith::heads::description::thousands;
use headsmith::heads::{EpochRecord, Event};
use headsmith::metrics::Metric;
use headsmith::study::StudyEvent;
use headsmith::{Progress, View};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::{LogLine, LogLines, time_left};
pub(crate) use super::lines::{counted, severity_word};
use super::pace::Pace;
use super::search::Search;
use crate::view;

/// The minimum time between two plain lines about the progress of a fit or a study.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// The view on standard error.
pub(crate) struct StderrView {
    quiet: bool,
    bar: ProgressBar,
    plain: bool,
    muted: bool,
    lines: LogLines,
    /// The head that is fitted; in a search with its fold.
    head: String,
    metric: Metric,
    unit: &'static str,
    total: usize,
    started: Instant,
    last_line: Instant,
    best: Option<f64>,
    search: Option<Search>,
}

impl StderrView {
    /// A view that shows everything, or only warnings if `quiet`.
    pub(crate) fn new(quiet: bool) -> StderrView {
        let plain = !std::io::IsTerminal::is_terminal(&std::io::stderr());
        let now = Instant::now();
        StderrView {
            quiet,
            bar: ProgressBar::hidden(),
            plain,
            muted: false,
            lines: LogLines::default(),
            head: String::new(),
            metric: Metric::default(),
            unit: "",
            total: 0,
            started: now,
            last_line: now,
            best: None,
            search: None,
        }
    }

    /// The same with plain lines, even on a terminal.
    pub(crate) fn in_lines() -> StderrView {
        StderrView { plain: true, ..StderrView::new(false) }
    }

    /// Prints nothing while another view has the screen.
    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            self.print_line(text);
        }
    }

    /// Prints a line above the bar.
    fn print_line(&self, text: &str) {
        if !self.muted {
            self.bar.suspend(|| view::print_message(text));
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

    /// Shows that `done` steps are finished, with the time left and `what`.
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
        let (metric, value) = (self.metric, val.get(self.metric));
        let best = self.best.map_or(value, |best| metric.better(best, value));
        self.best = Some(best);
        let loss = record.train.loss;
        self.step(record.epoch + 1, &format!("loss {loss:.4}, val {metric} {value:.4} (best {best:.4})"));
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Started { total, unit } => self.started(*total, unit),
            Event::Epoch(record) => self.epoch(record),
            Event::Steps { done, .. } => self.step(*done, ""),
            _ => {}
        }
    }

    fn searching(&mut self, search: Search, n_trials: Option<u64>) {
        self.started(n_trials.map_or(0, |n| n as usize), "trial");
        self.bar.set_position(search.n_finished() as u64);
        self.search = Some(search);
    }

    fn trial(&mut self, event: &StudyEvent) {
        let now = Instant::now();
        let Some(search) = &mut self.search else { return };
        match search.apply(event, now) {
            Some(line) if self.plain => {
                self.last_line = now;
                self.line(&line);
            }
            _ => self.searched_so_far(now),
        }
    }

    fn searched_so_far(&mut self, now: Instant) {
        let Some(search) = &self.search else { return };
        let is_due = self.plain && now - self.last_line >= PLAIN_EVERY;
        if is_due {
            self.line(&format!("study: {} trials, {}", search.done(), search.so_far(now)));
            self.last_line = now;
        } else if !self.plain {
            self.bar.set_position(search.n_finished() as u64);
            self.bar.set_message(search.so_far(now));
        }
    }

    /// Reports the rows so far, less and less often.
    fn predicted(&mut self, n_rows: usize) {
        let (elapsed, since) = (self.started.elapsed(), self.last_line.elapsed());
        if since >= PLAIN_EVERY.max(elapsed / 10) {
            self.last_line = Instant::now();
            let per_second = thousands((n_rows as f64 / elapsed.as_secs_f64()) as usize);
            self.line(&format!("predicted {} rows, {per_second} rows/s", thousands(n_rows)));
        }
    }

    /// The line of `progress` beside the bar. In plain mode, an ended trial has its own line.
    fn log_line_of(&mut self, progress: &Progress<'_>) -> Option<LogLine> {
        match progress {
            Progress::Trial(StudyEvent::Ended { .. }) if self.plain => None,
            other => self.lines.line(other),
        }
    }

    fn end_bar(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }
}

impl View for StderrView {
    fn see(&mut self, progress: &Progress<'_>) {
        if let Progress::Fitted(_) | Progress::Fold { .. } | Progress::Candidate(_) | Progress::Searched =
            progress
        {
            self.end_bar();
        }
        match self.log_line_of(progress) {
            Some(log_line) if log_line.always => self.print_line(&log_line.text),
            Some(log_line) => self.line(&log_line.text),
            None => (),
        }
        match progress {
            Progress::Fitting { head, purpose, metric } => {
                let is_fold = purpose.starts_with("fold ") && self.lines.is_of_candidate(purpose);
                self.head = if is_fold { format!("{head} ({purpose})") } else { (*head).to_owned() };
                self.metric = *metric;
            }
            Progress::Fit(event) => self.event(event),
            Progress::Searching { n_trials, timeout, n_finished, trials, metric, n_steps, .. } => {
                let pace = Pace { n_trials: *n_trials, timeout: *timeout, at_start: *n_finished };
                let search = Search::new(*metric, pace, trials).with_epochs(n_steps.is_some());
                self.searching(search, *n_trials);
            }
            Progress::Trial(event) => self.trial(event),
            Progress::Predicted { n_rows } => self.predicted(*n_rows),
            _ => {}
        }
    }
}
