//! Scores a stored model on a labelled table.

use std::path::Path;

use headsmith_data::{Classes, Dataset, Files, Finding, Groups, ReadOptions, Table, TableStream};
use headsmith_model::Model;
use serde::Serialize;

use crate::conformal;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::judge;
use crate::report::{EvaluatedSets, Judgement, TableReport};
use crate::split::units;
use crate::tables;

/// The result of an evaluation.
#[derive(Debug, Serialize)]
pub struct Evaluation {
    /// The head that was scored.
    pub head: &'static str,
    /// The table it was scored on.
    pub table: TableReport,
    /// The findings of the checks.
    pub findings: Vec<Finding>,
    /// The scores.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// The prediction sets of the model, if it has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conformal: Option<EvaluatedSets>,
}

/// Scores `model` on the table in `files`.
///
/// # Errors
/// If the table cannot be read, has no labels, another width, or classes that the model does not know.
pub fn evaluate(
    model: &Model,
    files: &Files,
    options: &ReadOptions,
    context: &mut Context<'_>,
) -> Result<Evaluation> {
    let options = with_columns_of(model, options);
    let table = tables::read("data", files, &options, context)?;
    let findings = tables::check(&[&table], context);
    tables::refuse_errors(&findings)?;
    refuse_other_features(model, &Features::of(&table.table))?;
    let classes = Classes::new(model.classes().to_vec())?;
    let used_for = used_before(model, &table.report);
    let groups =
        options.group_column.as_deref().map(|column| Groups::read(&table.table, column)).transpose()?;
    let mut rows = Dataset::new(table.table, &classes)?;
    rows.units = groups.map(|groups| units::of(rows.x.view(), Some(&groups), context.pool));
    let judged = judge::judge(model, &rows, used_for, context)?;
    let conformal = model.sets().map(|sets| {
        let scores = conformal::rows_of(&rows, &judged.proba).score(sets)?;
        Ok::<_, Error>(EvaluatedSets { level: sets.level(), by_class: sets.is_by_class(), scores })
    });
    Ok(Evaluation {
        head: model.head_name(),
        table: table.report,
        findings,
        judgement: judged.judgement,
        conformal: conformal.transpose()?,
    })
}

/// The options for reading tables for `model`: with the columns that it was fitted from, unless others are requested.
pub(crate) fn with_columns_of(model: &Model, options: &ReadOptions) -> ReadOptions {
    let record = model.record();
    ReadOptions {
        embeddings_column: options.embeddings_column.clone().or_else(|| record.embeddings_column.clone()),
        label_hint: record.label_column.clone(),
        feature_names: record.feature_names.clone(),
        weight_column: options.weight_column.clone().or_else(|| record.weight_column.clone()),
        ..options.clone()
    }
}

/// The features of a table, as far as a model depends on them.
pub(crate) struct Features<'a> {
    path: &'a Path,
    n_features: usize,
    names: Vec<String>,
}

impl<'a> Features<'a> {
    pub(crate) fn of(table: &'a Table) -> Features<'a> {
        let names = table.feature_names().unwrap_or_default();
        Features { path: table.path(), n_features: table.n_features(), names }
    }

    pub(crate) fn of_stream(stream: &'a TableStream) -> Features<'a> {
        let names = stream.feature_names().unwrap_or_default();
        Features { path: stream.path(), n_features: stream.n_features(), names }
    }
}

/// Refuses a table whose features differ from those that `model` was fitted on, in number, names or order.
pub(crate) fn refuse_other_features(model: &Model, features: &Features<'_>) -> Result<()> {
    let (expected, found) = (&model.record().feature_names, &features.names);
    let path = features.path.display();
    if features.n_features != model.n_features() {
        let (n, wanted) = (features.n_features, model.n_features());
        let which = match (found.first(), found.last()) {
            (Some(first), Some(last)) => format!(" (columns \"{first}\" to \"{last}\")"),
            _ => String::new(),
        };
        return Err(Error::data(format!(
            "{path}: {n} features a row{which}, expected {wanted} as the model was fitted on"
        )));
    }
    let differing = expected.iter().zip(found).position(|(a, b)| a != b);
    match differing.filter(|_| expected.len() == found.len()) {
        Some(i) => Err(Error::data(format!(
            "{path}: its features have other names or another order than those the model was fitted on: feature {} is \
             \"{}\", expected \"{}\"",
            i + 1,
            found[i],
            expected[i]
        ))),
        None => Ok(()),
    }
}

/// The earlier uses of exactly these rows when the model was made.
pub(crate) fn used_before(model: &Model, table: &TableReport) -> Vec<String> {
    let record = model.record();
    let same = record.data.iter().find(|data| data.fingerprint == table.fingerprint);
    match same.map(|data| data.role.as_str()) {
        Some("train") => vec![judge::WEIGHTS.to_owned()],
        Some("val") => record.selected_on.clone(),
        _ => Vec::new(),
    }
}
