//! Targets of 0 and 1, for heads that regress on the classes.

use headsmith_kernels::Matrix;

use crate::calibration::Outputs;
use crate::class_weight::class_weights;
use crate::error::Result;
use crate::params::Params;
use crate::samples::Samples;

/// One target for each class that has rows with weight: 1 for its own rows, 0 for the others.
#[derive(Debug, Clone)]
pub(crate) struct OneHot {
    pub(crate) n_classes: usize,
    /// The classes that have rows with weight.
    pub(crate) classes: Vec<usize>,
    /// The position of each row's class among them; rows of other classes have no weight.
    pub(crate) target: Vec<usize>,
    /// The weight of each row times that of its class.
    pub(crate) weights: Vec<f64>,
    /// `n_samples x classes.len()`, row after row.
    pub(crate) values: Vec<f64>,
}

impl OneHot {
    /// The targets of `samples`, with the parameter `class_weight`.
    ///
    /// # Errors
    /// When it names a class that the samples do not have, or leaves none of their classes a weight.
    pub(crate) fn new(samples: Samples<'_>, params: &Params) -> Result<OneHot> {
        let of_class = class_weights(params.text("class_weight").unwrap_or("none"), samples)?;
        let weight = |(i, &class): (usize, &u32)| {
            samples.weight(i) * of_class.as_ref().map_or(1.0, |weights| f64::from(weights[class as usize]))
        };
        let weights = samples.y().iter().enumerate().map(weight).collect();
        let y: Vec<usize> = samples.y().iter().map(|&class| class as usize).collect();
        Ok(OneHot::of(&y, weights, samples.n_classes()))
    }

    fn of(y: &[usize], weights: Vec<f64>, n_classes: usize) -> OneHot {
        let mut has_weight = vec![false; n_classes];
        y.iter().zip(&weights).for_each(|(&class, weight)| has_weight[class] |= *weight > 0.0);
        let classes: Vec<usize> = (0..n_classes).filter(|&class| has_weight[class]).collect();
        let mut position = vec![0; n_classes];
        classes.iter().enumerate().for_each(|(at, &class)| position[class] = at);
        let mut values = vec![0.0; y.len() * classes.len()];
        // A row without weight has no target: its label changes nothing.
        let rows = values.chunks_exact_mut(classes.len().max(1)).zip(y).zip(&weights);
        for ((row, &class), _) in rows.filter(|(_, weight)| **weight > 0.0) {
            row[position[class]] = 1.0;
        }
        let target = y.iter().map(|&class| position[class]).collect();
        OneHot { n_classes, classes, target, weights, values }
    }

    /// The targets of some of the rows.
    pub(crate) fn picked(&self, rows: &[usize]) -> OneHot {
        let y: Vec<usize> = rows.iter().map(|&i| self.classes[self.target[i]]).collect();
        OneHot::of(&y, rows.iter().map(|&i| self.weights[i]).collect(), self.n_classes)
    }

    /// Rows.
    pub(crate) fn n_samples(&self) -> usize {
        self.target.len()
    }

    /// Targets of a row.
    pub(crate) fn width(&self) -> usize {
        self.classes.len()
    }

    /// Outputs for its rows, for a calibration.
    pub(crate) fn outputs<'a>(&'a self, values: &'a [f64]) -> Outputs<'a> {
        Outputs { values, n: self.width(), target: &self.target, weights: &self.weights }
    }

    /// Probabilities of the classes that have targets, row after row, as those of all classes, `n_samples x n_classes`.
    pub(crate) fn spread(&self, proba: &[f64]) -> Matrix {
        let mut all = Matrix::zeros(self.n_samples(), self.n_classes);
        for (i, row) in proba.chunks_exact(self.width().max(1)).enumerate() {
            let to = all.row_mut(i);
            self.classes.iter().zip(row).for_each(|(&class, p)| to[class] = *p as f32);
        }
        all
    }
}

/// 1 for each of `classes`, 0 for the others of `n_classes`.
pub(crate) fn present(classes: &[usize], n_classes: usize) -> Vec<u32> {
    let mut flags = vec![0; n_classes];
    classes.iter().for_each(|&class| flags[class] = 1);
    flags
}

/// The classes of which `flags` are 1; `None` when a flag is neither 0 nor 1, or not `n` are 1.
pub(crate) fn classes_of(flags: &[u32], n: usize) -> Option<Vec<usize>> {
    let classes: Vec<usize> = (0..flags.len()).filter(|&class| flags[class] == 1).collect();
    (classes.len() == n && n > 0 && flags.iter().all(|flag| *flag <= 1)).then_some(classes)
}
