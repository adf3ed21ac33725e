//! Scoring a stored model on a labelled table.

use std::path::Path;

use headsmith_data::{Classes, Dataset, Finding, ReadOptions};
use headsmith_model::Model;
use serde::Serialize;

use crate::context::Context;
use crate::error::Result;
use crate::judge;
use crate::report::{Judgement, TableReport};
use crate::tables;

/// What an evaluation comes to.
#[derive(Debug, Serialize)]
pub struct Evaluation {
    /// The head that was scored.
    pub head: &'static str,
    /// The table it was scored on.
    pub table: TableReport,
    /// What the checks found.
    pub findings: Vec<Finding>,
    /// The scores.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// Scores `model` on the table at `path`.
///
/// # Errors
/// When the table cannot be read, has no labels, another width, or classes that the model does not know.
pub fn evaluate(
    model: &Model,
    path: &Path,
    options: &ReadOptions,
    context: &mut Context<'_>,
) -> Result<Evaluation> {
    let options = with_columns_of(model, options);
    let table = tables::read("data", path, &options, context)?;
    let findings = tables::look_through(&[&table], context);
    tables::refuse_errors(&findings)?;
    let classes = Classes::new(model.classes().to_vec())?;
    let used_for = used_before(model, &table.report);
    let rows = Dataset::new(table.table, &classes)?;
    let judged = judge::judge(model, &rows, used_for, context)?;
    Ok(Evaluation { head: model.head_name(), table: table.report, findings, judgement: judged.judgement })
}

/// The columns that the model was fitted from, where no others are asked for.
pub(crate) fn with_columns_of(model: &Model, options: &ReadOptions) -> ReadOptions {
    let record = model.record();
    ReadOptions {
        embeddings_column: options.embeddings_column.clone().or_else(|| record.embeddings_column.clone()),
        ..options.clone()
    }
}

/// What the very rows of `table` were used for when the model was made.
fn used_before(model: &Model, table: &TableReport) -> Vec<String> {
    let record = model.record();
    let same = record.data.iter().find(|data| data.fingerprint == table.fingerprint);
    match same.map(|data| data.role.as_str()) {
        Some("train") => vec![judge::WEIGHTS.to_owned()],
        Some("val") => record.selected_on.clone(),
        _ => Vec::new(),
    }
}
