//! A summary of embeddings, to look at before training.

use super::sample;
use crate::Table;
use half::f16;
use headsmith_kernels::MatRef;
use serde::Serialize;

/// The number of rows for the effective rank, and of values for the precision.
const N_ROWS: usize = 512;

/// A summary of a table's features.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The smallest value.
    pub min: f32,
    /// The largest value.
    pub max: f32,
    /// The share of values that are exactly 0.
    pub zeros: f64,
    /// The smallest Euclidean norm of a row.
    pub norm_min: f64,
    /// The mean of the rows' norms.
    pub norm_mean: f64,
    /// The largest norm of a row.
    pub norm_max: f64,
    /// Whether every row has norm 1, up to rounding.
    pub unit_length: bool,
    /// The precision of the values: `float32`, `float16`, `bfloat16`, `whole numbers`, `4 decimals`.
    pub precision: String,
    /// The effective number of dimensions: the squared sum of the covariance's eigenvalues divided by the sum of their
    /// squares, from at most 512 rows spread over the table.
    pub effective_rank: f64,
}

/// Summarises the features of `table`.
pub fn summary(table: &Table) -> Summary {
    let x = table.x();
    let (mut min, mut max, mut n_zeros) = (f32::INFINITY, f32::NEG_INFINITY, 0usize);
    let (mut norm_min, mut norm_max, mut norm_sum) = (f64::INFINITY, 0.0f64, 0.0);
    for row in 0..x.n_rows() {
        let mut squares = 0.0;
        for &value in x.row(row) {
            (min, max) = (min.min(value), max.max(value));
            n_zeros += usize::from(value == 0.0);
            squares += f64::from(value) * f64::from(value);
        }
        let norm = squares.sqrt();
        (norm_min, norm_max) = (norm_min.min(norm), norm_max.max(norm));
        norm_sum += norm;
    }
    let rows = sample::rows(x.n_rows(), N_ROWS);
    Summary {
        min,
        max,
        zeros: n_zeros as f64 / (x.n_rows() * x.n_cols()).max(1) as f64,
        norm_min,
        norm_mean: norm_sum / x.n_rows().max(1) as f64,
        norm_max,
        unit_length: norm_min > 0.99 && norm_max < 1.01,
        precision: precision(x, &rows),
        effective_rank: effective_rank(x, &rows),
    }
}

/// The coarsest precision that represents all values of the rows.
fn precision(x: MatRef<'_>, rows: &[usize]) -> String {
    let all = |is: &dyn Fn(f32) -> bool| rows.iter().all(|&row| x.row(row).iter().all(|&value| is(value)));
    if all(&|value| value.fract() == 0.0) {
        return "whole numbers".to_owned();
    }
    if all(&|value| value.to_bits() & 0xFFFF == 0) {
        return "bfloat16".to_owned();
    }
    if all(&|value| f16::from_f32(value).to_f32() == value) {
        return "float16".to_owned();
    }
    let n_decimals = (1..=6).find(|&n| {
        let scale = 10f64.powi(n);
        // The nearest number with so many decimals must be the same float.
        all(&|value| ((f64::from(value) * scale).round() / scale) as f32 == value)
    });
    // Large and small numbers have as many decimals as a float has digits.
    let has_fewer = |n: i32| all(&|value| value.abs() < 10f32.powi(6 - n));
    match n_decimals.filter(|&n| has_fewer(n)) {
        Some(1) => "1 decimal".to_owned(),
        Some(n) => format!("{n} decimals"),
        None => "float32".to_owned(),
    }
}

/// The squared trace of the covariance divided by the trace of its square, from the products of the centred rows.
fn effective_rank(x: MatRef<'_>, rows: &[usize]) -> f64 {
    let n = rows.len();
    let mut mean = vec![0.0f64; x.n_cols()];
    for &row in rows {
        mean.iter_mut().zip(x.row(row)).for_each(|(mean, &value)| *mean += f64::from(value) / n as f64);
    }
    let centred: Vec<Vec<f32>> = rows
        .iter()
        .map(|&row| {
            x.row(row).iter().zip(&mean).map(|(&value, mean)| (f64::from(value) - mean) as f32).collect()
        })
        .collect();
    let (mut trace, mut squares) = (0.0, 0.0);
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 =
                centred[i].iter().zip(&centred[j]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            trace += if i == j { dot } else { 0.0 };
            squares += if i == j { dot * dot } else { 2.0 * dot * dot };
        }
    }
    if squares > 0.0 { trace * trace / squares } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::Matrix;

    fn of(values: Vec<f32>, n_cols: usize) -> (String, f64) {
        let n_rows = values.len() / n_cols;
        let x = Matrix::new(values, n_rows, n_cols);
        let rows: Vec<usize> = (0..n_rows).collect();
        (precision(x.view(), &rows), effective_rank(x.view(), &rows))
    }

    #[test]
    fn precision_is_that_of_the_digits() {
        let cases: [(&[f32], &str); 6] = [
            (&[1.0, -7.0, 300.0], "whole numbers"),
            (&[0.5, -7.0, 0.1015625], "bfloat16"),
            (&[0.5, 0.33325195], "float16"),
            (&[0.25, 0.1, 3.17], "2 decimals"),
            (&[0.1234, 0.5], "4 decimals"),
            (&[0.1, 0.333_333_34], "float32"),
        ];
        for (values, expected) in cases {
            assert_eq!(of(values.to_vec(), 1).0, expected);
        }
    }

    #[test]
    fn effective_rank_counts_directions() {
        // Corners of a cross in two of three dimensions, then points on a line.
        let cross = [[1.0, 0.0, 5.0], [-1.0, 0.0, 5.0], [0.0, 1.0, 5.0], [0.0, -1.0, 5.0]].concat();
        assert!((of(cross, 3).1 - 2.0).abs() < 1e-9);
        assert!((of(vec![1.0, 2.0, 2.0, 4.0, 3.0, 6.0], 2).1 - 1.0).abs() < 1e-6);
        assert_eq!(of(vec![1.0, 2.0, 1.0, 2.0], 2).1, 0.0);
    }
}
