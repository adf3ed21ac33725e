//! Conformal prediction sets: coverage and sizes, and both for each class.

use crate::facts::{Facts, largest};
use crate::schema::ConformalReport;
use crate::sets;
use crate::table::Table;
use crate::text::{MAX_LISTED, capital, escape, listed, of_many, percent, score, thousands, unbroken};

pub(crate) fn html(facts: &Facts) -> String {
    let Some(report) = facts.conformal() else { return String::new() };
    let sentence = |text: &str| format!("{}.", capital(&unbroken(text)));
    let always = match &report.always[..] {
        [] => String::new(),
        classes => format!(
            "<p class=\"note\">In every set, since the rows give no threshold for this level (they are too few, or a few have most of the weight): {}.</p>",
            escape(&listed(classes))
        ),
    };
    format!(
        "<p>{} {}</p>{always}{}{}",
        escape(&sentence(&sets::calibrated(report))),
        escape(&sentence(&sets::measured(report))),
        sizes(report).html(),
        classes(report, &facts.report.classes)
    )
}

fn sizes(report: &ConformalReport) -> Table {
    let (scores, _) = report.shown();
    let rows = scores.sizes.iter().enumerate().filter(|(_, rows)| **rows > 0);
    let row = |(size, rows): (usize, &usize)| {
        vec![thousands(size), thousands(rows), percent(scores.share_of_size(size))]
    };
    Table::new(["classes in the set", "rows", "share"]).with(rows.map(row))
}

fn classes(report: &ConformalReport, names: &[String]) -> String {
    let per_class = &report.shown().0.per_class;
    let row = |class: usize| {
        let of = per_class.get(class)?;
        Some(vec![
            names.get(class)?.clone(),
            score(report.thresholds.get(class).copied()),
            thousands(of.n_samples),
            score(of.coverage),
            of.mean_size.map_or("undefined".to_owned(), |size| format!("{size:.2}")),
        ])
    };
    let shown = largest(per_class.len(), MAX_LISTED, |class| per_class[class].n_samples as u64);
    let table = Table::new(["class", "threshold", "rows", "coverage", "mean size"]);
    let note = match of_many(per_class.len()) {
        note if note.is_empty() => note,
        note => format!("<p class=\"note\">{}</p>", note.trim()),
    };
    table.with(shown.into_iter().filter_map(row)).html() + &note
}
