//! Sorting the rows of a node by a feature.
//!
//! The keys are distinct places below `n_samples` ([`super::columns`]). Few rows are sorted by counting, for each,
//! how many keys are lower: quadratic, but without a branch and many lanes at a time. More rows set one bit each in
//! a bitmap of places, which is then read in order; where rows are sparse, a second bitmap says which words of the
//! first are not zero.

use super::columns::Position;

/// Up to this many rows are sorted by counting.
const COUNTED: usize = 64;

/// The memory in which rows are sorted.
#[derive(Debug)]
pub(super) struct Sorter<P> {
    /// One bit a place, all zero between calls.
    bits: Vec<u64>,
    /// One bit a word of `bits`, all zero between calls.
    words: Vec<u64>,
    /// The row at a place whose bit is set.
    row_at: Vec<P>,
}

impl<P: Position> Sorter<P> {
    /// Memory for places below `n_samples`.
    pub(super) fn new(n_samples: usize) -> Sorter<P> {
        let n_words = n_samples.div_ceil(64);
        Sorter {
            bits: vec![0; n_words],
            words: vec![0; n_words.div_ceil(64)],
            row_at: vec![P::default(); n_samples],
        }
    }

    /// Writes to `order` the indices `0 .. rows.len()` in ascending order of `column[rows[index]]`.
    pub(super) fn sort(&mut self, column: &[P], rows: &[u32], order: &mut [P]) {
        match rows.len() {
            0..=8 => sort_by_counting::<P, 8>(column, rows, order),
            9..=16 => sort_by_counting::<P, 16>(column, rows, order),
            17..=32 => sort_by_counting::<P, 32>(column, rows, order),
            33..=COUNTED => sort_by_counting::<P, 64>(column, rows, order),
            _ => self.sort_by_bitmap(column, rows, order),
        }
    }

    fn sort_by_bitmap(&mut self, column: &[P], rows: &[u32], order: &mut [P]) {
        let mut out = order.iter_mut();
        if rows.len() >= self.bits.len() {
            for (i, &row) in rows.iter().enumerate() {
                let place = column[row as usize].index();
                self.bits[place / 64] |= 1 << (place % 64);
                self.row_at[place] = P::new(i);
            }
            for (w, word) in self.bits.iter_mut().enumerate() {
                drain(word, w * 64, |place| put(&mut out, self.row_at[place]));
            }
        } else {
            for (i, &row) in rows.iter().enumerate() {
                let place = column[row as usize].index();
                self.bits[place / 64] |= 1 << (place % 64);
                self.words[place / 4096] |= 1 << (place / 64 % 64);
                self.row_at[place] = P::new(i);
            }
            for (v, words) in self.words.iter_mut().enumerate() {
                drain(words, v * 64, |w| {
                    drain(&mut self.bits[w], w * 64, |place| put(&mut out, self.row_at[place]));
                });
            }
        }
    }
}

#[inline(always)]
fn put<P>(out: &mut std::slice::IterMut<'_, P>, value: P) {
    if let Some(slot) = out.next() {
        *slot = value;
    }
}

/// Calls `visit` with `first` plus the index of each bit that is set, in ascending order, and clears the word.
#[inline(always)]
fn drain(word: &mut u64, first: usize, mut visit: impl FnMut(usize)) {
    let mut left = std::mem::take(word);
    while left != 0 {
        visit(first + left.trailing_zeros() as usize);
        left &= left - 1;
    }
}

#[inline(always)]
fn sort_by_counting<P: Position, const N: usize>(column: &[P], rows: &[u32], order: &mut [P]) {
    let n = rows.len().min(N);
    let mut keys = [P::Key::default(); N];
    for (key, &row) in keys.iter_mut().zip(rows) {
        *key = column[row as usize].key();
    }
    let mut n_lower = [0i16; N];
    for &key in &keys[..n] {
        for (count, other) in n_lower.iter_mut().zip(&keys) {
            *count += i16::from(key < *other);
        }
    }
    let order = &mut order[..n];
    for (i, count) in n_lower[..n].iter().enumerate() {
        order[*count as usize] = P::new(i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<P: Position>(n: usize, shift: usize, rows: &[u32]) {
        let column: Vec<P> = (0..n).map(|i| P::new((i * 7919 + shift) % n)).collect();
        let mut expected: Vec<usize> = (0..rows.len()).collect();
        expected.sort_by_key(|&i| column[rows[i] as usize].index());
        let mut sorter = Sorter::new(n);
        for _ in 0..2 {
            let mut order = vec![P::default(); rows.len()];
            sorter.sort(&column, rows, &mut order);
            assert_eq!(order.iter().map(|i| i.index()).collect::<Vec<_>>(), expected);
        }
    }

    proptest! {
        #[test]
        fn every_way_of_sorting_agrees_with_the_standard_one(
            n in prop_oneof![1usize..300, 4000usize..9000],
            share in 0.0f64..1.0,
            sparse in 0.0f64..0.1,
            shift in 0usize..5000,
        ) {
            prop_assume!(n % 7919 != 0);
            for share in [share, sparse] {
                let rows: Vec<u32> = (0..n as u32)
                    .filter(|&i| f64::from(i.wrapping_mul(2_654_435_761)) < share * f64::from(u32::MAX))
                    .collect();
                check::<u16>(n, shift, &rows);
                check::<u32>(n, shift, &rows);
            }
        }
    }
}
