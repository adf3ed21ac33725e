//! Approximate leave-one-out: the score of a row under the fit without it, from one Newton step (Rad and Maleki, "A scalable estimate of
//! the out-of-sample prediction error via approximate leave-one-out cross-validation", Journal of the Royal Statistical Society B 82, 2020).
//!
//! With H the Hessian of the objective, A = x' H^-1 x (a value for each pair of scores), D the Hessian of the row's loss by its scores,
//! r its residuals and w its share of the weight, the scores without the row are `s + A (I - w D A)^-1 w r`.

use headsmith_kernels::gemm::{Panels, matmul, packed};
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use super::hessian::{Contrasts, Hessian, MOST_COEFS, centre, probabilities};
use super::lockstep::{Layout, Rows};
use super::loss::{Target, residuals, residuals_each};
use crate::affine::Affine;
use crate::error::{Error, Result};

/// Rows of a block.
const BLOCK: usize = 512;

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

/// Centred rows with a last feature of 1 where there are intercepts, and their scores.
struct Block {
    x: Matrix,
    scores: Matrix,
    targets: Vec<Target>,
}

struct Fit<'f> {
    rows: Rows<'f>,
    mean: Vec<f64>,
    scores: Affine,
    /// Features with that of the intercepts.
    width: usize,
    /// Along which the inverse Hessian has its blocks, in panels: one for each pair `a >= b`.
    contrasts: Contrasts,
    inverse: Vec<Buffer>,
}

impl Fit<'_> {
    fn block(&self, start: usize, buffer: &mut Vec<f32>, pool: &Pool) -> Block {
        let samples = self.rows.samples;
        let end = samples.n_samples().min(start + BLOCK);
        let rows = samples.rows(start, end, buffer, pool);
        let mut x = Matrix::zeros(end - start, self.width);
        for i in 0..end - start {
            let to = x.row_mut(i);
            to.fill(1.0);
            let row = rows.row(i).iter().zip(&self.mean);
            to.iter_mut().zip(row).for_each(|(to, (v, mean))| *to = (f64::from(*v) - mean) as f32);
        }
        let targets = (start..end).map(|i| self.rows.targets.of(samples, i)).collect();
        Block { x, scores: self.scores.scores(rows, pool), targets }
    }

    /// A of each row: `n_scores x n_scores`.
    fn leverages(&self, block: &Block, pool: &Pool) -> Vec<Vec<f64>> {
        let (n, p, k) = (block.x.n_rows(), self.width, block.scores.n_cols());
        let mut leverages = vec![vec![0.0; k * k]; n];
        let mut product = Matrix::zeros(n, p);
        for ((a, b), panels) in self.contrasts.pairs().zip(&self.inverse) {
            let panels = Panels::new(panels, p, p);
            matmul(product.view_mut(), &mut [], MatRef::new(block.x.as_slice(), n, p), panels, pool, |_| ());
            let (of_a, of_b) = (self.contrasts.row(a), self.contrasts.row(b));
            for (i, leverages) in leverages.iter_mut().enumerate() {
                let terms = product.row(i).iter().zip(block.x.row(i));
                let value: f64 = terms.map(|(m, x)| f64::from(*m) * f64::from(*x)).sum();
                for (at, to) in leverages.iter_mut().enumerate() {
                    let (i, j) = (at / k, at % k);
                    *to += value * of_a[i] * of_b[j];
                    if a != b {
                        *to += value * of_b[i] * of_a[j];
                    }
                }
            }
        }
        leverages
    }
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
    let mean = centre(rows, layout, pool);
    let hessian = Hessian::new(rows, layout, weights, (total, &mean), pool);
    let inverse = hessian.inverse(ridge, pool)?;
    let fit = Fit {
        rows,
        mean,
        scores: layout.scores(weights),
        width: layout.n_features + usize::from(layout.fit_intercept),
        contrasts: inverse.contrasts().clone(),
        inverse: inverse.blocks(pool).iter().map(|block| packed(block.view())).collect(),
    };
    let (mut loss, mut buffer) = (0.0, Vec::new());
    for start in (0..rows.samples.n_samples()).step_by(BLOCK) {
        let mut block = fit.block(start, &mut buffer, pool);
        let leverages = fit.leverages(&block, pool);
        let mut moved = block.scores.clone();
        let unweighted: Vec<Target> =
            block.targets.iter().map(|target| Target { weight: 1.0, ..*target }).collect();
        let proba: Vec<Vec<f64>> =
            (0..block.scores.n_rows()).map(|i| probabilities(block.scores.row(i))).collect();
        residuals(block.scores.as_mut_slice(), layout.n_scores, &unweighted);
        for (i, target) in block.targets.iter().enumerate() {
            let step = without(&leverages[i], &proba[i], block.scores.row(i), target.weight / total);
            moved.row_mut(i).iter_mut().zip(step).for_each(|(to, s)| *to += s as f32);
        }
        residuals_each(moved.as_mut_slice(), layout.n_scores, &unweighted, |i, l| {
            loss += block.targets[i].weight * l
        });
    }
    loss.is_finite().then_some(loss)
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
