//! The scores of the tables.

use std::cmp::Ordering;

use headsmith_metrics::bootstrap::{Interval, Intervals};
use headsmith_metrics::{Metric, Scores};

use crate::schema::FoldScores;

/// A score that the tables have a line for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Score {
    /// One that can choose.
    Of(Metric),
    WeightedPrecision,
    WeightedRecall,
    RocAuc,
    CohenKappa,
    Brier,
    Ece,
}

impl Score {
    /// All of them, in the order of the tables.
    pub(crate) const ALL: [Score; 12] = [
        Score::Of(Metric::WeightedF1),
        Score::Of(Metric::Accuracy),
        Score::Of(Metric::BalancedAccuracy),
        Score::Of(Metric::MacroF1),
        Score::WeightedPrecision,
        Score::WeightedRecall,
        Score::RocAuc,
        Score::Of(Metric::Mcc),
        Score::CohenKappa,
        Score::Of(Metric::LogLoss),
        Score::Brier,
        Score::Ece,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Score::Of(Metric::LogLoss) => "log loss (nats)",
            Score::Of(metric) => metric.label(),
            Score::WeightedPrecision => "weighted precision",
            Score::WeightedRecall => "weighted recall",
            Score::RocAuc => "ROC AUC, one-vs-rest",
            Score::CohenKappa => "Cohen\u{2019}s kappa",
            Score::Brier => "Brier score",
            Score::Ece => "calibration error",
        }
    }

    /// Whether `higher` or `lower` values are better.
    pub(crate) fn better(self) -> &'static str {
        match self {
            Score::Of(metric) if metric.is_greater_better() => "higher",
            Score::Of(_) | Score::Brier | Score::Ece => "lower",
            _ => "higher",
        }
    }

    /// Its value in `scores`; `None` where it is not defined.
    pub(crate) fn of(self, scores: &Scores) -> Option<f64> {
        match self {
            Score::Of(metric) => Some(metric.of(scores)),
            Score::WeightedPrecision => Some(scores.weighted_precision),
            Score::WeightedRecall => Some(scores.weighted_recall),
            Score::RocAuc => scores.roc_auc_ovr,
            Score::CohenKappa => scores.cohen_kappa,
            Score::Brier => Some(scores.brier),
            Score::Ece => Some(scores.ece),
        }
    }

    /// Its interval; `None` for a score that has none.
    pub(crate) fn interval(self, intervals: &Intervals) -> Option<Interval> {
        match self {
            Score::Of(metric) => Some(metric.interval(intervals)),
            Score::Brier => Some(intervals.brier),
            Score::Ece => Some(intervals.ece),
            _ => None,
        }
    }

    /// Its value for a fold; `None` for a score that folds do not have.
    pub(crate) fn of_fold(self, scores: &FoldScores) -> Option<f64> {
        match self {
            Score::Of(metric) => Some(scores.get(metric)),
            Score::Brier => Some(scores.brier),
            Score::Ece => Some(scores.ece),
            _ => None,
        }
    }
}

/// The metric and two others that are shown beside it.
pub(crate) fn beside(metric: Metric) -> [Metric; 3] {
    let others = [Metric::Accuracy, Metric::LogLoss];
    let [a, b] = others.map(|other| if other == metric { Metric::default() } else { other });
    [metric, a, b]
}

/// Values from the worst to the best.
pub(crate) fn order(metric: Metric, a: f64, b: f64) -> Ordering {
    if metric.is_greater_better() { a.total_cmp(&b) } else { b.total_cmp(&a) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_better_where_it_is_smaller() {
        assert_eq!(order(Metric::LogLoss, 0.1, 0.2), Ordering::Greater);
        assert_eq!(order(Metric::WeightedF1, 0.1, 0.2), Ordering::Less);
        let lower = Score::ALL.into_iter().filter(|score| score.better() == "lower").map(Score::name);
        assert_eq!(lower.collect::<Vec<_>>(), ["log loss (nats)", "Brier score", "calibration error"]);
        assert_eq!(beside(Metric::LogLoss), [Metric::LogLoss, Metric::Accuracy, Metric::WeightedF1]);
    }
}
