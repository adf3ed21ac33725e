//! Decisions for a metric: which class to name for a row, given calibrated probabilities.
//!
//! The most probable class maximises the accuracy, but not F1 or balanced accuracy. Here a decision is one offset a
//! class: the decided class of a row is that with the largest `ln p_c + offset_c`. The offsets maximise the *expected*
//! metric, which needs no labels: if labels are distributed as the probabilities, then among the rows decided as class
//! c, `TP_c`, the sum of their `p_c`, is the expected number of hits, and `n_c`, the sum of `p_c` over all rows, the
//! expected support. The metric of these counts is maximised, so offsets cannot be fitted to the noise of labels. (It
//! is the metric of the expected counts, which for many rows is the expectation of the metric: Nan, Chai, Lee and
//! Chieu, "Optimizing F-measure: a tale of two approaches", ICML 2012.)
//!
//! - Accuracy and log loss: no offsets.
//! - Balanced accuracy, `mean TP_c / n_c`: a row adds `p_c / n_c` of its decided class, so `-ln n_c` is the optimum.
//! - Weighted F1, `sum n_c / N * 2 TP_c / (n_c + m_c)` with `m_c` the rows decided as c; macro F1, the mean of the
//!   second factor; Matthews correlation: coordinate ascent, one class after another on a grid (`decision/ascent.rs`).

mod ascent;

use headsmith_kernels::MatRef;

use crate::{Metric, Predictions, predicted_class};

/// An improvement of the expected metric by less is rounding.
const ROUNDING: f64 = 1e-9;

/// The offsets, one a class, that maximise the expected `metric` of calibrated probabilities (`n_samples x n_classes`).
/// The most frequent class has 0. All are 0 where the most probable classes are as good.
///
/// Offsets for F1 and Matthews correlation are limited to 0.4 from that of the most frequent class: counts are
/// estimates, and probabilities are calibrated only so well, so that larger offsets gain less than they risk. Those for
/// balanced accuracy count a class of less than one expected row as one of one.
pub fn offsets(proba: MatRef<'_>, metric: Metric) -> Vec<f64> {
    let none = vec![0.0; proba.n_cols()];
    if none.len() < 2 {
        return none;
    }
    let found = match metric {
        Metric::Accuracy | Metric::LogLoss => return none,
        Metric::BalancedAccuracy => inverse_frequencies(&Expected::support(proba)),
        Metric::WeightedF1 | Metric::MacroF1 | Metric::Mcc => ascent::offsets(proba, metric),
    };
    let value = |offsets: &[f64]| {
        expected(Predictions::decided(proba, &decide(proba, offsets)), metric).unwrap_or_default()
    };
    if value(&found) > value(&none) + ROUNDING { found } else { none }
}

/// The class of each row with the largest `ln p_c + offsets[c]`, the first of equals. With equal offsets it is the
/// most probable class ([`predicted_class`]).
///
/// Products `p_c exp(offset_c)` are compared, which have the same order; factors are relative to the largest, so a
/// class whose offset is more than 745 below it is never decided.
///
/// # Panics
/// If there is not one offset for each class.
pub fn decide(proba: MatRef<'_>, offsets: &[f64]) -> Vec<u32> {
    assert_eq!(offsets.len(), proba.n_cols(), "one offset a class");
    match factors(offsets) {
        Some(factors) => (0..proba.n_rows()).map(|i| largest_product(proba.row(i), &factors)).collect(),
        None => (0..proba.n_rows()).map(|i| predicted_class(proba.row(i)) as u32).collect(),
    }
}

/// The factors of the probabilities whose products [`decide`] compares; `None` where all offsets are equal.
pub fn factors(offsets: &[f64]) -> Option<Vec<f64>> {
    let largest = offsets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let differ = offsets.iter().any(|&offset| offset != largest);
    differ.then(|| offsets.iter().map(|offset| (offset - largest).exp()).collect())
}

fn largest_product(row: &[f32], factors: &[f64]) -> u32 {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, (&p, factor)) in row.iter().zip(factors).enumerate() {
        let product = f64::from(p) * factor;
        if product > best.1 {
            best = (class, product);
        }
    }
    best.0 as u32
}

/// The expected `metric` of `predictions`, if labels are distributed as the probabilities; `None` for the log loss,
/// which does not depend on decisions.
///
/// # Panics
/// If there is not one decided class a row, or one is not below the number of columns.
pub fn expected<'p>(predictions: impl Into<Predictions<'p>>, metric: Metric) -> Option<f64> {
    (metric != Metric::LogLoss).then(|| Expected::of(predictions.into()).value(metric))
}

/// `-ln n_c`, relative to the most frequent class.
fn inverse_frequencies(support: &[f64]) -> Vec<f64> {
    let most = support.iter().copied().fold(1.0, f64::max);
    support.iter().map(|n| (most / n.max(1.0)).ln()).collect()
}

