//! Dense row-major matrices of `f32`: one that has its values in memory or in a mapped file, and two views.
//!
//! Element `(i, j)` of an `n_rows x n_cols` matrix is at `data[i * n_cols + j]`: rows are contiguous, and so
//! is every range of rows.

use std::sync::Arc;

use crate::mapped::Mapped;

/// A row-major `n_rows x n_cols` matrix that owns its values, or shares those of a mapped file with its clones. The
/// first write access to a mapped one copies it into memory.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    data: Values,
    n_rows: usize,
    n_cols: usize,
}

/// The storage of a matrix.
#[derive(Debug, Clone)]
enum Values {
    Owned(Vec<f32>),
    Mapped(Arc<Mapped>),
}

/// A read-only view of a row-major `n_rows x n_cols` matrix.
#[derive(Debug, Clone, Copy)]
pub struct MatRef<'a> {
    data: &'a [f32],
    n_rows: usize,
    n_cols: usize,
}

/// A writable view of a row-major `n_rows x n_cols` matrix.
#[derive(Debug)]
pub struct MatMut<'a> {
    data: &'a mut [f32],
    n_rows: usize,
    n_cols: usize,
}

impl Matrix {
    /// A matrix of `data`, `n_rows * n_cols` values in row-major order.
    ///
    /// # Panics
    /// If `data.len() != n_rows * n_cols`.
    pub fn new(data: Vec<f32>, n_rows: usize, n_cols: usize) -> Matrix {
        assert_eq!(Some(data.len()), n_rows.checked_mul(n_cols), "a {n_rows} x {n_cols} matrix");
        Matrix { data: Values::Owned(data), n_rows, n_cols }
    }

    /// The matrix whose values, `n_rows * n_cols` in row-major order, are in a mapped file.
    ///
    /// # Panics
    /// If the number of values is wrong.
    pub fn mapped(data: Mapped, n_rows: usize, n_cols: usize) -> Matrix {
        assert_eq!(Some(data.len()), n_rows.checked_mul(n_cols), "a {n_rows} x {n_cols} matrix");
        Matrix { data: Values::Mapped(Arc::new(data)), n_rows, n_cols }
    }

    /// An `n_rows x n_cols` matrix of zeros.
    pub fn zeros(n_rows: usize, n_cols: usize) -> Matrix {
        Matrix::new(vec![0.0; n_rows * n_cols], n_rows, n_cols)
    }

    /// Whether the values are in a mapped file.
    pub fn is_mapped(&self) -> bool {
        matches!(self.data, Values::Mapped(_))
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of columns.
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Row `i`, `n_cols` values.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.as_slice()[i * self.n_cols..(i + 1) * self.n_cols]
    }

    /// Row `i`, `n_cols` values, to write to.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        let n_cols = self.n_cols;
        &mut self.as_mut_slice()[i * n_cols..(i + 1) * n_cols]
    }

    /// All values in row-major order.
    pub fn as_slice(&self) -> &[f32] {
        match &self.data {
            Values::Owned(values) => values,
            Values::Mapped(values) => values,
        }
    }

    /// All values in row-major order, to write to.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        if let Values::Mapped(values) = &self.data {
            self.data = Values::Owned(values.to_vec());
        }
        match &mut self.data {
            Values::Owned(values) => values,
            Values::Mapped(_) => unreachable!("copied above"),
        }
    }

    /// Returns the values in row-major order; mapped ones are copied.
    pub fn into_vec(self) -> Vec<f32> {
        match self.data {
            Values::Owned(values) => values,
            Values::Mapped(values) => values.to_vec(),
        }
    }

    /// A view of the whole matrix.
    pub fn view(&self) -> MatRef<'_> {
        MatRef { data: self.as_slice(), n_rows: self.n_rows, n_cols: self.n_cols }
    }

    /// A writable view of the whole matrix.
    pub fn view_mut(&mut self) -> MatMut<'_> {
        let (n_rows, n_cols) = (self.n_rows, self.n_cols);
        MatMut { data: self.as_mut_slice(), n_rows, n_cols }
    }
}

impl Default for Values {
    fn default() -> Values {
        Values::Owned(Vec::new())
    }
}

impl PartialEq for Matrix {
    fn eq(&self, other: &Matrix) -> bool {
        (self.n_rows, self.n_cols) == (other.n_rows, other.n_cols) && self.as_slice() == other.as_slice()
    }
}

