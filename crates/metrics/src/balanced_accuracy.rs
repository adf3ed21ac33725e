//! Balanced accuracy: the mean recall, in which every class counts the same (Brodersen et al., "The balanced
//! accuracy and its posterior distribution", ICPR 2010).

use crate::{Confusion, recall};

/// The mean recall of the classes that have samples; 0 without samples. scikit-learn's `balanced_accuracy_score`.
pub fn balanced_accuracy(confusion: &Confusion) -> f64 {
    let present = || (0..confusion.n_classes()).filter(|&c| confusion.support(c) > 0);
    let sum: f64 = present().map(|c| recall(confusion, c)).sum();
    sum / present().count().max(1) as f64
}
