//! Results as text tables.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use headsmith::Evaluation;
use headsmith::heads::description::thousands;
use headsmith::heads::network::{Activation, LayerSummary};
use headsmith::metrics::Metric;
use headsmith::metrics::bootstrap::Interval;
use headsmith::report::difference as signed;
use headsmith::report::sets;
use headsmith::report::{
    ClassCount, Comparison, FitReport, Judgement, MANY_CLASSES, PredictedSets, PredictionReport, Report,
    Summary, TableReport,
};

use super::many;
use super::progress::counted;
use std::fmt::Write;

/// The maximum number of classes with probabilities side by side.
const N_CLASSES_SHOWN: usize = 6;

/// The maximum number of characters of a name from a file.
const N_CHARS_SHOWN: usize = 24;

/// The maximum number of classes listed as never predicted.
const N_NEVER_SHOWN: usize = 5;

/// The output of `run` at its end.
pub(crate) fn run(report: &Report) -> String {
    let mut text = String::new();
    for head in &report.heads {
        text += &structure(head);
    }
    if let Some(chosen) = report.heads.iter().find(|head| head.head == report.chosen) {
        text += &examples(chosen, &report.classes);
    }
    for study in report.study.iter().chain(&report.studies) {
        text += &super::study::summary(study);
        text.push('\n');
    }
    text += &summary(&report.heads, "validation");
    for comparison in report.comparison.iter().chain(&report.comparisons) {
        text += &compared(comparison);
    }
    let why = match report.heads.len() {
        1 if report.interrupted => "the only head: the run was stopped on request",
        1 => "the only head",
        _ => &format!("{} on the validation rows", report.metric),
    };
    let _ = writeln!(text, "chosen: {} ({why})", report.chosen);
    for held_back in report.heads.iter().filter_map(|head| head.held_back.as_ref()) {
        text += &super::study::on_held_back(held_back, report.metric);
    }
    if let Some(predictions) = &report.predictions {
        text.push('\n');
        text += &predicted(predictions);
    }
    text
}

/// The output of `fit` at its end.
pub(crate) fn fit(report: &FitReport, classes: &[String]) -> String {
    let mut text = structure(report) + &examples(report, classes);
    let judged = report.known_by();
    text += &judged.map_or(String::new(), |(_, rows)| summary(std::slice::from_ref(report), rows));
    text += &report
        .held_back
        .as_ref()
        .map_or(String::new(), |held| super::study::on_held_back(held, report.metric));
    text += &judged.map_or(String::new(), |(judgement, _)| per_class(judgement));
    text += &report.folds.as_ref().map_or(String::new(), |folds| super::folds::table(folds, report.metric));
    text + &prediction_sets(report)
}

/// The prediction sets of a fit, if it has them.
pub(super) fn prediction_sets(report: &FitReport) -> String {
    let Some(conformal) = &report.conformal else { return String::new() };
    format!("{}\n  {}\n", sets::calibrated(conformal), sets::measured(conformal))
}

/// The output of `evaluate`.
pub(crate) fn evaluation(evaluation: &Evaluation) -> String {
    let judgement = &evaluation.judgement;
    let (scores, intervals) = (&judgement.scores, judgement.intervals.as_ref());
    let mut table = grid(&["metric", "value", "95 % interval"]);
    table.add_rows([
        metric("weighted F1", scores.weighted_f1, intervals.map(|i| i.weighted_f1)),
        metric("accuracy", scores.accuracy, intervals.map(|i| i.accuracy)),
        metric("balanced accuracy", scores.balanced_accuracy, intervals.map(|i| i.balanced_accuracy)),
        metric("macro F1", scores.macro_f1, intervals.map(|i| i.macro_f1)),
        metric("log loss", scores.log_loss, intervals.map(|i| i.log_loss)),
        metric("Brier score", scores.brier, intervals.map(|i| i.brier)),
        metric("Matthews correlation", scores.mcc, intervals.map(|i| i.mcc)),
        metric("Cohen's kappa", scores.cohen_kappa, None),
        metric("ROC AUC one-vs-rest", scores.roc_auc_ovr, None),
        metric("calibration error", scores.ece, intervals.map(|i| i.ece)),
    ]);
    let mut text = format!(
        "{} on {} of {}\n\n{}{table}\n",
        evaluation.head,
        counted(scores.n_samples, "row"),
        evaluation.table.path,
        never_predicted("", judgement)
    );
    if let Some(caution) = judgement.caution() {
        let _ = writeln!(text, "{caution}");
    }
    text = text + "\n" + &per_class(judgement);
    if let Some(of_model) = &evaluation.conformal {
        let (level, scores) = (sets::level(of_model.level), sets::scored(&of_model.scores));
        let _ = writeln!(text, "\nprediction sets with level {level}: {scores}");
    }
    text
}

