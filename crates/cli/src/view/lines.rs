//! The text of the steps of a run: one line each, the same in every view.

use std::time::Duration;

use headsmith::Progress;
use headsmith::data::Severity;
use headsmith::heads::event::StopReason;
use headsmith::metrics::Metric;
use headsmith::report::{FitReport, FoldReport, Split, TableReport};
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

/// The line of `progress`; `None` for steps that are only counted.
pub(crate) fn log_line(progress: &Progress<'_>) -> Option<LogLine> {
    Some(match progress {
        Progress::Read(table) => LogLine::progress(read(table)),
        Progress::Split(split) => LogLine::progress(split_line(split)),
        // An error ends the command, which prints it.
        Progress::Found(finding) if finding.severity == Severity::Warning => {
            LogLine::warning(&finding.to_string())
        }
        Progress::Fitting { head, purpose: "", .. } => LogLine::progress(format!("fitting {head}")),
        Progress::Fitting { head, purpose, .. } => LogLine::progress(format!("fitting {head} ({purpose})")),
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
            LogLine::progress(format!("warning: trial {number} failed: {reason}"))
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
    format!("fitted {} in {:.2} s{epochs}{why}", report.head, report.fit_seconds)
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
    fn time_left_is_in_proportion() {
        let ten = Duration::from_secs(10);
        assert_eq!(time_left(ten, 0, 5), "");
        assert_eq!(time_left(ten, 5, 5), "");
        assert_eq!(time_left(ten, 2, 5), "15 s left at most");
        assert_eq!(time_left(ten, 1, 100), "17 min left at most");
        assert_eq!(time_left(ten, 99, 100), "under 1 s left");
    }
}
