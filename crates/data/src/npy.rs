//! npy and npz: an array of features, and one of labels.
//!
//! The labels of an npy are in another file (`beside.rs`); an npz contains both arrays. Labels are integers, whole
//! numbers, text, or one-hot (two-dimensional).
//!
//! Headers are not trusted: an uncompressed array must fill its file exactly before anything is allocated, and a
//! compressed one is allocated as it is read.

mod header;
mod labels;
mod safetensors;
mod values;

use header::{ElementKind, Header};
pub(crate) use labels::LabelRows;
use labels::{LabelArray, read_labels};

use crate::columns::MAX_FEATURES;
use crate::format::Format;
use crate::rows::{BadRow, NO_LABEL, RowBlock, RowRange};
use crate::source::{Compression, Source, read_error, read_full};
use crate::{Error, LabelSource, ReadOptions, Result, RowLocation};
use std::io::{Cursor, Read, Seek};

/// The approximate number of bytes read at once.
const BLOCK_LEN: usize = 1 << 20;

/// An array whose header has been read and checked.
pub(crate) struct Array<'a> {
    header: Header,
    input: Box<dyn Read + 'a>,
}

impl<'a> Array<'a> {
    /// Reads the header; `len` is the length of the whole array including it, if known.
    pub(crate) fn open(mut input: Box<dyn Read + 'a>, len: Option<u64>) -> Result<Array<'a>> {
        let header = header::read(&mut input)?;
        let expected = header.len.saturating_add(header.data_len()?);
        match len {
            // The caller refuses it, with a message that says whether it holds features or labels.
            _ if header.kind == ElementKind::Object => Ok(Array { header, input }),
            Some(len) if len < expected => Err(cut_off(&header, expected, len)),
            Some(len) if len > expected => Err(too_long(&header, expected, len)),
            _ => Ok(Array { header, input }),
        }
    }

    /// Checks that the array holds features: numbers in two dimensions, ignoring dimensions of size 1.
    fn check_features(&mut self, name: Option<&str>) -> Result<()> {
        let shape = self.header.shape_text();
        let array = name.map_or("the array".to_owned(), |name| format!("the array \"{name}\""));
        if self.header.kind == ElementKind::Object {
            let what = format!(
                "{array} holds Python objects, which is a pickle and could run anything; expected numbers"
            );
            let hint = "save numbers, all rows of one length: numpy.stack(x).astype(\"float32\")";
            return Err(Error::format(what).with_hint(hint));
        }
        if !self.header.is_number() {
            return Err(Error::format(format!("{array} holds text; expected floats or integers"))
                .with_hint("save the features as numbers, and the labels beside them"));
        }
        self.header.drop_single_axes();
        let [n_rows, n_features] = self.header.shape[..] else {
            return Err(self.wrong_shape(&array, &shape));
        };
        if n_rows == 0 || n_features == 0 {
            let what = format!("an empty array, shape {shape}; expected (n_samples, n_features)");
            return Err(Error::format(what).with_hint("was it saved completely?"));
        }
        if n_features > MAX_FEATURES {
            return Err(crate::columns::too_many_features(n_features));
        }
        Ok(())
    }

    fn wrong_shape(&self, array: &str, shape: &str) -> Error {
        let n = self.header.shape.len();
        let plural = if n == 1 { "" } else { "s" };
        let what =
            format!("{array} has {n} dimension{plural}, shape {shape}; expected 2, (n_samples, n_features)");
        Error::format(what).with_hint(match n {
            0 | 1 => "save one row a sample: x.reshape(n_samples, -1)",
            3 => {
                "one vector a sample is needed: the mean of its tokens or patches, x.mean(axis=1), or the first, x[:, 0], \
                 which is the class token of many transformers"
            }
            _ => "one vector a sample is needed: the mean over all places, such as x.mean(axis=(2, 3)) of a picture's channels",
        })
    }

    /// Reads the bytes of all elements, and checks that no more follow.
    fn read_all(&mut self) -> Result<Vec<u8>> {
        let len = self.header.data_len()?;
        let mut bytes = Vec::new();
        self.input.by_ref().take(len.saturating_add(1)).read_to_end(&mut bytes).map_err(read_error)?;
        let found = bytes.len() as u64;
        if found < len {
            return Err(cut_off(&self.header, self.header.len + len, self.header.len + found));
        }
        if found > len {
            return Err(too_long(&self.header, self.header.len + len, self.header.len + found));
        }
        Ok(bytes)
    }
}

impl Header {
    fn is_number(&self) -> bool {
        !matches!(self.kind, ElementKind::Unicode | ElementKind::Bytes | ElementKind::Object)
    }

