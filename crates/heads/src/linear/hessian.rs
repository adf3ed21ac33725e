//! The Hessian of the loss, and its inverse with a ridge: what a path of strengths steps by.
//!
//! The scores of K classes can move together without a change of any probability. So they are taken along K - 1 orthonormal contrasts, whose
//! sums are 0 (Helmert's): the coefficients at the minimum have no other part, and their squared penalty is the same. With p the
//! probabilities of a row, D = diag(p) - p p' and q the contrasts, the Hessian has a block `sum_i w_i (q_a' D q_b) x_i x_i'` for each pair of
//! contrasts; of one score it is `sum_i w_i p (1 - p) x_i x_i'`. Rows are centred, and have a last feature of 1 where there are intercepts.
//!
//! The sums hold for any ridge: another strength costs a Cholesky factor, and no pass over the rows.

use headsmith_kernels::{Matrix, Pool};

use super::lockstep::{Layout, Rows};
use crate::linalg::tiles::{Factor, Tiles};
use crate::linalg::{Products, Weighted, means};

/// The most coefficients whose Hessian is factored, not counting those of one class, which follow from the others.
pub(super) const MOST_COEFS: usize = 4096;
/// Rows of a block.
const BLOCK: usize = 512;
/// Rows that are one piece of work.
const PIECE: usize = 32;
/// A multiply-add of a pass over the rows takes as long as so many of a product of them: it waits for memory.
const SLOWER: f64 = 6.0;
/// The work of a Hessian and its factor, in evaluations, above which a path does without.
const MOST_EVALUATIONS: f64 = 100.0;
/// The share of the largest curvature that is added where the matrix is not positive definite in double precision, and how it grows.
const JITTERS: [f64; 4] = [0.0, 1e-13, 1e-11, 1e-9];

/// The Hessian at a point, without the ridge.
pub(super) struct Hessian {
    contrasts: Contrasts,
    layout: Layout,
    /// A symmetric matrix of `width x width` for each pair of contrasts `a >= b`.
    blocks: Vec<Vec<f64>>,
    width: usize,
}

/// The inverse of a Hessian with a ridge.
pub(super) struct Inverse {
    contrasts: Contrasts,
    factor: Factor<f64>,
    layout: Layout,
}

/// Orthonormal contrasts of scores.
#[derive(Debug, Clone)]
pub(super) struct Contrasts {
    n_scores: usize,
    /// One a row.
    values: Vec<f64>,
}

impl Contrasts {
    fn new(n_scores: usize) -> Contrasts {
        let mut values = Vec::new();
        for k in 1..n_scores {
            let size = ((k * (k + 1)) as f64).sqrt();
            values.extend((0..n_scores).map(|i| match i.cmp(&k) {
                std::cmp::Ordering::Less => 1.0 / size,
                std::cmp::Ordering::Equal => -(k as f64) / size,
                std::cmp::Ordering::Greater => 0.0,
            }));
        }
        if n_scores == 1 {
            values.push(1.0);
        }
        Contrasts { n_scores, values }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.n_scores.max(1)
    }

    /// The share of each score in contrast `a`.
    pub(super) fn row(&self, a: usize) -> &[f64] {
        &self.values[a * self.n_scores..(a + 1) * self.n_scores]
    }

    /// The pairs `a >= b`.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        (0..self.len()).flat_map(|a| (0..=a).map(move |b| (a, b)))
    }

    /// The curvature of a row's loss along contrasts `a` and `b`.
    fn curvature(&self, proba: &[f64], a: usize, b: usize) -> f64 {
        if let [p] = proba {
            return p * (1.0 - p);
        }
        let (a, b) = (self.row(a), self.row(b));
        let mean = |row: &[f64]| row.iter().zip(proba).map(|(q, p)| q * p).sum::<f64>();
        proba.iter().zip(a.iter().zip(b)).map(|(p, (a, b))| p * a * b).sum::<f64>() - mean(a) * mean(b)
    }
}

/// The probabilities of scores; of one score, that of class 1.
pub(super) fn probabilities(scores: &[f32]) -> Vec<f64> {
    if let [score] = scores {
        return vec![1.0 / (1.0 + (-f64::from(*score)).exp())];
    }
    let max = scores.iter().copied().fold(f32::MIN, f32::max);
    let exps: Vec<f64> = scores.iter().map(|s| f64::from(s - max).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|e| e / sum).collect()
}

