//! Metrics of classifiers, with scikit-learn's conventions, and bootstrap intervals around them.

pub mod confusion;

pub use confusion::Confusion;
