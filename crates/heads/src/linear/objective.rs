//! The objective and its gradient, in one pass over the rows:
//!
//! ```text
//! f(W, b) = sum_i w_i loss_i / sum_i w_i + |W|^2 / (2 C sum_i w_i)
//! ```
//!
//! which is scikit-learn's `C sum_i w_i loss_i + |W|^2 / 2`, divided by `C sum_i w_i`; `w_i` is the weight of row i times
//! that of its class. A vector of weights is W (`n_scores x n_features`) in panels, as [products](super::sweep) take and give it, followed by
//! the intercepts.

use headsmith_kernels::gemm::{Panels, packed_len, unpack};
use headsmith_kernels::{Buffer, Matrix, Pool};

use super::loss::{Target, residuals};
use super::sweep::{Outputs, Sweep};
use super::targets::Targets;
use crate::affine::Affine;
use crate::optim::lbfgs::Function;
use crate::samples::Samples;

/// The function of the weights.
pub(super) struct Objective<'a> {
    samples: Samples<'a>,
    targets: Targets,
    pool: &'a Pool,
    fit_intercept: bool,
    /// `1 / (C sum_i w_i)`.
    penalty: f64,
    n_panel_values: usize,
    sweep: Sweep,
    weights: Buffer,
    intercept: Vec<f32>,
}

impl<'a> Objective<'a> {
    pub(super) fn new(
        samples: Samples<'a>,
        targets: Targets,
        (c, fit_intercept): (f64, bool),
        pool: &'a Pool,
    ) -> Objective<'a> {
        let (n_features, n_scores) = (samples.n_features(), targets.n_scores());
        let n_panel_values = packed_len(n_scores, n_features);
        Objective {
            samples,
            penalty: 1.0 / (c * targets.total_weight()),
            targets,
            pool,
            fit_intercept,
            n_panel_values,
            sweep: Sweep::new(samples.n_samples(), n_features, n_scores),
            weights: Buffer::zeros(n_panel_values),
            intercept: vec![0.0; n_scores],
        }
    }

    /// The values of a vector of weights.
    pub(super) fn n_weights(&self) -> usize {
        self.n_panel_values + if self.fit_intercept { self.targets.n_scores() } else { 0 }
    }

    /// The head of a vector of weights.
    pub(super) fn affine(&self, weights: &[f64]) -> Affine {
        let (n_scores, n_features) = (self.targets.n_scores(), self.samples.n_features());
        let (panels, intercept) = weights.split_at(self.n_panel_values);
        let panels: Vec<f32> = panels.iter().map(|w| *w as f32).collect();
        let intercept: Vec<f32> = intercept.iter().map(|w| *w as f32).collect();
        let mut coef = Matrix::zeros(n_scores, n_features);
        unpack(coef.as_mut_slice(), Panels::new(&panels, n_scores, n_features));
        self.targets.affine(coef.view(), &intercept)
    }

    fn round(&mut self, weights: &[f64]) {
        let (coef, intercept) = weights.split_at(self.n_panel_values);
        self.weights.iter_mut().zip(coef).for_each(|(to, w)| *to = *w as f32);
        self.intercept.iter_mut().zip(intercept).for_each(|(to, w)| *to = *w as f32);
    }
}

impl Function for Objective<'_> {
    fn evaluate(&mut self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        if weights.is_empty() {
            return 0.0;
        }
        self.round(weights);
        let (n_scores, samples, targets) = (self.targets.n_scores(), self.samples, &self.targets);
        let outputs = Outputs { coef: &self.weights, intercept: &self.intercept };
        let of_block = |start: usize, scores: &mut [f32], losses: &mut [f64]| {
            let rows = start..start + scores.len() / n_scores;
            let targets: Vec<Target> = rows.map(|i| targets.of(samples, i)).collect();
            losses[0] += residuals(scores, n_scores, &targets);
        };
        let losses = self.sweep.run(samples, outputs, gradient, 1, of_block, self.pool);
        let total = self.targets.total_weight();
        let (coef, intercept) = gradient.split_at_mut(self.n_panel_values);
        let mut square = 0.0;
        for (g, w) in coef.iter_mut().zip(weights) {
            *g = *g / total + self.penalty * w;
            square += w * w;
        }
        intercept.iter_mut().for_each(|g| *g /= total);
        losses[0] / total + 0.5 * self.penalty * square
    }
}
