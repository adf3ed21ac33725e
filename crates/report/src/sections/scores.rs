//! Every score of every head on the validation rows, with intervals.

use serde_json::Value;

use crate::facts::{Facts, Look};
use crate::metric::METRICS;
use crate::table::Table;
use crate::text::{escape, interval, score};

pub(crate) fn html(facts: &Facts) -> String {
    let heads = facts.report.at("/heads").all();
    if heads.is_empty() {
        return String::new();
    }
    let columns: Vec<(String, &Value)> = heads.iter().flat_map(columns).collect();
    let header = ["score".to_owned()].into_iter().chain(columns.iter().map(|(name, _)| name.clone()));
    let mut table = Table::new(header.chain(["better".to_owned()]));
    for (key, name, better) in METRICS {
        let cells = columns.iter().map(|(_, scores)| {
            let between = interval(&scores["intervals"][key]);
            let value = score(scores[key].number());
            if between.is_empty() { value } else { format!("{value} ({between})") }
        });
        table.add(std::iter::once(name.to_owned()).chain(cells).chain([better.to_owned()]));
    }
    let cautions = columns.iter().filter_map(|(name, scores)| {
        Some(format!("<p class=\"note\">{}: {}.</p>", escape(name), escape(scores.at("/caution").as_str()?)))
    });
    format!(
        "<p>In brackets: 95% bootstrap intervals. The rows were resampled with replacement, and the score was computed on each \
         resample.</p>{}{}",
        table.html(),
        cautions.collect::<String>()
    )
}

/// The judgements of a head that are shown.
fn columns(head: &Value) -> Vec<(String, &Value)> {
    let name = head.at("/head").text();
    let rows = [
        ("/val", "validation"),
        ("/folds/out_of_fold", "out of fold"),
        ("/held_back", "held back"),
        ("/train", "training"),
    ];
    let there = rows.into_iter().filter(|(path, _)| !head.at(path).is_null());
    there.map(|(path, rows)| (format!("{name}, {rows}"), head.at(path))).collect()
}
