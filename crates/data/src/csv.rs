//! CSV: a list of numbers in one column, or one column per feature.
//!
//! Other text tables are converted to it as they are read (`text/`): those with other separators, in other encodings,
//! without a header, and JSON with one object per row.
//!
//! The text is read in windows. Each window is cut into records by one thread (which takes a tenth of the time), and
//! the records are parsed in pieces of fixed size by all; so rows, and the first bad row, are the same for any number
//! of threads.

mod layout;
mod records;
mod row;
mod text;

pub(crate) use layout::Layout;
pub(crate) use records::{Record, fields, is_blank, value};
pub(crate) use row::{Label, Row};
pub(crate) use text::{Header, Text, count_rows, layout};

use crate::rows::{ALL_ROWS, BadRow, NO_LABEL, RowBlock, RowRange, Texts, Wanted};
use crate::{Result, RowLocation};
use headsmith_kernels::Pool;
use std::collections::{HashMap, VecDeque};

/// The length of text that is parsed as one piece of work.
const PIECE: usize = 128 << 10;

/// A record and the line it starts on.
pub(crate) type Numbered = (Record, u64);

/// Reads a CSV in blocks of rows.
pub(crate) struct Rows<'a> {
    text: &'a mut Text<'static>,
    layout: &'a Layout,
    pool: &'a Pool,
    wanted: Wanted<'a>,
    range: RowRange,
    /// The number of rows before the next window.
    n_before: u64,
    ready: VecDeque<RowBlock>,
    ended: bool,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        text: &'a mut Text<'static>,
        layout: &'a Layout,
        (wanted, range): (Wanted<'a>, RowRange),
        pool: &'a Pool,
    ) -> Rows<'a> {
        Rows { text, layout, pool, wanted, range, n_before: 0, ready: VecDeque::new(), ended: false }
    }

    fn read_window(&mut self) -> Result<()> {
        let (mut records, text) = self.text.next_window()?;
        self.ended = records.is_empty();
        if self.range != ALL_ROWS {
            keep_range(&mut records, text, &mut self.n_before, &self.range);
            self.ended |= self.n_before >= self.range.end;
        }
        let pieces = pieces(&records);
        let blocks = self.pool.map(pieces.len(), |i| block(pieces[i], text, (self.layout, self.wanted)));
        self.ready.extend(blocks);
        // The window is no longer needed, so the next one may overwrite it.
        if !self.ended {
            self.text.read_ahead()?;
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

/// Drops the records of rows outside `range`, of which `n_before` are before these; blank lines are no rows.
fn keep_range(records: &mut Vec<Numbered>, text: &[u8], n_before: &mut u64, range: &RowRange) {
    records.retain(|(record, _)| {
        let is_kept = range.contains(n_before);
        *n_before += u64::from(!is_blank(&text[record.range.clone()]));
        is_kept
    });
}

/// Groups consecutive records into pieces of about [`PIECE`] bytes.
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

fn block(records: &[Numbered], text: &[u8], (layout, wanted): (&Layout, Wanted<'_>)) -> RowBlock {
    let n_features = layout.n_features;
    let (Wanted::With(others) | Wanted::Alone(others)) = wanted;
    let mut block = RowBlock {
        x: vec![0.0; records.len() * n_features],
        others: others.iter().map(|&column| (column, Texts::default())).collect(),
        ..RowBlock::default()
    };
    let mut codes = Codes { names: layout.columns.one_hot.clone(), ..Codes::default() };
    for (record, line) in records {
        let bytes = &text[record.range.clone()];
        if is_blank(bytes) {
            block.blank_lines.add(1, || RowLocation::line(*line));
            continue;
        }
        let n_rows = block.numbers.len();
        let x = &mut block.x[n_rows * n_features..(n_rows + 1) * n_features];
        let read = match (wanted, record.flaw) {
            (Wanted::Alone(_), None) => Ok(Row { label: Label::Missing, underflows: 0 }),
            _ => read_row(bytes, record, *line, layout, x),
        };
        match read {
            Ok(row) => {
                push_fields(&mut block.others, bytes);
                block.numbers.push(*line);
                block.codes.push(codes.of(row.label));
                block.underflows.add(row.underflows, || RowLocation::line(*line));
            }
            Err(bad) => block.bad.push(*bad),
        }
    }
    block.x.truncate(block.numbers.len() * n_features);
    block.names = codes.names;
    block
}

/// Adds the raw fields of a record to the columns that they are in.
fn push_fields(others: &mut [(usize, Texts)], record: &[u8]) {
    match others {
        [] => {}
        [(column, texts)] => texts.push(fields(record).nth(*column).unwrap_or_default()),
        _ => {
            let fields: Vec<&[u8]> = fields(record).collect();
            for (column, texts) in others {
                texts.push(fields.get(*column).copied().unwrap_or_default());
            }
        }
    }
}

/// Reads the row of one record.
pub(crate) fn read_row<'a>(
    bytes: &'a [u8],
    record: &Record,
    line: u64,
    layout: &Layout,
    x: &mut [f32],
) -> std::result::Result<Row<'a>, Box<BadRow>> {
    if let Some(flaw) = record.flaw {
        return Err(Box::new(row::wrong_quotes(bytes, flaw, line, layout)));
    }
    match row::parse(bytes, layout, x) {
        Some(row) => Ok(row),
        None => row::parse_with_care(bytes, line, layout, x),
    }
}

/// Encodes the labels of a block.
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
