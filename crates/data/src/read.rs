//! Reads a file as a table: detects its format and calls the reader for it.

use crate::arrow;
use crate::beside::{self, LabelFiles};
use crate::cache;
use crate::columnar::{ColumnarFile, Scheme};
use crate::columns::{self, Columns, Role, quoted};
use crate::csv::{self, Header};
use crate::features::{AppendedFeatures, Features, FileColumns, InMemory, OtherCells};
use crate::format::{self, Format};
use crate::gather::{Gathered, Outline, RowNumbers, gather};
use crate::join::{self, FileShape};
use crate::left_out::{self, NumericTexts};
use crate::npy;
use crate::parquet::{self, SharedFile};
use crate::predictions::WrittenColumns;
use crate::rows::RowBlock;
use crate::shard::FilePart;
use crate::source::{Compression, Source};
use crate::table::{Contents, Part};
use crate::{Error, Files, Finding, LabelSource, ReadOptions, Result, Severity, Table};
use bytes::Bytes;
use headsmith_kernels::Pool;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Reads a table: CSV and other text tables, JSON, Parquet, Arrow, npy, npz or safetensors, detected by content, each
/// also compressed with gzip, zstd or zip. If `path` is a folder or a glob, works like [`read_files`].
///
/// A pipe is read into memory first. With [`ReadOptions::cache`], the features of a file are mapped from a cache file.
///
/// Rows are parsed in parallel; the table, its warnings and the error are the same for any number of threads.
///
/// # Errors
/// If the file cannot be read or is no table; with [`OnBadRow::Error`](crate::OnBadRow::Error), at its first bad row;
/// if the cache cannot be written.
pub fn read(path: &Path, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    read_files(&path.into(), options, pool)
}

/// Reads one table from all of `files`, in order. Feature columns are matched by name. If label files are given, they
/// hold the labels of the rows, in the same order.
///
/// # Errors
/// As [`read`]; also if a file has other columns than the first, if some have labels and others do not, or if the
/// number of labels differs from that of the rows.
pub fn read_files(files: &Files, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    let (name, sources) = named_sources(files)?;
    let Some(labels) = files.labels() else { return read_sources(&name, (&sources, None), options, pool) };
    let labels = LabelFiles::new(labels, options)?;
    read_sources(&name, (&sources, Some(&labels)), &beside::options_of_features(options), pool)
}

/// The name of the table in `files`, the file's own or one for all of them, and its sources.
pub(crate) fn named_sources(files: &Files) -> Result<(PathBuf, Vec<Source>)> {
    let paths = files.paths()?;
    let name = if paths.len() == 1 { paths[0].clone() } else { files.to_string().into() };
    let at = |path: &PathBuf| Source::at(path).map_err(|error| error.at(path));
    Ok((name, paths.iter().map(at).collect::<Result<Vec<Source>>>()?))
}

/// Reads a table from the bytes of a file with the name `name`.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(name: &str, bytes: &[u8], options: &ReadOptions, pool: &Pool) -> Result<Table> {
    let source = Source::Bytes(name.into(), Bytes::copy_from_slice(bytes));
    read_sources(Path::new(name), (&[source], None), options, pool)
}

/// The files of a table, and its label files if they were given.
pub(crate) type Sources<'a> = (&'a [Source], Option<&'a LabelFiles>);

fn read_sources(name: &Path, sources: Sources<'_>, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    let of_labels = sources.1.into_iter().flat_map(|labels| &labels.sources);
    let are_files = sources.0.iter().chain(of_labels).all(|source| matches!(source, Source::File(_)));
    if options.shard.is_some() && sources.1.is_some() {
        return Err(Error::labels("a part of a table cannot have labels in other files").at(name));
    }
    let read = match &options.cache {
        Some(folder) if are_files && options.shard.is_none() => {
            cache::read(name, sources, folder, options, pool)
        }
        _ => in_memory(name, sources, options, pool),
    };
    read.map_err(|error| error.at(name))
}