/// The means of the features, which are subtracted where there are intercepts; else zeros.
pub(super) fn centre(rows: Rows<'_>, layout: Layout, pool: &Pool) -> Vec<f64> {
    let weighted = Weighted { samples: rows.samples, weight: |i| rows.targets.of(rows.samples, i).weight };
    if layout.fit_intercept { means(&weighted, pool).0 } else { vec![0.0; layout.n_features] }
}

/// The number of coefficients and intercepts that are free.
fn n_free(layout: Layout) -> usize {
    let width = layout.n_features + usize::from(layout.fit_intercept);
    layout.n_scores.saturating_sub(1).max(1).saturating_mul(width)
}

/// The work of a Hessian and its factor in evaluations of the loss; `None` where a path does without them.
pub(super) fn n_evaluations(layout: Layout, n_samples: usize) -> Option<f64> {
    let n = n_free(layout);
    let [n_samples, n_features, n_scores] = [n_samples, layout.n_features, layout.n_scores].map(|n| n as f64);
    let m = (n_scores - 1.0).max(1.0);
    let sums = n_samples * (n_features.powi(2) + n_scores) * m * (m + 1.0) / 2.0;
    let work = (sums + (n as f64).powi(3) / 3.0) / (SLOWER * 4.0 * n_samples * n_features * n_scores);
    (layout.n_scores > 0 && n <= MOST_COEFS && work <= MOST_EVALUATIONS).then_some(work)
}

impl Hessian {
    /// The Hessian of the mean loss at `weights`, for rows that weigh `total`. The features have the means `mean`.
    pub(super) fn new(
        rows: Rows<'_>,
        layout: Layout,
        weights: &[f64],
        (total, mean): (f64, &[f64]),
        pool: &Pool,
    ) -> Hessian {
        let (samples, contrasts) = (rows.samples, Contrasts::new(layout.n_scores));
        let width = layout.n_features + usize::from(layout.fit_intercept);
        let pairs: Vec<(usize, usize)> = contrasts.pairs().collect();
        let mut products: Vec<Products> = pairs.iter().map(|_| Products::new(width)).collect();
        let affine = layout.scores(weights);
        let (mut buffer, mut centred, mut scaled) = (Vec::new(), Vec::new(), Vec::new());
        for start in (0..samples.n_samples()).step_by(BLOCK) {
            let end = samples.n_samples().min(start + BLOCK);
            let block = samples.rows(start, end, &mut buffer, pool);
            let scores = affine.scores(block, pool);
            let factors = pool.map(end - start, |i| {
                let proba = probabilities(scores.row(i));
                let share = rows.targets.of(samples, start + i).weight / total;
                pairs.iter().map(|&(a, b)| share * contrasts.curvature(&proba, a, b)).collect::<Vec<f64>>()
            });
            centred.resize((end - start) * width, 1.0);
            pool.for_each_chunk(&mut centred, PIECE * width, |piece, rows| {
                for (i, to) in rows.chunks_exact_mut(width).enumerate() {
                    let row = block.row(piece * PIECE + i).iter().zip(mean);
                    to.iter_mut().zip(row).for_each(|(to, (v, m))| *to = f64::from(*v) - m);
                }
            });
            scaled.resize(centred.len(), 0.0);
            for (at, products) in products.iter_mut().enumerate() {
                pool.for_each_chunk(&mut scaled, PIECE * width, |piece, rows| {
                    for (i, to) in rows.chunks_exact_mut(width).enumerate() {
                        let row = piece * PIECE + i;
                        let from = &centred[row * width..][..width];
                        to.iter_mut().zip(from).for_each(|(to, v)| *to = factors[row][at] * v);
                    }
                });
                products.add_between(&centred, &scaled, pool);
            }
        }
        let blocks = products.into_iter().map(|products| products.into_matrix(pool)).collect();
        Hessian { contrasts, layout, blocks, width }
    }

