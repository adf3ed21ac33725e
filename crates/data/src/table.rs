//! A table of embeddings and labels, as it stands in its file.

use crate::beside::{self, Kept};
use crate::columns::{Columns, Role};
use crate::format::Format;
use crate::gather::Numbers;
use crate::place::FilePlaces;
use crate::source::{Compression, Source};
use crate::{Finding, Labels, Place, Places, ReadOptions};
use headsmith_kernels::{MatRef, Matrix};
use std::path::{Path, PathBuf};

/// A table of embeddings, perhaps with labels, as [`read`](crate::read) it from a file or
/// [`read_files`](crate::read_files) from several.
#[derive(Debug)]
pub struct Table {
    /// What its files were called together.
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

/// One file of a table: where and what it is, and which of its rows the table has.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) source: Source,
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    pub(crate) columns: Columns,
    pub(crate) numbers: Numbers,
}

/// What is in a table beside its features.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) parts: Vec<Part>,
    pub(crate) n_features: usize,
    pub(crate) labels: Option<Labels>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) n_skipped: usize,
    /// The files of its labels, if they are separate.
    pub(crate) labels_from: Vec<PathBuf>,
    /// Which rows of its files these are; nothing where they come from a cache file.
    pub(crate) kept: Kept,
}

impl Contents {
    pub(crate) fn n_rows(&self) -> usize {
        self.parts.iter().map(|part| part.numbers.n_rows()).sum()
    }

    /// Leaves out rows, but for their features and labels.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut rest = keep;
        for part in &mut self.parts {
            let (own, others) = rest.split_at(part.numbers.n_rows().min(rest.len()));
            part.numbers = part.numbers.retained(own);
            rest = others;
        }
        self.kept.retain(keep);
    }
}

impl Table {
    pub(crate) fn new(name: &Path, options: &ReadOptions, contents: Contents, x: Matrix) -> Table {
        let Contents { parts, n_features: _, labels, warnings, n_skipped, labels_from, kept: _ } = contents;
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

    /// The file it was read from; of several files, what they were called together.
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

    /// What the columns are; of several files, those of the first.
    pub(crate) fn columns(&self) -> &Columns {
        &self.parts[0].columns
    }

    /// The file's format in words for a person: `CSV, gzip, lists in column "embeddings"`, and the file of its labels where
    /// they stand in another.
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

    /// The labels, when the table has any.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// The name of the column of lists, when the features stand in one.
    pub fn embeddings_column(&self) -> Option<&str> {
        let column = self.columns().position(Role::Embeddings)?;
        Some(&self.columns().names[column])
    }

    /// The names of the features, when each has a column of its own.
    pub fn feature_names(&self) -> Option<Vec<String>> {
        let names = self.columns().features();
        (!names.is_empty()).then_some(names)
    }

    /// Whether its first file has a column of this name, of whatever use.
    pub fn has_column(&self, name: &str) -> bool {
        self.columns().names.iter().any(|other| other == name)
    }

    /// Where row `row` (from 0) stands in its file.
    ///
    /// # Panics
    /// When the table has no such row.
    pub fn place(&self, row: usize) -> Place {
        let mut before = 0;
        for part in &self.parts {
            if row - before < part.numbers.n_rows() {
                let place = part.format.numbering().place(part.numbers.get(row - before));
                return if self.parts.len() > 1 { place.in_file(part.source.path()) } else { place };
            }
            before += part.numbers.n_rows();
        }
        panic!("row {row} of a table of {before} rows");
    }

    /// Where all rows stand in their files, without the table.
    pub fn places(&self) -> Places {
        let several = self.parts.len() > 1;
        let of = |part: &Part| FilePlaces {
            file: several.then(|| part.source.path().to_owned()),
            numbering: part.format.numbering(),
            numbers: part.numbers.clone(),
        };
        Places { files: self.parts.iter().map(of).collect() }
    }

    /// What the reader accepted but has to say.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The number of rows left out because they could not be read.
    pub fn n_skipped(&self) -> usize {
        self.n_skipped
    }

    /// Why the cache file that stood where the table's has to stand was no good and was written anew, if one did.
    pub fn cache_renewed(&self) -> Option<&str> {
        self.cache_renewed.as_deref()
    }
}

/// The format in words: of all files when they are the same, else of the first.
fn words(parts: &[Part], labels_from: &[PathBuf]) -> String {
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
