//! Several problems on the same rows, one step of each at a time: their scores are one wide product, which takes hardly more time than
//! that of one problem, and no rows are copied. A problem of a fold gives the fold's rows no weight in its loss, and sums their losses apart.

use std::sync::Arc;

use headsmith_kernels::gemm::packed_len;
use headsmith_kernels::{Buffer, Matrix, Pool};

use super::loss::{Target, residuals_each};
use super::metric::{Metric, Task};
use super::params::Settings;
use super::sweep::{Outputs, Sweep};
use super::targets::Targets;
use crate::affine::Affine;
use crate::error::{Error, Result};
use crate::optim::descent::{Descent, End, Penalty};
use crate::samples::Samples;

/// The fold of a row that is held out of no problem.
pub(super) const NO_FOLD: u32 = u32::MAX;

/// Rows with their folds.
#[derive(Clone, Copy)]
pub(super) struct Rows<'r> {
    pub(super) samples: Samples<'r>,
    pub(super) targets: &'r Targets,
    /// The fold of each row; empty: all rows are of no fold.
    pub(super) fold_of: &'r [u32],
}

impl Rows<'_> {
    fn fold(&self, i: usize) -> u32 {
        self.fold_of.get(i).copied().unwrap_or(NO_FOLD)
    }

    /// The sums of the weights of the rows outside a fold, and of those in it.
    pub(super) fn weights(&self, fold: Option<u32>) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for i in 0..self.samples.n_samples() {
            sums[usize::from(fold == Some(self.fold(i)))] += self.targets.of(self.samples, i).weight;
        }
        sums
    }
}

/// A fit on the rows outside a fold.
pub(super) struct Problem {
    fold: Option<u32>,
    /// The weights of its rows, and of those that are held out.
    pub(super) weights: [f64; 2],
    pub(super) descent: Descent,
    /// The weighted loss of the rows that are held out.
    pub(super) held: f64,
    is_done: bool,
}

/// The shape of a problem's weights.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) n_scores: usize,
    pub(super) n_features: usize,
    pub(super) fit_intercept: bool,
}

impl Layout {
    pub(super) fn new(samples: Samples<'_>, targets: &Targets, settings: &Settings) -> Layout {
        Layout {
            n_scores: targets.n_scores(),
            n_features: samples.n_features(),
            fit_intercept: settings.fit_intercept,
        }
    }

    pub(super) fn n_coefs(self) -> usize {
        self.n_scores * self.n_features
    }

    pub(super) fn n_weights(self) -> usize {
        self.n_coefs() + if self.fit_intercept { self.n_scores } else { 0 }
    }

    /// The coefficients and intercepts of a vector of weights.
    fn split(self, weights: &[f64]) -> (Matrix, Vec<f32>) {
        let values: Vec<f32> = weights.iter().map(|w| *w as f32).collect();
        let (coef, intercept) = values.split_at(self.n_coefs());
        (Matrix::new(coef.to_vec(), self.n_scores, self.n_features), intercept.to_vec())
    }

    /// The head of a vector of weights.
    pub(super) fn affine(self, weights: &[f64], targets: &Targets) -> Affine {
        let (coef, intercept) = self.split(weights);
        targets.affine(coef.view(), &intercept)
    }

    /// The scores of a vector of weights.
    pub(super) fn scores(self, weights: &[f64]) -> Affine {
        let (coef, mut intercept) = self.split(weights);
        intercept.resize(self.n_scores, 0.0);
        Affine::new(coef.view(), intercept)
    }

    /// The coefficients that are not 0, with an L1 term.
    pub(super) fn n_nonzero(self, weights: &[f64], l1_ratio: f64) -> Option<usize> {
        (l1_ratio > 0.0).then(|| weights[..self.n_coefs()].iter().filter(|w| **w != 0.0).count())
    }
}

/// Problems in lockstep.
pub(super) struct Lockstep {
    pub(super) problems: Vec<Problem>,
    layout: Layout,
    metric: Arc<Metric>,
    end: End,
    sweep: Sweep,
    coef: Buffer,
    gradient: Vec<f64>,
    has_begun: bool,
}