    /// Removes dimensions of size 1, so that (n, 1, d) and (n, d, 1, 1) become (n, d).
    fn drop_single_axes(&mut self) {
        let rest = self.shape.iter().skip(1).copied().filter(|&size| size != 1);
        if let ([n_rows, _, _, ..], [n_features]) = (&self.shape[..], &rest.collect::<Vec<_>>()[..]) {
            self.shape = vec![*n_rows, *n_features];
        }
    }
}

fn cut_off(header: &Header, expected: u64, found: u64) -> Error {
    let what = format!(
        "the array is cut off: its shape {} needs {expected} bytes, found {found}",
        header.shape_text()
    );
    Error::format(what).with_hint("copy or download the file again")
}

fn too_long(header: &Header, expected: u64, found: u64) -> Error {
    let more = if found == expected + 1 { "more" } else { &format!("{found}") };
    let what = format!(
        "bytes follow the array: its shape {} needs {expected} bytes, found {more}",
        header.shape_text()
    );
    Error::format(what)
        .with_hint("the shape and the data do not belong together: write it again with numpy.save")
}

/// The features and labels of a table of arrays, as blocks of rows.
pub(crate) struct Rows<'a> {
    x: Array<'a>,
    labels: Option<LabelArray>,
    n_done: usize,
    /// The row after the last one to read.
    end: usize,
    n_rows: usize,
    pub(crate) n_features: usize,
}

impl<'a> Rows<'a> {
    fn new(x: Array<'a>, labels: Result<Option<LabelArray>>, options: &ReadOptions) -> Result<Rows<'a>> {
        let (n_rows, n_features) = (x.header.shape[0], x.header.shape[1]);
        // Placeholders need not match the rows.
        let placeholders = |labels: Option<LabelArray>| labels.filter(|labels| labels.codes.len() == n_rows);
        let labels = if options.placeholder_labels { labels.ok().and_then(placeholders) } else { labels? };
        if let Some(labels) = labels.as_ref().filter(|labels| labels.codes.len() != n_rows) {
            let what =
                format!("{n_rows} rows of features and {} labels in {}", labels.codes.len(), labels.name);
            return Err(Error::labels(what).with_hint("save both from the same rows"));
        }
        Ok(Rows { x, labels, n_done: 0, end: n_rows, n_rows, n_features })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Limits the rows to a range.
    ///
    /// # Errors
    /// If the rows before it cannot be read.
    pub(crate) fn in_range(mut self, range: RowRange) -> Result<Rows<'a>> {
        let row = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(self.n_rows);
        let (start, end) = (row(range.start), row(range.end));
        if !self.x.header.fortran_order {
            let len = (start * self.n_features * self.x.header.item_size) as u64;
            let skipped = std::io::copy(&mut self.x.input.by_ref().take(len), &mut std::io::sink());
            if skipped.map_err(read_error)? < len {
                return Err(cut_off(&self.x.header, self.x.header.len + self.x.header.data_len()?, len));
            }
        }
        (self.n_done, self.end) = (start, end);
        Ok(self)
    }

    /// The name of the labels.
    pub(crate) fn label(&self) -> Option<String> {
        self.labels.as_ref().map(|labels| labels.column.clone())
    }

    fn next_block(&mut self) -> Result<RowBlock> {
        if self.x.header.fortran_order {
            let bytes = self.x.read_all()?;
            let shape = (self.n_rows, self.n_features);
            let x = values::from_columns(&self.x.header, &bytes, shape, self.n_done..self.end);
            return Ok(self.block(x, self.end - self.n_done));
        }
        let row_len = self.n_features * self.x.header.item_size;
        let n = (BLOCK_LEN / row_len).max(1).min(self.end - self.n_done);
        let mut bytes = vec![0; n * row_len];
        let found = read_full(&mut self.x.input, &mut bytes).map_err(read_error)?;
        let header = &self.x.header;
        let before = header.len + (self.n_done * row_len) as u64;
        if found < bytes.len() {
            return Err(cut_off(header, header.len + header.data_len()?, before + found as u64));
        }
        if self.n_done + n == self.n_rows {
            let end = before + found as u64;
            if read_full(&mut self.x.input, &mut [0]).map_err(read_error)? > 0 {
                return Err(too_long(&self.x.header, end, end + 1));
            }
        }
        let x = values::numbers(&self.x.header, &bytes);
        Ok(self.block(x, n))
    }

    fn block(&mut self, x: values::Numbers, n: usize) -> RowBlock {
        let mut block = RowBlock { x: x.values, ..RowBlock::default() };
        let range = self.n_done..self.n_done + n;
        match &self.labels {
            Some(labels) => {
                block.names = labels.names.clone();
                block.codes = labels.codes[range].to_vec();
            }
            None => block.codes = vec![NO_LABEL; n],
        }
        let location = |i: usize| {
            RowLocation::row((self.n_done + i / self.n_features + 1) as u64)
                .at_element((i % self.n_features + 1) as u64)
        };
        x.underflows.iter().for_each(|&i| block.underflows.add(1, || location(i)));
        block.underflows.count += x.n_more_underflows;
        let first = self.n_done as u64 + 1;
        self.n_done += n;
        keep_finite(&mut block, self.n_features, n, first, x.wide.as_deref());
        block
    }
}

/// Moves rows with a non-finite number from the good ones to the bad ones.
fn keep_finite(block: &mut RowBlock, n_features: usize, n_rows: usize, first: u64, wide: Option<&[f64]>) {
    for row in 0..n_rows {
        let number = first + row as u64;
        let x = &block.x[row * n_features..(row + 1) * n_features];
        if let Some(element) = x.iter().position(|value| !value.is_finite()) {
            let found = wide.map_or(f64::from(x[element]), |wide| wide[row * n_features + element]);
            let location = RowLocation::row(number).at_element(element as u64 + 1);
            block.bad.push(if found.is_finite() {
                let what = format!("expected a number that fits 32 bits (at most 3.4e38), found {found:?}");
                BadRow::new(location, what, Some("rescale the features before writing them"))
            } else {
                let hint =
                    "replace missing and infinite values before writing the table, or leave the row out";
                BadRow::new(location, format!("expected a finite number, found {found:?}"), Some(hint))
            });
            continue;
        }
        let kept = block.numbers.len();
        block.x.copy_within(row * n_features..(row + 1) * n_features, kept * n_features);
        block.codes[kept] = block.codes[row];
        block.numbers.push(number);
    }
    block.x.truncate(block.numbers.len() * n_features);
    block.codes.truncate(block.numbers.len());
}

impl Iterator for Rows<'_> {
    type Item = Result<RowBlock>;

