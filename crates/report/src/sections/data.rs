//! What was read, how often each class occurs, and what the checks found.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::axis::Axis;
use crate::facts::{Facts, Look, largest};
use crate::figure::Figure;
use crate::plot::{Plot, series};
use crate::table::Table;
use crate::text::{MAX_LISTED, counted, drawn, escape, of_many, percent, short, thousands};

/// The most classes that are drawn: those with the most rows.
const MAX_CLASSES: usize = 30;

pub(crate) fn html(facts: &Facts) -> String {
    let tables = facts.report.at("/tables").all();
    if tables.is_empty() {
        return String::new();
    }
    let shares = if labelled(facts).is_empty() {
        String::new()
    } else {
        format!("<div class=\"alone\">{}</div>", shares(facts))
    };
    let read = read(tables).html();
    format!("{read}{}{shares}<h3>What the checks found</h3>{}", split(facts), findings(facts))
}

/// How validation rows were split off the training table, where they have no table of their own.
fn split(facts: &Facts) -> String {
    let split = facts.report.at("/split");
    if split.is_null() {
        return String::new();
    }
    let [n_val, n_train] = ["/n_val", "/n_train"].map(|path| split.at(path).count());
    let groups = match split.at("/groups") {
        Value::Null => String::new(),
        groups => format!(
            " No group of rows with the same value in column \u{201c}{}\u{201d} is on both sides: {} of {} are in the validation part.",
            escape(groups.at("/column").text()),
            thousands(groups.at("/n_val").count()),
            counted(groups.at("/n_groups").count(), "group"),
        ),
    };
    format!(
        "<p>There is no validation table: {} of the {} training rows ({}) are the validation rows. They were drawn with seed {}, \
         stratified by class; rows with the same features are on one side.{groups}</p>",
        thousands(n_val),
        thousands(n_val + n_train),
        percent(n_val as f64 / (n_val + n_train).max(1) as f64),
        split.at("/seed").count(),
    )
}

fn read(tables: &[Value]) -> Table {
    let rows = tables.iter().map(|table| {
        let hash = table.at("/fingerprint").text();
        vec![
            table.at("/role").text().to_owned(),
            table.at("/path").text().to_owned(),
            table.at("/format").text().to_owned(),
            thousands(table.at("/n_rows").count()),
            thousands(table.at("/n_features").count()),
            thousands(table.at("/n_skipped").count()),
            short(hash, 17),
        ]
    });
    Table::new(["table", "file", "format", "rows", "features", "skipped", "content hash"])
        .words(&[1, 2, 6])
        .with(rows)
}

/// The tables whose labels are known to be labels.
fn labelled(facts: &Facts) -> Vec<&Value> {
    ["train", "val"].into_iter().filter_map(|role| facts.table(role)).collect()
}

fn share(table: &Value, class: &str) -> (u64, f64) {
    let labels = table.at("/labels").all();
    let count =
        labels.iter().find(|label| label.at("/class").text() == class).map_or(0, |l| l.at("/count").count());
    (count, count as f64 / table.at("/n_rows").count().max(1) as f64)
}

/// Up to `n` of the classes: those with the most rows in the first table, in their order.
fn most_frequent<'c>(tables: &[&Value], classes: &[&'c str], n: usize) -> Vec<&'c str> {
    let counts: BTreeMap<&str, u64> = tables
        .iter()
        .take(1)
        .flat_map(|table| table.at("/labels").all())
        .map(|label| (label.at("/class").text(), label.at("/count").count()))
        .collect();
    let n_rows = |class: usize| counts.get(classes[class]).copied().unwrap_or(0);
    largest(classes.len(), n, n_rows).into_iter().map(|class| classes[class]).collect()
}

fn shares(facts: &Facts) -> String {
    let (tables, classes) = (labelled(facts), facts.classes());
    let shown = &most_frequent(&tables, &classes, MAX_CLASSES)[..];
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
            let said =
                format!("{class}, {}: {} ({})", table.at("/role").text(), thousands(count), percent(share));
            plot.bar(&series(t), (0.0, top), (100.0 * share, top - thickness * 0.9), &said);
        }
    }
    let header = ["class".to_owned()].into_iter().chain(
        tables
            .iter()
            .flat_map(|t| [t.at("/role").text().to_owned(), format!("{} share", t.at("/role").text())]),
    );
    let listed = most_frequent(&tables, &classes, MAX_LISTED);
    let rows = listed.iter().map(|class| {
        let cells = tables
            .iter()
            .map(|table| share(table, class))
            .flat_map(|(n, share)| [thousands(n), percent(share)]);
        std::iter::once((*class).to_owned()).chain(cells).collect()
    });
    Figure {
        title: "How often each class occurs",
        legend: tables.iter().enumerate().map(|(i, t)| (series(i), t.at("/role").text().to_owned())).collect(),
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
    let all = facts.report.at("/findings").all();
    let (notes, warnings): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|finding| finding.at("/severity").text() == "note");
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
            counted(n as u64, "note"),
            table(&notes).html()
        ),
    }
}

fn table(findings: &[&Value]) -> Table {
    let rows = findings.iter().map(|finding| {
        vec![
            finding.at("/code").text().to_owned(),
            finding.at("/severity").text().to_owned(),
            finding.at("/table").text().to_owned(),
            thousands(finding.at("/count").count()),
            finding.at("/message").text().to_owned(),
        ]
    });
    Table::new(["finding", "severity", "table", "count", "message"]).words(&[1, 2, 4]).with(rows)
}
