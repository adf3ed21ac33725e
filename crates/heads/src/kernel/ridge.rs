//! Kernel ridge regression with an intercept, and what it predicts for rows that it does not see.
//!
//! With `A = K + lambda W^-1` for the kernel matrix K and the weights W of the rows, `B = A^-1` and targets Y, the coefficients are
//! `alpha = B (Y - 1 b')` with the intercepts `b = 1' B Y / 1' B 1`. With `B' = B - B 1 1' B / 1' B 1`, which is what an intercept makes of
//! B, `alpha = B' Y`, and for any set S of rows the outputs of the fit without them are
//!
//! ```text
//! Y_S - (B'_SS)^-1 alpha_S          for one row: y_i - alpha_i / B'_ii
//! ```
//!
//! exactly, for a fixed kernel and strength (Rifkin and Lippert, "Notes on regularized least squares", MIT-CSAIL-TR-2007-025; Pahikkala et
//! al., "Fast n-fold cross-validation for regularized least-squares", 2006).

use headsmith_kernels::Pool;

use crate::linalg::spd::Spd;
use crate::linalg::tiles::{Factor, Inverse, Scalar};

/// Targets of rows: `n x width`, row after row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Targets<'a> {
    pub(super) values: &'a [f64],
    pub(super) width: usize,
}

/// The solution for some targets.
#[derive(Debug, Clone)]
pub(super) struct Solution {
    /// The coefficients of the rows: `n x width`.
    pub(super) alpha: Vec<f64>,
    /// One for each target.
    pub(super) intercept: Vec<f64>,
    /// `B 1`.
    pub(super) of_ones: Vec<f64>,
}

/// Solves for `targets`.
pub(super) fn solve<T: Scalar>(factor: &Factor<T>, targets: Targets<'_>, pool: &Pool) -> Solution {
    let width = targets.width;
    let mut rhs = Vec::with_capacity(targets.values.len() / width * (width + 1));
    for row in targets.values.chunks_exact(width) {
        rhs.extend(row.iter().map(|v| T::from_f64(*v)));
        rhs.push(T::ONE);
    }
    factor.solve(&mut rhs, pool);
    let rows: Vec<Vec<f64>> =
        rhs.chunks_exact(width + 1).map(|row| row.iter().map(|v| v.to_f64()).collect()).collect();
    let mut sums = vec![0.0; width + 1];
    rows.iter().for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v));
    let intercept: Vec<f64> = sums[..width].iter().map(|sum| sum / sums[width]).collect();
    let alpha = rows.iter().flat_map(|row| {
        let ones = row[width];
        row[..width].iter().zip(&intercept).map(move |(v, b)| v - ones * b)
    });
    let alpha = alpha.collect();
    Solution { alpha, intercept, of_ones: rows.iter().map(|row| row[width]).collect() }
}

impl Solution {
    /// The diagonal of B', from that of B.
    pub(super) fn with_intercept(&self, diagonal: &[f64]) -> Vec<f64> {
        let total: f64 = self.of_ones.iter().sum();
        diagonal.iter().zip(&self.of_ones).map(|(b, ones)| b - ones * ones / total).collect()
    }

    /// The outputs for each row of the fit without it, `n x width`; `diagonal` is that of B.
    pub(super) fn leave_one_out(&self, targets: Targets<'_>, diagonal: &[f64]) -> Vec<f64> {
        let diagonal = self.with_intercept(diagonal);
        let rows = targets.values.chunks_exact(targets.width).zip(self.alpha.chunks_exact(targets.width));
        rows.zip(diagonal)
            .flat_map(|((y, alpha), b)| y.iter().zip(alpha).map(move |(y, alpha)| y - alpha / b))
            .collect()
    }

    /// Replaces the outputs for the rows of each of `sets` by those of the fit without the set; `None` when one leaves no rows.
    pub(super) fn leave_sets_out<T: Scalar>(
        &self,
        targets: Targets<'_>,
        inverse: &Inverse<T>,
        sets: &[Vec<usize>],
        mut outputs: Vec<f64>,
        pool: &Pool,
    ) -> Option<Vec<f64>> {
        let of_sets = pool.map(sets.len(), |at| self.without(targets, inverse, &sets[at]));
        for (set, of_set) in sets.iter().zip(of_sets) {
            for (&i, row) in set.iter().zip(of_set?.chunks_exact(targets.width)) {
                outputs[i * targets.width..(i + 1) * targets.width].copy_from_slice(row);
            }
        }
        Some(outputs)
    }

    /// The outputs for the rows of `set` of the fit without them.
    fn without<T: Scalar>(
        &self,
        targets: Targets<'_>,
        inverse: &Inverse<T>,
        set: &[usize],
    ) -> Option<Vec<f64>> {
        let (m, width) = (set.len(), targets.width);
        let (mut block, total) = (inverse.block(set), self.of_ones.iter().sum::<f64>());
        for (at, &i) in set.iter().enumerate() {
            for (b, &j) in block[at * m..(at + 1) * m].iter_mut().zip(set) {
                *b -= self.of_ones[i] * self.of_ones[j] / total;
            }
        }
        let column = |c: usize| set.iter().map(move |&i| self.alpha[i * width + c]);
        let mut residuals: Vec<f64> = (0..width).flat_map(column).collect();
        Spd::new(&block, m)?.solve(&mut residuals);
        let outputs = set.iter().enumerate().flat_map(|(at, &i)| {
            let residuals = &residuals;
            (0..width).map(move |c| targets.values[i * width + c] - residuals[c * m + at])
        });
        Some(outputs.collect())
    }
}
