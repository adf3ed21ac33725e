//! A table of embeddings and labels, as it stands in its file.

use crate::columns::{Columns, Role};
use crate::format::Format;
use crate::gather::Numbers;
use crate::source::{Compression, Source};
use crate::{Finding, Labels, Place, Places, ReadOptions};
use headsmith_kernels::{MatRef, Matrix};
use std::path::Path;

/// A table of embeddings, perhaps with labels, as [`read`](crate::read) it from a file.
#[derive(Debug)]
pub struct Table {
    pub(crate) source: Source,
    pub(crate) compression: Compression,
    pub(crate) format: Format,
    pub(crate) words: String,
    pub(crate) options: ReadOptions,
    pub(crate) columns: Columns,
    pub(crate) x: Matrix,
    pub(crate) labels: Option<Labels>,
    pub(crate) numbers: Numbers,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) n_skipped: usize,
    pub(crate) cache_renewed: Option<String>,
}

/// What is in a table beside its features.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    pub(crate) n_features: usize,
    pub(crate) columns: Columns,
    pub(crate) labels: Option<Labels>,
    pub(crate) numbers: Numbers,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) n_skipped: usize,
}

impl Table {
    pub(crate) fn new(source: Source, options: &ReadOptions, contents: Contents, x: Matrix) -> Table {
        let Contents { format, compression, n_features: _, columns, labels, numbers, warnings, n_skipped } =
            contents;
        Table {
            source,
            compression,
            format,
            words: words(format, compression, &columns),
            options: options.clone(),
            columns,
            x,
            labels,
            numbers,
            warnings,
            n_skipped,
            cache_renewed: None,
        }
    }

    /// The file it was read from.
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    /// The file's format in words for a person: `CSV, gzip, lists in column "embeddings"`.
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
        let column = self.columns.position(Role::Embeddings)?;
        Some(&self.columns.names[column])
    }

    /// The names of the features, when each has a column of its own.
    pub fn feature_names(&self) -> Option<Vec<String>> {
        let names = self.columns.with_role(Role::Feature);
        (!names.is_empty()).then_some(names)
    }

    /// Where row `row` (from 0) stands in the file.
    ///
    /// # Panics
    /// When the table has no such row.
    pub fn place(&self, row: usize) -> Place {
        self.format.numbering().place(self.numbers.get(row))
    }

    /// Where all rows stand in the file, without the table.
    pub fn places(&self) -> Places {
        Places { numbering: self.format.numbering(), numbers: self.numbers.clone() }
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

fn words(format: Format, compression: Compression, columns: &Columns) -> String {
    let layout = match columns.position(Role::Embeddings) {
        Some(_) if matches!(format, Format::Npy | Format::Npz) => "an array of features".to_owned(),
        Some(column) => format!("lists in column \"{}\"", columns.names[column]),
        None => "one column for each feature".to_owned(),
    };
    let packed = match compression {
        Compression::Plain => "",
        Compression::Gzip => ", gzip",
        Compression::Zstd => ", zstd",
    };
    format!("{}{packed}, {layout}", format.name())
}
