//! Compares every metric with its definition, written out sample by sample or pair by pair.

use headsmith_kernels::Matrix;
use headsmith_metrics::{Scores, expected_calibration_error, score};
use proptest::prelude::*;

/// Labels in up to five classes, some of which may be absent, and probabilities in twelfths: with ties, zeros, ones.
fn predictions() -> impl Strategy<Value = (Vec<u32>, Matrix)> {
    (1usize..5, 1usize..40).prop_flat_map(|(n_classes, n_samples)| {
        let labels = proptest::collection::vec(0..n_classes as u32, n_samples);
        let tokens = proptest::collection::vec(proptest::collection::vec(0..n_classes, 12), n_samples);
        (labels, tokens).prop_map(move |(labels, tokens)| {
            let mut proba = Matrix::zeros(n_samples, n_classes);
            for (i, tokens) in tokens.iter().enumerate() {
                let share = |c| tokens.iter().filter(|t| **t == c).count() as f32 / 12.0;
                (0..n_classes).for_each(|c| proba.row_mut(i)[c] = share(c));
            }
            (labels, proba)
        })
    })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

fn one_hot(classes: &[usize], n_classes: usize) -> Vec<Vec<f64>> {
    classes.iter().map(|&c| (0..n_classes).map(|k| f64::from(u8::from(k == c))).collect()).collect()
}

/// The covariance of one-hot vectors, summed over the classes.
fn covariance(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let n_classes = a[0].len();
    let column_mean = |m: &[Vec<f64>], k: usize| mean(m.iter().map(|row| row[k]));
    let term = |k: usize| {
        let (a_mean, b_mean) = (column_mean(a, k), column_mean(b, k));
        mean(a.iter().zip(b).map(|(a, b)| (a[k] - a_mean) * (b[k] - b_mean)))
    };
    (0..n_classes).map(term).sum()
}

struct Naive<'a> {
    y: Vec<usize>,
    predicted: Vec<usize>,
    proba: &'a Matrix,
}

