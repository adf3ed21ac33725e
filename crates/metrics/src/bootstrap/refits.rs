//! Intervals of scores whose predictions are of many fits: each row is predicted by one without it.
//!
//! Resamples of the rows show how the score varies with the rows that are scored, but not that other rows would have made other fits. The
//! scores of cross-validation so miss the score on new rows more often than one time in twenty where rows are few (Bates, Hastie and Tibshirani,
//! "Cross-validation: what does it estimate and how well does it do it?", Journal of the American Statistical Association 119, 2024). Both parts of the
//! variance fall with the rows, the second faster: of fits with a penalty it is about `80 / n` of the first, or less, measured on simulated tables.
//! docs/guide/honest-numbers.md has the simulation.

use super::{Interval, Intervals};
use crate::Scores;

/// The rows at which fits vary a score as much as the rows do.
const ROWS: f64 = 80.0;

impl Intervals {
    /// The intervals of predictions by fits without the predicted rows: as far from `scores` as they are, times `sqrt(1 + 80 / n_samples)`.
    pub fn of_refits(self, scores: &Scores) -> Intervals {
        let factor = (1.0 + ROWS / scores.n_samples.max(1) as f64).sqrt();
        let far = |interval: Interval, score: f64, [least, most]: [f64; 2]| Interval {
            low: (score - factor * (score - interval.low)).max(least).min(interval.low),
            high: (score + factor * (interval.high - score)).min(most).max(interval.high),
        };
        let share = |interval, score| far(interval, score, [0.0, 1.0]);
        Intervals {
            accuracy: share(self.accuracy, scores.accuracy),
            balanced_accuracy: share(self.balanced_accuracy, scores.balanced_accuracy),
            weighted_f1: share(self.weighted_f1, scores.weighted_f1),
            macro_f1: share(self.macro_f1, scores.macro_f1),
            log_loss: far(self.log_loss, scores.log_loss, [0.0, f64::INFINITY]),
            brier: far(self.brier, scores.brier, [0.0, 2.0]),
            mcc: far(self.mcc, scores.mcc, [-1.0, 1.0]),
            ece: share(self.ece, scores.ece),
        }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{MatRef, Pool};

    use super::super::{Options, intervals};

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
            (found, found.of_refits(&scores), scores)
        };
        // sqrt(1 + 80 / 240) and sqrt(1 + 80 / 8000)
        for (n, factor) in [(240, 1.154_700_538), (8000, 1.004_987_562)] {
            let (found, wide, scores) = of(n);
            assert!(
                (wide.accuracy.low - (scores.accuracy - factor * (scores.accuracy - found.accuracy.low)))
                    .abs()
                    < 1e-9
            );
            assert!(
                (wide.log_loss.high - (scores.log_loss + factor * (found.log_loss.high - scores.log_loss)))
                    .abs()
                    < 1e-9
            );
        }
        let (found, wide, _) = of(4);
        assert!(wide.accuracy.low >= 0.0 && wide.accuracy.high <= 1.0 && wide.mcc.low >= -1.0);
        assert!(wide.accuracy.low <= found.accuracy.low && wide.ece.high >= found.ece.high);
    }
}
