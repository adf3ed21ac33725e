//! Probabilities with the class that is decided for each row.
//!
//! Usually that is the most probable class. A decision for a metric such as F1 may prefer another
//! ([`decision`](crate::decision)); then metrics of classes use the decided class, and metrics of probabilities (log
//! loss, Brier score, calibration error, areas under curves) are those of the probabilities, as without a decision.

use headsmith_kernels::{MatRef, Matrix};

use crate::predicted_class;

/// The probabilities of rows (`n_samples x n_classes`), and optionally their decided classes.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    proba: MatRef<'a>,
    decided: Option<&'a [u32]>,
}

impl<'a> Predictions<'a> {
    /// Probabilities with one decided class a row. Whether they fit is checked by the functions that check
    /// probabilities.
    pub fn decided(proba: MatRef<'a>, classes: &'a [u32]) -> Predictions<'a> {
        Predictions { proba, decided: Some(classes) }
    }

    /// The probabilities.
    pub fn proba(self) -> MatRef<'a> {
        self.proba
    }

    /// The decided classes, if they may differ from the most probable ones.
    pub fn decided_classes(self) -> Option<&'a [u32]> {
        self.decided
    }

    /// The number of rows.
    pub fn n_samples(self) -> usize {
        self.proba.n_rows()
    }

    /// The number of classes.
    pub fn n_classes(self) -> usize {
        self.proba.n_cols()
    }

    /// The class of row `i`: the decided one, or else the most probable.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn class(self, i: usize) -> usize {
        match self.decided {
            Some(classes) => classes[i] as usize,
            None => predicted_class(self.proba.row(i)),
        }
    }
}

/// Of each row the most probable class.
impl<'a> From<MatRef<'a>> for Predictions<'a> {
    fn from(proba: MatRef<'a>) -> Predictions<'a> {
        Predictions { proba, decided: None }
    }
}

/// Of each row the most probable class.
impl<'a> From<&'a Matrix> for Predictions<'a> {
    fn from(proba: &'a Matrix) -> Predictions<'a> {
        proba.view().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score;

    const PROBA: [f32; 8] = [0.6, 0.4, 0.7, 0.3, 0.2, 0.8, 0.9, 0.1];

    fn proba() -> MatRef<'static> {
        MatRef::new(&PROBA, 4, 2)
    }

    #[test]
    fn the_most_probable_classes_decided_are_no_change() {
        let y = [0, 1, 1, 0];
        assert_eq!(score(&y, Predictions::decided(proba(), &[0, 0, 1, 0])), score(&y, proba()));
    }

    #[test]
    fn decided_classes_by_hand() {
        let y = [0, 1, 1, 0];
        let plain = score(&y, proba()).unwrap();
        let decided = score(&y, Predictions::decided(proba(), &[1, 1, 1, 0])).unwrap();
        // Class 0: 1 hit, 2 true, 1 predicted; class 1: 2 hits, 2 true, 3 predicted.
        assert_eq!((decided.per_class[0].f1, decided.per_class[1].f1), (2.0 / 3.0, 0.8));
        assert!((decided.weighted_f1 - (2.0 / 3.0 + 0.8) / 2.0).abs() < 1e-15);
        assert_eq!(decided.confusion, [[1, 1], [0, 2]]);
        let of_proba = |s: &crate::Scores| (s.log_loss, s.brier, s.ece, s.roc_auc_ovr);
        assert_eq!(of_proba(&decided), of_proba(&plain));
    }

    #[test]
    fn decided_classes_that_do_not_fit_are_refused() {
        let message = |classes: &[u32]| {
            score(&[0, 1, 1, 0], Predictions::decided(proba(), classes)).unwrap_err().to_string()
        };
        assert_eq!(message(&[0]), "1 decided classes but 4 rows of probabilities");
        assert_eq!(
            message(&[0, 1, 2, 1]),
            "the decided class of sample 2 is class 2, the probabilities are of 2 classes, 0 to 1"
        );
    }
}