impl<'a> Naive<'a> {
    fn new(y_true: &[u32], proba: &'a Matrix) -> Naive<'a> {
        let argmax = |row: &[f32]| {
            let best = row.iter().copied().fold(f32::MIN, f32::max);
            row.iter().position(|&p| p == best).unwrap()
        };
        Naive {
            y: y_true.iter().map(|&c| c as usize).collect(),
            predicted: (0..proba.n_rows()).map(|i| argmax(proba.row(i))).collect(),
            proba,
        }
    }

    fn indices(&self) -> std::ops::Range<usize> {
        0..self.y.len()
    }

    fn p(&self, i: usize, class: usize) -> f64 {
        f64::from(self.proba.row(i)[class])
    }

    fn precision(&self, class: usize) -> f64 {
        mean(
            self.indices()
                .filter(|&i| self.predicted[i] == class)
                .map(|i| f64::from(u8::from(self.y[i] == class))),
        )
    }

    fn recall(&self, class: usize) -> f64 {
        mean(
            self.indices()
                .filter(|&i| self.y[i] == class)
                .map(|i| f64::from(u8::from(self.predicted[i] == class))),
        )
    }

    fn f1(&self, class: usize) -> f64 {
        let (p, r) = (self.precision(class), self.recall(class));
        if p + r == 0.0 { 0.0 } else { 2.0 * p * r / (p + r) }
    }

    /// The share of pairs (sample of the class, sample of another) in the right order, ties counting half.
    fn roc_auc(&self, class: usize) -> Option<f64> {
        let pairs = self.indices().flat_map(|i| self.indices().map(move |j| (i, j)));
        let wins: Vec<f64> = pairs
            .filter(|&(i, j)| self.y[i] == class && self.y[j] != class)
            .map(|(i, j)| match self.p(i, class).partial_cmp(&self.p(j, class)).unwrap() {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            })
            .collect();
        (!wins.is_empty()).then(|| mean(wins.into_iter()))
    }

    /// The mean, over the samples of the class, of the precision among those that score at least as high.
    fn average_precision(&self, class: usize) -> f64 {
        let precision_at = |i: usize| {
            let at_least = self.indices().filter(|&j| self.p(j, class) >= self.p(i, class));
            mean(at_least.map(|j| f64::from(u8::from(self.y[j] == class))))
        };
        mean(self.indices().filter(|&i| self.y[i] == class).map(precision_at))
    }

    fn kappa(&self) -> Option<f64> {
        let share = |classes: &[usize], c| mean(classes.iter().map(|&k| f64::from(u8::from(k == c))));
        let chance: f64 =
            (0..self.proba.n_cols()).map(|c| share(&self.y, c) * share(&self.predicted, c)).sum();
        let observed = mean(self.indices().map(|i| f64::from(u8::from(self.y[i] == self.predicted[i]))));
        (chance < 1.0).then(|| (observed - chance) / (1.0 - chance))
    }

    fn mcc(&self) -> f64 {
        let n_classes = self.proba.n_cols();
        let (y, p) = (one_hot(&self.y, n_classes), one_hot(&self.predicted, n_classes));
        let variances = covariance(&y, &y) * covariance(&p, &p);
        if variances < 1e-20 { 0.0 } else { covariance(&y, &p) / variances.sqrt() }
    }

    fn brier(&self) -> f64 {
        let n_classes = self.proba.n_cols();
        let outcome = |i: usize, c: usize| f64::from(u8::from(self.y[i] == c));
        let sum = mean(
            self.indices()
                .map(|i| (0..n_classes).map(|c| (self.p(i, c) - outcome(i, c)).powi(2)).sum::<f64>()),
        );
        if n_classes < 3 { sum / 2.0 } else { sum }
    }

    fn calibration_error(&self, n_bins: usize) -> f64 {
        let confidence = |i: usize| self.p(i, self.predicted[i]);
        let edge = |b: usize| b as f64 / n_bins as f64;
        let gap = |b: usize| {
            let inside =
                || self.indices().filter(move |&i| edge(b) < confidence(i) && confidence(i) <= edge(b + 1));
            let accuracy = mean(inside().map(|i| f64::from(u8::from(self.y[i] == self.predicted[i]))));
            inside().count() as f64 * (accuracy - mean(inside().map(confidence))).abs()
        };
        (0..n_bins).map(gap).sum::<f64>() / self.y.len() as f64
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 * b.abs().max(1.0)
}

fn close_or_none(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => close(a, b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn class_scores_match_their_definitions((y_true, proba) in predictions()) {
        let scores = score(&y_true, proba.view()).unwrap();
        let naive = Naive::new(&y_true, &proba);
        for c in &scores.per_class {
            prop_assert!(close(c.precision, naive.precision(c.class)));
            prop_assert!(close(c.recall, naive.recall(c.class)));
            prop_assert!(close(c.f1, naive.f1(c.class)));
            prop_assert_eq!(c.support, naive.y.iter().filter(|y| **y == c.class).count() as u64);
            prop_assert!(close_or_none(c.roc_auc, naive.roc_auc(c.class)), "{:?} {:?}", c, naive.roc_auc(c.class));
            prop_assert!(close(c.average_precision, naive.average_precision(c.class)));
        }
    }

    #[test]
    fn overall_scores_match_their_definitions((y_true, proba) in predictions()) {
        let s: Scores = score(&y_true, proba.view()).unwrap();
        let naive = Naive::new(&y_true, &proba);
        prop_assert!(close(s.accuracy, mean(naive.indices().map(|i| f64::from(u8::from(naive.y[i] == naive.predicted[i]))))));
        prop_assert!(close(s.weighted_f1, mean(naive.y.iter().map(|&c| naive.f1(c)))));
        prop_assert!(close(s.weighted_precision, mean(naive.y.iter().map(|&c| naive.precision(c)))));
        let occurs = |c: &usize| naive.y.contains(c) || naive.predicted.contains(c);
        prop_assert!(close(s.macro_f1, mean((0..proba.n_cols()).filter(occurs).map(|c| naive.f1(c)))));
        let present = (0..proba.n_cols()).filter(|c| naive.y.contains(c));
        prop_assert!(close(s.balanced_accuracy, mean(present.map(|c| naive.recall(c)))));
        let log = |i: usize| -naive.p(i, naive.y[i]).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
        prop_assert!(close(s.log_loss, mean(naive.indices().map(log))));
        prop_assert!(close(s.brier, naive.brier()));
        prop_assert!(close(s.mcc, naive.mcc()), "{} {}", s.mcc, naive.mcc());
        prop_assert!(close_or_none(s.cohen_kappa, naive.kappa()));
        prop_assert!(close(s.ece, naive.calibration_error(15)));
    }

    #[test]
    fn calibration_of_any_number_of_bins((y_true, proba) in predictions(), n_bins in 1usize..30) {
        // Twelfths are on the edges of 4, 8 or 12 bins if they are exact, and next to them if they are not.
        let ours = expected_calibration_error(&y_true, proba.view(), n_bins);
        prop_assert!(close(ours, Naive::new(&y_true, &proba).calibration_error(n_bins)));
    }
}
