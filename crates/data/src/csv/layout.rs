//! The layout of a CSV, detected from its header and its first rows.

use super::records::{fields, is_blank, next_record, value};
use crate::columns::{self, ColumnKind, ColumnSketch, Columns, MAX_FEATURES, Role};
use crate::list::{self, shown};
use crate::{Error, ReadOptions, Result, RowLocation, number};
use std::collections::HashMap;

/// The number of rows that are sampled to classify the columns.
const N_SAMPLED: usize = 64;

/// The columns of a CSV, and the position of its rows.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) columns: Columns,
    /// The number of features of every row.
    pub(crate) n_features: usize,
    /// The header's bytes, without the line end.
    pub(crate) header: Vec<u8>,
    /// Where the first row starts.
    pub(crate) start: usize,
    /// The line of the first row.
    pub(crate) first_line: u64,
    /// The mean length of the first rows in bytes, 0 if there are none.
    pub(crate) row_len: usize,
}

impl Layout {
    /// The approximate number of rows of an uncompressed file of `len` bytes; 0 if unknown.
    pub(crate) fn expected_rows(&self, len: u64) -> usize {
        // A little above the mean, so that the reserved memory rarely has to grow.
        (len as usize).checked_div(self.row_len).map_or(0, |n| n + n / 50 + 1)
    }
}

/// Detects the layout from the first window of a text, which starts at line `first_line` of the file.
pub(crate) fn detect(text: &[u8], at_end: bool, first_line: u64, options: &ReadOptions) -> Result<Layout> {
    let mut start = 0;
    let mut line = first_line;
    let header = loop {
        let Some(record) = (start < text.len()).then(|| next_record(text, start, at_end)).flatten() else {
            return Err(no_header_line(text));
        };
        start = record.next;
        line += record.n_lines;
        if !is_blank(&text[record.range.clone()]) {
            break record;
        }
    };
    let header_line = line - header.n_lines;
    let bytes = &text[header.range.clone()];
    if memchr::memchr(b'\r', bytes).is_some() {
        let what = "the lines end in carriage returns alone (old Mac style); expected line feeds";
        let error = Error::format(what).with_hint("convert the line ends, e.g. with tr '\\r' '\\n'");
        return Err(error.placed(RowLocation::line(header_line)));
    }
    if header.flaw.is_some() {
        let what = format!("the quotes of the header do not match: {}", shown(bytes));
        return Err(Error::format(what).placed(RowLocation::line(header_line)));
    }
    let names = header_names(bytes).map_err(|error| error.placed(RowLocation::line(header_line)))?;
    let sample = sample(text, start, at_end, names.len());
    if sample.is_empty() && text[start..].trim_ascii().is_empty() && at_end {
        let what = "a header and no rows: expected at least one row below the header";
        return Err(Error::format(what).with_hint("was the file written completely?"));
    }
    let sketches = sketches(names, &sample);
    let columns = columns::assign(&sketches, options).map_err(|error| match &sample[..] {
        [] => other_width(text, (start, line), at_end, sketches.len()).unwrap_or(error),
        _ => error,
    })?;
    let n_features = n_features(&columns, &sample)?;
    let sampled: usize = sample.iter().flatten().map(|field| field.len() + 1).sum();
    let row_len = sampled.checked_div(sample.len()).unwrap_or(0);
    Ok(Layout { columns, n_features, header: bytes.to_vec(), start, first_line: line, row_len })
}

/// An error for rows of which none has as many fields as the header: nothing is known of their columns.
fn other_width(
    text: &[u8],
    (mut start, mut line): (usize, u64),
    at_end: bool,
    n_names: usize,
) -> Option<Error> {
    while start < text.len() {
        let record = next_record(text, start, at_end)?;
        let bytes = &text[record.range.clone()];
        if !is_blank(bytes) && record.flaw.is_none() {
            let n = fields(bytes).count();
            let what =
                format!("the header has {n_names} names, and the first row has {n} fields; expected as many");
            let hint = "give each column a name, also one of row names or of what stands behind a last separator (R: write.table(.., col.names = NA))";
            return Some(Error::format(what).with_hint(hint).placed(RowLocation::line(line)));
        }
        start = record.next;
        line += record.n_lines;
    }
    None
}

fn no_header_line(text: &[u8]) -> Error {
    if text.trim_ascii().is_empty() {
        return Error::format("the file is empty: expected a header line and rows")
            .with_hint("was the file written completely?");
    }
    Error::format("the first line does not end: expected the names of the columns, separated by commas")
        .with_hint("is this a CSV?")
}

fn header_names(header: &[u8]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for field in fields(header) {
        let name = value(field);
        let Ok(name) = std::str::from_utf8(&name) else {
            let what = format!("the header is not UTF-8: {}", shown(&name));
            return Err(Error::format(what).with_hint("save the table as UTF-8"));
        };
        names.push(name.trim().to_owned());
    }
    let mut seen = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name, i) {
            let what = format!("columns {} and {} of the header are both named \"{name}\"", first + 1, i + 1);
            return Err(Error::format(what).with_hint("give every column a name of its own"));
        }
    }
    Ok(names)
}

