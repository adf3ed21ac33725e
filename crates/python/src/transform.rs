//! Fitted transforms.

use headsmith::Error;
use headsmith::heads::tensors::{Tensor, Tensors, Values};
use headsmith::heads::transform::{Pipeline, Spec};
use numpy::{IntoPyArray, PyArray2, PyArrayDyn, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{features, matrix};
use crate::errors::to_python;
use crate::fit::Options;
use crate::{pools, work};

/// Transforms with what they learnt from the training rows.
#[pyclass(frozen, module = "headsmith._headsmith")]
pub(crate) struct Transform {
    pipeline: Pipeline,
    n_features: usize,
}

/// A function with the arguments for it.
type Reduced<'py> = (Bound<'py, PyAny>, (String, usize, Bound<'py, PyDict>));

#[pymethods]
impl Transform {
    /// Fits the transforms that `text` names.
    #[staticmethod]
    fn fit(text: &str, x: PyReadonlyArray2<'_, f32>, options: Options<'_>) -> PyResult<Transform> {
        let spec: Spec = text.parse().map_err(|error: headsmith::heads::Error| to_python(error.into()))?;
        let x = features(&x)?;
        let pipeline = work::run(&options.conditions()?, |context| Ok(spec.fit(x, context.pool)?))?;
        Ok(Transform { pipeline, n_features: x.n_cols() })
    }

    /// The transforms whose [`state`](Transform::state) this is.
    #[staticmethod]
    fn restore(text: &str, n_features: usize, state: &Bound<'_, PyDict>) -> PyResult<Transform> {
        let failed = |error: headsmith::heads::Error| to_python(Error::from(error));
        let spec: Spec = text.parse().map_err(failed)?;
        let mut tensors = Tensors::new();
        for (name, array) in state {
            let (shape, values) = tensor(&array)?;
            tensors.insert(name.extract::<String>()?, &shape, values);
        }
        Ok(Transform { pipeline: spec.restore(tensors).map_err(failed)?, n_features })
    }

    /// The arrays that were learnt, by name.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        for (name, tensor) in self.pipeline.tensors().iter() {
            state.set_item(name, array(py, tensor)?)?;
        }
        Ok(state)
    }

    /// How to make it again, for pickle.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        let restore = py.get_type::<Transform>().getattr("restore")?;
        Ok((restore, (self.text(), self.n_features, self.state(py)?)))
    }

    /// Whether each of the features that it gives is made of several.
    #[getter]
    fn mixes(&self) -> bool {
        self.pipeline.steps().iter().any(|step| step.projection().is_some())
    }

    /// The text of the transforms.
    #[getter]
    fn text(&self) -> String {
        self.pipeline.spec().to_string()
    }

    /// The number of features that it takes.
    #[getter]
    fn n_features(&self) -> usize {
        self.n_features
    }

    /// The number of features that it gives.
    #[getter]
    fn n_outputs(&self) -> usize {
        self.pipeline.n_outputs(self.n_features)
    }

    /// The rows of `x`, transformed.
    fn apply<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray2<'py, f32>,
        n_jobs: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let x = features(&x)?;
        let (found, expected) = (x.n_cols(), self.n_features);
        if found != expected {
            return Err(PyValueError::new_err(format!(
                "the rows have {found} features, expected {expected} as the rows that the transform was fitted on"
            )));
        }
        let pool = pools::for_rows(x, n_jobs)?;
        let transformed = py.detach(|| self.pipeline.apply(x, &pool));
        matrix(py, transformed)
    }
}

/// A learnt array for Python.
fn array<'py>(py: Python<'py>, tensor: &Tensor) -> PyResult<Bound<'py, PyAny>> {
    let shape = tensor.shape.as_slice();
    Ok(match tensor.values.clone() {
        Values::F32(values) => values.into_pyarray(py).reshape(shape)?.into_any(),
        Values::F64(values) => values.into_pyarray(py).reshape(shape)?.into_any(),
        Values::U32(values) => values.into_pyarray(py).reshape(shape)?.into_any(),
        _ => return Err(PyValueError::new_err("the transform learnt values of an unknown type")),
    })
}

/// The shape and values of an array that Python kept.
fn tensor(array: &Bound<'_, PyAny>) -> PyResult<(Vec<usize>, Values)> {
    if let Ok(array) = array.cast::<PyArrayDyn<f32>>() {
        return Ok((array.shape().to_vec(), Values::F32(array.to_vec()?)));
    }
    if let Ok(array) = array.cast::<PyArrayDyn<f64>>() {
        return Ok((array.shape().to_vec(), Values::F64(array.to_vec()?)));
    }
    let array = array.cast::<PyArrayDyn<u32>>()?;
    Ok((array.shape().to_vec(), Values::U32(array.to_vec()?)))
}
