//! NumPy's arrays as matrices, and the other way round, without copies.

use headsmith::{MatRef, Matrix};
use numpy::{
    IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The rows of an array, where they are.
///
/// # Errors
/// When its rows are not one after another in memory.
pub(crate) fn rows<'a>(x: &'a PyReadonlyArray2<'_, f32>) -> PyResult<MatRef<'a>> {
    let [n_rows, n_cols] = *x.shape() else { return Err(PyValueError::new_err("rows have two axes")) };
    if !x.is_c_contiguous() {
        return Err(PyValueError::new_err("the rows must be C-contiguous"));
    }
    Ok(MatRef::new(x.as_slice()?, n_rows, n_cols))
}

/// The values of an array of one axis, where they are.
///
/// # Errors
/// When they are not one after another in memory.
pub(crate) fn values<'a, T: numpy::Element>(array: &'a PyReadonlyArray1<'_, T>) -> PyResult<&'a [T]> {
    Ok(array.as_slice()?)
}

/// Refuses values that are not finite.
///
/// # Errors
/// When there is one: where.
pub(crate) fn check_finite(x: MatRef<'_>) -> PyResult<()> {
    // All of a row at once: looking for the place is slower.
    let is_finite = |i: &usize| !x.row(*i).iter().fold(true, |finite, v| finite & v.is_finite());
    let Some(row) = (0..x.n_rows()).find(is_finite) else { return Ok(()) };
    let column = x.row(row).iter().position(|v| !v.is_finite()).unwrap_or_default();
    let value = x.row(row)[column];
    Err(PyValueError::new_err(format!(
        "feature {column} of row {row} is {value}, expected a finite number: NaN and infinity (also numbers that float32 cannot \
         hold) have to be replaced or left out first"
    )))
}

/// A matrix as an array that owns its values.
pub(crate) fn matrix(py: Python<'_>, matrix: Matrix) -> PyResult<Bound<'_, PyArray2<f32>>> {
    let shape = [matrix.n_rows(), matrix.n_cols()];
    matrix.into_vec().into_pyarray(py).reshape(shape)
}
