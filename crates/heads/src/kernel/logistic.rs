//! Kernel logistic regression from the factor of kernel ridge regression: with `h` as a bound of the curvature of the loss, every
//! step is a ridge regression to `z = f + (y - p) / h` of strength `lambda / h`, with the same matrix (Böhning, "Multinomial logistic
//! regression algorithm", 1992). For more than two classes a quarter is no bound, but mostly smaller steps do not pay; a half is.

use headsmith_kernels::Pool;
use headsmith_kernels::softmax::softmax_f64;

use super::ridge::{Solution, Targets, solve};
use crate::linalg::tiles::{Factor, Scalar};

/// The curvature that is tried first, and the bound.
pub(super) const CURVATURES: [f64; 2] = [0.25, 0.5];
const MAX_ITER: usize = 100;
/// The fall of the objective, as a share of it, at which it ends.
const TOL: f64 = 1e-6;

/// The minimum of `sum_i w_i loss_i + lambda / 2 alpha' K alpha`.
#[derive(Debug)]
pub(super) struct Minimum {
    pub(super) solution: Solution,
    /// The targets of the last ridge regression.
    pub(super) targets: Vec<f64>,
    /// The objective, divided by the sum of the weights.
    pub(super) objective: f64,
}

/// Minimises with `factor` of `K + lambda / curvature W^-1`. `None` if a step makes the objective larger: the curvature is too small.
pub(super) fn minimise<T: Scalar>(
    factor: &Factor<T>,
    one_hot: Targets<'_>,
    weights: &[f64],
    (lambda, curvature): (f64, f64),
    pool: &Pool,
) -> Option<Minimum> {
    let width = one_hot.width;
    let mut outputs = vec![0.0; one_hot.values.len()];
    let mut last: Option<Minimum> = None;
    let total: f64 = weights.iter().sum();
    for _ in 0..MAX_ITER {
        let targets = working(&outputs, one_hot, curvature);
        let solution = solve(factor, Targets { values: &targets, width }, pool);
        // (K + lambda / h W^-1) alpha = z - b: the outputs need no product with K.
        for (i, row) in outputs.chunks_exact_mut(width).enumerate() {
            let ridge = lambda / curvature / weights[i];
            for (c, f) in row.iter_mut().enumerate() {
                *f = targets[i * width + c] - ridge * solution.alpha[i * width + c];
            }
        }
        let objective = objective(&outputs, one_hot, weights, lambda, &solution) / total;
        let before = last.as_ref().map_or(f64::INFINITY, |last| last.objective);
        if !objective.is_finite() || objective > before * (1.0 + 1e-6) {
            return None;
        }
        last = Some(Minimum { solution, targets, objective });
        if before - objective <= TOL * objective {
            break;
        }
    }
    last
}

/// `f + (y - p) / h`.
fn working(outputs: &[f64], one_hot: Targets<'_>, curvature: f64) -> Vec<f64> {
    let rows = outputs.chunks_exact(one_hot.width).zip(one_hot.values.chunks_exact(one_hot.width));
    rows.flat_map(|(f, y)| {
        let p = softmax(f);
        f.iter().zip(y).zip(p).map(|((f, y), p)| f + (y - p) / curvature).collect::<Vec<f64>>()
    })
    .collect()
}

fn softmax(f: &[f64]) -> Vec<f64> {
    let mut p = f.to_vec();
    softmax_f64(&mut p);
    p
}

fn objective(
    outputs: &[f64],
    one_hot: Targets<'_>,
    weights: &[f64],
    lambda: f64,
    solution: &Solution,
) -> f64 {
    let width = one_hot.width;
    let (mut loss, mut square) = (0.0, 0.0);
    for (i, f) in outputs.chunks_exact(width).enumerate() {
        let y = &one_hot.values[i * width..(i + 1) * width];
        let p: f64 = softmax(f).iter().zip(y).map(|(p, y)| p * y).sum();
        loss -= weights[i] * p.max(f64::MIN_POSITIVE).ln();
        // alpha' K alpha = alpha' (f - b).
        let alpha = &solution.alpha[i * width..(i + 1) * width];
        square += alpha.iter().zip(f).zip(&solution.intercept).map(|((a, f), b)| a * (f - b)).sum::<f64>();
    }
    loss + 0.5 * lambda * square
}
