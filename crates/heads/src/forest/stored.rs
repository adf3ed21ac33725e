//! A forest as named arrays, and back.
//!
//! | name                | type | shape        | content                                                            |
//! |---------------------|------|--------------|--------------------------------------------------------------------|
//! | `n_classes`         | u32  | 1            | the number of classes                                              |
//! | `importances`       | f64  | `n_features` | feature importances                                                |
//! | `tree_size`         | u32  | `n_trees`    | nodes a tree; the arrays of nodes hold one tree after another      |
//! | `threshold`         | f32  | `n_nodes`    | rows with values up to it go left; 0 for a leaf                    |
//! | `feature`           | u32  | `n_nodes`    | the feature compared; `u32::MAX` for a leaf                        |
//! | `next`              | u32  | `n_nodes`    | a split's left child, counted from its tree's root (the right one  |
//! |                     |      |              | follows); a leaf's class, or `n_classes` plus its number among the |
//! |                     |      |              | mixed leaves of its tree                                           |
//! | `tree_mixed_leaves` | u32  | `n_trees`    | mixed leaves a tree                                                |
//! | `mixed_size`        | u32  | `n_mixed`    | classes in each mixed leaf                                         |
//! | `mixed_class`       | u32  | `n_shares`   | those classes, ascending within a leaf                             |
//! | `mixed_probability` | f64  | `n_shares`   | their probabilities, in `(0, 1]`, summing to 1 within a leaf       |
//!
//! What is read back may be damaged or hostile: everything that prediction relies on is checked.

use crate::error::{Error, Result};
use crate::tensors::{Tensors, Values};

use super::Forest;
use super::tree::{LEAF, Node, Tree};

/// The forest's arrays.
pub(super) fn to_tensors(forest: &Forest) -> Tensors {
    let trees = &forest.trees;
    let nodes = || trees.iter().flat_map(|tree| &tree.nodes);
    let shares = || trees.iter().flat_map(|tree| &tree.mixed);
    let mixed_size = trees.iter().flat_map(|tree| tree.mixed_start.windows(2).map(|w| w[1] - w[0]));
    let mut tensors = Tensors::new();
    let mut insert = |name: &str, values: Values| tensors.insert(name, &[values.len()], values);
    insert("n_classes", Values::U32(vec![forest.n_classes as u32]));
    insert("importances", Values::F64(forest.importances.clone()));
    insert("tree_size", Values::U32(trees.iter().map(|tree| tree.nodes.len() as u32).collect()));
    insert("threshold", Values::F32(nodes().map(|node| node.threshold).collect()));
    insert("feature", Values::U32(nodes().map(|node| node.feature).collect()));
    insert("next", Values::U32(nodes().map(|node| node.next).collect()));
    let mixed_leaves = trees.iter().map(|tree| tree.mixed_start.len() as u32 - 1);
    insert("tree_mixed_leaves", Values::U32(mixed_leaves.collect()));
    insert("mixed_size", Values::U32(mixed_size.collect()));
    insert("mixed_class", Values::U32(shares().map(|(class, _)| *class).collect()));
    insert("mixed_probability", Values::F64(shares().map(|(_, p)| *p).collect()));
    tensors
}

/// The arrays of nodes and leaves, from whose fronts one tree after another is taken.
struct Arrays {
    threshold: std::vec::IntoIter<f32>,
    feature: std::vec::IntoIter<u32>,
    next: std::vec::IntoIter<u32>,
    mixed_size: std::vec::IntoIter<u32>,
    mixed_class: std::vec::IntoIter<u32>,
    mixed_probability: std::vec::IntoIter<f64>,
}

/// The forest of these arrays.
pub(super) fn from_tensors(mut tensors: Tensors) -> Result<Forest> {
    let n_classes = tensors.take_u32("n_classes", &[1])?[0] as usize;
    let n_features = length(&tensors, "importances")?;
    let importances = tensors.take_f64("importances", &[n_features])?;
    if let Some(i) = importances.iter().position(|v| !v.is_finite()) {
        return Err(Error::stored(format!("importance {i} is {}, expected a finite number", importances[i])));
    }
    let n_trees = length(&tensors, "tree_size")?;
    let sizes = tensors.take_u32("tree_size", &[n_trees])?;
    let mixed_leaves = tensors.take_u32("tree_mixed_leaves", &[n_trees])?;
    if n_classes == 0 || n_trees == 0 || n_features == 0 {
        return Err(Error::stored(format!(
            "a forest of {n_trees} trees, {n_features} features and {n_classes} classes, expected at least one each"
        )));
    }
    let mut arrays = Arrays::take(&mut tensors)?;
    if let Some(name) = tensors.names().next() {
        return Err(Error::stored(format!("tensor `{name}` is no part of a forest")));
    }
    arrays.check_lengths(&sizes, &mixed_leaves)?;
    let trees = sizes.iter().zip(&mixed_leaves).enumerate();
    let trees = trees
        .map(|(t, (&size, &n_mixed))| {
            let tree = arrays.next_tree(size as usize, n_mixed as usize, n_classes);
            tree.and_then(|tree| check(&tree, n_features).map(|()| tree))
                .map_err(|why| Error::stored(format!("tree {t}: {why}")))
        })
        .collect::<Result<Vec<Tree>>>()?;
    arrays.check_empty()?;
    Ok(Forest { n_features, n_classes, trees, importances, oob: None })
}

