//! Accounts for errors (or hits) that resampling cannot show, because the sample has none.
//!
//! Resamples of a perfect score are perfect, and a class that is never recognised scores 0 in all of them: their
//! intervals would be too narrow, or have no width. If none of `n` rows has a property, up to a share `u` of all rows
//! may have it: Wilson's upper bound of 0 among `n`, `z^2 / (n + z^2)` (`wilson.rs`; "the rule of three" of Hanley and
//! Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249, 1983, is its exact one-sided relative).
//!
//! - Accuracy, weighted F1 and MCC without a width: Wilson's bounds of the share of hits.
//! - Balanced accuracy and macro F1 are means over classes. Each class whose recall (F1) is the same in all resamples
//!   adds the distances to its own Wilson bounds, independently of the others: the squared distances add up (MOVER:
//!   Zou, Huang and Zhang, "A note on confidence interval estimation for a linear function of binomial proportions",
//!   Computational Statistics & Data Analysis 53, 2009).
//! - Log loss and Brier score, if the most probable class of every row is right, or of every row wrong, or all
//!   resamples agree: if a share `u` of the rows had another label, they would score at most what their probabilities
//!   give the least (at least, the most) fitting label.
//! - The calibration error under the same conditions: a share `u` of rows that change from right to wrong, or back,
//!   changes it by at most `u`.

use headsmith_kernels::MatRef;

use super::Interval;
use super::intervals::Intervals;
use crate::brier::{brier, sample_brier};
use crate::calibration::{N_BINS, expected_calibration_error};
use crate::log_loss::{log_loss, sample_log_loss};
use crate::{Confusion, Metric, Predictions, balanced_accuracy, f1, predicted_class};

/// The sample whose intervals are widened.
pub(super) struct UnseenErrors<'s> {
    y_true: &'s [u32],
    proba: MatRef<'s>,
    confusion: Confusion,
    /// The number of rows whose most probable class is right, whatever was decided: it tells of the probabilities.
    n_probable_hits: u64,
    confidence: f64,
    units_per_sample: f64,
}

impl<'s> UnseenErrors<'s> {
    pub(super) fn new(
        y_true: &'s [u32],
        predictions: impl Into<Predictions<'s>>,
        confidence: f64,
        units_per_sample: f64,
    ) -> UnseenErrors<'s> {
        let predictions = predictions.into();
        let (proba, confusion) = (predictions.proba(), Confusion::of(y_true, predictions));
        let is_hit = |&(i, &class): &(usize, &u32)| predicted_class(proba.row(i)) == class as usize;
        let n_probable_hits = y_true.iter().enumerate().filter(is_hit).count() as u64;
        UnseenErrors { y_true, proba, confusion, n_probable_hits, confidence, units_per_sample }
    }

    /// The intervals, widened by what resampling cannot show.
    pub(super) fn widen(&self, found: Intervals) -> Intervals {
        let by_class = ByClass::new(&self.confusion, self.confidence, self.units_per_sample);
        let counted = |metric: Metric| {
            let score = metric.of_confusion(&self.confusion).unwrap_or(f64::NAN);
            by_class.widen(metric, metric.interval(&found), score)
        };
        Intervals {
            accuracy: counted(Metric::Accuracy),
            weighted_f1: counted(Metric::WeightedF1),
            balanced_accuracy: counted(Metric::BalancedAccuracy),
            macro_f1: counted(Metric::MacroF1),
            log_loss: self.mean_term(found.log_loss, log_loss(self.y_true, self.proba), sample_log_loss),
            brier: self.mean_term(found.brier, brier(self.y_true, self.proba), sample_brier),
            mcc: counted(Metric::Mcc),
            ece: self.calibration(found.ece),
        }
    }

    /// The share of all rows that may have a property that none of these has.
    fn unseen_share(&self) -> f64 {
        unseen_share(self.units_per_sample * self.y_true.len() as f64, self.confidence)
    }

    /// Whether the sample has rows whose most probable class is right, and wrong ones, and its resamples differ.
    fn is_shown(&self, found: Interval) -> bool {
        let n_hits = self.n_probable_hits;
        found.has_width() && n_hits > 0 && n_hits < self.confusion.n_samples()
    }

    /// The interval of the mean of a term of each row.
    fn mean_term(&self, found: Interval, score: f64, term: fn(u32, &[f32]) -> f64) -> Interval {
        if self.is_shown(found) {
            return found;
        }
        let (mut least, mut most) = (0.0, 0.0);
        for row in (0..self.y_true.len()).map(|i| self.proba.row(i)) {
            let terms = || (0..row.len() as u32).map(|class| term(class, row));
            least += terms().fold(f64::INFINITY, f64::min);
            most += terms().fold(f64::NEG_INFINITY, f64::max);
        }
        let (n, u) = (self.y_true.len() as f64, self.unseen_share());
        let with = |extreme: f64| (1.0 - u) * score + u * extreme / n;
        Interval { low: found.low.min(with(least)), high: found.high.max(with(most)) }
    }

    fn calibration(&self, found: Interval) -> Interval {
        if self.is_shown(found) {
            return found;
        }
        let (ece, u) = (expected_calibration_error(self.y_true, self.proba, N_BINS), self.unseen_share());
        Interval { low: found.low.min((ece - u).max(0.0)), high: found.high.max((ece + u).min(1.0)) }
    }
}

