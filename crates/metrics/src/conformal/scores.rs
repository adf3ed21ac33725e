//! Scores of prediction sets: how often they contain the true class, and how large they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ConformalSets, Rows};
use crate::bootstrap::Interval;
use crate::check::{Error, Result};

/// The confidence of the intervals.
const CONFIDENCE: f64 = 0.95;

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
    /// Wilson's interval of a share: of independent rows, or of as many of them as rows in groups are worth.
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

/// Scores the sets of `rows`. Each row counts alike; those of a group are covered or not together.
///
/// # Errors
/// When there are no rows, labels and rows do not fit, or the sets are of another number of classes.
pub(super) fn score(rows: &Rows<'_>, sets: &ConformalSets) -> Result<SetScores> {
    let n_classes = rows.proba.n_cols();
    if sets.n_classes() != n_classes {
        return Err(Error(format!(
            "the prediction sets are of {} classes, but the probabilities of {n_classes}",
            sets.n_classes()
        )));
    }
    let mut of_class = vec![Counts::default(); n_classes];
    let mut of_group: BTreeMap<u32, Counts> = BTreeMap::new();
    let mut sizes = vec![0; n_classes + 1];
    for (row, &class) in rows.y.iter().enumerate() {
        let (mut size, mut is_covered) = (0, false);
        for member in sets.set(rows.proba.row(row)) {
            size += 1;
            is_covered |= member == class as usize;
        }
        sizes[size] += 1;
        of_class[class as usize].add(size, is_covered);
        let group = rows.groups.map_or(row as u32, |groups| groups[row]);
        of_group.entry(group).or_default().add(size, is_covered);
    }
    let largest = sizes.iter().rposition(|&n| n > 0).unwrap_or_default();
    sizes.truncate(largest + 1);
    let all = of_class.iter().fold(Counts::default(), Counts::plus);
    Ok(SetScores {
        n_samples: all.rows,
        coverage: all.share(all.covered),
        mean_size: all.share(all.size),
        intervals: intervals(&all, &of_group),
        sizes,
        per_class: of_class.iter().map(Counts::coverage).collect(),
    })
}

/// The intervals of rows that are covered or not by whole groups.
fn intervals(all: &Counts, of_group: &BTreeMap<u32, Counts>) -> SetIntervals {
    let (n, coverage, mean_size) = (all.rows as f64, all.share(all.covered), all.share(all.size));
    let variance = variance_of(all, of_group, coverage, |counts| counts.covered);
    // As many independent rows have a share of that variance: n without groups.
    let worth = match variance > 0.0 {
        true => (coverage * (1.0 - coverage) / variance * n / (n - 1.0).max(1.0)).min(n),
        false => of_group.len() as f64,
    };
    let size_error = variance_of(all, of_group, mean_size, |counts| counts.size).sqrt();
    SetIntervals {
        coverage: Interval::wilson(coverage * worth, worth, CONFIDENCE),
        mean_size: Interval::normal(mean_size, size_error, CONFIDENCE),
    }
}

/// The variance of `mean`, a sum over groups by the number of their rows: that of a ratio of sums (Cochran, *Sampling Techniques*, 1977, 6.3).
fn variance_of(
    all: &Counts,
    of_group: &BTreeMap<u32, Counts>,
    mean: f64,
    of: impl Fn(&Counts) -> usize,
) -> f64 {
    let n_groups = of_group.len() as f64;
    let squares = of_group.values().map(|own| (of(own) as f64 - mean * own.rows as f64).powi(2));
    squares.sum::<f64>() * n_groups / (n_groups - 1.0).max(1.0) / (all.rows as f64).powi(2)
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

    /// The share of the rows that `sum` is.
    fn share(&self, sum: usize) -> f64 {
        sum as f64 / self.rows.max(1) as f64
    }

    fn coverage(&self) -> ClassCoverage {
        let mean = |sum: usize| (self.rows > 0).then(|| sum as f64 / self.rows as f64);
        ClassCoverage { n_samples: self.rows, coverage: mean(self.covered), mean_size: mean(self.size) }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::MatRef;

    use super::*;
    use crate::conformal::Options;

    #[test]
    fn by_hand() {
        let options = Options { level: 0.9, by_class: false };
        let sets = ConformalSets::new(options, vec![0.25; 3]).unwrap();
        let proba = [0.5, 0.25, 0.25, 0.75, 0.125, 0.125, 0.5, 0.375, 0.125, 0.75, 0.25, 0.0];
        let rows = Rows::new(MatRef::new(&proba, 4, 3), &[0, 1, 1, 0]);
        let scores = rows.score(&sets).unwrap();
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
        let half = 1.959_963_984_540_054 * (2.0f64 / 3.0 / 4.0).sqrt();
        assert!((scores.intervals.mean_size.high - 2.0 - half).abs() < 1e-12);
        // Each row three times, in groups of the same row: the intervals are nearly those of four rows.
        let of = |n: usize| (0..3 * n).map(move |i| i % n);
        let thrice: Vec<f32> = of(12).map(|i| proba[i]).collect();
        let y: Vec<u32> = of(4).map(|i| [0, 1, 1, 0][i]).collect();
        let groups: Vec<u32> = of(4).map(|i| i as u32).collect();
        let thrice = Rows::new(MatRef::new(&thrice, 12, 3), &y);
        let alone = thrice.score(&sets).unwrap();
        let grouped = thrice.grouped(Some(&groups)).score(&sets).unwrap();
        assert_eq!((grouped.n_samples, grouped.coverage), (12, 0.75));
        let [a, b] = [&grouped, &scores].map(|scores| scores.intervals.mean_size.high);
        assert!((a - b).abs() < 1e-12, "{a}, {b}");
        assert!(grouped.intervals.coverage.low < scores.intervals.coverage.low + 1e-12);
        assert!(alone.intervals.coverage.low > scores.intervals.coverage.low + 0.1);
    }

    #[test]
    fn sets_of_other_classes_are_refused() {
        let sets = ConformalSets::new(Options { level: 0.9, by_class: false }, vec![0.25; 2]).unwrap();
        let rows = Rows::new(MatRef::new(&[0.5, 0.25, 0.25], 1, 3), &[0]);
        let error = rows.score(&sets).unwrap_err();
        assert_eq!(error.to_string(), "the prediction sets are of 2 classes, but the probabilities of 3");
    }
}
