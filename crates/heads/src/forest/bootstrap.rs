//! Which rows a tree sees, and what each weighs (scikit-learn: `_parallel_build_trees`, `compute_class_weight`).
//!
//! A bootstrap sample is `n_drawn` rows drawn with replacement. A row drawn several times is one row of that
//! weight. `balanced` class weights, `n / (k n_c)` for a class with `n_c` of the `n` rows of `k` classes, are the
//! probabilities with which rows are drawn, so that each class gets the same share of the draws; without bootstrap
//! they are the weights. `balanced_subsample` draws all rows alike and multiplies with the balanced weights of the
//! sample.

use headsmith_kernels::philox::Sequence;

use super::params::{ClassWeight, Settings};

/// The rows of the samples by class: what all trees need to draw theirs.
#[derive(Debug)]
pub(super) struct Classes<'a> {
    y: &'a [u32],
    n_classes: usize,
    /// The rows of each class that has any; only filled for balanced draws.
    rows: Vec<Vec<u32>>,
}

/// The rows of one tree, ascending, with their weights.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) rows: Vec<u32>,
    pub(super) weights: Vec<f64>,
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
        let Some(n_drawn) = settings.n_drawn else {
            return self.all_rows(settings.class_weight);
        };
        let mut counts = vec![0u32; self.y.len()];
        for _ in 0..n_drawn {
            counts[self.draw(random) as usize] += 1;
        }
        let mut sample = Sample { rows: Vec::new(), weights: Vec::new() };
        for (i, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            sample.rows.push(i as u32);
            sample.weights.push(f64::from(count));
        }
        if settings.class_weight == ClassWeight::BalancedSubsample {
            self.balance(&mut sample);
        }
        sample
    }

    fn all_rows(&self, class_weight: ClassWeight) -> Sample {
        let n = self.y.len();
        let mut sample = Sample { rows: (0..n as u32).collect(), weights: vec![1.0; n] };
        if class_weight != ClassWeight::None {
            self.balance(&mut sample);
        }
        sample
    }

    fn draw(&self, random: &mut Sequence) -> u32 {
        if self.rows.is_empty() {
            return random.below(self.y.len() as u32);
        }
        let rows = &self.rows[random.below(self.rows.len() as u32) as usize];
        rows[random.below(rows.len() as u32) as usize]
    }

    /// Multiplies the weights so that every class of the sample weighs the same.
    fn balance(&self, sample: &mut Sample) {
        let mut of_class = vec![0.0; self.n_classes];
        for (&row, weight) in sample.rows.iter().zip(&sample.weights) {
            of_class[self.y[row as usize] as usize] += weight;
        }
        let present = of_class.iter().filter(|w| **w > 0.0).count() as f64;
        let total: f64 = of_class.iter().sum();
        for (&row, weight) in sample.rows.iter().zip(&mut sample.weights) {
            *weight *= total / (present * of_class[self.y[row as usize] as usize]);
        }
    }
}
