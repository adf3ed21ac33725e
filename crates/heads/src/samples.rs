//! The rows and classes that a head is fitted on.

use std::fmt::Debug;

use headsmith_kernels::{MatRef, Matrix, Pool};

use crate::error::{Error, Result};
use crate::head::Folds;

/// Rows with their classes: `x` is `n_samples x n_features`, `y[i]` in `0 .. n_classes` the class of row `i`.
///
/// With a transform, a head sees every row transformed; the table itself stays as it is, so that a large one needs no
/// transformed copy.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    x: MatRef<'a>,
    y: &'a [u32],
    n_classes: usize,
    names: &'a [String],
    transform: Option<&'a dyn TransformRows>,
    weights: Option<&'a [f32]>,
    units: Option<&'a [u32]>,
}

/// Turns rows of a table into the rows that a head sees. The bytes of a row do not depend on the other rows.
pub trait TransformRows: Debug + Sync {
    /// The features that it gives for `n_inputs`.
    fn n_outputs(&self, n_inputs: usize) -> usize;

    /// Transforms rows of `n_inputs` values.
    fn transform(&self, rows: &mut Vec<f32>, n_inputs: usize);

    /// Transforms rows of `n_features` values in place, if it can; returns whether it did.
    fn scale(&self, rows: &mut [f32], n_features: usize) -> bool;
}

