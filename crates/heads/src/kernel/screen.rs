//! The screen: transforms, widths and strengths compared by leave-one-out on some of the rows.

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::features::{Features, total_variance};
use super::gram::Gram;
use super::plan::Plan;
use super::problem::Problem;
use crate::error::Result;
use crate::linalg::{Principal, Projection};
use crate::transform::Spec;

/// A point of the grid with its leave-one-out log loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scored {
    pub(super) features: Features,
    pub(super) gamma: f64,
    pub(super) alpha: f64,
    pub(super) log_loss: f64,
}

/// A screen under way: each step compares widths and strengths for one choice of features.
#[derive(Debug)]
pub(super) struct Screen {
    problem: Problem,
    steps: Vec<Features>,
    /// The rows along their principal axes, after the transform of the last step.
    rotated: Option<Rotated>,
    /// The best point of each step done.
    best: Vec<Scored>,
}

/// Rows along their principal axes.
#[derive(Debug)]
struct Rotated {
    base: &'static str,
    rows: Matrix,
    variances: Vec<f64>,
}

/// Directions of a smaller share of the largest variance are left out: a power below 0 would inflate what only new rows have.
const SMALLEST: f64 = 1e-6;

impl Screen {
    pub(super) fn new(problem: Problem, plan: &Plan) -> Screen {
        Screen { problem, steps: plan.features(), rotated: None, best: Vec::new() }
    }

    /// How many steps are done.
    pub(super) fn done(&self) -> usize {
        self.best.len()
    }

    /// The rows that are screened.
    pub(super) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The fits of a step.
    pub(super) fn n_fits(&self, plan: &Plan) -> u64 {
        (plan.gammas().len() * plan.alphas().len()) as u64
    }

    /// Does the next step.
    ///
    /// # Errors
    /// When a transform cannot be fitted.
    pub(super) fn step(&mut self, plan: &Plan, pool: &Pool) -> Result<()> {
        let features = self.steps[self.best.len()];
        let rows = self.rows(features, pool)?;
        let (gram, variance) = (Gram::<f32>::new(rows.view(), pool), total_variance(rows.view(), pool));
        let mut best = Scored { features, gamma: 1.0, alpha: 1.0, log_loss: f64::INFINITY };
        for gamma in plan.gammas() {
            for alpha in plan.alphas() {
                let setting = plan.setting(gamma, alpha, variance)?;
                let fitted = setting.fit(&gram, &self.problem, pool);
                let log_loss = fitted.map_or(f64::INFINITY, |(trial, _)| trial.log_loss);
                if log_loss < best.log_loss || best.log_loss.is_infinite() {
                    best = Scored { features, gamma, alpha, log_loss };
                }
            }
        }
        self.best.push(best);
        Ok(())
    }

    /// The best `n` choices of features so far, the best first.
    pub(super) fn winners(&self, n: usize) -> Vec<Scored> {
        let mut winners = self.best.clone();
        winners.sort_by(|a, b| a.log_loss.total_cmp(&b.log_loss));
        winners.truncate(n);
        winners
    }

    fn rows(&mut self, features: Features, pool: &Pool) -> Result<Matrix> {
        let Some(power) = features.power else {
            return features.base.parse::<Spec>()?.transformed(self.problem.x.view(), pool);
        };
        if self.rotated.as_ref().is_none_or(|rotated| rotated.base != features.base) {
            let rows = features.base.parse::<Spec>()?.transformed(self.problem.x.view(), pool)?;
            let principal = Principal::of(&rows.view(), SMALLEST, pool)?;
            if principal.squares.is_empty() {
                return Ok(rows);
            }
            let variances = principal.squares.iter().map(|s| s / principal.weight).collect();
            let rows = Projection::of(&principal).apply(rows.view(), pool);
            self.rotated = Some(Rotated { base: features.base, rows, variances });
        }
        Ok(self.rotated.as_ref().map_or_else(Matrix::default, |rotated| rotated.scaled(power)))
    }
}

impl Rotated {
    /// The rows with each axis scaled by its variance to the power of `power / 2`, as `spectrum` scales it but for one factor of all.
    fn scaled(&self, power: f64) -> Matrix {
        let scales: Vec<f32> = self.variances.iter().map(|v| v.powf(power / 2.0) as f32).collect();
        let (rows, n) = (&self.rows, self.variances.len());
        let values = (0..rows.n_rows()).flat_map(|i| rows.row(i).iter().zip(&scales).map(|(v, s)| v * s));
        Matrix::new(values.collect(), rows.n_rows(), n)
    }
}

impl Spec {
    /// The rows of `x` after this transform, fitted on them.
    ///
    /// # Errors
    /// When the rows do not allow it.
    fn transformed(&self, x: MatRef<'_>, pool: &Pool) -> Result<Matrix> {
        match self.is_none() {
            true => Ok(x.to_matrix()),
            false => Ok(self.fit(x, pool)?.apply(x, pool)),
        }
    }
}
