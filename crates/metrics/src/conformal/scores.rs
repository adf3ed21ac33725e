//! Scores of prediction sets: how often they contain the true class, and how large they are.

use headsmith_kernels::MatRef;
use serde::{Deserialize, Serialize};

use super::ConformalSets;
use crate::bootstrap::Interval;
use crate::check::{self, Error, Result};

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;
/// The quantile of the normal distribution for it.
const Z: f64 = 1.959_963_984_540_054;

/// Scores of prediction sets on rows of known classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetScores {
    /// The number of rows.
    pub n_samples: usize,
    /// The share of rows whose set contains their class.
    pub coverage: f64,
    /// The mean number of classes in a set.
    pub mean_size: f64,
    /// 95 % intervals of the two.
    pub intervals: SetIntervals,
    /// The rows with sets of 0, 1, 2 .. classes, up to the largest that occurs.
    pub sizes: Vec<usize>,
    /// The rows of each class, in the order of the classes.
    pub per_class: Vec<ClassCoverage>,
}

/// Intervals of the scores of prediction sets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SetIntervals {
    /// Wilson's interval of a share.
    pub coverage: Interval,
    /// The normal interval of a mean.
    pub mean_size: Interval,
}

/// The sets of the rows of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassCoverage {
    /// The rows of the class.
    pub n_samples: usize,
    /// The share of them whose set contains the class; `None` without rows.
    pub coverage: Option<f64>,
    /// The mean number of classes in their sets; `None` without rows.
    pub mean_size: Option<f64>,
}

impl SetScores {
    /// The share of rows with a set of `size` classes.
    pub fn share_of_size(&self, size: usize) -> f64 {
        self.sizes.get(size).copied().unwrap_or_default() as f64 / self.n_samples.max(1) as f64
    }
}

/// Scores the sets of rows of the classes `y_true` with the probabilities `proba` (`n_samples x n_classes`). Each row counts alike.
///
/// # Errors
/// When there are no rows, labels and rows do not fit, or the sets are of another number of classes.
pub fn score_sets(sets: &ConformalSets, y_true: &[u32], proba: MatRef<'_>) -> Result<SetScores> {
    check::check(y_true, proba.into())?;
    if sets.n_classes() != proba.n_cols() {
        return Err(Error(format!(
            "the prediction sets are of {} classes, but the probabilities of {}",
            sets.n_classes(),
            proba.n_cols()
        )));
    }
    let mut of_class = vec![Counts::default(); proba.n_cols()];
    let mut sizes = vec![0; proba.n_cols() + 1];
    for (row, &class) in y_true.iter().enumerate() {
        let (mut size, mut is_covered) = (0, false);
        for member in sets.set(proba.row(row)) {
            size += 1;
            is_covered |= member == class as usize;
        }
        sizes[size] += 1;
        of_class[class as usize].add(size, is_covered);
    }
    let largest = sizes.iter().rposition(|&n| n > 0).unwrap_or_default();
    sizes.truncate(largest + 1);
    let all = of_class.iter().fold(Counts::default(), Counts::plus);
    let n = y_true.len() as f64;
    let (coverage, mean_size) = (all.covered as f64 / n, all.size as f64 / n);
    let variance =
        sizes.iter().zip(0..).map(|(&rows, size)| rows as f64 * (f64::from(size) - mean_size).powi(2));
    let half = Z * (variance.sum::<f64>() / (n - 1.0).max(1.0) / n).sqrt();
    Ok(SetScores {
        n_samples: y_true.len(),
        coverage,
        mean_size,
        intervals: SetIntervals {
            coverage: Interval::wilson(all.covered as f64, n, CONFIDENCE),
            mean_size: Interval { low: mean_size - half, high: mean_size + half },
        },
        sizes,
        per_class: of_class.iter().map(Counts::coverage).collect(),
    })
}

/// The rows of a class, those that are covered, and the classes in their sets.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    rows: usize,
    covered: usize,
    size: usize,
}

impl Counts {
    fn add(&mut self, size: usize, is_covered: bool) {
        *self = self.plus(&Counts { rows: 1, covered: usize::from(is_covered), size });
    }

    fn plus(self, other: &Counts) -> Counts {
        Counts {
            rows: self.rows + other.rows,
            covered: self.covered + other.covered,
            size: self.size + other.size,
        }
    }

    fn coverage(&self) -> ClassCoverage {
        let mean = |sum: usize| (self.rows > 0).then(|| sum as f64 / self.rows as f64);
        ClassCoverage { n_samples: self.rows, coverage: mean(self.covered), mean_size: mean(self.size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformal::Options;

    #[test]
    fn by_hand() {
        let options = Options { level: 0.9, by_class: false };
        let sets = ConformalSets::new(options, vec![0.25; 3]).unwrap();
        let proba = [0.5, 0.25, 0.25, 0.75, 0.125, 0.125, 0.5, 0.375, 0.125, 0.75, 0.25, 0.0];
        let scores = score_sets(&sets, &[0, 1, 1, 0], MatRef::new(&proba, 4, 3)).unwrap();
        assert_eq!((scores.coverage, scores.mean_size), (0.75, 2.0));
        assert_eq!(scores.sizes, [0, 1, 2, 1]);
        assert_eq!([0, 1, 2, 9].map(|size| scores.share_of_size(size)), [0.0, 0.25, 0.5, 0.0]);
        let class = |n_samples, coverage, mean_size| ClassCoverage { n_samples, coverage, mean_size };
        assert_eq!(
            scores.per_class,
            [class(2, Some(1.0), Some(2.5)), class(2, Some(0.5), Some(1.5)), class(0, None, None)]
        );
        // Wilson, 1927, in Python for 3 of 4; the size is 2 -+ 1.96 sqrt(2 / 3 / 4).
        let Interval { low, high } = scores.intervals.coverage;
        assert!((low - 0.300641842).abs() < 1e-6 && (high - 0.954412739).abs() < 1e-6, "{low} {high}");
        let half = Z * (2.0f64 / 3.0 / 4.0).sqrt();
        assert!((scores.intervals.mean_size.high - 2.0 - half).abs() < 1e-12);
    }

    #[test]
    fn sets_of_other_classes_are_refused() {
        let sets = ConformalSets::new(Options { level: 0.9, by_class: false }, vec![0.25; 2]).unwrap();
        let error = score_sets(&sets, &[0], MatRef::new(&[0.5, 0.25, 0.25], 1, 3)).unwrap_err();
        assert_eq!(error.to_string(), "the prediction sets are of 2 classes, but the probabilities of 3");
    }
}
