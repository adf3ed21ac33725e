//! Cohen's kappa: agreement of true and predicted classes beyond the agreement expected by chance (Cohen,
//! "A coefficient of agreement for nominal scales", 1960).

use crate::Confusion;

/// `1 - observed / expected` disagreement, at most 1, with 0 for chance; `None` if chance agreement is complete (all
/// samples have one class and are predicted as it, or there are none), where scikit-learn's `cohen_kappa_score` gives
/// NaN.
pub fn cohen_kappa(confusion: &Confusion) -> Option<f64> {
    let n = confusion.n_samples() as f64;
    let (mut hits, mut chance) = (0.0, 0.0);
    for c in 0..confusion.n_classes() {
        hits += confusion.hits(c) as f64;
        chance += confusion.support(c) as f64 * confusion.predicted(c) as f64;
    }
    let expected = n * n - chance;
    (expected > 0.0).then(|| 1.0 - (n - hits) * n / expected)
}
