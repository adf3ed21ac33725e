//! Accuracy: the share of samples whose predicted class is the true one.

use crate::Confusion;
use crate::confusion::ratio;

/// `hits / n_samples`; 0 without samples. scikit-learn's `accuracy_score`.
pub fn accuracy(confusion: &Confusion) -> f64 {
    let hits = (0..confusion.n_classes()).map(|c| confusion.hits(c)).sum();
    ratio(hits, confusion.n_samples())
}
