//! The difference between two heads on the same samples.

use headsmith_kernels::Pool;
use serde::{Deserialize, Serialize};

use super::strata::Strata;
use super::unseen::ByClass;
use super::{Interval, Options, replicate};
use crate::check::{Error, Result, check};
use crate::log_loss::sample_log_loss;
use crate::{ByMetric, Confusion, Metric, Predictions};

/// The score of head a minus that of head b, for each metric that can be used for selection. For log loss, smaller is
/// better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedDifference {
    /// The difference in each metric.
    #[serde(flatten)]
    pub by_metric: ByMetric<Difference>,
    /// Whether both heads predict the same class for every sample: then they differ only in probabilities, and all
    /// differences except that of the log loss are 0 without an interval.
    #[serde(default)]
    pub identical_predictions: bool,
}

/// A difference of scores and its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The score of a minus the score of b, on the original samples.
    pub observed: f64,
    /// The lower end of the difference's interval.
    pub low: f64,
    /// The upper end of the difference's interval.
    pub high: f64,
    /// The two-sided bootstrap p-value of no difference: twice the share of resamples in which the difference is 0 or
    /// on its rarer side, `2 (1 + k) / (1 + n_resamples)`, at most 1. It is below `1 - confidence` if 0 is outside the
    /// interval, except for the interpolation at the interval's ends.
    pub p_value: f64,
}

/// An unknown difference: NaN.
impl Default for Difference {
    fn default() -> Difference {
        Difference { observed: f64::NAN, low: f64::NAN, high: f64::NAN, p_value: f64::NAN }
    }
}

/// Compares heads a and b by their predictions (both `n_samples x n_classes`) for the same samples, in resamples of
/// rows that are shared by both; the same for any number of threads.
///
/// Rows that both heads get right or wrong cancel out, so the difference is more precise than either score.
///
/// # Errors
/// As [`score`](crate::score) for either head; also if the shapes differ, or an option is invalid.
pub fn paired_difference<'a, 'b>(
    y_true: &[u32],
    a: impl Into<Predictions<'a>>,
    b: impl Into<Predictions<'b>>,
    options: &Options<'_>,
    pool: &Pool,
) -> Result<PairedDifference> {
    let (of_a, of_b) = (a.into(), b.into());
    options.check(y_true.len())?;
    check(y_true, of_a)?;
    check(y_true, of_b)?;
    let n_classes = of_a.n_classes();
    if of_b.n_classes() != n_classes {
        return Err(Error(format!("a head of {n_classes} classes and one of {}", of_b.n_classes())));
    }
    let (proba_a, proba_b) = (of_a.proba(), of_b.proba());
    let strata = Strata::new(y_true, options.units, |i| (of_a.class(i), of_b.class(i)));
    // The difference of each sample's log losses, in the order in which samples are counted.
    let loss =
        |i: usize| sample_log_loss(y_true[i], proba_a.row(i)) - sample_log_loss(y_true[i], proba_b.row(i));
    let losses: Vec<f64> = strata.order.iter().map(|&i| loss(i)).collect();
    let scratch = || (strata.draws(), Confusion::new(n_classes), Confusion::new(n_classes));
    let replicates = replicate(options, pool, scratch, |r, (draws, a, b)| {
        strata.resample(options.seed, r, draws);
        a.clear_cells(strata.cells.iter().map(|cell| (cell.class, cell.key.0)));
        b.clear_cells(strata.cells.iter().map(|cell| (cell.class, cell.key.1)));
        for (class, (by_a, by_b), n) in strata.drawn(&draws.counts) {
            a.add_many(class, by_a, n);
            b.add_many(class, by_b, n);
        }
        differences(a, b, mean_loss(&losses, &draws.counts, draws.n_samples()))
    });
    let confusions = (Confusion::of(y_true, of_a), Confusion::of(y_true, of_b));
    let observed =
        differences(&confusions.0, &confusions.1, losses.iter().sum::<f64>() / losses.len() as f64);
    let identical_predictions = strata.cells.iter().all(|cell| cell.key.0 == cell.key.1);
    let by_class = ByClass::new(&confusions.0, options.confidence, strata.units_per_sample());
    let difference = |metric: Metric| {
        let mut values: Vec<f64> = replicates.iter().map(|by_metric| *by_metric.get(metric)).collect();
        let found = Difference::of(*observed.get(metric), &mut values, options.confidence);
        if identical_predictions { found } else { found.or_within(by_class.unseen(metric)) }
    };
    Ok(PairedDifference { by_metric: ByMetric::from_fn(difference), identical_predictions })
}

/// `loss` is the difference of the log losses, which is not a function of the counts.
fn differences(a: &Confusion, b: &Confusion, loss: f64) -> ByMetric<f64> {
    let counted = |metric: Metric| Some(metric.of_confusion(a)? - metric.of_confusion(b)?);
    ByMetric::from_fn(|metric| counted(metric).unwrap_or(loss))
}

/// The mean of `losses`, weighted by `counts` that sum to `n`.
fn mean_loss(losses: &[f64], counts: &[u32], n: u64) -> f64 {
    let sum: f64 = losses.iter().zip(counts).map(|(loss, &count)| loss * f64::from(count)).sum();
    sum / n as f64
}

impl Difference {
    /// Summarises the differences `values` of the resamples. Sorts them.
    fn of(observed: f64, values: &mut [f64], confidence: f64) -> Difference {
        let Interval { low, high } = Interval::of(values, confidence);
        let not_above = values.iter().filter(|v| **v <= 0.0).count();
        let not_below = values.iter().filter(|v| **v >= 0.0).count();
        let tail = (1 + not_above.min(not_below)) as f64 / (1 + values.len()) as f64;
        Difference { observed, low, high, p_value: (2.0 * tail).min(1.0) }
    }

    /// Returns the difference unchanged if the resamples differ; else an interval as wide on either side as unseen
    /// rows may move it.
    fn or_within(self, unseen: f64) -> Difference {
        if (Interval { low: self.low, high: self.high }).has_width() {
            return self;
        }
        Difference { low: self.low - unseen, high: self.high + unseen, ..self }
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
