//! NumPy's arrays as matrices, and the other way round, without copies.

use headsmith::{MatRef, Matrix, data};
use numpy::{
    IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::to_python;

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

/// The rows of an array of features, where they are.
///
/// # Errors
/// When its rows are not one after another in memory, or a value is not finite.
pub(crate) fn features<'a>(x: &'a PyReadonlyArray2<'_, f32>) -> PyResult<MatRef<'a>> {
    let x = rows(x)?;
    data::check_finite(x).map_err(|error| to_python(error.into()))?;
    Ok(x)
}

/// The values of an array of one axis, where they are.
///
/// # Errors
/// When they are not one after another in memory.
pub(crate) fn values<'a, T: numpy::Element>(array: &'a PyReadonlyArray1<'_, T>) -> PyResult<&'a [T]> {
    Ok(array.as_slice()?)
}

/// A matrix as an array that owns its values.
pub(crate) fn matrix(py: Python<'_>, matrix: Matrix) -> PyResult<Bound<'_, PyArray2<f32>>> {
    let shape = [matrix.n_rows(), matrix.n_cols()];
    matrix.into_vec().into_pyarray(py).reshape(shape)
}
