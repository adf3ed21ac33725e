//! Reads tables in their roles, and checks them before training.

use std::path::{Path, PathBuf};
use std::time::Instant;

use headsmith_data::{Files, Finding, ReadOptions, Severity, Table, checks};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::report::{ClassCount, TableReport};

/// A table with its role and its report.
#[derive(Debug)]
pub struct RoleTable {
    /// `train`, `val`, `test` or `data`.
    pub role: String,
    /// The rows.
    pub table: Table,
    /// Its report.
    pub report: TableReport,
}

/// Reads the table in `files`: a path, or several files, folders and globs; its labels may be in separate files.
///
/// # Errors
/// Those of [`headsmith_data::read_files`].
pub fn read(
    role: &str,
    files: impl Into<Files>,
    options: &ReadOptions,
    context: &mut Context<'_>,
) -> Result<RoleTable> {
    let files = files.into();
    let path = PathBuf::from(files.to_string());
    context.emit(&Progress::Reading { role, path: &path });
    let start = Instant::now();
    let table = headsmith_data::read_files(&files, options, context.pool)?;
    let seconds = start.elapsed().as_secs_f64();
    let mut table = of_table(role, table, options, seconds);
    table.report.path = path.display().to_string();
    if let Some(why) = table.table.cache_renewed() {
        context.warn(&format!("{why}: rewritten"));
    }
    context.emit(&Progress::Read(&table.report));
    Ok(table)
}

/// A table that was read, or put together of arrays, in `seconds`.
pub fn of_table(role: &str, table: Table, options: &ReadOptions, seconds: f64) -> RoleTable {
    let path = table.path();
    let report = TableReport {
        role: role.to_owned(),
        path: path.display().to_string(),
        files: file_names(&table.files()),
        label_files: table.label_files().iter().map(|file| file.display().to_string()).collect(),
        format: table.format().to_owned(),
        n_rows: table.n_rows(),
        n_features: table.n_features(),
        embeddings_column: table.embeddings_column().map(str::to_owned),
        feature_names: table.feature_names().unwrap_or_default(),
        n_skipped: table.n_skipped(),
        label_column: table.labels().map(|labels| labels.column().to_owned()),
        weight_column: options.weight_column.clone().filter(|column| table.has_column(column)),
        labels: label_counts(&table),
        fingerprint: checks::fingerprint(&table),
        summary: None,
        seconds,
    };
    RoleTable { role: role.to_owned(), table, report }
}

/// The names of several files; none for one, which the path of the table names.
pub(crate) fn file_names(files: &[&Path]) -> Vec<String> {
    match files {
        [_] => Vec::new(),
        several => several.iter().map(|file| file.display().to_string()).collect(),
    }
}

/// The options for reading another table than the training table `train`: the same columns, with features matched by
/// name.
pub fn beside(train: &RoleTable, options: &ReadOptions) -> ReadOptions {
    ReadOptions {
        feature_names: train.table.feature_names().unwrap_or_default(),
        label_hint: options.label_hint.clone().or_else(|| train.report.label_column.clone()),
        ..options.clone()
    }
}

/// Checks tables and reports the findings to the view.
pub fn check(tables: &[&RoleTable], context: &mut Context<'_>) -> Vec<Finding> {
    let tables: Vec<(&str, &Table)> = tables.iter().map(|t| (t.role.as_str(), &t.table)).collect();
    let findings = checks::inspect(&tables, context.pool);
    findings.iter().for_each(|finding| context.emit(&Progress::Found(finding)));
    findings
}

/// Returns an error if the checks found one.
///
/// # Errors
/// The messages of all errors, one per line.
pub fn refuse_errors(findings: &[Finding]) -> Result<()> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let messages: Vec<String> = errors.map(ToString::to_string).collect();
    if messages.is_empty() { Ok(()) } else { Err(Error::data(messages.join("\nerror: "))) }
}

fn label_counts(table: &Table) -> Vec<ClassCount> {
    let Some(labels) = table.labels() else { return Vec::new() };
    let pairs = labels.names().iter().zip(labels.counts());
    pairs.map(|(class, count)| ClassCount { class: class.clone(), count }).collect()
}
