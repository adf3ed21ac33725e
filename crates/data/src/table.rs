//! A table of embeddings and labels, as in its file.

use crate::beside::{self, RowPositions};
use crate::columns::{Columns, Role};
use crate::format::Format;
use crate::gather::RowNumbers;
use crate::row_location::FileRowLocations;
use crate::source::{Compression, Source};
use crate::{Finding, Labels, ReadOptions, RowLocation, RowLocations};
use headsmith_kernels::{MatRef, Matrix};
use std::path::{Path, PathBuf};

/// A table of embeddings, perhaps with labels, that [`read`](crate::read) read from one file or
/// [`read_files`](crate::read_files) from several.
#[derive(Debug)]
pub struct Table {
    /// The name of its files as a group.
    pub(crate) name: PathBuf,
    /// Its files, at least one.
    pub(crate) parts: Vec<Part>,
    pub(crate) labels_from: Vec<PathBuf>,
    pub(crate) words: String,
    pub(crate) options: ReadOptions,
    pub(crate) x: Matrix,
    pub(crate) labels: Option<Labels>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) n_skipped: usize,
    pub(crate) cache_renewed: Option<String>,
}

/// One file of a table: its path, its format, and the rows that the table has of it.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) source: Source,
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    pub(crate) columns: Columns,
    pub(crate) numbers: RowNumbers,
}

/// The contents of a table except for its features.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) parts: Vec<Part>,
    pub(crate) n_features: usize,
    pub(crate) labels: Option<Labels>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) n_skipped: usize,
    /// The files of its labels, if they are separate.
    pub(crate) labels_from: Vec<PathBuf>,
    /// The positions of its rows in the files; empty for rows from a cache file.
    pub(crate) positions: RowPositions,
}

impl Contents {
    pub(crate) fn n_rows(&self) -> usize {
        self.parts.iter().map(|part| part.numbers.n_rows()).sum()
    }

    /// Drops rows, except their features and labels.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut rest = keep;
        for part in &mut self.parts {
            let (own, others) = rest.split_at(part.numbers.n_rows().min(rest.len()));
            part.numbers = part.numbers.retained(own);
            rest = others;
        }
        self.positions.retain(keep);
    }
}

impl Table {
    pub(crate) fn new(name: &Path, options: &ReadOptions, contents: Contents, x: Matrix) -> Table {
        let Contents { parts, n_features: _, labels, warnings, n_skipped, labels_from, positions: _ } =
            contents;
        Table {
            name: name.to_owned(),
            words: words(&parts, &labels_from),
            parts,
            labels_from,
            options: options.clone(),
            x,
            labels,
            warnings,
            n_skipped,
            cache_renewed: None,
        }
    }

    /// The file it was read from; for several files, their name as a group.
    pub fn path(&self) -> &Path {
        &self.name
    }

    /// The files it was read from, in the order of its rows.
    pub fn files(&self) -> Vec<&Path> {
        self.parts.iter().map(|part| part.source.path()).collect()
    }

    /// The files of its labels, if they are separate.
    pub fn label_files(&self) -> &[PathBuf] {
        &self.labels_from
    }

    /// The columns of its first file.
    pub(crate) fn columns(&self) -> &Columns {
        &self.parts[0].columns
    }

    /// The file's format for display: `CSV, gzip, lists in column "embeddings"`, and the label file if it is separate.
    pub fn format(&self) -> &str {
        &self.words
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.x.n_rows()
    }

    /// The number of features of each row.
    pub fn n_features(&self) -> usize {
        self.x.n_cols()
    }

    /// The features, `n_rows x n_features`, all finite.
    pub fn x(&self) -> MatRef<'_> {
        self.x.view()
    }

    /// The labels, if the table has any.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// The name of the column of lists, if the features are in one.
    pub fn embeddings_column(&self) -> Option<&str> {
        self.columns().embeddings()
    }

    /// The names of the features, if each has its own column.
    pub fn feature_names(&self) -> Option<Vec<String>> {
        self.columns().feature_names()
    }

    /// Whether its first file has a column with this name, whatever its role.
    pub fn has_column(&self, name: &str) -> bool {
        self.columns().has(name)
    }

    /// The location of row `row` (from 0) in its file.
    ///
    /// # Panics
    /// If the table has no such row.
    pub fn location(&self, row: usize) -> RowLocation {
        let mut before = 0;
        for part in &self.parts {
            if row - before < part.numbers.n_rows() {
                let location = part.format.numbering().location(part.numbers.get(row - before));
                return if self.parts.len() > 1 { location.in_file(part.source.path()) } else { location };
            }
            before += part.numbers.n_rows();
        }
        panic!("row {row} of a table of {before} rows");
    }

    /// The locations of all rows in their files, independent of the table.
    pub fn locations(&self) -> RowLocations {
        let several = self.parts.len() > 1;
        let of = |part: &Part| FileRowLocations {
            file: several.then(|| part.source.path().to_owned()),
            numbering: part.format.numbering(),
            numbers: part.numbers.clone(),
        };
        RowLocations { files: self.parts.iter().map(of).collect() }
    }

    /// The reader's warnings.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The number of rows left out because they could not be read.
    pub fn n_skipped(&self) -> usize {
        self.n_skipped
    }

    /// The reason why the existing cache file could not be used and was written again, if that happened.
    pub fn cache_renewed(&self) -> Option<&str> {
        self.cache_renewed.as_deref()
    }
}

/// The format for display: that of all files if it is the same, else of the first.
pub(crate) fn words(parts: &[Part], labels_from: &[PathBuf]) -> String {
    let Some(Part { format, compression, columns, .. }) = parts.first() else { return String::new() };
    let layout = match columns.position(Role::Embeddings) {
        Some(_) if format.is_arrays() => "an array of features".to_owned(),
        Some(column) => format!("lists in column \"{}\"", columns.names[column]),
        None => "one column for each feature".to_owned(),
    };
    let packed = match compression {
        Compression::Plain => "",
        Compression::Gzip => ", gzip",
        Compression::Zstd => ", zstd",
        Compression::Zip => ", zip",
    };
    let several = if parts.len() > 1 { format!("{} files, ", parts.len()) } else { String::new() };
    let labels = match labels_from {
        [] => String::new(),
        [file] => format!(", labels in {}", beside::shown(file)),
        files => format!(", labels in {} files", files.len()),
    };
    format!("{several}{}{packed}, {layout}{labels}", format.name())
}
