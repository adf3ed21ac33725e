//! Rows in the form for walking down trees, and the vectorised steps for all of them.

#![allow(unsafe_code)]

use super::{LANES, Node};
use crate::multiversion::multiversion;
use crate::{MatRef, gather};

/// The number of rows in a piece of a [`Block`], where few rows walk at once.
pub(super) const FEW_ROWS: usize = 64;

/// The same where vectors are wide: fewer would wait for their loads, and the keys of a feature that many rows meet lie together.
pub(super) const MANY_ROWS: usize = 256;

/// The number of splits on the levels that all rows pass together.
pub(super) const TOP: usize = 15;

/// Some rows in the form for walking down trees.
#[derive(Debug)]
pub struct Block {
    /// The value of feature `j` in row `i` of a piece as `keys[j * a_piece + i]`, piece after piece.
    pub(super) keys: Vec<u32>,
    pub(super) n_features: usize,
    pub(super) n_rows: usize,
    /// The rows of a piece.
    pub(super) a_piece: usize,
}

impl Block {
    /// A block without rows, for rows of `n_features`.
    pub fn new(n_features: usize) -> Block {
        Block { keys: Vec::new(), n_features, n_rows: 0, a_piece: Block::rows_at_once() }
    }

    /// The number of rows that walk at once, and of which a block should have a multiple.
    pub fn rows_at_once() -> usize {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            return MANY_ROWS;
        }
        FEW_ROWS
    }

    /// Replaces the rows by `n_rows` rows of `x` from `first` on.
    ///
    /// # Panics
    /// If they do not exist, or have another width.
    pub fn take(&mut self, x: MatRef<'_>, first: usize, n_rows: usize) {
        assert_eq!(x.n_cols(), self.n_features, "features of the rows");
        let rows: [u32; MANY_ROWS] = std::array::from_fn(|i| i as u32);
        let a_piece = self.a_piece;
        self.n_rows = n_rows;
        self.keys.resize(n_rows.div_ceil(a_piece) * a_piece * self.n_features, 0);
        for (keys, start) in self.pieces_mut().zip((0..n_rows).step_by(a_piece)) {
            let n_here = a_piece.min(n_rows - start);
            let x = x.rows(first + start, first + start + n_here);
            gather::columns_u32(bits(x.as_slice()), x.n_cols(), &rows[..n_here], keys, a_piece);
            make_ascending(keys, a_piece, n_here);
        }
    }

    fn pieces_mut(&mut self) -> impl Iterator<Item = &mut [u32]> {
        self.keys.chunks_exact_mut((self.n_features * self.a_piece).max(1))
    }
}

/// The bits of each value.
fn bits(values: &[f32]) -> &[u32] {
    // SAFETY: floats have the size and alignment of integers of 32 bits, and any bits are an integer.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}

multiversion! {
    /// Replaces the bits of each value by its [`ascending`] number, for the first `n_rows` of each feature.
    pub(super) fn make_ascending(keys: &mut [u32], a_piece: usize, n_rows: usize) {
        for keys in keys.chunks_exact_mut(a_piece) {
            for key in &mut keys[..n_rows] {
                *key = ascending(f32::from_bits(*key));
            }
        }
    }
}

multiversion! {
    /// Sends the rows of a piece down the first four levels, as many as `at` has, in whole groups of [`LANES`].
    pub(super) fn pass_top(nodes: &[Node; TOP], keys: &[u32], a_piece: usize, at: &mut [u32]) {
        for (i, at) in at.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            // All bits are set for rows that go right.
            let right = |node: usize| -> [u32; LANES] {
                let Node { threshold, feature, .. } = nodes[node];
                let keys = &keys[usize::from(feature) * a_piece + i * LANES..][..LANES];
                std::array::from_fn(|lane| u32::from(keys[lane] > threshold).wrapping_neg())
            };
            let either = |which: [u32; LANES], right: [u32; LANES], left: [u32; LANES]| -> [u32; LANES] {
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
