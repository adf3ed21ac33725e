//! Class probabilities: the mean over the trees of the class shares in the leaf that a row comes to.
//!
//! Rows are taken in blocks, and each tree is walked for all rows of a block before the next one, so that its nodes
//! stay in the cache; within a block, several rows walk at once, because a single one would wait for memory at
//! every node. Probabilities are added in double precision in the order of the trees: the result does not depend on
//! how rows are shared among threads.

use std::sync::OnceLock;

use headsmith_kernels::{MatRef, Matrix, Pool, walk};

use super::Forest;
use super::tree::Tree;

/// Rows that are predicted together.
const ROWS_A_BLOCK: usize = walk::ROWS;

/// Rows that walk at once down a tree that is not packed.
const LANES: usize = 8;

/// Fewer rows would walk for a shorter time than it takes to pack the trees.
const PACKED_FROM: usize = 256;

/// The class probabilities of each row of `x`.
pub(super) fn predict_proba(forest: &Forest, x: MatRef<'_>, pool: &Pool) -> Matrix {
    let n_classes = forest.n_classes;
    let mut proba = Matrix::zeros(x.n_rows(), n_classes);
    let packed = if x.n_rows() < PACKED_FROM { &[] } else { forest.packed.trees(forest, pool) };
    pool.for_each_chunk(proba.as_mut_slice(), ROWS_A_BLOCK * n_classes, |block, proba| {
        let start = block * ROWS_A_BLOCK;
        let rows: Vec<u32> = (start as u32..).take(proba.len() / n_classes).collect();
        let mut sums = vec![0.0; proba.len()];
        let mut leaves = vec![0; rows.len()];
        let mut walking = walk::Block::default();
        if !packed.is_empty() {
            walking.take(x, start, rows.len());
        }
        for (t, tree) in forest.trees.iter().enumerate() {
            if let Some(Some(next)) = packed.get(t + 1) {
                next.fetch();
                forest.trees[t + 1].fetch_leaves(walk::FETCHED / 2);
            }
            match packed.get(t) {
                Some(Some(packed)) => packed.walk(&walking, &mut leaves),
                _ => find_leaves(tree, x, &rows, &mut leaves),
            }
            for (&leaf, sums) in leaves.iter().zip(sums.chunks_exact_mut(n_classes)) {
                tree.add_leaf(leaf as usize, sums);
            }
        }
        for (p, sum) in proba.iter_mut().zip(sums) {
            *p = (sum / forest.trees.len() as f64) as f32;
        }
    });
    proba
}

/// The trees in the form in which many rows walk fast, made when they are first needed; `None` for those that do not fit.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed(OnceLock<Vec<Option<walk::Tree>>>);

impl Packed {
    fn trees(&self, forest: &Forest, pool: &Pool) -> &[Option<walk::Tree>] {
        if let Some(packed) = self.0.get() {
            return packed;
        }
        // Not within `get_or_init`: whoever waits for the pool there may be handed work that predicts, too.
        let packed = pool.map(forest.trees.len(), |t| {
            let nodes = forest.trees[t].nodes().iter();
            let nodes = nodes.map(|node| (node.threshold, node.feature, node.next));
            walk::Tree::new(nodes, forest.n_features)
        });
        self.0.get_or_init(|| packed)
    }
}

/// It follows from the trees, so it makes no forest different from another.
impl PartialEq for Packed {
    fn eq(&self, _: &Packed) -> bool {
        true
    }
}

/// Walks `rows` of `x` down `tree` and writes the leaf that each comes to.
pub(super) fn find_leaves(tree: &Tree, x: MatRef<'_>, rows: &[u32], leaves: &mut [u32]) {
    let (rows, few_rows) = rows.as_chunks::<LANES>();
    let (leaves, few_leaves) = leaves.as_chunks_mut::<LANES>();
    for (rows, leaves) in rows.iter().zip(leaves) {
        walk(tree, x, rows, leaves);
    }
    if let Some(last) = few_rows.last() {
        let (mut padded, mut found) = ([*last; LANES], [0; LANES]);
        padded[..few_rows.len()].copy_from_slice(few_rows);
        walk(tree, x, &padded, &mut found);
        few_leaves.copy_from_slice(&found[..few_rows.len()]);
    }
}

fn walk(tree: &Tree, x: MatRef<'_>, rows: &[u32; LANES], at: &mut [u32; LANES]) {
    let (values, nodes) = (x.as_slice(), tree.nodes());
    let starts = rows.map(|row| row as usize * x.n_cols());
    *at = [0; LANES];
    let mut moved = true;
    while moved {
        moved = false;
        for (at, start) in at.iter_mut().zip(&starts) {
            // Without a branch: a lane that has arrived at its leaf stays there.
            let node = nodes[*at as usize];
            let next = node.next + u32::from(values[start + node.feature as usize] > node.threshold);
            moved |= next != *at;
            *at = next;
        }
    }
}
