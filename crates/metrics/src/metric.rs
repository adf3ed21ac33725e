//! The metric for selecting among epochs, trials and heads.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Interval, Intervals};
use crate::check::Error;
use crate::{Confusion, Scores, accuracy, balanced_accuracy, f1, macro_average, mcc, weighted_average};

/// A score for selection, by its name in [`Scores`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// F1 averaged over the samples' classes.
    #[default]
    WeightedF1,
    /// F1 averaged over the classes.
    MacroF1,
    /// The mean recall of the classes.
    BalancedAccuracy,
    /// The share of samples whose most probable class is the true one.
    Accuracy,
    /// Mean cross-entropy in nats: smaller is better.
    LogLoss,
    /// Matthews correlation coefficient.
    Mcc,
}

impl Metric {
    /// All of them, the default first.
    pub const ALL: [Metric; 6] = [
        Metric::WeightedF1,
        Metric::MacroF1,
        Metric::BalancedAccuracy,
        Metric::Accuracy,
        Metric::LogLoss,
        Metric::Mcc,
    ];

    /// Its name on the command line and in files: `weighted_f1`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::WeightedF1 => "weighted_f1",
            Metric::MacroF1 => "macro_f1",
            Metric::BalancedAccuracy => "balanced_accuracy",
            Metric::Accuracy => "accuracy",
            Metric::LogLoss => "log_loss",
            Metric::Mcc => "mcc",
        }
    }

    /// Its name in text: `weighted F1`.
    pub fn label(self) -> &'static str {
        match self {
            Metric::WeightedF1 => "weighted F1",
            Metric::MacroF1 => "macro F1",
            Metric::BalancedAccuracy => "balanced accuracy",
            Metric::Accuracy => "accuracy",
            Metric::LogLoss => "log loss",
            Metric::Mcc => "Matthews correlation",
        }
    }

    /// Whether larger values are better.
    pub fn is_greater_better(self) -> bool {
        self != Metric::LogLoss
    }

    /// Whether `value` is better than `than`. No value is better than NaN, and NaN is better than no value.
    pub fn is_better(self, value: f64, than: f64) -> bool {
        if self.is_greater_better() { value > than } else { value < than }
    }

    /// The better of two values.
    pub fn better(self, a: f64, b: f64) -> f64 {
        if self.is_better(b, a) { b } else { a }
    }

    /// A value that is worse than every other.
    pub fn worst(self) -> f64 {
        if self.is_greater_better() { f64::NEG_INFINITY } else { f64::INFINITY }
    }

    /// Its value in `scores`.
    pub fn of(self, scores: &Scores) -> f64 {
        match self {
            Metric::WeightedF1 => scores.weighted_f1,
            Metric::MacroF1 => scores.macro_f1,
            Metric::BalancedAccuracy => scores.balanced_accuracy,
            Metric::Accuracy => scores.accuracy,
            Metric::LogLoss => scores.log_loss,
            Metric::Mcc => scores.mcc,
        }
    }

    /// Its interval in `intervals`.
    pub fn interval(self, intervals: &Intervals) -> Interval {
        match self {
            Metric::WeightedF1 => intervals.weighted_f1,
            Metric::MacroF1 => intervals.macro_f1,
            Metric::BalancedAccuracy => intervals.balanced_accuracy,
            Metric::Accuracy => intervals.accuracy,
            Metric::LogLoss => intervals.log_loss,
            Metric::Mcc => intervals.mcc,
        }
    }

    /// Its value if it is a function of the predicted classes; `None` for the log loss, which needs probabilities.
    pub fn of_confusion(self, confusion: &Confusion) -> Option<f64> {
        match self {
            Metric::WeightedF1 => Some(weighted_average(confusion, f1)),
            Metric::MacroF1 => Some(macro_average(confusion, f1)),
            Metric::BalancedAccuracy => Some(balanced_accuracy(confusion)),
            Metric::Accuracy => Some(accuracy(confusion)),
            Metric::LogLoss => None,
            Metric::Mcc => Some(mcc(confusion)),
        }
    }

    /// Whether it is the default, which older files leave out.
    pub fn is_default(&self) -> bool {
        *self == Metric::default()
    }
}