fn in_memory(name: &Path, sources: Sources<'_>, options: &ReadOptions, pool: &Pool) -> Result<Table> {
    let mut features = InMemory::default();
    let contents = parse_all(name, sources, options, &mut features, pool)?;
    if contents.n_rows() == 0 {
        return Err(Error::format("the part of the table that is asked for has no rows that can be read"));
    }
    let x = features.into_matrix(contents.n_rows(), contents.n_features);
    Ok(Table::new(name, options, contents, x))
}

/// Reads all files of a table; their features go to `features`, one file after another.
pub(crate) fn parse_all(
    name: &Path,
    (sources, labels): Sources<'_>,
    options: &ReadOptions,
    features: &mut dyn Features,
    pool: &Pool,
) -> Result<Contents> {
    let mut contents: Vec<Contents> = Vec::new();
    for (i, source) in sources.iter().enumerate() {
        let part = FilePart::of(options.shard, i, sources.len());
        // The columns of the first file are expected of all.
        if part.is_empty() && i > 0 {
            continue;
        }
        let n_before = contents.iter().map(Contents::n_rows).sum();
        let options = join::options_beside(contents.first().map(|first| &first.parts[0].columns), options);
        let mut behind = AppendedFeatures { features, n_before };
        let read =
            parse((source, part), Header::Detected, &options, &mut behind, pool).and_then(|mut read| {
                if behind.needs_labels() {
                    beside::attach_found(source, &mut read, &mut behind, &options, pool)?;
                }
                contents.first().map_or(Ok(()), |first| join::refuse_difference(first, &read))?;
                Ok(read)
            });
        contents.push(read.map_err(|error| error.at(source.path()))?);
    }
    let mut contents = join::join(name, contents);
    if let Some(labels) = labels {
        labels.attach(&mut contents, features, options, pool)?;
    }
    Ok(contents)
}

/// Reads a part of one file, a text with or without a `header`; its features go to `features`.
pub(crate) fn parse(
    (source, part): (&Source, FilePart),
    header: Header,
    options: &ReadOptions,
    features: &mut dyn Features,
    pool: &Pool,
) -> Result<Contents> {
    let input = Input::open((source, part), options)?;
    match input.format {
        format if format.is_text() => read_csv(&input, header, features, pool),
        Format::Parquet | Format::Arrow => read_columnar(&input, features, pool),
        format if options.labels == LabelSource::Alone => {
            let labels = npy::open_labels(source, format, input.compression, options)?;
            let columns = columns::of_labels(labels.column().to_owned(), options);
            gather_arrays(labels.n_rows(), 0, labels, columns, &input, features)
        }
        _ => read_arrays(open_arrays(&input)?, &input, features),
    }
}

/// A file before its rows are read: its format and columns.
pub(crate) struct FileHead {
    /// The file, without rows.
    pub(crate) part: Part,
    pub(crate) n_features: usize,
    pub(crate) written: WrittenColumns,
}

/// Reads the columns of a file alone.
///
/// # Errors
/// As [`read`], but for its rows.
pub(crate) fn head(source: &Source, options: &ReadOptions) -> Result<FileHead> {
    let input = Input::open((source, FilePart::WHOLE), options)?;
    let (columns, n_features, written) = match input.format {
        format if format.is_text() => {
            let mut text = csv::Text::new(source.open(input.compression)?);
            let layout = csv::layout(&mut text, options)?;
            let written = WrittenColumns::of_text(&layout);
            (layout.columns, layout.n_features, written)
        }
        Format::Parquet | Format::Arrow => {
            let file = open_columnar(source, input.format, input.compression, options)?;
            let scheme = file.scheme();
            (scheme.columns.clone(), scheme.n_features, WrittenColumns::of_columnar(scheme))
        }
        _ => {
            let rows = open_arrays(&input)?;
            (columns::of_arrays(rows.label(), options), rows.n_features, WrittenColumns::default())
        }
    };
    let (format, compression, numbers) = (input.format, input.compression, RowNumbers::default());
    let part = Part { source: source.clone(), format, compression, columns, numbers };
    Ok(FileHead { part, n_features, written })
}

fn open_arrays(input: &Input<'_>) -> Result<npy::Rows<'static>> {
    columns::refuse_names(input.options)?;
    match input.format {
        Format::Npy => npy::open_npy(input.source, input.compression, input.options),
        format => npy::open_named(input.source, format, input.compression, input.options),
    }
}

/// A part of a source, its format and the options.
struct Input<'a> {
    source: &'a Source,
    part: FilePart,
    format: Format,
    compression: Compression,
    options: &'a ReadOptions,
}

