//! The rows of a tree, and their weights (scikit-learn 1.9: `_generate_sample_indices`, `_parallel_build_trees`,
//! `compute_class_weight`).
//!
//! A bootstrap sample is `n_drawn` rows drawn with replacement. A row drawn several times is one row of that
//! weight. Sample weights, times the weights of the classes, are the probabilities with which rows are drawn; without
//! bootstrap they are the weights in the tree, which rows without weight are left out of. `balanced` class weights are
//! `n / (k n_c)` for a class with `n_c` of the `n` rows of `k` classes, or the sums of their weights. As probabilities they
//! give each class the same share of the draws. `balanced_subsample` draws rows by their sample weights alone and multiplies
//! with the balanced weights of the sample.
//!
//! Unlike in scikit-learn, a fraction in `max_samples` is always one of the number of rows, not of the sum of the weights, so
//! that the scale of the weights changes nothing.

use headsmith_kernels::philox::Sequence;

use super::params::{ClassWeight, Settings};
use crate::class_weight::{balanced, class_weights, counts};
use crate::error::Result;
use crate::params::Params;
use crate::samples::Samples;

/// The rows of the samples by class: what all trees need to draw theirs.
#[derive(Debug)]
pub(super) struct Classes<'a> {
    y: &'a [u32],
    n_classes: usize,
    /// The rows of each class that has any; only filled for balanced draws of rows without weights.
    rows: Vec<Vec<u32>>,
    weights: Weights,
}

/// The weights of the rows, those of their classes included.
#[derive(Debug)]
enum Weights {
    /// Equal, or those of their classes.
    ByClass,
    /// Of each row, for trees on all rows.
    Rows(Vec<f64>),
    /// The sums of the weights up to and with each row, to draw rows by.
    Sums(Vec<f64>),
}

/// The rows of one tree, ascending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) rows: Vec<u32>,
    /// How often each row was drawn, at least once.
    pub(super) counts: Vec<u32>,
    /// The weight of a row of each class, each time it was drawn.
    pub(super) class_weights: Vec<f64>,
    /// The weights of the rows, above 0, where rows of a class differ in theirs.
    pub(super) weights: Option<Vec<f64>>,
}

impl<'a> Classes<'a> {
    /// # Errors
    /// When the class weights name a class that there is not, or leave no row any weight.
    pub(super) fn new(samples: Samples<'a>, params: &Params, settings: &Settings) -> Result<Classes<'a>> {
        let (y, n_classes) = (samples.y(), samples.n_classes());
        let is_drawn = settings.n_drawn.is_some();
        let weights = match row_weights(samples, params, settings)? {
            None => Weights::ByClass,
            Some(weights) if is_drawn => Weights::Sums(sums(weights)),
            Some(weights) => Weights::Rows(weights),
        };
        let mut rows = Vec::new();
        if settings.class_weight == ClassWeight::Balanced && is_drawn && matches!(weights, Weights::ByClass) {
            rows.resize(n_classes, Vec::new());
            for (i, &class) in y.iter().enumerate() {
                rows[class as usize].push(i as u32);
            }
            rows.retain(|rows| !rows.is_empty());
        }
        Ok(Classes { y, n_classes, rows, weights })
    }

    /// The rows of one tree.
    pub(super) fn sample(&self, settings: &Settings, random: &mut Sequence) -> Sample {
        let counts = match (settings.n_drawn, &self.weights) {
            (Some(n_drawn), _) => self.draw(n_drawn, random),
            (None, Weights::Rows(weights)) => weights.iter().map(|w| u32::from(*w > 0.0)).collect(),
            (None, _) => vec![1; self.y.len()],
        };
        let rows: Vec<u32> = (0..self.y.len() as u32).filter(|&row| counts[row as usize] > 0).collect();
        let counts = rows.iter().map(|&row| counts[row as usize]).collect();
        let mut sample = Sample { rows, counts, class_weights: vec![1.0; self.n_classes], weights: None };
        match (&self.weights, settings.class_weight) {
            (Weights::Rows(weights), _) => {
                sample.weights = Some(sample.rows.iter().map(|&row| weights[row as usize]).collect());
            }
            (_, ClassWeight::BalancedSubsample) => self.balance(&mut sample),
            (Weights::ByClass, ClassWeight::Balanced) if settings.n_drawn.is_none() => {
                self.balance(&mut sample);
            }
            _ => (),
        }
        sample
    }

    fn draw(&self, n_drawn: u32, random: &mut Sequence) -> Vec<u32> {
        let mut counts = vec![0; self.y.len()];
        for _ in 0..n_drawn {
            let row = if let Weights::Sums(sums) = &self.weights {
                drawn(sums, random.uniform())
            } else if self.rows.is_empty() {
                random.below(self.y.len() as u32) as usize
            } else {
                let rows = &self.rows[random.below(self.rows.len() as u32) as usize];
                rows[random.below(rows.len() as u32) as usize] as usize
            };
            counts[row] += 1;
        }
        counts
    }

    /// Weights the classes so that each that is in the sample weighs the same.
    fn balance(&self, sample: &mut Sample) {
        let mut of_class = vec![0.0; self.n_classes];
        for (&row, &count) in sample.rows.iter().zip(&sample.counts) {
            of_class[self.y[row as usize] as usize] += f64::from(count);
        }
        sample.class_weights = balanced(&of_class);
    }
}

/// The weights of the rows times those of their classes; `None` where they are equal, or no rows have weights and the classes
/// are balanced.
fn row_weights(samples: Samples<'_>, params: &Params, settings: &Settings) -> Result<Option<Vec<f64>>> {
    let own = samples.weights().filter(|weights| weights.iter().any(|weight| *weight != weights[0]));
    let of_class: Option<Vec<f64>> = match settings.class_weight {
        ClassWeight::Named => class_weights(params.word("class_weight")?, samples)?
            .map(|weights| weights.into_iter().map(f64::from).collect()),
        ClassWeight::Balanced if own.is_some() => Some(balanced(&counts(samples))),
        _ => None,
    };
    if own.is_none() && of_class.is_none() {
        return Ok(None);
    }
    let own = |i: usize| own.map_or(1.0, |weights| f64::from(weights[i]));
    let by_class = |class: u32| of_class.as_ref().map_or(1.0, |weights| weights[class as usize]);
    let weights: Vec<f64> =
        samples.y().iter().enumerate().map(|(i, &class)| own(i) * by_class(class)).collect();
    Ok(weights.iter().any(|weight| *weight != weights[0]).then_some(weights))
}

/// The sums of the weights up to and with each row.
fn sums(mut weights: Vec<f64>) -> Vec<f64> {
    let mut sum = 0.0;
    for weight in &mut weights {
        sum += *weight;
        *weight = sum;
    }
    weights
}

/// The row at the share `at` of all weights, in `0 .. 1`; one without weight has no share.
fn drawn(sums: &[f64], at: f64) -> usize {
    let total = sums.last().copied().unwrap_or(0.0);
    let row = sums.partition_point(|sum| *sum <= at * total);
    // The product may be rounded to the total: the first row that reaches it is the last with a weight.
    if row < sums.len() { row } else { sums.partition_point(|sum| *sum < total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_drawn_by_their_shares_and_never_without_weight() {
        let sums = sums(vec![0.0, 1.0, 0.0, 2.0, 1.0, 0.0]);
        let rows = [0.0, 0.249, 0.25, 0.74, 0.75, 0.99, 1.0].map(|at| drawn(&sums, at));
        assert_eq!(rows, [1, 1, 3, 3, 4, 4, 4]);
    }
}
