//! Detects how a text table starts: comment lines, the separator, and whether there is a header.

use super::super::records::{Record, fields_by, is_blank, next_record_by, value, write_field};
use super::Header;
use super::delimited::{Delimited, decimal_comma};
use crate::columns::is_label_name;
use crate::{list, number};
use std::collections::HashSet;

/// The number of records that are sampled.
const N_SAMPLED: usize = 64;

/// The lines before the first record, and the form of the records.
#[derive(Debug, Default)]
pub(super) struct TextStart {
    /// The CSV header that replaces the first `len` bytes of the text.
    pub(super) header: Vec<u8>,
    pub(super) len: usize,
    /// Whether the header was generated, and so is on no line of the file.
    pub(super) is_made: bool,
    /// `None` if it is a CSV.
    pub(super) delimited: Option<Delimited>,
    /// A message about a missing header.
    pub(super) missing_header: Option<String>,
    /// The label column, chosen by its position.
    pub(super) label: Option<String>,
}

/// A separator for a single column: the unit separator of ASCII, which no text contains.
const NOTHING: u8 = 0x1F;

/// Examines the first window of a text.
pub(super) fn detect(text: &[u8], at_end: bool, header: Header, is_lines: bool) -> TextStart {
    let mut beginning = TextStart::default();
    let bom: &[u8] = b"\xEF\xBB\xBF";
    beginning.len = if text.starts_with(bom) { bom.len() } else { 0 };
    let mut comment = None;
    let mut forced = is_lines.then_some(NOTHING);
    // Each removed line is replaced by a blank one, so that line numbers stay the same.
    while let Some(end) = memchr::memchr(b'\n', &text[beginning.len..]) {
        let line = text[beginning.len..beginning.len + end].trim_ascii();
        match line {
            [] => {}
            _ if is_lines => break,
            [b'#', rest @ ..] => comment = Some(rest.trim_ascii_start()),
            [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] if b",;\t|".contains(separator) => {
                forced = Some(*separator);
            }
            _ => break,
        }
        beginning.header.push(b'\n');
        beginning.len += end + 1;
    }
    let rest = &text[beginning.len..];
    let separator = forced.unwrap_or_else(|| separator(rest, at_end));
    let sample = sample(separator, rest, at_end);
    let named = comment.and_then(|comment| names_in_comment(separator, comment, &sample));
    let decimal_commas = if separator != b',' && has_decimal_commas(&sample) {
        columns_of_numbers(&sample)
    } else {
        Vec::new()
    };
    if separator != b',' {
        beginning.delimited = Some(Delimited { separator, decimal_commas });
    }
    if let Some(names) = named {
        // It takes the place of the last removed line.
        beginning.header.pop();
        write_names(&names, &mut beginning.header);
    } else if match header {
        Header::Detected => is_lines || has_no_header(&sample),
        header => header == Header::Absent,
    } {
        let n_columns = sample.first().map_or(0, Vec::len);
        let names: Vec<String> = (1..=n_columns).map(|i| format!("column_{i}")).collect();
        write_names(&names, &mut beginning.header);
        beginning.is_made = true;
        beginning.label = label_by_place(&sample).map(|column| names[column].clone());
        let label = beginning.label.as_ref().map_or(String::new(), |label| {
            format!(
                "; {label}, which holds few whole numbers, is the label unless --label-column names another"
            )
        });
        beginning.missing_header = Some(format!(
            "there is no header: the first line is read as a row, and the columns are named column_1 to column_{n_columns}{label}"
        ));
    }
    beginning
}

fn write_names(names: &[String], out: &mut Vec<u8>) {
    for (i, name) in names.iter().enumerate() {
        out.extend_from_slice(if i > 0 { b"," } else { b"" });
        write_field(out, name.as_bytes());
    }
    out.push(b'\n');
}

fn records(separator: u8, text: &[u8], at_end: bool) -> impl Iterator<Item = Record> {
    let mut start = 0;
    let next = move || {
        let record =
            (start < text.len()).then(|| next_record_by(separator, text, start, at_end)).flatten()?;
        start = record.next;
        Some(record)
    };
    std::iter::from_fn(next).filter(|record| !is_blank(&text[record.range.clone()])).take(N_SAMPLED)
}

/// The separator by which all sampled records have the same number of fields, more than one; a comma if there is none.
fn separator(text: &[u8], at_end: bool) -> u8 {
    let fits = |separator: u8| {
        let counts: Vec<usize> =
            records(separator, text, at_end)
                .map(|record| {
                    if record.flaw.is_some() { 0 } else { fields_by(separator, &text[record.range]).count() }
                })
                .collect();
        let first = counts.first().copied().unwrap_or(0);
        let n_same = counts.iter().filter(|&&count| count == first).count();
        (first > 1).then_some((n_same * 100 / counts.len().max(1), separator))
    };
    let comma = fits(b',').filter(|(same, _)| *same > 50);
    let others = [b'\t', b';', b'|'].into_iter().filter_map(fits);
    // Where commas work as well, 80% of the rows must agree with another separator: such tables have more reason to
    // contain commas.
    let best = others.filter(|(same, _)| *same >= 80 || comma.is_none()).max_by_key(|(same, _)| *same);
    match (best, comma) {
        (Some((same, separator)), Some((by_comma, _))) if same == 100 || same > by_comma => separator,
        (Some((_, separator)), None) => separator,
        _ => b',',
    }
}

