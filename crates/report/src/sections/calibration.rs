//! Whether a probability of 0.7 is right in 70% of the rows.

use crate::axis::Axis;
use crate::facts::Facts;
use crate::figure::{Figure, grid};
use crate::plot::Plot;
use crate::schema::ReliabilityBin as Bin;
use crate::table::Table;
use crate::text::{counted, percent, score, thousands};

pub(crate) fn html(facts: &Facts) -> String {
    let (Some(chosen), Some((judgement, _))) = (facts.chosen(), facts.scores()) else { return String::new() };
    let bins = &chosen.evidence.reliability;
    if bins.is_empty() {
        return String::new();
    }
    grid(&[reliability(bins, &score(judgement.scores.ece)), confidences(bins)])
}

fn numbers(bins: &[Bin]) -> Table {
    let rows = bins.iter().filter(|bin| bin.n_samples > 0).map(|bin| {
        let range = format!("{:.3} to {:.3}", bin.low, bin.high);
        vec![
            range,
            thousands(bin.n_samples),
            score(bin.confidence),
            score(bin.accuracy),
            score(bin.accuracy - bin.confidence),
        ]
    });
    Table::new(["probability", "rows", "mean probability", "accuracy", "difference"]).with(rows)
}

fn reliability(bins: &[Bin], ece: &str) -> String {
    let mut plot = Plot::new(
        Axis::linear("probability of the predicted class", 0.0, 1.0),
        Axis::linear("accuracy", 0.0, 1.0),
    );
    plot.line("ideal", [(0.0, 0.0), (1.0, 1.0)]);
    let filled = || bins.iter().filter(|bin| bin.n_samples > 0);
    for bin in filled() {
        let (low, high) = (bin.accuracy.min(bin.confidence), bin.accuracy.max(bin.confidence));
        plot.bar("c1 pale", (bin.low + 0.008, low), (bin.high - 0.008, high), "");
    }
    plot.line("c0", filled().map(|bin| (bin.confidence, bin.accuracy)));
    let n: u64 = bins.iter().map(|bin| bin.n_samples).sum();
    for bin in filled() {
        let radius = 2.5 + 4.0 * (bin.n_samples as f64 / n.max(1) as f64).sqrt();
        let said = format!(
            "{}: probability {}, accuracy {}",
            counted(bin.n_samples, "row"),
            score(bin.confidence),
            percent(bin.accuracy)
        );
        plot.dot("c0", (bin.confidence, bin.accuracy), (radius * 10.0).round() / 10.0, &said);
    }
    plot.words("strong", (0.03, 0.9), (0.0, 4.0), &format!("calibration error (ECE) {ece}"));
    Figure {
        title: "Reliability",
        legend: vec![
            ("c0".to_owned(), "rows by their probability".to_owned()),
            ("c1".to_owned(), "gap".to_owned()),
            ("cg dashed".to_owned(), "perfect calibration".to_owned()),
        ],
        svg: plot.svg("reliability diagram"),
        read: "Below the dashed line the head is overconfident, above it underconfident. The calibration error is the mean \
               gap, weighted by the rows of each bin.",
        numbers: numbers(bins),
        wide: false,
    }
    .html()
}

fn confidences(bins: &[Bin]) -> String {
    let most = bins.iter().map(|bin| bin.n_samples).max().unwrap_or(0);
    let mut plot = Plot::new(
        Axis::linear("probability of the predicted class", 0.0, 1.0),
        Axis::around("rows", [0.0, most as f64]),
    );
    for bin in bins.iter().filter(|bin| bin.n_samples > 0) {
        let right = bin.n_samples as f64 * bin.accuracy;
        let (low, high) = (bin.low + 0.006, bin.high - 0.006);
        let said = format!(
            "{:.2} to {:.2}: {}, {:.0} correct",
            bin.low,
            bin.high,
            counted(bin.n_samples, "row"),
            right
        );
        plot.bar("c0", (low, 0.0), (high, right), &said);
        plot.bar("c1", (low, right), (high, bin.n_samples as f64), &said);
    }
    Figure {
        title: "Confidence",
        legend: vec![("c0".to_owned(), "correct".to_owned()), ("c1".to_owned(), "wrong".to_owned())],
        svg: plot.svg("rows by the probability of their predicted class"),
        read: "The number of rows by the probability of their predicted class, and how many of them are correct. Wrong rows on the far \
               right are confident mistakes.",
        numbers: numbers(bins),
        wide: false,
    }
    .html()
}
