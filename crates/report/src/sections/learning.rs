//! The learning curves of the fit whose model predicts, or of the last one that has any.

use headsmith_heads::EpochRecord;
use headsmith_heads::event::StopReason;
use headsmith_metrics::Metric;

use crate::axis::Axis;
use crate::facts::Facts;
use crate::figure::{Figure, grid};
use crate::plot::{Plot, thinned};
use crate::table::Table;
use crate::text::{capital, counted, escape, figures, score};

/// The most points of a line.
const MAX_POINTS: usize = 300;

/// A fit with epochs.
struct Fit<'f> {
    title: &'f str,
    history: &'f [EpochRecord],
    best_epoch: Option<usize>,
    stopped: Option<StopReason>,
}

/// A score that is drawn by epoch.
struct Followed {
    metric: Metric,
    title: String,
    /// Its name on the axis.
    name: &'static str,
    /// How it is read.
    read: &'static str,
}

/// The loss, and the metric that chose the epoch; weighted F1 where that is the loss.
fn followed(metric: Metric) -> [Followed; 2] {
    let metric = if metric.is_greater_better() { metric } else { Metric::WeightedF1 };
    [
        Followed {
            metric: Metric::LogLoss,
            title: "Loss".to_owned(),
            name: "cross-entropy (nats)",
            read: "Lower is better. When the validation line rises while the training line falls, the head overfits.",
        },
        Followed {
            metric,
            title: capital(metric.label()),
            name: metric.label(),
            read: "Higher is better. The dotted line marks the epoch whose weights the model has.",
        },
    ]
}

pub(crate) fn html(facts: &Facts) -> String {
    let Some(fit) = fit(facts) else { return String::new() };
    let mut figures: Vec<String> =
        followed(facts.metric()).iter().map(|followed| figure(&fit, followed)).collect();
    let rates: Vec<f64> = fit.history.iter().map(|epoch| epoch.learning_rate).collect();
    if rates.windows(2).any(|pair| pair[0] != pair[1]) {
        figures.push(learning_rate(&rates));
    }
    format!("<p>{}</p>{}", escape(&words(&fit)), grid(&figures))
}

/// Of a run that was killed in a fit, that fit; else the last one that has epochs.
fn fit(facts: &Facts) -> Option<Fit<'_>> {
    let under_way = facts.fitting.as_ref().filter(|fitting| !fitting.history.is_empty());
    if let Some(fitting) = under_way {
        return Some(Fit {
            title: &fitting.title,
            history: &fitting.history,
            best_epoch: None,
            stopped: None,
        });
    }
    let head = facts.report.heads.iter().rfind(|head| !head.history.is_empty())?;
    Some(Fit {
        title: head.title(),
        history: &head.history,
        best_epoch: head.best_epoch,
        stopped: head.stopped,
    })
}

fn words(Fit { title, history, best_epoch, stopped }: &Fit<'_>) -> String {
    let epochs = counted(history.len(), "epoch");
    let Some(best) = best_epoch else { return format!("The {title} was trained for {epochs} so far.") };
    let stopped = match stopped {
        Some(StopReason::EarlyStopping) => {
            " It stopped early, because the validation score no longer improved."
        }
        Some(StopReason::Asked) => " It was stopped on request.",
        Some(StopReason::Diverged) => " Training diverged after that.",
        _ => "",
    };
    format!("The {title} was trained for {epochs}; the model has the weights of epoch {}.{stopped}", best + 1)
}

fn figure(fit: &Fit<'_>, Followed { metric, title, name, read }: &Followed) -> String {
    let history = fit.history;
    let train_of = |epoch: &EpochRecord| epoch.train.get(*metric);
    let val_of = |epoch: &EpochRecord| epoch.val.map(|val| val.get(*metric));
    let at = |epoch: &EpochRecord| epoch.epoch as f64 + 1.0;
    let train: Vec<(f64, f64)> = history.iter().map(|epoch| (at(epoch), train_of(epoch))).collect();
    let val: Vec<(f64, f64)> = history.iter().filter_map(|epoch| Some((at(epoch), val_of(epoch)?))).collect();
    let all = train.iter().chain(&val).map(|point| point.1);
    let mut plot = Plot::new(Axis::around("epoch", [1.0, history.len() as f64]), Axis::around(name, all));
    if let Some(best) = fit.best_epoch.filter(|_| !val.is_empty()) {
        plot.mark(best as f64 + 1.0, &format!("epoch {}", best + 1));
    }
    plot.line("c1 dashed", thinned(&train, MAX_POINTS));
    plot.line("c0", thinned(&val, MAX_POINTS));
    let rows = history
        .iter()
        .map(|epoch| vec![(epoch.epoch + 1).to_string(), score(train_of(epoch)), score(val_of(epoch))]);
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

fn learning_rate(rates: &[f64]) -> String {
    let mut plot =
        Plot::new(Axis::around("epoch", [1.0, rates.len() as f64]), Axis::suiting("learning rate", rates));
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
        read: "The learning rate of each epoch: it follows its schedule, or drops where the score stopped improving.",
        numbers: Table::new(["from epoch", "learning rate"])
            .with(corners.iter().map(|(epoch, rate)| vec![epoch.to_string(), figures(*rate)])),
        wide: false,
    }
    .html()
}
