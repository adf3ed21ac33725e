//! Every score of every head on the validation rows, with intervals.

use crate::facts::{Facts, OUT_OF_FOLD};
use crate::metric::Score;
use crate::schema::{FitReport, Judgement};
use crate::table::Table;
use crate::text::{escape, interval, score};

pub(crate) fn html(facts: &Facts) -> String {
    let columns: Vec<(String, &Judgement)> = facts.report.heads.iter().flat_map(columns).collect();
    if columns.is_empty() {
        return String::new();
    }
    let header = ["score".to_owned()].into_iter().chain(columns.iter().map(|(name, _)| name.clone()));
    let mut table = Table::new(header.chain(["better".to_owned()]));
    for kind in Score::ALL {
        let cells = columns.iter().map(|(_, Judgement { scores, intervals, .. })| {
            let value = score(kind.of(scores));
            match intervals.as_ref().and_then(|intervals| kind.interval(intervals)) {
                None => value,
                Some(between) => format!("{value} ({})", interval(between)),
            }
        });
        table.add(std::iter::once(kind.name().to_owned()).chain(cells).chain([kind.better().to_owned()]));
    }
    let cautions = columns.iter().filter_map(|(name, judgement)| {
        Some(format!("<p class=\"note\">{}: {}.</p>", escape(name), escape(&judgement.caution()?)))
    });
    let unseen = facts.scores().filter(|(_, rows)| *rows == OUT_OF_FOLD).map_or(
        "",
        |_| "<p class=\"note\">Out of fold: training rows, each predicted by fits without it.</p>",
    );
    format!(
        "<p>In brackets: 95% bootstrap intervals. The rows were resampled with replacement, and the score was computed on each \
         resample.</p>{}{unseen}{}",
        table.html(),
        cautions.collect::<String>()
    )
}

/// The judgements of a head that are shown.
fn columns(head: &FitReport) -> Vec<(String, &Judgement)> {
    let rows = [
        (head.val.as_ref(), "validation"),
        (head.folds.as_ref().map(|folds| &folds.out_of_fold), "out of fold"),
        // Beside a cross-validation, the rows that a closed form leaves out.
        (head.out_of_fold.as_ref(), if head.folds.is_some() { "left out" } else { "out of fold" }),
        (head.held_back.as_ref().map(|held| &held.judgement), "held back"),
        (head.train.as_ref(), "training"),
    ];
    let there = rows.into_iter().filter_map(|(judgement, rows)| Some((judgement?, rows)));
    there.map(|(judgement, rows)| (format!("{}, {rows}", head.head), judgement)).collect()
}
