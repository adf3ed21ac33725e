//! Approximate leave-one-out: the score of a row under the fit without it, from one Newton step (Rad and Maleki, "A scalable estimate of
//! the out-of-sample prediction error via approximate leave-one-out cross-validation", Journal of the Royal Statistical Society B 82, 2020).
//!
//! With H the Hessian of the objective, A = x' H^-1 x (a value for each pair of scores), D the Hessian of the row's loss by its scores,
//! r its residuals and w its share of the weight, the scores without the row are `s + A (I - w D A)^-1 w r`.

use headsmith_kernels::gemm::{Panels, Workspace, matmul, matmul_tn, packed, packed_len, unpack};
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use super::lockstep::{Layout, Rows};
use super::loss::{Target, residuals, residuals_each};
use crate::error::{Error, Result};
use crate::linalg::spd::Spd;

/// The most coefficients whose Hessian is factored, not counting those of one class, which follow from the others.
pub(super) const MOST_COEFS: usize = 4096;
/// Rows of a block.
const BLOCK: usize = 512;
/// Columns of the inverse that are one piece of work.
const COLUMNS: usize = 64;

fn n_free(n_scores: usize) -> usize {
    n_scores.saturating_sub(1).max(1)
}

/// Whether the Hessian is small enough.
///
/// # Errors
/// When it is not, or the penalty has an L1 term.
pub(super) fn check(layout: Layout, l1_ratio: f64) -> Result<()> {
    let n = n_free(layout.n_scores).saturating_mul(layout.n_features);
    if l1_ratio > 0.0 {
        return Err(Error::parameter(format!(
            "choose_by is leave_one_out, which needs a penalty without an L1 term; l1_ratio is {l1_ratio}, expected 0; or choose by folds"
        )));
    }
    if n > MOST_COEFS {
        let (classes, features) = (n_free(layout.n_scores) + 1, layout.n_features);
        return Err(Error::parameter(format!(
            "choose_by is leave_one_out, which factors a matrix of (classes - 1) x features: {classes} classes and {features} \
             features make {n}, expected at most {MOST_COEFS}; choose by folds, or reduce the features (pca:K)"
        )));
    }
    Ok(())
}

/// The bytes that it takes.
pub(super) fn n_bytes(n_scores: u64, n_features: u64) -> u64 {
    let (k, p) = (n_scores, n_features.saturating_add(1));
    let n = k.saturating_mul(p).min(2 * MOST_COEFS as u64 + 2);
    // The Hessian, its factor with a workspace, the inverse; sums of pairs; packed inverse; rows of a block.
    let dense = n.saturating_mul(n).saturating_mul(8 * 5);
    let pairs = k.saturating_mul(k + 1).saturating_mul(p).saturating_mul(p + 32).saturating_mul(8);
    dense
        .saturating_add(pairs)
        .saturating_add((BLOCK as u64).saturating_mul(p + k * k + 64).saturating_mul(32))
}

/// Rows with a last feature of 1 where there are intercepts, with scores and residuals.
struct Block {
    x: Matrix,
    scores: Matrix,
    /// Probabilities of the scores; of one score, that of class 1.
    proba: Vec<f64>,
    targets: Vec<Target>,
}

struct Fit<'f> {
    rows: Rows<'f>,
    layout: Layout,
    coef: Matrix,
    intercept: Vec<f32>,
    /// Features with that of the intercepts.
    width: usize,
}

impl Fit<'_> {
    fn block(&self, start: usize, buffer: &mut Vec<f32>, pool: &Pool) -> Block {
        let samples = self.rows.samples;
        let end = samples.n_samples().min(start + BLOCK);
        let rows = samples.rows(start, end, buffer, pool);
        let mut x = Matrix::zeros(end - start, self.width);
        let mut scores = Matrix::zeros(end - start, self.layout.n_scores);
        for i in 0..end - start {
            let to = x.row_mut(i);
            to.fill(1.0);
            to[..rows.n_cols()].copy_from_slice(rows.row(i));
            for (k, score) in scores.row_mut(i).iter_mut().enumerate() {
                let products =
                    rows.row(i).iter().zip(self.coef.row(k)).map(|(x, w)| f64::from(*x) * f64::from(*w));
                *score = products.sum::<f64>() as f32 + self.intercept.get(k).copied().unwrap_or(0.0);
            }
        }
        let proba = scores.as_slice().chunks_exact(self.layout.n_scores).flat_map(probabilities).collect();
        let targets = (start..end).map(|i| self.rows.targets.of(samples, i)).collect();
        Block { x, scores, proba, targets }
    }
}

