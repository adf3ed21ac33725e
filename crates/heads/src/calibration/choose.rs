//! The choice of a calibration by the log loss on rows that it was not fitted on.
//!
//! Every form is fitted five times, on all groups of rows but one, and calibrates that one. The simplest form stays unless a form with more
//! numbers is better by more than the standard error of the difference, row by row.

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::fit::N_FOLDS;
use super::probability::{FORMS, Inputs, ProbabilityCalibration, ProbabilityForm};
use super::targets::Targets;
use crate::head::Folds;

/// A calibration that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Its form.
    pub form: ProbabilityForm,
    /// The calibration, fitted on all rows.
    pub calibration: ProbabilityCalibration,
    /// The probabilities of all rows (`n_samples x n_classes`), each calibrated in this form by a fit on other groups.
    pub proba: Matrix,
    /// The mean log loss of each form that was tried, on groups that its fit did not see; in nats.
    pub losses: Vec<(ProbabilityForm, f64)>,
}

/// The most classes of the quadratic form, and the fewest rows for each of its C (2 C + 1) numbers.
const MOST_CLASSES: usize = 10;
const ROWS_A_NUMBER: usize = 20;
/// With more classes than these, the form with two numbers a class needs as many rows for each.
const FEW_CLASSES: usize = 50;
/// The fewest rows of each class of the isotonic form, and the most probabilities: it sorts those of each class.
const ROWS_A_CLASS: usize = 50;
const MOST_SORTED: usize = 40_000_000;

/// Chooses the calibration of probabilities (`n_samples x n_classes`) of rows that were not learnt from. The rows of a fold stay together. The quadratic
/// form is tried up to 10 classes with 20 rows for each of its C (2 C + 1) numbers, the vector form with more than 50 classes where there are 20 rows for
/// each of its 2 C numbers, the isotonic one with 50 rows of each class.
///
/// # Panics
/// When there are other rows than targets, or a row's class has no column.
pub fn choose(proba: MatRef<'_>, targets: Targets<'_>, folds: Folds<'_>, pool: &Pool) -> Chosen {
    let inputs = Inputs::new(proba, targets, pool);
    let groups = targets.groups(proba.n_cols(), folds);
    let mut best = (ProbabilityForm::Identity, proba.to_matrix(), targets.losses(proba));
    let mut losses = vec![(best.0, targets.mean(&best.2))];
    for form in FORMS.into_iter().skip(1).filter(|form| suffices(*form, targets, proba.n_cols())) {
        let proba = cross_fitted(&inputs, form, &groups, pool);
        let of_rows = targets.losses(proba.view());
        losses.push((form, targets.mean(&of_rows)));
        if targets.gain(&best.2, &of_rows).is_clear() {
            best = (form, proba, of_rows);
        }
    }
    let (form, proba, _) = best;
    let rows: Vec<usize> = (0..targets.len()).collect();
    Chosen { form, calibration: inputs.fit(&rows, form, pool), proba, losses }
}

/// Whether there are rows enough for the form's numbers.
fn suffices(form: ProbabilityForm, targets: Targets<'_>, n_classes: usize) -> bool {
    let n_rows = targets.len();
    let fitted = n_rows / N_FOLDS * (N_FOLDS - 1);
    match form {
        ProbabilityForm::Vector => {
            n_classes <= FEW_CLASSES || fitted >= ROWS_A_NUMBER * form.n_numbers(n_classes)
        }
        ProbabilityForm::Quadratic => {
            n_classes <= MOST_CLASSES && fitted >= ROWS_A_NUMBER * form.n_numbers(n_classes)
        }
        ProbabilityForm::Isotonic => {
            let mut counts = vec![0; n_classes];
            (0..n_rows).for_each(|i| counts[targets.class(i)] += 1);
            counts.iter().all(|count| *count >= ROWS_A_CLASS) && n_rows * n_classes <= MOST_SORTED
        }
        _ => true,
    }
}

/// The probabilities of all rows, each by a calibration fitted on the other groups.
fn cross_fitted(inputs: &Inputs<'_>, form: ProbabilityForm, groups: &[usize], pool: &Pool) -> Matrix {
    let n_classes = inputs.proba.n_cols();
    let mut proba = Matrix::zeros(groups.len(), n_classes);
    for group in 0..N_FOLDS {
        let (own, others): (Vec<usize>, Vec<usize>) = (0..groups.len()).partition(|&i| groups[i] == group);
        if own.is_empty() {
            continue;
        }
        let calibration = inputs.fit(&others, form, pool);
        let calibrated = calibration.apply(inputs.proba.gather(&own).view(), pool);
        own.iter().enumerate().for_each(|(at, &i)| proba.row_mut(i).copy_from_slice(calibrated.row(at)));
    }
    proba
}
