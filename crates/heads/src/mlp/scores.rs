//! The scores that are followed from epoch to epoch, gathered batch by batch.

use headsmith_metrics::{Confusion, balanced_accuracy, f1, macro_average, mcc};

use crate::event::EpochScores;
use crate::loss::categorical_crossentropy::{Targets, soft_loss, softmax_loss};

/// Sums over the rows seen so far.
#[derive(Debug)]
pub(super) struct Scores {
    loss: f64,
    absolute: f64,
    squared: f64,
    confusion: Confusion,
}

impl Scores {
    pub(super) fn new(n_classes: usize) -> Scores {
        Scores { loss: 0.0, absolute: 0.0, squared: 0.0, confusion: Confusion::new(n_classes) }
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        (self.loss, self.absolute, self.squared) = (0.0, 0.0, 0.0);
        self.confusion.clear();
    }

    /// Turns rows of logits into probabilities, and counts them. The loss is that of the targets, with the weights of rows; all
    /// else counts every row's class alike, as Keras's `metrics` do.
    pub(super) fn add(&mut self, logits: &mut [f32], targets: Targets<'_>) {
        let n_classes = self.confusion.n_classes();
        for (i, (row, true_class)) in logits.chunks_exact_mut(n_classes).zip(targets.classes()).enumerate() {
            let true_class = *true_class as usize;
            self.loss += match targets {
                Targets::Classes(_, weights) => {
                    let weight = weights.map_or(1.0, |weights| f64::from(weights[i]));
                    weight * f64::from(softmax_loss(row, true_class))
                }
                Targets::Soft(_, targets) => {
                    f64::from(soft_loss(row, &targets[i * n_classes..][..n_classes]))
                }
            };
            let mut predicted = 0;
            for (class, p) in row.iter().enumerate() {
                // In double precision, where the square of a small probability is no subnormal number.
                let error = f64::from(p - f32::from(u8::from(class == true_class)));
                self.absolute += error.abs();
                self.squared += error * error;
                if *p > row[predicted] {
                    predicted = class;
                }
            }
            self.confusion.add(true_class, predicted);
        }
    }

    /// Whether every loss so far was a finite number.
    pub(super) fn is_finite(&self) -> bool {
        self.loss.is_finite()
    }

    /// The means over the rows seen.
    pub(super) fn means(&self) -> EpochScores {
        let n_rows = self.confusion.n_samples() as f64;
        let n_values = n_rows * self.confusion.n_classes() as f64;
        EpochScores {
            loss: self.loss / n_rows,
            mae: self.absolute / n_values,
            mse: self.squared / n_values,
            accuracy: self.confusion.accuracy(),
            weighted_f1: self.confusion.weighted_f1(),
            macro_f1: macro_average(&self.confusion, f1),
            balanced_accuracy: balanced_accuracy(&self.confusion),
            mcc: mcc(&self.confusion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_batches_by_hand() {
        let mut scores = Scores::new(2);
        scores.add(&mut [0.0, 0.0], Targets::Classes(&[1], None));
        scores.add(&mut [3f32.ln(), 0.0, 0.0, 3f32.ln()], Targets::Classes(&[0, 0], None));
        let means = scores.means();
        let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-6, "{got}, expected {want}");
        close(means.loss, (2f64.ln() - 0.75f64.ln() - 0.25f64.ln()) / 3.0);
        close(means.mae, (0.5 + 0.25 + 0.75) / 3.0);
        close(means.mse, (0.25 + 0.0625 + 0.5625) / 3.0);
        // Ties go to the first class: predicted 0, 0, 1 for 1, 0, 0.
        close(means.accuracy, 1.0 / 3.0);
        close(means.weighted_f1, 1.0 / 3.0);
        // Of class 0 one of two is found, of class 1 none.
        close(means.balanced_accuracy, 0.25);
        close(means.macro_f1, 0.25);
        close(means.mcc, -0.5);
        scores.clear();
        scores.add(&mut [0.0, 0.0, 3f32.ln(), 0.0], Targets::Classes(&[1, 0], Some(&[0.5, 2.0])));
        close(scores.means().loss, (0.5 * 2f64.ln() - 2.0 * 0.75f64.ln()) / 2.0);
        close(scores.means().accuracy, 0.5);
        scores.clear();
        scores.add(&mut [f32::NAN, 0.0], Targets::Classes(&[0], None));
        assert!(!scores.is_finite());
    }
}
