//! Precision, recall and F1 of each class, and their averages over the classes; scikit-learn's
//! `precision_recall_fscore_support` with its default `zero_division`, 0.
//!
//! With `hits` the samples of a class that were recognised, `support` the samples of the class and `predicted` those
//! predicted as it:
//!
//! ```text
//! precision = hits / predicted    recall = hits / support    F1 = 2 hits / (support + predicted)
//! ```

use crate::accuracy;
use crate::confusion::{Confusion, ratio};

/// The share of the samples predicted as `class` that have it; 0 if there are none.
///
/// # Panics
/// If `class` is not below the number of classes.
pub fn precision(confusion: &Confusion, class: usize) -> f64 {
    ratio(confusion.hits(class), confusion.predicted(class))
}

/// The share of the samples of `class` that were predicted as it; 0 if it has none.
///
/// # Panics
/// If `class` is not below the number of classes.
pub fn recall(confusion: &Confusion, class: usize) -> f64 {
    ratio(confusion.hits(class), confusion.support(class))
}

/// The harmonic mean of precision and recall of `class`; 0 if no sample has it or is predicted as it.
///
/// # Panics
/// If `class` is not below the number of classes.
pub fn f1(confusion: &Confusion, class: usize) -> f64 {
    ratio(2 * confusion.hits(class), confusion.support(class) + confusion.predicted(class))
}

/// The mean of `metric` ([`precision`], [`recall`] or [`f1`]) over the classes, each with equal weight:
/// `average="macro"`.
///
/// As in scikit-learn without `labels`, a class that is neither true nor predicted for any sample does not count. 0
/// without samples.
pub fn macro_average(confusion: &Confusion, metric: fn(&Confusion, usize) -> f64) -> f64 {
    let occurs = |&c: &usize| confusion.support(c) + confusion.predicted(c) > 0;
    let classes = || (0..confusion.n_classes()).filter(occurs);
    classes().map(|c| metric(confusion, c)).sum::<f64>() / classes().count().max(1) as f64
}

/// The mean of `metric` ([`precision`], [`recall`] or [`f1`]) over the classes, weighted by support:
/// `average="weighted"`. 0 without samples.
pub fn weighted_average(confusion: &Confusion, metric: fn(&Confusion, usize) -> f64) -> f64 {
    let weighted = |c| metric(confusion, c) * confusion.support(c) as f64;
    (0..confusion.n_classes()).map(weighted).sum::<f64>() / confusion.n_samples().max(1) as f64
}

/// F1 of the counts summed over the classes: `average="micro"`.
///
/// If every sample has one true and one predicted class, a false positive of one class is a false negative of another:
/// then precision, recall and F1 all equal the accuracy.
pub fn micro_f1(confusion: &Confusion) -> f64 {
    accuracy(confusion)
}
