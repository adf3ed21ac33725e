//! The selection of a pool's members: forward, from the best one (Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble selection from libraries of models",
//! ICML 2004), with weights that are fitted.
//!
//! Each turn fits the pool of the members so far with each of the others, and takes the one with the lowest log loss. It stays only if the log loss on rows that the
//! fits did not see is lower by more than the standard error of the difference, row by row: among many candidates, one is always better by chance.
//!
//! The probabilities that are returned are honest: for each of five groups of rows, members are selected and weights fitted on the other four.

use std::collections::{BTreeMap, BTreeSet};

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::fit::{Rows, logs};
use super::{LogLinear, check};
use crate::calibration::{Gain, Targets, sample};
use crate::head::Folds;

/// The members that were selected, and their pool.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selected {
    /// The members, as indices into the candidates, in the order in which they were added.
    pub members: Vec<usize>,
    /// Their pool, fitted on all rows; weights in the order of `members`.
    pub pool: LogLinear,
    /// The pool's probabilities of all rows (`n_samples x n_classes`), each by a selection and a fit on other groups of rows.
    pub proba: Matrix,
    /// By how much each member lowered the mean log loss on rows that the fit did not see when it was added, in nats; 0 for the first.
    pub gains: Vec<f64>,
}

/// Members with less weight are left out.
const LEAST_WEIGHT: f64 = 0.02;
/// Logits of the rows that select, and the fewest of these rows.
const MOST_LOGITS: usize = 500_000;
const FEWEST_ROWS: usize = 2_000;
/// Steps that compare candidates, from the pool without them.
const ITER_OF_CANDIDATES: usize = 4;

/// The logits of each candidate that a selection among predictions of `n_samples` rows and `n_classes` looks at: its time is about proportional to them.
pub fn n_logits(n_samples: usize, n_classes: usize) -> usize {
    n_samples.min(n_selecting(n_classes)) * n_classes
}

/// The most rows that select.
fn n_selecting(n_classes: usize) -> usize {
    (MOST_LOGITS / n_classes.max(1)).max(FEWEST_ROWS)
}

/// Selects up to `max_members` of the candidates, each with its probabilities (`n_samples x n_classes`) of the same rows, which it did not learn from.
/// The rows of a fold stay together. Members are selected on a part of the rows where there are more than half a million logits.
///
/// # Panics
/// When there are no candidates, they differ in shape, there are other rows than targets, or a row's class has no column.
pub fn select(
    candidates: &[MatRef<'_>],
    targets: Targets<'_>,
    folds: Folds<'_>,
    max_members: usize,
    pool: &Pool,
) -> Selected {
    check(candidates, targets.len());
    let groups = targets.groups(candidates[0].n_cols(), folds);
    let selection = Selection::new(candidates, targets, &groups, max_members, pool);
    let mut whole = Whole { candidates, targets, logs: BTreeMap::new(), pool };
    let mut proba = Matrix::zeros(targets.len(), candidates[0].n_cols());
    for group in groups.iter().copied().collect::<BTreeSet<usize>>() {
        let (own, others): (Vec<usize>, Vec<usize>) = (0..groups.len()).partition(|&i| groups[i] == group);
        let (members, fitted) = whole.fit(selection.forward(Some(group)).0, &others);
        let rows: Vec<Matrix> = members.iter().map(|&member| candidates[member].gather(&own)).collect();
        let views: Vec<MatRef<'_>> = rows.iter().map(Matrix::view).collect();
        let predicted = fitted.apply(&views, pool);
        own.iter().enumerate().for_each(|(at, &i)| proba.row_mut(i).copy_from_slice(predicted.row(at)));
    }
    let (added, mut gains) = selection.forward(None);
    let all: Vec<usize> = (0..targets.len()).collect();
    let (members, fitted) = whole.fit(added.clone(), &all);
    let mut stays = added.iter().map(|member| members.contains(member));
    gains.retain(|_| stays.next().unwrap_or(false));
    Selected { members, pool: fitted, proba, gains }
}

/// All rows, for the final fits; logarithms of the members that were selected.
struct Whole<'a> {
    candidates: &'a [MatRef<'a>],
    targets: Targets<'a>,
    logs: BTreeMap<usize, Matrix>,
    pool: &'a Pool,
}

impl Whole<'_> {
    /// Fits the pool of the members on some rows, again without those of next to no weight.
    fn fit(&mut self, mut members: Vec<usize>, rows: &[usize]) -> (Vec<usize>, LogLinear) {
        let all: Vec<usize> = (0..self.targets.len()).collect();
        for &member in &members {
            let of = self.candidates[member];
            self.logs.entry(member).or_insert_with(|| logs(of, &all, self.pool));
        }
        loop {
            let views: Vec<MatRef<'_>> = members.iter().map(|member| self.logs[member].view()).collect();
            let fitted = Rows { logs: &views, targets: self.targets, rows }.fit(true, self.pool);
            let largest = fitted.weights.iter().copied().fold(0.0, f64::max);
            let has_weight = |w: f64| w >= LEAST_WEIGHT.min(largest);
            if fitted.weights.iter().all(|w| has_weight(*w)) {
                return (members, fitted);
            }
            let mut weights = fitted.weights.iter();
            members.retain(|_| weights.next().is_some_and(|w| has_weight(*w)));
        }
    }
}

