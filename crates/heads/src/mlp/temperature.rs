//! The temperature that calibrates a network on validation rows.

use headsmith_kernels::{MatRef, Pool};
use headsmith_metrics::log_loss::log_loss;

use crate::calibration::{ProbabilityCalibration, ProbabilityForm, Targets};

/// The best temperature for some rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Temperature {
    /// The factor of the logits: 1 over the temperature.
    pub(super) slope: f64,
    /// The log loss of the rows with it, in nats.
    pub(super) loss: f64,
}

impl Temperature {
    /// The best temperature for the probabilities of rows of the classes `y`.
    pub(super) fn of(proba: MatRef<'_>, y: &[u32], pool: &Pool) -> Temperature {
        let fitted = ProbabilityCalibration::fit(proba, Targets::new(y), ProbabilityForm::Temperature, pool);
        // A slope below 0 would turn the order of the classes round: such a network has learnt nothing.
        match fitted.slope().filter(|slope| *slope > 0.0) {
            Some(slope) => Temperature { slope, loss: log_loss(y, fitted.apply(proba, pool).view()) },
            None => Temperature { slope: 1.0, loss: log_loss(y, proba) },
        }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Philox;
    use headsmith_kernels::softmax::softmax;

    use super::*;

    /// Rows whose classes are drawn with the probabilities of the logits, which are then too large by a factor.
    #[test]
    fn it_finds_the_factor_by_which_logits_are_too_large() {
        let (n_rows, n_classes) = (4000, 3);
        let mut draws = Philox::new(2, 0, 0).sequence(0, 0);
        let logits: Vec<f32> = (0..n_rows * n_classes).map(|_| 4.0 * draws.uniform() as f32 - 2.0).collect();
        let proba = |factor: f32| {
            let mut rows: Vec<f32> = logits.iter().map(|z| z * factor).collect();
            softmax(&mut rows, &mut vec![0.0; n_rows], n_classes);
            rows
        };
        let true_proba = proba(1.0);
        let y: Vec<u32> = true_proba
            .chunks(n_classes)
            .map(|row| {
                let mut left = draws.uniform() as f32;
                row.iter()
                    .position(|p| {
                        left -= p;
                        left < 0.0
                    })
                    .unwrap_or(n_classes - 1) as u32
            })
            .collect();
        let sharp = proba(3.0);
        let found = Temperature::of(MatRef::new(&sharp, n_rows, n_classes), &y, &Pool::inline());
        assert!((found.slope - 1.0 / 3.0).abs() < 0.03, "{found:?}");
        let loss = |rows: &[f32]| log_loss(&y, MatRef::new(rows, n_rows, n_classes));
        assert!(found.loss <= loss(&true_proba) + 1e-4 && found.loss < loss(&sharp) - 0.1, "{found:?}");
    }
}
