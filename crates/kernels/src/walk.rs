//! Walking many rows down a decision tree at once.
//!
//! A single row would wait for memory at every node; so several walk side by side, without a branch. Every few steps those
//! that have come to their leaves are left out, so that none waits for the last of them. A node takes 8 bytes, so that
//! trees stay in the caches.
#![allow(unsafe_code)]

use crate::MatRef;

/// A node: rows whose value of `feature` is above `threshold` go to the right child.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
struct Node {
    threshold: f32,
    feature: u16,
    /// How far behind the node its left child stands, which the right child follows; 0 in a leaf.
    ahead: u16,
}

/// A tree in the form in which rows walk down it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    n_features: usize,
}

/// Rows that walk at once.
const LANES: usize = 16;

/// Rows of which those that still walk are listed together.
const LISTED: usize = 128;

/// Steps before leaves are first looked for: few rows come to one earlier.
const FIRST_STEPS: usize = 8;

/// Steps between two looks.
const STEPS: usize = 4;

impl Tree {
    /// Packs a tree, the root first. Of each node: threshold, feature, and the number of the left child, which the right
    /// child follows and which stands behind its parent; a leaf is its own child.
    ///
    /// `None` when a node does not fit: more than 65,536 features, a child too far behind, or none there.
    pub fn new(nodes: impl ExactSizeIterator<Item = (f32, u32, u32)>, n_features: usize) -> Option<Tree> {
        let n_nodes = nodes.len();
        let pack = |(i, (threshold, feature, next)): (usize, (f32, u32, u32))| {
            let next = next as usize;
            if next == i {
                return Some(Node { threshold: f32::INFINITY, feature: 0, ahead: 0 });
            }
            let fits = next > i && next + 1 < n_nodes && (feature as usize) < n_features;
            let (feature, ahead) = (feature.try_into().ok()?, next.checked_sub(i)?.try_into().ok()?);
            fits.then_some(Node { threshold, feature, ahead })
        };
        let nodes = nodes.enumerate().map(pack).collect::<Option<Vec<Node>>>()?;
        (n_features > 0 && !nodes.is_empty()).then_some(Tree { nodes, n_features })
    }

    /// Walks the rows `first ..` of `x`, as many as `leaves` has room for, and writes the leaf that each comes to. A NaN
    /// goes left.
    ///
    /// # Panics
    /// When `x` has not the tree's number of features, or too few rows.
    pub fn walk(&self, x: MatRef<'_>, first: usize, leaves: &mut [u32]) {
        assert_eq!(x.n_cols(), self.n_features, "columns of x");
        assert!(first + leaves.len() <= x.n_rows(), "rows of x");
        for (i, leaves) in leaves.chunks_mut(LISTED).enumerate() {
            // SAFETY: the rows lie within `x`, as was just checked.
            unsafe { self.walk_listed(x.as_slice(), first + i * LISTED, leaves) };
        }
    }

    /// # Safety
    /// There is a row of the tree's features in `x` for each of `leaves`, from `first` on.
    unsafe fn walk_listed(&self, x: &[f32], first: usize, leaves: &mut [u32]) {
        let mut listed: [u32; LISTED] = std::array::from_fn(|i| i as u32);
        let mut n_listed = leaves.len();
        leaves.fill(0);
        let mut n_steps = FIRST_STEPS;
        while n_listed > 0 {
            let mut n_left = 0;
            for start in (0..n_listed).step_by(LANES) {
                let n_lanes = LANES.min(n_listed - start);
                let rows: [u32; LANES] = std::array::from_fn(|lane| listed[start + lane.min(n_lanes - 1)]);
                let starts = rows.map(|row| (first + row as usize) * self.n_features);
                let mut at = rows.map(|row| leaves[row as usize]);
                for _ in 0..n_steps {
                    // SAFETY: rows begin at their number times their features, and walks begin at the root.
                    unsafe { self.step(x, &starts, &mut at) };
                }
                for (row, at) in rows.into_iter().zip(at).take(n_lanes) {
                    leaves[row as usize] = at;
                    listed[n_left] = row;
                    n_left += usize::from(self.nodes[at as usize].ahead > 0);
                }
            }
            n_listed = n_left;
            n_steps = STEPS;
        }
    }

