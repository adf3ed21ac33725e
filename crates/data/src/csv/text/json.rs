//! Converts JSON with one object per row to a CSV: JSON Lines, or an array of objects.
//!
//! Values keep their text: a list of numbers becomes a cell with that list. The columns are the keys of the first
//! objects; a missing key gives an empty cell.

use super::super::records::write_field;
use crate::list::shown;
use crate::{Error, Result, RowLocation};
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

/// The number of objects whose keys become the columns.
const N_SAMPLED: usize = 64;

/// Whether a text starts like such a table.
pub(super) fn is_rows(text: &[u8]) -> bool {
    let text = beginning(text);
    let inner = text.strip_prefix(b"[").map_or(text, <[u8]>::trim_ascii_start);
    inner.starts_with(b"{")
}

/// The text after a byte order mark and white space.
fn beginning(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start()
}

/// The rows of a table of JSON objects.
#[derive(Debug)]
pub(super) struct Objects {
    columns: Vec<String>,
    by_name: HashMap<String, usize>,
    /// Whether each line holds one object, so that a bad line does not affect others.
    in_lines: bool,
    is_array: bool,
    line: u64,
    n_objects: u64,
}

impl Objects {
    /// Finds the columns in the first window of a text.
    pub(super) fn new(text: &[u8], at_end: bool) -> Result<Objects> {
        let mut objects = Objects {
            columns: Vec::new(),
            by_name: HashMap::new(),
            in_lines: in_lines(text),
            is_array: beginning(text).starts_with(b"["),
            line: 1,
            n_objects: 0,
        };
        let (mut at, mut n_objects) = (0, 0);
        while n_objects < N_SAMPLED
            && let Some(next) = objects.next(text, &mut at, at_end)?
        {
            let Some(members) = members(next) else { continue };
            n_objects += 1;
            for (key, _) in members {
                if !objects.by_name.contains_key(key.as_ref()) {
                    objects.by_name.insert(key.to_string(), objects.columns.len());
                    objects.columns.push(key.into_owned());
                }
            }
        }
        objects.refuse_columns(text)?;
        objects.line = 1;
        Ok(objects)
    }

    /// A single object of columns is another form of JSON.
    fn refuse_columns(&self, text: &[u8]) -> Result<()> {
        let first = beginning(text);
        let of_columns = first.starts_with(b"{")
            && object_end(first).and_then(|end| members(&first[..end])).is_some_and(|members| {
                let nested = |value: &[u8]| value.starts_with(b"{") || value.starts_with(b"[[");
                !members.is_empty()
                    && members.iter().any(|(_, value)| nested(value))
                    && members.iter().all(|(_, value)| value.starts_with(b"{") || value.starts_with(b"["))
            });
        if of_columns || self.columns.is_empty() {
            return Err(Error::format(
                "this is JSON, but not one object a row, {\"embedding\": [0.5, 1.25], \"label\": \"a\"}",
            )
            .with_hint("write it so: df.to_json(path, orient=\"records\", lines=True)"));
        }
        Ok(())
    }

