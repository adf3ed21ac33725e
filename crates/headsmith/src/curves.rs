//! The names under which views keep curves: Keras's, so that what is known of its runs is found in ours.

use headsmith_heads::EpochScores;

/// The learning rate of an epoch.
pub(crate) const LEARNING_RATE: &str = "epoch_learning_rate";
/// The value that a trial reports.
pub(crate) const TRIAL: &str = "epoch_weighted_f1";
/// A trial's value at its end.
pub(crate) const VALUE: &str = "weighted_f1";
/// How many epochs of a trial were trained.
pub(crate) const EPOCHS: &str = "epochs";
/// Whether a trial was pruned.
pub(crate) const PRUNED: &str = "pruned";

/// What a trial is called.
pub(crate) fn trial_name(number: u64) -> String {
    format!("trial-{number:04}")
}

/// The scores of an epoch by name.
pub(crate) fn of(scores: &EpochScores) -> [(&'static str, f64); 5] {
    let EpochScores { loss, mae, mse, accuracy, weighted_f1 } = *scores;
    [
        ("epoch_loss", loss),
        ("epoch_mae", mae),
        ("epoch_mse", mse),
        ("epoch_accuracy", accuracy),
        (TRIAL, weighted_f1),
    ]
}
