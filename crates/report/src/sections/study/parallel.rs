//! Parallel coordinates: a line a trial, over an axis for each parameter.

use std::fmt::Write;

use super::{Param, said};
use crate::axis::Axis;
use crate::facts::{Facts, Trial};
use crate::figure::Figure;
use crate::metric::order;
use crate::plot;
use crate::table::Table;
use crate::text::{escape, score, short, value};

/// The most parameters: the most important ones.
const MAX_PARAMS: usize = 8;
/// The most lines: the best trials.
const MAX_LINES: usize = 400;
const WIDTH: f64 = 880.0;
const TOP: f64 = 34.0;
const HEIGHT: f64 = 230.0;
/// Room for the names of values on the outermost axes.
const SIDE: f64 = 52.0;

pub(super) fn figure(facts: &Facts) -> Option<String> {
    let metric = facts.metric();
    let mut trials: Vec<&Trial> =
        facts.trials.iter().filter(|trial| trial.is_complete() && trial.value.is_some()).collect();
    let names: Vec<&str> = facts.searched().into_iter().take(MAX_PARAMS).collect();
    if trials.len() < 2 || names.is_empty() {
        return None;
    }
    // The best are drawn last, above the others.
    trials.sort_by(|a, b| order(metric, a.value.unwrap_or(0.0), b.value.unwrap_or(0.0)));
    let n_best = trials.len().div_ceil(10);
    let params: Vec<Param> = names.iter().map(|name| Param::of(name, &trials)).collect();
    let score_axis = Axis::around(&metric.to_string(), trials.iter().filter_map(|trial| trial.value));
    let gap = (WIDTH - 2.0 * SIDE) / names.len() as f64;
    let mut body = String::new();
    let first = trials.len().saturating_sub(MAX_LINES);
    for (rank, trial) in trials.iter().enumerate().skip(first) {
        let is_best = rank + n_best >= trials.len();
        let mut path = String::new();
        for (i, (name, param)) in names.iter().zip(&params).enumerate() {
            // A trial that does not have the parameter passes below its axis.
            let y = param.value(name, trial).map_or(TOP + HEIGHT + 12.0, |value| place(&param.axis, value));
            let _ = write!(path, "{}{:.1} {y:.1}", if i == 0 { 'M' } else { 'L' }, SIDE + gap * i as f64);
        }
        let _ = write!(path, "L{:.1} {:.1}", WIDTH - SIDE, place(&score_axis, trial.value.unwrap_or(0.0)));
        let class = if is_best { "c1" } else { "c0 thin" };
        let _ = write!(
            body,
            "<path class=\"line {class}\" d=\"{path}\">{}</path>",
            plot::title(&said(trial, metric))
        );
    }
    for (i, (name, param)) in names.iter().zip(&params).enumerate() {
        body += &axis(SIDE + gap * i as f64, name, &param.axis, i % 2 == 1);
    }
    body += &axis(WIDTH - SIDE, &metric.to_string(), &score_axis, names.len() % 2 == 1);
    let rows = trials.iter().rev().take(n_best).map(|trial| {
        let params = names.iter().map(|name| trial.params.get(*name).map_or(String::new(), value));
        [trial.number.to_string(), score(trial.value)].into_iter().chain(params).collect()
    });
    Some(
        Figure {
            title: "Parallel coordinates",
            legend: vec![("c1".to_owned(), "the best tenth".to_owned()), ("c0".to_owned(), "other complete trials".to_owned())],
            svg: plot::svg(WIDTH, TOP + HEIGHT + 26.0, "parameters and scores of the complete trials", &body),
            read: "A line is a trial: it crosses each axis at its value of that parameter, and the right edge at its score. Where \
                   the best lines run close together, the parameter matters; a trial without a parameter passes below its axis.",
            numbers: Table::new(["trial", &metric.to_string()].into_iter().chain(names.iter().copied())).with(rows),
            wide: true,
        }
        .html(),
    )
}

fn place(axis: &Axis, value: f64) -> f64 {
    TOP + HEIGHT * (1.0 - axis.place(value))
}

/// Names are at two heights, so that long ones do not overlap.
fn axis(x: f64, name: &str, axis: &Axis, is_low: bool) -> String {
    let mut drawn = format!("<path class=\"frame\" d=\"M{x:.1} {TOP}V{:.1}\"/>", TOP + HEIGHT);
    let _ = write!(
        drawn,
        "<text class=\"middle strong\" x=\"{x:.1}\" y=\"{}\">{}</text>",
        if is_low { 25 } else { 11 },
        escape(&short(name, 22))
    );
    for (value, name) in &axis.ticks {
        let y = place(axis, *value);
        let _ = write!(
            drawn,
            "<path class=\"frame\" d=\"M{:.1} {y:.1}h4\"/><text class=\"tick halo\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x - 2.0,
            x + 5.0,
            y + 4.0,
            escape(&short(name, 14))
        );
    }
    drawn
}
