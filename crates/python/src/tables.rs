//! Tables, from files or of arrays, and what the checks find in them.

use std::path::PathBuf;

use headsmith::data::{self, ArrayLabels, Files, Finding, OnBadRow, ReadOptions};
use headsmith::report;
use headsmith::tables::{self, RoleTable};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::arrays::{matrix, rows, values};
use crate::errors::to_python;
use crate::fit::Options;
use crate::model::json;
use crate::words::{self, Caller};
use crate::work;

/// A table of features, with labels or without.
#[pyclass(frozen, module = "headsmith._headsmith")]
pub(crate) struct Table {
    table: RoleTable,
}

/// How a file is read.
#[derive(FromPyObject)]
pub(crate) struct Reading {
    label_column: Option<String>,
    embeddings_column: Option<String>,
    drop: Vec<String>,
    features: Vec<String>,
    cache: Option<PathBuf>,
    skips_bad_rows: bool,
}

impl From<Reading> for ReadOptions {
    fn from(reading: Reading) -> ReadOptions {
        ReadOptions {
            label_column: reading.label_column,
            embeddings_column: reading.embeddings_column,
            drop: reading.drop,
            features: reading.features,
            cache: reading.cache,
            on_bad_row: if reading.skips_bad_rows { OnBadRow::Skip } else { OnBadRow::Error },
            ..ReadOptions::default()
        }
    }
}

#[pymethods]
impl Table {
    /// The table in files, whose labels may be in others.
    #[staticmethod]
    fn read(
        paths: Vec<PathBuf>,
        labels: Vec<PathBuf>,
        reading: Reading,
        options: Options<'_>,
    ) -> PyResult<Table> {
        let labels = (!labels.is_empty()).then(|| Files::new(labels));
        let (files, reading) = (Files::new(paths).with_labels(labels), ReadOptions::from(reading));
        let role = files.to_string();
        let conditions = options.conditions()?.of_files();
        let table = work::run(&conditions, |context| tables::read(&role, files, &reading, context))?;
        Ok(Table { table })
    }

    /// The table called `name` of rows in memory, with the names of the labels and the index of each row's.
    #[staticmethod]
    fn of_arrays(
        name: &str,
        x: PyReadonlyArray2<'_, f32>,
        labels: Option<(Vec<String>, PyReadonlyArray1<'_, u32>)>,
        feature_names: Vec<String>,
    ) -> PyResult<Table> {
        let labels = match labels {
            None => None,
            Some((names, codes)) => Some(ArrayLabels { names, codes: values(&codes)?.to_vec() }),
        };
        let table = data::Table::of_arrays(name, rows(&x)?.to_matrix(), labels, feature_names);
        let table = table.map_err(|error| to_python(error.into()))?;
        Ok(Table { table: tables::of_table(name, table, &ReadOptions::default(), 0.0) })
    }

    /// A copy of the features.
    fn x<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let x = py.detach(|| self.table.table.x().to_matrix());
        matrix(py, x)
    }

    /// The different labels and the index of each row's, if there are labels.
    fn labels<'py>(&self, py: Python<'py>) -> Option<(Vec<String>, Bound<'py, PyArray1<u32>>)> {
        let labels = self.table.table.labels()?;
        Some((labels.names().to_vec(), labels.codes().to_vec().into_pyarray(py)))
    }

    /// The names of the features, where each has a column of its own.
    #[getter]
    fn feature_names(&self) -> Vec<String> {
        self.table.report.feature_names.clone()
    }

    /// Its report, as JSON.
    #[getter]
    fn report(&self) -> PyResult<String> {
        json(&self.table.report)
    }
}

/// The findings of the checks in tables, and the report of each table, as JSON.
#[pyfunction]
pub(crate) fn inspect(tables: Vec<PyRef<'_, Table>>, options: Options<'_>) -> PyResult<String> {
    let tables: Vec<&RoleTable> = tables.iter().map(|table| &table.table).collect();
    let (reports, findings) = work::run(&options.conditions()?, |context| {
        let report = |table: &&RoleTable| report::TableReport {
            summary: Some(report::summary(&table.table)),
            ..table.report.clone()
        };
        Ok((tables.iter().map(report).collect::<Vec<_>>(), tables::check(&tables, context)))
    })?;
    // Features are dropped where tables are read.
    let in_python =
        |finding: Finding| Finding { message: words::of_python(&finding.message, Caller::Files), ..finding };
    let findings: Vec<Finding> = findings.into_iter().map(in_python).collect();
    json(&serde_json::json!({ "tables": reports, "findings": findings }))
}
