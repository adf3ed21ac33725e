//! Rows as they walk down trees, and what vectors do for all of them at once.

use super::Node;
use crate::multiversion::multiversion;
use crate::{MatRef, gather};

/// Rows in a [`Block`].
pub const ROWS: usize = 64;

/// Splits on the levels that all rows pass together.
pub(super) const TOP: usize = 15;

/// Some rows in the form in which they walk down trees.
#[derive(Debug, Default)]
pub struct Block {
    /// The value of feature `j` in row `i` as `keys[j * ROWS + i]`.
    pub(super) keys: Vec<u32>,
    values: Vec<f32>,
    pub(super) n_features: usize,
    pub(super) n_rows: usize,
}

impl Block {
    /// Takes `n_rows` rows of `x` from `first` on.
    ///
    /// # Panics
    /// When they are more than [`ROWS`], or not there.
    pub fn take(&mut self, x: MatRef<'_>, first: usize, n_rows: usize) {
        assert!(n_rows <= ROWS, "{n_rows} rows in a block of {ROWS}");
        let rows: [u32; ROWS] = std::array::from_fn(|i| i as u32);
        let x = x.rows(first, first + n_rows);
        (self.n_features, self.n_rows) = (x.n_cols(), n_rows);
        self.values.resize(x.n_cols() * ROWS, 0.0);
        self.keys.resize(x.n_cols() * ROWS, 0);
        gather::columns_f32(x.as_slice(), x.n_cols(), &rows[..n_rows], &mut self.values, ROWS);
        all_ascending(&self.values, &mut self.keys);
    }
}

multiversion! {
    #[allow(unreachable_pub)]
    /// The [`ascending`] number of each value.
    pub fn all_ascending(values: &[f32], keys: &mut [u32]) {
        for (key, value) in keys.iter_mut().zip(values) {
            *key = ascending(*value);
        }
    }
}

multiversion! {
    #[allow(unreachable_pub)]
    /// Sends all rows of a block down the first four levels.
    pub fn pass_top(nodes: &[Node; TOP], keys: &[u32], at: &mut [u32; ROWS]) {
        for (i, at) in at.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            // All bits are set where a row goes right.
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

/// A number in the order of the values; 0, below all others, for a NaN, which is above no threshold.
#[inline(always)]
pub(super) fn ascending(value: f32) -> u32 {
    // -0 becomes 0.
    let bits = (value + 0.0).to_bits();
    let order = bits ^ ((bits as i32 >> 31) as u32 | 1 << 31);
    if value.is_nan() { 0 } else { order }
}
