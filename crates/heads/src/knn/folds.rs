//! Out-of-fold predictions: the neighbours of a training row that are not in its fold.

use std::collections::BTreeMap;

use headsmith_kernels::Matrix;

use super::Knn;
use super::fit::{ClassWeights, kept_rows, with_weights_in_rows};
use crate::head::{Folds, Job};
use crate::samples::Samples;

/// Multiply-adds above which no out-of-fold predictions are computed: about five minutes on two cores.
const MOST_WORK: u64 = 40_000_000_000_000;
/// Rows that are looked at together.
const BLOCK: usize = 4096;

/// The weights of the rows of each class, and of each fold and class.
struct FoldCounts<'a> {
    samples: Samples<'a>,
    folds: Folds<'a>,
    counts: Vec<f64>,
    of_fold: BTreeMap<(u32, u32), f64>,
}

impl<'a> FoldCounts<'a> {
    fn new(samples: Samples<'a>, folds: Folds<'a>) -> FoldCounts<'a> {
        let (mut counts, mut of_fold) = (vec![0.0; samples.n_classes()], BTreeMap::new());
        for (i, &class) in samples.y().iter().enumerate() {
            counts[class as usize] += samples.weight(i);
            if let Folds::Of(folds) = folds {
                *of_fold.entry((folds[i], class)).or_insert(0.0) += samples.weight(i);
            }
        }
        FoldCounts { samples, folds, counts, of_fold }
    }

    /// The weights of the rows of each class outside the fold of row `i`.
    fn without(&self, i: usize) -> Vec<f64> {
        let mut counts = self.counts.clone();
        match self.folds {
            Folds::LeaveOneOut => counts[self.samples.y()[i] as usize] -= self.samples.weight(i),
            Folds::Of(folds) => {
                let fold = folds[i];
                for ((_, class), n) in self.of_fold.range((fold, 0)..=(fold, u32::MAX)) {
                    counts[*class as usize] -= n;
                }
            }
        }
        counts
    }

    /// Whether there are rows outside every fold.
    fn leave_rows(&self, kept: &[usize]) -> bool {
        match self.folds {
            Folds::LeaveOneOut => kept.len() > 1,
            Folds::Of(folds) => kept.iter().any(|&row| folds[row] != folds[kept[0]]),
        }
    }
}

/// The probabilities of the training rows, each by the rows outside its fold, with the number of neighbours and the temperature of
/// the fit; `None` where a fold has all rows, or it would take too long.
pub(super) fn out_of_fold(knn: &Knn, job: Job<'_>, folds: Folds<'_>) -> Option<Matrix> {
    with_weights_in_rows(job, |job| Ok(out_of_fold_in_rows(knn, job, folds))).ok().flatten()
}

/// Those of samples whose weights count rows.
fn out_of_fold_in_rows(knn: &Knn, job: Job<'_>, folds: Folds<'_>) -> Option<Matrix> {
    let (samples, kept) = (job.train, kept_rows(job.train));
    let shape = [samples.n_samples(), kept.len(), samples.n_features()];
    let work = shape.iter().fold(1u64, |work, n| work.saturating_mul(*n as u64));
    let counts = FoldCounts::new(samples, folds);
    if work > MOST_WORK || !counts.leave_rows(&kept) {
        return None;
    }
    let class_weights = ClassWeights::new(job.params, samples).ok()?;
    let (mut proba, mut buffer) = (Matrix::zeros(samples.n_samples(), samples.n_classes()), Vec::new());
    for (block, out) in proba.as_mut_slice().chunks_mut(BLOCK * samples.n_classes()).enumerate() {
        let start = block * BLOCK;
        let rows = samples.rows(start, samples.n_samples().min(start + BLOCK), &mut buffer, job.pool);
        let allowed = |query: usize, row: usize| match folds {
            Folds::LeaveOneOut => kept[row] != start + query,
            Folds::Of(folds) => folds[kept[row]] != folds[start + query],
        };
        knn.search(knn.n_neighbors as f64).each(
            rows,
            &allowed,
            (out, samples.n_classes()),
            &|query, neighbours, out| {
                knn.proba_of(neighbours, &class_weights.class_shares(&counts.without(start + query)), out);
            },
            job.pool,
        );
    }
    Some(proba)
}
