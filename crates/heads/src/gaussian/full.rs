//! A covariance for each class: quadratic discriminant analysis, as scikit-learn's
//! `QuadraticDiscriminantAnalysis(solver="eigen")` with shrinkage.

use headsmith_kernels::gemm::{Panels, matmul, packed, unpack};
use headsmith_kernels::{Buffer, MatRef, Matrix, Pool};

use super::groups::{Group, NEVER, Priors, groups, logarithms, rows_a_block, softmax};
use super::params::Options;
use super::shared::{Solved, block_len};
use super::shrinkage::shrink;
use super::space::dot;
use crate::error::{Error, Result};
use crate::head::{Folds, Job, Shape};
use crate::linalg::{Products, centred_products};
use crate::samples::Samples;

/// The most bytes of covariances, `n_classes x n_features^2 x 8`, that a fit takes.
const MOST_BYTES: u64 = 4_000_000_000;
/// Multiply-adds above which no out-of-fold predictions are computed.
const MOST_WORK: f64 = 2e12;
/// The least share of a feature's variance that the diagonal adds.
const FLOOR: f64 = 1e-10;

/// The bytes of the covariances of all classes.
pub(super) fn n_bytes(shape: Shape) -> u64 {
    let [d, k] = [shape.n_features, shape.n_classes].map(|n| n as u64);
    d.saturating_mul(d).saturating_mul(8).saturating_mul(k)
}

/// Refuses covariances beyond the limit.
///
/// # Errors
/// When they are larger.
pub(super) fn check_size(shape: Shape) -> Result<()> {
    let (needed, gigabytes) = (n_bytes(shape), |bytes: u64| bytes as f64 / 1e9);
    if needed <= MOST_BYTES {
        return Ok(());
    }
    Err(Error::samples(format!(
        "covariance full needs {:.1} GB, n_classes x n_features^2 x 8 bytes for {} classes of {} features, expected at most {:.1} GB; \
         use fewer features (transform pca:K), or covariance shared",
        gigabytes(needed),
        shape.n_classes,
        shape.n_features,
        gigabytes(MOST_BYTES)
    )))
}

/// The fitted distributions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Full {
    /// `n_classes x n_features`.
    pub(super) means: Vec<f64>,
    /// For each class, the matrix that turns differences from the mean into independent ones of variance 1, transposed and in panels.
    panels: Vec<Buffer>,
    /// The logarithms of the prior less half that of the determinant.
    pub(super) constants: Vec<f64>,
}

impl Full {
    /// `whiteners` are `n_classes x n_features x n_features`: column j of each matrix gives the independent difference j.
    pub(super) fn new(means: Vec<f64>, whiteners: &[f32], constants: Vec<f64>) -> Full {
        let d = means.len() / constants.len();
        let panels = whiteners.chunks_exact(d * d).map(|whitener| panels(whitener, d)).collect();
        Full { means, panels, constants }
    }

    pub(super) fn n_features(&self) -> usize {
        self.means.len() / self.constants.len()
    }

    pub(super) fn whiteners(&self) -> Vec<f32> {
        let d = self.n_features();
        let mut whiteners = vec![0.0; self.panels.len() * d * d];
        for (to, panels) in whiteners.chunks_exact_mut(d * d).zip(&self.panels) {
            unpack(to, Panels::new(panels, d, d));
        }
        whiteners
    }

