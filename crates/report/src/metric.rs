//! The metrics by their keys in the report.

use std::fmt;

use crate::facts::{Facts, Look};

/// Key, name, and whether higher or lower is better.
pub(crate) const METRICS: [(&str, &str, &str); 12] = [
    ("weighted_f1", "weighted F1", "higher"),
    ("accuracy", "accuracy", "higher"),
    ("balanced_accuracy", "balanced accuracy", "higher"),
    ("macro_f1", "macro F1", "higher"),
    ("weighted_precision", "weighted precision", "higher"),
    ("weighted_recall", "weighted recall", "higher"),
    ("roc_auc_ovr", "ROC AUC, one-vs-rest", "higher"),
    ("mcc", "Matthews correlation", "higher"),
    ("cohen_kappa", "Cohen\u{2019}s kappa", "higher"),
    ("log_loss", "log loss (nats)", "lower"),
    ("brier", "Brier score", "lower"),
    ("ece", "calibration error", "lower"),
];

/// The metric that chose epochs, trials and the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Metric {
    /// Its key in the scores.
    pub(crate) key: &'static str,
    name: &'static str,
    /// Whether smaller values are better.
    is_loss: bool,
}

impl Metric {
    /// The metric that the report names; weighted F1 in reports of versions that knew no other.
    pub(crate) fn of(facts: &Facts) -> Metric {
        let named = facts.report.at("/metric").text();
        let (key, name, better) =
            METRICS.iter().find(|(key, ..)| *key == named).copied().unwrap_or(METRICS[0]);
        Metric { key, name: name.trim_end_matches(" (nats)"), is_loss: better == "lower" }
    }

    /// Whether `value` is better than `than`.
    pub(crate) fn is_better(self, value: f64, than: f64) -> bool {
        if self.is_loss { value < than } else { value > than }
    }

    /// The metric and two others that are shown beside it, each by key and name.
    pub(crate) fn beside(self) -> [(&'static str, &'static str); 3] {
        let others = [("accuracy", "accuracy"), ("log_loss", "log loss")];
        let [a, b] =
            others.map(|other| if other.0 == self.key { ("weighted_f1", "weighted F1") } else { other });
        [(self.key, self.name), a, b]
    }

    /// Whether smaller values are better.
    pub(crate) fn is_loss(self) -> bool {
        self.is_loss
    }

    /// A value that every value is better than.
    pub(crate) fn worst(self) -> f64 {
        if self.is_loss { f64::INFINITY } else { f64::NEG_INFINITY }
    }

    /// Values from the worst to the best.
    pub(crate) fn order(self, a: f64, b: f64) -> std::cmp::Ordering {
        if self.is_loss { b.total_cmp(&a) } else { a.total_cmp(&b) }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_loss_is_better_where_it_is_smaller() {
        let of = |report| Metric::of(&Facts { report, ..Facts::default() });
        let (default, loss) = (of(json!({})), of(json!({ "metric": "log_loss" })));
        assert_eq!([default.to_string(), loss.to_string()], ["weighted F1", "log loss"]);
        assert!(default.is_better(0.2, 0.1) && loss.is_better(0.1, 0.2) && loss.is_better(9.0, loss.worst()));
        assert_eq!(loss.order(0.1, 0.2), std::cmp::Ordering::Greater);
    }
}
