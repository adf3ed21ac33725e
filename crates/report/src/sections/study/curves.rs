//! The reports of the trials from epoch to epoch, and where pruning ended them.

use super::{best_of, said};
use crate::axis::Axis;
use crate::facts::{Facts, Trial};
use crate::figure::Figure;
use crate::plot::{Plot, thinned};
use crate::table::Table;
use crate::text::score;

/// The most trials that are drawn, and the most points of each.
const MAX_TRIALS: usize = 120;
const MAX_POINTS: usize = 40;

pub(super) fn figure(facts: &Facts) -> Option<String> {
    let metric = facts.metric();
    let trials: Vec<&Trial> = facts.trials.iter().filter(|trial| !trial.reports.is_empty()).collect();
    if trials.is_empty() {
        return None;
    }
    let step = trials.len().div_ceil(MAX_TRIALS).max(1);
    let best = best_of(facts);
    let longest = trials.iter().map(|trial| trial.reports.len()).max().unwrap_or(1);
    let values = trials.iter().flat_map(|trial| trial.reports.iter().map(|report| report.1));
    let mut plot =
        Plot::new(Axis::around("epoch", [1.0, longest as f64]), Axis::around(&metric.to_string(), values));
    for trial in trials.iter().step_by(step) {
        let points =
            thinned(&trial.reports, MAX_POINTS).into_iter().map(|(epoch, value)| (epoch as f64 + 1.0, value));
        let is_complete = trial.is_complete();
        plot.line(if is_complete { "c0 thin" } else { "cg thin" }, points);
        if let Some(&(epoch, value)) = trial.reports.last().filter(|_| !is_complete) {
            plot.dot("cg hollow", (epoch as f64 + 1.0, value), 2.5, &said(trial, metric));
        }
    }
    if let Some(best) = best {
        plot.line(
            "c1",
            thinned(&best.reports, MAX_POINTS).into_iter().map(|(epoch, value)| (epoch as f64 + 1.0, value)),
        );
    }
    let row = |trial: &&Trial| {
        let best = trial
            .reports
            .iter()
            .map(|report| report.1)
            .fold(metric.worst(), |best, value| if metric.is_better(value, best) { value } else { best });
        let last = trial.reports.last().map(|report| report.1);
        vec![
            trial.number.to_string(),
            trial.state.clone(),
            trial.reports.len().to_string(),
            score(best),
            score(last),
        ]
    };
    Some(
        Figure {
            title: "Epochs of the trials",
            legend: vec![
                ("c1".to_owned(), "the best trial".to_owned()),
                ("c0".to_owned(), "complete".to_owned()),
                ("cg hollow".to_owned(), "ended early".to_owned()),
            ],
            svg: plot.svg("learning curves of the trials"),
            read: "A line is a trial; a ring is where it was ended early. Lines that end high and still rise would speak against the \
                   pruner.",
            numbers: Table::new(["trial", "state", "epochs", "best", "last"]).words(&[1]).with(trials.iter().map(row)),
            wide: false,
        }
        .html(),
    )
}
