//! Converts a table with semicolons, tabs or bars, and perhaps decimal commas, to a CSV record by record, keeping the
//! lines.

use super::super::records::{fields_by, is_blank, next_record_by, value, write_field};
use std::borrow::Cow;

/// How a table is delimited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delimited {
    pub(super) separator: u8,
    /// For each column, whether its numbers have decimal commas; empty if those of none do.
    pub(super) decimal_commas: Vec<bool>,
}

impl Delimited {
    /// Appends the complete records of `text` to `out`; returns the number of bytes used.
    pub(super) fn convert(&self, text: &[u8], out: &mut Vec<u8>, at_end: bool) -> usize {
        let mut start = 0;
        while start < text.len()
            && let Some(record) = next_record_by(self.separator, text, start, at_end)
        {
            let bytes = &text[record.range];
            if record.flaw.is_some() || is_blank(bytes) {
                // Invalid in a CSV as well.
                out.extend_from_slice(bytes);
            } else {
                self.write_record(bytes, out);
            }
            out.push(b'\n');
            start = record.next;
        }
        start
    }

    fn write_record(&self, record: &[u8], out: &mut Vec<u8>) {
        for (i, field) in fields_by(self.separator, record).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            let value = value(field);
            let has_commas = self.decimal_commas.get(i).copied().unwrap_or(false);
            let value = if has_commas { with_point(value) } else { value };
            write_field(out, &value);
        }
    }
}

/// Replaces the decimal comma of a number by a point; other values are unchanged.
fn with_point(value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let Some(comma) = decimal_comma(&value) else { return value };
    let mut text = value.into_owned();
    text[comma] = b'.';
    Cow::Owned(text)
}

/// The position of the comma of a number with a decimal comma: `0,5`, `-12,25`, `1,5e-05`.
pub(super) fn decimal_comma(value: &[u8]) -> Option<usize> {
    let comma = memchr::memchr(b',', value)?;
    let digit = |at: usize| value.get(at).is_some_and(u8::is_ascii_digit);
    let others =
        value.iter().enumerate().all(|(at, byte)| at == comma || b"+-0123456789eE \t".contains(byte));
    (others && digit(comma + 1) && (comma == 0 || digit(comma - 1) || b"+-".contains(&value[comma - 1])))
        .then_some(comma)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_points_and_texts_keep_their_commas() {
        let table = Delimited { separator: b';', decimal_commas: vec![true, false] };
        let (text, mut out) = (&b"0,5;2,10;3,5\n-1,25;x,y;z\n"[..], Vec::new());
        assert_eq!(table.convert(text, &mut out, true), text.len());
        assert_eq!(String::from_utf8(out).unwrap(), "0.5,\"2,10\",\"3,5\"\n-1.25,\"x,y\",z\n");
    }
}
