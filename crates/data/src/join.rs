//! Joins the contents of several files into one table.

use crate::beside::RowPositions;
use crate::columns::{Columns, Role, quoted};
use crate::format::Format;
use crate::labels::LabelBuilder;
use crate::table::{Contents, Part};
use crate::{Error, Finding, Labels, ReadOptions, Result};
use std::collections::HashSet;
use std::path::Path;

/// The options for reading a further file of a table, with the columns of the first.
pub(crate) fn options_beside(first: Option<&Columns>, options: &ReadOptions) -> ReadOptions {
    let Some(columns) = first else { return options.clone() };
    let lists = columns.position(Role::Embeddings).map(|column| columns.names[column].clone());
    ReadOptions {
        embeddings_column: options.embeddings_column.clone().or(lists),
        label_hint: columns.label.clone().or_else(|| options.label_hint.clone()),
        feature_names: columns.features(),
        ..options.clone()
    }
}

/// The columns of a file.
#[derive(Debug)]
pub(crate) struct FileShape<'a> {
    pub(crate) format: Format,
    pub(crate) columns: &'a Columns,
    pub(crate) n_features: usize,
}

impl<'a> FileShape<'a> {
    fn of(contents: &'a Contents) -> FileShape<'a> {
        let Part { format, columns, .. } = &contents.parts[0];
        FileShape { format: *format, columns, n_features: contents.n_features }
    }
}

/// Refuses a file whose columns differ from those of the first.
///
/// # Errors
/// If the columns, the number of features or the labels differ.
pub(crate) fn refuse_difference(first: &Contents, other: &Contents) -> Result<()> {
    let path = first.parts[0].source.path();
    refuse_other_shape(path, &FileShape::of(first), &FileShape::of(other))?;
    if first.labels.is_some() != other.labels.is_some() && !first.parts[0].columns.placeholders {
        let (with, without) = if first.labels.is_some() { ("", "no ") } else { ("no ", "") };
        let what = format!("it has {without}labels; {} has {with}labels", path.display());
        return Err(Error::labels(what).with_hint("the files of one table have all labels, or none has"));
    }
    Ok(())
}

/// Refuses a file whose columns differ from those of the first, which is at `path`.
///
/// # Errors
/// If the columns or the number of features differ.
pub(crate) fn refuse_other_shape(path: &Path, a: &FileShape<'_>, b: &FileShape<'_>) -> Result<()> {
    let path = path.display();
    let hint = "the files of one table must have the same columns: name files of one table alone";
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        let there: HashSet<&String> = from.iter().collect();
        of.iter().filter(|name| !there.contains(name)).cloned().collect()
    };
    if a.format == b.format {
        let lacks = missing(&b.columns.names, &a.columns.names);
        let more = missing(&a.columns.names, &b.columns.names);
        let parts = [(lacks, "lacks"), (more, "also has")].map(|(names, word)| {
            if names.is_empty() { String::new() } else { format!(" {word} {}", quoted(&names)) }
        });
        if parts.iter().any(|part| !part.is_empty()) {
            let parts: Vec<&str> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
            let what = format!("its columns are not those of {path}: it{}", parts.join(" and"));
            return Err(Error::column(what).with_hint(hint));
        }
    }
    if a.n_features != b.n_features {
        let what = format!("{} features a row; {path} has {}", b.n_features, a.n_features);
        return Err(Error::format(what).with_hint(hint));
    }
    Ok(())
}

/// Joins the contents of files in their order.
pub(crate) fn join(name: &Path, mut contents: Vec<Contents>) -> Contents {
    if contents.len() == 1 {
        return contents.remove(0);
    }
    let labels = labels(name, &contents);
    let warnings = warnings(name, &contents);
    let n_features = contents.first().map_or(0, |first| first.n_features);
    let n_skipped = contents.iter().map(|contents| contents.n_skipped).sum();
    let mut positions = RowPositions::default();
    contents.iter().for_each(|contents| positions.append(&contents.positions));
    let labels_from = contents.iter().flat_map(|contents| contents.labels_from.iter().cloned()).collect();
    let parts = contents.into_iter().flat_map(|contents| contents.parts).collect();
    Contents { parts, n_features, labels, warnings, n_skipped, labels_from, positions }
}

/// The labels of all files; `None` if one has none.
fn labels(name: &Path, contents: &[Contents]) -> Option<Labels> {
    let mut gathering = LabelBuilder::default();
    for contents in contents {
        let labels = contents.labels.as_ref()?;
        gathering.add(labels.names(), labels.codes());
    }
    let column = contents.first()?.labels.as_ref()?.column();
    // Findings about a file's labels were reported when it was read.
    let (labels, _) = gathering.finish(column, &name.display().to_string(), |_| crate::RowLocation::whole());
    Some(labels)
}

/// The warnings of all files, with the files' names; equal warnings of several files are merged.
fn warnings(name: &Path, contents: &[Contents]) -> Vec<Finding> {
    let mut warnings: Vec<(Finding, usize)> = Vec::new();
    for contents in contents {
        let file = contents.parts[0].source.path();
        for finding in &contents.warnings {
            let same = |(other, _): &&mut (Finding, usize)| {
                other.code == finding.code && other.message.ends_with(&format!(": {}", finding.message))
            };
            if let Some((_, n_files)) = warnings.iter_mut().find(same) {
                *n_files += 1;
                continue;
            }
            let message = format!("{}: {}", file.display(), finding.message);
            let places = finding.places.iter().map(|location| location.clone().in_file(file)).collect();
            let (table, code, severity) = (name.display().to_string(), finding.code, finding.severity);
            warnings.push((Finding { severity, code, table, message, count: finding.count, places }, 1));
        }
    }
    let with_count = |(finding, n_files): (Finding, usize)| match n_files {
        1 => finding,
        n => Finding { message: format!("{} (and in {} more files)", finding.message, n - 1), ..finding },
    };
    warnings.into_iter().map(with_count).collect()
}
