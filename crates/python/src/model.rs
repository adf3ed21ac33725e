//! Fitted models.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use headsmith::export::{self, MlOpset, Options};
use headsmith::model::{self, first_overflow, most_probable};
use headsmith::{MatRef, Matrix, Pool, model_file};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays::{features, matrix};
use crate::errors::to_python;
use crate::pools;

/// A fitted model: transforms, head, names of the classes, and how it came about.
#[pyclass(frozen, module = "headsmith._headsmith")]
pub(crate) struct Model {
    pub(crate) model: model::Model,
}

impl Model {
    pub(crate) fn new(model: model::Model) -> Model {
        Model { model }
    }
}

#[pymethods]
impl Model {
    /// The model of a file's bytes.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Model> {
        model::Model::from_bytes(bytes).map(Model::new).map_err(|error| to_python(error.into()))
    }

    /// The model of a file.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Model> {
        py.detach(|| model_file::load(&path)).map(Model::new).map_err(to_python)
    }

    /// The bytes of the model's file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.model.to_bytes()).map_err(|error| to_python(error.into()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes the model's file, at once or not at all.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| model_file::save(&self.model, &path)).map_err(to_python)
    }

    /// The model with a text beside it, which its file keeps under `key`.
    fn with_extra(&self, key: String, text: String) -> Model {
        let mut model = self.model.clone();
        model.record_mut().extra.insert(key, text.into());
        Model::new(model)
    }

    /// Writes the model as an ONNX file, after comparing both; gives the facts as JSON.
    fn to_onnx(&self, py: Python<'_>, path: PathBuf, ml_opset: u8, force: bool) -> PyResult<String> {
        let ml_opset = MlOpset::named(&ml_opset.to_string())
            .ok_or_else(|| PyValueError::new_err(format!("ml_opset is {ml_opset}, expected 3 or 5")))?;
        let exported = py.detach(|| {
            let export = export::onnx(&self.model, Options { ml_opset, force })?;
            export::write(&export, &self.model, &path, &Pool::inline())
        });
        json(&exported.map_err(to_python)?)
    }

    /// How to make it again, for pickle.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<Model>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }

    /// The names of the classes, in the order of the columns of the probabilities.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.model.classes().to_vec()
    }

    /// The number of features of a row.
    #[getter]
    fn n_features(&self) -> usize {
        self.model.n_features()
    }

    /// The name of the head, or `ensemble` or `pool`.
    #[getter]
    fn head(&self) -> &'static str {
        self.model.head_name()
    }

    /// The offset of each class by which `decision="metric"` decides; empty if there are none.
    #[getter]
    fn offsets(&self) -> Vec<f64> {
        self.model.decision().to_vec()
    }

    /// How the model came about, as JSON.
    #[getter]
    fn record(&self) -> PyResult<String> {
        json(self.model.record())
    }

    /// The probabilities of each class for each row.
    fn predict_proba<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray2<'py, f32>,
        n_jobs: usize,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        matrix(py, self.by_head(py, features(&x)?, n_jobs)?.0)
    }

    /// Whether each class is in the prediction set of each row, `n_samples x n_classes`; none of a model without such sets.
    fn predict_set<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray2<'py, f32>,
        n_jobs: usize,
    ) -> PyResult<Option<Bound<'py, PyArray2<bool>>>> {
        let Some(sets) = self.model.sets() else { return Ok(None) };
        let x = features(&x)?;
        let proba = self.by_head(py, x, n_jobs)?.0;
        let members = py.detach(|| {
            let mut members = vec![false; proba.n_rows() * proba.n_cols()];
            for (row, members) in members.chunks_exact_mut(proba.n_cols()).enumerate() {
                sets.set(proba.row(row)).for_each(|class| members[class] = true);
            }
            members
        });
        members.into_pyarray(py).reshape([x.n_rows(), self.model.n_classes()]).map(Some)
    }

    /// The class of each row, as an index: that of the largest probability (`argmax`), the one decided for the metric (`metric`), or that of the
    /// head's votes (`votes`); where there are no offsets or votes, that of the largest probability.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        x: PyReadonlyArray2<'py, f32>,
        decision: &str,
        n_jobs: usize,
    ) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let (proba, voted) = self.by_head(py, features(&x)?, n_jobs)?;
        let classes = py.detach(|| match (decision, voted) {
            ("votes", Some(voted)) => voted,
            ("metric", _) => self.model.decide(proba.view()),
            _ => most_probable(proba.view()),
        });
        Ok(classes.into_pyarray(py))
    }
}

/// Rows that are predicted before the first look for signals, and the time between two looks.
const FIRST_ROWS: usize = 1024;
const PERIOD: Duration = Duration::from_millis(50);

impl Model {
    /// The probabilities of the rows of `x`, and the classes that the head alone decides for, where it does. Ctrl-C ends it between two blocks of rows,
    /// which have the same predictions as all together.
    ///
    /// # Errors
    /// When the rows have another number of features than the model or are too large for it, or after Ctrl-C.
    fn by_head(&self, py: Python<'_>, x: MatRef<'_>, n_jobs: usize) -> PyResult<(Matrix, Option<Vec<u32>>)> {
        let pool = pools::for_rows(x, n_jobs)?;
        let predict = |start: usize, end: usize| {
            let rows = x.rows(start, end);
            self.model.predict_by_head(rows, &pool).map_err(|error| to_python(error.into()))
        };
        let (proba, voted) = py.detach(|| {
            if x.n_rows() <= FIRST_ROWS {
                return predict(0, x.n_rows());
            }
            let (mut proba, mut voted) =
                (Vec::with_capacity(x.n_rows() * self.model.n_classes()), Vec::new());
            let (mut start, mut n_rows) = (0, FIRST_ROWS);
            while start < x.n_rows() {
                let (end, begin) = (x.n_rows().min(start + n_rows), Instant::now());
                let (more, by_head) = predict(start, end)?;
                proba.extend(more.into_vec());
                voted.extend(by_head.into_iter().flatten());
                let share = PERIOD.as_secs_f64() / begin.elapsed().as_secs_f64().max(1e-6);
                n_rows = ((n_rows as f64 * share.min(4.0)) as usize).max(1);
                start = end;
                Python::attach(|py| py.check_signals())?;
            }
            let proba = Matrix::new(proba, x.n_rows(), self.model.n_classes());
            Ok((proba, (voted.len() == x.n_rows()).then_some(voted)))
        })?;
        check_probabilities(proba.view())?;
        Ok((proba, voted))
    }
}

/// Refuses probabilities that are none: where values of a row are so large that sums of them overflow.
///
/// # Errors
/// When there is such a row; the error names the first one.
fn check_probabilities(proba: MatRef<'_>) -> PyResult<()> {
    match first_overflow(proba) {
        None => Ok(()),
        Some(row) => Err(PyValueError::new_err(format!(
            "row {row} of X has no probabilities: its values are too large for the model, whose sums of them overflow; \
             scale the features, or leave the row out"
        ))),
    }
}

/// A value as JSON.
///
/// # Errors
/// When it has no such form.
pub(crate) fn json(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyRuntimeError::new_err(error.to_string()))
}
