//! The tables, how often each class occurs, and the findings of the checks.

use std::collections::BTreeMap;

use crate::axis::Axis;
use crate::facts::{Facts, largest};
use crate::figure::Figure;
use crate::plot::{Plot, series};
use crate::schema::{Finding, Severity, TableReport};
use crate::table::Table;
use crate::text::{MAX_LISTED, counted, drawn, escape, of_many, percent, short, thousands};

/// The most classes that are drawn: those with the most rows.
const MAX_CLASSES: usize = 30;

pub(crate) fn html(facts: &Facts) -> String {
    let tables = &facts.report.tables;
    if tables.is_empty() {
        return String::new();
    }
    let shares = if labelled(facts).is_empty() {
        String::new()
    } else {
        format!("<div class=\"alone\">{}</div>", shares(facts))
    };
    let read = read(tables).html();
    let (weights, split, findings) = (weights(facts), split(facts), findings(facts));
    format!("{read}{split}{weights}{shares}<h3>What the checks found</h3>{findings}")
}

/// That the fits weighted the training rows, where they did.
fn weights(facts: &Facts) -> String {
    let Some(column) = facts.table("train").and_then(|train| train.weight_column.as_ref()) else {
        return String::new();
    };
    format!(
        "<p>Training rows have the weights in column \u{201c}{}\u{201d}: the fits count a row of weight 2 as two. Scores count each \
         row once.</p>",
        escape(column)
    )
}

/// How validation rows were split off the training table, where they have no table of their own.
fn split(facts: &Facts) -> String {
    let Some(split) = &facts.report.split else { return String::new() };
    let n = split.n_val + split.n_train;
    let groups = split.groups.as_ref().map_or(String::new(), |groups| {
        format!(
            " No group of rows with the same value in column \u{201c}{}\u{201d} is on both sides: {} of {} are in the validation part.",
            escape(&groups.column),
            thousands(groups.n_val),
            counted(groups.n_groups, "group"),
        )
    });
    format!(
        "<p>There is no validation table: {} of the {} training rows ({}) are the validation rows. They were drawn with seed {}, \
         stratified by class; rows with the same features are on one side.{groups}</p>",
        thousands(split.n_val),
        thousands(n),
        percent(split.n_val as f64 / n.max(1) as f64),
        split.seed,
    )
}

fn read(tables: &[TableReport]) -> Table {
    let rows = tables.iter().map(|table| {
        vec![
            table.role.clone(),
            table.path.clone(),
            table.format.clone(),
            thousands(table.n_rows),
            thousands(table.n_features),
            thousands(table.n_skipped),
            short(&table.fingerprint, 17),
        ]
    });
    Table::new(["table", "file", "format", "rows", "features", "skipped", "content hash"])
        .words(&[1, 2, 6])
        .with(rows)
}

/// The tables whose labels are known to be labels.
fn labelled(facts: &Facts) -> Vec<&TableReport> {
    ["train", "val"].into_iter().filter_map(|role| facts.table(role)).collect()
}

fn share(table: &TableReport, class: &str) -> (usize, f64) {
    let count = table.labels.iter().find(|label| label.class == class).map_or(0, |label| label.count);
    (count, count as f64 / table.n_rows.max(1) as f64)
}

/// Up to `n` of the classes: those with the most rows in the first table, in their order.
fn most_frequent<'c>(tables: &[&TableReport], classes: &'c [String], n: usize) -> Vec<&'c str> {
    let labels = tables.iter().take(1).flat_map(|table| &table.labels);
    let counts: BTreeMap<&str, usize> = labels.map(|label| (label.class.as_str(), label.count)).collect();
    let n_rows = |class: usize| counts.get(classes[class].as_str()).copied().unwrap_or(0) as u64;
    largest(classes.len(), n, n_rows).into_iter().map(|class| classes[class].as_str()).collect()
}

fn shares(facts: &Facts) -> String {
    let (tables, classes) = (labelled(facts), &facts.report.classes);
    let shown = &most_frequent(&tables, classes, MAX_CLASSES)[..];
    let names: Vec<String> = shown.iter().rev().map(|name| short(name, 18)).collect();
    let most =
        tables.iter().flat_map(|table| shown.iter().map(|class| share(table, class).1)).fold(0.01, f64::max);
    let x = Axis::around("share of the rows (%)", [0.0, 100.0 * most]);
    let mut plot = Plot::sized(440.0, 60.0 + 26.0 * shown.len() as f64, x, Axis::names("", &names));
    let thickness = 0.72 / tables.len() as f64;
    for (i, class) in shown.iter().enumerate() {
        for (t, table) in tables.iter().enumerate() {
            let top = (shown.len() - 1 - i) as f64 + 0.36 - t as f64 * thickness;
            let (count, share) = share(table, class);
            let said = format!("{class}, {}: {} ({})", table.role, thousands(count), percent(share));
            plot.bar(&series(t), (0.0, top), (100.0 * share, top - thickness * 0.9), &said);
        }
    }
    let of_tables = tables.iter().flat_map(|table| [table.role.clone(), format!("{} share", table.role)]);
    let header = ["class".to_owned()].into_iter().chain(of_tables);
    let listed = most_frequent(&tables, classes, MAX_LISTED);
    let rows = listed.iter().map(|class| {
        let cells = tables
            .iter()
            .map(|table| share(table, class))
            .flat_map(|(n, share)| [thousands(n), percent(share)]);
        std::iter::once((*class).to_owned()).chain(cells).collect()
    });
    Figure {
        title: "How often each class occurs",
        legend: tables.iter().enumerate().map(|(i, table)| (series(i), table.role.clone())).collect(),
        svg: plot.svg("share of each class in each table"),
        read: &format!(
            "Bars of one class should be about equally long. If they are not, the tables have different distributions, and a \
             score on one table says less about the other.{}{}",
            drawn(shown.len(), classes.len()),
            of_many(classes.len())
        ),
        numbers: Table::new(header).with(rows),
        wide: false,
    }
    .html()
}

fn findings(facts: &Facts) -> String {
    let (notes, warnings): (Vec<&Finding>, Vec<&Finding>) =
        facts.report.findings.iter().partition(|finding| finding.severity == Severity::Note);
    let said = match warnings.len() {
        0 => "<p>No warnings. The checks cover constant and duplicate columns, duplicate rows, rows in two tables, \
              values that are not finite, classes missing in a table, and tables that do not fit together.</p>"
            .to_owned(),
        _ => table(&warnings).html(),
    };
    match notes.len() {
        0 => said,
        n => format!(
            "{said}<details><summary>{}</summary>{}</details>",
            counted(n, "note"),
            table(&notes).html()
        ),
    }
}

fn table(findings: &[&Finding]) -> Table {
    let rows = findings.iter().map(|finding| {
        vec![
            finding.code.clone(),
            finding.severity.name().to_owned(),
            finding.table.clone(),
            thousands(finding.count),
            finding.message.clone(),
        ]
    });
    Table::new(["finding", "severity", "table", "count", "message"]).words(&[1, 2, 4]).with(rows)
}