pub(super) fn probabilities(scores: &[f32]) -> Vec<f64> {
    if let [score] = scores {
        return vec![1.0 / (1.0 + (-f64::from(*score)).exp())];
    }
    let max = scores.iter().copied().fold(f32::MIN, f32::max);
    let exps: Vec<f64> = scores.iter().map(|s| f64::from(s - max).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|e| e / sum).collect()
}

/// The Hessian of a row's loss by scores `a` and `b`.
fn curvature(proba: &[f64], a: usize, b: usize) -> f64 {
    if a == b { proba[a] * (1.0 - proba[a]) } else { -proba[a] * proba[b] }
}

/// The weighted sum of the losses of the rows, each under the fit without it; `None` where the Hessian is not positive definite.
pub(super) fn loss(
    rows: Rows<'_>,
    layout: Layout,
    weights: &[f64],
    (total, ridge): (f64, f64),
    pool: &Pool,
) -> Option<f64> {
    let values: Vec<f32> = weights.iter().map(|w| *w as f32).collect();
    let (coef, intercept) = values.split_at(layout.n_coefs());
    let fit = Fit {
        rows,
        layout,
        coef: Matrix::new(coef.to_vec(), layout.n_scores, layout.n_features),
        intercept: intercept.to_vec(),
        width: layout.n_features + usize::from(layout.fit_intercept),
    };
    let inverse = inverse(&fit, total, ridge, pool)?;
    let (mut loss, mut buffer) = (0.0, Vec::new());
    for start in (0..rows.samples.n_samples()).step_by(BLOCK) {
        let mut block = fit.block(start, &mut buffer, pool);
        let leverages = leverages(&block, &inverse, layout.n_scores, pool);
        let targets = block.targets.clone();
        let mut moved = block.scores.clone();
        let unweighted: Vec<Target> = targets.iter().map(|t| Target { weight: 1.0, ..*t }).collect();
        residuals(block.scores.as_mut_slice(), layout.n_scores, &unweighted);
        for (i, target) in targets.iter().enumerate() {
            let share = target.weight / total;
            let step = without(
                &leverages[i],
                &block.proba[i * layout.n_scores..][..layout.n_scores],
                block.scores.row(i),
                share,
            );
            moved.row_mut(i).iter_mut().zip(step).for_each(|(to, s)| *to += s as f32);
        }
        residuals_each(moved.as_mut_slice(), layout.n_scores, &unweighted, |i, l| {
            loss += targets[i].weight * l
        });
    }
    loss.is_finite().then_some(loss)
}

/// The inverse of the Hessian: a packed matrix of `width x width` for each pair of scores `a <= b`.
fn inverse(fit: &Fit<'_>, total: f64, ridge: f64, pool: &Pool) -> Option<Vec<Buffer>> {
    let (k, p) = (fit.layout.n_scores, fit.width);
    let n = k * p;
    let mut hessian = vec![0.0; n * n];
    let (mut buffer, mut workspace) = (Vec::new(), Workspace::default());
    let pairs: Vec<(usize, usize)> = (0..k).flat_map(|a| (a..k).map(move |b| (a, b))).collect();
    let (mut panels, mut product) = (Buffer::zeros(packed_len(p, p)), vec![0.0; p * p]);
    for start in (0..fit.rows.samples.n_samples()).step_by(BLOCK) {
        let block = fit.block(start, &mut buffer, pool);
        let mut scaled = block.x.clone();
        for &(a, b) in &pairs {
            for i in 0..block.x.n_rows() {
                let factor = block.targets[i].weight / total * curvature(&block.proba[i * k..][..k], a, b);
                scaled
                    .row_mut(i)
                    .iter_mut()
                    .zip(block.x.row(i))
                    .for_each(|(to, x)| *to = (factor * f64::from(*x)) as f32);
            }
            matmul_tn([&mut panels], scaled.view(), block.x.view(), &mut workspace, pool, |[to], sums| {
                to.copy_from_slice(sums);
            });
            unpack(&mut product, Panels::new(&panels, p, p));
            // The triangle below the diagonal is read.
            for (i, row) in product.chunks_exact(p).enumerate() {
                let to = &mut hessian[(b * p + i) * n + a * p..][..p];
                to.iter_mut().zip(row).for_each(|(to, v)| *to += f64::from(*v));
            }
        }
    }
    add_penalty(&mut hessian, fit, ridge);
    let factor = Spd::new(&hessian, n)?;
    drop(hessian);
    let mut columns = vec![0.0; n * n];
    pool.for_each_chunk(&mut columns, COLUMNS * n, |piece, columns| {
        for (j, column) in columns.chunks_exact_mut(n).enumerate() {
            column[piece * COLUMNS + j] = 1.0;
        }
        factor.solve(columns);
    });
    let inverse = pairs.iter().map(|&(a, b)| {
        let mut part = Matrix::zeros(p, p);
        for i in 0..p {
            let from = &columns[(a * p + i) * n + b * p..][..p];
            part.row_mut(i).iter_mut().zip(from).for_each(|(to, v)| *to = *v as f32);
        }
        packed(part.view())
    });
    Some(inverse.collect())
}

