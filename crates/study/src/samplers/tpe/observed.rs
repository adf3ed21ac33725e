//! What TPE sees of a study: trials that ended well or early, and those under way.

use std::collections::BTreeMap;

use crate::distribution::Distribution;
use crate::samplers::History;
use crate::trial::{Direction, Params, State, Trial};

/// A trial that counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed<'h> {
    pub number: u64,
    pub params: &'h Params,
    /// How good it is; `None`: under way.
    pub rank: Option<Rank>,
}

/// The better, the smaller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rank {
    class: Class,
    first: f64,
    second: f64,
}

/// Pruned trials stand behind all complete ones, and infeasible ones behind these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Complete,
    Pruned,
    Infeasible,
}

/// The trials that count, in the order of their numbers: complete, pruned and, if wanted, running ones.
pub(super) fn observed<'h>(history: History<'h>, with_running: bool) -> Vec<Observed<'h>> {
    let finished = history.finished.iter().filter_map(|trial| {
        let rank = rank(trial, history.direction)?;
        Some(Observed { number: trial.number, params: &trial.params, rank: Some(rank) })
    });
    let running = history.running.iter().filter(|_| with_running);
    let running = running.map(|(number, params)| Observed { number: *number, params, rank: None });
    let mut all: Vec<Observed<'h>> = finished.chain(running).collect();
    if !all.is_sorted_by_key(|trial| trial.number) {
        all.sort_by_key(|trial| trial.number);
    }
    all
}

fn rank(trial: &Trial, direction: Direction) -> Option<Rank> {
    let signed = |value: f64| match direction {
        // Adding 0 makes one zero of two, which Python's comparison does not tell apart.
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

/// By how much the trial's constraints are violated in all: the system attributes `constraints` (a list) and
/// `constraints:NAME` that Optuna keeps them in.
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

/// Indices of `trials`, in the order of their numbers.
#[derive(Debug)]
pub(super) struct Split {
    pub below: Vec<usize>,
    pub above: Vec<usize>,
}

/// The share of good trials: Optuna's `gamma`, with its rounding.
pub(super) fn gamma(n_finished: usize) -> usize {
    ((0.1 * n_finished as f64).ceil() as usize).min(25)
}

/// The `n_below` best trials, and the others. Of equals the one with the smaller number is the better.
pub(super) fn split(trials: &[Observed<'_>], n_below: usize) -> Split {
    let ranked = trials.iter().enumerate().filter_map(|(i, trial)| Some((trial.rank?, i)));
    let mut ranked: Vec<(Rank, usize)> = ranked.collect();
    let n_below = n_below.min(ranked.len());
    if n_below > 0 && n_below < ranked.len() {
        ranked.select_nth_unstable_by(n_below - 1, |(a, i), (b, j)| {
            let by_value = a.first.total_cmp(&b.first).then(a.second.total_cmp(&b.second));
            a.class.cmp(&b.class).then(by_value).then(i.cmp(j))
        });
    }
    let mut is_below = vec![false; trials.len()];
    for &(_, i) in &ranked[..n_below] {
        is_below[i] = true;
    }
    let (below, above) = (0..trials.len()).partition(|&i| is_below[i]);
    Split { below, above }
}

/// A parameter's name and distribution.
pub(super) type Named<'p> = (&'p str, &'p Distribution);

/// Parameters that are drawn together, in the order of their names, and their values: one column a parameter, one row a
/// trial, NaN where a trial does not have it.
#[derive(Debug, Default)]
pub(super) struct Joint<'h> {
    pub params: Vec<Named<'h>>,
    pub columns: Vec<Vec<f64>>,
}

/// The parameters that all finished trials have with the same distribution; without those of a single value.
pub(super) fn intersection<'h>(trials: &[Observed<'h>]) -> Joint<'h> {
    let Some(first) = trials.iter().find(|trial| trial.rank.is_some()) else { return Joint::default() };
    let params = first.params.iter().map(|(name, (distribution, _))| (name.as_str(), distribution));
    let params: Vec<Named<'h>> = params.filter(|(_, d)| !d.is_single()).collect();
    let mut columns = vec![vec![f64::NAN; trials.len()]; params.len()];
    let mut shared = vec![true; params.len()];
    for (row, trial) in trials.iter().enumerate() {
        let finished = trial.rank.is_some();
        let mut theirs = trial.params.iter();
        let mut next = theirs.next();
        for ((&(name, distribution), column), shared) in params.iter().zip(&mut columns).zip(&mut shared) {
            // Both stand in the order of their names, and nearly always the names are the same ones.
            while next.is_some_and(|(other, _)| other != name && other.as_str() < name) {
                next = theirs.next();
            }
            match next {
                Some((other, (recorded, value)))
                    if other == name && (!finished || recorded.same(distribution)) =>
                {
                    column[row] = usable(*value, distribution);
                    next = theirs.next();
                }
                _ => *shared &= !finished,
            }
        }
    }
    let kept =
        params.into_iter().zip(columns).zip(shared).filter(|(_, shared)| *shared).map(|(param, _)| param);
    let (params, columns) = kept.unzip();
    Joint { params, columns }
}

/// These parameters, and their values in all trials.
pub(super) fn gathered<'p>(trials: &[Observed<'_>], params: &[Named<'p>]) -> Joint<'p> {
    let column = |&(name, distribution): &Named<'p>| {
        let value = |trial: &Observed<'_>| trial.params.get(name).map_or(f64::NAN, |(_, value)| *value);
        trials.iter().map(|trial| usable(value(trial), distribution)).collect()
    };
    Joint { params: params.to_vec(), columns: params.iter().map(column).collect() }
}

/// The value, or NaN if nothing can stand around it: a database may hold what a distribution forbids.
fn usable(value: f64, distribution: &Distribution) -> f64 {
    let fits = match distribution {
        Distribution::Categorical { .. } => distribution.contains(value),
        _ => value.is_finite() && (value > 0.0 || !distribution.is_log()),
    };
    if fits { value } else { f64::NAN }
}

impl Joint<'_> {
    /// The values of those of the trials that have all of the parameters.
    pub(super) fn rows(&self, which: &[usize]) -> Vec<Vec<f64>> {
        let complete: Vec<usize> = which
            .iter()
            .copied()
            .filter(|&row| self.columns.iter().all(|column| !column[row].is_nan()))
            .collect();
        self.columns.iter().map(|column| complete.iter().map(|&row| column[row]).collect()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::usable;
    use crate::distribution::{Choice, Distribution};

    #[test]
    fn what_no_kernel_can_stand_around_is_not_there() {
        let log = Distribution::Float { low: 0.1, high: 1.0, log: true, step: None };
        let words = Distribution::Categorical { choices: vec![Choice::Int(0), Choice::Int(1)] };
        for (value, distribution) in [(0.0, &log), (f64::INFINITY, &log), (2.0, &words), (-1.0, &words)] {
            assert!(usable(value, distribution).is_nan());
        }
        assert_eq!((usable(5.0, &log), usable(1.0, &words)), (5.0, 1.0));
    }
}
