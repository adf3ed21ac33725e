//! Sends many rows down a decision tree at once.
//!
//! A single row would wait for memory at every node, so several rows walk in parallel, without branches. A node has 8
//! bytes, so that trees stay in the caches. The values of a block of rows are stored feature by feature, as unsigned
//! integers in the order of the values: then a step is a few loads, a comparison and an addition with its carry, and
//! the row's offset within a feature is part of the instruction. If the first four levels are full, their fifteen
//! comparisons are made for all rows, in vectors, and each row then picks its own results. After the first steps, the
//! rows that have not reached their leaves are listed, so that none waits for the last one.
#![allow(unsafe_code)]

mod block;
#[cfg(target_arch = "x86_64")]
mod wide;

use std::ops::Range;

pub use block::Block;
use block::{FEW_ROWS, MANY_ROWS, TOP, ascending, pass_top};

use crate::gather;

/// A node: rows whose value of `feature` is above `threshold` go to the right child.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
struct Node {
    /// An [`ascending`] key; in a leaf the leaf's number, above all keys.
    threshold: u32,
    feature: u16,
    /// The distance from the node to its left child, which the right child follows; 0 in a leaf.
    ahead: u16,
}

/// A node, as input of [`Tree::new`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Child {
    /// Rows whose value of `feature` is above `threshold` go to the right child.
    Split {
        /// The threshold; rows with NaN always go left.
        threshold: f32,
        /// The feature's number.
        feature: u32,
        /// The number of the left child, which comes after its parent and before the right child.
        left: u32,
    },
    /// The result for rows that reach this leaf.
    Leaf(u32),
}

/// Thresholds from here on are above all keys: this is the key of infinity.
const ABOVE_ALL: u32 = 0xff80_0000;

/// A tree in the form for walking.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    n_features: usize,
    /// Whether the first [`TOP`] nodes are the splits of four full levels, in breadth-first order.
    is_top_full: bool,
}

/// The number of rows that walk at once, and that pass the top levels together.
const LANES: usize = 8;

/// The number of rows that walk at once when few are left.
const FEW: usize = 4;

/// The number of steps before leaves are first checked, including the top levels: about half of the rows have reached
/// one.
const FIRST_STEPS: usize = 12;

/// The number of bytes of a tree that are prefetched: half of the first-level cache.
pub const FETCHED: usize = 1 << 14;

/// The number of steps between two checks.
const STEPS: usize = 4;

impl Tree {
    /// Packs a tree, the root first.
    ///
    /// `None` if a node does not fit: more than 65,536 features, a child too far away or missing, or a leaf with a
    /// number of 2^23 or more.
    pub fn new(nodes: impl IntoIterator<Item = Child>, n_features: usize) -> Option<Tree> {
        let nodes: Vec<Child> = nodes.into_iter().collect();
        let n_nodes = nodes.len();
        let pack = |(i, node): (usize, Child)| match node {
            Child::Leaf(refers_to) => {
                let threshold = ABOVE_ALL.checked_add(refers_to)?;
                Some(Node { threshold, feature: 0, ahead: 0 })
            }
            Child::Split { threshold, feature, left } => {
                let left = left as usize;
                let fits = left > i && left + 1 < n_nodes && (feature as usize) < n_features;
                let (feature, ahead) = (feature.try_into().ok()?, left.checked_sub(i)?.try_into().ok()?);
                fits.then_some(Node { threshold: ascending(threshold), feature, ahead })
            }
        };
        let nodes = nodes.into_iter().enumerate().map(pack).collect::<Option<Vec<Node>>>()?;
        let is_top_full =
            nodes.len() > 2 * TOP && nodes[..TOP].iter().zip(1..).all(|(node, i)| node.ahead == i);
        (n_features > 0 && !nodes.is_empty()).then_some(Tree { nodes, n_features, is_top_full })
    }

    /// Prefetches the first nodes.
    pub fn fetch(&self) {
        let a_line = gather::LINE / size_of::<Node>();
        self.nodes.iter().step_by(a_line).take(FETCHED / gather::LINE).for_each(gather::prefetch);
    }

    /// Sends the rows of `block` down the tree, and writes the number of the leaf that each reaches. NaN goes left.
    ///
    /// # Panics
    /// If the rows have another number of features than the tree, or `leaves` another length than the rows.
    pub fn walk(&self, block: &Block, leaves: &mut [u32]) {
        assert_eq!(block.n_features, self.n_features, "features of the rows");
        assert_eq!(leaves.len(), block.n_rows, "a leaf a row");
        match block.a_piece {
            MANY_ROWS => self.walk_pieces::<MANY_ROWS>(&block.keys, leaves),
            _ => self.walk_pieces::<FEW_ROWS>(&block.keys, leaves),
        }
    }

