//! Which class is predicted for which.

use std::fmt::Write;

use crate::facts::Facts;
use crate::figure::Figure;
use crate::plot;
use crate::schema::Judgement;
use crate::table::Table;
use crate::text::{escape, percent, short, thousands};

/// The most classes whose matrix is drawn, and whose cells have numbers in them.
const MAX_CLASSES: usize = 40;
const MAX_WITH_NUMBERS: usize = 12;
/// The most pairs of classes that are listed.
const MAX_PAIRS: usize = 30;

pub(crate) fn html(facts: &Facts) -> String {
    let Some((judgement, _)) = facts.scores() else { return String::new() };
    let (classes, counts) = (&judgement.classes, &judgement.scores.confusion);
    if counts.is_empty() {
        return of_many(judgement);
    }
    let pairs = pairs(judgement);
    if classes.len() > MAX_CLASSES {
        return format!("<p>The most confused pairs of classes.</p>{}", pairs.html());
    }
    let names = classes.iter().map(String::as_str);
    let mut matrix = Table::new(std::iter::once("true class").chain(names).chain(["rows", "recall"]));
    for (i, row) in counts.iter().enumerate() {
        let n: u64 = row.iter().sum();
        let cells = row.iter().map(thousands);
        let ends = [thousands(n), percent(row[i] as f64 / n.max(1) as f64)];
        matrix.add(std::iter::once(classes[i].clone()).chain(cells).chain(ends));
    }
    let figure = Figure {
        title: "Confusion matrix",
        legend: Vec::new(),
        svg: drawing(classes, counts),
        read: "Each row of the figure is a true class, each column a predicted class. Darker cells are a greater share of the \
               row. Correct predictions are on the diagonal.",
        numbers: matrix,
        wide: false,
    };
    format!(
        "<div class=\"grid\">{}<figure><figcaption>Most confused pairs</figcaption>{}</figure></div>",
        figure.html(),
        pairs.html()
    )
}

/// The most frequent confusions of so many classes that the report has no matrix of them.
fn of_many(judgement: &Judgement) -> String {
    let pairs = &judgement.confused_pairs;
    if pairs.is_empty() {
        return String::new();
    }
    format!(
        "<p>The pairs of classes that are confused most often, {} of {}.</p>{}",
        pairs.len().min(MAX_PAIRS),
        thousands(judgement.n_confused_pairs),
        self::pairs(judgement).html()
    )
}

fn drawing(classes: &[String], counts: &[Vec<u64>]) -> String {
    let n = classes.len();
    let longest = classes.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(14);
    let left = 26.0 + 6.4 * longest as f64;
    let side = ((430.0 - left) / n as f64).min(92.0);
    let (height, top) = (side * n as f64, 6.0);
    // Names under narrow columns are turned, or they would run into each other.
    let turned = side < 6.6 * longest as f64;
    let foot = if turned { 34.0 + 5.0 * longest as f64 } else { 40.0 };
    let mut body = String::new();
    for (i, row) in counts.iter().enumerate() {
        let total = row.iter().sum::<u64>().max(1) as f64;
        let y = top + side * i as f64;
        let _ = write!(
            body,
            "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            left - 8.0,
            y + side / 2.0 + 4.0,
            escape(&short(&classes[i], 14))
        );
        for (j, &count) in row.iter().enumerate() {
            let (x, share) = (left + side * j as f64, count as f64 / total);
            let said = format!(
                "{} predicted as {}: {} ({})",
                classes[i],
                classes[j],
                thousands(count),
                percent(share)
            );
            let _ = write!(
                body,
                "<rect class=\"cell\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill-opacity=\"{:.3}\">{}</rect>",
                side - 1.5,
                side - 1.5,
                0.06 + 0.94 * share,
                plot::title(&said)
            );
            if n <= MAX_WITH_NUMBERS {
                let class = if share > 0.5 { " on" } else { "" };
                let middle = (x + side / 2.0 - 0.75, y + side / 2.0);
                let (first, second) = if side > 44.0 { (0.0, 15.0) } else { (4.0, 0.0) };
                let _ = write!(
                    body,
                    "<text class=\"middle strong{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    middle.0,
                    middle.1 + first,
                    thousands(count)
                );
                if second > 0.0 {
                    let _ = write!(
                        body,
                        "<text class=\"middle tick{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                        middle.0,
                        middle.1 + second,
                        percent(share)
                    );
                }
            }
        }
    }
    for (j, name) in classes.iter().enumerate() {
        let (x, y) = (left + side * (j as f64 + 0.5), top + height + 15.0);
        let turn = if turned {
            format!(" class=\"end\" transform=\"rotate(-40 {x:.1} {y:.1})\"")
        } else {
            " class=\"middle\"".to_owned()
        };
        let _ = write!(body, "<text x=\"{x:.1}\" y=\"{y:.1}\"{turn}>{}</text>", escape(&short(name, 14)));
    }
    let (width, total) = (left + height + 8.0, top + height + foot);
    let _ = write!(
        body,
        "<text class=\"name middle\" x=\"{:.1}\" y=\"{:.1}\">predicted class</text>\
         <text class=\"name middle\" transform=\"translate(12 {:.1}) rotate(-90)\">true class</text>",
        left + height / 2.0,
        total - 6.0,
        top + height / 2.0
    );
    plot::svg(width.round(), total.round(), "confusion matrix", &body)
}

/// The most frequent confusions.
fn pairs(judgement: &Judgement) -> Table {
    let classes = &judgement.classes;
    let rows = judgement.confused_pairs.iter().take(MAX_PAIRS).map(|&(class, predicted, n)| {
        let support = judgement.scores.per_class[class].support.max(1);
        let share = percent(n as f64 / support as f64);
        vec![classes[class].clone(), classes[predicted].clone(), thousands(n), share]
    });
    Table::new(["true class", "predicted class", "rows", "of the class"]).words(&[1]).with(rows)
}
