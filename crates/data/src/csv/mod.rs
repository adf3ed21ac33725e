//! CSV: a list of numbers in one column, or a column for each feature.
//!
//! The text is read in windows. Each window is cut into records by one thread (which takes a tenth of the time), and
//! the records are parsed in pieces of fixed size by all; so rows, and the first bad row, are the same for any number
//! of threads.

mod layout;
mod records;
mod row;

pub(crate) use layout::Layout;
pub(crate) use records::{Record, fields, is_blank, next_record};
pub(crate) use row::Label;

use crate::rows::{BadRow, NO_LABEL, RowBlock};
use crate::{Error, Place, ReadOptions, Result};
use headsmith_kernels::Pool;
use std::collections::{HashMap, VecDeque};
use std::io::Read;

/// The text that is read at once: small enough to stay in the caches from reading to parsing.
const WINDOW: usize = 1 << 20;

/// The text that one piece of work parses.
const PIECE: usize = 128 << 10;

/// The longest record; beyond it, a quote has swallowed the file.
const MAX_RECORD: usize = 64 << 20;

/// A record and the line it starts on.
pub(crate) type Numbered = (Record, u64);

/// The records of a text, window by window.
pub(crate) struct Text<'a> {
    input: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    /// Where the next record starts in `buffer`.
    start: usize,
    at_end: bool,
    /// The line on which the next record starts.
    line: u64,
}

impl<'a> Text<'a> {
    pub(crate) fn new(input: Box<dyn Read + 'a>) -> Text<'a> {
        Text { input, buffer: Vec::new(), start: 0, at_end: false, line: 1 }
    }

    /// Drops what was used of the window and reads more behind the rest.
    fn read_more(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let had = self.buffer.len();
        // A record longer than the window doubles it, so that the work stays linear.
        let wanted = WINDOW.max(had);
        self.buffer.reserve(wanted);
        let read = self.input.by_ref().take(wanted as u64).read_to_end(&mut self.buffer);
        read.map_err(crate::source::read_error)?;
        self.at_end = self.buffer.len() - had < wanted;
        Ok(())
    }

    /// The whole records of the next window, each with its first line, and the text they are ranges of; none at the
    /// end.
    pub(crate) fn next_window(&mut self) -> Result<(Vec<Numbered>, &[u8])> {
        loop {
            let mut records = Vec::new();
            while self.start < self.buffer.len()
                && let Some(record) = next_record(&self.buffer, self.start, self.at_end)
            {
                self.start = record.next;
                records.push((record, self.line));
                self.line += records[records.len() - 1].0.n_lines;
            }
            if !records.is_empty() || self.at_end {
                return Ok((records, &self.buffer));
            }
            if self.buffer.len() - self.start > MAX_RECORD {
                return Err(endless().placed(Place::line(self.line)));
            }
            self.read_more()?;
        }
    }
}

/// Reads the header and as much as is needed to find the layout.
pub(crate) fn layout(text: &mut Text<'_>, options: &ReadOptions) -> Result<Layout> {
    text.read_more()?;
    while !text.at_end && text.buffer.len() <= MAX_RECORD && !has_row(&text.buffer) {
        text.read_more()?;
    }
    if !text.at_end && !has_row(&text.buffer) {
        return Err(endless());
    }
    let layout = layout::detect(&text.buffer, text.at_end, options)?;
    text.start = layout.start;
    text.line = layout.first_line;
    Ok(layout)
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

/// The rows of a CSV in blocks.
pub(crate) struct Rows<'a> {
    text: Text<'a>,
    layout: &'a Layout,
    pool: &'a Pool,
    ready: VecDeque<RowBlock>,
    ended: bool,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(text: Text<'a>, layout: &'a Layout, pool: &'a Pool) -> Rows<'a> {
        Rows { text, layout, pool, ready: VecDeque::new(), ended: false }
    }

    fn read_window(&mut self) -> Result<()> {
        let (records, text) = self.text.next_window()?;
        self.ended = records.is_empty();
        let pieces = pieces(&records);
        let blocks = self.pool.map(pieces.len(), |i| block(pieces[i], text, self.layout));
        self.ready.extend(blocks);
        // The window is used up, and the next one may be read over it.
        if !self.ended && !self.text.at_end {
            self.text.read_more()?;
        }
        Ok(())
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<RowBlock>;

    fn next(&mut self) -> Option<Result<RowBlock>> {
        while self.ready.is_empty() && !self.ended {
            if let Err(error) = self.read_window() {
                self.ended = true;
                return Some(Err(error));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

/// Consecutive records of about [`PIECE`] bytes together.
fn pieces(records: &[Numbered]) -> Vec<&[Numbered]> {
    let mut pieces = Vec::new();
    let mut first = 0;
    for (i, (record, _)) in records.iter().enumerate() {
        if record.next - records[first].0.range.start >= PIECE || i + 1 == records.len() {
            pieces.push(&records[first..=i]);
            first = i + 1;
        }
    }
    pieces
}

fn block(records: &[Numbered], text: &[u8], layout: &Layout) -> RowBlock {
    let n_features = layout.n_features;
    let mut block = RowBlock { x: vec![0.0; records.len() * n_features], ..RowBlock::default() };
    let mut codes = Codes { names: layout.columns.one_hot.clone(), ..Codes::default() };
    for (record, line) in records {
        let bytes = &text[record.range.clone()];
        if is_blank(bytes) {
            block.blank_lines.add(1, || Place::line(*line));
            continue;
        }
        let n_rows = block.numbers.len();
        let x = &mut block.x[n_rows * n_features..(n_rows + 1) * n_features];
        match read_row(bytes, record, *line, layout, x) {
            Ok(row) => {
                block.numbers.push(*line);
                block.codes.push(codes.of(row.label));
                block.underflows.add(row.underflows, || Place::line(*line));
            }
            Err(bad) => block.bad.push(bad),
        }
    }
    block.x.truncate(block.numbers.len() * n_features);
    block.names = codes.names;
    block
}

/// Reads the row of one record.
pub(crate) fn read_row<'a>(
    bytes: &'a [u8],
    record: &Record,
    line: u64,
    layout: &Layout,
    x: &mut [f32],
) -> std::result::Result<row::Row<'a>, BadRow> {
    if let Some(flaw) = record.flaw {
        return Err(row::wrong_quotes(bytes, flaw, line, layout));
    }
    match row::parse(bytes, layout, x) {
        Some(row) => Ok(row),
        None => row::parse_with_care(bytes, line, layout, x),
    }
}

/// The labels of a block by number.
#[derive(Default)]
struct Codes {
    names: Vec<String>,
    by_name: HashMap<Vec<u8>, u32>,
}

impl Codes {
    fn of(&mut self, label: Label<'_>) -> u32 {
        let text = match label {
            Label::Missing => return NO_LABEL,
            Label::OneHot(class) => return class,
            Label::Text(text) => text,
        };
        if let Some(code) = self.by_name.get(&text[..]) {
            return *code;
        }
        let code = self.names.len() as u32;
        self.names.push(String::from_utf8_lossy(&text).into_owned());
        self.by_name.insert(text.into_owned(), code);
        code
    }
}