/// The classes that were never predicted, before any score, because most scores hardly show it.
pub(super) fn never_predicted(prefix: &str, judgement: &Judgement) -> String {
    let never = &judgement.never_predicted;
    if never.is_empty() {
        return String::new();
    }
    let shown = never.iter().take(N_NEVER_SHOWN).map(|class| plain(class)).collect::<Vec<_>>().join(", ");
    let more = if never.len() > N_NEVER_SHOWN { ", .." } else { "" };
    let n = match never.len() {
        1 => "1 class is".to_owned(),
        n => format!("{n} classes are"),
    };
    format!("{prefix}{n} never predicted: {shown}{more}\n\n")
}

fn metric(name: &str, value: impl Into<Option<f64>>, interval: Option<Interval>) -> Vec<String> {
    let value = value.into().map_or("undefined".to_owned(), |v| format!("{v:.4}"));
    vec![name.to_owned(), value, interval_text(interval)]
}

pub(super) fn interval_text(interval: Option<Interval>) -> String {
    interval.map_or(String::new(), |i| format!("{:.4} .. {:.4}", i.low, i.high))
}

/// The contents of one table.
pub(crate) fn table_report(table: &TableReport) -> String {
    let (rows, features) = (counted(table.n_rows, "row"), counted(table.n_features, "feature"));
    let mut text = format!("{}\n  {rows} x {features}, {}\n", table.path, table.format);
    if let (Some(first), Some(last)) = (table.feature_names.first(), table.feature_names.last()) {
        let _ = writeln!(text, "  features in columns {} to {}", plain(first), plain(last));
    }
    if let Some(summary) = &table.summary {
        text += &summary_lines(summary, table.n_features);
    }
    if table.n_skipped > 0 {
        let _ = writeln!(text, "  {} unreadable and skipped", counted(table.n_skipped, "row"));
    }
    match &table.label_column {
        Some(column) => {
            let _ = writeln!(text, "  labels in `{column}`: {}", counts(&table.labels, table.n_rows));
        }
        None => text += "  no labels\n",
    }
    if let Some(column) = &table.weight_column {
        let _ = writeln!(text, "  sample weights in `{column}`, which is no feature");
    }
    text
}

/// Statistics of a table's features.
fn summary_lines(summary: &Summary, n_features: usize) -> String {
    let norms = match summary.unit_length {
        true => "rows of unit length".to_owned(),
        false => format!(
            "row norms {:.3} .. {:.3}, mean {:.3}",
            summary.norm_min, summary.norm_max, summary.norm_mean
        ),
    };
    format!(
        "  values {:.4} .. {:.4} ({}), {:.1} % exactly 0; {norms}; effective rank {:.1} of {n_features}\n",
        summary.min,
        summary.max,
        summary.precision,
        100.0 * summary.zeros,
        summary.effective_rank
    )
}

