//! The classes as the loss sees them: those with weight, and what each row weighs.

use headsmith_kernels::{MatRef, Matrix};

use super::loss::Target;
use crate::affine::{Affine, NEVER};
use crate::class_weight::{class_weights, counts};
use crate::error::Result;
use crate::params::Params;
use crate::samples::Samples;

/// The classes that are fitted, those of which any row has a weight above 0: another's intercept would go down without
/// end. Two of them have one score between them, the logarithm of the odds of the second, as in scikit-learn: the penalty
/// of two scores would be half as large.
#[derive(Debug)]
pub(super) struct Targets {
    /// The position of each class among the fitted ones; any number for the others, whose rows weigh nothing.
    position: Vec<usize>,
    fitted: Vec<usize>,
    weights: Option<Vec<f32>>,
    total_weight: f64,
}

impl Targets {
    pub(super) fn new(samples: Samples<'_>, params: &Params) -> Result<Targets> {
        let weights = class_weights(params.text("class_weight").unwrap_or("none"), samples)?;
        let mut of_class = counts(samples);
        if let Some(weights) = &weights {
            of_class.iter_mut().zip(weights).for_each(|(count, w)| *count *= f64::from(*w));
        }
        let fitted: Vec<usize> = (0..of_class.len()).filter(|&class| of_class[class] > 0.0).collect();
        let mut position = vec![0; of_class.len()];
        fitted.iter().enumerate().for_each(|(i, &class)| position[class] = i);
        Ok(Targets { position, fitted, weights, total_weight: of_class.iter().sum() })
    }

    /// The number of scores of a row: 0 where there is but one class to choose.
    pub(super) fn n_scores(&self) -> usize {
        match self.fitted.len() {
            n @ 3.. => n,
            n => n.saturating_sub(1),
        }
    }

    /// The sum of the weights of all rows.
    pub(super) fn total_weight(&self) -> f64 {
        self.total_weight
    }

    /// The target of row `i`.
    pub(super) fn of(&self, samples: Samples<'_>, i: usize) -> Target {
        let class = samples.y()[i] as usize;
        let of_class = self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[class]));
        Target { class: self.position[class], weight: of_class * samples.weight(i) }
    }

    /// The scores of all classes. One score becomes two of half its size and opposite signs, whose softmax is the same; a
    /// class that was not fitted gets a probability of 0.
    pub(super) fn affine(&self, coef: MatRef<'_>, intercept: &[f32]) -> Affine {
        let n_classes = self.position.len();
        let mut all = Matrix::zeros(n_classes, coef.n_cols());
        let mut intercepts = vec![NEVER; n_classes];
        for (i, &class) in self.fitted.iter().enumerate() {
            let (row, factor) = match self.n_scores() {
                0 => (0, 0.0),
                1 => (0, if i == 1 { 0.5 } else { -0.5 }),
                _ => (i, 1.0),
            };
            intercepts[class] = intercept.get(row).map_or(0.0, |b| factor * b);
            if coef.n_rows() > 0 {
                all.row_mut(class).iter_mut().zip(coef.row(row)).for_each(|(to, w)| *to = factor * w);
            }
        }
        Affine::new(all.view(), intercepts)
    }
}
