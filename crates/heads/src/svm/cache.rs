//! Kernel values of the rows of one problem: those that were used last, for the rows that are still active.

use headsmith_kernels::smo::LANES;

use super::source::{Columns, Source};

/// The place of a row that is not in the cache.
const NONE: u32 = u32::MAX;

/// Rows of kernel values, each with a value for each active row and zeros up to a multiple of [`LANES`].
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// The most values.
    capacity: usize,
    values: Vec<f32>,
    stride: usize,
    /// The slot of each active row.
    slots: Vec<u32>,
    /// The active row of each slot, and when it was last used.
    owners: Vec<(u32, u64)>,
    clock: u64,
}

/// `n` rows with their padding.
pub(super) fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// The values of a cache of at most `n_bytes` for `n` rows: two rows at least.
pub(super) fn n_values(n: usize, n_bytes: usize) -> usize {
    let stride = padded(n);
    (n_bytes / 4).min(n.max(2) * stride).max(2 * stride)
}

impl Cache {
    /// Empties the cache, for `n` active rows and at most `n_bytes`.
    pub(super) fn clear(&mut self, n: usize, n_bytes: usize) {
        self.stride = padded(n);
        self.capacity = n_values(n, n_bytes);
        self.values.clear();
        self.values.reserve_exact(self.capacity);
        self.slots.clear();
        self.slots.resize(n, NONE);
        self.owners.clear();
    }

    /// The slot of the values of active row `at`, which is `row` of the source. It stays until two other rows were asked for.
    pub(super) fn slot(&mut self, at: usize, row: u32, source: &Source, columns: &Columns) -> usize {
        self.clock += 1;
        if self.slots[at] == NONE {
            let slot = self.free_slot();
            self.slots[at] = slot as u32;
            let to = &mut self.values[slot * self.stride..][..self.stride];
            source.fill(&[row], columns, to, self.stride);
            to[at] = 1.0;
            self.owners[slot].0 = at as u32;
        }
        let slot = self.slots[at] as usize;
        self.owners[slot].1 = self.clock;
        slot
    }

    /// The values in a slot.
    pub(super) fn row(&self, slot: usize) -> &[f32] {
        &self.values[slot * self.stride..][..self.stride]
    }

    /// A slot of its own: a new one, or that of the row which was used longest ago.
    fn free_slot(&mut self) -> usize {
        if self.values.len() + self.stride <= self.capacity {
            self.values.resize(self.values.len() + self.stride, 0.0);
            self.owners.push((NONE, 0));
            return self.owners.len() - 1;
        }
        let oldest = (0..self.owners.len()).min_by_key(|&slot| self.owners[slot].1).unwrap_or(0);
        self.slots[self.owners[oldest].0 as usize] = NONE;
        oldest
    }

    /// Keeps the active rows `keep` alone, which rise.
    pub(super) fn shrink(&mut self, keep: &[u32]) {
        let (old, new) = (self.stride, padded(keep.len()));
        let mut places = vec![NONE; self.slots.len()];
        keep.iter().zip(0..).for_each(|(&from, to)| places[from as usize] = to);
        let mut n_kept = 0;
        self.slots.clear();
        self.slots.resize(keep.len(), NONE);
        for slot in 0..self.owners.len() {
            let (owner, used) = self.owners[slot];
            let place = places[owner as usize];
            if place == NONE {
                continue;
            }
            // No value moves up, so none is overwritten before it has moved.
            let (from, to) = (slot * old, n_kept * new);
            for (at, &kept) in keep.iter().enumerate() {
                self.values[to + at] = self.values[from + kept as usize];
            }
            self.values[to + keep.len()..to + new].fill(0.0);
            self.slots[place as usize] = n_kept as u32;
            self.owners[n_kept] = (place, used);
            n_kept += 1;
        }
        self.owners.truncate(n_kept);
        self.values.truncate(n_kept * new);
        self.stride = new;
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{Matrix, Pool};

    use super::*;

    #[test]
    fn rows_keep_their_values_when_others_leave() {
        let n = 40;
        let x = Matrix::new((0..n).map(|i| i as f32 * 0.1).collect(), n, 1);
        let source = Source::new(x.clone(), u64::MAX, &Pool::inline());
        let value = |i: u32, j: u32| (-(f64::from(i) - f64::from(j)).powi(2) * 0.01).exp();
        let mut cache = Cache::default();
        // Room for three rows of 48 values.
        cache.clear(n, 3 * 48 * 4);
        let mut active: Vec<u32> = (0..n as u32).collect();
        let mut columns = source.columns(active.iter().copied());
        for (round, at) in [3, 9, 3, 20, 3, 31, 8, 5, 5, 2, 9].into_iter().enumerate() {
            if round == 6 {
                let keep: Vec<u32> = (0..n as u32).filter(|i| i % 3 == 0).collect();
                cache.shrink(&keep);
                active = keep.iter().map(|&at| active[at as usize]).collect();
                columns = source.columns(active.iter().copied());
                // Row 3 of before, which the cache still has.
                assert_ne!(cache.slots[1], NONE);
            }
            let other = cache.slot(0, active[0], &source, &columns);
            let slot = cache.slot(at, active[at], &source, &columns);
            for (slot, at) in [(slot, at), (other, 0)] {
                let row = cache.row(slot);
                assert_eq!(row.len(), padded(active.len()));
                for (j, v) in row[..active.len()].iter().enumerate() {
                    assert!((f64::from(*v) - value(active[at], active[j])).abs() < 1e-5);
                }
                assert!(row[active.len()..].iter().all(|v| *v == 0.0));
            }
        }
    }
}