    /// Its inverse with a ridge on the coefficients; `None` where it is not positive definite.
    pub(super) fn inverse(&self, ridge: f64, pool: &Pool) -> Option<Inverse> {
        let (width, n) = (self.width, self.width * self.contrasts.len());
        let largest = self.contrasts.pairs().zip(&self.blocks).filter(|((a, b), _)| a == b);
        let largest = largest
            .flat_map(|(_, block)| block.iter().step_by(width + 1))
            .fold(0.0, |most: f64, v| most.max(*v));
        JITTERS.iter().find_map(|jitter| {
            let matrix = Tiles::build(n, pool, |first_row, first_column, height, tile| {
                for (column, to) in (first_column..).zip(tile.chunks_exact_mut(height)) {
                    self.copy_column(column, first_row, to);
                    if let Some(diagonal) = column.checked_sub(first_row).and_then(|at| to.get_mut(at)) {
                        let penalty = if column % width < self.layout.n_features { ridge } else { 0.0 };
                        *diagonal += penalty + jitter * largest;
                    }
                }
            });
            let factor = Factor::new(matrix, pool)?;
            Some(Inverse { contrasts: self.contrasts.clone(), factor, layout: self.layout })
        })
    }
}

impl Hessian {
    /// Copies the values of a column from `first_row` down.
    fn copy_column(&self, column: usize, first_row: usize, mut to: &mut [f64]) {
        let (mut row, b, width) = (first_row, column / self.width, self.width);
        while !to.is_empty() {
            let (a, from) = (row / width, row % width);
            let (part, rest) = to.split_at_mut(to.len().min(width - from));
            // A block is symmetric: its row is the column.
            let block = &self.blocks[a.max(b) * (a.max(b) + 1) / 2 + a.min(b)];
            part.copy_from_slice(&block[column % width * width + from..][..part.len()]);
            (row, to) = (row + part.len(), rest);
        }
    }
}

impl Inverse {
    /// The contrasts of its blocks.
    pub(super) fn contrasts(&self) -> &Contrasts {
        &self.contrasts
    }

    /// Its blocks, a matrix of `width x width` for each pair of contrasts `a >= b`: coefficients along contrast a by those along b.
    pub(super) fn blocks(&self, pool: &Pool) -> Vec<Matrix> {
        let width = self.layout.n_features + usize::from(self.layout.fit_intercept);
        let n = width * self.contrasts.len();
        let mut columns = vec![0.0; n * n];
        columns.iter_mut().step_by(n + 1).for_each(|diagonal| *diagonal = 1.0);
        self.factor.solve(&mut columns, pool);
        let block = |(a, b): (usize, usize)| {
            let mut block = Matrix::zeros(width, width);
            for i in 0..width {
                let column = &columns[(a * width + i) * n + b * width..][..width];
                block.row_mut(i).iter_mut().zip(column).for_each(|(to, v)| *to = *v as f32);
            }
            block
        };
        self.contrasts.pairs().map(block).collect()
    }