/// Expected counts of each class.
#[derive(Debug, Clone)]
struct Expected {
    /// Rows of the class.
    support: Vec<f64>,
    /// Rows of the class that are decided as it.
    hits: Vec<f64>,
    /// Rows that are decided as the class.
    decided: Vec<f64>,
    n_samples: f64,
}

impl Expected {
    fn of(predictions: Predictions<'_>) -> Expected {
        let (proba, n_classes) = (predictions.proba(), predictions.n_classes());
        let mut expected = Expected {
            support: Expected::support(proba),
            hits: vec![0.0; n_classes],
            decided: vec![0.0; n_classes],
            n_samples: predictions.n_samples() as f64,
        };
        (0..predictions.n_samples()).for_each(|i| expected.add(proba.row(i), predictions.class(i)));
        expected
    }

    /// The expected number of rows of each class.
    fn support(proba: MatRef<'_>) -> Vec<f64> {
        let mut support = vec![0.0; proba.n_cols()];
        for i in 0..proba.n_rows() {
            support.iter_mut().zip(proba.row(i)).for_each(|(sum, &p)| *sum += f64::from(p));
        }
        support
    }

    /// Counts a row that is decided as `class`.
    fn add(&mut self, row: &[f32], class: usize) {
        self.hits[class] += f64::from(row[class]);
        self.decided[class] += 1.0;
    }

    /// Counts a row that was decided as `from` as one that is decided as `to`.
    fn change(&mut self, row: &[f32], from: usize, to: usize) {
        self.hits[from] -= f64::from(row[from]);
        self.decided[from] -= 1.0;
        self.add(row, to);
    }

    fn value(&self, metric: Metric) -> f64 {
        let (n, classes) = (self.n_samples.max(1.0), 0..self.support.len());
        let f1 = |c: usize| divided(2.0 * self.hits[c], self.support[c] + self.decided[c]);
        let n_present = self.support.iter().filter(|support| **support > 0.0).count().max(1) as f64;
        match metric {
            Metric::WeightedF1 => classes.map(|c| self.support[c] * f1(c)).sum::<f64>() / n,
            Metric::MacroF1 => classes.map(f1).sum::<f64>() / n_present,
            Metric::BalancedAccuracy => {
                classes.map(|c| divided(self.hits[c], self.support[c])).sum::<f64>() / n_present
            }
            Metric::Accuracy => self.hits.iter().sum::<f64>() / n,
            Metric::Mcc => self.mcc(),
            Metric::LogLoss => 0.0,
        }
    }

    /// As [`mcc`](crate::mcc()).
    fn mcc(&self) -> f64 {
        let n = self.n_samples;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let hits: f64 = self.hits.iter().sum();
        let of_support = n * n - dot(&self.support, &self.support);
        let of_decided = n * n - dot(&self.decided, &self.decided);
        divided(hits * n - dot(&self.support, &self.decided), (of_support * of_decided).max(0.0).sqrt())
    }
}

