//! What a head learns from.

use std::fmt::Debug;

use headsmith_kernels::{MatRef, Matrix, Pool};

use crate::error::{Error, Result};

/// Rows with their classes: `x` is `n_samples x n_features`, `y[i]` in `0 .. n_classes` the class of row `i`.
///
/// Where something scales the rows, a head sees every row scaled; the table itself stays as it is, so that a large one
/// needs no scaled copy.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    x: MatRef<'a>,
    y: &'a [u32],
    n_classes: usize,
    names: &'a [String],
    scale: Option<&'a dyn ScaleRows>,
}

/// What makes of rows of features the rows that a head sees.
pub trait ScaleRows: Debug + Sync {
    /// Scales rows of `n_features` values in place. The bytes of a row do not depend on the other rows.
    fn scale(&self, rows: &mut [f32], n_features: usize);
}

/// Rows that one thread copies and scales at a time: they stay in its second-level cache.
pub(crate) const PIECE: usize = 64;
/// Rows that are scaled together to be predicted.
const BLOCK: usize = 4096;

impl<'a> Samples<'a> {
    /// Pairs rows with classes.
    ///
    /// # Errors
    /// When the numbers of rows and labels differ or a label is not below `n_classes`.
    pub fn new(x: MatRef<'a>, y: &'a [u32], n_classes: usize) -> Result<Samples<'a>> {
        if x.n_rows() != y.len() {
            return Err(Error::samples(format!("{} rows of features but {} labels", x.n_rows(), y.len())));
        }
        if let Some(i) = y.iter().position(|&c| c as usize >= n_classes) {
            return Err(Error::samples(format!(
                "label {} of row {i} is not below {n_classes} classes",
                y[i]
            )));
        }
        Ok(Samples { x, y, n_classes, names: &[], scale: None })
    }

    /// The same samples, every row of them scaled when a head looks at it.
    pub fn scaled_by(self, scale: &'a dyn ScaleRows) -> Samples<'a> {
        Samples { scale: Some(scale), ..self }
    }

    /// The same samples with the names of their classes, by which parameters may name them.
    pub fn named(self, names: &'a [String]) -> Samples<'a> {
        Samples { names, ..self }
    }

    /// Whether rows are scaled each time a head reads them.
    pub fn is_scaled_on_access(self) -> bool {
        self.scale.is_some()
    }

    /// The unscaled features of the table, `n_samples x n_features`: see [`rows`](Samples::rows) for what a head
    /// sees of them.
    pub fn x(self) -> MatRef<'a> {
        self.x
    }

    /// The classes, one a row.
    pub fn y(self) -> &'a [u32] {
        self.y
    }

    /// The classes' names, in order; empty if they are unknown.
    pub fn class_names(self) -> &'a [String] {
        self.names
    }

    /// The number of classes, present in `y` or not.
    pub fn n_classes(self) -> usize {
        self.n_classes
    }

    /// The number of rows.
    pub fn n_samples(self) -> usize {
        self.x.n_rows()
    }

    /// The number of columns.
    pub fn n_features(self) -> usize {
        self.x.n_cols()
    }

    /// Copies the rows that `order` names, as a head sees them, to `rows`.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn copy_rows(self, order: impl Iterator<Item = usize>, rows: &mut [f32]) {
        let n_features = self.n_features();
        for (row, i) in rows.chunks_exact_mut(n_features).zip(order) {
            row.copy_from_slice(self.x.row(i));
        }
        if let Some(scale) = self.scale {
            scale.scale(rows, n_features);
        }
    }

    /// The rows `start .. end` as a head sees them: in place if they are not scaled, otherwise in `buffer`.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn rows<'b>(self, start: usize, end: usize, buffer: &'b mut Vec<f32>, pool: &Pool) -> MatRef<'b>
    where
        'a: 'b,
    {
        let (rows, n_features) = (self.x.rows(start, end), self.n_features());
        if self.scale.is_none() {
            return rows;
        }
        buffer.resize(rows.as_slice().len(), 0.0);
        // Chunks of no values there are none, but their length must not be zero.
        pool.for_each_chunk(buffer, PIECE * n_features.max(1), |piece, chunk| {
            self.copy_rows(start + piece * PIECE.., chunk);
        });
        MatRef::new(buffer, end - start, n_features)
    }

    /// The same samples scaled once and for all: into `copy`, unless nothing scales them.
    pub fn scaled_once<'b>(self, copy: &'b mut Matrix, pool: &Pool) -> Samples<'b>
    where
        'a: 'b,
    {
        if self.scale.is_none() {
            return self;
        }
        let mut values = Vec::new();
        self.rows(0, self.n_samples(), &mut values, pool);
        *copy = Matrix::new(values, self.n_samples(), self.n_features());
        Samples { x: copy.view(), scale: None, ..self }
    }

    /// What `predict` makes of the rows as a head sees them, `n_samples x n_classes`: of all of them at once if nothing
    /// scales them, and else block by block.
    pub fn predict(self, pool: &Pool, mut predict: impl FnMut(MatRef<'_>) -> Matrix) -> Matrix {
        if self.scale.is_none() {
            return predict(self.x);
        }
        let (mut proba, mut buffer) = (Vec::new(), Vec::new());
        for start in (0..self.n_samples()).step_by(BLOCK) {
            let rows = self.rows(start, self.n_samples().min(start + BLOCK), &mut buffer, pool);
            proba.extend(predict(rows).into_vec());
        }
        Matrix::new(proba, self.n_samples(), self.n_classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Half;

    impl ScaleRows for Half {
        fn scale(&self, rows: &mut [f32], _: usize) {
            rows.iter_mut().for_each(|v| *v /= 2.0);
        }
    }

    #[test]
    fn a_head_sees_scaled_rows_of_a_table_that_stays_as_it_is() {
        let (n_samples, n_features) = (BLOCK + 100, 3);
        let table: Vec<f32> = (0..n_samples * n_features).map(|v| v as f32).collect();
        let halves: Vec<f32> = table.iter().map(|v| v / 2.0).collect();
        let y = vec![0; n_samples];
        let plain = Samples::new(MatRef::new(&table, n_samples, n_features), &y, 3).unwrap();
        let scaled = plain.scaled_by(&Half);
        for pool in [Pool::inline(), Pool::new(3).unwrap()] {
            let (mut buffer, mut copy) = (Vec::new(), Matrix::default());
            let rows = scaled.rows(70, 200, &mut buffer, &pool);
            assert_eq!(rows.as_slice(), &halves[210..600]);
            assert_eq!(scaled.rows(5, 5, &mut buffer, &pool).n_rows(), 0);
            let once = scaled.scaled_once(&mut copy, &pool);
            assert_eq!(once.x().as_slice(), halves);
            // The rows themselves stand for probabilities of three classes.
            assert_eq!(scaled.predict(&pool, |rows| rows.to_matrix()).as_slice(), halves);
            assert_eq!(plain.predict(&pool, |rows| rows.to_matrix()).as_slice(), table);
            assert_eq!(plain.rows(1, 3, &mut Vec::new(), &pool).as_slice(), &table[3..9]);
        }
        assert_eq!(scaled.x().as_slice(), table);
    }
}