    /// Applies it to a vector of weights, whose intercepts are those of centred features.
    pub(super) fn apply(&self, vector: &mut [f64], pool: &Pool) {
        let Layout { n_scores, n_features, fit_intercept } = self.layout;
        let (coef, intercept) = vector.split_at_mut(n_scores * n_features);
        let mut along = Vec::new();
        for a in 0..self.contrasts.len() {
            let contrast = self.contrasts.row(a);
            let first = along.len();
            along.resize(first + n_features, 0.0);
            for (q, row) in contrast.iter().zip(coef.chunks_exact(n_features)) {
                along[first..].iter_mut().zip(row).for_each(|(to, v)| *to += q * v);
            }
            if fit_intercept {
                along.push(contrast.iter().zip(&*intercept).map(|(q, v)| q * v).sum());
            }
        }
        self.factor.solve(&mut along, pool);
        coef.fill(0.0);
        intercept.fill(0.0);
        for (a, part) in along.chunks_exact(along.len() / self.contrasts.len()).enumerate() {
            for (k, q) in self.contrasts.row(a).iter().enumerate() {
                let row = &mut coef[k * n_features..][..n_features];
                row.iter_mut().zip(part).for_each(|(to, v)| *to += q * v);
                if fit_intercept {
                    intercept[k] += q * part[n_features];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::TABLE;
    use crate::linear::targets::Targets;
    use crate::samples::Samples;
    use headsmith_kernels::{MatRef, Philox};

    const N: usize = 700;
    const RIDGE: f64 = 0.01;

    /// The Hessian with its ridge times `v`, row by row; `v` belongs to centred features.
    fn naive(x: &[f32], mean: &[f64], layout: Layout, weights: &[f64], v: &[f64]) -> Vec<f64> {
        let (k, d) = (layout.n_scores, layout.n_features);
        let intercept = |values: &[f64], c: usize| values.get(k * d + c).copied().unwrap_or(0.0);
        let mut product = vec![0.0; v.len()];
        for row in x.chunks(d) {
            let score = |c: usize| {
                (0..d).map(|j| weights[c * d + j] * f64::from(row[j])).sum::<f64>() + intercept(weights, c)
            };
            let centred: Vec<f64> = row.iter().zip(mean).map(|(v, m)| f64::from(*v) - m).collect();
            let along: Vec<f64> = (0..k)
                .map(|c| (0..d).map(|j| v[c * d + j] * centred[j]).sum::<f64>() + intercept(v, c))
                .collect();
            let exps: Vec<f64> = (0..k).map(|c| score(c).exp()).collect();
            let sum = exps.iter().sum::<f64>() + f64::from(u8::from(k == 1));
            let p: Vec<f64> = exps.iter().map(|e| e / sum).collect();
            let middle: f64 = p.iter().zip(&along).map(|(p, a)| p * a).sum();
            for c in 0..k {
                let change = p[c] * (along[c] - middle) / N as f64;
                (0..d).for_each(|j| product[c * d + j] += change * centred[j]);
                if layout.fit_intercept {
                    product[k * d + c] += change;
                }
            }
        }
        product.iter_mut().zip(&v[..k * d]).for_each(|(to, v)| *to += RIDGE * v);
        product
    }

    #[test]
    fn the_inverse_undoes_the_hessian_for_any_number_of_threads() {
        for (n_classes, fit_intercept) in [(2, true), (2, false), (3, true), (4, false), (5, true)] {
            let d = 7;
            let mut sequence = Philox::new(5, 0, 0).sequence(n_classes as u32, 0);
            let mut uniform = || sequence.uniform() - 0.5;
            let x: Vec<f32> = (0..N * d).map(|_| 3.0 + uniform() as f32).collect();
            let y: Vec<u32> = (0..N as u32).map(|i| i % n_classes as u32).collect();
            let samples = Samples::new(MatRef::new(&x, N, d), &y, n_classes).unwrap();
            let targets = Targets::new(samples, &TABLE.defaults()).unwrap();
            let layout = Layout { n_scores: targets.n_scores(), n_features: d, fit_intercept };
            let weights: Vec<f64> =
                (0..layout.n_weights()).map(|_| f64::from((4.0 * uniform()) as f32)).collect();
            let mut v: Vec<f64> = (0..layout.n_weights()).map(|_| uniform()).collect();
            if layout.n_scores > 1 {
                // Only what does not move all scores together has a curvature.
                let (coef, intercept) = v.split_at_mut(layout.n_coefs());
                for j in 0..d {
                    let mean = coef.iter().skip(j).step_by(d).sum::<f64>() / layout.n_scores as f64;
                    coef.iter_mut().skip(j).step_by(d).for_each(|v| *v -= mean);
                }
                let mean = intercept.iter().sum::<f64>() / layout.n_scores as f64;
                intercept.iter_mut().for_each(|v| *v -= mean);
            }
            let mean: Vec<f64> =
                (0..d).map(|j| if fit_intercept { 3.0 + 0.01 * j as f64 } else { 0.0 }).collect();
            let rows = Rows { samples, targets: &targets, fold_of: &[] };
            let undo = |pool: &Pool| {
                let mut product = naive(&x, &mean, layout, &weights, &v);
                let hessian = Hessian::new(rows, layout, &weights, (N as f64, &mean), pool);
                hessian.inverse(RIDGE, pool).unwrap().apply(&mut product, pool);
                product
            };
            let undone = undo(&Pool::inline());
            for (got, v) in undone.iter().zip(&v) {
                assert!((got - v).abs() < 1e-4, "{got}, expected {v}");
            }
            assert_eq!(undone, undo(&Pool::new(3).unwrap()));
        }
    }

    #[test]
    fn a_hessian_that_costs_too_much_is_none() {
        let work = |n_samples, n_features, n_scores| {
            n_evaluations(Layout { n_scores, n_features, fit_intercept: true }, n_samples)
        };
        let usual = work(7000, 512, 3).unwrap();
        assert!((10.0..40.0).contains(&usual), "{usual}");
        assert!(work(7000, 512, 1).is_some() && work(7000, 512, 0).is_none());
        // Too many coefficients, fewer rows than features, many classes.
        assert!(
            work(7000, 3000, 3).is_none() && work(200, 3000, 1).is_none() && work(7000, 8, 400).is_none()
        );
    }
}
