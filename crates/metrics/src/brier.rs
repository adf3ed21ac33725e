//! Brier score: the mean squared distance between the probabilities and the outcomes (Brier, "Verification of
//! forecasts expressed in terms of probability", Monthly Weather Review 78, 1950).

use headsmith_kernels::MatRef;

/// `mean over samples of sum over classes of (p - o)^2`, with `o` 1 for the true class and 0 for the others; 0 without
/// samples.
///
/// `proba` is `n_samples x n_classes`. In `[0, 2]` for three or more classes; for fewer it is halved, into `[0, 1]`,
/// as is customary: scikit-learn's `brier_score_loss` with its default `scale_by_half="auto"`.
///
/// # Panics
/// If the number of labels differs from that of the rows, or a label is not below the number of columns.
pub fn brier(y_true: &[u32], proba: MatRef<'_>) -> f64 {
    assert_eq!(y_true.len(), proba.n_rows(), "one label a row of probabilities");
    let sum: f64 = y_true.iter().enumerate().map(|(i, &c)| sample_brier(c, proba.row(i))).sum();
    sum / y_true.len().max(1) as f64
}

/// The term of one sample of class `class`, halved for fewer than three classes.
pub(crate) fn sample_brier(class: u32, row: &[f32]) -> f64 {
    assert!((class as usize) < row.len(), "class {class} of {}", row.len());
    let squared = |(c, &p): (usize, &f32)| {
        let outcome = f64::from(u8::from(c == class as usize));
        (f64::from(p) - outcome).powi(2)
    };
    let sum: f64 = row.iter().enumerate().map(squared).sum();
    if row.len() < 3 { 0.5 * sum } else { sum }
}