/// A value for each [`Metric`]. The metrics that reports of the first version do not have are the default of `T` there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "they are the metrics")]
pub struct ByMetric<T> {
    pub weighted_f1: T,
    pub accuracy: T,
    #[serde(default)]
    pub balanced_accuracy: T,
    #[serde(default)]
    pub macro_f1: T,
    #[serde(default)]
    pub log_loss: T,
    #[serde(default)]
    pub mcc: T,
}

impl<T> ByMetric<T> {
    /// A value for each metric, computed by `of`.
    pub fn from_fn(of: impl Fn(Metric) -> T) -> ByMetric<T> {
        ByMetric {
            weighted_f1: of(Metric::WeightedF1),
            accuracy: of(Metric::Accuracy),
            balanced_accuracy: of(Metric::BalancedAccuracy),
            macro_f1: of(Metric::MacroF1),
            log_loss: of(Metric::LogLoss),
            mcc: of(Metric::Mcc),
        }
    }

    /// The value for `metric`.
    pub fn get(&self, metric: Metric) -> &T {
        match metric {
            Metric::WeightedF1 => &self.weighted_f1,
            Metric::MacroF1 => &self.macro_f1,
            Metric::BalancedAccuracy => &self.balanced_accuracy,
            Metric::Accuracy => &self.accuracy,
            Metric::LogLoss => &self.log_loss,
            Metric::Mcc => &self.mcc,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Metric, Error> {
        Metric::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
            let names = Metric::ALL.map(Metric::name).join(", ");
            Error(format!("there is no metric `{name}`; there are {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headsmith_kernels::{MatRef, Pool};

    #[test]
    fn names_match_their_scores() {
        let proba = [0.7, 0.2, 0.1, 0.3, 0.4, 0.3, 0.5, 0.1, 0.4, 0.1, 0.1, 0.8, 0.2, 0.7, 0.1];
        let (y_true, proba) = ([0, 1, 2, 2, 0], MatRef::new(&proba, 5, 3));
        let scores = crate::score(&y_true, proba).unwrap();
        let intervals = crate::bootstrap::intervals(
            &y_true,
            proba,
            &crate::bootstrap::Options { n_resamples: 50, ..Default::default() },
            &Pool::inline(),
        );
        let as_json = |value: serde_json::Result<serde_json::Value>| value.unwrap();
        let (all, ranges) =
            (as_json(serde_json::to_value(&scores)), as_json(serde_json::to_value(intervals.unwrap())));
        let ranges_of = |metric: Metric| {
            let ranges: Intervals = serde_json::from_value(ranges.clone()).unwrap();
            metric.interval(&ranges).low
        };
        for metric in Metric::ALL {
            assert_eq!(all[metric.name()], metric.of(&scores), "{metric}");
            assert_eq!(ranges[metric.name()]["low"], ranges_of(metric), "{metric}");
            assert_eq!(metric.name().parse::<Metric>().unwrap(), metric);
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
            let counted = metric.of_confusion(&Confusion::of(&y_true, proba));
            assert_eq!(counted.unwrap_or(scores.log_loss), metric.of(&scores));
        }
        assert!("f1".parse::<Metric>().unwrap_err().to_string().contains("weighted_f1, macro_f1"));
    }

    #[test]
    fn smaller_losses_are_better_and_nan_never_is() {
        assert!(Metric::LogLoss.is_better(0.1, 0.2) && Metric::Mcc.is_better(0.2, 0.1));
        for metric in Metric::ALL {
            assert!(metric.is_better(0.5, metric.worst()) && !metric.is_better(f64::NAN, metric.worst()));
            assert!(!metric.is_better(0.5, 0.5) && !metric.is_better(0.5, f64::NAN));
        }
        assert_eq!([Metric::LogLoss.better(0.1, 0.2), Metric::Mcc.better(0.1, 0.2)], [0.1, 0.2]);
    }
}
