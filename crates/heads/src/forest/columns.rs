//! The place of each row in each sorted column: the form in which all trees of a forest share the features.
//!
//! `positions[f * n_samples + i]` is the place of row `i` when the rows are sorted by feature `f`; equal values
//! are in order of their rows, so every row of a column has a place of its own. Sorting the rows of a node by a
//! feature is then sorting small distinct integers, which [`super::order`] does in linear time, and 16 bits hold
//! them for up to 65,536 rows. The values are only read where a split is about to be chosen.

use std::sync::{Mutex, PoisonError};

use headsmith_kernels::random_cuts::Table;
use headsmith_kernels::{MatRef, Pool, gather};

/// A place in a sorted column, and an index into the rows of a node.
pub(super) trait Position: Copy + Default + Send + Sync {
    /// The place as a number that is compared in one instruction of many lanes.
    type Key: Copy + Ord + Default;
    fn new(place: usize) -> Self;
    fn index(self) -> usize;
    fn key(self) -> Self::Key;
    fn from_key(key: Self::Key) -> usize;
    /// Copies `rows` of a table into columns: [`gather`].
    fn gather(table: &[Self], n_cols: usize, rows: &[u32], columns: &mut [Self], stride: usize);
}

impl Position for u16 {
    type Key = i16;

    #[inline(always)]
    fn new(place: usize) -> u16 {
        place as u16
    }

    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }

    // SSE2 compares signed integers only: the sign bit is flipped, which keeps the order.
    #[inline(always)]
    fn key(self) -> i16 {
        (self ^ 1 << 15) as i16
    }

    #[inline(always)]
    fn from_key(key: i16) -> usize {
        (key as u16 ^ 1 << 15) as usize
    }

    fn gather(table: &[u16], n_cols: usize, rows: &[u32], columns: &mut [u16], stride: usize) {
        gather::columns_u16(table, n_cols, rows, columns, stride);
    }
}

impl Position for u32 {
    type Key = i32;

    #[inline(always)]
    fn new(place: usize) -> u32 {
        place as u32
    }

    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }

    #[inline(always)]
    fn key(self) -> i32 {
        (self ^ 1 << 31) as i32
    }

    #[inline(always)]
    fn from_key(key: i32) -> usize {
        (key as u32 ^ 1 << 31) as usize
    }

    fn gather(table: &[u32], n_cols: usize, rows: &[u32], columns: &mut [u32], stride: usize) {
        gather::columns_u32(table, n_cols, rows, columns, stride);
    }
}

/// The features of all samples as the trees see them.
#[derive(Debug)]
pub(super) struct Columns<'a, P> {
    x: MatRef<'a>,
    /// The place of each row, feature after feature.
    places: Vec<P>,
    /// The same row after row, where trees have blocks.
    by_row: Vec<P>,
    /// The values and their codes, where cuts are drawn; then there are no places.
    table: Option<Table>,
    /// The most rows of a block; 0 where trees have none.
    most_block_rows: usize,
    /// For each feature one bit a place: whether its value is more than [`SAME_VALUE`] above that of the place before.
    jumps: Vec<u64>,
    /// For each feature one bit a place: whether its value is above that of the place before at all.
    changes: Vec<u64>,
    /// Words a feature in `jumps` and `changes`.
    n_words: usize,
    /// For each feature, how many places one may go up at most without a jump.
    longest_run: Vec<u32>,
}

/// The features as a node sees them: those of all samples, or of the rows of a block ([`super::block`]).
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeColumns<'a, P> {
    all: &'a Columns<'a, P>,
    /// Column after column, each `n_rows` places long, one column `stride` after the other.
    places: &'a [P],
    stride: usize,
    n_rows: usize,
    /// The number of each row among all samples, where it is another one.
    origins: &'a [u32],
}

/// One feature of a node's rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column<'a, P> {
    /// The place of each row.
    pub(super) places: &'a [P],
    x: MatRef<'a>,
    feature: usize,
    origins: &'a [u32],
    jumps: &'a [u64],
    changes: &'a [u64],
    longest_run: usize,
}

/// Values that differ by no more count as equal (scikit-learn: `FEATURE_THRESHOLD`).
pub(super) const SAME_VALUE: f32 = 1e-7;

