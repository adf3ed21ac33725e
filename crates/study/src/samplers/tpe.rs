//! The tree-structured Parzen estimator, as in Optuna 5.0.0.
//!
//! The finished trials are split into the `gamma(n) = min(ceil(0.1 n), 25)` best, and the others together with the
//! running ones ("constant liar", which keeps parallel workers from trying the same). Each set gets a kernel density,
//! l and g; of `n_candidates` points drawn from l, the one with the largest log l - log g is chosen. Parameters that
//! all finished trials have are drawn together. A conditional parameter is drawn alone, from the trials that have it.
//! The first `n_startup_trials` are drawn at random.
//!
//! Bergstra, Bardenet, Bengio and Kégl, "Algorithms for hyper-parameter optimization", NIPS 2011; Falkner, Klein and
//! Hutter, "BOHB", ICML 2018, for the joint densities; Optuna 5.0.0, `samplers/_tpe`. The scores of given points equal
//! Optuna's to 1e-9. Points are drawn with the trial's own random numbers, so a resumed study does not repeat its
//! first draws. Of equal observed values, the earlier trial gets the left neighbour; in Optuna the order depends on
//! numpy's sort.

mod density;
mod kernels;
mod masses;
mod normal;
mod observed;
mod table;
mod terms;

use headsmith_kernels::philox::Sequence;

use super::{History, Sampler, random};
use crate::distribution::Distribution;
use crate::space::Space;
use crate::trial::Params;
use observed::{Split, gamma, split};
use table::{Table, TableCache};

pub use density::Density;
pub use kernels::{Choices, Kernels, Numbers};
pub use normal::{log_mass, log_ndtr, truncated_quantile};

/// The options of TPE; [`Default`] is Optuna's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TpeOptions {
    /// The number of finished trials before the densities are used.
    pub n_startup_trials: usize,
    /// The number of candidate points, of which the best is chosen; at least 1.
    pub n_candidates: usize,
    /// Whether parameters that all trials have are drawn together.
    pub multivariate: bool,
    /// Whether running trials count as bad ones.
    pub constant_liar: bool,
}

impl Default for TpeOptions {
    fn default() -> TpeOptions {
        TpeOptions { n_startup_trials: 10, n_candidates: 24, multivariate: true, constant_liar: true }
    }
}

/// The tree-structured Parzen estimator.
#[derive(Debug, Clone, Default)]
pub struct Tpe {
    options: TpeOptions,
    /// The table of the last history; suggestions do not depend on it.
    memory: TableCache,
}

/// The result of [`Tpe::score`].
#[derive(Debug, Clone)]
pub struct Scores {
    /// The numbers of the good trials.
    pub below: Vec<u64>,
    /// The numbers of the others.
    pub above: Vec<u64>,
    /// The density around the good trials, l.
    pub good: Density,
    /// The density around the others, g.
    pub bad: Density,
    /// log l - log g of each point.
    pub scores: Vec<f64>,
}

impl Sampler for Tpe {
    fn suggest(
        &self,
        space: &Space,
        history: History<'_>,
        _number: u64,
        fixed: &Params,
        draws: &mut Sequence,
    ) -> Params {
        self.memory
            .with(history, self.options.constant_liar, |table| self.suggested(table, space, fixed, draws))
    }
}

impl Tpe {
    /// TPE with these options.
    pub fn new(options: TpeOptions) -> Tpe {
        Tpe { options, memory: TableCache::default() }
    }

    fn suggested(&self, table: &mut Table, space: &Space, fixed: &Params, draws: &mut Sequence) -> Params {
        if self.is_starting(table) {
            return space.complete(fixed, |param| random::draw(&param.distribution, draws));
        }
        let split = halves(table);
        let shared = if self.options.multivariate { table.shared() } else { Vec::new() };
        let joint = self.best_of(table, &shared, &split, draws);
        space.complete(fixed, |param| {
            let usable = |old: &Distribution, value| {
                old.is_compatible(&param.distribution) && param.distribution.contains(value)
            };
            let joint = shared.iter().zip(&joint).find(|(column, _)| table.param(**column).0 == param.name);
            match joint {
                _ if param.distribution.is_single() => param.distribution.nth(0),
                Some((&column, &value)) if usable(table.param(column).1, value) => value,
                _ => self.one(table, (&param.name, &param.distribution), &split, draws),
            }
        })
    }

