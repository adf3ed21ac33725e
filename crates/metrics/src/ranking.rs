//! Counts of positives at each threshold on one class's probability, shared by ROC AUC and average precision.

use headsmith_kernels::MatRef;

/// Counts at a threshold: samples of the class, and samples of others.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ThresholdCounts {
    pub(crate) threshold: f32,
    pub(crate) hits: u64,
    pub(crate) false_alarms: u64,
}

/// The counts at each distinct value of column `class` as a threshold, from the highest down to the lowest, at which
/// all samples are positive.
pub(crate) fn thresholds(y_true: &[u32], proba: MatRef<'_>, class: usize) -> Vec<ThresholdCounts> {
    assert_eq!(y_true.len(), proba.n_rows(), "one label a row of probabilities");
    let mut ranked: Vec<(f32, bool)> =
        y_true.iter().enumerate().map(|(i, &c)| (proba.row(i)[class], c as usize == class)).collect();
    ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut found = ThresholdCounts::default();
    let step = |group: &[(f32, bool)]| {
        let hits = group.iter().filter(|(_, is_class)| *is_class).count() as u64;
        found.hits += hits;
        found.false_alarms += group.len() as u64 - hits;
        found.threshold = group[0].0;
        found
    };
    ranked.chunk_by(|a, b| a.0 == b.0).map(step).collect()
}
