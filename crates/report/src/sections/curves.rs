//! Thresholds on one class's probability: ROC and precision-recall curves.

use headsmith_metrics::PerClass;
use headsmith_metrics::curves::Point;

use crate::axis::Axis;
use crate::facts::{Facts, largest_classes};
use crate::figure::{Figure, grid};
use crate::plot::{Plot, series};
use crate::schema::{Curve, Evidence};
use crate::table::Table;
use crate::text::{score, short};

/// The most classes whose curves are drawn: those with the most rows.
const MAX_CLASSES: usize = 12;

/// The axes of a curve.
struct Kind {
    curves: fn(&Evidence) -> &[Curve],
    /// Whether the diagonal is chance.
    has_diagonal: bool,
    title: &'static str,
    x: &'static str,
    y: &'static str,
    area: fn(&PerClass) -> Option<f64>,
    area_name: &'static str,
    read: &'static str,
}

const ROC: Kind = Kind {
    curves: |evidence| &evidence.roc,
    has_diagonal: true,
    title: "ROC curves, one-vs-rest",
    x: "false positive rate",
    y: "true positive rate",
    area: |class| class.roc_auc,
    area_name: "AUC",
    read: "Each point is a threshold on the class\u{2019}s probability: the share of its rows that are found (vertical), and the share of \
           other rows predicted as the class (horizontal). The nearer to the upper left corner, the better; the dashed line is chance.",
};
const PRECISION_RECALL: Kind = Kind {
    curves: |evidence| &evidence.precision_recall,
    has_diagonal: false,
    title: "Precision-recall curves, one-vs-rest",
    x: "recall",
    y: "precision",
    area: |class| Some(class.average_precision),
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
    let (chosen, (judgement, _)) = (facts.chosen()?, facts.scores()?);
    let curves = (kind.curves)(&chosen.evidence);
    let mut plot = Plot::new(Axis::linear(kind.x, 0.0, 1.0), Axis::linear(kind.y, 0.0, 1.0));
    if kind.has_diagonal {
        plot.line("ideal", [(0.0, 0.0), (1.0, 1.0)]);
    }
    let mut legend = Vec::new();
    let mut numbers = Table::new(["class", "threshold", kind.x, kind.y]);
    let shown = largest_classes(judgement, MAX_CLASSES).into_iter().filter_map(|class| {
        let curve = curves.iter().find(|curve| curve.class == judgement.classes[class])?;
        Some((&judgement.scores.per_class[class], curve))
    });
    for (i, (class, Curve { class: name, points })) in shown.enumerate() {
        plot.line(&series(i), points.iter().map(|point| (point.x, point.y)));
        let area = score((kind.area)(class));
        legend.push((series(i), format!("{}: {} {area}", short(name, 24), kind.area_name)));
        let cell =
            |value: f64| if value.is_finite() { format!("{value:.4}") } else { "above all".to_owned() };
        let row = |&Point { threshold, x, y }: &Point| {
            std::iter::once(name.clone()).chain([threshold, x, y].map(cell)).collect()
        };
        numbers = numbers.with(points.iter().map(row));
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
