//! Intervals of the scores of one head.

use headsmith_kernels::Pool;
use serde::{Deserialize, Serialize};

use super::strata::{Cell, Draws, Strata};
use super::unseen::UnseenErrors;
use super::{Interval, Options, replicate};
use crate::brier::sample_brier;
use crate::calibration::{N_BINS, expected_calibration_error, mean_gap, sample_gap};
use crate::check::{Result, check};
use crate::log_loss::sample_log_loss;
use crate::{Confusion, Predictions, accuracy, balanced_accuracy, f1, macro_average, mcc, weighted_average};

/// Intervals of the scores that are cheap to resample: all but ROC AUC and average precision, which would need sorting
/// for each resample, and some that are rarely reported.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Of [`accuracy()`].
    pub accuracy: Interval,
    /// Of [`balanced_accuracy()`].
    pub balanced_accuracy: Interval,
    /// Of the [`weighted_average`] of [`f1()`].
    pub weighted_f1: Interval,
    /// Of the [`macro_average`] of [`f1()`].
    pub macro_f1: Interval,
    /// Of [`log_loss`](crate::log_loss()).
    pub log_loss: Interval,
    /// Of [`brier`](crate::brier()).
    pub brier: Interval,
    /// Of [`mcc()`].
    pub mcc: Interval,
    /// Of the [`expected_calibration_error`](crate::expected_calibration_error) with 15 bins. Resampling adds noise to
    /// every bin, which increases this score: the interval is moved down by the mean increase, and contains the score.
    pub ece: Interval,
}

/// Intervals of the scores of `predictions` (`n_samples x n_classes`) by resampling rows: percentiles, corrected for few rows and for skewness; the same for any
/// number of threads. If resampling cannot show the effect of other rows (no row is wrong, a class is never or always
/// recognised), Wilson's bounds widen them: see `unseen.rs`.
///
/// The time is proportional to samples times resamples: about 80 ms on one core for 2,000 samples and 10,000
/// resamples.
///
/// # Errors
/// As [`score`](crate::score); also if an option is invalid.
pub fn intervals<'p>(
    y_true: &[u32],
    predictions: impl Into<Predictions<'p>>,
    options: &Options<'_>,
    pool: &Pool,
) -> Result<Intervals> {
    let predictions = predictions.into();
    options.check(y_true.len())?;
    check(y_true, predictions)?;
    let resampling = Resampling::new(y_true, predictions, options.units);
    let replicates = replicate(
        options,
        pool,
        || Scratch::new(&resampling),
        |r, scratch| resampling.statistics(options.seed, r, scratch),
    );
    let mut column = vec![0.0; replicates.len()];
    let [accuracy, balanced_accuracy, weighted_f1, macro_f1, log_loss, brier, mcc, ece] =
        std::array::from_fn(|j| {
            column.iter_mut().zip(&replicates).for_each(|(value, statistics)| *value = statistics[j]);
            Interval::corrected(&mut column, options.confidence, resampling.strata.n_units())
        });
    let ece = {
        let mean = replicates.iter().map(|statistics| statistics[ECE]).sum::<f64>() / replicates.len() as f64;
        around_unbiased(ece, mean, expected_calibration_error(y_true, predictions.proba(), N_BINS))
    };
    let found = Intervals { accuracy, balanced_accuracy, weighted_f1, macro_f1, log_loss, brier, mcc, ece };
    let unseen =
        UnseenErrors::new(y_true, predictions, options.confidence, resampling.strata.units_per_sample());
    Ok(unseen.widen(found))
}

/// The index of the calibration error among the statistics of a resample.
const ECE: usize = 7;

/// The interval of a calibration error `point`, without the bias of its resamples, whose mean is `mean`: they repeat rows, so that the rows of a
/// bin are fewer and differ more from its confidence.
fn around_unbiased(of_resamples: Interval, mean: f64, point: f64) -> Interval {
    let bias = mean - point;
    Interval {
        low: (of_resamples.low - bias).clamp(0.0, point.max(0.0)),
        high: (of_resamples.high - bias).max(point),
    }
}

/// A sample's terms in the sums of a resample: 1 (its count), its log loss, its Brier score, and its correctness (0 or
/// 1) minus its confidence.
type Terms = [f64; 4];

/// The predictions, prepared for resampling.
struct Resampling {
    /// Samples by class, predicted class and confidence bin.
    strata: Strata<(usize, usize)>,
    /// The terms of each sample, in the strata's order.
    terms: Vec<Terms>,
    n_classes: usize,
}

/// Buffers of a resample, reused for the next.
struct Scratch {
    draws: Draws,
    confusion: Confusion,
    gaps: [f64; N_BINS],
}

impl Scratch {
    fn new(resampling: &Resampling) -> Scratch {
        Scratch {
            draws: resampling.strata.draws(),
            confusion: Confusion::new(resampling.n_classes),
            gaps: [0.0; N_BINS],
        }
    }
}

