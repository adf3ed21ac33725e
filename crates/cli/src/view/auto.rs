//! The result of a search for the best model.

use std::fmt::Write;

use headsmith::metrics::Metric;
use headsmith::report::{
    AutoReport, CandidateReport, Comparison, DistilledReport, DistilledScore, FitReport, Report,
    SimplerReport, difference as signed,
};

use super::text::{
    beside, compared, grid, interval_text, never_predicted, predicted, prediction_sets, summary,
};

/// The most parameters of a candidate in the table.
const N_PARAMS: usize = 4;

/// The output of `auto` at its end.
pub(crate) fn auto(report: &Report) -> String {
    let (Some(auto), Some(fit)) = (&report.auto, report.chosen_head()) else { return String::new() };
    let mut text = search(auto, report.metric) + &answer(auto, fit, report.metric);
    // The first candidate may be the runner-up, too.
    let mut comparisons = vec![&auto.against_first, &auto.against_runner_up];
    comparisons.dedup();
    text += &comparisons.into_iter().flatten().map(beaten).collect::<String>();
    text += &auto.simpler.as_ref().map_or(String::new(), |simpler| verdict(simpler, auto, report.metric));
    text += &auto.distilled.as_ref().map_or(String::new(), |of| distilled(of, report.metric));
    text += &prediction_sets(fit);
    if let Some(predictions) = &report.predictions {
        text += &predicted(predictions);
    }
    if let Some(model) = &fit.model {
        let _ = writeln!(text, "model written to {model}");
    }
    if let Some(distilled) = &auto.distilled {
        let _ = writeln!(text, "distilled model written to {}", distilled.file);
    }
    let _ = writeln!(text, "to reproduce this with any number of threads: {}", auto.repeat);
    text
}

/// The output of `run` at its end, where it searches.
pub(crate) fn run(report: &Report) -> String {
    let comparisons = report.comparison.iter().chain(&report.comparisons);
    let compared: String = comparisons.map(compared).collect();
    summary(&report.heads, "validation") + &compared + "\n" + &auto(report)
}

/// The heads that were tried, as the score grew.
pub(crate) fn search(auto: &AutoReport, metric: Metric) -> String {
    let mut table =
        grid(&["head", "with", metric.label(), "log loss", "at s", "took s", "weight", "gain", "model"]);
    for candidate in &auto.candidates {
        let is_member = candidate.weight > 0.0;
        table.add_row(vec![
            candidate.head.clone(),
            params(candidate),
            format!("{:.4}", candidate.score),
            format!("{:.4}", candidate.log_loss),
            format!("{:.1}", candidate.at_seconds),
            format!("{:.1}", candidate.seconds),
            if is_member { format!("{:.2}", candidate.weight) } else { String::new() },
            if is_member && candidate.gain > 0.0 { format!("{:.4}", candidate.gain) } else { String::new() },
            size(candidate.n_bytes),
        ]);
    }
    let rows = match auto.is_chosen_on_val {
        true => "validation rows, which choose",
        false => "training rows, each predicted by a fit without it",
    };
    let left_out: String =
        auto.left_out.iter().map(|(head, why)| format!("{head} was left out: {why}\n")).collect();
    format!("scores on {} {rows}\n\n{table}\n\n{left_out}", auto.n_rows)
}

fn params(candidate: &CandidateReport) -> String {
    use serde_json::Value;
    let param = |(name, value): (&str, &Value)| match value {
        Value::String(text) => format!("{name} {text}"),
        Value::Number(number) if number.is_f64() => {
            format!("{name} {:.3}", number.as_f64().unwrap_or_default())
        }
        other => format!("{name} {other}"),
    };
    candidate.telling_params().into_iter().take(N_PARAMS).map(param).collect::<Vec<_>>().join(", ")
}

fn answer(auto: &AutoReport, fit: &FitReport, metric: Metric) -> String {
    let Some((judgement, rows)) = fit.known_by() else { return String::new() };
    let interval = judgement.intervals.as_ref().map(|intervals| metric.interval(intervals));
    let [_, others @ ..] = beside(metric);
    let of = |other: Metric| format!("{} {:.4}", other.label(), other.of(&judgement.scores));
    let mut text = never_predicted("", judgement);
    let _ = writeln!(
        text,
        "answer: {}, {metric} {:.4} ({}) on {} {rows} rows; {}, {}",
        fit.title(),
        metric.of(&judgement.scores),
        interval_text(interval),
        judgement.scores.n_samples,
        of(others[0]),
        of(others[1]),
    );
    let _ = writeln!(
        text,
        "  {} of {} heads, calibration {}, {}; fitted on {} rows; {}, {} a row",
        auto.members().len(),
        auto.candidates.len(),
        auto.calibration,
        decision(auto, metric),
        auto.n_fitted,
        size(auto.n_bytes),
        short_time(auto.predict_seconds),
    );
    text + &judgement.caution().map_or(String::new(), |caution| format!("  {caution}\n"))
}

fn decision(auto: &AutoReport, metric: Metric) -> String {
    match auto.has_decision() {
        true => format!("classes decided for {metric}"),
        false => "the most probable class is predicted".to_owned(),
    }
}

fn beaten(comparison: &Comparison) -> String {
    compared(&Comparison { note: "on the rows that scored both".to_owned(), ..comparison.clone() })
}

/// The small head beside the model and the same head trained on the labels.
fn distilled(of: &DistilledReport, metric: Metric) -> String {
    let score = |score: &DistilledScore| match metric {
        Metric::LogLoss => format!("{:.4}", score.log_loss),
        _ => format!("{:.4} and {:.4}", score.score, score.log_loss),
    };
    let metrics = match metric {
        Metric::LogLoss => metric.to_string(),
        _ => format!("{metric} and {}", Metric::LogLoss),
    };
    format!(
        "distilled: {} ({}, {} a row), {metrics} {}; trained on the labels {}, the model {}; {}\n",
        of.title,
        size(of.n_bytes),
        short_time(of.predict_seconds),
        score(&of.student),
        score(&of.plain),
        score(&of.teacher),
        if of.is_student {
            "written".to_owned()
        } else {
            "the one trained on the labels is written".to_owned()
        }
    )
}

fn verdict(simpler: &SimplerReport, auto: &AutoReport, metric: Metric) -> String {
    let Some(candidate) = auto.candidates.get(simpler.candidate) else { return String::new() };
    let difference = simpler.difference.as_ref().map(|difference| difference.by_metric.get(metric));
    let difference = difference.map_or(String::new(), |difference| {
        let [by, low, high] = [difference.observed, difference.high, difference.low].map(|v| signed(-v));
        format!("{metric} {by} ({low} .. {high})")
    });
    let what = match (simpler.is_taken, simpler.is_as_good) {
        (true, _) => "taken, since it is not significantly worse",
        (false, true) => "not significantly worse: --prefer simple selects it",
        (false, false) => "significantly worse",
    };
    format!(
        "simpler: {} ({}, {} a row), {difference}: {what}\n",
        simpler.title,
        size(candidate.n_bytes),
        short_time(candidate.predict_seconds)
    )
}

/// The time of a prediction, such as `3.2 us`.
fn short_time(seconds: f64) -> String {
    headsmith::report::short_time(seconds).replace('\u{a0}', " ").replace('\u{b5}', "u")
}

/// Bytes in decimal units; a terminal breaks no lines, so spaces need not bind.
fn size(n_bytes: u64) -> String {
    headsmith::report::size(n_bytes).replace('\u{a0}', " ")
}
