//! Intervals of scores whose predictions are of many fits: each row is predicted by one without it.
//!
//! Resamples of the rows show how the score varies with the rows that are scored, but not that other rows would have made other fits. The
//! scores of cross-validation therefore miss the score on new rows more often than one time in twenty where rows are few (Bates, Hastie and Tibshirani,
//! "Cross-validation: what does it estimate and how well does it do it?", Journal of the American Statistical Association 119, 2024). Both parts of the
//! variance fall with the rows, the second faster. On simulated tables of 200 and of 500 rows it is about `80 / n` of the first for scores of classes,
//! `140 / n` for scores of probabilities (`bench/quality/coverage.py`; the results are in docs/guide/honest-numbers.md).
//!
//! Rows of a unit tell a fit less than as many of their own, but more than one row: how much, their errors show ([`EffectiveRows`]).

use super::{Interval, Intervals};
use crate::log_loss::sample_log_loss;
use crate::{Predictions, Scores};

/// The rows at which fits vary a score as much as the rows that are scored: a score of classes, and of probabilities.
const OF_CLASSES: f64 = 80.0;
const OF_PROBABILITIES: f64 = 140.0;

/// How many rows that err independently vary a mean as much as the rows of a table, of which those of a unit err alike: their number over the
/// design effect (Kish, "Survey sampling", 1965, section 5.4), no fewer than the units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectiveRows {
    of_classes: f64,
    of_probabilities: f64,
}

impl EffectiveRows {
    /// Those of `predictions` of rows of classes `y_true` and of `units`, numbered from 0, by their hits and by their log losses.
    ///
    /// # Panics
    /// When these are not of as many rows.
    pub fn of<'p>(y_true: &[u32], predictions: impl Into<Predictions<'p>>, units: &[u32]) -> EffectiveRows {
        let predictions = predictions.into();
        assert_eq!(y_true.len(), units.len(), "a unit a row");
        let is_hit = |i: usize| f64::from(u8::from(predictions.class(i) == y_true[i] as usize));
        let loss = |i: usize| sample_log_loss(y_true[i], predictions.proba().row(i));
        EffectiveRows { of_classes: effective(units, is_hit), of_probabilities: effective(units, loss) }
    }
}

/// The effective number of rows for the mean of a `term` of each row.
fn effective(units: &[u32], term: impl Fn(usize) -> f64) -> f64 {
    let n_rows = units.len() as f64;
    let n_numbers = units.iter().max().map_or(0, |&most| most as usize + 1);
    let terms: Vec<f64> = (0..units.len()).map(term).collect();
    let mean = terms.iter().sum::<f64>() / n_rows.max(1.0);
    let (mut sums, mut sizes, mut of_rows) = (vec![0.0; n_numbers], vec![0_usize; n_numbers], 0.0);
    for (&unit, term) in units.iter().zip(terms) {
        let distance = term - mean;
        sums[unit as usize] += distance;
        sizes[unit as usize] += 1;
        of_rows += distance * distance;
    }
    let of_units: f64 = sums.into_iter().map(|sum: f64| sum * sum).sum();
    // Numbers may be those of a larger table, of which not all units are here.
    let n_units = sizes.into_iter().filter(|&size| size > 0).count();
    // Rows that do not differ show nothing: each unit counts once.
    let rows = if of_rows > 0.0 { n_rows * of_rows / of_units } else { 0.0 };
    rows.clamp(n_units as f64, n_rows)
}

impl Intervals {
    /// The intervals of predictions by fits without the predicted rows, which were left out with all of their unit: as far from `scores` as they are,
    /// times `sqrt(1 + 80 / n)`, and for log loss, Brier score and calibration error times `sqrt(1 + 140 / n)`, where `n` is the effective number of `rows`.
    pub fn of_refits(self, scores: &Scores, rows: EffectiveRows) -> Intervals {
        let widening = |constant: f64, rows: f64| (1.0 + constant / rows.max(1.0)).sqrt();
        let for_classes = widening(OF_CLASSES, rows.of_classes);
        let for_probabilities = widening(OF_PROBABILITIES, rows.of_probabilities);
        let far = |interval: Interval, score: f64, factor: f64, [least, most]: [f64; 2]| Interval {
            low: (score - factor * (score - interval.low)).max(least).min(interval.low),
            high: (score + factor * (interval.high - score)).min(most).max(interval.high),
        };
        let of_classes = |interval, score, range| far(interval, score, for_classes, range);
        let of_probabilities = |interval, score, most| far(interval, score, for_probabilities, [0.0, most]);
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
    use super::EffectiveRows;

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
            let units: Vec<u32> = (0..n as u32).collect();
            (found, found.of_refits(&scores, EffectiveRows::of(&y, proba, &units)), scores)
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

    #[test]
    fn rows_of_a_unit_count_by_how_alike_they_err() {
        let n = 600;
        let y = vec![0u32; n];
        let units: Vec<u32> = (0..n as u32).map(|i| i / 3).collect();
        let of = |is_hit: &dyn Fn(usize) -> bool| {
            let proba: Vec<f32> =
                (0..n).flat_map(|i| if is_hit(i) { [0.9, 0.1] } else { [0.2, 0.8] }).collect();
            EffectiveRows::of(&y, MatRef::new(&proba, n, 2), &units)
        };
        let both = |rows: f64| EffectiveRows { of_classes: rows, of_probabilities: rows };
        let is_near = |a: EffectiveRows, b: EffectiveRows| {
            (a.of_classes - b.of_classes).abs() < 1e-6
                && (a.of_probabilities - b.of_probabilities).abs() < 1e-6
        };
        // Copies count once; so do rows that are all right, of which nothing is known.
        assert!(is_near(of(&|i| i / 3 % 4 > 0), both(200.0)));
        assert_eq!(of(&|_| true), both(200.0));
        // Rows that differ within their units as much as between them count one by one, and never more.
        assert!(is_near(of(&|i| i % 3 > 0), both(600.0)));
        let half = of(&|i| i / 3 % 2 == 0 || i % 3 == 0);
        // The mean is 2/3. Squares of a unit's rows add up to 1/3 and 1, those of its sum to 1 and 1: 600 (1/3 + 1) / 2.
        assert!(is_near(half, both(400.0)), "{half:?}");
    }
}
