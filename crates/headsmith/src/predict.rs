//! Predicts a table and writes the predictions next to its rows.

use std::path::PathBuf;

use headsmith_data::output::is_standard_output;
use headsmith_data::predictions::{self, Predictions, WriteOptions};
use headsmith_data::{Classes, Files, ReadOptions};
use headsmith_model::Model;

use crate::context::Context;
use crate::error::Result;
use crate::evaluate::{refuse_other_features, with_columns_of};
use crate::progress::Progress;
use crate::report::PredictionReport;
use crate::tables::{self, RoleTable};

/// The output files of predictions, and their columns.
#[derive(Debug, Clone)]
pub struct PredictOptions {
    /// The file to write, in the format of [`predictions::OutputFormat::of`].
    pub out: PathBuf,
    /// A zip archive with a copy of the CSV file.
    pub zip: Option<PathBuf>,
    /// The columns of the file.
    pub columns: WriteOptions,
}

/// Predicts the table in `files`.
///
/// # Errors
/// If the table cannot be read or has another width than the model, or a file cannot be written.
pub fn predict(
    model: &Model,
    files: &Files,
    read: &ReadOptions,
    options: &PredictOptions,
    context: &mut Context<'_>,
) -> Result<PredictionReport> {
    let read = to_predict(&with_columns_of(model, read), model.record().label_column.as_deref());
    let table = tables::read("test", files, &read, context)?;
    let findings = tables::check(&[&table], context);
    tables::refuse_errors(&findings)?;
    predict_table(model, &table, options, context)
}

/// The options for reading a table to predict: its labels, under the name they had in training, are placeholders.
pub(crate) fn to_predict(read: &ReadOptions, label_column: Option<&str>) -> ReadOptions {
    let label_hint = label_column.map(str::to_owned);
    ReadOptions { placeholder_labels: true, label_hint, ..read.clone() }
}

/// Predicts a table that is already read.
///
/// # Errors
/// If the table has another width than the model, or a file cannot be written.
pub fn predict_table(
    model: &Model,
    table: &RoleTable,
    options: &PredictOptions,
    context: &mut Context<'_>,
) -> Result<PredictionReport> {
    refuse_other_features(model, &table.table)?;
    let classes = Classes::new(model.classes().to_vec())?;
    let proba = model.predict_proba(table.table.x(), context.pool)?;
    let predicted = model.decide(proba.view());
    let probabilities = proba.view();
    let predictions = Predictions { classes: &classes, predicted: &predicted, probabilities, fold_of: None };
    let written = predictions::write(&options.out, &table.table, predictions, &options.columns)?;
    let on_standard_output = is_standard_output(&options.out);
    if !on_standard_output {
        context.emit(&Progress::Wrote(&options.out));
    }
    let mut files = vec![match on_standard_output {
        true => "standard output".to_owned(),
        false => options.out.display().to_string(),
    }];
    if let Some(zip) = &options.zip {
        predictions::zip(&options.out, zip)?;
        context.emit(&Progress::Wrote(zip));
        files.push(zip.display().to_string());
    }
    Ok(PredictionReport {
        head: model.head_name().to_owned(),
        n_rows: written.n_rows,
        n_left_out: written.n_left_out,
        counts: tables::class_counts(&classes, &predicted),
        files,
    })
}
