//! Predictions beside the rows they were made for: `submission.csv`.
//!
//! The other cells are not held in memory with the table: they are read again from its file, and every row is held
//! against the features that were predicted on before it is written.

mod source;

use crate::columns::{Role, quoted};
use crate::output::{is_standard_output, write_atomically};
use crate::{Classes, Error, Result, Table};
use headsmith_kernels::MatRef;
use std::io::{self, Write};
use std::path::Path;

/// What was predicted for the rows of a table.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    /// The classes.
    pub classes: &'a Classes,
    /// The class of each row, an index into `classes.names()`.
    pub predicted: &'a [u32],
    /// The probabilities, `n_rows x n_classes`.
    pub probabilities: MatRef<'a>,
}

/// Which columns of the input stand in the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Columns {
    /// All, in their order, as they stood.
    #[default]
    All,
    /// The label alone.
    LabelOnly,
}

/// How predictions are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Which columns of the input stand in the output.
    pub columns: Columns,
    /// Whether to add one column of probabilities for each class, named by the class.
    pub proba: bool,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The rows written.
    pub n_rows: usize,
    /// The rows of the input left out because they could not be read and have no prediction.
    pub n_left_out: usize,
    /// The columns of the input left out because they hold neither numbers nor text.
    pub columns_left_out: Vec<String>,
}

/// Writes a CSV of the table's own columns with the label column filled (added last when the table has none), and
/// no row index. Cells of a CSV keep their bytes; lists from other formats are written as Python literals of the
/// shortest numbers that read back as the same `f32`.
///
/// # Errors
/// When the table's file cannot be read again or is no longer what it was, when a class has the name of a column
/// and probabilities are wanted, or when the output cannot be written.
///
/// # Panics
/// When the predictions are not those of as many rows as the table has.
pub fn write(
    path: &Path,
    table: &Table,
    predictions: Predictions<'_>,
    options: WriteOptions,
) -> Result<Written> {
    assert_eq!(predictions.predicted.len(), table.n_rows(), "one prediction a row");
    assert_eq!(predictions.probabilities.n_rows(), table.n_rows(), "one row of probabilities a row");
    refuse_name_twice(table, predictions.classes, options)?;
    let one_hot = match options.columns {
        Columns::All => one_hot_classes(table, predictions.classes)?,
        Columns::LabelOnly => Vec::new(),
    };
    let mut failure = None;
    let mut columns_left_out = Vec::new();
    let written = write_atomically(path, |out| {
        let sheet = Sheet { table, predictions, options, one_hot };
        let result = match options.columns {
            Columns::LabelOnly => sheet.write_labels(out),
            Columns::All => source::write(&sheet, out).map(|left_out| columns_left_out = left_out),
        };
        result.map_err(|error| match error {
            Stopped::Output(error) => error,
            Stopped::Input(error) => {
                failure = Some(error.at(table.path()));
                io::Error::other("the input failed")
            }
        })
    });
    match failure {
        Some(error) => Err(error),
        None => written.map(|()| Written {
            n_rows: table.n_rows(),
            n_left_out: table.n_skipped(),
            columns_left_out,
        }),
    }
}

fn refuse_name_twice(table: &Table, classes: &Classes, options: WriteOptions) -> Result<()> {
    let label = label_name(table);
    let added = options.columns == Columns::All && table.columns().label.is_none();
    if added && table.columns().names.iter().any(|name| name == label) {
        let what = format!(
            "the labels cannot be written to column \"{label}\", which holds neither text nor numbers"
        );
        return Err(Error::column(what)
            .at(table.path())
            .with_hint("write the label alone, or rename the column"));
    }
    let taken = |class: &&String| match options.columns {
        Columns::LabelOnly => **class == label,
        Columns::All => **class == label || table.columns().names.contains(class),
    };
    let clashes: Vec<&String> = classes.names().iter().filter(taken).collect();
    if !options.proba || clashes.is_empty() {
        return Ok(());
    }
    let what = format!(
        "the columns of probabilities would have the names of columns there are: {}",
        quoted(clashes)
    );
    Err(Error::column(what).at(table.path()).with_hint("write the label alone, or rename the columns"))
}