impl Lockstep {
    /// Problems of `folds` with their penalties, all beginning at `start`.
    pub(super) fn new(
        rows: Rows<'_>,
        folds: &[Option<u32>],
        layout: Layout,
        metric: Arc<Metric>,
        (start, end): (&[f64], End),
        penalty: impl Fn([f64; 2]) -> Penalty,
    ) -> Lockstep {
        let problem = |fold: &Option<u32>| {
            let weights = rows.weights(*fold);
            let descent = Descent::new(start.to_vec(), layout.n_coefs(), penalty(weights));
            Problem { fold: *fold, weights, descent, held: 0.0, is_done: layout.n_weights() == 0 }
        };
        let n_outputs = folds.len() * layout.n_scores;
        Lockstep {
            problems: folds.iter().map(problem).collect(),
            layout,
            metric,
            end,
            sweep: Sweep::new(rows.samples.n_samples(), layout.n_features, n_outputs.max(1)),
            coef: Buffer::default(),
            gradient: Vec::new(),
            has_begun: false,
        }
    }

    /// Whether every problem is at its end.
    pub(super) fn is_done(&self) -> bool {
        self.problems.iter().all(|problem| problem.is_done)
    }

    /// The mean of the problems' weights.
    pub(super) fn mean(&self) -> Vec<f64> {
        let n = self.problems.len() as f64;
        let mut mean = vec![0.0; self.layout.n_weights()];
        for problem in &self.problems {
            mean.iter_mut().zip(problem.descent.weights()).for_each(|(to, w)| *to += w / n);
        }
        mean
    }

    /// Continues with other penalties.
    pub(super) fn set_penalty(&mut self, penalty: impl Fn([f64; 2]) -> Penalty, pool: &Pool) {
        for problem in &mut self.problems {
            problem.descent.set_penalty(penalty(problem.weights));
            problem.is_done = self.layout.n_weights() == 0;
        }
        self.aim_all(pool);
    }

    /// Takes its next directions from another metric.
    pub(super) fn set_metric(&mut self, metric: Arc<Metric>) {
        self.metric = metric;
    }

    /// Continues from where it is without what it knows of earlier steps.
    pub(super) fn restart(&mut self, pool: &Pool) {
        self.problems.iter_mut().for_each(|problem| problem.descent.forget());
        self.aim_all(pool);
    }

    fn aim_all(&mut self, pool: &Pool) {
        let all: Vec<usize> = (0..self.problems.len()).collect();
        self.aim(&all, pool);
    }

    /// Evaluates each problem that is not at its end once, and takes or shortens its step.
    ///
    /// # Errors
    /// When the loss is not finite at the first point.
    pub(super) fn iterate(&mut self, rows: Rows<'_>, pool: &Pool) -> Result<()> {
        let active: Vec<usize> = (0..self.problems.len()).filter(|&i| !self.problems[i].is_done).collect();
        if active.is_empty() {
            return Ok(());
        }
        let losses = self.evaluate(&active, rows, pool);
        let mut moved = Vec::new();
        for (at, &i) in active.iter().enumerate() {
            let problem = &mut self.problems[i];
            if problem.descent.tell(losses[2 * at] / problem.weights[0], pool) {
                problem.held = losses[2 * at + 1];
                moved.push(i);
            }
            if !self.has_begun && !self.problems[i].descent.is_finite() {
                return Err(Error::diverged("the features are too large for a finite loss; scale them"));
            }
        }
        self.has_begun = true;
        self.aim(&moved, pool);
        for i in active {
            let problem = &mut self.problems[i];
            problem.is_done = problem.descent.is_done(self.end);
        }
        Ok(())
    }

