//! The names of curves in views: those of Keras, so that its users recognise them.

use headsmith_heads::EpochScores;
use headsmith_metrics::Metric;

/// The learning rate of an epoch.
pub(crate) const LEARNING_RATE: &str = "epoch_learning_rate";
/// The number of trained epochs of a trial.
pub(crate) const EPOCHS: &str = "epochs";
/// Whether a trial was pruned.
pub(crate) const PRUNED: &str = "pruned";

/// A trial's name.
pub(crate) fn trial_name(number: u64) -> String {
    format!("trial-{number:04}")
}

/// The value that a trial reports after an epoch.
pub(crate) fn of_trial(metric: Metric) -> String {
    format!("epoch_{}", metric.name())
}

/// The scores of an epoch by name: those of Keras's history, and `metric` if it is another.
pub(crate) fn of(scores: &EpochScores, metric: Metric) -> Vec<(String, f64)> {
    let EpochScores { loss, mae, mse, accuracy, weighted_f1, .. } = *scores;
    let usual = [
        ("epoch_loss", loss),
        ("epoch_mae", mae),
        ("epoch_mse", mse),
        ("epoch_accuracy", accuracy),
        ("epoch_weighted_f1", weighted_f1),
    ];
    let mut named = usual.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let chosen = of_trial(metric);
    if metric != Metric::LogLoss && !named.iter().any(|(name, _)| *name == chosen) {
        named.push((chosen, scores.get(metric)));
    }
    named
}