/// The class of each one-hot column; an error unless every class has one column.
fn one_hot_classes(table: &Table, classes: &Classes) -> Result<Vec<u32>> {
    let found = &table.columns().one_hot;
    let known: Vec<u32> = classes.classes_of(found).into_iter().flatten().collect();
    let mut sorted = known.clone();
    sorted.sort_unstable();
    if found.is_empty() || known.len() == found.len() && sorted.into_iter().eq(0..classes.len() as u32) {
        return Ok(known);
    }
    let prefix = label_name(table);
    let what = format!(
        "the one-hot columns \"{prefix}_..\" cannot hold the predictions: expected a column for each of the model's \
         classes {}, found those of {}",
        quoted(classes.names()),
        quoted(found)
    );
    let hint = format!("name them \"{prefix}_CLASS\" for these classes, or write the label alone");
    Err(Error::column(what).at(table.path()).with_hint(hint))
}

/// The name of the label column of the output.
fn label_name(table: &Table) -> &str {
    table.columns().label.as_deref().unwrap_or_else(|| table.options.added_label())
}

/// Why writing ended early.
enum Stopped {
    Input(Error),
    Output(io::Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        Stopped::Input(error)
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Stopped {
        Stopped::Output(error)
    }
}

/// The rows of a table and what is to be written of them.
struct Sheet<'a> {
    table: &'a Table,
    predictions: Predictions<'a>,
    options: WriteOptions,
    /// For each one-hot column, its class.
    one_hot: Vec<u32>,
}

impl Sheet<'_> {
    fn write_labels(&self, out: &mut dyn Write) -> std::result::Result<(), Stopped> {
        write_text(out, label_name(self.table))?;
        self.write_proba_names(out)?;
        for row in 0..self.table.n_rows() {
            write_text(out, self.class(row))?;
            self.write_proba(out, row)?;
        }
        Ok(())
    }

    fn class(&self, row: usize) -> &str {
        &self.predictions.classes.names()[self.predictions.predicted[row] as usize]
    }

    /// The cell of a label or one-hot column.
    fn write_label(&self, out: &mut dyn Write, role: Role, row: usize) -> io::Result<()> {
        match role {
            Role::OneHot(k) => {
                let is = self.one_hot.get(k as usize) == Some(&self.predictions.predicted[row]);
                out.write_all(if is { b"1" } else { b"0" })
            }
            _ => write_text(out, self.class(row)),
        }
    }

    fn write_proba_names(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.options.proba {
            for class in self.predictions.classes.names() {
                out.write_all(b",")?;
                write_text(out, class)?;
            }
        }
        out.write_all(b"\n")
    }

    fn write_proba(&self, out: &mut dyn Write, row: usize) -> io::Result<()> {
        if self.options.proba {
            for probability in self.predictions.probabilities.row(row) {
                write!(out, ",{probability:?}")?;
            }
        }
        out.write_all(b"\n")
    }

    /// Ends with an error unless `x` are the features that row `row` was predicted on.
    fn check_row(&self, row: usize, x: &[f32]) -> Result<()> {
        let same = row < self.table.n_rows() && {
            let known = self.table.x().row(row);
            known.len() == x.len() && known.iter().zip(x).all(|(a, b)| a.to_bits() == b.to_bits())
        };
        if same { Ok(()) } else { Err(changed()) }
    }
}

fn changed() -> Error {
    Error::format("the file changed while it was worked on: its rows are no longer those that were predicted")
        .with_hint("run again")
}

/// Writes a field, in quotes when it needs them.
fn write_text(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let plain = !text.is_empty() && !text.contains(['"', ',', '\n', '\r']);
    if plain { out.write_all(text.as_bytes()) } else { write!(out, "\"{}\"", text.replace('"', "\"\"")) }
}

/// Zips the file `csv` as the one entry `submission.csv`; the same bytes for the same content.
///
/// # Errors
/// When `csv` cannot be read or is no file (a pipe gives nothing back), or `path` cannot be written.
pub fn zip(csv: &Path, path: &Path) -> Result<()> {
    let metadata = std::fs::metadata(csv).map_err(|error| Error::io(csv, error))?;
    if !metadata.is_file() || is_standard_output(csv) {
        let what = "what was written to a pipe or a device cannot be zipped";
        return Err(Error::format(what).at(csv).with_hint("write the predictions to a file"));
    }
    let content = std::fs::read(csv).map_err(|error| Error::io(csv, error))?;
    write_atomically(path, |out| out.write_all(&zipped(&content)?))
}

fn zipped(content: &[u8]) -> io::Result<Vec<u8>> {
    use zip::write::{SimpleFileOptions, ZipWriter};
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    // The default time stamp is fixed: 1 January 1980, the first there is in a zip.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644)
        .large_file(content.len() as u64 > u64::from(u32::MAX) / 2);
    zip.start_file("submission.csv", options)?;
    zip.write_all(content)?;
    Ok(zip.finish()?.into_inner())
}