fn length(tensors: &Tensors, name: &str) -> Result<usize> {
    match tensors.shape(name)? {
        [n] => Ok(*n),
        shape => Err(Error::stored(format!("tensor `{name}` has shape {shape:?}, expected one axis"))),
    }
}

impl Arrays {
    fn take(tensors: &mut Tensors) -> Result<Arrays> {
        let n_nodes = length(tensors, "threshold")?;
        let n_mixed = length(tensors, "mixed_size")?;
        let n_shares = length(tensors, "mixed_class")?;
        Ok(Arrays {
            threshold: tensors.take_f32("threshold", &[n_nodes])?.into_iter(),
            feature: tensors.take_u32("feature", &[n_nodes])?.into_iter(),
            next: tensors.take_u32("next", &[n_nodes])?.into_iter(),
            mixed_size: tensors.take_u32("mixed_size", &[n_mixed])?.into_iter(),
            mixed_class: tensors.take_u32("mixed_class", &[n_shares])?.into_iter(),
            mixed_probability: tensors.take_f64("mixed_probability", &[n_shares])?.into_iter(),
        })
    }

    /// Whether the trees' sizes add up to the lengths of the arrays.
    fn check_lengths(&self, sizes: &[u32], mixed_leaves: &[u32]) -> Result<()> {
        let sum = |sizes: &[u32]| sizes.iter().map(|&n| u64::from(n)).sum::<u64>();
        let pairs = [
            ("nodes", sum(sizes), self.threshold.len()),
            ("mixed leaves", sum(mixed_leaves), self.mixed_size.len()),
            ("classes in mixed leaves", sum(self.mixed_size.as_slice()), self.mixed_class.len()),
        ];
        match pairs.into_iter().find(|(_, sum, len)| *sum != *len as u64) {
            None => Ok(()),
            Some((what, sum, len)) => {
                Err(Error::stored(format!("the trees count {sum} {what}, but there are {len}")))
            }
        }
    }

    fn next_tree(&mut self, size: usize, n_mixed: usize, n_classes: usize) -> std::result::Result<Tree, String> {
        let nodes = (self.threshold.by_ref().zip(self.feature.by_ref()).zip(self.next.by_ref())).take(size);
        let nodes = nodes.map(|((threshold, feature), next)| Node { threshold, feature, next }).collect();
        let mut mixed_start = vec![0];
        let mut end = 0u32;
        for n in self.mixed_size.by_ref().take(n_mixed) {
            end = end.checked_add(n).ok_or("its mixed leaves are too large")?;
            mixed_start.push(end);
        }
        let mixed = self.mixed_class.by_ref().zip(self.mixed_probability.by_ref()).take(end as usize).collect();
        Ok(Tree { n_classes, nodes, mixed_start, mixed })
    }

    fn check_empty(&self) -> Result<()> {
        Ok(())
    }
}

/// Whether a tree is one: every node but the root the child of exactly one split before it, features and leaves
/// within their ranges, leaves distributions.
fn check(tree: &Tree, n_features: usize) -> std::result::Result<(), String> {
    if tree.nodes.is_empty() {
        return Err("it has no nodes".to_owned());
    }
    // Children are handed out in pairs: marking left ones is enough.
    let mut is_left_child = vec![false; tree.nodes.len() + 1];
    let mut n_children = 0;
    for (i, node) in tree.nodes.iter().enumerate() {
        let next = node.next as usize;
        if node.feature == LEAF {
            if next - next.min(tree.n_classes) >= tree.mixed_start.len().max(1) - usize::from(next >= tree.n_classes) {
                return Err(format!("leaf {i} refers to {next}, a class or mixed leaf that does not exist"));
            }
            continue;
        }
        if node.feature as usize >= n_features {
            return Err(format!("node {i} compares feature {}, but there are {n_features}", node.feature));
        }
        if !node.threshold.is_finite() {
            return Err(format!("the threshold of node {i} is {}, expected a finite number", node.threshold));
        }
        if next <= i || next + 1 >= tree.nodes.len() || is_left_child[next] || is_left_child[next - 1] || is_left_child[next + 1] {
            return Err(format!("node {i} has children {next} and {}, expected two that follow it and are no other's", next + 1));
        }
        is_left_child[next] = true;
        n_children += 2;
    }
    if n_children + 1 != tree.nodes.len() {
        return Err(format!("{} of its nodes are no node's child", tree.nodes.len() - 1 - n_children));
    }
    check_leaves(tree)
}

fn check_leaves(tree: &Tree) -> std::result::Result<(), String> {
    for (leaf, range) in tree.mixed_start.windows(2).enumerate() {
        let shares = &tree.mixed[range[0] as usize..range[1] as usize];
        if shares.iter().any(|(class, _)| *class as usize >= tree.n_classes) || !shares.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(format!("mixed leaf {leaf} does not list ascending classes below {}", tree.n_classes));
        }
        let sum: f64 = shares.iter().map(|(_, p)| p).sum();
        if shares.iter().any(|(_, p)| !(*p > 0.0)) || !((sum - 1.0).abs() < 1e-6) {
            return Err(format!("the probabilities of mixed leaf {leaf} are no distribution"));
        }
    }
    Ok(())
}
