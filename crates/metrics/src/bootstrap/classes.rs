//! Intervals of precision, recall and F1 of each class.

use headsmith_kernels::Pool;
use serde::{Deserialize, Serialize};

use super::strata::Strata;
use super::{Interval, Options, replicate};
use crate::check::{Result, check};
use crate::{Confusion, Predictions, f1, precision, recall};

/// Intervals of a class's scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassIntervals {
    /// Of [`precision()`].
    pub precision: Interval,
    /// Of [`recall()`].
    pub recall: Interval,
    /// Of [`f1()`].
    pub f1: Interval,
}

/// Percentile intervals of each class's scores by the resamples of [`intervals`](super::intervals()); the same for any
/// number of threads. If all resamples agree, Wilson's bounds. Stores three numbers per class and resample.
///
/// # Errors
/// As [`score`](crate::score); also if an option is invalid.
pub fn class_intervals<'p>(
    y_true: &[u32],
    predictions: impl Into<Predictions<'p>>,
    options: &Options<'_>,
    pool: &Pool,
) -> Result<Vec<ClassIntervals>> {
    let predictions = predictions.into();
    options.check(y_true.len())?;
    check(y_true, predictions)?;
    let n_classes = predictions.n_classes();
    let strata = Strata::new(y_true, options.units, |i| predictions.class(i));
    let scratch = || (strata.draws(), Confusion::new(n_classes));
    let replicates = replicate(options, pool, scratch, |r, (draws, confusion)| {
        strata.resample(options.seed, r, draws);
        confusion.clear_cells(strata.cells.iter().map(|cell| (cell.class, cell.key)));
        for (class, predicted, n) in strata.drawn(&draws.counts) {
            confusion.add_many(class, predicted, n);
        }
        let scores = |class| [precision(confusion, class), recall(confusion, class), f1(confusion, class)];
        (0..n_classes).map(scores).collect::<Vec<_>>()
    });
    let mut column = vec![0.0; replicates.len()];
    let mut interval = |class: usize, score: usize| {
        column.iter_mut().zip(&replicates).for_each(|(value, scores)| *value = scores[class][score]);
        Interval::of(&mut column, options.confidence)
    };
    let confusion = Confusion::of(y_true, predictions);
    let mut of = |class| {
        let [precision, recall, f1] = std::array::from_fn(|score| interval(class, score));
        let (hits, support, predicted) = (
            confusion.hits(class) as f64,
            confusion.support(class) as f64,
            confusion.predicted(class) as f64,
        );
        // F1 is the share of hits among hits and half of the errors of both kinds.
        let share = strata.units_per_sample();
        let wilson = |n: f64| move || Interval::wilson(share * hits, share * n, options.confidence);
        ClassIntervals {
            precision: precision.or(wilson(predicted)),
            recall: recall.or(wilson(support)),
            f1: f1.or(wilson(0.5 * (support + predicted))),
        }
    };
    Ok((0..n_classes).map(&mut of).collect())
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::MatRef;

    use super::*;
    use crate::predicted_class;

    /// The recall of a class is the share of its draws that are hits, so its resamples are binomial, and the interval
    /// has that distribution's quantiles. With one class, precision and F1 have no false positives.
    #[test]
    fn recall_is_binomial() {
        let (n, hits) = (400, 300);
        let y = vec![0u32; n];
        let proba: Vec<f32> = (0..n).flat_map(|i| if i < hits { [0.9, 0.1] } else { [0.2, 0.8] }).collect();
        let options = Options { n_resamples: 20_000, ..Options::default() };
        let of = class_intervals(&y, MatRef::new(&proba, n, 2), &options, &Pool::new(2).unwrap()).unwrap();
        // scipy.stats.binom.ppf([0.025, 0.975], 400, 0.75) / 400 = [0.7075, 0.7925]
        assert!(
            (of[0].recall.low - 0.7075).abs() < 0.003 && (of[0].recall.high - 0.7925).abs() < 0.003,
            "{of:?}"
        );
        // All resamples agree on a precision of 1: 300 of 300 by Wilson.
        assert!((of[0].precision.low - 0.98736).abs() < 1e-4 && of[0].precision.high == 1.0, "{of:?}");
        // F1 = 2 recall / (1 + recall) where precision is 1.
        assert!((of[0].f1.low - 2.0 * of[0].recall.low / (1.0 + of[0].recall.low)).abs() < 1e-12);
        assert_eq!(of[1].recall, Interval { low: 0.0, high: 1.0 });
    }

    /// The intervals are the percentiles of the scores of the drawn rows, counted one by one.
    #[test]
    fn intervals_are_those_of_the_rows_drawn() {
        let n = 90;
        let y: Vec<u32> = (0..n).map(|i| (i * 7 % 11 % 3) as u32).collect();
        let proba: Vec<f32> =
            (0..n).flat_map(|i| [[0.6, 0.3, 0.1], [0.1, 0.7, 0.2], [0.2, 0.2, 0.6]][i * 5 % 7 % 3]).collect();
        let proba = MatRef::new(&proba, n, 3);
        let options = Options { n_resamples: 200, ..Options::default() };
        let of = class_intervals(&y, proba, &options, &Pool::new(2).unwrap()).unwrap();
        let strata = Strata::new(&y, None, |i| predicted_class(proba.row(i)));
        let mut draws = strata.draws();
        let mut scores = vec![[const { Vec::new() }; 3]; 3];
        for r in 0..200 {
            strata.resample(options.seed, r, &mut draws);
            let mut confusion = Confusion::new(3);
            for (&i, &count) in strata.order.iter().zip(&draws.counts) {
                (0..count).for_each(|_| confusion.add(y[i] as usize, predicted_class(proba.row(i))));
            }
            for (class, scores) in scores.iter_mut().enumerate() {
                let naive = [precision(&confusion, class), recall(&confusion, class), f1(&confusion, class)];
                scores.iter_mut().zip(naive).for_each(|(all, score)| all.push(score));
            }
        }
        for (of, [precision, recall, f1]) in of.iter().zip(&mut scores) {
            let naive = [precision, recall, f1].map(|values| Interval::of(values, options.confidence));
            assert_eq!([of.precision, of.recall, of.f1], naive);
        }
    }
}
