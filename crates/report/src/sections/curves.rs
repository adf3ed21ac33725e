//! What thresholds on one class's probability find: ROC and precision-recall curves.

use serde_json::Value;

use crate::axis::Axis;
use crate::facts::{Facts, Look};
use crate::figure::{Figure, grid};
use crate::plot::{Plot, series};
use crate::table::Table;
use crate::text::{score, short};

/// The most classes whose curves are drawn: those with the most rows.
const MAX_CLASSES: usize = 12;

/// What is drawn against what.
struct Kind {
    key: &'static str,
    title: &'static str,
    x: &'static str,
    y: &'static str,
    area: &'static str,
    area_name: &'static str,
    read: &'static str,
}

const ROC: Kind = Kind {
    key: "roc",
    title: "ROC curves, one-vs-rest",
    x: "false positive rate",
    y: "true positive rate",
    area: "roc_auc",
    area_name: "AUC",
    read: "Each point is a threshold on the class\u{2019}s probability: the share of its rows that are found (vertical), and the share of \
           other rows predicted as the class (horizontal). The nearer to the upper left corner, the better; the dashed line is chance.",
};
const PRECISION_RECALL: Kind = Kind {
    key: "precision_recall",
    title: "Precision-recall curves, one-vs-rest",
    x: "recall",
    y: "precision",
    area: "average_precision",
    area_name: "average precision",
    read: "A lower threshold finds more of the class\u{2019}s rows (right) and more rows of other classes (down). The \
           nearer to the upper right corner, the better; at full recall precision is the class\u{2019}s share of the rows.",
};

pub(crate) fn html(facts: &Facts) -> String {
    let figures: Vec<String> =
        [ROC, PRECISION_RECALL].iter().filter_map(|kind| figure(facts, kind)).collect();
    if figures.is_empty() { String::new() } else { grid(&figures) }
}

fn figure(facts: &Facts, kind: &Kind) -> Option<String> {
    let curves = facts.evidence()[kind.key].as_array()?;
    let classes = facts.scores().0.at("/per_class").all();
    let mut plot = Plot::new(Axis::linear(kind.x, 0.0, 1.0), Axis::linear(kind.y, 0.0, 1.0));
    if kind.key == "roc" {
        plot.line("ideal", [(0.0, 0.0), (1.0, 1.0)]);
    }
    let mut legend = Vec::new();
    let mut numbers = Table::new(["class", "threshold", kind.x, kind.y]);
    let shown = facts.largest_classes(MAX_CLASSES).into_iter().filter_map(|class| {
        let class = &classes[class];
        let curve = curves.iter().find(|curve| curve["class"] == class["class"])?;
        Some((class, curve))
    });
    for (i, (class, curve)) in shown.enumerate() {
        let name = curve.at("/class").text();
        let points = points(curve);
        plot.line(&series(i), points.iter().map(|&[_, x, y]| (x, y)));
        legend.push((
            series(i),
            format!("{}: {} {}", short(name, 24), kind.area_name, score(class[kind.area].number())),
        ));
        let cell =
            |value: f64| if value.is_finite() { format!("{value:.4}") } else { "above all".to_owned() };
        numbers = numbers.with(
            points.iter().map(|point| std::iter::once(name.to_owned()).chain(point.map(cell)).collect()),
        );
    }
    Some(
        Figure {
            title: kind.title,
            legend,
            svg: plot.svg(kind.title),
            read: kind.read,
            numbers,
            wide: false,
        }
        .html(),
    )
}

/// Threshold, horizontal and vertical place of each point; the threshold that nothing reaches is not finite.
fn points(curve: &Value) -> Vec<[f64; 3]> {
    let point = |point: &Value| {
        let threshold = point.at("/0").number().unwrap_or(f64::INFINITY);
        Some([threshold, point.at("/1").number()?, point.at("/2").number()?])
    };
    curve.at("/points").all().iter().filter_map(point).collect()
}