    /// The same for pieces of `ROWS` rows.
    fn walk_pieces<const ROWS: usize>(&self, keys: &[u32], leaves: &mut [u32]) {
        for (keys, leaves) in keys.chunks(ROWS * self.n_features).zip(leaves.chunks_mut(ROWS)) {
            let mut at = [0; ROWS];
            if let Some(top) = self.nodes.first_chunk()
                && self.is_top_full
            {
                let n_passing = leaves.len().next_multiple_of(LANES);
                pass_top(top, keys, ROWS, &mut at[..n_passing]);
            }
            self.walk_on(keys, leaves.len(), &mut at);
            for (leaf, at) in leaves.iter_mut().zip(at) {
                *leaf = self.nodes[at as usize].threshold - ABOVE_ALL;
            }
        }
    }

    /// Sends the first rows of a piece from their nodes `at` to their leaves, and others somewhere.
    fn walk_on<const ROWS: usize>(&self, keys: &[u32], n_rows: usize, at: &mut [u32; ROWS]) {
        #[cfg(target_arch = "x86_64")]
        // Other pieces have another length.
        if let Ok(at) = at.as_mut_slice().try_into()
            && n_rows > FEW_ROWS / 2
            && is_x86_feature_detected!("avx512f")
        {
            // SAFETY: the machine has AVX-512F, walks start at nodes of the tree, and the piece has MANY_ROWS keys of each feature.
            return unsafe { wide::walk(self, keys, n_rows, at) };
        }
        self.walk_by_rows(keys, n_rows, at);
    }

    fn walk_by_rows<const ROWS: usize>(&self, keys: &[u32], n_rows: usize, at: &mut [u32; ROWS]) {
        let n_steps = FIRST_STEPS - if self.is_top_full { TOP.count_ones() as usize } else { 0 };
        let (mut listed, mut n_listed) = ([0u32; ROWS], 0);
        let groups = at.as_chunks_mut::<LANES>().0.iter_mut().enumerate();
        for (i, at) in groups.take(n_rows.div_ceil(LANES)) {
            let keys = &keys[i * LANES..];
            let mut here = *at;
            for _ in 0..n_steps {
                // SAFETY: each feature has ROWS keys, so LANES from the first of a group on, and walks start at nodes
                // of the tree.
                unsafe { self.step::<ROWS, LANES>(keys, |lane| lane, &mut here) };
            }
            *at = here;
            for (lane, at) in at.iter().enumerate() {
                listed[n_listed] = (i * LANES + lane) as u32;
                n_listed += usize::from(self.nodes[*at as usize].ahead > 0);
            }
        }
        self.walk_listed::<ROWS>(keys, &mut listed[..n_listed], at);
    }

    /// Continues with the rows `listed` of a block, each from its node `at`.
    fn walk_listed<const ROWS: usize>(&self, keys: &[u32], listed: &mut [u32], at: &mut [u32]) {
        let mut n_listed = listed.len();
        while n_listed > 0 {
            let mut n_left = 0;
            let mut start = 0;
            while n_listed - start > FEW {
                n_left = self.walk_some::<ROWS, LANES>(keys, listed, start..n_listed, n_left, at);
                start = n_listed.min(start + LANES);
            }
            if start < n_listed {
                n_left = self.walk_some::<ROWS, FEW>(keys, listed, start..n_listed, n_left, at);
            }
            n_listed = n_left;
        }
    }

    /// Continues with the first `N` of the rows `listed` in a range, and lists those that have not arrived from
    /// `n_left` on.
    #[inline(always)]
    fn walk_some<const ROWS: usize, const N: usize>(
        &self,
        keys: &[u32],
        listed: &mut [u32],
        range: Range<usize>,
        mut n_left: usize,
        at: &mut [u32],
    ) -> usize {
        let n_lanes = N.min(range.len());
        let rows: [u32; N] = std::array::from_fn(|lane| listed[range.start + lane.min(n_lanes - 1)]);
        let mut here = rows.map(|row| at[row as usize]);
        for _ in 0..STEPS {
            // SAFETY: rows are below ROWS, and walks go from node to node.
            unsafe { self.step::<ROWS, N>(keys, |lane| rows[lane] as usize, &mut here) };
        }
        for (row, here) in rows.into_iter().zip(here).take(n_lanes) {
            at[row as usize] = here;
            listed[n_left] = row;
            n_left += usize::from(self.nodes[here as usize].ahead > 0);
        }
        n_left
    }