/// `part / whole`, or 0 if `whole` is 0.
fn divided(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{Matrix, Philox};

    use super::*;
    use crate::{Scores, score};

    /// Rows whose classes differ in frequency by `bias`, and labels drawn from their probabilities.
    fn drawn(n_samples: usize, bias: &[f64], spread: f64) -> (Matrix, Vec<u32>) {
        let mut random = Philox::new(5, 0, 0).sequence(0, 0);
        let mut proba = Matrix::zeros(n_samples, bias.len());
        let mut label = |i: usize| {
            let odds: Vec<f64> = bias.iter().map(|b| (b + spread * random.uniform()).exp()).collect();
            let sum: f64 = odds.iter().sum();
            proba.row_mut(i).iter_mut().zip(&odds).for_each(|(p, o)| *p = (o / sum) as f32);
            let mut left = random.uniform() * sum;
            let above = |o: &f64| {
                left -= o;
                left < 0.0
            };
            odds.iter().position(above).unwrap_or(0) as u32
        };
        let y = (0..n_samples).map(&mut label).collect();
        (proba, y)
    }

    fn scores(proba: &Matrix, y: &[u32], metric: Metric) -> (Scores, Scores) {
        let decided = decide(proba.view(), &offsets(proba.view(), metric));
        let scored = |predictions: Predictions<'_>| score(y, predictions).unwrap();
        (scored(proba.into()), scored(Predictions::decided(proba.view(), &decided)))
    }

    #[test]
    fn equal_offsets_decide_the_most_probable_class() {
        let proba = [0.25, 0.25, 0.5, 0.4, 0.4, 0.2, 0.0, 0.0, 1.0, 0.3, 0.4, 0.3];
        let proba = MatRef::new(&proba, 4, 3);
        assert_eq!(decide(proba, &[0.0; 3]), [2, 0, 2, 1]);
        assert_eq!(decide(proba, &[1.5; 3]), [2, 0, 2, 1]);
        // ln 0.4 - ln 0.3 is 0.288.
        assert_eq!(decide(proba, &[0.28, 0.0, -1.0]), [0, 0, 2, 1]);
        assert_eq!(decide(proba, &[0.29, 0.0, -1.0]), [0, 0, 2, 0]);
        assert_eq!(decide(proba, &[-1e300, 0.0, 1e300]), [2, 2, 2, 2]);
    }

    #[test]
    fn expected_counts_by_hand() {
        let proba = [0.75, 0.25, 0.5, 0.5, 0.25, 0.75];
        let proba = MatRef::new(&proba, 3, 2);
        let of = |metric| expected(Predictions::decided(proba, &[0, 1, 1]), metric).unwrap();
        // Class 0: 0.75 hits, support 1.5, 1 decided; class 1: 1.25, 1.5, 2.
        let f1 = [1.5 / 2.5, 2.5 / 3.5];
        assert!((of(Metric::WeightedF1) - (f1[0] + f1[1]) / 2.0).abs() < 1e-12);
        assert!((of(Metric::MacroF1) - (f1[0] + f1[1]) / 2.0).abs() < 1e-12);
        assert!((of(Metric::Accuracy) - 2.0 / 3.0).abs() < 1e-12);
        assert!((of(Metric::BalancedAccuracy) - (0.5 + 1.25 / 1.5) / 2.0).abs() < 1e-12);
        // (2 * 3 - 4.5) / sqrt((9 - 4.5) (9 - 5))
        assert!((of(Metric::Mcc) - 1.5 / 18f64.sqrt()).abs() < 1e-12);
        assert_eq!(expected(proba, Metric::LogLoss), None);
    }

    /// With certain probabilities, expected counts are counts.
    #[test]
    fn expectations_of_certain_labels_are_scores() {
        let y = [0u32, 1, 2, 2, 1, 0, 2];
        let mut proba = Matrix::zeros(7, 3);
        y.iter().enumerate().for_each(|(i, &class)| proba.row_mut(i)[class as usize] = 1.0);
        let predictions = Predictions::decided(proba.view(), &[0, 1, 2, 1, 1, 2, 0]);
        let scores = score(&y, predictions).unwrap();
        for metric in Metric::ALL.into_iter().filter(|metric| *metric != Metric::LogLoss) {
            let expected = expected(predictions, metric).unwrap();
            assert!((expected - metric.of(&scores)).abs() < 1e-12, "{metric}");
        }
    }

    #[test]
    fn accuracy_and_log_loss_have_no_offsets() {
        let (proba, _) = drawn(500, &[0.0, 1.0, 2.0], 3.0);
        for metric in [Metric::Accuracy, Metric::LogLoss] {
            assert_eq!(offsets(proba.view(), metric), [0.0; 3]);
        }
        for metric in Metric::ALL {
            assert_eq!(offsets(MatRef::new(&[], 0, 2), metric), [0.0; 2]);
            assert_eq!(offsets(MatRef::new(&[1.0, 1.0], 2, 1), metric), [0.0]);
            assert_eq!(
                offsets(MatRef::new(&[1.0, 0.0, 0.0, 1.0], 2, 2), metric),
                [0.0; 2],
                "nothing to gain"
            );
        }
    }

    #[test]
    fn the_expected_metric_never_falls() {
        for (n, bias, spread) in [
            (1, vec![0.0, 0.1], 1.0),
            (7, vec![0.0, 0.5, 0.2], 2.0),
            (400, vec![0.0, 1.5, 0.5, 0.2, 2.0], 4.0),
            (2000, (0..60).map(|c| f64::from(c) / 30.0).collect(), 6.0),
        ] {
            let (proba, _) = drawn(n, &bias, spread);
            for metric in [Metric::WeightedF1, Metric::MacroF1, Metric::BalancedAccuracy, Metric::Mcc] {
                let found = offsets(proba.view(), metric);
                let decided = decide(proba.view(), &found);
                let after = expected(Predictions::decided(proba.view(), &decided), metric);
                assert!(after >= expected(&proba, metric), "{metric} of {n} rows: {found:?}");
            }
        }
    }

    #[test]
    fn f1_of_drawn_labels_rises() {
        let (proba, y) = drawn(60_000, &[0.0, 0.8, 1.2], 2.5);
        for (metric, rise) in [(Metric::WeightedF1, 0.003), (Metric::MacroF1, 0.003), (Metric::Mcc, 0.001)] {
            let (before, after) = scores(&proba, &y, metric);
            let (before_value, after_value) = (metric.of(&before), metric.of(&after));
            assert!(after_value > before_value + rise, "{metric}: {before_value} {after_value}");
            assert_eq!(before.log_loss, after.log_loss);
        }
    }

    #[test]
    fn balanced_accuracy_of_unbalanced_classes_rises_clearly() {
        let (proba, y) = drawn(20_000, &[0.0, 2.0, 3.0], 4.0);
        let (before, after) = scores(&proba, &y, Metric::BalancedAccuracy);
        assert!(after.balanced_accuracy > before.balanced_accuracy + 0.05, "{before:?} {after:?}");
    }
}
