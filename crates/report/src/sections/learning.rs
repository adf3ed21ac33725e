//! The learning curves of the fit whose model predicts, or of the last one that has any.

use serde_json::Value;

use crate::axis::Axis;
use crate::facts::{Facts, Look};
use crate::figure::{Figure, grid};
use crate::metric::Metric;
use crate::plot::{Plot, thinned};
use crate::table::Table;
use crate::text::{capital, counted, escape, figures, score};
use crate::verdict;

/// The most points of a line.
const MAX_POINTS: usize = 300;

/// A score that is drawn by epoch.
struct Followed {
    key: &'static str,
    /// Its name on the axis.
    name: String,
    /// How it is read.
    read: &'static str,
}

/// The loss, and the metric that chose the epoch; weighted F1 where that is the loss.
fn followed(metric: Metric) -> [Followed; 2] {
    let (key, name) = match metric.is_loss() {
        true => ("weighted_f1", "weighted F1".to_owned()),
        false => (metric.key, metric.to_string()),
    };
    [
        Followed {
            key: "loss",
            name: "cross-entropy (nats)".to_owned(),
            read: "Lower is better. When the validation line rises while the training line falls, the head overfits.",
        },
        Followed {
            key,
            name,
            read: "Higher is better. The dotted line marks the epoch whose weights the model has: the best one on the validation rows.",
        },
    ]
}

pub(crate) fn html(facts: &Facts) -> String {
    let has_epochs = |head: &&Value| !head.at("/history").all().is_empty();
    // Of a run that was killed in a fit, that fit.
    let under_way = Some(facts.report.at("/fitting")).filter(has_epochs);
    let head = under_way.or_else(|| facts.report.at("/heads").all().iter().rfind(has_epochs));
    let Some(head) = head else { return String::new() };
    let history = head.at("/history").all();
    let followed = followed(facts.metric());
    let mut figures: Vec<String> = followed.iter().map(|what| figure(head, history, what)).collect();
    let rates: Vec<f64> = history.iter().filter_map(|epoch| epoch.at("/learning_rate").number()).collect();
    if rates.windows(2).any(|pair| pair[0] != pair[1]) {
        figures.push(learning_rate(history, &rates));
    }
    format!("<p>{}</p>{}", escape(&words(head, history)), grid(&figures))
}

fn words(head: &Value, history: &[Value]) -> String {
    let name = verdict::name(head.at("/head").text());
    let stopped = match head.at("/stopped").text() {
        "early_stopping" => " It stopped early, because the validation score no longer improved.",
        "asked" => " It was stopped on request.",
        "diverged" => " Training diverged after that.",
        _ => "",
    };
    match head.at("/best_epoch").as_u64() {
        Some(best) => format!(
            "The {name} was trained for {}; the model has the weights of epoch {}.{stopped}",
            counted(history.len() as u64, "epoch"),
            best + 1
        ),
        None => format!("The {name} was trained for {} so far.", counted(history.len() as u64, "epoch")),
    }
}

fn figure(head: &Value, history: &[Value], Followed { key, name, read }: &Followed) -> String {
    let title = &if *key == "loss" { "Loss".to_owned() } else { capital(name) };
    let series = |rows: &str| -> Vec<(f64, f64)> {
        let point = |epoch: &Value| Some((epoch.at("/epoch").number()? + 1.0, epoch[rows][*key].number()?));
        history.iter().filter_map(point).collect()
    };
    let (train, val) = (series("train"), series("val"));
    let all = train.iter().chain(&val).map(|point| point.1);
    let mut plot = Plot::new(Axis::around("epoch", [1.0, history.len() as f64]), Axis::around(name, all));
    if let Some(best) = head.at("/best_epoch").number().filter(|_| !val.is_empty()) {
        plot.mark(best + 1.0, &format!("epoch {}", best + 1.0));
    }
    plot.line("c1 dashed", thinned(&train, MAX_POINTS));
    plot.line("c0", thinned(&val, MAX_POINTS));
    let rows = history.iter().map(|epoch| {
        vec![
            (epoch.at("/epoch").count() + 1).to_string(),
            score(epoch["train"][*key].number()),
            score(epoch["val"][*key].number()),
        ]
    });
    Figure {
        title,
        legend: vec![
            ("c0".to_owned(), "validation".to_owned()),
            ("c1 dashed".to_owned(), "training".to_owned()),
        ],
        svg: plot.svg(title),
        read,
        numbers: Table::new(["epoch", "training", "validation"]).with(rows),
        wide: false,
    }
    .html()
}

fn learning_rate(history: &[Value], rates: &[f64]) -> String {
    let mut plot =
        Plot::new(Axis::around("epoch", [1.0, history.len() as f64]), Axis::suiting("learning rate", rates));
    let points: Vec<(f64, f64)> = rates.iter().enumerate().map(|(i, &rate)| (i as f64 + 1.0, rate)).collect();
    // Only where it changes.
    let corners: Vec<(f64, f64)> = (0..points.len())
        .filter(|&i| i == 0 || i + 1 == points.len() || points[i].1 != points[i - 1].1)
        .map(|i| points[i])
        .collect();
    plot.steps("c2", &corners);
    Figure {
        title: "Learning rate",
        legend: Vec::new(),
        svg: plot.svg("learning rate of each epoch"),
        read: "It drops when the validation score stops improving.",
        numbers: Table::new(["from epoch", "learning rate"])
            .with(corners.iter().map(|(epoch, rate)| vec![epoch.to_string(), figures(*rate)])),
        wide: false,
    }
    .html()
}
