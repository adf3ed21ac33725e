//! The structure and parameters of the heads, and the predictions.

use serde_json::{Map, Value};

use crate::facts::Facts;
use crate::schema::{AutoReport, CandidateReport, ClassCount, FitReport, PredictionReport};
use crate::table::Table;
use crate::text::{capital, counted, duration, escape, listed, percent, thousands, unbroken, value};

pub(crate) fn html(facts: &Facts) -> String {
    let report = &facts.report;
    let heads: String = report.heads.iter().map(head).collect();
    let heads = heads + &report.auto.as_ref().map_or(String::new(), members);
    let predictions = report.predictions.as_ref();
    heads + &predictions.map_or(String::new(), |made| predicted(made, report.title_of(&made.head)))
}

fn head(head: &FitReport) -> String {
    let made = match head.structure.summary.as_str() {
        "" => String::new(),
        summary => format!("{}.", unbroken(summary)),
    };
    let params = match head.params.is_empty() {
        true => String::new(),
        false => {
            format!("<details><summary>All parameters</summary>{}</details>", params(&head.params))
        }
    };
    format!(
        "<h3>{}</h3><p>{} Features are scaled by: {}.{}{}</p>{params}",
        escape(&capital(head.title())),
        escape(&made),
        escape(&head.scaling),
        took(head),
        head.model.as_ref().map_or(String::new(), |path| format!(" Written to {}.", escape(path))),
    )
}

/// How long it took, where that is known.
fn took(head: &FitReport) -> String {
    let calibrated = head.calibration_seconds;
    let calibrated =
        calibrated.map_or(String::new(), |seconds| format!(", calibrated in {}", duration(seconds)));
    if head.fit_seconds > 0.0 {
        format!(" Fitted in {}{calibrated}.", duration(head.fit_seconds))
    } else {
        calibrated
    }
}

/// The members of the model of a search, with all their parameters; nothing of a single one, which has the model's.
fn members(auto: &AutoReport) -> String {
    let members = auto.members();
    if members.len() < 2 {
        return String::new();
    }
    let member = |(i, member): &(usize, &CandidateReport)| {
        format!(
            "<details><summary>Member {}: {}, weight {:.3}</summary>{}</details>",
            i + 1,
            escape(&member.title),
            member.weight,
            params(&member.params)
        )
    };
    members.iter().map(member).collect()
}

fn params(params: &Map<String, Value>) -> String {
    let rows = params.iter().map(|(name, param)| vec![name.clone(), value(param)]);
    Table::new(["parameter", "value"]).words(&[1]).with(rows).html()
}

fn predicted(predictions: &PredictionReport, title: &str) -> String {
    let n = predictions.n_rows;
    let count = |count: &ClassCount| {
        let share = count.count as f64 / n.max(1) as f64;
        vec![count.class.clone(), thousands(count.count), percent(share)]
    };
    let table = Table::new(["class", "rows", "share"]).with(predictions.counts.iter().map(count));
    format!(
        "<h3>Predictions</h3><p>{} were predicted by the {}, written to {}.</p>{}",
        counted(n, "row"),
        escape(title),
        escape(&listed(&predictions.files)),
        table.html()
    )
}
