//! A file to a table: which format it is in, and the reader for it.

use crate::columns::{self, Columns, Role, quoted};
use crate::csv;
use crate::format::{self, Format};
use crate::gather::{Gathered, Numbering, Outline, gather};
use crate::left_out::{self, Numerals};
use crate::npy;
use crate::parquet::{self, Parquet, SharedFile};
use crate::source::{Compression, Source};
use crate::{Error, Finding, ReadOptions, Result, Severity, Table};
use bytes::Bytes;
use headsmith_kernels::Pool;
use std::fs::File;
use std::path::Path;

/// Reads a table: CSV, Parquet, npy or npz, told by its content, each also in gzip or zstd.
///
/// A pipe is read into memory first.
///
/// Rows are parsed in parallel; the table, its warnings and the error are the same for any number of threads.
///
/// # Errors
/// When the file cannot be read or is no table; with [`OnBadRow::Error`](crate::OnBadRow::Error), at its first bad row.
pub fn read(path: &Path, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    read_source(Source::at(path).map_err(|error| error.at(path))?, options, pool)
}

/// Reads a table from the bytes of a file called `name`.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(name: &str, bytes: &[u8], options: &ReadOptions, pool: &Pool) -> Result<Table> {
    read_source(Source::Bytes(name.into(), Bytes::copy_from_slice(bytes)), options, pool)
}

fn read_source(source: Source, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    let path = source.path().to_owned();
    open(source, options, pool).map_err(|error| error.at(&path))
}

fn open(source: Source, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    source.len()?;
    let compression = source.compression()?;
    let format = format::detect(&source.head(compression, format::HEAD_LEN)?)?;
    format::check_extension(source.path(), format, compression != Compression::Plain)?;
    match format {
        Format::Csv => read_csv(source, compression, options, pool),
        Format::Parquet => read_parquet(source, compression, options, pool),
        Format::Npy => {
            read_arrays(npy::open_npy(&source, compression, options)?, source, format, compression, options)
        }
        Format::Npz => {
            read_arrays(npy::open_npz(&source, compression, options)?, source, format, compression, options)
        }
    }
}

fn read_csv(source: Source, compression: Compression, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    let mut text = csv::Text::new(source.open(compression)?);
    let layout = csv::layout(&mut text, options)?;
    let plain = compression == Compression::Plain;
    let expected_rows = if plain { layout.expected_rows(source.len()?) } else { 0 };
    let outline = Outline {
        table: source.path().display().to_string(),
        numbering: Numbering::Lines,
        n_features: layout.n_features,
        label: layout.columns.label.as_deref(),
        placeholders: options.placeholder_labels,
        on_bad_row: options.on_bad_row,
        expected_rows,
    };
    let gathered = gather(csv::Rows::new(text, &layout, pool), &outline)?;
    Ok(table(source, Format::Csv, compression, layout.columns, options, gathered, &[]))
}

fn read_parquet(
    source: Source,
    compression: Compression,
    options: &ReadOptions,
    pool: &Pool,
) -> Result<Table> {
    let parquet = open_parquet(&source, compression, options)?;
    let outline = Outline {
        table: source.path().display().to_string(),
        numbering: Numbering::Rows,
        n_features: parquet.n_features,
        label: parquet.columns.label.as_deref(),
        placeholders: options.placeholder_labels,
        on_bad_row: options.on_bad_row,
        expected_rows: parquet.n_rows,
    };
    let gathered = gather(parquet::Rows::new(&parquet, pool), &outline)?;
    let numerals = parquet::numerals(&parquet)?;
    Ok(table(source, Format::Parquet, compression, parquet.columns, options, gathered, &numerals))
}

/// Opens a Parquet file where it lies; from memory when it is compressed as a whole.
pub(crate) fn open_parquet(
    source: &Source,
    compression: Compression,
    options: &ReadOptions,
) -> Result<Parquet> {
    match (source, compression) {
        (Source::File(path), Compression::Plain) => {
            let file = File::open(path).and_then(SharedFile::new).map_err(|error| Error::io(path, error))?;
            parquet::open(file, options)
        }
        (Source::Bytes(_, bytes), Compression::Plain) => parquet::open(bytes.clone(), options),
        _ => parquet::open(Bytes::from(source.read_all(compression)?), options),
    }
}

fn read_arrays(
    rows: npy::Rows<'_>,
    source: Source,
    format: Format,
    compression: Compression,
    options: &ReadOptions,
) -> Result<Table> {
    let columns = columns::of_arrays(rows.label(), options);
    let outline = Outline {
        table: source.path().display().to_string(),
        numbering: Numbering::Rows,
        n_features: rows.n_features,
        label: columns.label.as_deref(),
        placeholders: options.placeholder_labels,
        on_bad_row: options.on_bad_row,
        expected_rows: rows.n_rows(),
    };
    let gathered = gather(rows, &outline)?;
    Ok(table(source, format, compression, columns, options, gathered, &[]))
}

fn table(
    source: Source,
    format: Format,
    compression: Compression,
    columns: Columns,
    options: &ReadOptions,
    gathered: Gathered,
    numerals: &[Numerals],
) -> Table {
    let numbering = if format == Format::Csv { Numbering::Lines } else { Numbering::Rows };
    let mut warnings = gathered.warnings;
    let name = source.path().display().to_string();
    warnings.extend(index_columns(&name, &columns));
    warnings.extend(left_out::finding(&name, &columns, numerals));
    let words = words(format, compression, &columns);
    Table {
        source,
        compression,
        format,
        words,
        options: options.clone(),
        columns,
        x: gathered.x,
        labels: gathered.labels,
        numbers: gathered.numbers,
        numbering,
        warnings,
        n_skipped: gathered.n_skipped,
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

/// A row index is no feature, although it is a numeric column.
fn index_columns(table: &str, columns: &Columns) -> Option<Finding> {
    let names = columns.with_role(Role::Index);
    let message = match &names[..] {
        [] => return None,
        [name] => format!("column \"{name}\" is taken for a row index and is no feature"),
        _ => format!("columns {} are taken for row indices and are no features", quoted(&names)),
    };
    let table = table.to_owned();
    let (severity, code) = (Severity::Warning, "index-column");
    Some(Finding { severity, code, table, message, count: names.len(), places: Vec::new() })
}
