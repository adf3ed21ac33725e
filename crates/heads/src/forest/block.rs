//! The features of a subtree's rows, copied together once.
//!
//! The rows of a small node lie far apart in the columns of all samples: each place that is looked up costs a cache line of
//! its own, and the nodes below fetch the same lines anew for other features. So when a node gets small enough, the places
//! of its rows are copied into a block of columns of their own, which the second-level cache holds while the whole subtree
//! is grown (depth first: its rows are next to one another until it is done). They are copied from the places by row, of
//! which every cache line is used as a whole.

use headsmith_kernels::gather::LINE;

use super::columns::{Columns, NodeColumns, Position};

/// The block of the subtree that is being grown; one a tree.
#[derive(Debug)]
pub(super) struct Block<P> {
    /// Nodes of up to so many rows get a block; none do where it would not pay.
    most_rows: usize,
    /// Where the rows end among those of the tree.
    end: usize,
    /// The number of each row of the block among all samples.
    origins: Vec<u32>,
    /// The places of the rows, feature after feature.
    places: Vec<P>,
    stride: usize,
}

/// Bytes of the places of a block at most.
const BYTES: usize = 1 << 23;

/// Rows that are a greater share of the samples are not far apart.
const FEWEST_BLOCKS: usize = 8;

/// How many places are copied in the time that one is looked up far away.
const COPIES_A_LOOK: usize = 4;

/// Fewer rows are no block.
const FEWEST_ROWS: usize = 16;

/// The most rows of a block of `n_features` of `n_samples`, of which each split looks at `max_features`; none where blocks
/// would not pay.
pub(super) fn most_rows<P>(n_samples: usize, n_features: usize, max_features: usize) -> usize {
    let most_rows = (BYTES / (n_features * size_of::<P>())).min(n_samples / FEWEST_BLOCKS);
    // About so many features are looked at on the way from the root of the subtree to a leaf.
    let looks = max_features * most_rows.max(1).ilog2() as usize;
    let pays = most_rows >= FEWEST_ROWS && n_features <= COPIES_A_LOOK * looks;
    if pays { most_rows } else { 0 }
}

impl<P: Position> Block<P> {
    /// No block yet, for a tree of `columns`.
    pub(super) fn new(columns: &Columns<'_, P>) -> Block<P> {
        Block {
            most_rows: columns.most_block_rows(),
            end: 0,
            origins: Vec::new(),
            places: Vec::new(),
            stride: 0,
        }
    }

    /// The columns in which to look up the `rows` of the node, which end at `end` among those of the tree. Where a block is
    /// begun, its rows are numbered anew.
    pub(super) fn columns<'a>(
        &'a mut self,
        columns: &'a Columns<'a, P>,
        rows: &mut [u32],
        end: usize,
    ) -> NodeColumns<'a, P> {
        if end > self.end && (FEWEST_ROWS..=self.most_rows).contains(&rows.len()) {
            self.gather(columns, rows);
            self.end = end;
        }
        if end <= self.end {
            NodeColumns::of_block(columns, &self.places, self.stride, &self.origins)
        } else {
            NodeColumns::of_all(columns)
        }
    }

    fn gather(&mut self, columns: &Columns<'_, P>, rows: &mut [u32]) {
        let (n, a_line) = (rows.len(), LINE / size_of::<P>());
        self.origins.clear();
        self.origins.extend_from_slice(rows);
        // An odd number of lines: else the columns would compete for few sets of the cache.
        self.stride = (n.div_ceil(a_line) | 1) * a_line;
        self.places.resize(columns.n_features() * self.stride, P::default());
        columns.gather(rows, &mut self.places, self.stride);
        for (i, row) in rows.iter_mut().enumerate() {
            *row = i as u32;
        }
    }
}