    /// The sums of the losses of the rows of each active problem, and of those that are held out; gradients go to the descents.
    fn evaluate(&mut self, active: &[usize], rows: Rows<'_>, pool: &Pool) -> Vec<f64> {
        let Layout { n_scores, n_features, .. } = self.layout;
        let n_outputs = active.len() * n_scores;
        let places = PanelOrder { n_outputs, n_features, width: packed_len(1, 1) };
        let n_values = packed_len(n_outputs, n_features);
        let coef = self.coef.first(n_values);
        coef.fill(0.0);
        let mut intercept = vec![0.0; n_outputs];
        for (at, &i) in active.iter().enumerate() {
            let (w, b) = self.problems[i].descent.trial().split_at(self.layout.n_coefs());
            for (k, row) in w.chunks_exact(n_features).enumerate() {
                places.each(at * n_scores + k, |place, j| coef[place] = row[j] as f32);
            }
            intercept[at * n_scores..].iter_mut().zip(b).for_each(|(to, b)| *to = *b as f32);
        }
        self.gradient.resize(n_values + n_outputs, 0.0);
        let folds: Vec<u32> = active.iter().map(|&i| self.problems[i].fold.unwrap_or(NO_FOLD - 1)).collect();
        let of_block = |start: usize, scores: &mut [f32], losses: &mut [f64]| {
            block_losses(rows, &folds, n_scores, start, scores, losses);
        };
        let outputs = Outputs { coef, intercept: &intercept };
        let losses =
            self.sweep.run(rows.samples, outputs, &mut self.gradient, 2 * active.len(), of_block, pool);
        for (at, &i) in active.iter().enumerate() {
            let problem = &mut self.problems[i];
            let total = problem.weights[0];
            let (to, to_intercept) = problem.descent.trial_gradient().split_at_mut(n_scores * n_features);
            for (k, row) in to.chunks_exact_mut(n_features).enumerate() {
                places.each(at * n_scores + k, |place, j| row[j] = self.gradient[place] / total);
            }
            let sums = &self.gradient[n_values + at * n_scores..];
            to_intercept.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum / total);
        }
        losses
    }

    /// Sets new directions and trials.
    fn aim(&mut self, which: &[usize], pool: &Pool) {
        let (n_scores, metric) = (self.layout.n_scores, Arc::clone(&self.metric));
        let mut problems: Vec<&mut Problem> = self.problems.iter_mut().collect();
        let mut problems: Vec<&mut Problem> = {
            let mut at = 0;
            problems.retain(|_| {
                at += 1;
                which.contains(&(at - 1))
            });
            problems
        };
        problems.iter_mut().for_each(|problem| problem.descent.aim(pool));
        let tasks = problems.iter_mut().map(|problem| {
            let penalty = problem.descent.penalty();
            let (vector, free) = problem.descent.direction();
            Task { vector, free, penalty }
        });
        metric.apply(&mut tasks.collect::<Vec<_>>(), n_scores, pool);
        for problem in problems {
            if !metric.is_whole() {
                scale(&mut problem.descent, &metric, n_scores, pool);
            }
            problem.descent.go(pool);
            problem.is_done |= problem.descent.is_done(self.end);
        }
    }
}

/// Makes a direction as long as the last change of the gradient says, where the metric knows the features' own curvature alone.
fn scale(descent: &mut Descent, metric: &Metric, n_scores: usize, pool: &Pool) {
    let Some((change, curvature)) = descent.last_change() else { return };
    let mut vector = change.clone();
    let penalty = descent.penalty();
    let (direction, free) = descent.direction();
    metric.apply(&mut [Task { vector: &mut vector, free, penalty }], n_scores, pool);
    let factor = curvature / change.iter().zip(&vector).map(|(a, b)| a * b).sum::<f64>();
    if factor.is_finite() && factor > 0.0 {
        direction.iter_mut().for_each(|d| *d *= factor);
    }
}

/// The residuals and losses of a block of rows for several problems.
fn block_losses(
    rows: Rows<'_>,
    folds: &[u32],
    n_scores: usize,
    start: usize,
    scores: &mut [f32],
    losses: &mut [f64],
) {
    let n_rows = scores.len() / (n_scores * folds.len());
    let own: Vec<Target> = (start..start + n_rows).map(|i| rows.targets.of(rows.samples, i)).collect();
    let is_held = |row: usize, at: usize| rows.fold(start + row) == folds[at];
    let mut targets = Vec::with_capacity(n_rows * folds.len());
    for (row, target) in own.iter().enumerate() {
        let weight = |at| if is_held(row, at) { 0.0 } else { target.weight };
        targets.extend((0..folds.len()).map(|at| Target { weight: weight(at), ..*target }));
    }
    residuals_each(scores, n_scores, &targets, |i, loss| {
        let (row, at) = (i / folds.len(), i % folds.len());
        losses[2 * at + usize::from(is_held(row, at))] += own[row].weight * loss;
    });
}

/// The order of the values of `n_outputs x n_features` values in panels.
#[derive(Clone, Copy)]
struct PanelOrder {
    n_outputs: usize,
    n_features: usize,
    width: usize,
}

impl PanelOrder {
    fn each(self, row: usize, mut to: impl FnMut(usize, usize)) {
        for j in 0..self.n_features {
            to(j / self.width * (self.n_outputs * self.width) + row * self.width + j % self.width, j);
        }
    }
}
