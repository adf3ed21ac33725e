//! Out-of-fold predictions with a shared covariance.
//!
//! The part of each class's sums of products that shrinkage keeps, the diagonal that it adds, and the share of a row of each class stay as they were
//! fitted; means, sums of products and priors are those of the other rows, and the covariance is divided by the shares that are left. Without one row
//! only, means and covariance change by a multiple of the row's difference from its class's mean, u: the formula of Sherman and
//! Morrison gives all scores from `u' C u` and the products with the means, C being the inverse of the covariance.

use headsmith_kernels::{Matrix, Pool};

use super::groups::{NEVER, logarithms, softmax};
use super::shared::{Pooled, Solved, block_len};
use super::space::dot;
use crate::head::Folds;
use crate::linalg::Products;

/// Multiply-adds above which no out-of-fold predictions are computed.
const MOST_WORK: f64 = 4e12;

impl Pooled<'_> {
    /// The probabilities of all rows, each without itself.
    fn leave_one_out(&self, pool: &Pool) -> Matrix {
        let (n, n_dims, n_classes) = (self.samples.n_samples(), self.space.n_dims(), self.n_classes());
        let solved = Solved::new(&self.products, &self.diagonal, self.means.clone());
        let products: Vec<f64> = (0..n_classes)
            .flat_map(|k| (0..n_classes).map(move |l| (k, l)))
            .map(|(k, l)| dot(self.mean(k), solved.of(l)))
            .collect();
        let (mut proba, len) = (Matrix::zeros(n, n_classes), block_len(n_dims));
        pool.for_each_chunk(proba.as_mut_slice(), len * n_classes, |block, proba| {
            let start = block * len;
            let end = start + proba.len() / n_classes;
            let x = self.space.read(self.samples, (start, end), &Pool::inline());
            let mut differences = x.clone();
            for (i, u) in (start..end).zip(differences.chunks_exact_mut(n_dims.max(1))) {
                let mean = self.mean(self.samples.y()[i] as usize);
                u.iter_mut().zip(mean).for_each(|(u, m)| *u -= m);
            }
            let mut solutions = differences.clone();
            if n_dims > 0 {
                solved.factor.solve(&mut solutions);
            }
            for (i, proba) in proba.chunks_exact_mut(n_classes).enumerate() {
                let of = |values: &[f64]| values[i * n_dims..(i + 1) * n_dims].to_vec();
                let square = dot(&of(&differences), &of(&solutions));
                let along: Vec<f64> = (0..n_classes).map(|k| dot(&of(&differences), solved.of(k))).collect();
                softmax(&self.without(start + i, square, &along, &products), proba);
            }
        });
        proba
    }

    /// The scores of row `i` without itself, from `u' C u`, `u' C m` and `m' C m` for all means.
    fn without(&self, i: usize, square: f64, along: &[f64], products: &[f64]) -> Vec<f64> {
        let (own, weight, n_classes) =
            (self.samples.y()[i] as usize, self.samples.weight(i), self.n_classes());
        let mut counts = self.counts.clone();
        counts[own] -= weight;
        // Rounding may leave a rest of the only row.
        let is_last = counts[own] <= 1e-9 * self.counts[own];
        if is_last {
            counts[own] = 0.0;
        }
        // By how much the mean moves, and the factor of u u' that leaves the covariance.
        let (moved, left) = match is_last {
            true => (0.0, 0.0),
            false => {
                let moved = weight / counts[own];
                (moved, self.factors[own] * moved * self.counts[own])
            }
        };
        let update = left / (1.0 - left * square).max(f64::MIN_POSITIVE);
        let rest = 1.0 - self.shares[own] * weight;
        let scale = if rest > 1e-12 { rest } else { 1.0 };
        let of_x = along[own] + square;
        let logarithms = logarithms(&self.priors.of(&counts));
        let score = |k: usize| {
            let (row, column) = (own * n_classes + k, k * n_classes + k);
            let (mut x_m, mut m_m, mut u_m) = (products[row] + along[k], products[column], along[k]);
            if k == own {
                x_m -= moved * of_x;
                m_m += moved * (moved * square - 2.0 * along[k]);
                u_m -= moved * square;
            }
            logarithms[k] + scale * (x_m + update * of_x * u_m - 0.5 * (m_m + update * u_m * u_m))
        };
        (0..n_classes).map(|k| if logarithms[k] == NEVER { NEVER } else { score(k) }).collect()
    }

    /// The probabilities of all rows, each without its fold; `None` where a fold has all rows, or it would take too long.
    pub(super) fn out_of_fold(&self, folds: Folds<'_>, pool: &Pool) -> Option<Matrix> {
        let (n, n_dims) = (self.samples.n_samples(), self.space.n_dims() as f64);
        let sets = folds.sets(n);
        let larger: Vec<&Vec<usize>> = sets.iter().filter(|rows| rows.len() > 1).collect();
        let work = larger.len() as f64 * n_dims.powi(3) / 3.0 + n as f64 * n_dims.powi(2);
        let total: f64 = self.counts.iter().sum();
        let weight = |rows: &[usize]| rows.iter().map(|&i| self.samples.weight(i)).sum::<f64>();
        if work > MOST_WORK || sets.iter().any(|rows| weight(rows) >= total * (1.0 - 1e-12)) {
            return None;
        }
        // Rows that are folds of their own need no covariance of their own.
        let mut proba = match larger.len() < sets.len() {
            true => self.leave_one_out(pool),
            false => Matrix::zeros(n, self.n_classes()),
        };
        for rows in larger {
            for (i, scores) in rows.iter().zip(self.without_fold(rows, pool)) {
                softmax(&scores, proba.row_mut(*i));
            }
        }
        Some(proba)
    }

    /// The scores of `rows` without them.
    fn without_fold(&self, rows: &[usize], pool: &Pool) -> Vec<Vec<f64>> {
        let (samples, n_dims, n_classes) = (self.samples, self.space.n_dims(), self.n_classes());
        let (mut counts, mut sums) = (self.counts.clone(), vec![0.0; n_classes * n_dims]);
        let mut products = Products::new(n_dims);
        for rows in rows.chunks(block_len(n_dims)) {
            let mut block = Vec::with_capacity(rows.len() * n_dims);
            for &i in rows {
                let (class, weight) = (samples.y()[i] as usize, samples.weight(i));
                counts[class] -= weight;
                let sum = &mut sums[class * n_dims..(class + 1) * n_dims];
                let root = (self.factors[class] * weight).sqrt();
                let row = self.space.row(samples, i);
                for ((v, m), sum) in row.into_iter().zip(self.mean(class)).zip(sum) {
                    *sum += weight * (v - m);
                    block.push(root * (v - m));
                }
            }
            products.add(&block, pool);
        }
        let mut means = self.means.clone();
        for (class, count) in counts.iter_mut().enumerate() {
            if *count <= 1e-9 * self.counts[class] {
                *count = 0.0;
                continue;
            }
            let at = class * n_dims..(class + 1) * n_dims;
            let root = (self.factors[class] / *count).sqrt();
            products.add(&sums[at.clone()].iter().map(|v| root * v).collect::<Vec<f64>>(), pool);
            means[at.clone()].iter_mut().zip(&sums[at]).for_each(|(m, sum)| *m -= sum / *count);
        }
        let mut left = self.products.clone();
        left.iter_mut().zip(products.into_matrix(pool)).for_each(|(to, v)| *to -= v);
        let solved = Solved::new(&left, &self.diagonal, means.clone());
        let rest: f64 = counts.iter().zip(&self.shares).map(|(n, share)| n * share).sum();
        let scale = if rest > 1e-12 { rest } else { 1.0 };
        let logarithms = logarithms(&self.priors.of(&counts));
        let halves: Vec<f64> =
            (0..n_classes).map(|k| 0.5 * dot(&means[k * n_dims..(k + 1) * n_dims], solved.of(k))).collect();
        scored(
            rows,
            |i| {
                let x = self.space.row(samples, i);
                let score = |k: usize| logarithms[k] + scale * (dot(&x, solved.of(k)) - halves[k]);
                (0..n_classes).map(|k| if logarithms[k] == NEVER { NEVER } else { score(k) }).collect()
            },
            pool,
        )
    }
}

/// The scores of each row.
fn scored(rows: &[usize], score: impl Fn(usize) -> Vec<f64> + Sync, pool: &Pool) -> Vec<Vec<f64>> {
    pool.map(rows.len(), |at| score(rows[at]))
}
