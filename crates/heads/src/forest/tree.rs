//! One decision tree: its nodes, and the class probabilities of its leaves.
//!
//! A leaf of one class, as almost all are in a fully grown tree, holds the class itself; only mixed leaves have a
//! list of classes and probabilities.

/// A node, 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// Rows whose value is not above it go left.
    pub(super) threshold: f32,
    /// The feature that is compared, or [`LEAF`].
    pub(super) feature: u32,
    /// Of a split, the left child, which the right child follows; both stand after their parent. Of a leaf, its
    /// class or, from `n_classes` on, its place among the mixed leaves.
    pub(super) next: u32,
}

/// The feature of a leaf.
pub(super) const LEAF: u32 = u32::MAX;

/// A decision tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree {
    pub(super) n_classes: usize,
    /// The root first.
    pub(super) nodes: Vec<Node>,
    /// Where each mixed leaf begins in `mixed`, and the end of the last one.
    pub(super) mixed_start: Vec<u32>,
    /// Classes in ascending order with their probabilities, leaf after leaf.
    pub(super) mixed: Vec<(u32, f64)>,
}

impl Tree {
    /// A tree of a root that is yet to be set.
    pub(super) fn new(n_classes: usize) -> Tree {
        let nodes = vec![Node { threshold: 0.0, feature: LEAF, next: 0 }];
        Tree { n_classes, nodes, mixed_start: vec![0], mixed: Vec::new() }
    }

    /// Makes `node` a leaf with `shares` of classes.
    pub(super) fn set_leaf(&mut self, node: usize, shares: &[(u32, f64)]) {
        self.nodes[node].next = match shares {
            [(class, _)] => *class,
            _ => {
                self.mixed.extend_from_slice(shares);
                self.mixed_start.push(self.mixed.len() as u32);
                (self.n_classes + self.mixed_start.len() - 2) as u32
            }
        };
    }

    /// Makes `node` a split and adds its children, yet to be set; gives back the left one.
    pub(super) fn set_split(&mut self, node: usize, feature: u32, threshold: f32) -> usize {
        let left = self.nodes.len();
        self.nodes[node] = Node { threshold, feature, next: left as u32 };
        let child = Node { threshold: 0.0, feature: LEAF, next: 0 };
        self.nodes.extend([child, child]);
        left
    }

    /// Calls `add` with the classes and probabilities of a leaf, given its `next`.
    #[inline(always)]
    pub(super) fn leaf(&self, next: u32, mut add: impl FnMut(u32, f64)) {
        match (next as usize).checked_sub(self.n_classes) {
            None => add(next, 1.0),
            Some(leaf) => {
                let range = self.mixed_start[leaf] as usize..self.mixed_start[leaf + 1] as usize;
                self.mixed[range].iter().for_each(|&(class, probability)| add(class, probability));
            }
        }
    }

    /// The most splits on a way from the root to a leaf.
    pub(super) fn depth(&self) -> usize {
        let mut depths = vec![0; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.feature != LEAF) {
            depths[node.next as usize] = depths[i] + 1;
            depths[node.next as usize + 1] = depths[i] + 1;
        }
        depths.into_iter().max().unwrap_or(0)
    }
}