fn read_csv(input: &Input<'_>, header: Header, features: &mut dyn Features, pool: &Pool) -> Result<Contents> {
    let (mut text, layout) = open_text(input, header)?;
    let plain = input.compression == Compression::Plain && input.part.is_whole();
    let expected_rows = if plain { layout.expected_rows(input.source.len()?) } else { 0 };
    let range = input.part.rows(|| {
        let (mut text, _) = open_text(input, header)?;
        csv::count_rows(&mut text)
    })?;
    let others = input.begin((&layout.columns, layout.n_features), &|_| true, features)?;
    let outline = input.outline((layout.n_features, expected_rows), &layout.columns, features);
    let mut rows = csv::Rows::new(&mut text, &layout, (others.wanted(), range), pool);
    let mut gathered = gather(&mut rows, &outline, features)?;
    let conversions: Vec<(&str, String)> = text.conversions();
    gathered
        .warnings
        .splice(0..0, conversions.into_iter().map(|(code, message)| input.finding(code, message)));
    Ok(input.contents(layout.n_features, layout.columns, gathered, &[]))
}

fn open_text(input: &Input<'_>, header: Header) -> Result<(csv::Text<'static>, csv::Layout)> {
    let is_lines = input.options.labels == LabelSource::Alone && format::is_txt(input.source.path());
    let text = csv::Text::new(input.source.open(input.compression)?);
    let mut text = text.with_header(header).of_lines(is_lines);
    let layout = csv::layout(&mut text, input.options)?;
    Ok((text, layout))
}

fn read_columnar(input: &Input<'_>, features: &mut dyn Features, pool: &Pool) -> Result<Contents> {
    let file = open_columnar(input.source, input.format, input.compression, input.options)?;
    let Scheme { columns, n_features, .. } = file.scheme();
    let range = input.part.rows(|| file.count_rows())?;
    let others =
        input.begin((columns, *n_features), &|column| file.scheme().can_be_written(column), features)?;
    let outline = input.outline((*n_features, file.n_rows()), columns, features);
    let gathered = gather(file.rows(others.wanted(), range, pool)?, &outline, features)?;
    let numerals = file.numerals()?;
    Ok(input.contents(*n_features, columns.clone(), gathered, &numerals))
}

fn read_arrays(rows: npy::Rows<'_>, input: &Input<'_>, features: &mut dyn Features) -> Result<Contents> {
    let columns = columns::of_arrays(rows.label(), input.options);
    let n_rows = rows.n_rows();
    let rows = rows.in_range(input.part.rows(|| Ok(n_rows as u64))?)?;
    gather_arrays(n_rows, rows.n_features, rows, columns, input, features)
}

fn gather_arrays(
    n_rows: usize,
    n_features: usize,
    rows: impl Iterator<Item = Result<RowBlock>>,
    columns: Columns,
    input: &Input<'_>,
    features: &mut dyn Features,
) -> Result<Contents> {
    input.begin((&columns, n_features), &|_| true, features)?;
    let gathered = gather(rows, &input.outline((n_features, n_rows), &columns, features), features)?;
    Ok(input.contents(n_features, columns, gathered, &[]))
}

impl<'a> Input<'a> {
    fn open((source, part): (&'a Source, FilePart), options: &'a ReadOptions) -> Result<Input<'a>> {
        source.len()?;
        let compression = source.compression()?;
        let format = format::detect(&source.head(compression, format::HEAD_LEN)?)?;
        format::check_extension(source.path(), format, compression != Compression::Plain)?;
        Ok(Input { source, part, format, compression, options })
    }

    /// Announces the file to `features`.
    fn begin(
        &self,
        (columns, n_features): (&Columns, usize),
        can_be_written: &dyn Fn(usize) -> bool,
        features: &mut dyn Features,
    ) -> Result<OtherCells> {
        let shape = FileShape { format: self.format, columns, n_features };
        features.begin(&FileColumns { shape, can_be_written })
    }