/// Rows that one thread copies and scales at a time: they stay in its second-level cache.
pub(crate) const PIECE: usize = 64;
/// Rows that are scaled together to be predicted.
const BLOCK: usize = 4096;
/// Values that are looked at together.
const MOST_VALUES: usize = 1 << 18;

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
        Ok(Samples { x, y, n_classes, names: &[], transform: None, weights: None, units: None })
    }

    /// The same samples, every row of them transformed when a head reads it.
    pub fn transformed_by(self, transform: &'a dyn TransformRows) -> Samples<'a> {
        Samples { transform: Some(transform), ..self }
    }

    /// The same samples with the names of their classes, by which parameters may name them.
    pub fn named(self, names: &'a [String]) -> Samples<'a> {
        Samples { names, ..self }
    }

    /// The same samples, each with its weight: a row of weight 2 counts as two rows do (scikit-learn: `sample_weight`).
    ///
    /// # Errors
    /// When the numbers of rows and weights differ, a weight is not a finite number of at least 0, or all are 0.
    pub fn weighted(self, weights: &'a [f32]) -> Result<Samples<'a>> {
        if weights.len() != self.n_samples() {
            let (n_rows, n_weights) = (self.n_samples(), weights.len());
            return Err(Error::samples(format!("{n_rows} rows of features but {n_weights} sample weights")));
        }
        if let Some(i) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
            return Err(Error::samples(format!(
                "the weight of row {i} is {}, expected a finite number of at least 0",
                weights[i]
            )));
        }
        if weights.iter().all(|w| *w == 0.0) {
            return Err(Error::samples("all sample weights are 0, expected one above 0 at least"));
        }
        Ok(Samples { weights: Some(weights), ..self })
    }

    /// The same samples with the unit of each: a head that leaves rows out of a fit leaves those of one unit out together.
    ///
    /// # Errors
    /// When the numbers of rows and units differ.
    pub fn in_units(self, units: &'a [u32]) -> Result<Samples<'a>> {
        if units.len() != self.n_samples() {
            let (n_rows, n_units) = (self.n_samples(), units.len());
            return Err(Error::samples(format!("{n_rows} rows of features but the units of {n_units}")));
        }
        Ok(Samples { units: Some(units), ..self })
    }

    /// The unit of each row; `None` when each row is one.
    pub fn units(self) -> Option<&'a [u32]> {
        self.units
    }

    /// The rows of each unit that has more than one.
    pub fn larger_units(self) -> Vec<Vec<usize>> {
        let Some(units) = self.units else { return Vec::new() };
        let mut sets = Folds::Of(units).sets(self.n_samples());
        sets.retain(|rows| rows.len() > 1);
        sets
    }

    /// The weights of the rows; `None` when all weigh the same.
    pub fn weights(self) -> Option<&'a [f32]> {
        self.weights
    }

    /// The weight of row `i`: 1 where rows have no weights.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn weight(self, i: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[i]))
    }

    /// Whether rows are transformed each time a head reads them.
    pub fn is_transformed_on_access(self) -> bool {
        self.transform.is_some()
    }

    /// The features of the table before any transform: see [`rows`](Samples::rows) for what a head sees of them.
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

    /// The number of features that a head sees.
    pub fn n_features(self) -> usize {
        let n_inputs = self.x.n_cols();
        self.transform.map_or(n_inputs, |transform| transform.n_outputs(n_inputs))
    }

    /// Copies the rows that `order` names, as a head sees them, to `rows`.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn copy_rows(self, order: impl Iterator<Item = usize> + Clone, rows: &mut [f32]) {
        let (n_inputs, n_features) = (self.x.n_cols(), self.n_features());
        if n_inputs == n_features {
            for (row, i) in rows.chunks_exact_mut(n_features).zip(order.clone()) {
                row.copy_from_slice(self.x.row(i));
            }
            if self.transform.is_none_or(|transform| transform.scale(rows, n_features)) {
                return;
            }
        }
        if let Some(transform) = self.transform {
            let n_rows = rows.len() / n_features.max(1);
            let mut inputs = Vec::with_capacity(n_rows * n_inputs);
            order.take(n_rows).for_each(|i| inputs.extend_from_slice(self.x.row(i)));
            transform.transform(&mut inputs, n_inputs);
            rows.copy_from_slice(&inputs);
        }
    }

    /// The rows `start .. end` as a head sees them: in place if they are not transformed, otherwise in `buffer`.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn rows<'b>(self, start: usize, end: usize, buffer: &'b mut Vec<f32>, pool: &Pool) -> MatRef<'b>
    where
        'a: 'b,
    {
        let (rows, n_features) = (self.x.rows(start, end), self.n_features());
        if self.transform.is_none() {
            return rows;
        }
        buffer.resize(rows.n_rows() * n_features, 0.0);
        // Chunks of no values there are none, but their length must not be zero.
        pool.for_each_chunk(buffer, PIECE * n_features.max(1), |piece, chunk| {
            self.copy_rows(start + piece * PIECE.., chunk);
        });
        MatRef::new(buffer, end - start, n_features)
    }

    /// Refuses samples without rows or features; `head` is what messages call the head.
    ///
    /// # Errors
    /// When there are no rows or no features.
    pub(crate) fn check_shape(self, head: &str) -> Result<()> {
        let (n_samples, n_features) = (self.n_samples(), self.n_features());
        if n_samples > 0 && n_features > 0 {
            return Ok(());
        }
        Err(Error::samples(format!(
            "{head} needs rows and features; there are {n_samples} rows of {n_features} features"
        )))
    }

    /// Refuses features that are not finite numbers; `of` follows the row in the message. A transform may have made an infinity of a finite one, so it
    /// reads the transformed rows.
    ///
    /// # Errors
    /// When a feature, as a head sees it, is not finite.
    pub(crate) fn check_finite(self, of: &str, pool: &Pool) -> Result<()> {
        let (n_samples, n_features) = (self.n_samples(), self.n_features());
        let (mut buffer, n_rows) = (Vec::new(), (MOST_VALUES / n_features.max(1)).clamp(1, BLOCK));
        for start in (0..n_samples).step_by(n_rows) {
            let rows = self.rows(start, n_samples.min(start + n_rows), &mut buffer, pool).as_slice();
            // All of a block at once: looking for the place is ten times as slow.
            if rows.iter().fold(true, |finite, v| finite & v.is_finite()) {
                continue;
            }
            if let Some(i) = rows.iter().position(|v| !v.is_finite()) {
                return Err(Error::samples(format!(
                    "feature {} of row {}{of} is {}, expected a finite number",
                    i % n_features,
                    start + i / n_features,
                    rows[i]
                )));
            }
        }
        Ok(())
    }

    /// The same samples transformed once and for all: into `copy`, unless they have no transform.
    pub fn transformed_once<'b>(self, copy: &'b mut Matrix, pool: &Pool) -> Samples<'b>
    where
        'a: 'b,
    {
        if self.transform.is_none() {
            return self;
        }
        let mut values = Vec::new();
        self.rows(0, self.n_samples(), &mut values, pool);
        *copy = Matrix::new(values, self.n_samples(), self.n_features());
        Samples { x: copy.view(), transform: None, ..self }
    }

    /// The probabilities, `n_samples x n_classes`, that `predict` gives for the rows as a head sees them: for all of them at
    /// once without a transform, block by block with one.
    pub fn predict(self, pool: &Pool, mut predict: impl FnMut(MatRef<'_>) -> Matrix) -> Matrix {
        if self.transform.is_none() {
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

    impl TransformRows for Half {
        fn n_outputs(&self, n_inputs: usize) -> usize {
            n_inputs
        }

        fn transform(&self, rows: &mut Vec<f32>, n_inputs: usize) {
            self.scale(rows, n_inputs);
        }

        fn scale(&self, rows: &mut [f32], _: usize) -> bool {
            rows.iter_mut().for_each(|v| *v /= 2.0);
            true
        }
    }

    /// The sum of a row.
    #[derive(Debug)]
    struct Sum;

    impl TransformRows for Sum {
        fn n_outputs(&self, _: usize) -> usize {
            1
        }

        fn transform(&self, rows: &mut Vec<f32>, n_inputs: usize) {
            *rows = rows.chunks(n_inputs).map(|row| row.iter().sum()).collect();
        }

        fn scale(&self, _: &mut [f32], _: usize) -> bool {
            false
        }
    }

    #[test]
    fn a_transform_may_change_the_number_of_features() {
        let table: Vec<f32> = (0..600).map(|v| v as f32).collect();
        let y = vec![0; 200];
        let samples = Samples::new(MatRef::new(&table, 200, 3), &y, 1).unwrap().transformed_by(&Sum);
        assert_eq!((samples.n_features(), samples.x().n_cols()), (1, 3));
        let (mut buffer, pool) = (Vec::new(), Pool::inline());
        let sums: Vec<f32> = table.chunks(3).map(|row| row.iter().sum()).collect();
        assert_eq!(samples.rows(70, 200, &mut buffer, &pool).as_slice(), &sums[70..]);
        let mut copied = [0.0; 2];
        samples.copy_rows([5, 0].into_iter(), &mut copied);
        assert_eq!(copied, [sums[5], sums[0]]);
        let mut copy = Matrix::default();
        assert_eq!(samples.transformed_once(&mut copy, &pool).x().as_slice(), sums);
    }

    #[test]
    fn a_head_sees_scaled_rows_of_a_table_that_stays_as_it_is() {
        let (n_samples, n_features) = (BLOCK + 100, 3);
        let table: Vec<f32> = (0..n_samples * n_features).map(|v| v as f32).collect();
        let halves: Vec<f32> = table.iter().map(|v| v / 2.0).collect();
        let y = vec![0; n_samples];
        let plain = Samples::new(MatRef::new(&table, n_samples, n_features), &y, 3).unwrap();
        let scaled = plain.transformed_by(&Half);
        for pool in [Pool::inline(), Pool::new(3).unwrap()] {
            let (mut buffer, mut copy) = (Vec::new(), Matrix::default());
            let rows = scaled.rows(70, 200, &mut buffer, &pool);
            assert_eq!(rows.as_slice(), &halves[210..600]);
            assert_eq!(scaled.rows(5, 5, &mut buffer, &pool).n_rows(), 0);
            let once = scaled.transformed_once(&mut copy, &pool);
            assert_eq!(once.x().as_slice(), halves);
            // The rows themselves serve as probabilities of three classes.
            assert_eq!(scaled.predict(&pool, |rows| rows.to_matrix()).as_slice(), halves);
            assert_eq!(plain.predict(&pool, |rows| rows.to_matrix()).as_slice(), table);
            assert_eq!(plain.rows(1, 3, &mut Vec::new(), &pool).as_slice(), &table[3..9]);
        }
        assert_eq!(scaled.x().as_slice(), table);
    }
}