    fn next(&mut self) -> Option<Result<RowBlock>> {
        (self.n_done < self.end).then(|| {
            let block = self.next_block();
            if block.is_err() {
                self.n_done = self.end;
            }
            block
        })
    }
}

/// Opens the features of an npy file and reads its labels.
pub(crate) fn open_npy(
    source: &Source,
    compression: Compression,
    options: &ReadOptions,
) -> Result<Rows<'static>> {
    let len = if compression == Compression::Plain { Some(source.len()?) } else { None };
    let mut x = Array::open(source.open(compression)?, len)?;
    x.check_features(None)?;
    Rows::new(x, Ok(None), options)
}

/// Reads a file of only labels.
pub(crate) fn open_labels(
    source: &Source,
    format: Format,
    compression: Compression,
    options: &ReadOptions,
) -> Result<LabelRows> {
    if format == Format::Npy {
        let len = if compression == Compression::Plain { Some(source.len()?) } else { None };
        let array = Array::open(source.open(compression)?, len)?;
        return read_labels(array, &crate::beside::shown(source.path()), options.added_label())
            .map(LabelRows::new);
    }
    with_arrays(source, format, compression, &mut |names, open| {
        let hint = options.label_hint.as_ref().filter(|hint| names.contains(hint));
        let asked = options.label_column.as_ref().or(hint).map(String::as_str);
        let only = if let [only] = names { Some(only.clone()) } else { None };
        let name = array_name(names, asked, &Y_NAMES)?.or(only).ok_or_else(|| {
            let what = format!(
                "expected an array of labels named y or labels, found {}",
                crate::columns::quoted(names)
            );
            Error::column(what).with_hint("say which with --label-column")
        })?;
        read_labels(open(&name)?, &name, &name).map(LabelRows::new)
    })
}

/// The names of feature arrays, the most likely first, and of label arrays. An array with another name
/// (`train_embeddings`) has the labels whose name differs only in this word (`train_labels`).
const X_NAMES: [&str; 8] =
    ["x", "embeddings", "embedding", "features", "vectors", "x_train", "data", "arr_0"];
const Y_NAMES: [&str; 7] = ["y", "labels", "label", "target", "targets", "y_train", "arr_1"];

/// Opens the array with a name.
type Open<'o> = dyn FnMut(&str) -> Result<Array<'static>> + 'o;

/// Opens the features of a file of named arrays, an npz or safetensors, and reads its labels.
pub(crate) fn open_named(
    source: &Source,
    format: Format,
    compression: Compression,
    options: &ReadOptions,
) -> Result<Rows<'static>> {
    with_arrays(source, format, compression, &mut |names, open| of_named(names, options, open))
}

