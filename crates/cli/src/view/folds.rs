//! A cross-validation as a table.

use std::fmt::Write;

use headsmith::metrics::Metric;
use headsmith::metrics::bootstrap::{Interval, Intervals};
use headsmith::report::{FoldScores, FoldsReport};

use super::text::{beside, grid, interval_text, plain};
use crate::view::lines::counted;

/// The scores of all rows and of the folds.
pub(crate) fn table(report: &FoldsReport, metric: Metric) -> String {
    let all = &report.out_of_fold;
    let (values, intervals) = (FoldScores::of(&all.scores), all.intervals.as_ref());
    let mut table = grid(&["score", "all rows", "95 % interval", "mean of folds", "std"]);
    let mut add =
        |name: &str, score: &dyn Fn(&FoldScores) -> f64, interval: &dyn Fn(&Intervals) -> Interval| {
            table.add_row(vec![
                name.to_owned(),
                format!("{:.4}", score(&values)),
                interval_text(intervals.map(interval)),
                format!("{:.4}", score(&report.mean)),
                format!("{:.4}", score(&report.std)),
            ]);
        };
    let of_metric = |metric: Metric| {
        (
            move |scores: &FoldScores| scores.get(metric),
            move |intervals: &Intervals| metric.interval(intervals),
        )
    };
    for metric in
        [Metric::WeightedF1, Metric::Accuracy, Metric::BalancedAccuracy, Metric::MacroF1, Metric::LogLoss]
    {
        let (score, interval) = of_metric(metric);
        add(metric.label(), &score, &interval);
    }
    add("Brier score", &|scores| scores.brier, &|intervals| intervals.brier);
    let (score, interval) = of_metric(Metric::Mcc);
    add(Metric::Mcc.label(), &score, &interval);
    add("calibration error", &|scores| scores.ece, &|intervals| intervals.ece);
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
