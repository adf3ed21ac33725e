//! Visiting the rows of a node in the order of a feature.
//!
//! The keys are distinct places below `n_samples` ([`super::columns`]). Few rows are sorted by counting, for each, the
//! lower keys: quadratic, but without a branch and with many lanes at a time. More rows set one bit each in a bitmap
//! of places, which is then read in order; if rows are sparse, a second bitmap marks the non-zero words of the first.

use super::columns::Position;

/// Up to this many rows are sorted by counting.
const COUNTED: usize = 64;

/// The memory in which rows are sorted.
#[derive(Debug)]
pub(super) struct Sorter<E> {
    /// One bit a place, all zero between calls.
    bits: Vec<u64>,
    /// One bit a word of `bits`, all zero between calls.
    words: Vec<u64>,
    /// The entry at a place whose bit is set.
    entry_at: Vec<E>,
    few: [(u32, E); COUNTED],
}

/// Rows to sort: their places, and a value that is visited with each.
#[derive(Debug)]
pub(super) enum Sorted<'s, E> {
    Few(&'s [(u32, E)]),
    Many { bits: &'s mut [u64], words: Option<&'s mut [u64]>, entry_at: &'s [E] },
}

impl<E: Copy + Default> Sorter<E> {
    /// Memory for places below `n_samples`.
    pub(super) fn new(n_samples: usize) -> Sorter<E> {
        let n_words = n_samples.div_ceil(64);
        Sorter {
            bits: vec![0; n_words],
            words: vec![0; n_words.div_ceil(64)],
            entry_at: vec![E::default(); n_samples],
            few: [(0, E::default()); COUNTED],
        }
    }

    /// Sorts `rows`, of which there must be some, by their `places`; each carries the entry beside it.
    #[inline(always)]
    pub(super) fn sort<P: Position>(&mut self, places: &[P], rows: &[u32], entries: &[E]) -> Sorted<'_, E> {
        match rows.len() {
            0..=8 => self.sort_few::<P, 8>(places, rows, entries),
            9..=16 => self.sort_few::<P, 16>(places, rows, entries),
            17..=32 => self.sort_few::<P, 32>(places, rows, entries),
            33..=COUNTED => self.sort_few::<P, COUNTED>(places, rows, entries),
            n if n < self.bits.len() => {
                for (&row, &entry) in rows.iter().zip(entries) {
                    let place = places[row as usize].index();
                    self.bits[place / 64] |= 1 << (place % 64);
                    self.words[place / 4096] |= 1 << (place / 64 % 64);
                    self.entry_at[place] = entry;
                }
                Sorted::Many { bits: &mut self.bits, words: Some(&mut self.words), entry_at: &self.entry_at }
            }
            _ => {
                for (&row, &entry) in rows.iter().zip(entries) {
                    let place = places[row as usize].index();
                    self.bits[place / 64] |= 1 << (place % 64);
                    self.entry_at[place] = entry;
                }
                Sorted::Many { bits: &mut self.bits, words: None, entry_at: &self.entry_at }
            }
        }
    }

    #[inline(never)]
    fn sort_few<P: Position, const N: usize>(
        &mut self,
        places: &[P],
        rows: &[u32],
        entries: &[E],
    ) -> Sorted<'_, E> {
        let n = rows.len().min(N);
        let mut keys = [P::Key::default(); N];
        for (key, &row) in keys.iter_mut().zip(rows) {
            *key = places[row as usize].key();
        }
        let mut n_lower = [0i16; N];
        for &key in &keys[..n] {
            for (count, other) in n_lower.iter_mut().zip(&keys) {
                *count += i16::from(key < *other);
            }
        }
        for ((count, &entry), key) in n_lower[..n].iter().zip(entries).zip(keys) {
            self.few[*count as usize % COUNTED] = (P::from_key(key) as u32, entry);
        }
        Sorted::Few(&self.few[..n])
    }
}

impl<E: Copy> Sorted<'_, E> {
    /// The first and the last place.
    #[inline(always)]
    pub(super) fn ends(&self) -> (usize, usize) {
        match self {
            Sorted::Few(rows) => (rows[0].0 as usize, rows[rows.len() - 1].0 as usize),
            Sorted::Many { bits, .. } => {
                let first = bits.iter().position(|&word| word != 0).unwrap_or(0);
                let last = bits.iter().rposition(|&word| word != 0).unwrap_or(0);
                (
                    first * 64 + bits[first].trailing_zeros() as usize,
                    last * 64 + (63 - bits[last].leading_zeros() as usize),
                )
            }
        }
    }

    /// Visits places and entries in ascending order.
    #[inline(always)]
    pub(super) fn visit(self, mut visit: impl FnMut(usize, E)) {
        match self {
            Sorted::Few(rows) => rows.iter().for_each(|&(place, entry)| visit(place as usize, entry)),
            Sorted::Many { bits, words: None, entry_at } => {
                for (w, word) in bits.iter_mut().enumerate() {
                    drain(word, w * 64, |place| visit(place, entry_at[place]));
                }
            }
            Sorted::Many { bits, words: Some(words), entry_at } => {
                for (v, word) in words.iter_mut().enumerate() {
                    drain(word, v * 64, |w| {
                        drain(&mut bits[w], w * 64, |place| visit(place, entry_at[place]));
                    });
                }
            }
        }
    }

    /// Forgets the rows without visiting them.
    pub(super) fn clear(self) {
        if let Sorted::Many { bits, words, .. } = self {
            bits.fill(0);
            words.into_iter().for_each(|words| words.fill(0));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<P: Position>(n: usize, shift: usize, rows: &[u32]) {
        let column: Vec<P> = (0..n).map(|i| P::new((i * 7919 + shift) % n)).collect();
        let mut expected: Vec<(usize, u32)> =
            rows.iter().map(|&row| (column[row as usize].index(), row)).collect();
        expected.sort_unstable();
        let mut sorter = Sorter::new(n);
        sorter.sort(&column, rows, rows).clear();
        for _ in 0..2 {
            let sorted = sorter.sort(&column, rows, rows);
            assert_eq!(sorted.ends(), (expected[0].0, expected[rows.len() - 1].0));
            let mut found = Vec::new();
            sorted.visit(|place, row| found.push((place, row)));
            assert_eq!(found, expected);
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
                    .filter(|&i| i == 0 || f64::from(i.wrapping_mul(2_654_435_761)) < share * f64::from(u32::MAX))
                    .collect();
                check::<u16>(n, shift, &rows);
                check::<u32>(n, shift, &rows);
            }
        }
    }
}