/// The share of all rows that may have a property that none of `n` independent ones has.
fn unseen_share(n: f64, confidence: f64) -> f64 {
    Interval::wilson(0.0, n, confidence).high
}

/// Bounds of scores that are functions of a sample's counts.
pub(super) struct ByClass<'c> {
    confusion: &'c Confusion,
    confidence: f64,
    /// Rows of a unit are right and wrong together: bounds count units.
    units_per_sample: f64,
}

impl<'c> ByClass<'c> {
    pub(super) fn new(confusion: &'c Confusion, confidence: f64, units_per_sample: f64) -> ByClass<'c> {
        ByClass { confusion, confidence, units_per_sample }
    }

    fn wilson(&self, hits: f64, n: f64) -> Interval {
        Interval::wilson(self.units_per_sample * hits, self.units_per_sample * n, self.confidence)
    }

    fn unseen_share(&self, n_samples: u64) -> f64 {
        unseen_share(self.units_per_sample * n_samples as f64, self.confidence)
    }

    /// The interval `found` of `metric` around `score`, widened by what resampling cannot show.
    pub(super) fn widen(&self, metric: Metric, found: Interval, score: f64) -> Interval {
        match metric {
            Metric::Accuracy | Metric::WeightedF1 => found.or(|| self.share_of_hits()),
            Metric::BalancedAccuracy => self.mean_recall(found, score),
            Metric::MacroF1 => self.mean_f1(found, score),
            Metric::Mcc => found.or(|| {
                let recall = balanced_accuracy(self.confusion);
                let Interval { low, high } = self.mean_recall(Interval::at(recall), recall);
                Interval { low: 2.0 * low - 1.0, high: 2.0 * high - 1.0 }
            }),
            Metric::LogLoss => found,
        }
    }

    /// How much unseen rows may change `metric`.
    pub(super) fn unseen(&self, metric: Metric) -> f64 {
        let c = self.confusion;
        let classes = || (0..c.n_classes()).map(|class| c.support(class)).filter(|support| *support > 0);
        let of_classes = || {
            let squares: f64 = classes().map(|n| self.unseen_share(n).powi(2)).sum();
            squares.sqrt() / classes().count().max(1) as f64
        };
        match metric {
            Metric::Accuracy | Metric::WeightedF1 => self.unseen_share(c.n_samples()),
            Metric::BalancedAccuracy | Metric::MacroF1 => of_classes(),
            Metric::Mcc => 2.0 * of_classes(),
            Metric::LogLoss => 0.0,
        }
    }

    /// Wilson's bounds of the share of rows that are right.
    fn share_of_hits(&self) -> Interval {
        let c = self.confusion;
        let hits: u64 = (0..c.n_classes()).map(|class| c.hits(class)).sum();
        self.wilson(hits as f64, c.n_samples() as f64)
    }

    fn mean_recall(&self, found: Interval, score: f64) -> Interval {
        let c = self.confusion;
        let classes = (0..c.n_classes()).filter(|&class| c.support(class) > 0);
        let bounds = |class: usize| {
            let (hits, support) = (c.hits(class) as f64, c.support(class) as f64);
            let is_fixed = hits == 0.0 || hits == support;
            is_fixed.then(|| (hits / support, self.wilson(hits, support)))
        };
        found.with_fixed(score, classes.map(bounds), [0.0, 1.0])
    }

    fn mean_f1(&self, found: Interval, score: f64) -> Interval {
        let c = self.confusion;
        let classes = (0..c.n_classes()).filter(|&class| c.support(class) + c.predicted(class) > 0);
        let bounds = |class: usize| {
            let of_both = 0.5 * (c.support(class) + c.predicted(class)) as f64;
            let hits = c.hits(class) as f64;
            // Without rows of a class, nothing is known of its F1 on other rows.
            let is_fixed = c.support(class) > 0 && (hits == 0.0 || hits == of_both);
            is_fixed.then(|| (f1(c, class), self.wilson(hits, of_both)))
        };
        found.with_fixed(score, classes.map(bounds), [0.0, 1.0])
    }
}

impl Interval {
    /// The interval of a mean over classes, `score`, within `range`. Each class that no resample changes (its value,
    /// and its own bounds) adds the squared distances to its bounds.
    fn with_fixed(
        self,
        score: f64,
        classes: impl Iterator<Item = Option<(f64, Interval)>>,
        range: [f64; 2],
    ) -> Interval {
        let (mut n, mut below, mut above) = (0.0, 0.0, 0.0);
        for class in classes {
            n += 1.0;
            if let Some((value, bounds)) = class {
                below += (value - bounds.low).max(0.0).powi(2);
                above += (bounds.high - value).max(0.0).powi(2);
            }
        }
        if below + above == 0.0 {
            return self;
        }
        let far = |shown: f64, squares: f64| (shown.max(0.0).powi(2) + squares / (n * n)).sqrt();
        let [least, most] = range;
        Interval {
            low: (score - far(score - self.low, below)).min(self.low).max(least),
            high: (score + far(self.high - score, above)).max(self.high).min(most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_classes_add_their_squares() {
        let found = Interval { low: 0.4, high: 0.6 };
        let fixed = Some((0.0, Interval { low: 0.0, high: 0.6 }));
        let of = found.with_fixed(0.5, [None, fixed].into_iter(), [0.0, 1.0]);
        // 0.5 + sqrt(0.1^2 + (0.6 / 2)^2)
        assert!((of.high - 0.816_227_766).abs() < 1e-9 && of.low == 0.4, "{of:?}");
        assert_eq!(found.with_fixed(0.5, [None, None].into_iter(), [0.0, 1.0]), found);
    }

    /// Of 50 rows that are all right with certainty, z^2 / (50 + z^2) = 0.071348 may be wrong.
    #[test]
    fn a_perfect_head_has_bounds_by_hand() {
        let y = [0u32, 1].repeat(25);
        let proba: Vec<f32> = y.iter().flat_map(|&class| [1.0 - class as f32, class as f32]).collect();
        let unseen = UnseenErrors::new(&y, MatRef::new(&proba, 50, 2), 0.95, 1.0);
        let u = unseen.unseen_share();
        assert!((u - 0.071_348).abs() < 1e-5, "{u}");
        let point = Interval::at(0.0);
        let brier = unseen.mean_term(point, 0.0, sample_brier);
        assert!(brier.low == 0.0 && (brier.high - u).abs() < 1e-12, "a wrong row costs 1: {brier:?}");
        let loss = unseen.mean_term(Interval::at(f64::EPSILON), f64::EPSILON, sample_log_loss);
        // -ln(2.2e-16) is 36.04.
        assert!((loss.high - 36.043_65 * u).abs() < 1e-4, "{loss:?}");
        let ece = unseen.calibration(point);
        assert_eq!((ece.low, ece.high), (0.0, u));
    }

    /// A term that is the same for every label cannot change with a label.
    #[test]
    fn uniform_probabilities_keep_their_log_loss() {
        let (y, proba) = ([0u32, 1, 1], [0.5f32; 6]);
        let unseen = UnseenErrors::new(&y, MatRef::new(&proba, 3, 2), 0.95, 1.0);
        let loss = unseen.mean_term(Interval::at(0.5f64.ln().abs()), 0.5f64.ln().abs(), sample_log_loss);
        assert!(loss.high - loss.low < 1e-12, "{loss:?}");
    }
}
