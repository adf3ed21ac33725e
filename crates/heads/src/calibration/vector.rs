//! Temperature and vector scaling of probabilities: logit_k = s_k log p_k + b_k (Guo et al., "On calibration of modern neural networks",
//! 2017), with a slope s and an intercept b for each class, or one slope for all and no intercepts.
//!
//! The sum of the losses has the L2 penalty (|s - 1|^2 + |b|^2) / 2: slopes of classes with few rows stay near 1, where probabilities stay as they are.

use headsmith_kernels::softmax::softmax_f64;
use headsmith_kernels::{MatRef, Pool, sums};

use super::targets::Targets;
use crate::graph::{Binary, Graph, Var};
use crate::optim::lbfgs::{Function, Lbfgs};

/// The slopes and intercepts of the classes; one slope and no intercepts: the same slope for all.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scaling {
    pub(super) slope: Vec<f64>,
    pub(super) bias: Vec<f64>,
}

/// The rows of a fit: the logarithms of the probabilities of all rows, and which of them count.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) logs: MatRef<'a>,
    pub(super) targets: Targets<'a>,
    pub(super) rows: &'a [usize],
}

/// Iterations, fewer where an evaluation is dear: as many as this many logits allow.
const MAX_ITER: usize = 100;
const MIN_ITER: usize = 20;
const MOST_LOGITS: usize = 40_000_000;
const TOL: f64 = 1e-6;
/// Rows whose loss is one sum.
const BLOCK: usize = 1024;

impl Scaling {
    /// Fits one slope for all classes, or a slope and an intercept for each.
    pub(super) fn fit(rows: Rows<'_>, is_shared: bool, pool: &Pool) -> Scaling {
        let n_numbers = if is_shared { 1 } else { 2 * rows.logs.n_cols() };
        let objective = Objective { rows, n_numbers, total: rows.targets.total(rows.rows), pool };
        let n_logits = (rows.rows.len() * rows.logs.n_cols()).max(1);
        let Some(mut lbfgs) = Lbfgs::new(objective, n_numbers, TOL, pool) else {
            return Scaling::of(&vec![0.0; n_numbers]);
        };
        for _ in 0..(MOST_LOGITS / n_logits).clamp(MIN_ITER, MAX_ITER) {
            if lbfgs.is_done() {
                break;
            }
            lbfgs.iterate();
        }
        Scaling::of(lbfgs.weights())
    }

    /// The scaling of the numbers of the objective: slopes less 1, then intercepts.
    fn of(numbers: &[f64]) -> Scaling {
        let (slopes, bias) =
            if numbers.len() == 1 { (numbers, &[][..]) } else { numbers.split_at(numbers.len() / 2) };
        Scaling { slope: slopes.iter().map(|s| 1.0 + s).collect(), bias: bias.to_vec() }
    }

    /// Turns the logarithms of a row's probabilities into probabilities.
    pub(super) fn row(&self, row: &mut [f64]) {
        match (&self.slope[..], &self.bias[..]) {
            ([slope], []) => row.iter_mut().for_each(|z| *z *= slope),
            (slopes, bias) => {
                row.iter_mut().zip(slopes).zip(bias).for_each(|((z, slope), bias)| *z = slope * *z + bias);
            }
        }
        softmax_f64(row);
    }

    /// The probabilities of logarithms as operations of a graph.
    pub(super) fn graph(&self, graph: &mut Graph, logs: Var) -> Var {
        let mut logits = graph.with(Binary::Mul, logs, &self.slope);
        if !self.bias.is_empty() {
            logits = graph.with(Binary::Add, logits, &self.bias);
        }
        graph.softmax(logits)
    }
}

/// The mean loss as a function of the slopes less 1, then the intercepts.
struct Objective<'a> {
    rows: Rows<'a>,
    n_numbers: usize,
    total: f64,
    pool: &'a Pool,
}

impl Objective<'_> {
    /// The loss of some rows, and its gradient.
    fn block(&self, scaling: &Scaling, rows: &[usize]) -> (f64, Vec<f64>) {
        let Rows { logs, targets, .. } = self.rows;
        let n = logs.n_cols();
        let (mut loss, mut gradient) = (0.0, vec![0.0; self.n_numbers]);
        let (mut z, mut residuals) = (vec![0.0; n], vec![0.0; n]);
        for &i in rows {
            let (target, weight) = (targets.class(i), targets.weight(i));
            z.iter_mut().zip(logs.row(i)).for_each(|(to, z)| *to = f64::from(*z));
            residuals.copy_from_slice(&z);
            scaling.row(&mut residuals);
            loss -= weight * residuals[target].max(f64::MIN_POSITIVE).ln();
            residuals[target] -= 1.0;
            residuals.iter_mut().for_each(|r| *r *= weight);
            if scaling.bias.is_empty() {
                sums::add_dot(&mut gradient[0], &residuals, &z);
            } else {
                let (by_slope, by_bias) = gradient.split_at_mut(n);
                sums::add_products(by_slope, &residuals, &z);
                sums::add(by_bias, &residuals);
            }
        }
        (loss, gradient)
    }
}

impl Function for Objective<'_> {
    fn evaluate(&mut self, numbers: &[f64], gradient: &mut [f64]) -> f64 {
        let scaling = Scaling::of(numbers);
        let blocks: Vec<&[usize]> = self.rows.rows.chunks(BLOCK).collect();
        let parts = self.pool.map(blocks.len(), |at| self.block(&scaling, blocks[at]));
        let mut loss = 0.5 * numbers.iter().map(|v| v * v).sum::<f64>();
        gradient.copy_from_slice(numbers);
        for (part, of_part) in parts {
            loss += part;
            gradient.iter_mut().zip(of_part).for_each(|(to, g)| *to += g);
        }
        gradient.iter_mut().for_each(|g| *g /= self.total);
        loss / self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::lbfgs::assert_gradient;

    #[test]
    fn gradients_are_differences_of_losses() {
        let logs: Vec<f32> = (0..60).map(|i| -((i * 37 % 23) as f32) / 5.0).collect();
        let y: Vec<u32> = (0..20).map(|i| i * i % 3).collect();
        let weights: Vec<f32> = (0..20).map(|i| 0.5 + (i % 4) as f32).collect();
        let (rows, pool) = ((0..20).collect::<Vec<_>>(), Pool::inline());
        let targets = Targets::new(&y).weighted(&weights);
        for n in [1, 6] {
            let rows = Rows { logs: MatRef::new(&logs, 20, 3), targets, rows: &rows };
            let mut objective =
                Objective { rows, n_numbers: n, total: targets.total(rows.rows), pool: &pool };
            let at: Vec<f64> = (0..n).map(|i| 0.3 - 0.2 * i as f64).collect();
            assert_gradient(&mut objective, &at, 1e-8);
        }
    }
}
