//! Checks of labels and probabilities before they are scored.

use crate::Predictions;

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Input that cannot be scored; the message gives the fault and its location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub(crate) String);

/// The maximum distance of a probability sum from 1: scikit-learn's own bound for `float32`, the square root of the
/// machine precision.
const SUM_TOLERANCE: f64 = 3.453e-4;

/// Checks that there is at least one sample, that labels and rows are equally many, that every label and every decided
/// class has its column, and that every row is a probability distribution.
pub(crate) fn check(y_true: &[u32], predictions: Predictions<'_>) -> Result<()> {
    let proba = predictions.proba();
    if y_true.len() != proba.n_rows() {
        return Err(Error(format!("{} labels but {} rows of probabilities", y_true.len(), proba.n_rows())));
    }
    if y_true.is_empty() {
        return Err(Error("there are no samples to score".into()));
    }
    check_classes("label", y_true, proba.n_cols())?;
    if let Some(decided) = predictions.decided_classes() {
        if decided.len() != proba.n_rows() {
            return Err(Error(format!(
                "{} decided classes but {} rows of probabilities",
                decided.len(),
                proba.n_rows()
            )));
        }
        check_classes("decided class", decided, proba.n_cols())?;
    }
    (0..proba.n_rows()).try_for_each(|i| check_row(i, proba.row(i)))
}

fn check_classes(what: &str, classes: &[u32], n_classes: usize) -> Result<()> {
    match classes.iter().position(|&class| class as usize >= n_classes) {
        Some(i) => Err(Error(format!(
            "the {what} of sample {i} is class {}, the probabilities are of {n_classes} classes, 0 to {}",
            classes[i],
            n_classes.saturating_sub(1)
        ))),
        None => Ok(()),
    }
}

fn check_row(sample: usize, row: &[f32]) -> Result<()> {
    if let Some(class) = row.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(Error(format!(
            "the probability of class {class} for sample {sample} is {}, expected a number from 0 to 1",
            row[class]
        )));
    }
    let sum: f64 = row.iter().map(|&p| f64::from(p)).sum();
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(Error(format!("the probabilities of sample {sample} sum to {sum}, expected 1")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::MatRef;

    use super::*;

    fn message(y_true: &[u32], proba: &[f32], n_rows: usize) -> String {
        check(y_true, MatRef::new(proba, n_rows, 2).into()).unwrap_err().to_string()
    }

    #[test]
    fn invalid_input_is_refused_with_its_location() {
        assert_eq!(message(&[0], &[0.5; 4], 2), "1 labels but 2 rows of probabilities");
        assert_eq!(message(&[], &[], 0), "there are no samples to score");
        assert_eq!(
            message(&[1, 2], &[0.5; 4], 2),
            "the label of sample 1 is class 2, the probabilities are of 2 classes, 0 to 1"
        );
        assert_eq!(
            message(&[1, 0], &[0.5, 0.5, f32::NAN, 0.5], 2),
            "the probability of class 0 for sample 1 is NaN, expected a number from 0 to 1"
        );
        assert_eq!(
            message(&[1], &[1.5, -0.5], 1),
            "the probability of class 0 for sample 0 is 1.5, expected a number from 0 to 1"
        );
        assert_eq!(message(&[1], &[0.5, 0.25], 1), "the probabilities of sample 0 sum to 0.75, expected 1");
    }

    #[test]
    fn rounding_of_single_precision_is_no_error() {
        let third = 1.0 / 3.0 + 1e-4;
        check(&[0], MatRef::new(&[third, third, third], 1, 3).into()).unwrap();
        check(&[0], MatRef::new(&[1.0], 1, 1).into()).unwrap();
    }
}