    /// Moves each row from its node to a child; in a leaf it stays.
    ///
    /// # Safety
    /// `keys` must have ROWS keys of each of the tree's features but the last, and enough of that for `row` of each
    /// lane; `at` must be nodes of the tree.
    #[inline(always)]
    unsafe fn step<const ROWS: usize, const N: usize>(
        &self,
        keys: &[u32],
        row: impl Fn(usize) -> usize,
        at: &mut [u32; N],
    ) {
        let nodes = self.nodes.as_ptr();
        for (lane, at) in at.iter_mut().enumerate() {
            // SAFETY: `new` checked the children and features of splits; a leaf's feature is the first, and no key is
            // above its threshold.
            let (node, key) = unsafe {
                let node = &*nodes.add(*at as usize);
                (node, *keys.get_unchecked(usize::from(node.feature) * ROWS + row(lane)))
            };
            *at = *at + u32::from(node.ahead) + u32::from(key > node.threshold);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MatRef, Philox};

    fn split(threshold: f32, feature: u32, left: u32) -> Child {
        Child::Split { threshold, feature, left }
    }

    /// A tree of `n_splits` in breadth-first order, some of whose thresholds are values of rows.
    fn random_tree(n_splits: u32, n_features: usize, seed: u64) -> Vec<Child> {
        let mut random = Philox::new(seed, 0, 0).sequence(0, 0);
        let (mut nodes, mut left) = (Vec::new(), n_splits);
        let mut n_nodes = 1;
        while (nodes.len() as u32) < n_nodes {
            // The last waiting node must be split, or there would be too few.
            if left > 0 && (random.below(3) > 0 || nodes.len() as u32 + 1 == n_nodes) {
                let threshold = match random.below(9) {
                    8 => f32::INFINITY,
                    v => v as f32 - 3.0,
                };
                nodes.push(split(threshold, random.below(n_features as u32), n_nodes));
                n_nodes += 2;
                left -= 1;
            } else {
                nodes.push(Child::Leaf(random.below(1 << 23)));
            }
        }
        nodes
    }

    fn naive(nodes: &[Child], row: &[f32]) -> u32 {
        let mut at = 0;
        loop {
            match nodes[at] {
                Child::Leaf(refers_to) => return refers_to,
                Child::Split { threshold, feature, left } => {
                    at = left as usize + usize::from(row[feature as usize] > threshold);
                }
            }
        }
    }

    /// The keys of rows as machines without wide vectors have them.
    fn narrow_keys(x: MatRef<'_>) -> Vec<u32> {
        let mut block = Block { a_piece: FEW_ROWS, ..Block::new(x.n_cols()) };
        block.take(x, 0, x.n_rows());
        block.keys
    }

    #[test]
    fn rows_reach_the_same_leaves_as_a_single_walk() {
        for seed in 0..60 {
            let mut random = Philox::new(seed, 1, 0).sequence(0, 0);
            let n_features = 1 + random.below(20) as usize;
            let n_rows = random.below(600) as usize;
            let nodes = random_tree(random.below(200), n_features, seed);
            let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0];
            let mut value = || match random.below(40) {
                special_one @ 0..4 => special[special_one as usize],
                v => (v as f32 - 14.0) / 4.0,
            };
            let x: Vec<f32> = (0..n_rows * n_features).map(|_| value()).collect();
            let x = MatRef::new(&x, n_rows, n_features);
            let tree = Tree::new(nodes.iter().copied(), n_features).unwrap();
            let mut block = Block::new(n_features);
            for (first, n) in [(0, n_rows), (n_rows / 3, n_rows / 5), (n_rows / 2, FEW_ROWS.min(n_rows / 2))]
            {
                let end = first + n;
                let mut leaves = vec![0; end - first];
                block.take(x, first, end - first);
                tree.walk(&block, &mut leaves);
                let expected: Vec<u32> = (first..end).map(|i| naive(&nodes, x.row(i))).collect();
                assert_eq!(leaves, expected);
                let mut narrow = vec![0; n];
                let keys = narrow_keys(x.rows(first, end));
                tree.walk_pieces::<FEW_ROWS>(&keys, &mut narrow);
                assert_eq!(narrow, expected, "pieces of few rows");
            }
        }
    }

    #[test]
    fn trees_that_do_not_fit_are_refused() {
        let tree = |nodes: &[Child], n_features| Tree::new(nodes.iter().copied(), n_features);
        let leaf = Child::Leaf(0);
        assert!(tree(&[], 1).is_none());
        assert!(tree(&[leaf], 0).is_none());
        assert!(tree(&[leaf], 1).is_some());
        assert!(tree(&[split(0.0, 3, 1), leaf, leaf], 3).is_none(), "feature");
        assert!(tree(&[split(0.0, 2, 1), leaf, leaf], 3).is_some());
        assert!(tree(&[split(0.0, 0, 2), leaf, leaf], 3).is_none(), "right child");
        assert!(tree(&[split(0.0, 0, 1), split(0.0, 0, 0), leaf], 3).is_none(), "backwards");
        assert!(tree(&[Child::Leaf(1 << 23)], 3).is_none(), "what the leaf refers to");
        let mut far = vec![leaf; 70_000];
        far[0] = split(0.0, 0, 66_000);
        assert!(tree(&far, 3).is_none());
    }
}
