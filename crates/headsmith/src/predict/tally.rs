//! Counts of predictions, block by block.

use headsmith_data::Classes;
use headsmith_data::predictions::PredictionSets;
use headsmith_model::Model;

use crate::report::{ClassCount, PredictedSets, PredictionReport};

/// How often each class was predicted, and the sizes of the prediction sets.
#[derive(Debug, Default)]
pub(super) struct Tally {
    n_rows: usize,
    /// By class, up to the largest that was predicted.
    counts: Vec<usize>,
    /// The number of sets of each size.
    sizes: Vec<usize>,
}

impl Tally {
    pub(super) fn add(&mut self, predicted: &[u32], sets: Option<&PredictionSets>) {
        self.n_rows += predicted.len();
        predicted.iter().for_each(|&class| count(&mut self.counts, class as usize));
        if let Some(sets) = sets {
            (0..sets.n_rows()).for_each(|row| count(&mut self.sizes, sets.row(row).len()));
        }
    }

    /// The number of rows so far.
    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub(super) fn report(
        self,
        model: &Model,
        classes: &Classes,
        n_left_out: usize,
        files: Vec<String>,
    ) -> PredictionReport {
        let n_members: usize = self.sizes.iter().enumerate().map(|(size, n)| size * n).sum();
        let mean_size = n_members as f64 / self.n_rows.max(1) as f64;
        let counts = self.counts.iter().copied().chain(std::iter::repeat(0));
        let counts = classes.names().iter().zip(counts);
        PredictionReport {
            head: model.head_name().to_owned(),
            n_rows: self.n_rows,
            n_left_out,
            counts: counts.map(|(class, count)| ClassCount { class: class.clone(), count }).collect(),
            sets: model.sets().map(|rule| PredictedSets {
                level: rule.level(),
                mean_size,
                sizes: self.sizes,
            }),
            files,
        }
    }
}

fn count(counts: &mut Vec<usize>, i: usize) {
    counts.resize(counts.len().max(i + 1), 0);
    counts[i] += 1;
}