/// The fields of the first rows that have as many as the header.
fn sample(text: &[u8], mut start: usize, at_end: bool, n_columns: usize) -> Vec<Vec<&[u8]>> {
    let mut rows = Vec::new();
    while rows.len() < N_SAMPLED && start < text.len() {
        let Some(record) = next_record(text, start, at_end) else { break };
        start = record.next;
        if record.flaw.is_none() {
            let row: Vec<&[u8]> = fields(&text[record.range]).take(n_columns + 1).collect();
            rows.push(row);
        }
    }
    rows.retain(|row| row.len() == n_columns && !(n_columns == 1 && row[0].trim_ascii().is_empty()));
    rows
}

fn sketches(names: Vec<String>, sample: &[Vec<&[u8]>]) -> Vec<ColumnSketch> {
    let kinds = |bare| (0..names.len()).map(|i| kind(sample.iter().map(|row| row[i]), bare)).collect();
    let mut found: Vec<ColumnKind> = kinds(false);
    if !found.contains(&ColumnKind::List) {
        found = kinds(true);
    }
    let example = |i: usize| {
        let list = sample.iter().map(|row| value(row[i])).find(|cell| list::count_elements(cell) > 1);
        list.map_or(String::new(), |list| shown(&list))
    };
    let sketch = |(i, (name, kind))| {
        let example = if kind == ColumnKind::List { example(i) } else { String::new() };
        ColumnSketch { name, kind, is_index: false, example }
    };
    names.into_iter().zip(found).enumerate().map(sketch).collect()
}

/// The content of most non-empty cells. With `bare`, numbers without brackets count as lists.
fn kind<'a>(cells: impl Iterator<Item = &'a [u8]>, bare: bool) -> ColumnKind {
    let (mut n_lists, mut n_numbers, mut n_zero_one, mut n_texts) = (0, 0, 0, 0);
    let mut texts: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut numbers = Vec::new();
    for cell in cells {
        let cell = value(cell);
        let cell = cell.trim_ascii();
        if cell.is_empty() {
        } else if is_number_or_missing(cell) {
            n_numbers += 1;
            numbers.extend(std::str::from_utf8(cell).ok().and_then(|cell| cell.parse::<f64>().ok()));
            let is = matches!(cell, b"0" | b"1" | b"0.0" | b"1.0" | b"True" | b"False" | b"true" | b"false");
            n_zero_one += usize::from(is);
        } else if list::is_list(cell, bare) {
            n_lists += 1;
        } else {
            n_texts += 1;
            *texts.entry(cell.to_vec()).or_default() += 1;
        }
    }
    let n = n_lists + n_numbers + n_texts;
    match () {
        () if n == 0 => ColumnKind::Empty,
        () if n_lists * 2 >= n => ColumnKind::List,
        () if n_zero_one * 2 >= n => ColumnKind::ZeroOne,
        () if n_numbers * 2 >= n => ColumnKind::of_numbers(&numbers),
        () if ColumnKind::is_free_text(texts.keys().filter_map(|text| std::str::from_utf8(text).ok())) => {
            ColumnKind::DistinctText
        }
        () if texts.len() < n_texts || n_texts < 3 => ColumnKind::RepeatedText,
        () => ColumnKind::DistinctText,
    }
}

fn is_number_or_missing(cell: &[u8]) -> bool {
    let missing = ["nan", "inf", "-inf", "none", "null", "na", "true", "false"];
    number::parse(cell).is_some_and(|number| number.len == cell.len())
        || missing.iter().any(|word| cell.eq_ignore_ascii_case(word.as_bytes()))
}

/// The number of features: that of the columns, or the most frequent length of the first lists (the first such length
/// of equally frequent ones).
fn n_features(columns: &Columns, sample: &[Vec<&[u8]>]) -> Result<usize> {
    let Some(column) = columns.position(Role::Embeddings) else {
        return Ok(columns.with_role(Role::Feature).len());
    };
    let counts: Vec<usize> = sample.iter().map(|row| list::count_elements(&value(row[column]))).collect();
    let votes = |n: usize| counts.iter().filter(|&&other| other == n).count();
    let mut best = 0;
    for &n in counts.iter().filter(|&&n| n > 0 && n <= MAX_FEATURES) {
        if best == 0 || votes(n) > votes(best) {
            best = n;
        }
    }
    let lists = sample.iter().zip(&counts).filter(|(_, n)| **n == best).map(|(row, _)| value(row[column]));
    if let Some(list) = lists.into_iter().find(|list| list::has_decimal_commas(list)) {
        let what = format!("the lists are written with decimal commas: {}", shown(&list));
        return Err(Error::format(what).with_hint("write decimal points"));
    }
    Ok(best)
}
