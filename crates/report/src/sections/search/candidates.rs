//! The candidates, and which of them are members of the model.

use headsmith_metrics::Metric;

use crate::schema::{AutoReport, CandidateReport};
use crate::table::Table;
use crate::text::{duration, escape, score, short_time, size, value};

pub(super) fn html(auto: &AutoReport, metric: Metric) -> String {
    let has_members = auto.has_ended();
    format!(
        "<h3>Candidates</h3>{}{}{}",
        table(auto, metric).html(),
        if has_members { members(auto) } else { String::new() },
        left_out(auto)
    )
}

fn table(auto: &AutoReport, metric: Metric) -> Table {
    // The log loss has a column by itself.
    let shown = Some(metric).filter(|metric| *metric != Metric::LogLoss);
    let row = |(i, candidate): (usize, &CandidateReport)| {
        let first = [(i + 1).to_string(), candidate.title.clone(), chosen(candidate)];
        let scores = shown.map(|_| score(candidate.score)).into_iter().chain([score(candidate.log_loss)]);
        let cost = [
            duration(candidate.seconds),
            duration(candidate.at_seconds),
            candidate.n_steps.to_string(),
            size(candidate.n_bytes),
            short_time(candidate.predict_seconds),
        ];
        first.into_iter().chain(scores).chain(cost).collect()
    };
    let header = ["", "head", "parameters"].into_iter().chain(shown.map(Metric::label)).chain([
        "log loss",
        "took",
        "ready after",
        "steps",
        "model size",
        "time a row",
    ]);
    Table::new(header).words(&[1, 2]).with(auto.candidates.iter().enumerate().map(row))
}

/// The parameters that tell a candidate from others with the same head.
fn chosen(candidate: &CandidateReport) -> String {
    let params = candidate.telling_params().into_iter();
    params.map(|(name, param)| format!("{name} {}", value(param))).collect::<Vec<_>>().join(", ")
}

/// The members of the model with their weights; nothing of a single one.
fn members(auto: &AutoReport) -> String {
    let members = auto.members();
    if members.len() < 2 {
        return String::new();
    }
    let row = |(i, member): &(usize, &CandidateReport)| {
        let adds = if member.gain == 0.0 { "first".to_owned() } else { format!("{:.4}", member.gain) };
        vec![
            (i + 1).to_string(),
            member.title.clone(),
            format!("{:.3}", member.weight),
            adds,
            duration(member.seconds),
            size(member.n_bytes),
            short_time(member.predict_seconds),
        ]
    };
    let header = ["", "member", "weight", "lowers log loss by", "took", "model size", "time a row"];
    format!(
        "<h3>Members of the model</h3><p>The log probabilities of the members are added, each times its weight. Members were added one after \
         another; each lowers the log loss of the pool, on rows that took no part in that choice.</p>{}",
        Table::new(header).words(&[1]).with(members.iter().map(row)).html()
    )
}

fn left_out(auto: &AutoReport) -> String {
    let line = |(head, why): &(String, String)| format!("<li>{}: {}</li>", escape(head), escape(why));
    let lines: String = auto.left_out.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("<h3>Heads that were left out</h3><ul>{lines}</ul>") }
}
