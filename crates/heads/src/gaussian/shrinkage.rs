//! Shrinkage of a class's covariance, as scikit-learn's discriminant analysis does it: towards the mean variance with a given
//! amount; with `auto` by the lemma of Ledoit and Wolf ("A well-conditioned estimator for large-dimensional covariance matrices", Journal
//! of Multivariate Analysis 88, 2004) on features that are divided by their standard deviations first.
//!
//! With rows z of the divided features, n of them, d features and R their covariance, the lemma needs `|R|^2` and
//! `sum |z|^4` alone, so there is no second matrix of `d x d`: the sum of all elements of `(z^2)' z^2` is the sum over the rows of
//! the squares of `|z|^2`. Where a class has fewer rows than features, `|R|^2` is that of the matrix of the rows' products.

use headsmith_kernels::Pool;

use super::groups::Group;
use crate::linalg::{Products, RowBlocks, centred_products};

/// Features of a block of columns.
const COLUMNS: usize = 1024;

/// The covariance of a class after shrinkage: `keep S / n + diagonal`, with S the sums of products around the mean.
pub(super) struct Shrunk {
    /// 1 less the amount.
    pub(super) keep: f64,
    pub(super) diagonal: Vec<f64>,
    /// The variances before.
    pub(super) variances: Vec<f64>,
    /// S, if it had to be computed.
    pub(super) products: Option<Vec<f64>>,
}

impl Shrunk {
    /// The amount of shrinkage.
    pub(super) fn amount(&self) -> f64 {
        1.0 - self.keep
    }
}

/// Shrinks the covariance of `group`, whose mean is `mean`.
pub(super) fn shrink(group: &Group<'_>, mean: &[f64], amount: Option<f64>, pool: &Pool) -> Shrunk {
    let (n_features, n) = (group.n_cols(), group.total);
    if group.rows.is_empty() {
        let zeros = vec![0.0; n_features];
        return Shrunk {
            keep: 1.0 - amount.unwrap_or(0.0),
            diagonal: zeros.clone(),
            variances: zeros,
            products: None,
        };
    }
    if let Some(amount) = amount {
        let variances = divided(group.squares(mean, pool), n);
        let middle = variances.iter().sum::<f64>() / n_features as f64;
        let diagonal = vec![amount * middle; n_features];
        return Shrunk { keep: 1.0 - amount, diagonal, variances, products: None };
    }
    let products = (group.rows.len() > n_features).then(|| centred_products(group, mean, pool));
    let variances = match &products {
        Some(products) => divided((0..n_features).map(|j| products[j * n_features + j]).collect(), n),
        None => divided(group.squares(mean, pool), n),
    };
    let scales: Vec<f64> = variances.iter().zip(mean).map(|(v, m)| scale(*v, *m, n)).collect();
    let square = match &products {
        Some(products) => square_of_products(products, &scales, n),
        None => square_of_rows(group, mean, &scales, pool),
    };
    let trace: f64 = variances.iter().zip(&scales).map(|(v, s)| v / (s * s)).sum();
    let amount =
        ledoit_wolf(n, n_features as f64, (square, trace, fourth_powers(group, mean, &scales, pool)));
    let middle = trace / n_features as f64;
    let diagonal = scales.iter().map(|s| amount * middle * s * s).collect();
    Shrunk { keep: 1.0 - amount, diagonal, variances, products }
}

/// The sums divided by `n`.
fn divided(mut sums: Vec<f64>, n: f64) -> Vec<f64> {
    sums.iter_mut().for_each(|sum| *sum /= n);
    sums
}

/// The standard deviation, or 1 for a feature that is constant up to rounding, as in scikit-learn's `StandardScaler`.
fn scale(variance: f64, mean: f64, n: f64) -> f64 {
    let bound = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
    if variance <= bound { 1.0 } else { variance.sqrt() }
}

/// The amount of shrinkage from `|R|^2`, the trace of R and `sum |z|^4`.
fn ledoit_wolf(n: f64, d: f64, (square, trace, fourth): (f64, f64, f64)) -> f64 {
    if d == 1.0 {
        return 0.0;
    }
    let middle = trace / d;
    let delta = (square - 2.0 * middle * trace + d * middle * middle) / d;
    let beta = ((fourth / n - square) / (d * n)).clamp(0.0, delta.max(0.0));
    if beta > 0.0 { beta / delta } else { 0.0 }
}

/// `|R|^2` from the sums of products.
fn square_of_products(products: &[f64], scales: &[f64], n: f64) -> f64 {
    let d = scales.len();
    let inverse: Vec<f64> = scales.iter().map(|s| 1.0 / s).collect();
    let row = |i: usize| {
        let row = &products[i * d..i * d + i];
        let below: f64 = row.iter().zip(&inverse).map(|(v, s)| (v * s).powi(2)).sum();
        let diagonal = products[i * d + i] * inverse[i];
        (2.0 * below + diagonal * diagonal) * inverse[i] * inverse[i]
    };
    (0..d).map(row).sum::<f64>() / (n * n)
}

/// `|R|^2` from the products of the rows with one another.
fn square_of_rows(group: &Group<'_>, mean: &[f64], scales: &[f64], pool: &Pool) -> f64 {
    let (n_rows, d) = (group.rows.len(), scales.len());
    let (mut buffer, mut chunk) = (Vec::new(), Vec::new());
    let x = group.block(0, n_rows, &mut buffer, pool);
    let roots: Vec<f64> = (0..n_rows).map(|i| group.weight(i).sqrt()).collect();
    let mut products = Products::new(n_rows);
    for first in (0..d).step_by(COLUMNS) {
        chunk.resize(COLUMNS.min(d - first) * n_rows, 0.0);
        pool.for_each_chunk(&mut chunk, n_rows, |j, column| {
            let at = first + j;
            for (i, (to, root)) in column.iter_mut().zip(&roots).enumerate() {
                *to = root * (f64::from(x.row(i)[at]) - mean[at]) / scales[at];
            }
        });
        products.add(&chunk, pool);
    }
    products.into_matrix(pool).iter().map(|v| v * v).sum::<f64>() / (group.total * group.total)
}

/// The weighted sum of `|z|^4` over the rows.
fn fourth_powers(group: &Group<'_>, mean: &[f64], scales: &[f64], pool: &Pool) -> f64 {
    let inverse: Vec<f64> = scales.iter().map(|s| 1.0 / s).collect();
    let mut sum = 0.0;
    group.each_block(pool, |first, block| {
        let mut squares = vec![0.0; block.n_rows()];
        pool.for_each_chunk(&mut squares, 16, |piece, squares| {
            for (i, square) in squares.iter_mut().enumerate() {
                let row = block.row(piece * 16 + i);
                *square = square_norm(row, mean, &inverse);
            }
        });
        sum += squares.iter().enumerate().map(|(i, s)| group.weight(first + i) * s * s).sum::<f64>();
    });
    sum
}

/// The squared norm of a row around `mean`, each feature times its factor.
fn square_norm(row: &[f32], mean: &[f64], factors: &[f64]) -> f64 {
    // Several sums at a time, in a fixed order.
    let mut lanes = [0.0; 8];
    let pieces = row.chunks(8).zip(mean.chunks(8).zip(factors.chunks(8)));
    for (row, (mean, factors)) in pieces {
        for (lane, (v, (m, factor))) in lanes.iter_mut().zip(row.iter().zip(mean.iter().zip(factors))) {
            let z = (f64::from(*v) - m) * factor;
            *lane += z * z;
        }
    }
    lanes.iter().sum()
}
