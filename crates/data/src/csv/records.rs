//! Splits text into records and records into fields, by RFC 4180: quoted fields may contain commas, line ends and
//! doubled quotes. Functions ending in `_by` do the same for another separator.
//!
//! Stricter than most readers, because leniency returns wrong rows: quotes must enclose a whole field.

use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::ops::Range;

/// One record of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its bytes, without the line end.
    pub(crate) range: Range<usize>,
    /// Where the next record starts.
    pub(crate) next: usize,
    /// The number of its lines.
    pub(crate) n_lines: u64,
    /// The error in its quotes, if there is one.
    pub(crate) flaw: Option<QuoteError>,
}

/// An error in a record's quotes; positions count from the start of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuoteError {
    /// A quote in a field that did not start with one.
    Inside { at: usize },
    /// Text between a closing quote and the next comma.
    TextAfter { at: usize },
    /// A quote without its closing one.
    Unclosed { at: usize },
    /// A line that is no JSON object, in JSON Lines.
    NoObject,
}

/// The record at `start` of `text`; `None` if the text ends within it, unless `at_end` marks the end of the file.
///
/// A record with wrong quotes ends at its first line end, so that the following rows are not lost.
pub(crate) fn next_record(text: &[u8], start: usize, at_end: bool) -> Option<Record> {
    next_record_by(b',', text, start, at_end)
}

#[inline]
pub(super) fn next_record_by(separator: u8, text: &[u8], start: usize, at_end: bool) -> Option<Record> {
    let mut at = start;
    let mut n_lines = 1;
    loop {
        let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\n', rest)) else {
            return at_end.then(|| whole(text, start, text.len(), text.len(), n_lines));
        };
        let found = at + found;
        if text[found] == b'\n' {
            return Some(whole(text, start, found, found + 1, n_lines));
        }
        if found > start && text[found - 1] != separator {
            return Some(flawed(text, start, QuoteError::Inside { at: found - start }));
        }
        match closing_quote(separator, text, found, at_end)? {
            Closing::At { quote, n_line_ends } => {
                n_lines += n_line_ends;
                at = quote + 1;
            }
            Closing::Followed { quote } => {
                let flaw = match memchr(b'\n', &text[found..quote]) {
                    Some(_) => QuoteError::Unclosed { at: found - start },
                    None => QuoteError::TextAfter { at: quote + 1 - start },
                };
                return Some(flawed(text, start, flaw));
            }
            Closing::Never => return Some(flawed(text, start, QuoteError::Unclosed { at: found - start })),
        }
    }
}

fn whole(text: &[u8], start: usize, end: usize, next: usize, n_lines: u64) -> Record {
    let end = if end > start && text[end - 1] == b'\r' { end - 1 } else { end };
    Record { range: start..end, next, n_lines, flaw: None }
}

fn flawed(text: &[u8], start: usize, flaw: QuoteError) -> Record {
    let end = memchr(b'\n', &text[start..]).map(|len| start + len);
    let record = whole(text, start, end.unwrap_or(text.len()), end.map_or(text.len(), |end| end + 1), 1);
    Record { flaw: Some(flaw), ..record }
}

enum Closing {
    At { quote: usize, n_line_ends: u64 },
    Followed { quote: usize },
    Never,
}

/// The quote that closes the one at `open`.
fn closing_quote(separator: u8, text: &[u8], open: usize, at_end: bool) -> Option<Closing> {
    let mut at = open + 1;
    let mut n_line_ends = 0;
    loop {
        let Some(found) = memchr2(b'"', b'\n', &text[at..]) else {
            return at_end.then_some(Closing::Never);
        };
        let found = at + found;
        if text[found] == b'\n' {
            n_line_ends += 1;
            at = found + 1;
            continue;
        }
        match (text.get(found + 1), text.get(found + 2)) {
            (Some(b'"'), _) => at = found + 2,
            (Some(b'\n'), _) | (Some(b'\r'), Some(b'\n')) => {
                return Some(Closing::At { quote: found, n_line_ends });
            }
            (Some(&byte), _) if byte == separator => {
                return Some(Closing::At { quote: found, n_line_ends });
            }
            (None, _) | (Some(b'\r'), None) if at_end => {
                return Some(Closing::At { quote: found, n_line_ends });
            }
            (None, _) | (Some(b'\r'), None) => return None,
            _ => return Some(Closing::Followed { quote: found }),
        }
    }
}

