//! Precision, recall and F1 of each class, with support and intervals.

use headsmith_metrics::PerClass;
use headsmith_metrics::bootstrap::Interval;

use crate::axis::Axis;
use crate::facts::{Facts, largest_classes};
use crate::figure::Figure;
use crate::plot::{Plot, series};
use crate::schema::{ClassEvidence, Judgement};
use crate::table::Table;
use crate::text::{MAX_LISTED, drawn, in_brackets, interval, of_many, score, short, thousands};

/// The most classes that are drawn: those with the most rows.
const MAX_CLASSES: usize = 24;
/// Of more classes than are listed, how many are shown as the worst, and as the best.
const N_EXTREMES: usize = 10;

/// A score of a class: its name, its value and its interval.
type ClassScore = (&'static str, fn(&PerClass) -> f64, fn(&ClassEvidence) -> Interval);

const SCORES: [ClassScore; 3] = [
    ("precision", |class| class.precision, |class| class.precision),
    ("recall", |class| class.recall, |class| class.recall),
    ("F1", |class| class.f1, |class| class.f1),
];

pub(crate) fn html(facts: &Facts) -> String {
    let (Some(chosen), Some((judgement, _))) = (facts.chosen(), facts.scores()) else { return String::new() };
    let classes = &judgement.scores.per_class;
    if classes.is_empty() {
        return String::new();
    }
    figure(judgement, &chosen.evidence.per_class) + &extremes(judgement)
}

fn figure(judgement: &Judgement, intervals: &[ClassEvidence]) -> String {
    let (classes, names) = (&judgement.scores.per_class, &judgement.classes);
    let shown = largest_classes(judgement, MAX_CLASSES);
    let short_names: Vec<String> = shown.iter().rev().map(|&i| short(&names[i], 18)).collect();
    let height = 60.0 + 44.0 * shown.len() as f64;
    let mut plot = Plot::sized(720.0, height, axis(classes, intervals), Axis::names("", &short_names));
    for (row, &class) in shown.iter().rev().enumerate() {
        for (s, (name, value, interval_of)) in SCORES.into_iter().enumerate() {
            let (value, between) = (value(&classes[class]), intervals.get(class).map(interval_of));
            let said = format!("{}, {name}: {}{}", names[class], score(value), in_brackets(between));
            let ends = between.map(|between| (between.low, between.high));
            plot.whisker(&series(s), row as f64 + 0.26 * (1.0 - s as f64), value, ends, &said);
        }
    }
    let rows = largest_classes(judgement, MAX_LISTED).into_iter().map(|i| {
        let class = &classes[i];
        let scores = SCORES.into_iter().flat_map(|(_, value, interval_of)| {
            [score(value(class)), interval(intervals.get(i).map(interval_of))]
        });
        let ranking = [score(class.roc_auc), score(class.average_precision)];
        [names[i].clone(), thousands(class.support)].into_iter().chain(scores).chain(ranking).collect()
    });
    Figure {
        title: "Precision, recall and F1 of each class",
        legend: SCORES.into_iter().enumerate().map(|(i, (name, ..))| (series(i), name.to_owned())).collect(),
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
    }
    .html()
}

/// The worst and the best of so many classes that not all are listed.
fn extremes(judgement: &Judgement) -> String {
    let classes = &judgement.scores.per_class;
    if classes.len() <= MAX_LISTED {
        return String::new();
    }
    let mut with_rows: Vec<&PerClass> = classes.iter().filter(|class| class.support > 0).collect();
    let n = thousands(with_rows.len());
    with_rows.sort_by(|a, b| a.f1.total_cmp(&b.f1).then(b.support.cmp(&a.support)));
    let lowest = listed(&format!("The lowest F1 of {n} classes with rows"), &judgement.classes, &with_rows);
    with_rows.sort_by(|a, b| b.f1.total_cmp(&a.f1).then(b.support.cmp(&a.support)));
    let highest = listed(&format!("The highest F1 of {n} classes with rows"), &judgement.classes, &with_rows);
    format!("<div class=\"grid\">{lowest}{highest}</div>")
}

fn listed(title: &str, names: &[String], classes: &[&PerClass]) -> String {
    let rows = classes.iter().take(N_EXTREMES).map(|class| {
        let scores = SCORES.map(|(_, value, _)| score(value(class)));
        let name = names[class.class].clone();
        std::iter::once(name).chain(scores).chain([thousands(class.support)]).collect()
    });
    let header = std::iter::once("class").chain(SCORES.map(|(name, ..)| name)).chain(["support"]);
    format!("<figure><figcaption>{title}</figcaption>{}</figure>", Table::new(header).with(rows).html())
}

fn axis(classes: &[PerClass], intervals: &[ClassEvidence]) -> Axis {
    let values = classes.iter().flat_map(|class| SCORES.map(|(_, value, _)| value(class)));
    let ends = intervals.iter().flat_map(|class| {
        SCORES.into_iter().flat_map(|(_, _, interval_of)| {
            let Interval { low, high } = interval_of(class);
            [low, high]
        })
    });
    Axis::around("score", values.chain(ends))
}
