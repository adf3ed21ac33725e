//! The training rows as a transform sees them: after the transforms before it, some rows at a time.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Pool};

use super::FittedTransform;
use super::pipeline::apply;

/// Training rows, transformed as they are read.
#[derive(Debug)]
pub struct TrainingRows<'r> {
    x: MatRef<'r>,
    before: &'r [Arc<dyn FittedTransform>],
    n_features: usize,
}

/// Rows to a piece of work: by the shape alone, so that sums do not depend on the number of threads.
const BLOCK: usize = 512;
/// Rows that are transformed at a time.
const AT_ONCE: usize = 4;

impl<'r> TrainingRows<'r> {
    pub(super) fn new(x: MatRef<'r>, before: &'r [Arc<dyn FittedTransform>]) -> TrainingRows<'r> {
        let n_features = before.iter().fold(x.n_cols(), |n, step| step.n_outputs().unwrap_or(n));
        TrainingRows { x, before, n_features }
    }

    /// The rows.
    pub fn n_samples(&self) -> usize {
        self.x.n_rows()
    }

    /// The features of a row.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Calls `add` with the rows in their order, some at a time, and a sum of `n_sums` zeros at the start of each block of rows;
    /// returns the total of the sums of all blocks, added in their order. It does not depend on the number of threads.
    pub fn sums(&self, n_sums: usize, add: impl Fn(&mut [f64], &[f32]) + Sync, pool: &Pool) -> Vec<f64> {
        let mut total = vec![0.0; n_sums];
        let n_blocks = self.x.n_rows().div_ceil(BLOCK);
        // As many sums at once as there are threads, not as there are blocks.
        for first in (0..n_blocks).step_by(pool.n_threads()) {
            let n = pool.n_threads().min(n_blocks - first);
            for sums in pool.map(n, |i| self.block_sums(first + i, n_sums, &add)) {
                total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
        }
        total
    }

    fn block_sums(&self, block: usize, n_sums: usize, add: &impl Fn(&mut [f64], &[f32])) -> Vec<f64> {
        let (mut sums, mut rows) = (vec![0.0; n_sums], Vec::new());
        let last = self.x.n_rows().min((block + 1) * BLOCK);
        for first in (block * BLOCK..last).step_by(AT_ONCE) {
            rows.clear();
            rows.extend_from_slice(self.x.rows(first, last.min(first + AT_ONCE)).as_slice());
            apply(self.before, &mut rows, self.x.n_cols());
            add(&mut sums, &rows);
        }
        sums
    }
}
