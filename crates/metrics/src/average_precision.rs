//! Average precision: the precision at each threshold on a class's probability, weighted by the recall it adds.

use headsmith_kernels::MatRef;

use crate::confusion::ratio;
use crate::ranking::thresholds;

/// `sum over thresholds, from the highest down, of (R_k - R_{k-1}) P_k` for `class` against the rest, with recall `R`
/// and precision `P`, without interpolation; 0 when no sample is of the class. scikit-learn's
/// `average_precision_score(y_true == class, proba[:, class])`.
///
/// `proba` is `n_samples x n_classes`.
///
/// # Panics
/// If the number of labels differs from that of the rows, or `class` is not below the number of columns.
pub fn average_precision(y_true: &[u32], proba: MatRef<'_>, class: usize) -> f64 {
    let found = thresholds(y_true, proba, class);
    let n_class = found.last().map_or(0, |all| all.hits);
    let mut last_hits = 0;
    let mut sum = 0.0;
    for now in found {
        let precision = ratio(now.hits, now.hits + now.false_alarms);
        sum += (now.hits - last_hits) as f64 * precision;
        last_hits = now.hits;
    }
    sum / n_class.max(1) as f64
}
