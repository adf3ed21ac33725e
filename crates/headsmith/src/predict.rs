//! Predicts a table and writes the predictions next to its rows.

use std::path::PathBuf;

use headsmith_data::output::is_standard_output;
use headsmith_data::predictions::{self, Columns, PredictionSets, Predictions, WriteOptions};
use headsmith_data::{Classes, Files, ReadOptions};
use headsmith_kernels::Matrix;
use headsmith_metrics::ConformalSets;
use headsmith_model::Model;

use crate::context::Context;
use crate::error::Result;
use crate::evaluate::{refuse_other_features, with_columns_of};
use crate::progress::Progress;
use crate::report::{PredictedSets, PredictionReport};
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
    /// Whether all columns include that of the prediction sets, of a model that has them. Where columns are named, the names decide.
    pub adds_sets: bool,
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
    let (proba, predicted) = model.predict_decided(table.table.x(), context.pool)?;
    let sets = model.sets().map(|sets| of_rows(sets, &proba));
    let is_written = options.adds_sets || matches!(options.columns.columns, Columns::Named(_));
    let predictions = Predictions {
        classes: &classes,
        predicted: &predicted,
        probabilities: proba.view(),
        fold_of: None,
        sets: sets.as_ref().filter(|_| is_written),
    };
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
        sets: model.sets().zip(sets.as_ref()).map(|(rule, sets)| sizes(rule.level(), sets)),
        files,
    })
}

/// The prediction set of each row of `proba` (`n_samples x n_classes`).
fn of_rows(sets: &ConformalSets, proba: &Matrix) -> PredictionSets {
    let of_row = |row| sets.set(proba.row(row)).map(|class| class as u32);
    (0..proba.n_rows()).map(of_row).collect()
}

fn sizes(level: f64, sets: &PredictionSets) -> PredictedSets {
    let mut sizes: Vec<usize> = Vec::new();
    let mut sum = 0;
    for row in 0..sets.n_rows() {
        let size = sets.row(row).len();
        sum += size;
        sizes.resize(sizes.len().max(size + 1), 0);
        sizes[size] += 1;
    }
    PredictedSets { level, mean_size: sum as f64 / sets.n_rows().max(1) as f64, sizes }
}
