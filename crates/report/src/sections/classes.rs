//! Precision, recall and F1 of each class, with support and intervals.

use serde_json::Value;

use crate::axis::Axis;
use crate::facts::{Facts, Look};
use crate::figure::Figure;
use crate::plot::{Plot, series};
use crate::table::Table;
use crate::text::{MAX_LISTED, drawn, interval, of_many, score, short, thousands};

/// The most classes that are drawn: those with the most rows.
const MAX_CLASSES: usize = 24;
/// Of more classes than are listed, how many are shown as the worst, and as the best.
const N_EXTREMES: usize = 10;
const SCORES: [(&str, &str); 3] = [("precision", "precision"), ("recall", "recall"), ("f1", "F1")];

pub(crate) fn html(facts: &Facts) -> String {
    let classes = facts.scores().0.at("/per_class").all();
    if classes.is_empty() {
        return String::new();
    }
    let intervals = facts.evidence().at("/per_class").all();
    let interval_of = |class: usize, key: &str| intervals.get(class).map_or(&Value::Null, |i| &i[key]);
    let shown = facts.largest_classes(MAX_CLASSES);
    let names: Vec<String> = shown.iter().rev().map(|&i| short(classes[i].at("/class").text(), 18)).collect();
    let height = 60.0 + 44.0 * shown.len() as f64;
    let mut plot = Plot::sized(720.0, height, axis(classes, intervals), Axis::names("", &names));
    for (row, &class) in shown.iter().rev().enumerate() {
        for (s, (key, name)) in SCORES.into_iter().enumerate() {
            let value = classes[class][key].number().unwrap_or(0.0);
            let between = interval_of(class, key);
            let ends = between.at("/low").number().zip(between.at("/high").number());
            let said = format!(
                "{}, {name}: {} ({})",
                classes[class].at("/class").text(),
                score(value),
                interval(between)
            );
            plot.whisker(&series(s), row as f64 + 0.26 * (1.0 - s as f64), value, ends, &said);
        }
    }
    let rows = facts.largest_classes(MAX_LISTED.min(classes.len())).into_iter().map(|i| {
        let class = &classes[i];
        let scores = SCORES
            .into_iter()
            .flat_map(|(key, _)| [score(class[key].number()), interval(interval_of(i, key))]);
        let ranking = ["/roc_auc", "/average_precision"].map(|path| score(class.at(path).number()));
        let name = class.at("/class").text().to_owned();
        [name, thousands(class.at("/support").count())].into_iter().chain(scores).chain(ranking).collect()
    });
    let figure = Figure {
        title: "Precision, recall and F1 of each class",
        legend: SCORES.into_iter().enumerate().map(|(i, (_, name))| (series(i), name.to_owned())).collect(),
        svg: plot.svg("precision, recall and F1 of each class with intervals"),
        read: &format!(
            "Precision: the share of the rows predicted as the class that belong to it. Recall: the share of the rows of the \
             class that are predicted as it. F1 is their harmonic mean. Whiskers are 95% intervals; support is the number of \
             rows.{}{}",
            drawn(shown.len(), classes.len()),
            of_many(classes.len())
        ),
        numbers: Table::new([
            "class",
            "support",
            "precision",
            "95% interval",
            "recall",
            "95% interval",
            "F1",
            "95% interval",
            "ROC AUC",
            "average precision",
        ])
        .with(rows),
        wide: true,
    };
    figure.html() + &extremes(classes)
}

/// The worst and the best of so many classes that not all are listed.
fn extremes(classes: &[Value]) -> String {
    if classes.len() <= MAX_LISTED {
        return String::new();
    }
    let f1 = |class: &Value| class["f1"].number().unwrap_or(0.0);
    let support = |class: &Value| class.at("/support").count();
    let mut with_rows: Vec<&Value> = classes.iter().filter(|class| support(class) > 0).collect();
    let n = thousands(with_rows.len() as u64);
    with_rows.sort_by(|a, b| f1(a).total_cmp(&f1(b)).then(support(b).cmp(&support(a))));
    let lowest = listed(&format!("The lowest F1 of {n} classes with rows"), &with_rows);
    with_rows.sort_by(|a, b| f1(b).total_cmp(&f1(a)).then(support(b).cmp(&support(a))));
    let highest = listed(&format!("The highest F1 of {n} classes with rows"), &with_rows);
    format!("<div class=\"grid\">{lowest}{highest}</div>")
}

fn listed(title: &str, classes: &[&Value]) -> String {
    let rows = classes.iter().take(N_EXTREMES).map(|class| {
        let scores = SCORES.map(|(key, _)| score(class[key].number()));
        let name = class.at("/class").text().to_owned();
        std::iter::once(name).chain(scores).chain([thousands(class.at("/support").count())]).collect()
    });
    let header = std::iter::once("class").chain(SCORES.map(|(_, name)| name)).chain(["support"]);
    format!("<figure><figcaption>{title}</figcaption>{}</figure>", Table::new(header).with(rows).html())
}

fn axis(classes: &[Value], intervals: &[Value]) -> Axis {
    let values = classes.iter().flat_map(|class| SCORES.map(|(key, _)| class[key].number()));
    let ends = intervals.iter().flat_map(|class| {
        SCORES.into_iter().flat_map(|(key, _)| [class[key]["low"].number(), class[key]["high"].number()])
    });
    Axis::around("score", values.chain(ends).flatten())
}
