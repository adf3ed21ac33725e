//! The text of the steps of a run: one line each, the same in every view.

use std::time::Duration;

use headsmith::Progress;
use headsmith::data::Severity;
use headsmith::heads::event::StopReason;
use headsmith::metrics::Metric;
use headsmith::report::{CandidateReport, FitReport, FoldReport, Split, TableReport};
use headsmith::study::{State, StudyEvent};

use super::pace::worded;

/// A line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    /// Its text.
    pub(crate) text: String,
    /// Whether it is shown even with `--quiet`.
    pub(crate) always: bool,
}

impl LogLine {
    /// A line of progress.
    pub(crate) fn progress(text: String) -> LogLine {
        LogLine { text, always: false }
    }

    /// A warning, which is always shown.
    pub(crate) fn warning(text: &str) -> LogLine {
        LogLine { text: format!("warning: {text}"), always: true }
    }
}

/// The lines of a run, without those of the fits of a search's candidates: each candidate has its own.
#[derive(Debug, Default)]
pub(crate) struct LogLines {
    /// The metric of a search, from its first fit on.
    search: Option<Metric>,
    metric: Metric,
}

impl LogLines {
    /// The line of `progress`; `None` for steps that are only counted.
    pub(crate) fn line(&mut self, progress: &Progress<'_>) -> Option<LogLine> {
        match progress {
            Progress::Fitting { purpose, metric, .. } => {
                self.metric = *metric;
                if *purpose == "candidate" {
                    self.search = Some(*metric);
                }
                if self.is_of_candidate(purpose) { None } else { log_line(progress) }
            }
            Progress::Fold { .. } if self.search.is_some() => None,
            Progress::Candidate(report) => {
                let metric = *self.search.get_or_insert(self.metric);
                Some(LogLine::progress(candidate(report, metric)))
            }
            other => log_line(other),
        }
    }

    /// Whether a fit for `purpose` is one of a candidate.
    pub(crate) fn is_of_candidate(&self, purpose: &str) -> bool {
        self.search.is_some() && (purpose == "candidate" || purpose.starts_with("fold "))
    }
}

