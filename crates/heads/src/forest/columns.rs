//! Where each row stands in each sorted column: the form in which all trees of a forest share the features.
//!
//! `positions[f * n_samples + i]` is the place of row `i` when the rows are sorted by feature `f`; equal values
//! stand in order of their rows, so every row of a column has a place of its own. Sorting the rows of a node by a
//! feature is then sorting small distinct integers, which [`super::order`] does in linear time, and 16 bits hold
//! them for up to 65,536 rows. Values themselves are only looked at where a split is about to be chosen.

use headsmith_kernels::{MatRef, Pool};

/// A place in a sorted column, and an index into the rows of a node.
pub(super) trait Position: Copy + Default + Send + Sync {
    /// The place as a number that is compared in one instruction of many lanes.
    type Key: Copy + Ord + Default;
    fn new(place: usize) -> Self;
    fn index(self) -> usize;
    fn key(self) -> Self::Key;
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
}

/// Features that are sorted together: their values share cache lines.
const FEATURES_A_PIECE: usize = 16;

/// The places of all rows in all columns, feature after feature. `x` must be finite and have at least one row.
pub(super) fn positions<P: Position>(x: MatRef<'_>, pool: &Pool) -> Vec<P> {
    let (n_rows, n_cols) = (x.n_rows(), x.n_cols());
    let mut places = vec![P::default(); n_rows * n_cols];
    pool.for_each_chunk(&mut places, n_rows * FEATURES_A_PIECE, |piece, places| {
        let first = piece * FEATURES_A_PIECE;
        let mut rows = vec![0u64; places.len()];
        for i in 0..n_rows {
            let values = &x.row(i)[first..first + places.len() / n_rows];
            for (f, value) in values.iter().enumerate() {
                rows[f * n_rows + i] = u64::from(ascending_bits(*value)) << 32 | i as u64;
            }
        }
        for (rows, places) in rows.chunks_mut(n_rows).zip(places.chunks_mut(n_rows)) {
            rows.sort_unstable();
            for (place, row) in rows.iter().enumerate() {
                places[*row as u32 as usize] = P::new(place);
            }
        }
    });
    places
}

/// The bits of a finite float as an integer in the same order; -0 counts as 0.
fn ascending_bits(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_are_those_of_a_stable_sort(
            (n_rows, values) in (1usize..40).prop_flat_map(|n| {
                (Just(n), proptest::collection::vec(prop_oneof![-3i8..3i8], n * 19))
            })
        ) {
            let x: Vec<f32> = values.iter().map(|&v| f32::from(v) / 7.0 * if v == 0 { -1.0 } else { 1.0 }).collect();
            let x = MatRef::new(&x, n_rows, 19);
            let places: Vec<u16> = positions(x, &Pool::inline());
            let wide: Vec<u32> = positions(x, &Pool::new(3).unwrap());
            for f in 0..19 {
                let mut rows: Vec<usize> = (0..n_rows).collect();
                rows.sort_by(|&a, &b| x.row(a)[f].partial_cmp(&x.row(b)[f]).unwrap());
                for (place, row) in rows.into_iter().enumerate() {
                    prop_assert_eq!(places[f * n_rows + row] as usize, place);
                    prop_assert_eq!(wide[f * n_rows + row] as usize, place);
                }
            }
        }
    }
}
