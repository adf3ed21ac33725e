//! Landmarks: the rows of a large table whose kernel functions are the basis of the fit.
//!
//! They are drawn without replacement, with probabilities proportional to approximate ridge leverage scores: to what an even sample of the rows does
//! not explain of each (Alaoui and Mahoney, "Fast randomized kernel ridge regression with statistical guarantees", 2015; Musco and Musco,
//! "Recursive sampling for the Nystroem method", 2017). So regions with few rows have landmarks, too.

use headsmith_kernels::gemm::{Panels, matmul, packed};
use headsmith_kernels::{Buffer, MatRef, Matrix, Philox, Pool};

use crate::affine::transposed;
use crate::error::{Error, Result};
use crate::kernel_function::{Evaluate, Function, squared_norm, squared_norms};
use crate::linalg::spd::Spd;

/// The stream of random numbers that draw landmarks.
const STREAM: u32 = 0x6c61_6e64;
/// The most rows of the even sample.
const SAMPLE: usize = 1000;
/// The least ridge of the sample's kernel matrix: its inverse is used in single precision.
const LEAST_RIDGE: f64 = 1e-3;
/// A row that the sample explains is drawn with this share of the probability of one that it does not explain at all.
const LEAST_LEVERAGE: f64 = 1e-3;
/// Rows whose kernel functions are computed together.
const BLOCK: usize = 2048;

/// Rows with which others are compared.
#[derive(Debug)]
pub(super) struct Landmarks {
    pub(super) rows: Matrix,
    packed: Buffer,
    norms: Vec<f32>,
}

impl Landmarks {
    pub(super) fn new(rows: Matrix) -> Landmarks {
        let packed = packed(transposed(rows.view()).view());
        let norms = squared_norms(rows.view());
        Landmarks { rows, packed, norms }
    }

    /// The landmarks.
    pub(super) fn n(&self) -> usize {
        self.norms.len()
    }

    /// The values of `function` for each row of `x` and each landmark, `n_rows x n`.
    pub(super) fn kernel(&self, function: Function, x: MatRef<'_>, pool: &Pool) -> Matrix {
        let mut values = Matrix::zeros(x.n_rows(), self.n());
        let panels = Panels::new(&self.packed, x.n_cols(), self.n());
        matmul(values.view_mut(), &mut [], x, panels, pool, |_| ());
        pool.for_each_chunk(values.as_mut_slice(), self.n().max(1), |i, row| {
            f32::evaluate(function, row, squared_norm(x.row(i)), &self.norms);
        });
        values
    }
}

/// Draws `n` of the rows, in their order. `alpha` is the ridge of the fit.
///
/// # Errors
/// When the rows of the even sample have no positive definite kernel matrix.
pub(super) fn draw(
    rows: MatRef<'_>,
    (function, alpha): (Function, f64),
    n: usize,
    seed: u64,
    pool: &Pool,
) -> Result<Vec<usize>> {
    let leverages = leverages(rows, (function, alpha), pool)?;
    let philox = Philox::new(seed, 0, STREAM);
    // Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006: the largest u^(1 / weight).
    let key = |(i, leverage): (usize, &f64)| {
        let [word, ..] = philox.words(0, i as u32, 0);
        let uniform = (f64::from(word) + 0.5) / 4_294_967_296.0;
        (uniform.ln() / leverage.max(LEAST_LEVERAGE), i)
    };
    let mut keys: Vec<(f64, usize)> = leverages.iter().enumerate().map(key).collect();
    keys.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut drawn: Vec<usize> = keys.into_iter().take(n).map(|(_, i)| i).collect();
    drawn.sort_unstable();
    Ok(drawn)
}

/// The share of each row's kernel function that an even sample does not explain, from 0 to 1.
fn leverages(rows: MatRef<'_>, (function, alpha): (Function, f64), pool: &Pool) -> Result<Vec<f64>> {
    let n_rows = rows.n_rows();
    let n = SAMPLE.min(n_rows);
    let sample: Vec<usize> = (0..n).map(|at| at * n_rows / n).collect();
    let sample = Landmarks::new(rows.gather(&sample));
    let own = sample.kernel(function, sample.rows.view(), pool);
    let mut matrix: Vec<f64> = own.as_slice().iter().map(|v| f64::from(*v)).collect();
    let scale = (0..n).map(|i| matrix[i * n + i]).sum::<f64>() / n as f64;
    let ridge = scale * (alpha * n as f64 / n_rows as f64).max(LEAST_RIDGE);
    (0..n).for_each(|i| matrix[i * n + i] += ridge);
    let singular =
        || Error::samples("the kernel matrix is singular: is a feature constant or far from the others?");
    let inverse = Spd::new(&matrix, n).ok_or_else(singular)?.inverse_lower();
    let inverse = Matrix::new(inverse.iter().map(|v| *v as f32).collect(), n, n);
    let turned = packed(transposed(inverse.view()).view());
    let mut leverages = Vec::with_capacity(n_rows);
    for first in (0..n_rows).step_by(BLOCK) {
        let block = rows.rows(first, n_rows.min(first + BLOCK));
        let values = sample.kernel(function, block, pool);
        let mut explained = Matrix::zeros(block.n_rows(), n);
        matmul(explained.view_mut(), &mut [], values.view(), Panels::new(&turned, n, n), pool, |_| ());
        leverages.extend((0..block.n_rows()).map(|i| {
            let square = block.row(i).iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            let mut own = [square];
            f64::evaluate(function, &mut own, square, &[square]);
            let explained = explained.row(i).iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
            (1.0 - explained / own[0].max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
        }));
    }
    Ok(leverages)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3,000 rows near one place, and 30 far from it and from one another.
    fn rows() -> Matrix {
        let mut random = Philox::new(1, 0, 0).sequence(0, 0);
        let value = |i: usize, j: usize, noise: f64| {
            let place = if i % 101 == 100 { 5.0 * f64::from(j == i / 101) } else { 0.0 };
            place + 0.05 * noise
        };
        let values = (0..3030 * 40).map(|at| value(at / 40, at % 40, random.uniform() - 0.5) as f32);
        Matrix::new(values.collect(), 3030, 40)
    }

    #[test]
    fn rows_that_others_do_not_explain_are_landmarks() {
        let (rows, function) = (rows(), Function::Exponential { exponent: 2.0, gamma: 0.5 });
        let far = |drawn: &[usize]| drawn.iter().filter(|&&i| i % 101 == 100).count();
        let pool = Pool::new(3).unwrap();
        let drawn = draw(rows.view(), (function, 0.5), 60, 7, &pool).unwrap();
        assert_eq!((drawn.len(), drawn.is_sorted()), (60, true));
        // An even sample of 1,000 rows has a third of them, and explains those.
        assert!(far(&drawn) > 15, "{}", far(&drawn));
        assert_eq!(drawn, draw(rows.view(), (function, 0.5), 60, 7, &Pool::inline()).unwrap());
    }
}