/// Calls `read` with the names of the arrays in a file, and a function that opens one.
fn with_arrays<T>(
    source: &Source,
    format: Format,
    compression: Compression,
    read: &mut dyn FnMut(&[String], &mut Open<'_>) -> Result<T>,
) -> Result<T> {
    if format == Format::Safetensors {
        return safetensors::with_tensors(source, compression, read);
    }
    if compression == Compression::Plain {
        return with_archive(source.open_anywhere()?, source.len()?, read);
    }
    let bytes = source.read_all(compression)?;
    let len = bytes.len() as u64;
    with_archive(Cursor::new(bytes), len, read)
}

fn with_archive<R: Read + Seek, T>(
    input: R,
    len: u64,
    read: &mut dyn FnMut(&[String], &mut Open<'_>) -> Result<T>,
) -> Result<T> {
    let mut archive = zip::ZipArchive::new(input).map_err(damaged_archive)?;
    let names: Vec<String> = archive
        .file_names()
        .flatten()
        .filter_map(|name| name.strip_suffix(".npy").map(str::to_owned))
        .collect();
    read(&names, &mut |name| open_entry(read_entry(&mut archive, name, len)?))
}

/// The rows of the arrays with these names; `open` opens an array.
fn of_named(names: &[String], options: &ReadOptions, open: &mut Open<'_>) -> Result<Rows<'static>> {
    let x_name = array_name(names, options.embeddings_column.as_deref(), &X_NAMES)?.ok_or_else(|| {
        let found = if names.is_empty() { "none".to_owned() } else { crate::columns::quoted(names) };
        Error::column(format!("expected an array of features named x, embeddings or features, found {found}"))
            .with_hint("save it with numpy.savez(path, x=x, y=y), or name it with --embeddings-column")
    })?;
    let hint = options.label_hint.as_ref().filter(|hint| names.contains(hint));
    let beside = labels_of(&x_name, names);
    let asked = options.label_column.as_ref().or(beside.as_ref()).or(hint);
    let labels = match array_name(names, asked.map(String::as_str), &Y_NAMES) {
        _ if options.labels == LabelSource::Beside => Ok(None),
        Ok(Some(name)) if name != x_name => {
            open(&name).and_then(|array| read_labels(array, &name, &name)).map(Some)
        }
        found => found.map(|_| None),
    };
    let mut x = open(&x_name)?;
    x.check_features(Some(&x_name))?;
    Rows::new(x, labels, options)
}

/// The label array whose name differs from the features' in one word: `y_test` for `X_test`.
fn labels_of(x_name: &str, names: &[String]) -> Option<String> {
    let lower = x_name.to_ascii_lowercase();
    let words = X_NAMES.iter().filter(|word| lower != **word && lower.contains(**word));
    let mut other_names = words.flat_map(|word| Y_NAMES.map(|other| lower.replacen(word, other, 1)));
    other_names.find_map(|other| names.iter().find(|name| name.eq_ignore_ascii_case(&other)).cloned())
}

fn array_name(names: &[String], wanted: Option<&str>, known: &[&str]) -> Result<Option<String>> {
    if let Some(wanted) = wanted {
        return match names.iter().find(|name| *name == wanted) {
            Some(name) => Ok(Some(name.clone())),
            None => {
                let what = format!(
                    "there is no array \"{wanted}\"; the arrays are {}",
                    crate::columns::quoted(names)
                );
                Err(Error::column(what))
            }
        };
    }
    let is = |name: &&String, known: &str| name.eq_ignore_ascii_case(known);
    Ok(known.iter().find_map(|known| names.iter().find(|name| is(name, known))).cloned())
}

fn damaged_archive(error: zip::result::ZipError) -> Error {
    match error {
        zip::result::ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            read_error(error)
        }
        other => Error::format(format!("the npz archive is damaged: {other}"))
            .caused_by(other)
            .with_hint("copy or download the file again, or write it again with numpy.savez"),
    }
}

/// The bytes of one array in an archive.
fn read_entry<R: Read + Seek>(archive: &mut zip::ZipArchive<R>, name: &str, len: u64) -> Result<Vec<u8>> {
    let entry = archive.by_name(&format!("{name}.npy")).map_err(damaged_archive)?;
    let mut bytes = Vec::new();
    crate::source::limited(entry, len).read_to_end(&mut bytes).map_err(read_error)?;
    Ok(bytes)
}

fn open_entry(bytes: Vec<u8>) -> Result<Array<'static>> {
    let len = bytes.len() as u64;
    Array::open(Box::new(Cursor::new(bytes)), Some(len))
}