/// Adds the Hessian of the penalty, and some curvature where all intercepts move together, which changes no probability.
fn add_penalty(hessian: &mut [f64], fit: &Fit<'_>, ridge: f64) {
    let (k, p) = (fit.layout.n_scores, fit.width);
    let n = k * p;
    for a in 0..k {
        for j in 0..fit.layout.n_features {
            hessian[(a * p + j) * n + a * p + j] += ridge;
        }
        for b in 0..=a {
            if k > 1 && fit.layout.fit_intercept {
                hessian[(a * p + p - 1) * n + b * p + p - 1] += 1.0 / k as f64;
            }
        }
    }
}

/// A of each row: `n_scores x n_scores`.
fn leverages(block: &Block, inverse: &[Buffer], k: usize, pool: &Pool) -> Vec<Vec<f64>> {
    let (n, p) = (block.x.n_rows(), block.x.n_cols());
    let mut leverages = vec![vec![0.0; k * k]; n];
    let mut product = Matrix::zeros(n, p);
    let pairs = (0..k).flat_map(|a| (a..k).map(move |b| (a, b)));
    for ((a, b), panels) in pairs.zip(inverse) {
        let panels = Panels::new(panels, p, p);
        matmul(product.view_mut(), &mut [], MatRef::new(block.x.as_slice(), n, p), panels, pool, |_| ());
        for (i, leverages) in leverages.iter_mut().enumerate() {
            let terms = product.row(i).iter().zip(block.x.row(i)).map(|(m, x)| f64::from(*m) * f64::from(*x));
            let value: f64 = terms.sum();
            (leverages[a * k + b], leverages[b * k + a]) = (value, value);
        }
    }
    leverages
}

/// How far a row's scores move without it: `A (I - w D A)^-1 w r`.
fn without(a: &[f64], proba: &[f64], residuals: &[f32], share: f64) -> Vec<f64> {
    let k = proba.len();
    let mut system = vec![0.0; k * k];
    for i in 0..k {
        for j in 0..k {
            let product: f64 = (0..k).map(|l| curvature(proba, i, l) * a[l * k + j]).sum();
            system[i * k + j] = f64::from(u8::from(i == j)) - share * product;
        }
    }
    let mut rhs: Vec<f64> = residuals.iter().map(|r| share * f64::from(*r)).collect();
    solve(&mut system, &mut rhs);
    (0..k).map(|i| (0..k).map(|j| a[i * k + j] * rhs[j]).sum()).collect()
}

/// Gaussian elimination with row pivots of a small system.
fn solve(system: &mut [f64], rhs: &mut [f64]) {
    let k = rhs.len();
    for column in 0..k {
        let size = |row: &usize| system[row * k + column].abs();
        let pivot = (column..k).max_by(|a, b| size(a).total_cmp(&size(b))).unwrap_or(column);
        for j in 0..k {
            system.swap(column * k + j, pivot * k + j);
        }
        rhs.swap(column, pivot);
        for row in column + 1..k {
            let factor = system[row * k + column] / system[column * k + column];
            for j in column..k {
                system[row * k + j] -= factor * system[column * k + j];
            }
            rhs[row] -= factor * rhs[column];
        }
    }
    for row in (0..k).rev() {
        let known: f64 = (row + 1..k).map(|j| system[row * k + j] * rhs[j]).sum();
        rhs[row] = (rhs[row] - known) / system[row * k + row];
    }
}
