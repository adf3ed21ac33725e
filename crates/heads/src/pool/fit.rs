//! Fitting the weights and intercepts of a pool: a convex function of few numbers, by Newton steps.

use headsmith_kernels::softmax::softmax_f64;
use headsmith_kernels::{MatRef, Matrix, Pool, sums};

use super::LogLinear;
use crate::calibration::{Targets, log};
use crate::optim::newton::{Expansion, minimise};

/// The penalty of squares, beside the mean loss of up to [`PENALTY_ROWS`] rows.
const PENALTY: f64 = 0.03;
const PENALTY_ROWS: f64 = 1000.0;
/// The most classes whose intercepts are fitted: second derivatives are as many as their squares.
const MOST_BIASES: usize = 50;
/// Steps, fewer where an evaluation is dear: as many as this many logits allow.
const MAX_ITER: usize = 30;
const MIN_ITER: usize = 6;
const MOST_LOGITS: usize = 100_000_000;
/// Rows whose loss is one sum.
const BLOCK: usize = 256;

/// The logarithms of the probabilities of some rows of a member.
pub(super) fn logs(member: MatRef<'_>, rows: &[usize], pool: &Pool) -> Matrix {
    let n_classes = member.n_cols();
    let mut logs = Matrix::zeros(rows.len(), n_classes);
    pool.for_each_chunk(logs.as_mut_slice(), (BLOCK * n_classes).max(1), |block, logs| {
        for (logs, &i) in logs.chunks_exact_mut(n_classes).zip(&rows[block * BLOCK..]) {
            logs.iter_mut().zip(member.row(i)).for_each(|(to, p)| *to = log(*p) as f32);
        }
    });
    logs
}

/// The rows of a fit: the logarithms of the members' probabilities of all rows, and which of them count.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) logs: &'a [MatRef<'a>],
    pub(super) targets: Targets<'a>,
    pub(super) rows: &'a [usize],
}

/// A row of a fit: the members' logarithms and their means, the pool's probabilities, and space for products.
struct Row {
    x: Vec<Vec<f64>>,
    means: Vec<f64>,
    proba: Vec<f64>,
    scaled: Vec<f64>,
}

