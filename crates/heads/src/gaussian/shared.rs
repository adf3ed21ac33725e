//! One covariance for all classes: linear discriminant analysis, as scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr")`.
//!
//! The covariance is the mean of the classes' covariances after shrinkage, by their priors p: with n rows and the sums of products S of each
//! class, `sum p (keep S / n + diagonal)`. The scores are `x . c - m . c / 2 + ln p` with `c` the solution of `covariance c = m`.

use headsmith_kernels::Pool;

use super::groups::{Group, NEVER, Priors, groups, logarithms, rows_a_block};
use super::params::Options;
use super::shrinkage::{Shrunk, shrink};
use super::space::{Rows, Space, dot};
use crate::error::{Error, Result};
use crate::head::Job;
use crate::linalg::spd::Spd;
use crate::linalg::{Products, RowBlocks};
use crate::samples::Samples;

/// The least variance of a feature that the diagonal adds, as a share of the feature's own.
const FLOOR: f64 = 1e-10;
/// Sums of products that are one piece of work.
const PIECE: usize = 1 << 13;

/// The classes' means and the parts of their common covariance.
pub(super) struct Pooled<'a> {
    pub(super) samples: Samples<'a>,
    pub(super) space: Space,
    pub(super) priors: Priors,
    /// The weights of the rows of each class.
    pub(super) counts: Vec<f64>,
    /// `n_classes x n_dims`.
    pub(super) means: Vec<f64>,
    /// The share of a row of each class in the covariance, `p / n`, before shrinkage.
    pub(super) shares: Vec<f64>,
    /// `shares` times what shrinkage keeps.
    pub(super) factors: Vec<f64>,
    /// The sums of products, each times its factor: `n_dims x n_dims`.
    pub(super) products: Vec<f64>,
    pub(super) diagonal: Vec<f64>,
    /// The amount of shrinkage of each class that has rows.
    pub(super) amounts: Vec<f64>,
}

/// The linear scores of rows around the centre of all.
pub(super) struct Scores {
    /// `n_classes x n_features`.
    pub(super) coefficients: Vec<f64>,
    pub(super) intercepts: Vec<f64>,
}

