//! Class probabilities: the mean over the trees of the class shares in the leaf that a row reaches.
//!
//! Rows are taken in blocks, and each tree is walked for all rows of a block before the next one, so that its nodes
//! stay in the cache. Within a block, many rows walk at once, because a single one would wait for memory at every
//! node. Probabilities are added in double precision in the order of the trees: the result does not depend on how rows are
//! shared among threads.

use std::sync::OnceLock;

use headsmith_kernels::{MatRef, Matrix, Pool, walk};

use super::Forest;
use super::tree::Tree;

/// Bytes of a block that walks down the trees: with a tree it fills a second-level cache, so that neither
/// comes from further away more often than it must.
const BLOCK: usize = 1 << 20;

/// Rows of a piece, of which it has a multiple.
const FEWEST_ROWS: usize = 64;

/// Pieces that keep many threads busy.
const FEWEST_PIECES: usize = 16;

/// Rows that walk at once down a tree that is not packed.
const LANES: usize = 8;

/// Fewer rows would walk for a shorter time than it takes to pack the trees.
const PACKED_FROM: usize = 256;

/// The class probabilities of each row of `x`.
pub(super) fn predict_proba(forest: &Forest, x: MatRef<'_>, pool: &Pool) -> Matrix {
    let n_classes = forest.n_classes;
    let mut proba = Matrix::zeros(x.n_rows(), n_classes);
    let packed = if x.n_rows() < PACKED_FROM { &[] } else { forest.packed.trees(forest, pool) };
    let at_once = walk::Block::rows_at_once();
    let bytes = x.n_cols() * at_once * size_of::<f32>();
    let together = at_once * (BLOCK / bytes.max(1)).max(1);
    let n_rows = x.n_rows().div_ceil(FEWEST_PIECES).next_multiple_of(FEWEST_ROWS).max(1);
    pool.for_each_chunk(proba.as_mut_slice(), n_rows * n_classes, |piece, proba| {
        let mut room = Room::new(x.n_cols());
        for (i, proba) in proba.chunks_mut(together * n_classes).enumerate() {
            predict_rows(forest, packed, x, piece * n_rows + i * together, proba, &mut room);
        }
    });
    proba
}

/// The buffers of some rows, which the next ones reuse.
#[derive(Debug)]
struct Room {
    block: walk::Block,
    sums: Vec<f64>,
    leaves: Vec<u32>,
}

impl Room {
    fn new(n_features: usize) -> Room {
        Room { block: walk::Block::new(n_features), sums: Vec::new(), leaves: Vec::new() }
    }
}

/// Predicts the rows of `x` from `start` on.
fn predict_rows(
    forest: &Forest,
    packed: &[Option<walk::Tree>],
    x: MatRef<'_>,
    start: usize,
    proba: &mut [f32],
    room: &mut Room,
) {
    let n_classes = forest.n_classes;
    let n_rows = proba.len() / n_classes;
    let Room { block, sums, leaves } = room;
    if !packed.is_empty() {
        block.take(x, start, n_rows);
    }
    sums.clear();
    sums.resize(proba.len(), 0.0);
    leaves.resize(n_rows, 0);
    let (x, rows) = (x.rows(start, start + n_rows), (0..n_rows as u32).collect::<Vec<u32>>());
    for (t, tree) in forest.trees.iter().enumerate() {
        if let Some(Some(next)) = packed.get(t + 1) {
            next.fetch();
        }
        match packed.get(t) {
            Some(Some(packed)) => packed.walk(block, leaves),
            _ => find_leaves(tree, x, &rows, leaves),
        }
        for (&leaf, sums) in leaves.iter().zip(sums.chunks_exact_mut(n_classes)) {
            tree.add_leaf(leaf, sums);
        }
    }
    for (p, sum) in proba.iter_mut().zip(sums) {
        *p = (*sum / forest.trees.len() as f64) as f32;
    }
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
            let tree = &forest.trees[t];
            let nodes = tree.nodes().iter().enumerate().map(|(i, node)| match tree.is_leaf(i) {
                true => walk::Child::Leaf(tree.leaf(i)),
                false => {
                    walk::Child::Split { threshold: node.threshold, feature: node.feature, left: node.next }
                }
            });
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

/// Walks `rows` of `x` down `tree` and writes the reference of the leaf that each reaches.
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
    *at = at.map(|node| tree.leaf(node as usize));
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::Philox;

    use super::super::params::TABLE;
    use super::*;
    use crate::{Control, Event, Samples};

    #[test]
    fn several_blocks_walk_down_packed_trees_as_single_rows_do() {
        let (n_rows, n_features) = (7 * FEWEST_ROWS + 17, 5);
        let mut random = Philox::new(3, 0, 0).sequence(0, 0);
        let x: Vec<f32> = (0..n_rows * n_features).map(|_| random.uniform() as f32 - 0.5).collect();
        let y: Vec<u32> = (0..n_rows).map(|_| random.below(3)).collect();
        let x = MatRef::new(&x, n_rows, n_features);
        let (params, pool) = (TABLE.defaults(), Pool::inline());
        let samples = Samples::new(x, &y, 3).unwrap();
        let forest =
            super::super::fit(samples, &params, 0, &pool, &mut |_: &Event| Control::Continue).unwrap();
        let (mut packed, mut plain) = (vec![0.0; n_rows * 3], vec![0.0; n_rows * 3]);
        let mut room = Room::new(n_features);
        predict_rows(&forest, forest.packed.trees(&forest, &pool), x, 0, &mut packed, &mut room);
        predict_rows(&forest, &[], x, 0, &mut plain, &mut room);
        assert_eq!(packed, plain);
        assert_eq!(packed, forest.predict_proba(x, &pool).as_slice());
    }
}
