//! Predicts a table and writes the predictions next to its rows.
//!
//! A table in files is never whole in memory: its rows stream from a reader through the model to a writer (`stream`). A table
//! that is in memory or mapped already, the test table of `run` or one with a cache file, is predicted at once.

mod queue;
mod stream;
mod tally;

use std::path::{Path, PathBuf};

use headsmith_data::output::is_standard_output;
use headsmith_data::predictions::{self, Columns, PredictionSets, Predictions, WriteOptions};
use headsmith_data::{Classes, Files, ReadOptions, storage};
use headsmith_kernels::Matrix;
use headsmith_metrics::ConformalSets;
use headsmith_model::{Model, first_overflow};
use tally::Tally;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::evaluate::{Features, refuse_other_features, with_columns_of};
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
    /// Whether all columns include that of the prediction sets, of a model that has them. Where columns are named, the names decide.
    pub adds_sets: bool,
}

/// Predicts the table in `files`, in constant memory unless [`ReadOptions::cache`] is set. With [`ReadOptions::shard`], it
/// predicts this part alone and writes it to [`Shard::file_of`](headsmith_data::Shard::file_of) the output.
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
    if read.cache.is_none() || read.shard.is_some() {
        let out = read.shard.map_or_else(|| options.out.clone(), |shard| shard.file_of(&options.out));
        return stream::predict(model, files, &read, &PredictOptions { out, ..options.clone() }, context);
    }
    let table = tables::read("test", files, &read, context)?;
    let findings = tables::check(&[&table], context);
    tables::refuse_errors(&findings)?;
    predict_table(model, &table, options, context)
}

/// Whether the output `out` is there and newer than all of its `inputs`: the tables and the model.
pub fn is_finished(out: &Path, inputs: &[&Path]) -> bool {
    let Some(written) = storage::modified(out) else { return false };
    inputs.iter().all(|input| storage::modified(input).is_some_and(|input| input <= written))
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
    refuse_other_features(model, &Features::of(&table.table))?;
    let classes = Classes::new(model.classes().to_vec())?;
    let (proba, predicted) = model.predict_decided(table.table.x(), context.pool)?;
    refuse_overflow(&proba, 0)?;
    let sets = model.sets().map(|sets| of_rows(sets, &proba));
    let mut tally = Tally::default();
    tally.add(&predicted, sets.as_ref());
    let predictions = Predictions {
        classes: &classes,
        predicted: &predicted,
        probabilities: proba.view(),
        fold_of: None,
        sets: sets.as_ref().filter(|_| options.writes_sets()),
    };
    let written = predictions::write(&options.out, &table.table, predictions, &options.columns)?;
    warn_of_columns(&written.columns_left_out, context);
    let files = finish(options, context)?;
    Ok(tally.report(model, &classes, written.n_left_out, files))
}

/// Refuses probabilities that are no numbers. The first row of `proba` is row `n_before` of the table, counted from 0.
///
/// # Errors
/// When finite values of a row are so large that the model's sums overflow.
pub(crate) fn refuse_overflow(proba: &Matrix, n_before: usize) -> Result<()> {
    match first_overflow(proba.view()) {
        None => Ok(()),
        Some(row) => Err(Error::failure(format!(
            "row {} of those to predict: its values are so large that the model's probabilities are no numbers; look at this row, and at how its table \
             was made",
            n_before + row + 1
        ))),
    }
}

/// Names columns that an output of all columns does not have.
fn warn_of_columns(left_out: &[String], context: &mut Context<'_>) {
    if !left_out.is_empty() {
        let names = headsmith_data::quoted(left_out);
        context.warn(&format!("the output leaves out columns that hold neither numbers nor text: {names}"));
    }
}

/// Announces the output and writes its archive; returns the names of the files.
fn finish(options: &PredictOptions, context: &mut Context<'_>) -> Result<Vec<String>> {
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
    Ok(files)
}

impl PredictOptions {
    /// All columns of the input with the predictions, to the file `out`.
    pub fn new(out: PathBuf) -> PredictOptions {
        PredictOptions { out, zip: None, columns: WriteOptions::default(), adds_sets: true }
    }

    /// Whether prediction sets are written, of a model that has them.
    fn writes_sets(&self) -> bool {
        self.adds_sets || matches!(self.columns.columns, Columns::Named(_))
    }
}

/// The prediction set of each row of `proba` (`n_samples x n_classes`).
fn of_rows(sets: &ConformalSets, proba: &Matrix) -> PredictionSets {
    let of_row = |row| sets.set(proba.row(row)).map(|class| class as u32);
    (0..proba.n_rows()).map(of_row).collect()
}
