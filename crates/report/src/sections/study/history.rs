//! The trials in their order, and the best so far.

use headsmith_metrics::Metric;

use super::{MAX_DOTS, class, legend, said};
use crate::axis::Axis;
use crate::facts::{Facts, Trial};
use crate::figure::Figure;
use crate::plot::Plot;
use crate::table::Table;
use crate::text::score;

pub(super) fn figure(facts: &Facts) -> Option<String> {
    let metric = facts.metric();
    let trials: Vec<&Trial> = facts.trials.iter().filter(|trial| trial.value.is_some()).collect();
    let first = trials.first()?;
    let best = best_so_far(&trials, metric);
    let (low, high) = (first.number as f64, trials.last().map_or(0.0, |trial| trial.number as f64));
    let values = trials.iter().filter_map(|trial| trial.value);
    let mut plot = Plot::sized(
        720.0,
        290.0,
        Axis::around("trial", [low, high]),
        Axis::around(&metric.to_string(), values),
    );
    plot.steps(
        "c1",
        &best
            .iter()
            .map(|(trial, value)| (*trial as f64, *value))
            .chain(best.last().map(|last| (high, last.1)))
            .collect::<Vec<_>>(),
    );
    let step = trials.len().div_ceil(MAX_DOTS).max(1);
    for trial in trials.iter().step_by(step) {
        plot.dot(class(trial), (trial.number as f64, trial.value.unwrap_or(0.0)), 3.5, &said(trial, metric));
    }
    let mut keys = legend(&trials);
    keys.push(("c1".to_owned(), "best so far".to_owned()));
    let rows = best.iter().map(|(trial, value)| vec![trial.to_string(), score(*value)]);
    Some(
        Figure {
            title: "History",
            legend: keys,
            svg: plot.svg("the trials in their order, and the best so far"),
            read: "A dot is a trial. Where the line has long been flat, more trials would hardly have helped; where it still rose \
                   at the end, they might have. Pruned trials stand at the last score that they reported.",
            numbers: Table::new(["best since trial".to_owned(), metric.to_string()]).with(rows),
            wide: true,
        }
        .html(),
    )
}

/// The complete trials that were better than all before them.
fn best_so_far(trials: &[&Trial], metric: Metric) -> Vec<(u64, f64)> {
    let mut best: Vec<(u64, f64)> = Vec::new();
    for trial in trials.iter().filter(|trial| trial.is_complete()) {
        let value = trial.value.unwrap_or(metric.worst());
        if best.last().is_none_or(|last| metric.is_better(value, last.1)) {
            best.push((trial.number, value));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_trials_are_the_best() {
        let trial = |number, state: &str, value| Trial {
            number,
            state: state.into(),
            value: Some(value),
            ..Default::default()
        };
        let trials = [
            trial(0, "complete", 0.5),
            trial(1, "pruned", 0.9),
            trial(2, "complete", 0.4),
            trial(3, "complete", 0.6),
            trial(4, "complete", 0.6),
        ];
        assert_eq!(best_so_far(&trials.iter().collect::<Vec<_>>(), Metric::default()), [(0, 0.5), (3, 0.6)]);
    }
}