    /// Each row goes from the node it is at to a child; in a leaf it stays.
    ///
    /// # Safety
    /// From each of `starts` on, `x` has a value for each feature; `at` are nodes of the tree.
    #[inline(always)]
    unsafe fn step(&self, x: &[f32], starts: &[usize; LANES], at: &mut [u32; LANES]) {
        for (at, start) in at.iter_mut().zip(starts) {
            // SAFETY: `new` checked the children and features of splits; a leaf's feature is the first, and no value is
            // above its threshold.
            let (node, value) = unsafe {
                let node = self.nodes.get_unchecked(*at as usize);
                (node, *x.get_unchecked(start + usize::from(node.feature)))
            };
            *at += u32::from(node.ahead) + u32::from(value > node.threshold);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Philox;

    /// A tree of `n_splits` in breadth-first order, some of whose thresholds are values of rows.
    fn random_tree(n_splits: u32, n_features: usize, seed: u64) -> Vec<(f32, u32, u32)> {
        let mut random = Philox::new(seed, 0, 0).sequence(0, 0);
        let (mut nodes, mut left) = (Vec::new(), n_splits);
        let mut n_nodes = 1;
        while (nodes.len() as u32) < n_nodes {
            let i = nodes.len() as u32;
            // The last one that waits has to be split, lest there be too few.
            if left > 0 && (random.below(3) > 0 || i + 1 == n_nodes) {
                nodes.push((random.below(8) as f32, random.below(n_features as u32), n_nodes));
                n_nodes += 2;
                left -= 1;
            } else {
                nodes.push((f32::INFINITY, 0, i));
            }
        }
        nodes
    }

    fn naive(nodes: &[(f32, u32, u32)], row: &[f32]) -> u32 {
        let mut at = 0;
        loop {
            let (threshold, feature, next) = nodes[at];
            if next as usize == at {
                return next;
            }
            at = next as usize + usize::from(row[feature as usize] > threshold);
        }
    }

    #[test]
    fn rows_come_to_the_leaves_of_a_single_walk() {
        for seed in 0..60 {
            let mut random = Philox::new(seed, 1, 0).sequence(0, 0);
            let n_features = 1 + random.below(20) as usize;
            let n_rows = random.below(300) as usize;
            let nodes = random_tree(random.below(200), n_features, seed);
            let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
            let mut value = || match random.below(40) {
                special_one @ 0..3 => special[special_one as usize],
                v => v as f32 / 4.0,
            };
            let x: Vec<f32> = (0..n_rows * n_features).map(|_| value()).collect();
            let x = MatRef::new(&x, n_rows, n_features);
            let tree = Tree::new(nodes.iter().copied(), n_features).unwrap();
            for first in [0, n_rows / 3] {
                let mut leaves = vec![0; n_rows - first];
                tree.walk(x, first, &mut leaves);
                let expected: Vec<u32> = (first..n_rows).map(|i| naive(&nodes, x.row(i))).collect();
                assert_eq!(leaves, expected);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let tree = |nodes: &[(f32, u32, u32)], n_features| Tree::new(nodes.iter().copied(), n_features);
        assert!(tree(&[], 1).is_none());
        assert!(tree(&[(1.0, 0, 0)], 0).is_none());
        assert!(tree(&[(1.0, 0, 0)], 1).is_some());
        let leaves = [(1.0, 0, 1), (1.0, 0, 2)];
        assert!(tree(&[&[(0.0, 3, 1)], &leaves[..]].concat(), 3).is_none(), "feature");
        assert!(tree(&[&[(0.0, 2, 1)], &leaves[..]].concat(), 3).is_some());
        assert!(tree(&[&[(0.0, 0, 2)], &leaves[..]].concat(), 3).is_none(), "right child");
        assert!(tree(&[(0.0, 0, 1), (0.0, 0, 0), (0.0, 0, 2)], 3).is_none(), "backwards");
        let far = (0..70_000).map(|i| if i == 0 { (0.0, 0, 66_000) } else { (0.0, 0, i) });
        assert!(Tree::new(far.collect::<Vec<_>>().into_iter(), 3).is_none());
    }
}