    pub(super) fn predict_proba(&self, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let (d, n_classes) = (self.n_features(), self.constants.len());
        let mut proba = Matrix::zeros(x.n_rows(), n_classes);
        let len = rows_a_block(d);
        for (block, proba) in proba.as_mut_slice().chunks_mut(len * n_classes).enumerate() {
            let n_rows = proba.len() / n_classes;
            let mut scores = vec![NEVER; proba.len()];
            let (mut rows, mut white) = (Matrix::zeros(n_rows, d), Matrix::zeros(n_rows, d));
            for (class, panels) in self.panels.iter().enumerate().filter(|(k, _)| self.constants[*k] != NEVER)
            {
                let mean = &self.means[class * d..(class + 1) * d];
                pool.for_each_chunk(rows.as_mut_slice(), d, |i, to| {
                    let row = x.row(block * len + i).iter().zip(mean);
                    to.iter_mut().zip(row).for_each(|(to, (v, m))| *to = (f64::from(*v) - m) as f32);
                });
                matmul(white.view_mut(), &mut [], rows.view(), Panels::new(panels, d, d), pool, |_| ());
                for (i, scores) in scores.chunks_exact_mut(n_classes).enumerate() {
                    let square: f64 = white.row(i).iter().map(|v| f64::from(*v).powi(2)).sum();
                    scores[class] = self.constants[class] - 0.5 * square;
                }
            }
            for (scores, proba) in scores.chunks_exact(n_classes).zip(proba.chunks_exact_mut(n_classes)) {
                softmax(scores, proba);
            }
        }
        proba
    }
}

fn panels(whitener: &[f32], d: usize) -> Buffer {
    packed(MatRef::new(whitener, d, d))
}

/// A class: its mean, and the parts of its covariance times its rows, `keep S + n diagonal`.
struct ClassSums {
    mean: Vec<f64>,
    keep: f64,
    amount: f64,
    /// `keep S`.
    products: Vec<f64>,
    /// `n diagonal`.
    diagonal: Vec<f64>,
}

impl ClassSums {
    fn new(group: &Group<'_>, shrinkage: Option<f64>, pool: &Pool) -> Result<ClassSums> {
        let mean = group.mean(pool);
        let mut shrunk = shrink(group, &mean, shrinkage, pool);
        let (keep, amount) = (shrunk.keep, shrunk.amount());
        let mut products = shrunk.products.take().unwrap_or_else(|| centred_products(group, &mean, pool));
        products.iter_mut().for_each(|v| *v *= keep);
        let d = mean.len();
        let total: Vec<f64> =
            shrunk.diagonal.iter().zip(&shrunk.variances).map(|(t, v)| t + keep * v).collect();
        let average = total.iter().sum::<f64>() / d as f64;
        let instead = if average > 0.0 { FLOOR * average } else { 1.0 };
        let least = total.iter().map(|v| if *v > 0.0 { FLOOR * v } else { instead });
        let diagonal: Vec<f64> =
            shrunk.diagonal.iter().zip(least).map(|(v, least)| group.total * v.max(least)).collect();
        match products.iter().chain(&diagonal).all(|v| v.is_finite()) {
            true => Ok(ClassSums { mean, keep, amount, products, diagonal }),
            false => Err(Error::samples("the features are too large for a covariance; scale them")),
        }
    }

    fn solved(&self) -> Solved {
        Solved::new(&self.products, &self.diagonal, Vec::new())
    }
}

/// Fits the distributions of a job; returns the amounts of shrinkage, too.
pub(super) fn fit(job: Job<'_>) -> Result<(Full, Vec<f64>)> {
    let (samples, options) = (job.train, Options::new(job.params)?);
    let (groups, d) = (groups(samples), samples.n_features());
    let counts: Vec<f64> = groups.iter().map(|group| group.total).collect();
    let mut constants = logarithms(&Priors::new(options, job.params, samples)?.of(&counts));
    let (mut means, mut all, mut amounts) = (Vec::new(), Vec::new(), Vec::new());
    for (group, constant) in groups.iter().zip(&mut constants) {
        if group.rows.is_empty() {
            means.extend(vec![0.0; d]);
            all.push(panels(&vec![0.0; d * d], d));
            continue;
        }
        let sums = ClassSums::new(group, options.shrinkage, job.pool)?;
        amounts.push(sums.amount);
        let factor = sums.solved().factor;
        if *constant != NEVER {
            *constant -= 0.5 * (factor.ln_determinant() - d as f64 * group.total.ln());
        }
        // Of L L' = n covariance: the rows of L^-1 times the root of n.
        let mut whitener = factor.inverse_lower();
        let root = group.total.sqrt();
        whitener.iter_mut().for_each(|v| *v *= root);
        let mut turned = vec![0.0; d * d];
        for (i, row) in whitener.chunks_exact(d).enumerate() {
            row.iter().enumerate().for_each(|(j, v)| turned[j * d + i] = *v as f32);
        }
        all.push(panels(&turned, d));
        means.extend(sums.mean);
    }
    Ok((Full { means, panels: all, constants }, amounts))
}

