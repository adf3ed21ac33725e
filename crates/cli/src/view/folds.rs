//! A cross-validation as a table.

use std::fmt::Write;

use headsmith::folds::{FoldScores, FoldsReport};
use headsmith::metrics::Metric;

use super::text::{beside, grid, interval_text, plain};
use crate::view::lines::counted;

/// The names of [`FoldScores::NAMES`] as tables have them.
const NAMES: [&str; 8] = [
    "weighted F1",
    "accuracy",
    "balanced accuracy",
    "macro F1",
    "log loss",
    "Brier score",
    "Matthews correlation",
    "calibration error",
];

/// The scores of all rows and of the folds.
pub(crate) fn table(report: &FoldsReport, metric: Metric) -> String {
    let all = &report.out_of_fold;
    let intervals = all.intervals.as_ref().map(|i| {
        [i.weighted_f1, i.accuracy, i.balanced_accuracy, i.macro_f1, i.log_loss, i.brier, i.mcc, i.ece]
    });
    let values = FoldScores::of(&all.scores).values();
    let (mean, std) = (report.mean.values(), report.std.values());
    let mut table = grid(&["score", "all rows", "95 % interval", "mean of folds", "std"]);
    for (i, name) in NAMES.iter().enumerate() {
        table.add_row(vec![
            (*name).to_owned(),
            format!("{:.4}", values[i]),
            interval_text(intervals.map(|intervals| intervals[i])),
            format!("{:.4}", mean[i]),
            format!("{:.4}", std[i]),
        ]);
    }
    let groups = report.groups.as_ref().map_or(String::new(), |groups| {
        format!(", {} by \"{}\"", counted(groups.n_groups, "group"), plain(&groups.column))
    });
    let rows = counted(all.scores.n_samples, "row");
    let mut text = format!(
        "\ncross-validation of {rows}: {} folds, stratified{groups}, seed {}\n\n{table}\n\n{}\n",
        report.n_folds,
        report.seed,
        folds(report, metric)
    );
    let _ = writeln!(text, "  {}", report.note);
    text
}

fn folds(report: &FoldsReport, metric: Metric) -> String {
    let has_epochs = report.folds.iter().any(|fold| fold.best_epoch.is_some());
    let mut header = vec!["fold", "rows", "trained on"];
    header.extend(has_epochs.then_some("chose epoch"));
    let shown = beside(metric);
    header.extend(shown.map(Metric::label));
    header.extend(has_epochs.then_some("epochs"));
    header.push("fit s");
    let mut table = grid(&header);
    for fold in &report.folds {
        let mut row = vec![fold.fold.to_string(), fold.n_samples.to_string(), fold.n_train.to_string()];
        row.extend(has_epochs.then(|| fold.n_val.to_string()));
        row.extend(shown.map(|metric| format!("{:.4}", fold.scores.get(metric))));
        row.extend(fold.best_epoch.map(|best| format!("{} of {}", best + 1, fold.epochs)));
        row.push(format!("{:.2}", fold.fit_seconds));
        table.add_row(row);
    }
    format!("{table}\n")
}