impl<'a> Pooled<'a> {
    pub(super) fn new(job: Job<'a>) -> Result<Pooled<'a>> {
        let (samples, pool, options) = (job.train, job.pool, Options::new(job.params)?);
        let (groups, d) = (groups(samples), samples.n_features());
        let priors = Priors::new(options, job.params, samples)?;
        let counts: Vec<f64> = groups.iter().map(|group| group.total).collect();
        let of_class = priors.of(&counts);
        let shares: Vec<f64> =
            of_class.iter().zip(&counts).map(|(p, n)| if *n > 0.0 { p / n } else { 0.0 }).collect();
        let is_of_rows = Space::is_of_rows(samples.n_samples(), d);
        let mut means: Vec<f64> = Vec::with_capacity(groups.len() * d);
        let mut sums = Sums::new(d, !is_of_rows);
        let (mut factors, mut amounts) = (Vec::new(), Vec::new());
        for (group, (share, prior)) in groups.iter().zip(shares.iter().zip(&of_class)) {
            let mean = group.mean(pool);
            let shrunk = shrink(group, &mean, options.shrinkage, pool);
            if !group.rows.is_empty() {
                amounts.push(shrunk.amount());
            }
            factors.push(share * shrunk.keep);
            sums.add(group, &mean, (*share, *prior), shrunk, pool);
            means.extend(mean);
        }
        let centre = centre(&mut means, &of_class, d);
        let diagonal = floored(&sums, &means, &of_class);
        let mut pooled = Pooled {
            samples,
            space: Space::Features { centre },
            priors,
            counts,
            means,
            shares,
            factors,
            products: sums.products(pool),
            diagonal,
            amounts,
        };
        if is_of_rows {
            pooled.reduce(&groups, pool)?;
        }
        match pooled.products.iter().chain(&pooled.diagonal).all(|v| v.is_finite()) {
            true => Ok(pooled),
            false => Err(Error::samples("the features are too large for a covariance; scale them")),
        }
    }

    /// Moves to the space of the rows.
    fn reduce(&mut self, groups: &[Group<'_>], pool: &Pool) -> Result<()> {
        let Space::Features { centre } = &mut self.space else { return Ok(()) };
        let rows = Rows::new(self.samples, std::mem::take(centre), &self.diagonal, pool)?;
        self.space = Space::Rows(rows);
        let n_dims = self.space.n_dims();
        (self.means, self.diagonal) = (vec![0.0; groups.len() * n_dims], vec![1.0; n_dims]);
        let mut products = Products::new(n_dims);
        for (class, group) in groups.iter().enumerate() {
            let mean = &mut self.means[class * n_dims..(class + 1) * n_dims];
            let rows: Vec<(f64, Vec<f64>)> = group
                .rows
                .iter()
                .map(|&i| (self.samples.weight(i), self.space.row(self.samples, i)))
                .collect();
            for (weight, row) in &rows {
                mean.iter_mut().zip(row).for_each(|(to, v)| *to += weight / group.total * v);
            }
            for (weight, mut row) in rows {
                let root = (self.factors[class] * weight).sqrt();
                row.iter_mut().zip(&*mean).for_each(|(v, m)| *v = root * (*v - m));
                products.add(&row, pool);
            }
        }
        self.products = products.into_matrix(pool);
        Ok(())
    }

    /// The number of classes.
    pub(super) fn n_classes(&self) -> usize {
        self.counts.len()
    }

    /// The mean of a class.
    pub(super) fn mean(&self, class: usize) -> &[f64] {
        let n_dims = self.space.n_dims();
        &self.means[class * n_dims..(class + 1) * n_dims]
    }

    /// The scores of the head.
    pub(super) fn scores(&self, pool: &Pool) -> Scores {
        let solved = Solved::new(&self.products, &self.diagonal, self.means.clone());
        let logarithms = logarithms(&self.priors.of(&self.counts));
        let intercepts = (0..self.n_classes())
            .map(|class| match logarithms[class] {
                NEVER => NEVER,
                ln => ln - 0.5 * dot(self.mean(class), solved.of(class)),
            })
            .collect();
        let mut coefficients = self.space.to_features(self.samples, solved.coefficients, pool);
        let d = self.samples.n_features();
        // In a space without dimensions all means are equal.
        coefficients.resize(self.n_classes() * d, 0.0);
        for (of_class, n) in coefficients.chunks_exact_mut(d).zip(&self.counts) {
            if *n <= 0.0 {
                of_class.fill(0.0);
            }
        }
        Scores { coefficients, intercepts }
    }
}

/// Means in terms of a covariance.
pub(super) struct Solved {
    pub(super) factor: Spd,
    /// The solution for each mean.
    pub(super) coefficients: Vec<f64>,
    n_dims: usize,
}

impl Solved {
    /// The solutions for `means`, one a row, of the covariance `products + diagonal`.
    pub(super) fn new(products: &[f64], diagonal: &[f64], mut means: Vec<f64>) -> Solved {
        let factor = factored(products, diagonal);
        if !diagonal.is_empty() {
            factor.solve(&mut means);
        }
        Solved { factor, coefficients: means, n_dims: diagonal.len() }
    }

    pub(super) fn of(&self, class: usize) -> &[f64] {
        &self.coefficients[class * self.n_dims..(class + 1) * self.n_dims]
    }
}

/// The factor of `products + diagonal`; where rounding has made that indefinite, of a sum with a larger share of its own diagonal.
fn factored(products: &[f64], diagonal: &[f64]) -> Spd {
    let n = diagonal.len();
    let mut share = 0.0;
    loop {
        let mut matrix = products.to_vec();
        for (j, v) in diagonal.iter().enumerate() {
            matrix[j * n + j] += v;
            matrix[j * n + j] *= 1.0 + share;
            // At the end, a diagonal is positive definite.
            if share > 1.0 {
                matrix[j * n..j * n + j].fill(0.0);
            }
        }
        if let Some(factor) = Spd::new(&matrix, n) {
            return factor;
        }
        share = if share == 0.0 { FLOOR } else { 100.0 * share };
    }
}

/// The sums of the classes so far.
struct Sums {
    with_products: bool,
    /// Of classes whose products were not computed before.
    rows: Option<Products>,
    /// Of the others.
    whole: Vec<f64>,
    variances: Vec<f64>,
    diagonal: Vec<f64>,
}

impl Sums {
    fn new(d: usize, with_products: bool) -> Sums {
        Sums { with_products, rows: None, whole: Vec::new(), variances: vec![0.0; d], diagonal: vec![0.0; d] }
    }

    fn add(
        &mut self,
        group: &Group<'_>,
        mean: &[f64],
        (share, prior): (f64, f64),
        shrunk: Shrunk,
        pool: &Pool,
    ) {
        for (j, (variance, diagonal)) in shrunk.variances.iter().zip(&shrunk.diagonal).enumerate() {
            self.variances[j] += prior * shrunk.keep * variance;
            self.diagonal[j] += prior * diagonal;
        }
        let factor = share * shrunk.keep;
        if !self.with_products {
            return;
        }
        if let Some(mut products) = shrunk.products {
            if self.whole.is_empty() {
                pool.for_each_chunk(&mut products, PIECE, |_, part| {
                    part.iter_mut().for_each(|v| *v *= factor)
                });
                self.whole = products;
                return;
            }
            pool.for_each_chunk(&mut self.whole, PIECE, |piece, part| {
                part.iter_mut().zip(&products[piece * PIECE..]).for_each(|(to, v)| *to += factor * v);
            });
            return;
        }
        let rows = self.rows.get_or_insert_with(|| Products::new(group.n_cols()));
        group.each_block(pool, |first, block| {
            let centred = |i: usize, to: &mut [f64]| {
                let root = (factor * group.weight(first + i)).sqrt();
                for ((to, v), m) in to.iter_mut().zip(block.row(i)).zip(mean) {
                    *to = root * (f64::from(*v) - m);
                }
            };
            rows.add_rows(block.n_rows(), centred, pool);
        });
    }

    fn products(self, pool: &Pool) -> Vec<f64> {
        let Some(rows) = self.rows else { return self.whole };
        let mut products = rows.into_matrix(pool);
        products.iter_mut().zip(self.whole).for_each(|(to, v)| *to += v);
        products
    }
}

/// Takes the mean of the means, by the priors, off all of them, and returns it.
fn centre(means: &mut [f64], priors: &[f64], d: usize) -> Vec<f64> {
    let mut centre = vec![0.0; d];
    for (mean, prior) in means.chunks_exact(d).zip(priors) {
        centre.iter_mut().zip(mean).for_each(|(to, m)| *to += prior * m);
    }
    for mean in means.chunks_exact_mut(d) {
        mean.iter_mut().zip(&centre).for_each(|(m, c)| *m -= c);
    }
    centre
}

/// The diagonal of the covariance, at least [`FLOOR`] of each feature's variance: of the mean variance for a feature without
/// any, and of the squares of the means where no feature has any.
fn floored(sums: &Sums, means: &[f64], priors: &[f64]) -> Vec<f64> {
    let d = sums.diagonal.len();
    let total: Vec<f64> = sums.variances.iter().zip(&sums.diagonal).map(|(v, t)| v + t).collect();
    let present = total.iter().filter(|v| **v > 0.0).count();
    let between: f64 =
        means.chunks_exact(d).zip(priors).map(|(mean, p)| p * dot(mean, mean)).sum::<f64>() / d as f64;
    let instead = match (present, between > 0.0) {
        (0, true) => between,
        (0, false) => 1.0,
        _ => FLOOR * total.iter().sum::<f64>() / present as f64,
    };
    let least = total.iter().map(|v| if *v > 0.0 { FLOOR * v } else { instead });
    sums.diagonal.iter().zip(least).map(|(v, least)| v.max(least)).collect()
}

/// The rows of a block of so many dimensions.
pub(super) fn block_len(n_dims: usize) -> usize {
    rows_a_block(n_dims).min(256)
}
