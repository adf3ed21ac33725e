//! The training rows as a transform sees them: after the transforms before it, some rows at a time.

use std::sync::Arc;

use headsmith_kernels::{MatRef, Pool};

use super::FittedTransform;
use super::pipeline::apply;
use crate::error::{Error, Result};
use crate::linalg::RowBlocks;
use crate::samples::PIECE;

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
/// Values of columns that are in memory at once, if they are more than one column.
const COLUMN_VALUES: usize = 1 << 24;
/// Values of rows that are turned into columns at a time: they stay in the second-level cache.
const ROW_VALUES: usize = 1 << 17;
/// Columns that a thread fills together, because their values lie in the same cache lines.
const LINE: usize = 16;

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

    /// The results of `each` for the values of every column, which are in the order of the rows and may be reordered. Some columns are in
    /// memory at a time: rows are read again for the next ones.
    ///
    /// # Errors
    /// When a value is not finite; `why` ends the message.
    pub fn columns<T: Send>(
        &self,
        why: &str,
        pool: &Pool,
        each: impl Fn(&mut [f32]) -> T + Sync,
    ) -> Result<Vec<T>> {
        let (n, n_features) = (self.n_samples(), self.n_features);
        let at_once = (COLUMN_VALUES / n.max(1)).clamp(1, n_features.max(1));
        let (mut values, mut results) = (vec![0.0; at_once.min(n_features) * n], Vec::new());
        for first in (0..n_features).step_by(at_once) {
            let values = &mut values[..at_once.min(n_features - first) * n];
            self.copy_columns(first, values, pool);
            let mut found: Vec<Option<T>> = (0..values.len() / n).map(|_| None).collect();
            pool.for_each_chunk2((&mut *values, n), (&mut found, 1), |_, column, found| {
                if column.iter().all(|v| v.is_finite()) {
                    found[0] = Some(each(column));
                }
            });
            if let Some(j) = found.iter().position(Option::is_none) {
                return Err(not_finite(first + j, why));
            }
            results.extend(found.into_iter().flatten());
        }
        Ok(results)
    }

    /// Fills `values` with columns from `first` on, one after another.
    fn copy_columns(&self, first: usize, values: &mut [f32], pool: &Pool) {
        let (n, n_features, mut buffer) = (self.n_samples(), self.n_features, Vec::new());
        let n_rows = (ROW_VALUES / n_features.max(1)).clamp(1, n);
        for start in (0..n).step_by(n_rows) {
            let rows = self.block(start, n.min(start + n_rows), &mut buffer, pool).as_slice();
            pool.for_each_chunk(values, LINE * n, |line, columns| {
                for (j, column) in columns.chunks_exact_mut(n).enumerate() {
                    let from = rows[first + line * LINE + j..].iter().step_by(n_features);
                    column[start..].iter_mut().zip(from).for_each(|(to, v)| *to = *v);
                }
            });
        }
    }
}

impl RowBlocks for TrainingRows<'_> {
    fn n_rows(&self) -> usize {
        self.n_samples()
    }

    fn n_cols(&self) -> usize {
        self.n_features
    }

    fn block<'b>(&'b self, start: usize, end: usize, buffer: &'b mut Vec<f32>, pool: &Pool) -> MatRef<'b> {
        if self.before.is_empty() {
            return self.x.rows(start, end);
        }
        buffer.resize((end - start) * self.n_features, 0.0);
        pool.for_each_chunk(buffer, PIECE * self.n_features.max(1), |piece, to| {
            let first = start + piece * PIECE;
            let mut rows = self.x.rows(first, end.min(first + PIECE)).as_slice().to_vec();
            apply(self.before, &mut rows, self.x.n_cols());
            to.copy_from_slice(&rows);
        });
        MatRef::new(buffer, end - start, self.n_features)
    }
}

/// The error that a column of the training rows has values that are not finite; `why` says what it lacks for that.
pub(super) fn not_finite(column: usize, why: &str) -> Error {
    Error::samples(format!("feature {column} of the training rows has values that are not finite: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_the_transformed_rows() {
        let (n, n_features) = (5_000, 37);
        let x: Vec<f32> = (0..n * n_features).map(|v| ((v * 7919) % 1009) as f32 - 500.0).collect();
        let x = MatRef::new(&x, n, n_features);
        for (text, before) in [("none", 37), ("divide:2+sqrt", 37), ("pca:3", 3)] {
            let pipeline = text.parse::<super::super::Spec>().unwrap().fit(x, &Pool::inline()).unwrap();
            let expected = pipeline.apply(x, &Pool::inline());
            for pool in [Pool::inline(), Pool::new(3).unwrap()] {
                let rows = TrainingRows::new(x, pipeline.steps());
                let columns = rows.columns("", &pool, |column| column.to_vec()).unwrap();
                assert_eq!(columns.len(), before);
                for (j, column) in columns.iter().enumerate() {
                    assert_eq!(column.len(), n);
                    assert!((0..n).all(|i| column[i] == expected.row(i)[j]), "{text}, column {j}");
                }
            }
        }
    }
}
