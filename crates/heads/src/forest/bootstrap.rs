//! The rows of a tree, and their weights (scikit-learn: `_parallel_build_trees`, `compute_class_weight`).
//!
//! A bootstrap sample is `n_drawn` rows drawn with replacement. A row drawn several times is one row of that
//! weight. `balanced` class weights, `n / (k n_c)` for a class with `n_c` of the `n` rows of `k` classes, are the
//! probabilities with which rows are drawn, so that each class gets the same share of the draws; without bootstrap
//! they are the weights. `balanced_subsample` draws all rows alike and multiplies with the balanced weights of the
//! sample.

use headsmith_kernels::philox::Sequence;

use super::params::{ClassWeight, Settings};
use crate::class_weight::balanced;

/// The rows of the samples by class: what all trees need to draw theirs.
#[derive(Debug)]
pub(super) struct Classes<'a> {
    y: &'a [u32],
    n_classes: usize,
    /// The rows of each class that has any; only filled for balanced draws.
    rows: Vec<Vec<u32>>,
}

/// The rows of one tree, ascending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) rows: Vec<u32>,
    /// How often each row was drawn, at least once.
    pub(super) counts: Vec<u32>,
    /// The weight of a row of each class, each time it was drawn.
    pub(super) class_weights: Vec<f64>,
}

impl<'a> Classes<'a> {
    pub(super) fn new(y: &'a [u32], n_classes: usize, settings: &Settings) -> Classes<'a> {
        let mut rows = Vec::new();
        if settings.class_weight == ClassWeight::Balanced && settings.n_drawn.is_some() {
            rows.resize(n_classes, Vec::new());
            for (i, &class) in y.iter().enumerate() {
                rows[class as usize].push(i as u32);
            }
            rows.retain(|rows| !rows.is_empty());
        }
        Classes { y, n_classes, rows }
    }

    /// The rows of one tree.
    pub(super) fn sample(&self, settings: &Settings, random: &mut Sequence) -> Sample {
        let counts = match settings.n_drawn {
            None => vec![1; self.y.len()],
            Some(n_drawn) => self.draw(n_drawn, random),
        };
        let rows: Vec<u32> = (0..self.y.len() as u32).filter(|&row| counts[row as usize] > 0).collect();
        let counts = rows.iter().map(|&row| counts[row as usize]).collect();
        let mut sample = Sample { rows, counts, class_weights: vec![1.0; self.n_classes] };
        let weights_are_probabilities =
            settings.n_drawn.is_some() && settings.class_weight == ClassWeight::Balanced;
        if settings.class_weight != ClassWeight::None && !weights_are_probabilities {
            self.balance(&mut sample);
        }
        sample
    }

    fn draw(&self, n_drawn: u32, random: &mut Sequence) -> Vec<u32> {
        let mut counts = vec![0; self.y.len()];
        for _ in 0..n_drawn {
            let row = if self.rows.is_empty() {
                random.below(self.y.len() as u32)
            } else {
                let rows = &self.rows[random.below(self.rows.len() as u32) as usize];
                rows[random.below(rows.len() as u32) as usize]
            };
            counts[row as usize] += 1;
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