type Row<'a> = Vec<std::borrow::Cow<'a, [u8]>>;

/// The values of the first records that have as many as the first one.
fn sample(separator: u8, text: &[u8], at_end: bool) -> Vec<Row<'_>> {
    let whole = records(separator, text, at_end).filter(|record| record.flaw.is_none());
    let mut rows: Vec<Row<'_>> =
        whole.map(|record| fields_by(separator, &text[record.range]).map(value).collect()).collect();
    let n_columns = rows.first().map_or(0, Vec::len);
    rows.retain(|row| row.len() == n_columns);
    rows
}

/// Whether a cell is a number or a list of them.
fn is_value(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    let whole = |cell: &[u8]| number::parse(cell).is_some_and(|number| number.len == cell.len());
    whole(cell) || decimal_comma(cell).is_some() || list::is_list(cell, true)
}

/// The names in a comment line above rows without a header, as `numpy.savetxt` writes them.
fn names_in_comment(separator: u8, comment: &[u8], sample: &[Row<'_>]) -> Option<Vec<String>> {
    let names =
        fields_by(separator, comment).map(|name| String::from_utf8_lossy(&value(name)).trim().to_owned());
    let names: Vec<String> = names.collect();
    let first = sample.first()?;
    let fits = names.len() == first.len() && names.len() > 1;
    (fits && first.iter().any(|cell| is_value(cell)) && !names.iter().any(|name| is_value(name.as_bytes())))
        .then_some(names)
}

/// Whether the first record is a row: it has a value in every column of values, of which there is at least one.
/// Numbers 0, 1, 2, .. are names, as pandas writes them, unless a text beside them stands in its column again, as classes do; the name of a label that
/// stands there once is one.
fn has_no_header(sample: &[Row<'_>]) -> bool {
    let Some((first, rows)) = sample.split_first() else { return false };
    let is_column = |i: usize| {
        let n_values = rows.iter().filter(|row| is_value(&row[i])).count();
        n_values * 2 > rows.len()
    };
    let values: Vec<usize> = (0..first.len()).filter(|&i| is_value(&first[i])).collect();
    let above_all =
        (0..first.len()).all(|i| !is_column(i) || values.contains(&i) || first[i].trim_ascii().is_empty());
    let integers: Vec<i64> =
        values.iter().filter_map(|&i| std::str::from_utf8(&first[i]).ok()?.trim().parse().ok()).collect();
    let counted = integers.len() == values.len() && integers.windows(2).all(|pair| pair[1] == pair[0] + 1);
    let texts: Vec<(bool, &[u8])> = (0..first.len())
        .filter(|i| !values.contains(i) && !first[*i].trim_ascii().is_empty())
        .map(|i| (rows.iter().any(|row| row[i] == first[i]), &*first[i]))
        .collect();
    // A class may be called `y`, too.
    let is_label = |text: &[u8]| text.len() > 1 && is_label_name(&String::from_utf8_lossy(text));
    if texts.iter().any(|(is_repeated, text)| !is_repeated && is_label(text)) {
        return false;
    }
    let counted = counted && !texts.iter().any(|(is_repeated, _)| *is_repeated);
    let below = rows.is_empty() || values.iter().any(|&i| is_column(i));
    !values.is_empty() && above_all && below && !(counted && (values.len() > 1 || first.len() > 1))
}

/// The last column, if it is the only one of whole numbers, and has few distinct ones.
fn label_by_place(sample: &[Row<'_>]) -> Option<usize> {
    let last = sample.first()?.len().checked_sub(1)?;
    let is_whole = |cell: &[u8]| {
        let digits = cell.trim_ascii();
        let digits = digits.strip_prefix(b"-").unwrap_or(digits);
        !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    };
    let is_whole_column = |i: usize| sample.iter().all(|row| is_whole(&row[i]));
    let distinct: HashSet<&[u8]> = sample.iter().map(|row| row[last].trim_ascii()).collect();
    let few = distinct.len() * 2 <= sample.len().max(4);
    (last > 0 && few && is_whole_column(last) && !(0..last).any(is_whole_column)).then_some(last)
}

/// Whether each column holds numbers alone, below the first row, which may be a header.
fn columns_of_numbers(sample: &[Row<'_>]) -> Vec<bool> {
    let n_columns = sample.first().map_or(0, Vec::len);
    let is_number = |cell: &[u8]| cell.is_empty() || is_value(cell);
    (0..n_columns).map(|i| sample.iter().skip(1).all(|row| is_number(row[i].trim_ascii()))).collect()
}

/// Whether numbers have decimal commas: some cells parse that way, and none has a decimal point.
fn has_decimal_commas(sample: &[Row<'_>]) -> bool {
    let cells = || sample.iter().skip(1).flatten().map(|cell| cell.trim_ascii());
    let has_point = |cell: &[u8]| {
        memchr::memchr(b'.', cell).is_some()
            && number::parse(cell).is_some_and(|number| number.len == cell.len())
    };
    cells().any(|cell| decimal_comma(cell).is_some()) && !cells().any(has_point)
}