    /// Draws a parameter by itself, from the densities of `split`.
    fn one(
        &self,
        table: &mut Table,
        (name, distribution): (&str, &Distribution),
        split: &Split,
        draws: &mut Sequence,
    ) -> f64 {
        let column = table.column(name, distribution);
        self.best_of(table, &[column], split, draws)[0]
    }

    fn is_starting(&self, table: &Table) -> bool {
        table.n_finished() < self.options.n_startup_trials
    }

    /// Draws these parameters, which are sorted by name, together; none while trials are drawn at random. With
    /// [`sample_independent`](Self::sample_independent) for the others, in the order of a space, and the same `draws`,
    /// it suggests what [`suggest`](Sampler::suggest) does: for objectives that ask for one parameter after another.
    pub fn sample_relative(
        &self,
        history: History<'_>,
        params: &[(&str, &Distribution)],
        draws: &mut Sequence,
    ) -> Vec<f64> {
        self.memory.with(history, self.options.constant_liar, |table| {
            if self.is_starting(table) {
                return Vec::new();
            }
            let split = halves(table);
            let columns = columns(table, params);
            self.best_of(table, &columns, &split, draws)
        })
    }

    /// Draws a parameter by itself.
    pub fn sample_independent(
        &self,
        history: History<'_>,
        name: &str,
        distribution: &Distribution,
        draws: &mut Sequence,
    ) -> f64 {
        if distribution.is_single() {
            return distribution.nth(0);
        }
        self.memory.with(history, self.options.constant_liar, |table| {
            if self.is_starting(table) {
                return random::draw(distribution, draws);
            }
            let split = halves(table);
            self.one(table, (name, distribution), &split, draws)
        })
    }

    /// The densities of the history for these parameters, which are sorted by name, and the scores of points.
    /// `points[d][i]` is the internal value of parameter `d` at point `i`.
    pub fn score(
        &self,
        history: History<'_>,
        params: &[(&str, &Distribution)],
        points: &[Vec<f64>],
    ) -> Scores {
        self.memory.with(history, self.options.constant_liar, |table| {
            let split = halves(table);
            let columns = columns(table, params);
            let (good, bad) = densities(table, &columns, &split);
            let numbers = |rows: &[u32]| rows.iter().map(|&row| table.number(row)).collect();
            let scores = scores(&good, &bad, points);
            Scores { below: numbers(&split.below), above: numbers(&split.above), good, bad, scores }
        })
    }

    /// The parameters that are drawn together for this history, sorted by name.
    pub fn joint_space(&self, history: History<'_>) -> Vec<(String, Distribution)> {
        if !self.options.multivariate {
            return Vec::new();
        }
        self.memory.with(history, false, |table| {
            let params = table.shared().into_iter().map(|column| table.param(column));
            params.map(|(name, distribution)| (name.to_owned(), distribution.clone())).collect()
        })
    }

    /// Draws candidate points from the density around the good trials and returns the best; empty if there are no
    /// parameters.
    fn best_of(&self, table: &mut Table, columns: &[usize], split: &Split, draws: &mut Sequence) -> Vec<f64> {
        if columns.is_empty() {
            return Vec::new();
        }
        let (good, bad) = densities(table, columns, split);
        let mut points: Vec<Vec<f64>> = vec![Vec::new(); columns.len()];
        for _ in 0..self.options.n_candidates.max(1) {
            for (column, value) in points.iter_mut().zip(good.draw(draws)) {
                column.push(value);
            }
        }
        let best = first_maximum(&scores(&good, &bad, &points));
        points.iter().map(|column| column[best]).collect()
    }
}

/// The good finished trials and the others.
fn halves(table: &Table) -> Split {
    split(table, gamma(table.n_finished()))
}

fn columns(table: &mut Table, params: &[(&str, &Distribution)]) -> Vec<usize> {
    params.iter().map(|(name, distribution)| table.column(name, distribution)).collect()
}

/// The densities around the good trials and around the others.
fn densities(table: &mut Table, columns: &[usize], split: &Split) -> (Density, Density) {
    (table.density(columns, &split.below), table.density(columns, &split.above))
}

fn scores(good: &Density, bad: &Density, points: &[Vec<f64>]) -> Vec<f64> {
    good.log_pdf(points).into_iter().zip(bad.log_pdf(points)).map(|(l, g)| l - g).collect()
}

/// numpy's `argmax`: the first of equals; NaN counts as the largest.
fn first_maximum(scores: &[f64]) -> usize {
    let mut best = 0;
    for (i, &score) in scores.iter().enumerate().skip(1) {
        if !scores[best].is_nan() && (score > scores[best] || score.is_nan()) {
            best = i;
        }
    }
    best
}
