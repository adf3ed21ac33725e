//! The best Gini cut of many rows without looking at most of them in order.
//!
//! Neighbouring places form buckets, and only the classes in each are counted. With the counts left of a bucket known,
//! a bound limits the gain inside it; if that is no more than the best so far, on this feature or an earlier one, the
//! bucket is skipped as a whole. So the result is that of evaluating every cut.
//!
//! The bound: with `L_c`, `R_c`, `w_l` and `w_r` as in [`super::criterion`], shares `p_c = L_c / w_l` and
//! `q_c = R_c / w_r`, the gain grows by
//!
//! `2 (p_c - q_c) - (sum p^2 - sum q^2)`
//!
//! a unit of weight of class `c` that passes to the left. By the mean value theorem the gain inside a bucket with
//! weights `h_c` is at most the gain before it plus the sum over classes of `h_c` times the greatest such slope, if that
//! is positive; and in a slope, `p_c <= (L_c + h_c) / w_l`, `q_c >= (R_c - h_c) / w_r`, while the sums of squares are
//! bounded by what their numerators are before the bucket and their denominators are behind it.

use super::columns::{Column, Position};
use super::criterion::{ClassSums, GiniScan, Scan};
use super::entry::Entry;
use super::split::{Cut, Found, NodeRows};

/// The memory of buckets.
#[derive(Debug)]
pub(super) struct Buckets<E> {
    /// For each bucket, how often rows of each class were drawn, then the number of rows.
    counts: Vec<u32>,
    /// The entry of the row at a place; all empty between calls.
    entry_at: Vec<E>,
}

/// Fewer rows are sorted.
const FEWEST_ROWS: usize = 512;

/// With more classes, a bound takes longer than to look at the rows.
const MOST_CLASSES: usize = 32;

impl<E: Entry> Buckets<E> {
    /// Memory for places below `n_samples`.
    pub(super) fn new(n_samples: usize) -> Buckets<E> {
        Buckets { counts: Vec::new(), entry_at: vec![E::default(); n_samples] }
    }

    /// Whether buckets are worth while for `n_rows` of the samples.
    pub(super) fn suit(&self, n_rows: usize, n_classes: usize) -> bool {
        n_rows >= FEWEST_ROWS && n_rows >= self.entry_at.len() / 16 && n_classes <= MOST_CLASSES
    }

    /// The best cut of `node` by the feature of `column` with a gain above `floor`.
    pub(super) fn best_cut<P: Position>(
        &mut self,
        column: Column<'_, P>,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        min_leaf: usize,
        floor: f64,
    ) -> Found {
        let shift = bucket_shift(self.entry_at.len(), node.rows.len());
        self.fill(column.places, node, sums.n_classes(), shift);
        let is_row = |entry: &E| entry.count() > 0;
        let first = self.entry_at.iter().position(is_row).unwrap_or(0);
        let last = self.entry_at.iter().rposition(is_row).unwrap_or(0);
        let found = if column.differ(first, last, node.rows) {
            self.scan(column, node, sums, min_leaf, floor, shift)
        } else {
            Found::Constant
        };
        self.entry_at.fill(E::default());
        found
    }

    fn fill<P: Position>(&mut self, places: &[P], node: NodeRows<'_, E>, n_classes: usize, shift: u32) {
        let n_buckets = (self.entry_at.len() >> shift) + 1;
        self.counts.clear();
        self.counts.resize(n_buckets * (n_classes + 1), 0);
        for (&row, &entry) in node.rows.iter().zip(node.entries) {
            let place = places[row as usize].index();
            self.entry_at[place] = entry;
            let bucket = &mut self.counts[(place >> shift) * (n_classes + 1)..][..n_classes + 1];
            bucket[entry.class()] += entry.count();
            bucket[n_classes] += 1;
        }
    }

    fn scan<P: Position>(
        &self,
        column: Column<'_, P>,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        min_leaf: usize,
        floor: f64,
        shift: u32,
    ) -> Found {
        let n = node.rows.len();
        let mut best = Cut::none(floor);
        let mut scan = GiniScan::new(sums);
        let mut n_left = 0;
        for (b, counts) in self.counts.chunks_exact(sums.n_classes() + 1).enumerate() {
            let (n_rows, counts) =
                counts.split_last().map_or((0, counts), |(n, counts)| (*n as usize, counts));
            if n_rows == 0 {
                continue;
            }
            if scan.bound(sums, counts) <= best.gain {
                scan.push_counts(sums, counts);
                n_left += n_rows;
                continue;
            }
            let start = b << shift;
            let end = (start + (1 << shift)).min(self.entry_at.len());
            let mut last_left = self.entry_at[..start].iter().rposition(|e| e.count() > 0).unwrap_or(0);
            for (place, &entry) in (start..end).zip(&self.entry_at[start..end]) {
                if entry.count() == 0 {
                    continue;
                }
                if scan.is_promising(best.gain) && n_left >= min_leaf && n - n_left >= min_leaf {
                    let gain = scan.gain(sums);
                    if gain > best.gain && column.differ(last_left, place, node.rows) {
                        best = Cut { gain, last_left, first_right: place, n_left, threshold: None };
                    }
                }
                scan.push(sums, entry);
                n_left += 1;
                last_left = place;
            }
        }
        best.into()
    }
}

/// The power of two of places that make a bucket: wider ones are fewer, narrower ones have the tighter bounds, and half
/// the square root of the rows is a good number of rows.
fn bucket_shift(n_places: usize, n_rows: usize) -> u32 {
    let width = n_places as f64 / (2.0 * (n_rows as f64).sqrt());
    (width as usize).max(8).ilog2()
}
