//! Labels in separate files: one for each row of the features, in the same order.
//!
//! The features are read first, then the labels, by the same readers. They are joined by each row's position among all
//! rows of its files, so a bad row on one side also drops its counterpart.

mod file;
mod names;
mod positions;

pub(crate) use names::label_paths;
pub(crate) use positions::RowPositions;

use crate::columns::Role;
use crate::features::Features;
use crate::labels::LabelBuilder;
use crate::rows::NO_LABEL;
use crate::source::Source;
use crate::storage;
use crate::table::Contents;
use crate::{Error, Files, Finding, LabelSource, Labels, ReadOptions, Result, RowLocation, Severity, join};
use headsmith_kernels::Pool;
use std::path::{Path, PathBuf};

/// The files of a table's labels, and the options for reading them.
#[derive(Debug)]
pub(crate) struct LabelFiles {
    pub(crate) sources: Vec<Source>,
    pub(crate) options: ReadOptions,
}

impl LabelFiles {
    /// The labels of a table that is read with `options`.
    ///
    /// # Errors
    /// If a file cannot be read, or a folder has none.
    pub(crate) fn new(files: &Files, options: &ReadOptions) -> Result<LabelFiles> {
        let paths = files.paths()?;
        let sources = paths.iter().map(|path| Source::at(path).map_err(|error| error.at(path)));
        Ok(LabelFiles { sources: sources.collect::<Result<_>>()?, options: file::options(options) })
    }

    /// Adds the labels to the rows of `contents`.
    ///
    /// # Errors
    /// If the labels cannot be read, or their number differs from that of the rows.
    pub(crate) fn attach(
        &self,
        contents: &mut Contents,
        features: &mut dyn Features,
        options: &ReadOptions,
        pool: &Pool,
    ) -> Result<()> {
        let mut labels = Vec::new();
        for (i, source) in self.sources.iter().enumerate() {
            let n_rows = match self.sources.len() {
                1 => Some(contents.positions.n_rows()),
                n if n == contents.parts.len() => contents.positions.n_rows_of(i),
                _ => None,
            };
            let read = file::read(source, n_rows, &self.options, pool);
            labels.push(read.map_err(|error| error.at(source.path()))?);
        }
        attach(contents, join::join(self.sources[0].path(), labels), features, options)
    }
}

/// The options for reading a table whose labels are in separate files.
pub(crate) fn options_of_features(options: &ReadOptions) -> ReadOptions {
    ReadOptions { labels: LabelSource::Beside, label_column: None, ..options.clone() }
}

/// If the file `source` is an array without labels, adds those of a file beside it, if there is one.
///
/// # Errors
/// If the labels cannot be read, or their number differs from that of the rows; never for placeholders.
pub(crate) fn attach_found(
    source: &Source,
    contents: &mut Contents,
    features: &mut dyn Features,
    options: &ReadOptions,
    pool: &Pool,
) -> Result<()> {
    let part = &contents.parts[0];
    let has_labels = contents.labels.is_some() || part.columns.label.is_some();
    let path = match source {
        Source::File(_) | Source::Object(_) => source.path(),
        Source::Bytes(..) => return Ok(()),
    };
    if options.labels != LabelSource::Within || has_labels || !part.format.is_arrays() {
        return Ok(());
    }
    let found: Vec<PathBuf> = label_paths(path).into_iter().filter(|path| storage::exists(path)).collect();
    let Some(first) = found.first() else { return Ok(()) };
    let n_rows = Some(contents.positions.n_rows());
    let read =
        Source::at(first).and_then(|labels| file::read(&labels, n_rows, &file::options(options), pool));
    let read = read.map_err(|error| error.at(first));
    if options.placeholder_labels {
        let whole = |labels: &Contents| labels.labels.is_some() && labels.positions == contents.positions;
        return read.ok().filter(whole).map_or(Ok(()), |labels| attach(contents, labels, features, options));
    }
    attach(contents, read?, features, options)?;
    contents.warnings.extend(also_there(&found, path));
    Ok(())
}

/// Reports files with the name of labels that were not used.
fn also_there(found: &[PathBuf], table: &Path) -> Option<Finding> {
    let [first, others @ ..] = found else { return None };
    let others: Vec<String> = others.iter().map(|path| shown(path)).collect();
    let message = format!(
        "the labels are those in {}; they could also be those in {}: choose with --labels",
        shown(first),
        others.join(", ")
    );
    (!others.is_empty()).then(|| warning("label-column", table, message))
}