/// Features that are sorted together: their values share cache lines.
const FEATURES_A_PIECE: usize = 16;

impl<'a> Columns<'a, u32> {
    /// The columns of trees whose cuts are drawn, of rows with these weights: there are no places, and so neither a [`Column`] nor blocks.
    pub(super) fn unsorted(x: MatRef<'a>, weights: Option<&[f32]>, pool: &Pool) -> Columns<'a, u32> {
        Columns {
            x,
            places: Vec::new(),
            by_row: Vec::new(),
            table: Some(Table::new(x, weights, pool)),
            most_block_rows: 0,
            jumps: Vec::new(),
            changes: Vec::new(),
            n_words: 0,
            longest_run: Vec::new(),
        }
    }
}

impl<'a, P: Position> Columns<'a, P> {
    /// Sorts all columns of `x`, which must be finite and have at least one row, for trees with blocks of up to
    /// `most_block_rows` rows, or with none.
    pub(super) fn new(x: MatRef<'a>, most_block_rows: usize, pool: &Pool) -> Columns<'a, P> {
        let (n_rows, n_words) = (x.n_rows(), x.n_rows().div_ceil(64));
        let n_by_row = if most_block_rows > 0 { n_rows * x.n_cols() } else { 0 };
        let mut columns = Columns {
            x,
            places: vec![P::default(); n_rows * x.n_cols()],
            by_row: vec![P::default(); n_by_row],
            table: None,
            most_block_rows,
            jumps: Vec::with_capacity(n_words * x.n_cols()),
            changes: Vec::with_capacity(n_words * x.n_cols()),
            n_words,
            longest_run: Vec::with_capacity(x.n_cols()),
        };
        let steps = Mutex::new(vec![Steps::default(); x.n_cols().div_ceil(FEATURES_A_PIECE)]);
        pool.for_each_chunk(&mut columns.places, n_rows * FEATURES_A_PIECE, |piece, places| {
            let found = sort_piece(x, piece * FEATURES_A_PIECE, places);
            steps.lock().unwrap_or_else(PoisonError::into_inner)[piece] = found;
        });
        for steps in steps.into_inner().unwrap_or_else(PoisonError::into_inner) {
            columns.jumps.extend(steps.jumps);
            columns.changes.extend(steps.changes);
            columns.longest_run.extend(steps.longest_run);
        }
        if most_block_rows > 0 {
            transpose(&columns.places, n_rows, &mut columns.by_row, pool);
        }
        columns
    }

    /// The values and their codes, where cuts are drawn.
    pub(super) fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    pub(super) fn n_samples(&self) -> usize {
        self.x.n_rows()
    }

    pub(super) fn n_features(&self) -> usize {
        self.x.n_cols()
    }

    pub(super) fn most_block_rows(&self) -> usize {
        self.most_block_rows
    }

    /// Copies the places of `rows` into columns of their own, one `stride` after the other.
    pub(super) fn gather(&self, rows: &[u32], columns: &mut [P], stride: usize) {
        P::gather(&self.by_row, self.x.n_cols(), rows, columns, stride);
    }
}

impl<'a, P: Position> NodeColumns<'a, P> {
    /// The columns of all samples.
    pub(super) fn of_all(columns: &'a Columns<'a, P>) -> NodeColumns<'a, P> {
        let n_rows = columns.n_samples();
        NodeColumns { all: columns, places: &columns.places, stride: n_rows, n_rows, origins: &[] }
    }

    /// The columns of a block of the rows `origins`.
    pub(super) fn of_block(
        columns: &'a Columns<'a, P>,
        places: &'a [P],
        stride: usize,
        origins: &'a [u32],
    ) -> NodeColumns<'a, P> {
        NodeColumns { all: columns, places, stride, n_rows: origins.len(), origins }
    }

    /// The values and their codes, where cuts are drawn.
    pub(super) fn table(&self) -> Option<&'a Table> {
        self.all.table.as_ref()
    }

    #[inline(always)]
    pub(super) fn column(&self, feature: u32) -> Column<'a, P> {
        let feature = feature as usize;
        let words = feature * self.all.n_words..(feature + 1) * self.all.n_words;
        Column {
            places: &self.places[feature * self.stride..][..self.n_rows],
            x: self.all.x,
            feature,
            origins: self.origins,
            jumps: &self.all.jumps[words.clone()],
            changes: &self.all.changes[words],
            longest_run: self.all.longest_run[feature] as usize,
        }
    }
}

