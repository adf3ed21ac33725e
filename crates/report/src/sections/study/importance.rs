//! How much each parameter decided.

use crate::axis::Axis;
use crate::facts::Facts;
use crate::figure::Figure;
use crate::plot::Plot;
use crate::table::Table;
use crate::text::{percent, short};

/// The most parameters that are drawn.
const MAX_PARAMS: usize = 16;

pub(super) fn figure(facts: &Facts) -> Option<String> {
    let study = facts.report.study.as_ref()?;
    let n_complete = study.n_in("complete");
    let lines: Vec<(&str, f64, usize)> = study
        .importance
        .iter()
        .map(|line| {
            let n_trials = if line.n_trials == 0 { n_complete } else { line.n_trials };
            (line.param.as_str(), line.share, n_trials)
        })
        .collect();
    let most = lines.first().filter(|(_, share, _)| *share > 0.0)?.1;
    let shown = &lines[..lines.len().min(MAX_PARAMS)];
    let names: Vec<String> = shown.iter().rev().map(|(name, ..)| short(name, 18)).collect();
    let x = Axis::around("share of the importance (%)", [0.0, 100.0 * most]);
    let mut plot = Plot::sized(440.0, 60.0 + 24.0 * shown.len() as f64, x, Axis::names("", &names));
    let of = |n_trials: usize| format!("{n_trials} of {n_complete}");
    for ((name, share, n_trials), row) in shown.iter().zip((0..shown.len()).rev()) {
        let said = format!("{name}: {}, in {} complete trials", percent(*share), of(*n_trials));
        plot.bar("c0", (0.0, row as f64 + 0.32), (100.0 * share, row as f64 - 0.32), &said);
    }
    Some(
        Figure {
            title: "Importance of the parameters",
            legend: Vec::new(),
            svg: plot.svg("importance of each parameter"),
            read: "How much the values in the best tenth of the trials differ from those in all (PED-ANOVA): a long bar says that \
                   the parameter decides. Of a parameter that depends on another, only the trials that have it count. With few \
                   trials it is a hint, no more.",
            numbers: Table::new(["parameter", "share", "complete trials"])
                .with(lines.iter().map(|(name, share, n_trials)| vec![(*name).to_owned(), percent(*share), of(*n_trials)])),
            wide: false,
        }
        .html(),
    )
}
