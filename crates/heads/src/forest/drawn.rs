//! A cut at a random threshold (Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006; scikit-learn:
//! `node_split_random`).
//!
//! The threshold is uniform between the least and the greatest value of the node's rows. The places of rows are the bits of their values, in an order
//! of integers ([`Columns::of_values`](super::columns::Columns::of_values)): no column is sorted.

use headsmith_kernels::philox::Sequence;
use headsmith_kernels::ranges;

use super::columns::{Column, Position, SAME_VALUE, ascending_bits, from_ascending_bits};
use super::criterion::{ClassSums, Scan};
use super::entry::Entry;
use super::split::{Cut, Found, NodeRows};

/// The values of a node's rows in one column; one a tree.
#[derive(Debug)]
pub(super) struct DrawnCuts {
    keys: Vec<i32>,
    /// How often the rows of each class were drawn, in fields of 16 bits, four classes a code: the sum of the codes of some rows counts all
    /// their classes at once. One code for each row, then those of the next four classes; none where a field could overflow.
    codes: Vec<u64>,
    /// How often rows of each class were drawn, left of the cut.
    counts: Vec<u32>,
}

/// Classes of a code, and the bits of each.
const CLASSES_A_CODE: usize = 4;
const BITS: usize = 16;
/// More classes are counted row by row.
const MOST_CODES: usize = 2;

impl DrawnCuts {
    pub(super) fn new() -> DrawnCuts {
        DrawnCuts { keys: Vec::new(), codes: Vec::new(), counts: Vec::new() }
    }

    /// Begins with the cuts of another node.
    pub(super) fn begin<E: Entry>(&mut self, node: NodeRows<'_, E>, sums: &ClassSums) {
        self.codes.clear();
        let n_codes = sums.n_classes().div_ceil(CLASSES_A_CODE);
        let n_drawn = || node.entries.iter().map(|entry| u64::from(entry.count())).sum::<u64>();
        if !E::IS_COUNTED || n_codes > MOST_CODES || n_drawn() >= 1 << BITS {
            return;
        }
        for code in 0..n_codes {
            let of = |entry: &E| match entry.class().checked_sub(code * CLASSES_A_CODE) {
                Some(class) if class < CLASSES_A_CODE => u64::from(entry.count()) << (BITS * class),
                _ => 0,
            };
            self.codes.extend(node.entries.iter().map(of));
        }
    }

    /// A cut of `node`, the one that was begun with, by `column`, if it leaves `min_leaf` rows on both sides and has a gain above `floor`.
    #[inline(always)]
    pub(super) fn cut<P: Position, E: Entry, S: Scan>(
        &mut self,
        column: Column<'_, P>,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        (min_leaf, floor): (usize, f64),
        random: &mut Sequence,
    ) -> Found {
        self.keys.resize(node.rows.len(), 0);
        let [first, last] = P::range(column.places, node.rows, &mut self.keys);
        let value = |key| from_ascending_bits(u32::from_key(key) as u32);
        let (low, high) = (value(first), value(last));
        if high <= low + SAME_VALUE {
            return Found::Constant;
        }
        let threshold = threshold(low, high, random);
        let last_left = ascending_bits(threshold) as usize;
        let end = u32::new(last_left).key();
        let n_left = match E::IS_COUNTED {
            true => self.count(node, end, sums.n_classes()),
            false => self.keys.iter().filter(|key| **key <= end).count(),
        };
        if n_left < min_leaf || node.rows.len() - n_left < min_leaf {
            return Found::Nothing;
        }
        let mut scan = S::new(sums);
        if E::IS_COUNTED {
            scan.push_counts(sums, &self.counts);
        } else {
            let left = self.keys.iter().zip(node.entries).filter(|(key, _)| **key <= end);
            left.for_each(|(_, &entry)| scan.push(sums, entry));
        }
        let gain = scan.gain(sums);
        match gain > floor {
            true => Found::Cut(Cut {
                gain,
                last_left,
                first_right: last_left + 1,
                n_left,
                threshold: Some(threshold),
            }),
            false => Found::Nothing,
        }
    }

    /// Counts the rows up to the key `end`, and those of each class.
    #[inline(always)]
    fn count<E: Entry>(&mut self, node: NodeRows<'_, E>, end: i32, n_classes: usize) -> usize {
        self.counts.clear();
        self.counts.resize(n_classes, 0);
        if self.codes.is_empty() {
            for (key, entry) in self.keys.iter().zip(node.entries) {
                self.counts[entry.class()] += if *key <= end { entry.count() } else { 0 };
            }
            return self.keys.iter().filter(|key| **key <= end).count();
        }
        let (codes, mut n_left) = (self.codes.chunks_exact(self.keys.len()), 0);
        for (codes, counts) in codes.zip(self.counts.chunks_mut(CLASSES_A_CODE)) {
            let [n, sum] = ranges::sum_up_to(&self.keys, codes, end);
            n_left = n as usize;
            for (class, count) in counts.iter_mut().enumerate() {
                *count = (sum >> (BITS * class)) as u32 & ((1 << BITS) - 1);
            }
        }
        n_left
    }
}

/// A number from `low` on and below `high`.
fn threshold(low: f32, high: f32, random: &mut Sequence) -> f32 {
    let between = f64::from(low) + random.uniform() * (f64::from(high) - f64::from(low));
    let rounded = between as f32;
    if rounded < high { rounded.max(low) } else { low }
}