fn warning(code: &'static str, table: &Path, message: String) -> Finding {
    let (severity, table) = (Severity::Warning, table.display().to_string());
    Finding { severity, code, table, message, count: 1, places: Vec::new() }
}

/// A file's name without its folder.
pub(crate) fn shown(path: &Path) -> String {
    path.file_name().map_or(path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// The name of the label files as a group.
fn group_name(labels: &Contents) -> String {
    match &labels.parts[..] {
        [part] => part.source.path().display().to_string(),
        [first, .., last] => {
            let [first, last] = [first, last].map(|part| part.source.path().display());
            format!("{first} to {last} ({} files)", labels.parts.len())
        }
        [] => String::new(),
    }
}

/// Adds to each row of `contents` the label at the same position in `labels`.
fn attach(
    contents: &mut Contents,
    labels: Contents,
    features: &mut dyn Features,
    options: &ReadOptions,
) -> Result<()> {
    let (n_rows, n_labels) = (contents.positions.n_rows(), labels.positions.n_rows());
    if n_rows != n_labels {
        return Err(not_as_many(n_rows, &labels));
    }
    let Some(own) = &labels.labels else {
        return Err(Error::labels(format!("there are no labels in {}", group_name(&labels))));
    };
    let codes = contents.positions.matched(&labels.positions, own.codes());
    let keep: Vec<bool> = codes.iter().map(|&code| code != NO_LABEL).collect();
    let n_kept = keep.iter().filter(|&&keep| keep).count();
    if n_kept == 0 {
        let what = format!("none of the rows that can be read has a label in {}", group_name(&labels));
        return Err(Error::labels(what));
    }
    if n_kept < keep.len() {
        features.retain(&keep, contents.n_features)?;
        contents.retain(&keep);
        contents.n_skipped += keep.len() - n_kept;
    }
    let mut gathering = LabelBuilder::default();
    gathering.add(own.names(), &codes);
    gathering.retain_labelled();
    // Findings about the labels were reported when they were read.
    let (attached, _) = gathering.finish(own.column(), "", |_| RowLocation::whole());
    add_findings(contents, &labels, options);
    name_label(contents, &attached, options);
    contents.labels = Some(attached);
    contents.labels_from = labels.parts.iter().map(|part| part.source.path().to_owned()).collect();
    Ok(())
}

fn not_as_many(n_rows: usize, labels: &Contents) -> Error {
    let blank = labels.warnings.iter().filter(|finding| finding.code == "blank-lines");
    let blank = match blank.map(|finding| finding.count).sum::<usize>() {
        0 => String::new(),
        1 => " (1 blank line is not counted)".to_owned(),
        n => format!(" ({n} blank lines are not counted)"),
    };
    let what = format!(
        "{n_rows} rows of features and {} labels in {}{blank}",
        labels.positions.n_rows(),
        group_name(labels)
    );
    Error::labels(what).with_hint("save both from the same rows")
}

/// Adds the findings about the labels, and reports labels in the table itself that are ignored.
fn add_findings(contents: &mut Contents, labels: &Contents, options: &ReadOptions) {
    let several = labels.parts.len() > 1;
    let file = labels.parts[0].source.path();
    let of_file = |finding: &Finding| {
        let message =
            if several { finding.message.clone() } else { format!("{}: {}", shown(file), finding.message) };
        let places = finding.places.iter().map(|location| location.clone().in_file(file)).collect();
        Finding { message, places, ..finding.clone() }
    };
    contents.warnings.extend(labels.warnings.iter().map(of_file));
    let own = contents.parts[0].columns.label.clone();
    if let (Some(own), LabelSource::Beside) = (own, options.labels) {
        let message = format!(
            "the labels are those in {}: column \"{own}\" of the table is ignored",
            group_name(labels)
        );
        contents.warnings.push(warning("label-column", contents.parts[0].source.path(), message));
    }
}

/// Adds the label to the columns of an array, which have no names.
fn name_label(contents: &mut Contents, labels: &Labels, options: &ReadOptions) {
    for part in &mut contents.parts {
        part.columns.placeholders = options.placeholder_labels;
        if part.format.is_arrays() && part.columns.label.is_none() {
            part.columns.label = Some(labels.column().to_owned());
            part.columns.names.push(labels.column().to_owned());
            part.columns.roles.push(Role::Label);
        }
    }
}