impl Resampling {
    fn new(y_true: &[u32], predictions: Predictions<'_>, units: Option<&[u32]>) -> Resampling {
        let proba = predictions.proba();
        let strata = Strata::new(y_true, units, |i| {
            (predictions.class(i), sample_gap(y_true[i], proba.row(i), N_BINS).0)
        });
        let terms = strata.order.iter().map(|&i| sample_terms(y_true[i], proba.row(i))).collect();
        Resampling { strata, terms, n_classes: proba.n_cols() }
    }

    /// The scores of resample `r`, in the order of the fields of [`Intervals`].
    fn statistics(&self, seed: u64, r: u32, scratch: &mut Scratch) -> [f64; 8] {
        let Scratch { draws, confusion, gaps } = scratch;
        self.strata.resample(seed, r, draws);
        let counts = &draws.counts;
        confusion.clear_cells(self.strata.cells.iter().map(|cell| (cell.class, cell.key.0)));
        gaps.fill(0.0);
        let (mut log_loss, mut brier) = (0.0, 0.0);
        for Cell { class, key: (predicted, bin), places } in &self.strata.cells {
            let [n, cell_loss, cell_brier, gap] = sum(&counts[places.clone()], &self.terms[places.clone()]);
            confusion.add_many(*class, *predicted, n as u64);
            gaps[*bin] += gap;
            log_loss += cell_loss;
            brier += cell_brier;
        }
        let n_samples = draws.n_samples() as f64;
        [
            accuracy(confusion),
            balanced_accuracy(confusion),
            weighted_average(confusion, f1),
            macro_average(confusion, f1),
            log_loss / n_samples,
            brier / n_samples,
            mcc(confusion),
            mean_gap(gaps, draws.n_samples() as usize),
        ]
    }
}

fn sample_terms(class: u32, row: &[f32]) -> Terms {
    [1.0, sample_log_loss(class, row), sample_brier(class, row), sample_gap(class, row, N_BINS).1]
}

/// The sum of `terms`, weighted by `counts`.
fn sum(counts: &[u32], terms: &[Terms]) -> Terms {
    let mut sum = [0.0; 4];
    for (&count, terms) in counts.iter().zip(terms) {
        for (sum, term) in sum.iter_mut().zip(terms) {
            *sum += f64::from(count) * term;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::{MatRef, Matrix, Philox};

    /// The scores of a resample equal those of its drawn rows, written out as a table.
    #[test]
    fn a_resample_scores_as_its_rows_do() {
        let (n_samples, n_classes) = (60, 4);
        let mut random = Philox::new(1, 0, 0).sequence(0, 0);
        // Class 1 has no samples; probabilities in sixths have ties, zeros and ones.
        let y_true: Vec<u32> = (0..n_samples).map(|_| [0, 2, 3, 3][random.below(4) as usize]).collect();
        let mut proba = Matrix::zeros(n_samples, n_classes);
        for i in 0..n_samples {
            (0..6).for_each(|_| proba.row_mut(i)[random.below(n_classes as u32) as usize] += 1.0 / 6.0);
        }
        let decided: Vec<u32> = (0..n_samples).map(|_| random.below(n_classes as u32)).collect();
        let units: Vec<u32> = (0..n_samples).map(|_| random.below(12)).collect();
        for units in [None, Some(&units[..])] {
            assert_scores_of_rows(&y_true, proba.view().into(), units);
            assert_scores_of_rows(&y_true, Predictions::decided(proba.view(), &decided), units);
        }
    }

    fn assert_scores_of_rows(y_true: &[u32], predictions: Predictions<'_>, units: Option<&[u32]>) {
        let n_classes = predictions.n_classes();
        let resampling = Resampling::new(y_true, predictions, units);
        let mut scratch = Scratch::new(&resampling);
        for r in 0..50 {
            let fast = resampling.statistics(9, r, &mut scratch);
            let mut rows: Vec<f32> = Vec::new();
            let (mut labels, mut classes) = (Vec::new(), Vec::new());
            for (&i, &count) in resampling.strata.order.iter().zip(&scratch.draws.counts) {
                for _ in 0..count {
                    rows.extend(predictions.proba().row(i));
                    labels.push(y_true[i]);
                    classes.push(predictions.class(i) as u32);
                }
            }
            let drawn = Predictions::decided(MatRef::new(&rows, labels.len(), n_classes), &classes);
            let s = crate::score(&labels, drawn).unwrap();
            let naive = [
                s.accuracy,
                s.balanced_accuracy,
                s.weighted_f1,
                s.macro_f1,
                s.log_loss,
                s.brier,
                s.mcc,
                s.ece,
            ];
            for (fast, naive) in fast.into_iter().zip(naive) {
                assert!((fast - naive).abs() < 1e-12, "{fast} {naive}");
            }
        }
    }
}
