//! How far requests lie from the training rows: values outside the training range, and the mean squared standardised distance.
//!
//! The distance of a row x is the mean of `((x_j - mean_j) / std_j)^2` over the features that varied in training: 1 on average over the training rows,
//! and the more above 1 the farther a row lies from them. It is Mahalanobis' distance with a diagonal covariance, divided by the number of features.
//! A term counts as [`MOST_TERM`] at most, so that one absurd value does not outweigh all rows that follow.

use std::sync::{Mutex, PoisonError};

use headsmith_kernels::MatRef;
use headsmith_model::{FeatureStatistics, Model};

/// The largest squared distance of a value: 1,000 standard deviations from the mean.
const MOST_TERM: f64 = 1e6;

/// The training rows' statistics, and how the rows so far compare.
#[derive(Debug)]
pub(crate) struct Drift {
    min: Vec<f32>,
    max: Vec<f32>,
    mean: Vec<f32>,
    /// One over the standard deviation; 0 for a feature that is constant, or so close to it that the factor is not finite.
    factor: Vec<f32>,
    n_varying: usize,
    sums: Mutex<Sums>,
}

/// Sums over all rows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sums {
    pub(crate) rows: u64,
    pub(crate) values: u64,
    pub(crate) out_of_range: u64,
    pub(crate) distance: f64,
}

impl Drift {
    /// The statistics that a model's file has; `None` if it is of a version that did not record them, or they are not of its features.
    pub(crate) fn of(model: &Model) -> Option<Drift> {
        let FeatureStatistics { min, max, mean, std } = model.record().features.clone()?;
        let is_sound = [&min, &max, &mean, &std].iter().all(|values| values.len() == model.n_features());
        let factor: Vec<f32> = std.iter().map(|std| factor(*std)).collect();
        let n_varying = factor.iter().filter(|factor| **factor > 0.0).count();
        is_sound.then(|| Drift { min, max, mean, factor, n_varying, sums: Mutex::default() })
    }

    /// Adds `rows` (`n_samples x n_features`).
    pub(crate) fn add(&self, rows: MatRef<'_>) {
        let mut added =
            Sums { rows: rows.n_rows() as u64, values: rows.as_slice().len() as u64, ..Sums::default() };
        for i in 0..rows.n_rows() {
            let row = rows.row(i);
            added.out_of_range += self.out_of_range(row);
            added.distance += self.distance(row);
        }
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.rows += added.rows;
        sums.values += added.values;
        sums.out_of_range += added.out_of_range;
        sums.distance += added.distance;
    }

    /// The sums so far.
    pub(crate) fn sums(&self) -> Sums {
        *self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out_of_range(&self, row: &[f32]) -> u64 {
        let bounds = self.min.iter().zip(&self.max);
        row.iter().zip(bounds).map(|(x, (min, max))| u64::from(x < min || x > max)).sum()
    }

    fn distance(&self, row: &[f32]) -> f64 {
        let features = self.mean.iter().zip(&self.factor);
        let sum: f64 = row.iter().zip(features).map(|(x, (mean, factor))| term(*x, *mean, *factor)).sum();
        sum / self.n_varying.max(1) as f64
    }
}

/// The factor of a feature with this standard deviation.
fn factor(std: f32) -> f32 {
    let factor = std.recip();
    if std > 0.0 && factor.is_finite() { factor } else { 0.0 }
}

/// A value's squared standardised distance; 0 for a factor of 0. In f64, where no f32 overflows.
fn term(x: f32, mean: f32, factor: f32) -> f64 {
    ((f64::from(x) - f64::from(mean)) * f64::from(factor)).powi(2).min(MOST_TERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_compared_with_the_training_rows() {
        let drift = Drift {
            min: vec![0.0, 5.0, -1.0],
            max: vec![4.0, 5.0, 1.0],
            mean: vec![2.0, 5.0, 0.0],
            factor: vec![0.5, 0.0, 2.0],
            n_varying: 2,
            sums: Mutex::default(),
        };
        drift.add(MatRef::new(&[2.0, 5.0, 0.0, 6.0, 6.0, 1.0], 2, 3));
        // The second row is 2 and 2 standard deviations away.
        assert_eq!(drift.sums(), Sums { rows: 2, values: 6, out_of_range: 2, distance: 4.0 });
        drift.add(MatRef::new(&[0.0, 5.0, 0.0], 1, 3));
        assert_eq!(drift.sums(), Sums { rows: 3, values: 9, out_of_range: 2, distance: 4.5 });
        // Of absurd values the row's distance is bounded, and that of a constant feature counts in the range alone.
        drift.add(MatRef::new(&[1e20, -f32::MAX, 0.0], 1, 3));
        assert_eq!(
            drift.sums(),
            Sums { rows: 4, values: 12, out_of_range: 4, distance: 4.5 + MOST_TERM / 2.0 }
        );
    }

    #[test]
    fn factors_are_finite() {
        assert_eq!([0.5, 0.0, 1e-45, f32::NAN].map(factor), [2.0, 0.0, 0.0, 0.0]);
        assert_eq!(term(f32::MAX, f32::MIN, 1e30), MOST_TERM);
    }
}