/// The end of the field at `start` of a record without quote flaws: the position of its comma, or the record's length.
pub(crate) fn field_end(record: &[u8], start: usize) -> usize {
    field_end_by(b',', record, start)
}

#[inline]
fn field_end_by(separator: u8, record: &[u8], start: usize) -> usize {
    let from = if record.get(start) == Some(&b'"') {
        match closing_quote(separator, record, start, true) {
            Some(Closing::At { quote, .. }) => quote + 1,
            _ => return record.len(),
        }
    } else {
        start
    };
    memchr(separator, &record[from..]).map_or(record.len(), |len| from + len)
}

/// The raw fields of a record without quote flaws, including quotes.
pub(crate) fn fields(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    fields_by(b',', record)
}

pub(super) fn fields_by(separator: u8, record: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let end = field_end_by(separator, record, from);
        start = (end < record.len()).then_some(end + 1);
        Some(&record[from..end])
    })
}

/// The value of a field: without its quotes, with doubled quotes unescaped.
pub(crate) fn value(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = field.strip_prefix(b"\"") else { return Cow::Borrowed(field) };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    if memchr(b'"', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut value = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(quote) = memchr(b'"', rest) {
        value.extend_from_slice(&rest[..=quote]);
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    value.extend_from_slice(rest);
    Cow::Owned(value)
}

/// Appends a field with this value, quoted if necessary.
pub(super) fn write_field(out: &mut Vec<u8>, value: &[u8]) {
    if !value.iter().any(|byte| b",\"\n\r".contains(byte)) {
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    let mut rest = value;
    while let Some(quote) = memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        out.push(b'"');
        rest = &rest[quote + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Whether a record is a blank line.
pub(crate) fn is_blank(record: &[u8]) -> bool {
    record.first().is_none_or(u8::is_ascii_whitespace) && record.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<(&str, u64, Option<QuoteError>)> {
        let mut start = 0;
        let mut found = Vec::new();
        while start < text.len() {
            let record = next_record(text.as_bytes(), start, true).unwrap();
            found.push((&text[record.range.clone()], record.n_lines, record.flaw));
            assert!(record.next > start);
            start = record.next;
        }
        found
    }

    #[test]
    fn line_ends_and_quotes() {
        let text = "a,b\r\n\"[1,\n2]\",x\n\n\"say \"\"hi\"\"\",\"\"\r\nlast,\"y\"";
        let expected =
            [("a,b", 1), ("\"[1,\n2]\",x", 2), ("", 1), ("\"say \"\"hi\"\"\",\"\"", 1), ("last,\"y\"", 1)];
        let found = records(text);
        assert_eq!(found, expected.map(|(record, n_lines)| (record, n_lines, None)));
        assert_eq!(fields(found[3].0.as_bytes()).map(value).collect::<Vec<_>>(), [&b"say \"hi\""[..], b""]);
        assert_eq!(fields(b"a,,").collect::<Vec<_>>(), [&b"a"[..], b"", b""]);
    }

    #[test]
    fn a_flawed_record_affects_no_other() {
        let text = "\"[1,2],x\n\"[3,4]\",y\n\"[5]\" ,z\n[6\"],w\n\"[7,8]\",v\n\"[9";
        let flaws: Vec<_> = records(text).into_iter().map(|(record, _, flaw)| (record, flaw)).collect();
        assert_eq!(
            flaws,
            [
                ("\"[1,2],x", Some(QuoteError::Unclosed { at: 0 })),
                ("\"[3,4]\",y", None),
                ("\"[5]\" ,z", Some(QuoteError::TextAfter { at: 5 })),
                ("[6\"],w", Some(QuoteError::Inside { at: 2 })),
                ("\"[7,8]\",v", None),
                ("\"[9", Some(QuoteError::Unclosed { at: 0 })),
            ]
        );
    }

    /// However the text is cut into windows, the records are the same: a partial record is not returned.
    #[test]
    fn a_cut_text_gives_no_record_too_early() {
        let text = "\"[1,\n2]\",x\r\n\"a\"\"b\",y\r\n\"q\"\r\n,\n";
        let all = records(text);
        for cut in 0..text.len() {
            let mut start = 0;
            let mut n = 0;
            while start < cut
                && let Some(record) = next_record(&text.as_bytes()[..cut], start, false)
            {
                assert_eq!(&text[record.range.clone()], all[n].0, "cut at {cut}");
                assert_eq!(record.flaw, all[n].2, "cut at {cut}");
                start = record.next;
                n += 1;
            }
        }
    }
}