/// The line of `progress`; `None` for steps that are only counted.
fn log_line(progress: &Progress<'_>) -> Option<LogLine> {
    Some(match progress {
        Progress::Read(table) => LogLine::progress(read(table)),
        Progress::Split(split) => LogLine::progress(split_line(split)),
        // An error ends the command, which prints it.
        Progress::Found(finding) if finding.severity == Severity::Warning => {
            LogLine::warning(&finding.to_string())
        }
        Progress::Fitting { head, purpose: "", .. } => LogLine::progress(format!("fitting {head}")),
        Progress::Fitting { head, purpose, .. } => LogLine::progress(format!("fitting {head} ({purpose})")),
        Progress::Resuming(folder) => {
            LogLine::progress(format!("resuming with the candidates in {}", folder.display()))
        }
        Progress::Fold { fold, n_folds, metric } => LogLine::progress(fold_line(fold, *n_folds, *metric)),
        Progress::Fitted(report) => LogLine::progress(fitted(report)),
        Progress::Searching { study, metric, n_finished, .. } => {
            let resuming = match n_finished {
                0 => String::new(),
                n => format!(", resuming after {}", counted(*n, "trial")),
            };
            LogLine::progress(format!("study {study} ({metric}){resuming}"))
        }
        Progress::Trial(StudyEvent::Ended { number, state: State::Fail, reason: Some(reason), .. }) => {
            LogLine::warning(&format!("trial {number} failed: {reason}"))
        }
        Progress::Trial(StudyEvent::Lost { number }) => LogLine::warning(&format!(
            "trial {number} was claimed by another worker, because this one missed its heartbeats"
        )),
        Progress::Wrote(path) => LogLine::progress(format!("wrote {}", path.display())),
        Progress::Warning(text) => LogLine::warning(text),
        Progress::Skipped(what) => LogLine::warning(&format!("{what} was skipped")),
        _ => return None,
    })
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

fn read(table: &TableReport) -> String {
    format!(
        "read {}: {} x {}, {} ({:.2} s)",
        table.path,
        counted(table.n_rows, "row"),
        counted(table.n_features, "feature"),
        table.format,
        table.seconds
    )
}

fn split_line(split: &Split) -> String {
    let n_rows = split.n_val + split.n_train;
    // Groups are large, so the share is only approximate.
    let (share, groups) = match &split.groups {
        None => (split.share, String::new()),
        Some(groups) => (
            split.n_val as f64 / n_rows as f64,
            format!(", {} of {} by \"{}\"", groups.n_val, counted(groups.n_groups, "group"), groups.column),
        ),
    };
    format!(
        "no --val: {} of {n_rows} training rows ({} %, stratified{groups}, seed {}) are the validation rows",
        split.n_val,
        (1000.0 * share).round() / 10.0,
        split.seed
    )
}

fn fold_line(fold: &FoldReport, n_folds: usize, metric: Metric) -> String {
    let epochs = fold
        .best_epoch
        .map_or(String::new(), |best| format!(", {} (best: {})", counted(fold.epochs, "epoch"), best + 1));
    format!(
        "fold {} of {n_folds}: {metric} {:.4} on {}, fitted in {:.2} s{epochs}",
        fold.fold,
        fold.scores.get(metric),
        counted(fold.n_samples, "row"),
        fold.fit_seconds
    )
}

/// `kernel: weighted F1 0.6412, log loss 0.8071 out of fold (12.3 s, at 15.1 s)`
fn candidate(report: &CandidateReport, metric: Metric) -> String {
    let CandidateReport { head, score, log_loss, seconds, at_seconds, .. } = report;
    let score = match metric {
        Metric::LogLoss => String::new(),
        _ => format!("{metric} {score:.4}, "),
    };
    format!("{head}: {score}log loss {log_loss:.4} out of fold ({seconds:.1} s, at {at_seconds:.1} s)")
}

fn fitted(report: &FitReport) -> String {
    let epochs = match report.best_epoch {
        Some(best) if report.val.is_some() => {
            format!(", {} (best: {})", counted(report.epochs, "epoch"), best + 1)
        }
        Some(_) => format!(", {}", counted(report.epochs, "epoch")),
        None => String::new(),
    };
    let why = match report.stopped {
        Some(StopReason::EarlyStopping) => ", stopped early",
        Some(StopReason::Asked) => ", stopped on request",
        Some(StopReason::Diverged) => ", then diverged",
        Some(_) => ", stopped",
        None => "",
    };
    let calibrated =
        report.calibration_seconds.map_or(String::new(), |s| format!(", calibrated in {s:.2} s"));
    format!("fitted {} in {:.2} s{epochs}{calibrated}{why}", report.head, report.fit_seconds)
}

/// External text for a terminal: without control characters.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The time left if the remaining steps take as long as the finished ones.
pub(crate) fn time_left(elapsed: Duration, done: usize, total: usize) -> String {
    if done == 0 || done >= total {
        return String::new();
    }
    let left = elapsed.div_f64(done as f64).mul_f64((total - done) as f64);
    worded(left, |time| format!("{time} left at most"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_has_one_line() {
        let mut lines = LogLines::default();
        let mut text = |progress: &Progress<'_>| lines.line(progress).map(|line| line.text);
        let fitting = |head, purpose| Progress::Fitting { head, purpose, metric: Metric::Accuracy };
        let report = CandidateReport {
            head: "kernel".to_owned(),
            score: 0.64123,
            log_loss: 0.8071,
            seconds: 12.34,
            at_seconds: 15.1,
            ..CandidateReport::default()
        };
        // Folds of a cross-validation have their lines.
        assert_eq!(text(&fitting("mlp", "fold 1 of 5")).unwrap(), "fitting mlp (fold 1 of 5)");
        assert_eq!(text(&fitting("kernel", "candidate")), None);
        let expected = "kernel: accuracy 0.6412, log loss 0.8071 out of fold (12.3 s, at 15.1 s)";
        assert_eq!(text(&Progress::Candidate(&report)).unwrap(), expected);
        assert_eq!(text(&fitting("mlp", "fold 1 of 5")), None);
        assert_eq!(text(&fitting("kernel", "all rows")).unwrap(), "fitting kernel (all rows)");
    }

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
