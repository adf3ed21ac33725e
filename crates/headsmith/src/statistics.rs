//! Statistics of the training rows, which a model's record keeps: a server compares requests with them.

use headsmith_kernels::{MatRef, Pool};
use headsmith_model::FeatureStatistics;

/// Models of more features do not keep statistics: the record would be longer than the model.
const MOST_FEATURES: usize = 16_384;
/// Rows that are added up at once: a fixed number, so that no result depends on the threads.
const ROWS: usize = 4096;

/// Sums over some rows, around the first row of all, so that little is lost where means are large and spreads small.
struct Sums {
    min: Vec<f32>,
    max: Vec<f32>,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

/// The statistics of the rows of `x` (`n_samples x n_features`); `None` without rows, or of too many features.
pub(crate) fn of_rows(x: MatRef<'_>, pool: &Pool) -> Option<FeatureStatistics> {
    if x.n_rows() == 0 || x.n_cols() > MOST_FEATURES {
        return None;
    }
    let (n_rows, centre) = (x.n_rows(), x.row(0));
    let blocks = pool.map(n_rows.div_ceil(ROWS), |block| {
        let start = block * ROWS;
        Sums::of(x.rows(start, (start + ROWS).min(n_rows)), centre)
    });
    let all = blocks.into_iter().reduce(Sums::and)?;
    let n = n_rows as f64;
    let mean = all.sum.iter().zip(centre).map(|(sum, centre)| (sum / n + f64::from(*centre)) as f32);
    let variance = |(sum, squares): (&f64, &f64)| (squares / n - (sum / n).powi(2)).max(0.0);
    let is_constant = all.min.iter().zip(&all.max).map(|(min, max)| min == max);
    let variances = all.sum.iter().zip(&all.squares).map(variance);
    let std =
        variances.zip(is_constant).map(|(v, is_constant)| if is_constant { 0.0 } else { v.sqrt() as f32 });
    Some(FeatureStatistics { mean: mean.collect(), std: std.collect(), min: all.min, max: all.max })
}

impl Sums {
    fn of(rows: MatRef<'_>, centre: &[f32]) -> Sums {
        let zeros = vec![0.0; centre.len()];
        let mut sums =
            Sums { min: rows.row(0).to_vec(), max: rows.row(0).to_vec(), sum: zeros.clone(), squares: zeros };
        for i in 0..rows.n_rows() {
            for (j, (x, centre)) in rows.row(i).iter().zip(centre).enumerate() {
                let difference = f64::from(*x) - f64::from(*centre);
                sums.min[j] = sums.min[j].min(*x);
                sums.max[j] = sums.max[j].max(*x);
                sums.sum[j] += difference;
                sums.squares[j] += difference * difference;
            }
        }
        sums
    }

    fn and(mut self, next: Sums) -> Sums {
        for j in 0..self.sum.len() {
            self.min[j] = self.min[j].min(next.min[j]);
            self.max[j] = self.max[j].max(next.max[j]);
            self.sum[j] += next.sum[j];
            self.squares[j] += next.squares[j];
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Matrix;

    use super::*;

    #[test]
    fn statistics_are_those_of_the_formulas_for_any_number_of_threads() {
        let (n_rows, n_cols) = (10_000, 3);
        let value = |i: usize| match i % n_cols {
            0 => 7.5,
            1 => 1e4 + (i * 37 % 101) as f32 / 8.0,
            _ => (i * 53 % 1009) as f32 - 500.0,
        };
        let x = Matrix::new((0..n_rows * n_cols).map(value).collect(), n_rows, n_cols);
        let found = of_rows(x.view(), &Pool::inline()).unwrap();
        assert_eq!(found, of_rows(x.view(), &Pool::new(3).unwrap()).unwrap());
        for j in 0..n_cols {
            let column: Vec<f64> = (0..n_rows).map(|i| f64::from(x.row(i)[j])).collect();
            let mean = column.iter().sum::<f64>() / n_rows as f64;
            let std = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n_rows as f64).sqrt();
            assert!((f64::from(found.mean[j]) - mean).abs() <= 1e-6 * mean.abs().max(1.0), "{j}");
            assert!((f64::from(found.std[j]) - std).abs() <= 1e-6 * std, "{j}");
            assert_eq!(f64::from(found.min[j]), column.iter().copied().fold(f64::INFINITY, f64::min));
            assert_eq!(f64::from(found.max[j]), column.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
        assert_eq!((found.min[0], found.max[0], found.std[0]), (7.5, 7.5, 0.0));
        assert_eq!(of_rows(MatRef::new(&[], 0, 3), &Pool::inline()), None);
    }
}
