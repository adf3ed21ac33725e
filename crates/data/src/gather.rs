//! Gathers blocks of rows into a table.

use crate::beside::RowPositions;
use crate::features::Features;
use crate::labels::{self, Labels};
use crate::rows::{BadRow, N_SHOWN, NO_LABEL, RowBlock, Tally};
use crate::{Error, Finding, OnBadRow, Result, RowLocation, Severity};

/// How the rows of a format are numbered in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// By lines, from 1.
    Lines,
    /// By rows, from 1.
    Rows,
}

impl Numbering {
    pub(crate) fn location(self, number: u64) -> RowLocation {
        match self {
            Numbering::Lines => RowLocation::line(number),
            Numbering::Rows => RowLocation::row(number),
        }
    }
}

/// The number of each row in the file: runs of rows with consecutive numbers, as (first row, its number).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RowNumbers {
    runs: Vec<(usize, u64)>,
    n_rows: usize,
}

impl RowNumbers {
    pub(crate) fn push(&mut self, number: u64) {
        let next = self.runs.last().map(|(row, first)| first + (self.n_rows - row) as u64);
        if next != Some(number) {
            self.runs.push((self.n_rows, number));
        }
        self.n_rows += 1;
    }

    /// The numbers of the rows to keep.
    pub(crate) fn retained(&self, keep: &[bool]) -> RowNumbers {
        let mut kept = RowNumbers::default();
        keep.iter().enumerate().filter(|(_, keep)| **keep).for_each(|(row, _)| kept.push(self.get(row)));
        kept
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The runs: the first row of each, and its number.
    pub(crate) fn runs(&self) -> &[(usize, u64)] {
        &self.runs
    }

    /// The numbers of `n_rows` rows from runs; `None` if the runs are invalid.
    pub(crate) fn from_runs(runs: Vec<(usize, u64)>, n_rows: usize) -> Option<RowNumbers> {
        let first = runs.first()?.0 == 0;
        let ascending = runs.windows(2).all(|pair| {
            let [(row, number), (next_row, next_number)] = [pair[0], pair[1]];
            row < next_row && number.checked_add((next_row - row) as u64).is_some_and(|n| n < next_number)
        });
        let (row, number) = *runs.last()?;
        let fits = row < n_rows && number.checked_add((n_rows - row) as u64).is_some();
        (first && ascending && fits).then_some(RowNumbers { runs, n_rows })
    }

    pub(crate) fn get(&self, row: usize) -> u64 {
        let run = self.runs.partition_point(|(first, _)| *first <= row) - 1;
        let (first, number) = self.runs[run];
        number + (row - first) as u64
    }
}

/// The result of [`gather`].
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) labels: Option<Labels>,
    pub(crate) numbers: RowNumbers,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) n_skipped: usize,
    /// The positions of the rows in the file.
    pub(crate) positions: RowPositions,
}

/// The properties of the table that [`gather`] needs.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    pub(crate) table: String,
    pub(crate) numbering: Numbering,
    pub(crate) n_features: usize,
    /// For each feature, its index in a block's rows; empty if the order is the same.
    pub(crate) order: &'a [usize],
    pub(crate) label: Option<&'a str>,
    /// Whether the labels are placeholders, which may be missing.
    pub(crate) placeholders: bool,
    pub(crate) on_bad_row: OnBadRow,
    /// Whether the labels are kept.
    pub(crate) keeps_labels: bool,
    /// Whether no row at all is no error.
    pub(crate) may_be_empty: bool,
    /// The expected number of rows, to reserve memory; it need not be right.
    pub(crate) expected_rows: usize,
}

/// Gathers blocks into the contents of a table; the features go to `features`.
pub(crate) fn gather(
    blocks: impl Iterator<Item = Result<RowBlock>>,
    outline: &Outline<'_>,
    features: &mut dyn Features,
) -> Result<Gathered> {
    features.expect(outline.expected_rows.saturating_mul(outline.n_features));
    let mut gathering = TableBuilder { positions: RowPositions::of_file(), ..TableBuilder::default() };
    for block in blocks {
        let mut block = block?;
        if !outline.order.is_empty() {
            reorder(&mut block.x, outline.order);
        }
        features.append(&mut block)?;
        gathering.add(block, outline)?;
    }
    gathering.finish(features, outline)
}

/// Reorders the values of each row to the order of the features.
fn reorder(x: &mut [f32], order: &[usize]) {
    let mut row = vec![0.0; order.len()];
    for values in x.chunks_exact_mut(order.len()) {
        row.copy_from_slice(values);
        values.iter_mut().zip(order).for_each(|(value, &i)| *value = row[i]);
    }
}

#[derive(Default)]
struct TableBuilder {
    numbers: RowNumbers,
    positions: RowPositions,
    labels: labels::LabelBuilder,
    bad: Vec<BadRow>,
    n_bad: usize,
    underflows: Tally,
    blank_lines: Tally,
    first_unlabelled: Option<u64>,
}

