//! Split criteria.

/// What a split lowers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Criterion {
    /// Gini impurity.
    Gini,
    /// Shannon entropy in bits.
    Entropy,
}
