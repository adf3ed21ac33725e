//! Splits the trials of a study into good ones and others.

use std::collections::BTreeMap;

use super::table::Table;
use crate::trial::{Direction, State, Trial};

/// A trial's rank: smaller is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rank {
    class: Class,
    first: f64,
    second: f64,
}

/// Pruned trials rank after all complete ones, and infeasible ones after these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Complete,
    Pruned,
    Infeasible,
}

/// The rank of a trial; `None` if it does not count.
pub(super) fn rank(trial: &Trial, direction: Direction) -> Option<Rank> {
    let signed = |value: f64| match direction {
        // Adding 0 turns -0 into 0: Python's comparison does not distinguish them.
        Direction::Minimize => value + 0.0,
        Direction::Maximize => -value + 0.0,
    };
    if !matches!(trial.state, State::Complete | State::Pruned) {
        return None;
    }
    let violation = violation(trial);
    if violation > 0.0 {
        return Some(Rank { class: Class::Infeasible, first: violation, second: 0.0 });
    }
    if trial.state == State::Complete {
        let value = trial.value.map_or(f64::INFINITY, signed);
        return Some(Rank { class: Class::Complete, first: value, second: 0.0 });
    }
    let (first, second) = match trial.intermediate.last_key_value() {
        Some((step, value)) if value.is_nan() => (-(*step as f64), f64::INFINITY),
        Some((step, value)) => (-(*step as f64), signed(*value)),
        None => (1.0, 0.0),
    };
    Some(Rank { class: Class::Pruned, first: first + 0.0, second })
}

/// The total violation of the trial's constraints. Optuna keeps them in the system attributes `constraints` (a list)
/// and `constraints:NAME`.
fn violation(trial: &Trial) -> f64 {
    const LIST: &str = "constraints";
    let mut constraints = BTreeMap::new();
    for (key, value) in trial.system_attrs.range(LIST.to_owned()..) {
        let Some(rest) = key.strip_prefix(LIST) else { break };
        if let (true, Some(list)) = (rest.is_empty(), value.as_array()) {
            constraints
                .extend(list.iter().enumerate().map(|(i, c)| (i.to_string(), c.as_f64().unwrap_or(0.0))));
        } else if let Some(name) = rest.strip_prefix(':') {
            constraints.insert(name.to_owned(), value.as_f64().unwrap_or(0.0));
        }
    }
    constraints.values().filter(|&&c| c > 0.0).sum()
}

/// Rows of the table, in the order of the trials' numbers.
#[derive(Debug)]
pub(super) struct Split {
    pub below: Vec<u32>,
    pub above: Vec<u32>,
}

/// The share of good trials: Optuna's `gamma`, with its rounding.
pub(super) fn gamma(n_finished: usize) -> usize {
    ((0.1 * n_finished as f64).ceil() as usize).min(25)
}

/// The `n_below` best trials, and the others. Of equals, the one with the smaller number is better.
pub(super) fn split(table: &Table, n_below: usize) -> Split {
    let rows = table.in_order.iter().zip(0..);
    let mut ranked: Vec<(Rank, u32)> = rows.filter_map(|(&row, i)| Some((table.rank(row)?, i))).collect();
    let n_below = n_below.min(ranked.len());
    if n_below > 0 && n_below < ranked.len() {
        ranked.select_nth_unstable_by(n_below - 1, |(a, i), (b, j)| {
            let by_value = a.first.total_cmp(&b.first).then(a.second.total_cmp(&b.second));
            a.class.cmp(&b.class).then(by_value).then(i.cmp(j))
        });
    }
    let mut is_below = vec![false; table.in_order.len()];
    for &(_, i) in &ranked[..n_below] {
        is_below[i as usize] = true;
    }
    let sides = |wanted: bool| {
        let rows = table.in_order.iter().zip(&is_below);
        rows.filter(|(_, is_below)| **is_below == wanted).map(|(row, _)| *row).collect()
    };
    Split { below: sides(true), above: sides(false) }
}
