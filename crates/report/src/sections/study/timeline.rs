//! When each trial ran, and on which of the places where trials ran at once.

use super::{class, legend, said};
use crate::axis::Axis;
use crate::facts::{Facts, Trial};
use crate::figure::Figure;
use crate::plot::Plot;
use crate::table::Table;

/// The most lanes that are drawn.
const MAX_LANES: usize = 64;
/// The most bars that are drawn one by one.
const MAX_BARS: usize = 1_000;

/// A trial with its lane, its beginning and its end.
type Bar<'t> = (&'t Trial, usize, f64, f64);

pub(super) fn figure(facts: &Facts) -> Option<String> {
    let metric = facts.metric();
    let bars = bars(&facts.trials);
    let end = bars.iter().map(|bar| bar.3).fold(0.0, f64::max);
    let n_lanes = bars.iter().map(|bar| bar.1 + 1).max()?.min(MAX_LANES);
    let (scale, unit) = match end {
        end if end < 180.0 => (1.0, "seconds"),
        end if end < 10_800.0 => (60.0, "minutes"),
        _ => (3600.0, "hours"),
    };
    let names: Vec<String> = (0..n_lanes).rev().map(|lane| (lane + 1).to_string()).collect();
    let x = Axis::around(&format!("{unit} since the study began"), [0.0, end / scale]);
    let lane = if n_lanes > 16 { 12.0 } else { 24.0 };
    let mut plot = Plot::sized(720.0, 60.0 + lane * n_lanes as f64, x, Axis::names("worker", &names));
    for (trial, lane, began, ended) in merged(&bars, end).into_iter().filter(|bar| bar.1 < n_lanes) {
        let y = (n_lanes - 1 - lane) as f64;
        let class = filled(class(trial));
        // Of many bars none is large enough to rest a pointer on.
        let said = if bars.len() > MAX_BARS { String::new() } else { said(trial, metric) };
        plot.bar(class, (began / scale, y + 0.38), (ended / scale, y - 0.38), &said);
    }
    let shown: Vec<&Trial> = bars.iter().map(|bar| bar.0).collect();
    let keys = legend(&shown).into_iter().map(|(class, state)| (filled(&class).to_owned(), state));
    let row = |(trial, lane, began, ended): &Bar<'_>| {
        vec![
            trial.number.to_string(),
            trial.state.clone(),
            (lane + 1).to_string(),
            format!("{began:.2}"),
            format!("{ended:.2}"),
        ]
    };
    Some(
        Figure {
            title: "Timeline",
            legend: keys.collect(),
            svg: plot.svg("when each trial ran"),
            read: "A bar is a trial from its beginning to its end, a row a place where trials ran one after another. Short grey bars \
                   are what pruning saved; gaps are time in which nothing ran.",
            numbers: Table::new(["trial", "state", "worker", "began (s)", "ended (s)"]).words(&[1]).with(bars.iter().map(row)),
            wide: true,
        }
        .html(),
    )
}

/// The class of a bar, which is filled where a dot is hollow.
fn filled(class: &str) -> &str {
    class.trim_end_matches(" hollow")
}

/// The bars; of many, those that nothing seen parts are one.
fn merged<'t>(bars: &[Bar<'t>], end: f64) -> Vec<Bar<'t>> {
    if bars.len() <= MAX_BARS {
        return bars.to_vec();
    }
    let mut sorted = bars.to_vec();
    sorted.sort_by(|a, b| a.1.cmp(&b.1).then(a.2.total_cmp(&b.2)));
    let mut merged: Vec<Bar<'t>> = Vec::new();
    for bar in sorted {
        let joins = |last: &&mut Bar<'t>| {
            last.1 == bar.1 && last.0.state == bar.0.state && bar.2 - last.3 < end / MAX_BARS as f64
        };
        match merged.last_mut().filter(joins) {
            Some(last) => last.3 = bar.3,
            None => merged.push(bar),
        }
    }
    merged
}

/// Each trial in the first lane that is free when it begins.
fn bars(trials: &[Trial]) -> Vec<Bar<'_>> {
    let mut timed: Vec<(&Trial, f64, f64)> =
        trials.iter().filter_map(|trial| Some((trial, trial.began?, trial.ended?))).collect();
    timed.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut free: Vec<f64> = Vec::new();
    let lane = |(_, began, ended): (&Trial, f64, f64)| {
        // Times are rounded: a trial may seem to begin before the one before it has ended.
        let lane = free.iter().position(|end| *end <= began + 0.005).unwrap_or(free.len());
        if lane == free.len() {
            free.push(ended);
        }
        free[lane] = ended;
        lane
    };
    let lanes: Vec<usize> = timed.iter().copied().map(lane).collect();
    timed.into_iter().zip(lanes).map(|((trial, began, ended), lane)| (trial, lane, began, ended)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_at_once_have_lanes_of_their_own() {
        let trial = |number, began, ended| Trial {
            number,
            began: Some(began),
            ended: Some(ended),
            ..Default::default()
        };
        let trials = [trial(0, 0.0, 5.0), trial(1, 0.0, 2.0), trial(2, 2.0, 9.0), trial(3, 5.0, 6.0)];
        assert_eq!(bars(&trials).iter().map(|bar| bar.1).collect::<Vec<_>>(), [0, 1, 1, 0]);
    }
}