/// The squared distances `x' C x` of a class and the logarithm of its determinant.
struct Distances {
    squares: Vec<f64>,
    ln_determinant: f64,
}

/// The distances of rows from `mean` by the covariance `(products + diagonal) / n`.
fn distances(
    samples: Samples<'_>,
    rows: &[usize],
    mean: &[f64],
    (solved, n): (&Solved, f64),
    pool: &Pool,
) -> Distances {
    let (d, len) = (mean.len(), block_len(mean.len()));
    let mut squares = vec![0.0; rows.len()];
    pool.for_each_chunk(&mut squares, len, |block, squares| {
        let mut x = vec![0.0; squares.len() * d];
        samples.copy_rows(rows[block * len..].iter().copied(), &mut x);
        let centred: Vec<f64> =
            x.chunks_exact(d).flat_map(|row| row.iter().zip(mean).map(|(v, m)| f64::from(*v) - m)).collect();
        let mut solutions = centred.clone();
        solved.factor.solve(&mut solutions);
        for (i, square) in squares.iter_mut().enumerate() {
            *square = n * dot(&centred[i * d..(i + 1) * d], &solutions[i * d..(i + 1) * d]);
        }
    });
    Distances { squares, ln_determinant: solved.factor.ln_determinant() - d as f64 * n.ln() }
}

/// The probabilities of all rows, each without its fold; `None` where a fold has all rows, or it would take too long. What shrinkage keeps of
/// each class's sums of products, and the diagonal that it adds to them, stay.
pub(super) fn out_of_fold(job: Job<'_>, folds: Folds<'_>) -> Option<Matrix> {
    let (samples, pool, options) = (job.train, job.pool, Options::new(job.params).ok()?);
    let (groups, d, n) = (groups(samples), samples.n_features(), samples.n_samples());
    let (n_classes, size) = (groups.len(), d as f64);
    let members = folds.sets(n);
    // A row that is a fold of its own needs no factor of its own.
    let n_factors = 1.0 + members.iter().filter(|rows| rows.len() > 1).count() as f64;
    let work = n_classes as f64 * (n_factors * size.powi(3) / 3.0 + n as f64 * size * size);
    let priors = Priors::new(options, job.params, samples).ok()?;
    let counts: Vec<f64> = groups.iter().map(|group| group.total).collect();
    let total: f64 = counts.iter().sum();
    let without: Vec<Vec<f64>> = members.iter().map(|rows| counts_without(&counts, samples, rows)).collect();
    if work > MOST_WORK || without.iter().any(|counts| counts.iter().sum::<f64>() <= 1e-12 * total) {
        return None;
    }
    let mut scores = vec![NEVER; n * n_classes];
    let all: Vec<usize> = (0..n).collect();
    for (class, group) in groups.iter().enumerate().filter(|(_, group)| !group.rows.is_empty()) {
        let sums = ClassSums::new(group, options.shrinkage, pool).ok()?;
        let solved = sums.solved();
        let of_all = distances(samples, &all, &sums.mean, (&solved, group.total), pool);
        for (rows, counts) in members.iter().zip(&without) {
            let own: Vec<usize> = rows
                .iter()
                .copied()
                .filter(|&i| samples.y()[i] as usize == class && samples.weight(i) > 0.0)
                .collect();
            let of_fold: Vec<(f64, f64)> = match own[..] {
                _ if counts[class] == 0.0 => vec![(0.0, 0.0); rows.len()],
                [] => rows.iter().map(|&i| (of_all.squares[i], of_all.ln_determinant)).collect(),
                [i] if rows.len() == 1 => vec![sums.without_row(
                    (group.total, counts[class]),
                    samples.weight(i),
                    (of_all.squares[i], of_all.ln_determinant),
                )],
                _ => sums.without_rows(samples, (rows, &own), counts[class], pool),
            };
            for (&i, (square, ln_determinant)) in rows.iter().zip(of_fold) {
                scores[i * n_classes + class] = -0.5 * (square + ln_determinant);
            }
        }
    }
    let mut proba = Matrix::zeros(n, n_classes);
    for (rows, counts) in members.iter().zip(&without) {
        let logarithms = logarithms(&priors.of(counts));
        for &i in rows {
            let scores: Vec<f64> =
                (0..n_classes)
                    .map(|k| {
                        if logarithms[k] == NEVER { NEVER } else { scores[i * n_classes + k] + logarithms[k] }
                    })
                    .collect();
            softmax(&scores, proba.row_mut(i));
        }
    }
    Some(proba)
}

