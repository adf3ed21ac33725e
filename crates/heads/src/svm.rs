//! Support vector machines (C-SVC) with the RBF kernel, one class against one: a machine for each pair of classes, whose decisions are votes.
//!
//! A machine finds the betas and the intercept of `sum_s beta_s exp(-gamma |x - x_s|^2) + b`, which is above 0 for rows of its first class, by
//! sequential minimal optimisation (`solver.rs`), on the kernel values of all rows (`source.rs`) or, of large tables, on those that it
//! asks for (`cache.rs`). Labels are libsvm's: the class with most votes, the first of equals.
//!
//! Probabilities are calibrated scores: the mean decision value of each class's pairs, of fits without the row (`folds.rs`). They may have another
//! largest class than the votes.
//!
//! References: Cortes and Vapnik, "Support-vector networks", 1995; Fan, Chen and Lin, "Working set selection using second order
//! information for training support vector machines", 2005; Chang and Lin, "LIBSVM: a library for support vector machines", 2011.

mod cache;
mod fitting;
mod folds;
mod graph;
mod head;
mod machine;
mod params;
mod rows;
mod search;
mod solve;
mod solver;
mod source;
mod stored;

pub use fitting::fit;
pub use machine::Svm;
pub use params::TABLE;

/// Support vector machines as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: head::SvmHead = head::SvmHead;