/// The number of predictions of each class, and the output file.
pub(crate) fn predicted(report: &PredictionReport) -> String {
    let rows = counted(report.n_rows, "row");
    let mut text = format!("predicted {rows}: {}\n", counts(&report.counts, report.n_rows));
    if report.n_left_out > 0 {
        let _ = writeln!(text, "{} unreadable and without a prediction", counted(report.n_left_out, "row"));
    }
    if let Some(PredictedSets { level, mean_size, sizes }) = &report.sets {
        let (level, sizes) = (sets::level(*level), sets::sizes(sizes));
        let _ = writeln!(text, "prediction sets with level {level}: {mean_size:.2} classes a set; {sizes}");
    }
    let _ = writeln!(text, "written to {}", report.files.join(" and "));
    text
}

fn counts(counts: &[ClassCount], n_rows: usize) -> String {
    if counts.len() > MANY_CLASSES {
        return many::counts(counts);
    }
    let share = |count: usize| 100.0 * count as f64 / n_rows.max(1) as f64;
    let one = |c: &ClassCount| format!("{} {} ({:.1} %)", plain(&c.class), c.count, share(c.count));
    counts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A head's structure: its layers as in Keras's summary, or one line.
fn structure(report: &FitReport) -> String {
    let made = &report.structure;
    let Some(first) = made.layers.first() else {
        let details = made.details.iter().map(|(name, text)| format!(", {name} {text}"));
        return format!("{}: {}{}\n\n", report.head, made.summary, details.collect::<String>());
    };
    let n_params: usize = made.layers.iter().map(|layer| layer.n_params).sum();
    let mut table = grid(&["layer", "output shape", "parameters"]);
    table.add_row(vec!["input".to_owned(), format!("(n, {})", first.input_width), "0".to_owned()]);
    table.add_rows(made.layers.iter().map(layer));
    format!(
        "{}: {} parameters, inputs scaled by {}\n\n{table}\n\n",
        report.head,
        thousands(n_params),
        report.scaling
    )
}

fn layer(layer: &LayerSummary) -> Vec<String> {
    let activation = match layer.activation {
        Some(Activation::Relu) => ", relu",
        Some(Activation::Softmax) => ", softmax",
        None => "",
    };
    vec![
        format!("{} ({}{activation})", layer.name, layer.kind),
        format!("(n, {})", layer.output_width),
        thousands(layer.n_params),
    ]
}

/// The first rows' labels next to their probabilities.
fn examples(report: &FitReport, classes: &[String]) -> String {
    let Some((_, rows)) = report.known_by() else { return String::new() };
    if classes.len() > MANY_CLASSES {
        return many::examples(report, rows);
    }
    // More columns would not fit a terminal.
    let n_shown = classes.len().min(N_CLASSES_SHOWN);
    let shown_classes: Vec<String> = classes.iter().take(n_shown).map(|class| plain(class)).collect();
    let header = ["row", "label"].into_iter().chain(shown_classes.iter().map(String::as_str)).chain([""]);
    let mut table = grid(&header.collect::<Vec<_>>());
    for example in &report.examples {
        let best = (1..classes.len())
            .fold(0, |best, c| if example.probabilities[c] > example.probabilities[best] { c } else { best });
        let mark = if classes[best] == example.label { "" } else { "wrong" };
        let mut row = vec![example.place.clone(), plain(&example.label)];
        row.extend(example.probabilities.iter().take(n_shown).map(|p| format!("{p:.3}")));
        row.push(mark.to_owned());
        table.add_row(row);
    }
    let of = if n_shown < classes.len() {
        format!(" of {n_shown} of {} classes", classes.len())
    } else {
        String::new()
    };
    format!("first {rows} rows, label beside the probabilities{of} of {}\n\n{table}\n\n", report.head)
}

/// The metric used for selection, and two others to show next to it.
pub(super) fn beside(metric: Metric) -> [Metric; 3] {
    let others = [Metric::Accuracy, Metric::LogLoss];
    let [a, b] = others.map(|other| if other == metric { Metric::default() } else { other });
    [metric, a, b]
}

/// The heads side by side.
pub(super) fn summary(heads: &[FitReport], rows: &str) -> String {
    let metric = heads.first().map_or_else(Metric::default, |head| head.metric);
    let [_, others @ ..] = beside(metric);
    let on_train = format!("train {}", if metric.is_default() { "w. F1" } else { metric.label() });
    let mut table = grid(&[
        "head",
        metric.label(),
        "95 % interval",
        others[0].label(),
        others[1].label(),
        "calib. error",
        &on_train,
        "epochs",
        "fit s",
    ]);
    let judged: Vec<(&FitReport, &Judgement)> =
        heads.iter().filter_map(|head| Some((head, head.known_by()?.0))).collect();
    for (head, judgement) in &judged {
        let scores = &judgement.scores;
        table.add_row(vec![
            head.head.clone(),
            format!("{:.4}", metric.of(scores)),
            interval_text(judgement.intervals.as_ref().map(|intervals| metric.interval(intervals))),
            format!("{:.4}", others[0].of(scores)),
            format!("{:.4}", others[1].of(scores)),
            format!("{:.4}", scores.ece),
            head.train.as_ref().map_or(String::new(), |train| format!("{:.4}", metric.of(&train.scores))),
            head.best_epoch.map_or(String::new(), |best| format!("{} of {}", best + 1, head.epochs)),
            format!("{:.2}", head.fit_seconds),
        ]);
    }
    let never: String = judged
        .iter()
        .map(|(head, judgement)| never_predicted(&format!("{}: ", head.head), judgement))
        .collect();
    let mut text = format!("{never}scores on the {rows} rows\n\n{table}\n");
    for (head, judgement) in judged {
        if let Some(caution) = judgement.caution() {
            let _ = writeln!(text, "  {}: {caution}", head.head);
        }
    }
    text + "\n"
}

pub(super) fn compared(comparison: &Comparison) -> String {
    // The log loss can differ even with the same predicted classes.
    if comparison.difference.identical_predictions && comparison.metric != Metric::LogLoss {
        return format!(
            "{} - {}: identical predictions on these rows, so there is no difference to test\n",
            comparison.candidate, comparison.baseline
        );
    }
    let d = comparison.difference.by_metric.get(comparison.metric);
    let note = if comparison.note.is_empty() { String::new() } else { format!("; {}", comparison.note) };
    let [by, low, high] = [d.observed, d.low, d.high].map(signed);
    format!(
        "{} - {}: {} {by}, 95 % interval {low} .. {high}, p {:.4}\n  (paired bootstrap{note})\n",
        comparison.candidate, comparison.baseline, comparison.metric, d.p_value
    )
}

fn per_class(judgement: &Judgement) -> String {
    if judgement.classes.len() > MANY_CLASSES {
        return many::per_class(judgement);
    }
    let mut table = grid(&["class", "precision", "recall", "F1", "support", "predicted as"]);
    for (i, (class, scores)) in judgement.classes.iter().zip(&judgement.scores.per_class).enumerate() {
        table.add_row(vec![
            plain(class),
            format!("{:.4}", scores.precision),
            format!("{:.4}", scores.recall),
            format!("{:.4}", scores.f1),
            scores.support.to_string(),
            judgement.scores.confusion[i].iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
        ]);
    }
    format!("{table}\n")
}

/// An empty table: plain text, the first column left-aligned and the others right-aligned.
pub(super) fn grid(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A name from a file for a terminal: without control characters, and shortened.
pub(super) fn plain(name: &str) -> String {
    let mut shown: String = name.chars().take(N_CHARS_SHOWN).flat_map(char::escape_debug).collect();
    if name.chars().nth(N_CHARS_SHOWN).is_some() {
        shown.push_str("..");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_control_characters() {
        assert_eq!(plain("neutral"), "neutral");
        assert_eq!(plain("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(plain(&"x".repeat(30)), format!("{}..", "x".repeat(24)));
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 356_861, 1_234_567].map(thousands),
            ["0", "999", "1,000", "356,861", "1,234,567"]
        );
    }
}
