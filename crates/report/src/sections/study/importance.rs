//! How much each parameter decided.

use crate::axis::Axis;
use crate::facts::{Facts, Look};
use crate::figure::Figure;
use crate::plot::Plot;
use crate::table::Table;
use crate::text::{percent, short};

/// The most parameters that are drawn.
const MAX_PARAMS: usize = 16;

pub(super) fn figure(facts: &Facts) -> Option<String> {
    let lines: Vec<(&str, f64)> = facts
        .report
        .at("/study/importance")
        .all()
        .iter()
        .filter_map(|line| Some((line.at("/param").text(), line.at("/share").number()?)))
        .collect();
    let most = lines.first().filter(|(_, share)| *share > 0.0)?.1;
    let shown = &lines[..lines.len().min(MAX_PARAMS)];
    let names: Vec<String> = shown.iter().rev().map(|(name, _)| short(name, 18)).collect();
    let x = Axis::around("share of the importance (%)", [0.0, 100.0 * most]);
    let mut plot = Plot::sized(440.0, 60.0 + 24.0 * shown.len() as f64, x, Axis::names("", &names));
    for ((name, share), row) in shown.iter().zip((0..shown.len()).rev()) {
        let said = format!("{name}: {}", percent(*share));
        plot.bar("c0", (0.0, row as f64 + 0.32), (100.0 * share, row as f64 - 0.32), &said);
    }
    Some(
        Figure {
            title: "Importance of the parameters",
            legend: Vec::new(),
            svg: plot.svg("importance of each parameter"),
            read: "How much the values in the best tenth of the trials differ from those in all (PED-ANOVA): a long bar says that \
                   the parameter decides. With few trials it is a hint, no more.",
            numbers: Table::new(["parameter", "share"]).with(lines.iter().map(|(name, share)| vec![(*name).to_owned(), percent(*share)])),
            wide: false,
        }
        .html(),
    )
}