/// The weights of the rows of each class without `rows`.
fn counts_without(counts: &[f64], samples: Samples<'_>, rows: &[usize]) -> Vec<f64> {
    let mut left = counts.to_vec();
    rows.iter().for_each(|&i| left[samples.y()[i] as usize] -= samples.weight(i));
    left.iter_mut().zip(counts).for_each(|(n, before)| *n = if *n <= 1e-9 * before { 0.0 } else { *n });
    left
}

impl ClassSums {
    /// The squared distance of a row of the class and the logarithm of the determinant without the row, from those with it: the
    /// difference from the mean grows, and a multiple of its square leaves the sums of products.
    fn without_row(
        &self,
        (n, left): (f64, f64),
        weight: f64,
        (square, ln_determinant): (f64, f64),
    ) -> (f64, f64) {
        let d = self.mean.len() as f64;
        let moved = 1.0 + weight / left;
        let rest = (1.0 - self.keep * weight * (n / left) * square / n).max(f64::MIN_POSITIVE);
        let without = left / n * moved * moved * square / rest;
        (without, ln_determinant + d * (n / left).ln() + rest.ln())
    }

    /// The same for several rows, of which `own` are of the class.
    fn without_rows(
        &self,
        samples: Samples<'_>,
        (rows, own): (&[usize], &[usize]),
        left: f64,
        pool: &Pool,
    ) -> Vec<(f64, f64)> {
        let d = self.mean.len();
        let mut sum = vec![0.0; d];
        let mut products = Products::new(d);
        for rows in own.chunks(block_len(d)) {
            let mut x = vec![0.0; rows.len() * d];
            samples.copy_rows(rows.iter().copied(), &mut x);
            let mut block = Vec::with_capacity(x.len());
            for (row, &i) in x.chunks_exact(d).zip(rows) {
                let (weight, root) = (samples.weight(i), (self.keep * samples.weight(i)).sqrt());
                for ((v, m), sum) in row.iter().zip(&self.mean).zip(&mut sum) {
                    *sum += weight * (f64::from(*v) - m);
                    block.push(root * (f64::from(*v) - m));
                }
            }
            products.add(&block, pool);
        }
        let root = (self.keep / left).sqrt();
        products.add(&sum.iter().map(|v| root * v).collect::<Vec<f64>>(), pool);
        let mut kept = self.products.clone();
        kept.iter_mut().zip(products.into_matrix(pool)).for_each(|(to, v)| *to -= v);
        let mean: Vec<f64> = self.mean.iter().zip(&sum).map(|(m, s)| m - s / left).collect();
        let solved = Solved::new(&kept, &self.diagonal, Vec::new());
        let found = distances(samples, rows, &mean, (&solved, left), pool);
        found.squares.into_iter().map(|square| (square, found.ln_determinant)).collect()
    }
}
