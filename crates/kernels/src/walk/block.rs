//! Rows in the form for walking down trees, and the vectorised steps for all of them.

#![allow(unsafe_code)]

use super::Node;
use crate::multiversion::multiversion;
use crate::{MatRef, gather};

/// The number of rows in a [`Block`].
pub const ROWS: usize = 64;

/// The number of splits on the levels that all rows pass together.
pub(super) const TOP: usize = 15;

/// Some rows in the form for walking down trees.
#[derive(Debug)]
pub struct Block {
    /// The value of feature `j` in row `i` as `keys[j * ROWS + i]`.
    pub(super) keys: Vec<u32>,
    pub(super) n_features: usize,
    pub(super) n_rows: usize,
}

impl Block {
    /// A block without rows, for rows of `n_features`.
    pub fn new(n_features: usize) -> Block {
        Block { keys: vec![0; n_features * ROWS], n_features, n_rows: 0 }
    }

    /// Replaces the rows by `n_rows` rows of `x` from `first` on.
    ///
    /// # Panics
    /// If they are more than [`ROWS`], do not exist, or have another width.
    pub fn take(&mut self, x: MatRef<'_>, first: usize, n_rows: usize) {
        assert!(n_rows <= ROWS, "{n_rows} rows in a block of {ROWS}");
        assert_eq!(x.n_cols(), self.n_features, "features of the rows");
        let rows: [u32; ROWS] = std::array::from_fn(|i| i as u32);
        let x = x.rows(first, first + n_rows);
        gather::columns_u32(bits(x.as_slice()), x.n_cols(), &rows[..n_rows], &mut self.keys, ROWS);
        make_ascending(&mut self.keys, n_rows);
        self.n_rows = n_rows;
    }
}

/// The bits of each value.
fn bits(values: &[f32]) -> &[u32] {
    // SAFETY: floats have the size and alignment of integers of 32 bits, and any bits are an integer.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}

multiversion! {
    /// Replaces the bits of each value by its [`ascending`] number, for the first `n_rows` of each feature.
    pub(super) fn make_ascending(keys: &mut [u32], n_rows: usize) {
        for keys in keys.as_chunks_mut::<ROWS>().0 {
            for key in &mut keys[..n_rows] {
                *key = ascending(f32::from_bits(*key));
            }
        }
    }
}

multiversion! {
    /// Sends all rows of a block down the first four levels.
    pub(super) fn pass_top(nodes: &[Node; TOP], keys: &[u32], at: &mut [u32; ROWS]) {
        for (i, at) in at.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            // All bits are set for rows that go right.
            let right = |node: usize| -> [u32; 8] {
                let Node { threshold, feature, .. } = nodes[node];
                let keys = &keys[usize::from(feature) * ROWS + i * 8..][..8];
                std::array::from_fn(|lane| u32::from(keys[lane] > threshold).wrapping_neg())
            };
            let either = |which: [u32; 8], right: [u32; 8], left: [u32; 8]| -> [u32; 8] {
                std::array::from_fn(|lane| which[lane] & right[lane] | !which[lane] & left[lane])
            };
            let first = right(0);
            let second = either(first, right(2), right(1));
            let third_of = |node: usize| either(second, right(node + 1), right(node));
            let third = either(first, third_of(5), third_of(3));
            let fourth_of = |node: usize| either(third, right(node + 1), right(node));
            let fourth = either(
                first,
                either(second, fourth_of(13), fourth_of(11)),
                either(second, fourth_of(9), fourth_of(7)),
            );
            for (lane, at) in at.iter_mut().enumerate() {
                *at = TOP as u32 + (first[lane] & 8) + (second[lane] & 4) + (third[lane] & 2) + (fourth[lane] & 1);
            }
        }
    }
}

/// An integer in the order of the values; 0, below all others, for NaN, which is above no threshold.
#[inline(always)]
pub(super) fn ascending(value: f32) -> u32 {
    // -0 becomes 0.
    let bits = (value + 0.0).to_bits();
    let order = bits ^ ((bits as i32 >> 31) as u32 | 1 << 31);
    if value.is_nan() { 0 } else { order }
}
