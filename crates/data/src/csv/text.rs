//! The text of a table, window by window, converted to a CSV: UTF-8, with commas, a header and one record per row.

mod delimited;
mod encoding;
mod header;
mod json;

use super::Numbered;
use super::layout::{self, Layout};
use super::records::{QuoteError, is_blank, next_record};
use crate::{Error, ReadOptions, Result, RowLocation};
use delimited::Delimited;
use encoding::Encoding;
use json::Objects;
use std::collections::VecDeque;
use std::io::Read;

/// The number of bytes read at once: small enough to stay in the caches from reading to parsing.
const WINDOW: usize = 1 << 20;

/// The maximum length of a record; a longer one is due to an unclosed quote.
const MAX_RECORD: usize = 64 << 20;

/// The records of a text, window by window.
pub(crate) struct Text<'a> {
    input: Box<dyn Read + 'a>,
    encoding: Encoding,
    form: Form,
    /// The bytes that were read but not yet converted.
    pending: Vec<u8>,
    buffer: Vec<u8>,
    /// Where the next record starts in `buffer`.
    start: usize,
    /// Whether all of the input is in `pending` and `buffer`.
    at_end: bool,
    /// The line on which the next record starts.
    line: u64,
    /// For a form that does not keep its lines: the line of each of the next rows, and whether it is valid.
    places: VecDeque<(u64, bool)>,
    conversions: Vec<(&'static str, String)>,
    /// The label column in a table without a header, chosen by its position.
    label: Option<String>,
    header: Header,
    /// Whether each line is one cell, whatever it contains.
    is_lines: bool,
}

/// Whether the first row of a text holds the column names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Header {
    /// Detected from its content and that of the rows below.
    #[default]
    Detected,
    Present,
    Absent,
}

/// The form of a text, which decides how it is converted.
enum Form {
    /// A CSV, which needs no conversion.
    Csv,
    Delimited(Delimited),
    Json(Objects),
}

impl<'a> Text<'a> {
    pub(crate) fn new(input: Box<dyn Read + 'a>) -> Text<'a> {
        Text {
            input,
            encoding: Encoding::default(),
            form: Form::Csv,
            pending: Vec::new(),
            buffer: Vec::new(),
            start: 0,
            at_end: false,
            line: 1,
            places: VecDeque::new(),
            conversions: Vec::new(),
            label: None,
            header: Header::Detected,
            is_lines: false,
        }
    }

    /// Sets whether the text has a header.
    pub(crate) fn with_header(self, header: Header) -> Text<'a> {
        Text { header, ..self }
    }