impl<P: Position> Column<'_, P> {
    /// Whether the values at `place` and the later place `next`, both of rows in `rows`, count as different.
    #[inline(always)]
    pub(super) fn differ(&self, place: usize, next: usize, rows: &[u32]) -> bool {
        // The first is almost always so, and spares a look at memory far away.
        if next - place > self.longest_run || any_bit(self.jumps, place + 1, next) {
            return true;
        }
        // A jump may still have been made in several small steps.
        any_bit(self.changes, place + 1, next)
            && self.value_at(next, rows) > self.value_at(place, rows) + SAME_VALUE
    }

    /// The value of a row.
    pub(super) fn value(&self, row: u32) -> f32 {
        let row = if self.origins.is_empty() { row } else { self.origins[row as usize] };
        self.x.row(row as usize)[self.feature]
    }

    /// The value at `place`, which must be that of a row in `rows`.
    fn value_at(&self, place: usize, rows: &[u32]) -> f32 {
        let row = rows.iter().find(|&&row| self.places[row as usize].index() == place);
        row.map_or(f32::NAN, |&row| self.value(row))
    }
}

/// Whether a bit is set from `first` to `last`, both included.
#[inline]
fn any_bit(bits: &[u64], first: usize, last: usize) -> bool {
    let (from, to) = (!0 << (first % 64), !0 >> (63 - last % 64));
    let words = &bits[first / 64..=last / 64];
    match words {
        [] => false,
        [word] => word & from & to != 0,
        [begin, middle @ .., end] => {
            begin & from != 0 || middle.iter().any(|&word| word != 0) || end & to != 0
        }
    }
}

/// The places at which the values of some columns rise; see [`Columns`].
#[derive(Debug, Clone, Default)]
struct Steps {
    jumps: Vec<u64>,
    changes: Vec<u64>,
    longest_run: Vec<u32>,
}

/// How many rows ahead values are fetched: rows of many features lie too far apart for the processor to guess.
const ROWS_AHEAD: usize = 24;

/// Sorts the columns from `first` on, as many as `places` has room for.
fn sort_piece<P: Position>(x: MatRef<'_>, first: usize, places: &mut [P]) -> Steps {
    let n_rows = x.n_rows();
    let mut rows = vec![0u64; places.len()];
    for i in 0..n_rows {
        gather::prefetch(&x.row((i + ROWS_AHEAD).min(n_rows - 1))[first]);
        let values = &x.row(i)[first..first + places.len() / n_rows];
        for (f, value) in values.iter().enumerate() {
            rows[f * n_rows + i] = u64::from(ascending_bits(*value)) << 32 | i as u64;
        }
    }
    let mut steps = Steps::default();
    let mut other = Vec::new();
    for (rows, places) in rows.chunks_mut(n_rows).zip(places.chunks_mut(n_rows)) {
        sort_by_value(rows, &mut other);
        for (place, row) in rows.iter().enumerate() {
            places[*row as u32 as usize] = P::new(place);
        }
        steps.add_column(rows.iter().map(|row| from_ascending_bits((row >> 32) as u32)));
    }
    steps
}

/// Rows of which the places are written together: they share cache lines of the columns.
const ROWS_A_PIECE: usize = 64;

/// Writes columns of `n_rows` places row after row.
fn transpose<P: Position>(places: &[P], n_rows: usize, by_row: &mut [P], pool: &Pool) {
    let n_features = places.len() / n_rows;
    pool.for_each_chunk(by_row, ROWS_A_PIECE * n_features, |piece, by_row| {
        let first = piece * ROWS_A_PIECE;
        for (f, column) in places.chunks_exact(n_rows).enumerate() {
            for (row, &place) in by_row.chunks_exact_mut(n_features).zip(&column[first..]) {
                row[f] = place;
            }
        }
    });
}

/// The bits that a pass of [`sort_by_value`] sorts by; three passes see all 32 of a value.
const RADIX_BITS: u32 = 11;

