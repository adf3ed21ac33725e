//! Progress on standard error: a bar with the time left on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use crate::view;
use headsmith::data::Severity;
use headsmith::heads::event::StopReason;
use headsmith::heads::{EpochRecord, Event};
use headsmith::report::{FitReport, TableReport};
use headsmith::study::{State, StudyEvent};
use headsmith::{Progress, View};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a plain line tells how far a fit is, at most.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// The view on standard error.
pub(crate) struct StderrView {
    quiet: bool,
    bar: ProgressBar,
    plain: bool,
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
            head: "",
            unit: "",
            total: 0,
            started: now,
            last_line: now,
            best: None,
            search: Search::default(),
        }
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Prints a line above the bar.
    fn say(&self, text: &str) {
        self.bar.suspend(|| view::say(text));
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

    fn searching(&mut self, study: &str, n_trials: Option<u64>, n_finished: usize) {
        let goes_on = if n_finished > 0 {
            format!(", going on after {}", counted(n_finished, "trial"))
        } else {
            String::new()
        };
        self.line(&format!("study {study}{goes_on}"));
        self.head = "study";
        self.search = Search { n_finished, at_start: n_finished, ..Search::default() };
        self.started(n_trials.map_or(0, |n| n as usize), "trial");
        self.bar.set_position(n_finished as u64);
    }

    fn trial(&mut self, event: &StudyEvent) {
        match event {
            StudyEvent::Ended { number, state, value, reason } => {
                let search = &mut self.search;
                search.n_finished += 1;
                search.n_pruned += usize::from(*state == State::Pruned);
                if *state == State::Complete
                    && value.is_some_and(|value| self.best.is_none_or(|best| value > best))
                {
                    self.best = *value;
                    search.best_trial = Some(*number);
                }
                if let (State::Fail, Some(reason)) = (state, reason) {
                    self.line(&format!("warning: trial {number} failed: {reason}"));
                }
                self.searched_so_far();
            }
            StudyEvent::Lost { number } => {
                self.say(&format!(
                    "warning: trial {number} was taken up by another worker: this one was not heard of"
                ));
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

    fn searched(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }

    fn fitted(&mut self, report: &FitReport) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
        self.line(&fitted_line(report));
    }
}

impl View for StderrView {
    fn see(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Read(table) => self.line(&read_line(table)),
            // An error comes again as what ends the command.
            Progress::Found(finding) if finding.severity == Severity::Warning => {
                self.say(&format!("warning: {finding}"));
            }
            Progress::Fitting { head, purpose } => {
                self.head = head;
                let purpose = if purpose.is_empty() { String::new() } else { format!(" ({purpose})") };
                self.line(&format!("fitting {head}{purpose}"));
            }
            Progress::Fit(event) => self.event(event),
            Progress::Fitted(report) => self.fitted(report),
            Progress::Searching { study, n_trials, n_finished, .. } => {
                self.searching(study, *n_trials, *n_finished)
            }
            Progress::Trial(event) => self.trial(event),
            Progress::Searched => self.searched(),
            Progress::Wrote(path) => self.line(&format!("wrote {}", path.display())),
            Progress::Warning(text) => self.say(&format!("warning: {text}")),
            Progress::Skipped(what) => self.say(&format!("warning: {what} was skipped")),
            _ => {}
        }
    }
}

/// `error`, `warning` or `note`.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn read_line(table: &TableReport) -> String {
    format!(
        "read {}: {} x {}, {} ({:.2} s)",
        table.path,
        counted(table.n_rows, "row"),
        counted(table.n_features, "feature"),
        table.format,
        table.seconds
    )
}

fn fitted_line(report: &FitReport) -> String {
    let epochs = match report.best_epoch {
        Some(best) if report.val.is_some() => {
            format!(", {} (best: {})", counted(report.epochs, "epoch"), best + 1)
        }
        Some(_) => format!(", {}", counted(report.epochs, "epoch")),
        None => String::new(),
    };
    let why = match report.stopped {
        Some(StopReason::EarlyStopping) => ", stopped early",
        Some(StopReason::Asked) => ", stopped when asked",
        Some(StopReason::Diverged) => ", training diverged after that",
        Some(_) => ", stopped",
        None => "",
    };
    format!("fitted {} in {:.2} s{epochs}{why}", report.head, report.fit_seconds)
}

/// The time left if the steps to come take as long as those done.
fn time_left(elapsed: Duration, done: usize, total: usize) -> String {
    if done == 0 || done >= total {
        return String::new();
    }
    let seconds = elapsed.as_secs_f64() / done as f64 * (total - done) as f64;
    match seconds.round() as u64 {
        0 => "under 1 s left".to_owned(),
        s if s < 100 => format!("{s} s left at most"),
        s => format!("{} min left at most", s.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_in_proportion() {
        let ten = Duration::from_secs(10);
        assert_eq!(time_left(ten, 0, 5), "");
        assert_eq!(time_left(ten, 5, 5), "");
        assert_eq!(time_left(ten, 2, 5), "15 s left at most");
        assert_eq!(time_left(ten, 1, 100), "17 min left at most");
        assert_eq!(time_left(ten, 99, 100), "under 1 s left");
    }
}
