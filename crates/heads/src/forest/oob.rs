//! Out-of-bag scores (scikit-learn: `_compute_oob_predictions`): every sample is predicted by the trees that were
//! grown without it, which needs no second data set.

use headsmith_kernels::{Matrix, Pool};
use headsmith_metrics::Confusion;

use crate::samples::Samples;

use super::predict::find_leaves;
use super::tree::Tree;

/// How well samples are predicted by the trees that were grown without them.
#[derive(Debug, Clone, PartialEq)]
pub struct OobScore {
    /// Mean class probabilities over the trees that did not see the row, `n_samples x n_classes`; zeros where every
    /// tree saw it.
    pub decision_function: Matrix,
    /// The share of samples whose most probable class is the true one.
    pub accuracy: f64,
    /// F1 per class, weighted by the class's share of the samples.
    pub weighted_f1: f64,
    /// How many samples every tree has seen; they count as predicted to be of the first class.
    pub n_unjudged: usize,
}

/// The rows that a tree was grown on: one bit a row.
#[derive(Debug, Clone)]
pub(super) struct InBag(Vec<u64>);

impl InBag {
    pub(super) fn new(rows: &[u32], n_samples: usize) -> InBag {
        let mut bits = vec![0; n_samples.div_ceil(64)];
        rows.iter().for_each(|&row| bits[row as usize / 64] |= 1 << (row % 64));
        InBag(bits)
    }

    fn has(&self, row: u32) -> bool {
        self.0[row as usize / 64] >> (row % 64) & 1 == 1
    }
}

/// Rows that are judged together.
const ROWS_A_BLOCK: usize = 256;

/// Scores the trees on the rows that each was grown without.
pub(super) fn score(trees: &[Tree], in_bags: &[InBag], samples: Samples<'_>, pool: &Pool) -> OobScore {
    let n_classes = samples.n_classes();
    let mut decision_function = Matrix::zeros(samples.n_samples(), n_classes);
    pool.for_each_chunk(decision_function.as_mut_slice(), ROWS_A_BLOCK * n_classes, |block, proba| {
        let rows = (block * ROWS_A_BLOCK) as u32..;
        let rows: Vec<u32> = rows.take(proba.len() / n_classes).collect();
        judge(trees, in_bags, samples, &rows, proba);
    });
    let confusion = Confusion::of(samples.y(), decision_function.view());
    let n_unjudged =
        (0..samples.n_samples() as u32).filter(|&row| in_bags.iter().all(|b| b.has(row))).count();
    OobScore {
        accuracy: confusion.accuracy(),
        weighted_f1: confusion.weighted_f1(),
        decision_function,
        n_unjudged,
    }
}

fn judge(trees: &[Tree], in_bags: &[InBag], samples: Samples<'_>, rows: &[u32], proba: &mut [f32]) {
    let n_classes = samples.n_classes();
    let mut sums = vec![0.0; proba.len()];
    let mut n_trees = vec![0u32; rows.len()];
    for (tree, in_bag) in trees.iter().zip(in_bags) {
        let left_out: Vec<u32> = rows.iter().copied().filter(|&row| !in_bag.has(row)).collect();
        let mut leaves = vec![0; left_out.len()];
        find_leaves(tree, samples.x(), &left_out, &mut leaves);
        for (row, leaf) in left_out.into_iter().zip(leaves) {
            let i = (row - rows[0]) as usize;
            n_trees[i] += 1;
            tree.add_leaf(leaf, &mut sums[i * n_classes..(i + 1) * n_classes]);
        }
    }
    for (i, p) in proba.iter_mut().enumerate() {
        *p = (sums[i] / f64::from(n_trees[i / n_classes].max(1))) as f32;
    }
}