/// Below this many, comparing is faster than counting.
const FEWEST_COUNTED: usize = 512;

/// Sorts rows in ascending order by the upper 32 bits, and equal ones by the lower, with as much memory again.
fn sort_by_value(rows: &mut [u64], other: &mut Vec<u64>) {
    if rows.len() < FEWEST_COUNTED {
        return rows.sort_unstable();
    }
    let digit = |row: u64, pass: u32| (row >> (32 + pass * RADIX_BITS)) as usize & ((1 << RADIX_BITS) - 1);
    let mut counts = [[0u32; 1 << RADIX_BITS]; 3];
    for &row in rows.iter() {
        for (counts, pass) in counts.iter_mut().zip(0..) {
            counts[digit(row, pass)] += 1;
        }
    }
    other.resize(rows.len(), 0);
    let (mut from, mut to) = (&mut *rows, &mut other[..]);
    for (starts, pass) in counts.iter_mut().zip(0..) {
        let mut start = 0;
        for count in starts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for &row in from.iter() {
            let start = &mut starts[digit(row, pass)];
            to[*start as usize] = row;
            *start += 1;
        }
        std::mem::swap(&mut from, &mut to);
    }
    // After an odd number of passes, the rows are in the other memory.
    rows.copy_from_slice(other);
}

impl Steps {
    fn add_column(&mut self, values: impl ExactSizeIterator<Item = f32>) {
        let (first_word, n_words) = (self.jumps.len(), values.len().div_ceil(64));
        self.jumps.resize(first_word + n_words, 0);
        self.changes.resize(first_word + n_words, 0);
        let (mut before, mut last_jump, mut longest_run) = (f32::INFINITY, 0, 0);
        for (place, value) in values.enumerate() {
            let (word, bit) = (first_word + place / 64, place % 64);
            self.changes[word] |= u64::from(value > before) << bit;
            if value > before + SAME_VALUE {
                self.jumps[word] |= 1 << bit;
                last_jump = place;
            }
            longest_run = longest_run.max(place - last_jump);
            before = value;
        }
        self.longest_run.push(longest_run as u32);
    }
}

/// The bits of a finite float as an integer in the same order; -0 counts as 0.
fn ascending_bits(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The float whose [`ascending_bits`] these are.
fn from_ascending_bits(bits: u32) -> f32 {
    f32::from_bits(if bits >> 31 == 1 { bits & !(1 << 31) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_are_those_of_a_stable_sort(
            (n_rows, values) in (1usize..150).prop_flat_map(|n| {
                (Just(n), proptest::collection::vec(prop_oneof![-3i8..3i8, 40i8..60i8], n * 19))
            })
        ) {
            let x: Vec<f32> = values.iter().map(|&v| if v >= 40 { f32::from(v) * 0.4e-7 } else { f32::from(v) / 7.0 }).collect();
            let x = MatRef::new(&x, n_rows, 19);
            let columns = Columns::<u16>::new(x, 0, &Pool::inline());
            let wide = Columns::<u32>::new(x, 0, &Pool::new(3).unwrap());
            for f in 0..19 {
                let mut rows: Vec<usize> = (0..n_rows).collect();
                rows.sort_by(|&a, &b| x.row(a)[f].partial_cmp(&x.row(b)[f]).unwrap());
                let (column, wide) = (NodeColumns::of_all(&columns).column(f as u32), NodeColumns::of_all(&wide).column(f as u32));
                let all: Vec<u32> = (0..n_rows as u32).collect();
                for (place, &row) in rows.iter().enumerate() {
                    prop_assert_eq!(column.places[row] as usize, place);
                    prop_assert_eq!(wide.places[row] as usize, place);
                    prop_assert_eq!(column.value_at(place, &all), x.row(row)[f]);
                    for (next, &next_row) in rows.iter().enumerate().skip(place + 1) {
                        let differ = x.row(next_row)[f] > x.row(row)[f] + SAME_VALUE;
                        prop_assert_eq!(column.differ(place, next, &all), differ);
                        prop_assert_eq!(wide.differ(place, next, &all), differ);
                    }
                }
            }
        }
    }
}
