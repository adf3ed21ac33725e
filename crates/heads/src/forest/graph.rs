//! The forest as operations of a graph.

use super::Forest;
use super::tree::Tree;
use crate::graph::{self, Branch, Graph, Prediction, Rows, Trees};

/// The prediction for `rows`.
pub(super) fn prediction(forest: &Forest, graph: &mut Graph, rows: Rows) -> Prediction {
    let n_classes = forest.n_classes;
    let trees = forest.trees.iter().map(|tree| branches(tree, n_classes)).collect();
    rows.trees(graph, Trees { n_classes, trees }, forest.n_features).into()
}

fn branches(tree: &Tree, n_classes: usize) -> graph::Tree {
    // A leaf of one class has the share at its number; the shares of mixed leaves follow.
    let mut shares: Vec<(u32, f64)> = (0..n_classes as u32).map(|class| (class, 1.0)).collect();
    let mut starts: Vec<u32> = (0..n_classes as u32).collect();
    for leaf in tree.mixed_leaves() {
        starts.push(shares.len() as u32);
        shares.extend(leaf);
    }
    starts.push(shares.len() as u32);
    let nodes = tree.nodes().iter().enumerate().map(|(i, node)| match tree.is_leaf(i) {
        true => {
            let leaf = tree.leaf(i) as usize;
            Branch::Leaf { start: starts[leaf], end: starts[leaf + 1] }
        }
        false => Branch::Split { feature: node.feature, threshold: node.threshold, left: node.next },
    });
    graph::Tree { nodes: nodes.collect(), shares }
}