    /// Reads the text as a table of one column, with one line per cell.
    pub(crate) fn of_lines(self, is_lines: bool) -> Text<'a> {
        Text { is_lines, ..self }
    }

    /// How the text differs from a plain CSV: a finding's code and message for each difference.
    pub(crate) fn conversions(&self) -> Vec<(&'static str, String)> {
        let encoding = self.encoding.name().map(|name| ("encoding", name));
        encoding.into_iter().chain(self.conversions.iter().cloned()).collect()
    }

    /// Reads the next window, once the previous one is no longer used.
    pub(super) fn read_ahead(&mut self) -> Result<()> {
        if self.at_end { Ok(()) } else { self.read_more() }
    }

    /// Drops the used part of the window and reads more after the rest.
    fn read_more(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        // A record longer than the window doubles it, so that the work stays linear.
        let wanted = WINDOW.max(self.buffer.len() + self.pending.len());
        if matches!(self.form, Form::Csv) {
            let mut buffer = std::mem::take(&mut self.buffer);
            let read = self.read_into(&mut buffer, wanted);
            self.buffer = buffer;
            return read;
        }
        let mut pending = std::mem::take(&mut self.pending);
        let read = self.read_into(&mut pending, wanted);
        self.pending = pending;
        read?;
        self.convert()
    }

    fn read_into(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<()> {
        let had = buffer.len();
        buffer.reserve(wanted);
        let read = self.input.by_ref().take(wanted as u64).read_to_end(buffer);
        read.map_err(crate::source::read_error)?;
        self.at_end = buffer.len() - had < wanted;
        self.encoding.decode(buffer, had, self.at_end)
    }

    /// Converts the complete rows that were read and moves them to the window.
    fn convert(&mut self) -> Result<()> {
        let used = match &mut self.form {
            Form::Csv => {
                self.buffer.append(&mut self.pending);
                0
            }
            Form::Delimited(delimited) => delimited.convert(&self.pending, &mut self.buffer, self.at_end),
            Form::Json(objects) => {
                objects.convert(&self.pending, &mut self.buffer, &mut self.places, self.at_end)?
            }
        };
        self.pending.drain(..used);
        Ok(())
    }

    /// The complete records of the next window, each with its first line, and the text that their ranges refer to;
    /// empty at the end.
    pub(crate) fn next_window(&mut self) -> Result<(Vec<Numbered>, &[u8])> {
        loop {
            let mut records = Vec::new();
            while self.start < self.buffer.len()
                && let Some(mut record) = next_record(&self.buffer, self.start, self.at_end)
            {
                self.start = record.next;
                let n_lines = record.n_lines;
                let mut line = self.line;
                if let Some((at, is_object)) = self.places.pop_front() {
                    line = at;
                    record.flaw = if is_object { record.flaw } else { Some(QuoteError::NoObject) };
                }
                records.push((record, line));
                self.line += n_lines;
            }
            if !records.is_empty() || self.at_end {
                return Ok((records, &self.buffer));
            }
            if self.buffer.len() - self.start + self.pending.len() > MAX_RECORD {
                return Err(endless().placed(RowLocation::line(self.line)));
            }
            self.read_more()?;
        }
    }

    /// Reads enough to detect the form of the text, and its first window.
    fn begin(&mut self) -> Result<()> {
        let mut text = Vec::new();
        while !self.at_end && text.len() <= MAX_RECORD && !has_row(&text) {
            let wanted = WINDOW.max(text.len());
            self.read_into(&mut text, wanted)?;
        }
        if !self.at_end && !has_row(&text) {
            return Err(endless());
        }
        self.pending = text;
        if json::is_rows(&self.pending) {
            let objects = Objects::new(&self.pending, self.at_end)?;
            self.buffer = objects.header();
            self.form = Form::Json(objects);
        } else {
            let beginning = header::detect(&self.pending, self.at_end, self.header, self.is_lines);
            self.pending.drain(..beginning.len);
            self.buffer = beginning.header;
            self.line -= u64::from(beginning.is_made);
            self.conversions.extend(beginning.missing_header.map(|message| ("no-header", message)));
            self.label = beginning.label;
            if let Some(delimited) = beginning.delimited {
                self.form = Form::Delimited(delimited);
            }
        }
        self.convert()
    }
}

/// Reads the header and enough rows to detect the layout.
pub(crate) fn layout(text: &mut Text<'_>, options: &ReadOptions) -> Result<Layout> {
    text.begin()?;
    let options = ReadOptions {
        label_hint: options.label_hint.clone().or_else(|| text.label.clone()),
        ..options.clone()
    };
    let layout = layout::detect(&text.buffer, text.at_end, text.line, &options)?;
    text.start = layout.start;
    text.line = layout.first_line;
    Ok(layout)
}

/// The number of rows after the header, which [`layout`] has read.
pub(crate) fn count_rows(text: &mut Text<'_>) -> Result<u64> {
    let mut n_rows = 0;
    loop {
        let (records, bytes) = text.next_window()?;
        if records.is_empty() {
            return Ok(n_rows);
        }
        n_rows += records.iter().filter(|(record, _)| !is_blank(&bytes[record.range.clone()])).count() as u64;
        text.read_ahead()?;
    }
}

fn endless() -> Error {
    Error::format(format!("a row of more than {} MiB, as no table of embeddings has", MAX_RECORD >> 20))
        .with_hint("a quote may not be closed, or the line ends be lost")
}

fn has_row(text: &[u8]) -> bool {
    let mut start = 0;
    let mut n_records = 0;
    while n_records < 2
        && start < text.len()
        && let Some(record) = next_record(text, start, false)
    {
        start = record.next;
        n_records += usize::from(!is_blank(&text[record.range]));
    }
    n_records == 2
}