    fn table(&self) -> String {
        self.source.path().display().to_string()
    }

    /// A finding about the whole file.
    fn finding(&self, code: &'static str, message: String) -> Finding {
        let (severity, table) = (Severity::Warning, self.table());
        Finding { severity, code, table, message, count: 1, places: Vec::new() }
    }

    fn outline<'c>(
        &self,
        (n_features, expected_rows): (usize, usize),
        columns: &'c Columns,
        features: &dyn Features,
    ) -> Outline<'c> {
        Outline {
            table: self.table(),
            numbering: self.format.numbering(),
            n_features,
            order: &columns.order,
            label: columns.label.as_deref(),
            placeholders: self.options.has_placeholders(),
            on_bad_row: self.options.on_bad_row,
            keeps_labels: features.needs_labels(),
            may_be_empty: !self.part.is_whole(),
            expected_rows,
        }
    }

    fn contents(
        &self,
        n_features: usize,
        columns: Columns,
        gathered: Gathered,
        numerals: &[NumericTexts],
    ) -> Contents {
        let Gathered { labels, numbers, mut warnings, n_skipped, positions } = gathered;
        warnings.extend(index_columns(&self.table(), &columns));
        warnings.extend(unknown_columns(&self.table(), &columns));
        warnings.extend(chosen_label(&self.table(), &columns));
        warnings.extend(left_out::finding(&self.table(), &columns, numerals));
        let (source, format, compression) = (self.source.clone(), self.format, self.compression);
        let parts = vec![Part { source, format, compression, columns, numbers }];
        Contents { parts, n_features, labels, warnings, n_skipped, labels_from: Vec::new(), positions }
    }
}

/// Opens a columnar file in place; a Parquet file that is compressed as a whole is decompressed to memory.
pub(crate) fn open_columnar(
    source: &Source,
    format: Format,
    compression: Compression,
    options: &ReadOptions,
) -> Result<Box<dyn ColumnarFile>> {
    Ok(match (source, compression) {
        _ if format == Format::Arrow => Box::new(arrow::open(source, compression, options)?),
        (Source::File(path), Compression::Plain) => {
            let file = File::open(path).and_then(SharedFile::new).map_err(|error| Error::io(path, error))?;
            Box::new(parquet::open(file, options)?)
        }
        (Source::Object(object), Compression::Plain) => Box::new(parquet::open_object(object, options)?),
        (Source::Bytes(_, bytes), Compression::Plain) => Box::new(parquet::open(bytes.clone(), options)?),
        _ => Box::new(parquet::open(Bytes::from(source.read_all(compression)?), options)?),
    })
}

/// Reports a row index, which is no feature although it is numeric.
fn index_columns(table: &str, columns: &Columns) -> Option<Finding> {
    let names = columns.with_role(Role::Index);
    let message = match &names[..] {
        [] => return None,
        [name] => format!("column \"{name}\" looks like a row index and is not used as a feature"),
        _ => format!("columns {} look like row indices and are not used as features", quoted(&names)),
    };
    let table = table.to_owned();
    let (severity, code) = (Severity::Warning, "index-column");
    Some(Finding { severity, code, table, message, count: names.len(), places: Vec::new() })
}

/// Reports numeric columns that are ignored because the training table does not have them.
fn unknown_columns(table: &str, columns: &Columns) -> Option<Finding> {
    let names: Vec<&String> = columns.unknown.iter().map(|&column| &columns.names[column]).collect();
    let count = names.len();
    let message = match count {
        0 => return None,
        1 => format!("column {} is not a feature of the training table and is ignored", quoted(names)),
        n => format!("{n} columns are not features of the training table and are ignored: {}", quoted(names)),
    };
    let (severity, code, table) = (Severity::Warning, "unknown-columns", table.to_owned());
    Some(Finding { severity, code, table, message, count, places: Vec::new() })
}

/// Reports how the label column was chosen, if not by its name alone.
fn chosen_label(table: &str, columns: &Columns) -> Option<Finding> {
    let message = columns.why_label.clone();
    let (severity, code, table) = (Severity::Warning, "label-column", table.to_owned());
    (!message.is_empty()).then_some(Finding { severity, code, table, message, count: 1, places: Vec::new() })
}