    /// The columns as the header of a CSV.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            header.extend_from_slice(if i > 0 { b"," } else { b"" });
            write_field(&mut header, column.as_bytes());
        }
        header.push(b'\n');
        header
    }

    /// Appends the complete objects of `text` as records to `out`, and their lines and validity to `places`; returns
    /// the number of bytes used.
    pub(super) fn convert(
        &mut self,
        text: &[u8],
        out: &mut Vec<u8>,
        places: &mut VecDeque<(u64, bool)>,
        at_end: bool,
    ) -> Result<usize> {
        let mut at = 0;
        loop {
            let before = at;
            let Some(object) = self.next(text, &mut at, at_end)? else { return Ok(before.max(at)) };
            self.n_objects += 1;
            // Objects of an array may share a line, so they are numbered; others start on lines of their own.
            let first_line = self.line - memchr::memchr_iter(b'\n', object).count() as u64;
            let location = if self.is_array { self.n_objects } else { first_line };
            let members = members(object);
            places.push_back((location, members.is_some()));
            match members {
                Some(members) => self.write_row(members, out),
                None => write_field(out, object),
            }
            out.push(b'\n');
        }
    }

    fn write_row(&self, members: Vec<(Cow<'_, str>, &[u8])>, out: &mut Vec<u8>) {
        let mut cells: Vec<&[u8]> = vec![b""; self.columns.len()];
        for (key, value) in members {
            if let Some(&column) = self.by_name.get(key.as_ref()) {
                cells[column] = value;
            }
        }
        for (i, value) in cells.into_iter().enumerate() {
            out.extend_from_slice(if i > 0 { b"," } else { b"" });
            match value {
                b"null" => {}
                [b'"', ..] => {
                    let text: String = serde_json::from_slice(value).unwrap_or_default();
                    write_field(out, text.as_bytes());
                }
                _ => write_field(out, value),
            }
        }
    }

    /// The next object, or invalid line, from `at`, which moves to its end; `None` if the text ends first. Counts
    /// lines.
    fn next<'a>(&mut self, text: &'a [u8], at: &mut usize, at_end: bool) -> Result<Option<&'a [u8]>> {
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || !self.in_lines && b",[]".contains(byte);
        let bom = if *at == 0 && text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let start = *at + bom + text[*at + bom..].iter().take_while(|byte| is_between(byte)).count();
        let rest = &text[start..];
        let len = match memchr::memchr(b'\n', rest) {
            _ if rest.is_empty() => None,
            Some(len) if self.in_lines => Some(len),
            None if self.in_lines => at_end.then_some(rest.len()),
            _ => object_end(rest),
        };
        let lines = |text: &[u8]| memchr::memchr_iter(b'\n', text).count() as u64;
        let Some(len) = len else {
            if at_end && !rest.is_empty() {
                let location = RowLocation::line(self.line + lines(&text[*at..start]));
                let what = format!("expected a JSON object, found {}", shown(rest));
                return Err(Error::format(what)
                    .placed(location)
                    .with_hint("the file may be cut off: write it again"));
            }
            return Ok(None);
        };
        let end = start + len;
        self.line += lines(&text[*at..end]);
        *at = end;
        Ok(Some(rest[..len].trim_ascii_end()))
    }
}

/// Whether the text is no array and its first object ends its line.
fn in_lines(text: &[u8]) -> bool {
    let text = beginning(text);
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or(text).trim_ascii();
    text.starts_with(b"{") && object_end(line) == Some(line.len())
}

/// The end of the object or list at the start of `text`; `None` if it is incomplete.
fn object_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match text.get(at)? {
            b'"' => at = string_end(text, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ if depth == 0 => return None,
            // A list of numbers contains nothing else.
            _ => at += 1 + memchr_structure(&text[at + 1..]),
        }
    }
}

/// The number of bytes before the next quote or bracket.
fn memchr_structure(text: &[u8]) -> usize {
    text.iter().position(|byte| b"\"{}[]".contains(byte)).unwrap_or(text.len())
}

/// The end of the string that starts at `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += 1;
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 1;
    }
}

/// The members of the object that `text` consists of; `None` if it is none.
fn members(text: &[u8]) -> Option<Vec<(Cow<'_, str>, &[u8])>> {
    let mut members = Vec::new();
    let mut rest = text.strip_prefix(b"{")?.trim_ascii_start();
    loop {
        match rest.first()? {
            b'}' => return (rest.len() == 1).then_some(members),
            b',' if !members.is_empty() => rest = rest[1..].trim_ascii_start(),
            _ if members.is_empty() => {}
            _ => return None,
        }
        let end = (rest.first() == Some(&b'"')).then(|| string_end(rest, 0)).flatten()?;
        let inner = &rest[1..end - 1];
        let key = match memchr::memchr(b'\\', inner) {
            None => Cow::Borrowed(std::str::from_utf8(inner).ok()?),
            Some(_) => Cow::Owned(serde_json::from_slice(&rest[..end]).ok()?),
        };
        rest = rest[end..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let len = match rest.first()? {
            b'"' => {
                let len = string_end(rest, 0)?;
                serde_json::from_slice::<Cow<'_, str>>(&rest[..len]).ok()?;
                len
            }
            b'{' | b'[' => object_end(rest)?,
            _ => rest.iter().position(|byte| b",}".contains(byte) || byte.is_ascii_whitespace())?,
        };
        (len > 0).then_some(())?;
        members.push((key, &rest[..len]));
        rest = rest[len..].trim_ascii_start();
    }
}
