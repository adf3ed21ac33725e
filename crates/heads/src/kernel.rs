//! Kernel machines: the outputs of a row are a weighted sum of a kernel function of it and each training row, of which ridge
//! regression to targets of 0 and 1, or logistic regression, finds the weights. Probabilities are calibrated leave-one-out outputs.
//!
//! By default the head chooses by the leave-one-out log loss of the training rows what it does to the features (`features.rs`), the width
//! of the kernel and the strength of the penalty: on some rows first (`screen.rs`), then on all (`refine.rs`). With the squared loss one
//! Cholesky factor of the kernel matrix gives exact leave-one-out outputs of all rows (`ridge.rs`).
//!
//! Of large tables some rows alone, the landmarks, are basis functions (`nystroem.rs`): the search is then done on some of the rows, and one fit on all.
//!
//! Features are scaled to a total variance of 1, so that the mean squared distance of two rows is 2: a gamma of 1 is 1 / n_features of
//! standardised features, about scikit-learn's `gamma="scale"`.
//!
//! References: Saunders, Gammerman and Vovk, "Ridge regression learning algorithm in dual variables", 1998; Rifkin and Lippert, "Notes
//! on regularized least squares", 2007; Zhu and Hastie, "Kernel logistic regression and the import vector machine", 2005.

mod features;
mod gram;
mod head;
mod landmarks;
mod logistic;
mod machine;
mod nystroem;
mod params;
mod plan;
mod problem;
mod refine;
mod ridge;
mod screen;
mod search;
mod trial;

pub use machine::Machine;
pub use params::TABLE;

/// Kernel machines as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: head::KernelHead = head::KernelHead;