/// The rows that select, with all candidates' logarithms.
struct Selection<'a> {
    logs: Vec<Matrix>,
    y: Vec<u32>,
    weights: Vec<f32>,
    groups: Vec<usize>,
    max_members: usize,
    pool: &'a Pool,
}

impl<'a> Selection<'a> {
    fn new(
        candidates: &[MatRef<'_>],
        targets: Targets<'_>,
        groups: &[usize],
        max_members: usize,
        pool: &'a Pool,
    ) -> Selection<'a> {
        let rows = sample(targets.len(), n_selecting(candidates[0].n_cols()));
        Selection {
            logs: candidates.iter().map(|candidate| logs(*candidate, &rows, pool)).collect(),
            y: rows.iter().map(|&i| targets.class(i) as u32).collect(),
            weights: rows.iter().map(|&i| targets.weight(i) as f32).collect(),
            groups: rows.iter().map(|&i| groups[i]).collect(),
            max_members,
            pool,
        }
    }

    fn targets(&self) -> Targets<'_> {
        Targets::new(&self.y).weighted(&self.weights)
    }

    fn views(&self, members: &[usize]) -> Vec<MatRef<'_>> {
        members.iter().map(|&member| self.logs[member].view()).collect()
    }

    /// The members in the order in which they are added, and the gain of each, on the rows outside a group.
    fn forward(&self, without: Option<usize>) -> (Vec<usize>, Vec<f64>) {
        let rows: Vec<usize> = (0..self.y.len()).filter(|&i| Some(self.groups[i]) != without).collect();
        let mut members = vec![self.best(&rows)];
        let (mut gains, mut losses) = (vec![0.0], self.cross_losses(&members, &rows));
        while members.len() < self.max_members {
            let Some(next) = self.next(&members, &rows) else { break };
            let larger = [&members[..], &[next]].concat();
            let new = self.cross_losses(&larger, &rows);
            let gain = self.gain(&rows, &losses, &new);
            if !gain.is_clear() {
                break;
            }
            (members, losses) = (larger, new);
            gains.push(gain.mean);
        }
        (members, gains)
    }

    /// By how much the losses of `rows` are lower after than before.
    fn gain(&self, rows: &[usize], before: &[f64], after: &[f64]) -> Gain {
        let y: Vec<u32> = rows.iter().map(|&i| self.y[i]).collect();
        let weights: Vec<f32> = rows.iter().map(|&i| self.weights[i]).collect();
        Targets::new(&y).weighted(&weights).gain(before, after)
    }

    /// The candidate with the lowest log loss as it is.
    fn best(&self, rows: &[usize]) -> usize {
        let loss = |member: usize| {
            let views = self.views(&[member]);
            let rows = Rows { logs: &views, targets: self.targets(), rows };
            rows.mean_loss(&LogLinear::equal(1, self.logs[member].n_cols()), self.pool)
        };
        lowest((0..self.logs.len()).map(|member| (member, loss(member)))).unwrap_or(0)
    }

    /// The candidate that lowers the log loss most together with the members; `None` if there is no other.
    fn next(&self, members: &[usize], rows: &[usize]) -> Option<usize> {
        let others = (0..self.logs.len()).filter(|member| !members.contains(member));
        let views = self.views(members);
        let before = Rows { logs: &views, targets: self.targets(), rows }.fit(false, self.pool);
        lowest(others.map(|member| {
            let views = self.views(&[members, &[member]].concat());
            let rows = Rows { logs: &views, targets: self.targets(), rows };
            let start = [&before.weights[..], &[0.0]].concat();
            let fitted = rows.fit_from(start, false, ITER_OF_CANDIDATES, self.pool);
            (member, rows.mean_loss(&fitted, self.pool))
        }))
    }

    /// The loss of each of `rows` by the members' pool, fitted on the rows of other groups.
    fn cross_losses(&self, members: &[usize], rows: &[usize]) -> Vec<f64> {
        let views = self.views(members);
        let mut losses = vec![0.0; rows.len()];
        for group in rows.iter().map(|&i| self.groups[i]).collect::<BTreeSet<usize>>() {
            let others: Vec<usize> = rows.iter().copied().filter(|&i| self.groups[i] != group).collect();
            let fold = Rows { logs: &views, targets: self.targets(), rows: &others };
            let fitted = fold.fit(false, self.pool);
            let own: Vec<usize> = (0..rows.len()).filter(|&at| self.groups[rows[at]] == group).collect();
            let of_own = own.iter().map(|&at| rows[at]).collect::<Vec<usize>>();
            let of_own = fold.losses(&fitted, &of_own, self.pool);
            own.into_iter().zip(of_own).for_each(|(at, loss)| losses[at] = loss);
        }
        losses
    }
}

/// The first with the lowest value.
fn lowest(values: impl Iterator<Item = (usize, f64)>) -> Option<usize> {
    values.reduce(|best, next| if next.1 < best.1 { next } else { best }).map(|(index, _)| index)
}
