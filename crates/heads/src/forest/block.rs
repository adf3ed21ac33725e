//! The features of a subtree's rows, copied together once.
//!
//! The rows of a small node lie far apart in the columns of all samples: each place that is looked up costs a cache line of
//! its own, and the nodes below fetch the same lines anew for other features. So when a node gets small enough, the places
//! of its rows are copied into a block of columns of their own, which the second-level cache holds while the whole subtree
//! is grown (depth first: its rows are next to one another until it is done). They are copied from the places by row, of
//! which every cache line is used as a whole.

use std::ops::Range;

use super::columns::{Columns, NodeColumns, Position};

/// The block of the subtree that is being grown; one a tree.
#[derive(Debug)]
pub(super) struct Block<P> {
    /// Nodes of up to so many rows get a block; none do where it would not pay.
    most_rows: usize,
    /// Where the rows stand among those of the tree.
    range: Range<usize>,
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

/// Features that are copied together: their places share a cache line.
const LINE: usize = 64;

impl<P: Position> Block<P> {
    /// Memory for blocks of `columns`, of which each split looks at `max_features`.
    pub(super) fn new(columns: &Columns<'_, P>, max_features: usize) -> Block<P> {
        let n_features = columns.n_features();
        let most_rows = (BYTES / (n_features * size_of::<P>())).min(columns.n_samples() / FEWEST_BLOCKS);
        // About so many features are looked at on the way from the root of the subtree to a leaf.
        let looks = max_features * most_rows.max(1).ilog2() as usize;
        let pays = most_rows >= FEWEST_ROWS && n_features <= COPIES_A_LOOK * looks;
        Block {
            most_rows: if pays { most_rows } else { 0 },
            range: 0..0,
            origins: Vec::new(),
            places: Vec::new(),
            stride: 0,
        }
    }

    /// The columns in which to look up the `rows` of the node, which stand in `range` among those of the tree. Where a block
    /// is begun, its rows are numbered anew.
    pub(super) fn columns<'a>(
        &'a mut self,
        columns: &'a Columns<'a, P>,
        rows: &mut [u32],
        range: Range<usize>,
    ) -> NodeColumns<'a, P> {
        if range.end > self.range.end && (FEWEST_ROWS..=self.most_rows).contains(&rows.len()) {
            self.gather(columns, rows);
            self.range = range.clone();
        }
        if range.end <= self.range.end {
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
