//! Ridge regression on the classes: least squares with an L2 penalty to targets of 0 and 1, calibrated (scikit-learn's
//! `RidgeClassifierCV` 1.9 has targets of -1 and 1: the same classes, coefficients twice as large).
//!
//! With the weights W of the rows, centred features X = Z V' along the principal axes V, and s the sums of squares along them, the
//! coefficients for the strength alpha are `V (s + alpha)^-1 Z' W Y`: one eigendecomposition serves all strengths. With
//! `h_i = w_i (1 / sum w + sum_j z_ij^2 / (s_j + alpha))` the outputs for a row of the fit without it are
//! `y_i - (y_i - f_i) / (1 - h_i)`, exactly, intercept included. By default alpha is the one of a path with the smallest mean squared error of
//! these.
//!
//! References: Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12, 1970; Allen, "The
//! relationship between variable selection and data augmentation and a method for prediction", Technometrics 16, 1974; Rifkin and
//! Lippert, "Notes on regularized least squares", 2007.

mod fit;
mod fitting;
mod folds;
mod head;
mod params;

pub use head::Ridge;
pub use params::TABLE;

/// Ridge regression as one of the [`HEADS`](crate::head::HEADS).
pub static HEAD: head::RidgeHead = head::RidgeHead;
