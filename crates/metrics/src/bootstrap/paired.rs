//! The difference between two heads on the same samples.

use headsmith_kernels::{MatRef, Pool};
use serde::{Deserialize, Serialize};

use super::strata::Strata;
use super::{Interval, Options, replicate};
use crate::check::{Error, Result, check};
use crate::{Confusion, accuracy, f1, predicted_class, weighted_average};

/// By how much head a scores above head b.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// In weighted F1.
    pub weighted_f1: Difference,
    /// In accuracy.
    pub accuracy: Difference,
}

/// A difference of scores and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The score of a less the score of b, on the samples as they are.
    pub observed: f64,
    /// The lower end of the difference's interval.
    pub low: f64,
    /// The upper end of the difference's interval.
    pub high: f64,
    /// The two-sided bootstrap p-value of there being no difference: twice the share of resamples in which the
    /// difference is 0 or on its rarer side, `2 (1 + k) / (1 + n_resamples)`, at most 1. It is below
    /// `1 - confidence` when 0 lies outside the interval, but for the interpolation at the interval's ends.
    pub p_value: f64,
}

/// Compares heads a and b by their probabilities (both `n_samples x n_classes`) for the same samples, in resamples
/// of rows that are the same for both; the same for any number of threads.
///
/// What the two heads get right or wrong together cancels: the difference is known better than either score.
///
/// # Errors
/// As [`score`](crate::score) for either head, when the shapes differ, and when an option makes no sense.
pub fn paired_difference(
    y_true: &[u32],
    proba_a: MatRef<'_>,
    proba_b: MatRef<'_>,
    options: &Options,
    pool: &Pool,
) -> Result<PairedDifference> {
    options.check()?;
    check(y_true, proba_a)?;
    check(y_true, proba_b)?;
    let n_classes = proba_a.n_cols();
    if proba_b.n_cols() != n_classes {
        return Err(Error(format!("a head of {n_classes} classes and one of {}", proba_b.n_cols())));
    }
    let strata = Strata::new(y_true, |i| (predicted_class(proba_a.row(i)), predicted_class(proba_b.row(i))));
    let scratch = || (vec![0; y_true.len()], Confusion::new(n_classes), Confusion::new(n_classes));
    let replicates = replicate(options, pool, scratch, |r, (counts, a, b)| {
        strata.resample(options.seed, r, counts);
        a.clear_cells(strata.cells.iter().map(|cell| (cell.class, cell.key.0)));
        b.clear_cells(strata.cells.iter().map(|cell| (cell.class, cell.key.1)));
        for (class, (by_a, by_b), n) in strata.drawn(counts) {
            a.add_many(class, by_a, n);
            b.add_many(class, by_b, n);
        }
        differences(a, b)
    });
    let observed = differences(&Confusion::of(y_true, proba_a), &Confusion::of(y_true, proba_b));
    let [weighted_f1, accuracy] = std::array::from_fn(|j| {
        let mut values: Vec<f64> = replicates.iter().map(|statistics| statistics[j]).collect();
        Difference::of(observed[j], &mut values, options.confidence)
    });
    Ok(PairedDifference { weighted_f1, accuracy })
}

fn differences(a: &Confusion, b: &Confusion) -> [f64; 2] {
    [weighted_average(a, f1) - weighted_average(b, f1), accuracy(a) - accuracy(b)]
}

impl Difference {
    /// Sums up the differences `values` of the resamples. Sorts them.
    fn of(observed: f64, values: &mut [f64], confidence: f64) -> Difference {
        let Interval { low, high } = Interval::of(values, confidence);
        let not_above = values.iter().filter(|v| **v <= 0.0).count();
        let not_below = values.iter().filter(|v| **v >= 0.0).count();
        let tail = (1 + not_above.min(not_below)) as f64 / (1 + values.len()) as f64;
        Difference { observed, low, high, p_value: (2.0 * tail).min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_by_hand() {
        let p = |values: &mut [f64]| Difference::of(0.0, values, 0.95).p_value;
        assert_eq!(p(&mut [1.0; 19]), 2.0 / 20.0);
        assert_eq!(p(&mut [0.0; 19]), 1.0);
        assert_eq!(p(&mut [-1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 7.0, 8.0]), 0.6);
    }
}