impl TableBuilder {
    fn add(&mut self, block: RowBlock, outline: &Outline<'_>) -> Result<()> {
        if outline.keeps_labels && !(outline.placeholders && self.first_unlabelled.is_some()) {
            self.labels.add(&block.names, &block.codes);
        }
        let unlabelled = block.codes.iter().position(|&code| code == NO_LABEL);
        if let (Some(row), None) = (unlabelled, self.first_unlabelled) {
            self.first_unlabelled = Some(block.numbers[row]);
        }
        block.numbers.iter().for_each(|&number| self.numbers.push(number));
        self.positions.add(&block.numbers, &block.bad);
        self.underflows.merge(block.underflows);
        self.blank_lines.merge(block.blank_lines);
        self.n_bad += block.bad.len();
        let room = N_SHOWN - self.bad.len();
        self.bad.extend(block.bad.into_iter().take(room));
        if outline.placeholders && self.first_unlabelled.is_some() {
            // Placeholders for only some of the rows are useless.
            self.labels = labels::LabelBuilder::default();
        }
        if outline.on_bad_row == OnBadRow::Error {
            self.refuse_first_bad(outline)?;
        }
        Ok(())
    }

    /// Refuses the first bad row, or the first row without a label if others have one, whichever comes first.
    fn refuse_first_bad(&mut self, outline: &Outline<'_>) -> Result<()> {
        let unlabelled =
            self.first_unlabelled.filter(|_| self.labels.any()).map(|number| unlabelled(number, outline));
        let bad = self.bad.first().cloned();
        let key = |bad: &BadRow| (bad.location.line, bad.location.row);
        match [bad, unlabelled].into_iter().flatten().min_by_key(key) {
            Some(bad) => Err(bad.into_error()),
            None => Ok(()),
        }
    }

    fn finish(mut self, features: &mut dyn Features, outline: &Outline<'_>) -> Result<Gathered> {
        if outline.label.is_some() && self.labels.any() && self.first_unlabelled.is_some() {
            features.retain(&self.drop_unlabelled(outline), outline.n_features)?;
        }
        if self.numbers.n_rows == 0 && !outline.may_be_empty {
            return Err(match self.bad.into_iter().next() {
                Some(bad) if self.n_bad > 1 => {
                    let what = format!("{} (and none of the {} rows can be read)", bad.what, self.n_bad);
                    BadRow { what: what.into(), ..bad }.into_error()
                }
                Some(bad) => bad.into_error(),
                None => Error::format("a header and no rows: expected at least one row below the header")
                    .with_hint("was the file written completely?"),
            });
        }
        let mut warnings = self.warnings(outline);
        let location = |row| outline.numbering.location(self.numbers.get(row));
        let labels = match outline.label {
            Some(column) if self.labels.any() => {
                let (labels, found) = self.labels.finish(column, &outline.table, location);
                warnings.extend(found.into_iter().filter(|_| !outline.placeholders));
                Some(labels)
            }
            _ => None,
        };
        Ok(Gathered {
            labels,
            numbers: self.numbers,
            warnings,
            n_skipped: self.n_bad,
            positions: self.positions,
        })
    }

    /// Drops the rows without a label, in a table with labels; returns which rows are kept.
    fn drop_unlabelled(&mut self, outline: &Outline<'_>) -> Vec<bool> {
        let keep: Vec<bool> = self.labels.codes().iter().map(|&code| code != NO_LABEL).collect();
        for (row, _) in keep.iter().enumerate().filter(|(_, keep)| !**keep) {
            self.n_bad += 1;
            self.bad.push(unlabelled(self.numbers.get(row), outline));
        }
        self.bad.sort_by_key(|bad| (bad.location.line, bad.location.row));
        self.bad.truncate(N_SHOWN);
        self.numbers = self.numbers.retained(&keep);
        self.positions.retain(&keep);
        self.labels.retain_labelled();
        keep
    }

    fn warnings(&self, outline: &Outline<'_>) -> Vec<Finding> {
        let mut warnings = Vec::new();
        let mut warn = |code, message: String, count, places| {
            let table = outline.table.clone();
            warnings.push(Finding { severity: Severity::Warning, code, table, message, count, places });
        };
        if self.n_bad > 0 {
            let n_rows = self.numbers.n_rows + self.n_bad;
            let shown =
                self.bad.iter().map(|bad| format!("{}: {}", bad.location, bad.what)).collect::<Vec<_>>();
            let more = if self.n_bad > shown.len() { "; .." } else { "" };
            let message = format!(
                "{} of {n_rows} rows could not be read and are skipped: {}{more}",
                self.n_bad,
                shown.join("; ")
            );
            warn(
                "skipped-rows",
                message,
                self.n_bad,
                self.bad.iter().map(|bad| bad.location.clone()).collect(),
            );
        }
        let tallies = [
            (
                "blank-lines",
                "blank lines between or after the rows",
                "a blank line between or after the rows",
                &self.blank_lines,
            ),
            (
                "underflow",
                "numbers are too small for 32 bits and became 0",
                "a number is too small for 32 bits and became 0",
                &self.underflows,
            ),
        ];
        for (code, many, one, tally) in tallies {
            if tally.count > 0 {
                let places = tally.places.iter().map(RowLocation::to_string).collect::<Vec<_>>().join(", ");
                let count = tally.count;
                let message = if count == 1 {
                    format!("{one}: {places}")
                } else {
                    format!("{count} {many}, first at {places}")
                };
                warn(code, message, count, tally.places.clone());
            }
        }
        warnings
    }
}

fn unlabelled(number: u64, outline: &Outline<'_>) -> BadRow {
    let location = outline.numbering.location(number);
    let location = match outline.label {
        Some(column) => location.in_column(column),
        None => location,
    };
    BadRow::new(location, "expected a label, found nothing", Some("label the row, or leave it out"))
}