impl<'a> MatRef<'a> {
    /// Views `data`, `n_rows * n_cols` values in row-major order.
    ///
    /// # Panics
    /// If `data.len() != n_rows * n_cols`.
    pub fn new(data: &'a [f32], n_rows: usize, n_cols: usize) -> MatRef<'a> {
        assert_eq!(Some(data.len()), n_rows.checked_mul(n_cols), "a {n_rows} x {n_cols} view");
        MatRef { data, n_rows, n_cols }
    }

    /// The number of rows.
    pub fn n_rows(self) -> usize {
        self.n_rows
    }

    /// The number of columns.
    pub fn n_cols(self) -> usize {
        self.n_cols
    }

    /// Row `i`, `n_cols` values.
    pub fn row(self, i: usize) -> &'a [f32] {
        &self.data[i * self.n_cols..(i + 1) * self.n_cols]
    }

    /// A view of rows `start .. end`.
    pub fn rows(self, start: usize, end: usize) -> MatRef<'a> {
        MatRef { data: &self.data[start * self.n_cols..end * self.n_cols], n_rows: end - start, ..self }
    }

    /// All values in row-major order.
    pub fn as_slice(self) -> &'a [f32] {
        self.data
    }

    /// A copy that owns its values.
    pub fn to_matrix(self) -> Matrix {
        Matrix::new(self.data.to_vec(), self.n_rows, self.n_cols)
    }

    /// A matrix of the rows `rows`, in that order.
    ///
    /// # Panics
    /// If a row is not there.
    pub fn gather(self, rows: &[usize]) -> Matrix {
        let values = rows.iter().flat_map(|&i| self.row(i)).copied().collect();
        Matrix::new(values, rows.len(), self.n_cols)
    }
}

impl<'a> MatMut<'a> {
    /// Views `data`, `n_rows * n_cols` values in row-major order.
    ///
    /// # Panics
    /// If `data.len() != n_rows * n_cols`.
    pub fn new(data: &'a mut [f32], n_rows: usize, n_cols: usize) -> MatMut<'a> {
        assert_eq!(Some(data.len()), n_rows.checked_mul(n_cols), "a {n_rows} x {n_cols} view");
        MatMut { data, n_rows, n_cols }
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of columns.
    pub fn n_cols(&self) -> usize {
        self.n_cols
    }

    /// Row `i`, `n_cols` values, to write to.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.data[i * self.n_cols..(i + 1) * self.n_cols]
    }

    /// All values in row-major order, to write to.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        self.data
    }

    /// The same view, read-only.
    pub fn as_ref(&self) -> MatRef<'_> {
        MatRef { data: self.data, n_rows: self.n_rows, n_cols: self.n_cols }
    }

    /// The same view for a shorter time.
    pub fn reborrow(&mut self) -> MatMut<'_> {
        MatMut { data: self.data, n_rows: self.n_rows, n_cols: self.n_cols }
    }

    /// Splits the view into its rows below `row` and the rest.
    pub fn split_at_row(self, row: usize) -> (MatMut<'a>, MatMut<'a>) {
        let (top, bottom) = self.data.split_at_mut(row * self.n_cols);
        (
            MatMut { data: top, n_rows: row, n_cols: self.n_cols },
            MatMut { data: bottom, n_rows: self.n_rows - row, n_cols: self.n_cols },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_views_agree() {
        let m = Matrix::new((0..12).map(|v| v as f32).collect(), 3, 4);
        assert_eq!(m.row(1), &[4.0, 5.0, 6.0, 7.0]);
        assert_eq!(m.view().rows(1, 3).row(1), m.row(2));
        assert_eq!(m.view().rows(1, 1).n_rows(), 0);
    }

    #[test]
    fn split_keeps_every_value() {
        let mut m = Matrix::new((0..6).map(|v| v as f32).collect(), 3, 2);
        let (top, mut bottom) = m.view_mut().split_at_row(1);
        assert_eq!((top.n_rows(), bottom.n_rows()), (1, 2));
        bottom.row_mut(1)[0] = 9.0;
        assert_eq!(m.row(2), &[9.0, 5.0]);
    }

    #[test]
    #[should_panic(expected = "a 2 x 2 matrix")]
    fn wrong_length_is_refused() {
        Matrix::new(vec![0.0; 3], 2, 2);
    }
}
