//! Intervals of scores whose predictions are of many fits: each row is predicted by one without it.
//!
//! Resamples of the rows show how the score varies with the rows that are scored, but not that other rows would have made other fits. The
//! scores of cross-validation therefore miss the score on new rows more often than one time in twenty where rows are few (Bates, Hastie and Tibshirani,
//! "Cross-validation: what does it estimate and how well does it do it?", Journal of the American Statistical Association 119, 2024). Both parts of the
//! variance fall with the rows, the second faster. On simulated tables of 200 and of 500 rows it is about `80 / n` of the first for scores of classes,
//! `140 / n` for scores of probabilities (`bench/quality/coverage.py`; the results are in docs/guide/honest-numbers.md).

use super::{Interval, Intervals};
use crate::Scores;

/// The rows at which fits vary a score as much as the rows that are scored: a score of classes, and of probabilities.
const OF_CLASSES: f64 = 80.0;
const OF_PROBABILITIES: f64 = 140.0;

impl Intervals {
    /// The intervals of predictions by fits without the predicted rows, of `n_units` that were left out together or of as many rows: as far from
    /// `scores` as they are, times `sqrt(1 + 80 / n_units)`, and for log loss, Brier score and calibration error times `sqrt(1 + 140 / n_units)`.
    pub fn of_refits(self, scores: &Scores, n_units: usize) -> Intervals {
        let factor = |rows: f64| (1.0 + rows / n_units.max(1) as f64).sqrt();
        let far = |interval: Interval, score: f64, factor: f64, [least, most]: [f64; 2]| Interval {
            low: (score - factor * (score - interval.low)).max(least).min(interval.low),
            high: (score + factor * (interval.high - score)).min(most).max(interval.high),
        };
        let of_classes = |interval, score, range| far(interval, score, factor(OF_CLASSES), range);
        let of_probabilities =
            |interval, score, most| far(interval, score, factor(OF_PROBABILITIES), [0.0, most]);
        Intervals {
            accuracy: of_classes(self.accuracy, scores.accuracy, [0.0, 1.0]),
            balanced_accuracy: of_classes(self.balanced_accuracy, scores.balanced_accuracy, [0.0, 1.0]),
            weighted_f1: of_classes(self.weighted_f1, scores.weighted_f1, [0.0, 1.0]),
            macro_f1: of_classes(self.macro_f1, scores.macro_f1, [0.0, 1.0]),
            mcc: of_classes(self.mcc, scores.mcc, [-1.0, 1.0]),
            log_loss: of_probabilities(self.log_loss, scores.log_loss, f64::INFINITY),
            brier: of_probabilities(self.brier, scores.brier, 2.0),
            ece: of_probabilities(self.ece, scores.ece, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{MatRef, Pool};

    use super::super::{Interval, Options, intervals};

    #[test]
    fn few_rows_widen_intervals_within_the_range_of_the_score() {
        let of = |n: usize| {
            let y: Vec<u32> = (0..n).map(|i| (i % 2) as u32).collect();
            let proba: Vec<f32> =
                (0..n).flat_map(|i| if i % 20 < 19 { [0.9, 0.1] } else { [0.2, 0.8] }).collect();
            let proba = MatRef::new(&proba, n, 2);
            let options = Options { n_resamples: 400, ..Options::default() };
            let found = intervals(&y, proba, &options, &Pool::inline()).unwrap();
            let scores = crate::score(&y, proba).unwrap();
            (found, found.of_refits(&scores, n), scores)
        };
        // sqrt(1 + 80 / 240) and sqrt(1 + 140 / 240), and the same of 8000
        for (n, of_classes, of_probabilities) in
            [(240, 1.154_700_538, 1.258_305_739), (8000, 1.004_987_562, 1.008_712_047)]
        {
            let (found, wide, scores) = of(n);
            let is_wider = |distance: f64, before: f64, factor: f64| {
                assert!((distance - factor * before).abs() < 1e-9, "{n}: {distance} {before}");
            };
            let below = |interval: Interval| scores.accuracy - interval.low;
            is_wider(below(wide.accuracy), below(found.accuracy), of_classes);
            let above = |interval: Interval| interval.high - scores.log_loss;
            is_wider(above(wide.log_loss), above(found.log_loss), of_probabilities);
        }
        let (found, wide, _) = of(4);
        assert!(wide.accuracy.low >= 0.0 && wide.accuracy.high <= 1.0 && wide.mcc.low >= -1.0);
        assert!(wide.accuracy.low <= found.accuracy.low && wide.ece.high >= found.ece.high);
    }
}
