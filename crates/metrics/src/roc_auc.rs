//! Area under the ROC curve, one class against the rest: the probability that a sample of the class gets a higher
//! probability of it than another sample, with ties counting half (Hanley and McNeil, 1982).

use headsmith_kernels::MatRef;

use crate::ranking::{ThresholdCounts, thresholds};

/// The area of `class` against the rest; `None` if no sample or every sample has it, where scikit-learn's
/// `roc_auc_score(y_true == class, proba[:, class])` gives NaN.
///
/// `proba` is `n_samples x n_classes`. The trapezoids are summed in integers: the area is exact except for one
/// rounding.
///
/// # Panics
/// If the number of labels differs from that of the rows, or `class` is not below the number of columns.
pub fn roc_auc(y_true: &[u32], proba: MatRef<'_>, class: usize) -> Option<f64> {
    let found = thresholds(y_true, proba, class);
    let all = found.last().copied().unwrap_or_default();
    let pairs = u128::from(all.hits) * u128::from(all.false_alarms);
    let mut last = ThresholdCounts::default();
    let mut twice_area = 0;
    for now in found {
        twice_area += u128::from(now.false_alarms - last.false_alarms) * u128::from(now.hits + last.hits);
        last = now;
    }
    (pairs > 0).then(|| twice_area as f64 / (2 * pairs) as f64)
}

/// The mean area of the classes, given one by one in `areas`; `None` if one of them has none.
///
/// scikit-learn's `roc_auc_score(multi_class="ovr", average="macro")` with all classes as `labels`, which is NaN if
/// one class is absent. For two classes it is the area of the second, the usual binary case; the first has the same
/// area except for probabilities so near 1 that `f32` cannot distinguish them.
pub fn roc_auc_macro(areas: &[Option<f64>]) -> Option<f64> {
    if let [_, second] = areas {
        return *second;
    }
    let sum: f64 = areas.iter().copied().sum::<Option<f64>>()?;
    (!areas.is_empty()).then(|| sum / areas.len() as f64)
}

/// The mean area of the classes in `areas`, weighted by their numbers of samples in `support`; `None` if a class with
/// samples has no area (it has all of them).
///
/// scikit-learn's `roc_auc_score(multi_class="ovr", average="weighted")` with all classes as `labels`: an absent class
/// has weight 0. For two classes it is the area of the second, as in [`roc_auc_macro`].
///
/// # Panics
/// If the lengths differ.
pub fn roc_auc_weighted(areas: &[Option<f64>], support: &[u64]) -> Option<f64> {
    assert_eq!(areas.len(), support.len(), "one support an area");
    if let [_, second] = areas {
        return *second;
    }
    let present = || areas.iter().zip(support).filter(|(_, n)| **n > 0);
    let sum: f64 = present().map(|(area, &n)| area.map(|a| a * n as f64)).sum::<Option<f64>>()?;
    let n_samples: u64 = support.iter().sum();
    (n_samples > 0).then(|| sum / n_samples as f64)
}