impl Rows<'_> {
    /// Fits the pool, with intercepts where they are asked for and not too many. Equal weights where there are no rows.
    pub(super) fn fit(&self, with_bias: bool, pool: &Pool) -> LogLinear {
        let n_logits = self.rows.len() * self.logs.len() * self.logs[0].n_cols();
        let max_iter = (MOST_LOGITS / n_logits.max(1)).clamp(MIN_ITER, MAX_ITER);
        let equal = LogLinear::equal(self.logs.len(), self.logs[0].n_cols());
        self.fit_from(equal.weights, with_bias, max_iter, pool)
    }

    /// Fits the pool by `max_iter` steps at most, from these weights.
    pub(super) fn fit_from(
        &self,
        weights: Vec<f64>,
        with_bias: bool,
        max_iter: usize,
        pool: &Pool,
    ) -> LogLinear {
        let (n_members, n_classes) = (self.logs.len(), self.logs[0].n_cols());
        let mut fitted = LogLinear { weights, bias: vec![0.0; n_classes] };
        if self.rows.is_empty() {
            return fitted;
        }
        let has_bias = with_bias && n_classes <= MOST_BIASES;
        let mut start = fitted.weights;
        start.resize(n_members + if has_bias { n_classes } else { 0 }, 0.0);
        let mut numbers = minimise(|numbers| self.penalised(numbers, pool), start, n_members, max_iter);
        if has_bias {
            fitted.bias = numbers.split_off(n_members);
        }
        fitted.weights = numbers;
        fitted
    }

    /// The loss of each of some rows.
    pub(super) fn losses(&self, of: &LogLinear, rows: &[usize], pool: &Pool) -> Vec<f64> {
        let mut losses = vec![0.0; rows.len()];
        pool.for_each_chunk(&mut losses, BLOCK, |block, losses| {
            let mut logits = of.bias.clone();
            for (loss, &i) in losses.iter_mut().zip(&rows[block * BLOCK..]) {
                logits.copy_from_slice(&of.bias);
                self.logits(&of.weights, i, &mut logits);
                softmax_f64(&mut logits);
                *loss = -logits[self.targets.class(i)].max(f64::MIN_POSITIVE).ln();
            }
        });
        losses
    }

    /// The mean loss of the rows.
    pub(super) fn mean_loss(&self, of: &LogLinear, pool: &Pool) -> f64 {
        let losses = self.losses(of, self.rows, pool);
        let sum: f64 = self.rows.iter().zip(losses).map(|(&i, loss)| self.targets.weight(i) * loss).sum();
        sum / self.targets.total(self.rows)
    }

    /// Adds the members' logarithms times their weights.
    fn logits(&self, weights: &[f64], i: usize, logits: &mut [f64]) {
        for (weight, logs) in weights.iter().zip(self.logs) {
            logits.iter_mut().zip(logs.row(i)).for_each(|(z, log)| *z += weight * f64::from(*log));
        }
    }

    /// The mean loss with the penalties, as a function of the weights, then the intercepts.
    fn penalised(&self, numbers: &[f64], pool: &Pool) -> Expansion {
        let n = numbers.len();
        let blocks: Vec<&[usize]> = self.rows.chunks(BLOCK).collect();
        let mut sum = Expansion::zero(n);
        pool.map(blocks.len(), |at| self.block(numbers, blocks[at])).iter().for_each(|part| sum.add(part));
        let total = self.targets.total(self.rows);
        let all = sum.gradient.iter_mut().chain(&mut sum.hessian).chain([&mut sum.value]);
        all.for_each(|v| *v /= total);
        let (penalty, n_members) = (PENALTY * (PENALTY_ROWS / total).min(1.0), self.logs.len());
        for (i, number) in numbers.iter().enumerate() {
            let centre = if i < n_members { 1.0 / n_members as f64 } else { 0.0 };
            sum.value += 0.5 * penalty * (number - centre).powi(2);
            sum.gradient[i] += penalty * (number - centre);
            sum.hessian[i * n + i] += penalty;
        }
        sum
    }

    /// The loss of some rows.
    fn block(&self, numbers: &[f64], rows: &[usize]) -> Expansion {
        let (n_members, n_classes) = (self.logs.len(), self.logs[0].n_cols());
        let (weights, bias) = numbers.split_at(n_members);
        let mut sum = Expansion::zero(numbers.len());
        let mut row = Row {
            x: vec![vec![0.0; n_classes]; n_members],
            means: vec![0.0; n_members],
            proba: vec![0.0; n_classes],
            scaled: vec![0.0; n_classes],
        };
        for &i in rows {
            row.proba.fill(0.0);
            row.proba.iter_mut().zip(bias).for_each(|(z, b)| *z = *b);
            for ((x, logs), weight) in row.x.iter_mut().zip(self.logs).zip(weights) {
                x.iter_mut().zip(logs.row(i)).for_each(|(to, log)| *to = f64::from(*log));
                sums::add_scaled(&mut row.proba, *weight, x);
            }
            softmax_f64(&mut row.proba);
            self.row(i, &mut row, &mut sum);
        }
        sum
    }

    /// Adds the loss of a row with its derivatives. With x_k the logarithms of member k and m_k their mean under the pool's probabilities p,
    /// those by w_k are `m_k - x_k(target)` and `sum_c p_c x_jc x_kc - m_j m_k`.
    fn row(&self, i: usize, row: &mut Row, sum: &mut Expansion) {
        let (target, weight, n) = (self.targets.class(i), self.targets.weight(i), sum.gradient.len());
        sum.value -= weight * row.proba[target].max(f64::MIN_POSITIVE).ln();
        for (k, x) in row.x.iter().enumerate() {
            row.scaled.iter_mut().zip(&row.proba).zip(x).for_each(|((to, p), x)| *to = p * x);
            row.means[k] = 0.0;
            sums::add_dot(&mut row.means[k], &row.proba, x);
            sum.gradient[k] += weight * (row.means[k] - x[target]);
            for (j, other) in row.x[..=k].iter().enumerate() {
                let mut product = -row.means[k] * row.means[j];
                sums::add_dot(&mut product, &row.scaled, other);
                sum.hessian[k * n + j] += weight * product;
            }
        }
        if n > self.logs.len() {
            self.row_of_biases(i, &row.proba, &row.means, sum);
        }
    }

    fn row_of_biases(&self, i: usize, proba: &[f64], means: &[f64], sum: &mut Expansion) {
        let (target, weight, n) = (self.targets.class(i), self.targets.weight(i), sum.gradient.len());
        let n_members = self.logs.len();
        for (c, p) in proba.iter().enumerate() {
            let at = n_members + c;
            sum.gradient[at] += weight * (p - f64::from(u8::from(c == target)));
            let row = &mut sum.hessian[at * n..][..=at];
            let (by_weights, by_biases) = row.split_at_mut(n_members);
            for ((h, logs), mean) in by_weights.iter_mut().zip(self.logs).zip(means) {
                *h += weight * p * (f64::from(logs.row(i)[c]) - mean);
            }
            by_biases.iter_mut().zip(proba).for_each(|(h, other)| *h -= weight * p * other);
            by_biases[c] += weight * p;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derivatives_are_differences() {
        let logs: Vec<f32> = (0..180).map(|i| -((i * i * 37 % 53) as f32) / 20.0).collect();
        let members: Vec<MatRef<'_>> = logs.chunks(60).map(|logs| MatRef::new(logs, 20, 3)).collect();
        let y: Vec<u32> = (0..20).map(|i| i * i % 3).collect();
        let weights: Vec<f32> = (0..20).map(|i| 0.5 + (i % 4) as f32).collect();
        let all: Vec<usize> = (0..20).collect();
        let rows = Rows { logs: &members, targets: Targets::new(&y).weighted(&weights), rows: &all };
        let (at, pool) = ([0.2, 0.7, 0.4, 0.1, -0.3, 0.2], Pool::inline());
        let here = rows.penalised(&at, &pool);
        for i in 0..6 {
            let moved = |by: f64| {
                let mut at = at;
                at[i] += by;
                rows.penalised(&at, &pool)
            };
            let (up, down) = (moved(1e-5), moved(-1e-5));
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-7, "{i}: {a}, expected {b}");
            close(here.gradient[i], (up.value - down.value) / 2e-5);
            for j in 0..6 {
                let second = (up.gradient[j] - down.gradient[j]) / 2e-5;
                close(here.hessian[i.max(j) * 6 + i.min(j)], second);
            }
        }
        let pool_of = LogLinear { weights: at[..3].to_vec(), bias: at[3..].to_vec() };
        let penalty: f64 = at[..3].iter().map(|w| (w - 1.0 / 3.0).powi(2)).sum::<f64>()
            + at[3..].iter().map(|b| b * b).sum::<f64>();
        assert!((rows.mean_loss(&pool_of, &pool) + 0.015 * penalty - here.value).abs() < 1e-12);
    }
}
