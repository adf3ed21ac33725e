//! A forest as named arrays, and back.
//!
//! | name                | type | shape        | content                                                            |
//! |---------------------|------|--------------|--------------------------------------------------------------------|
//! | `n_classes`         | u32  | 1            | the number of classes                                              |
//! | `importances`       | f64  | `n_features` | feature importances                                                |
//! | `tree_size`         | u32  | `n_trees`    | nodes a tree; the arrays of nodes hold one tree after another      |
//! | `threshold`         | f32  | `n_nodes`    | rows with values above it go right; 0 for a leaf                   |
//! | `feature`           | u32  | `n_nodes`    | the feature compared; `u32::MAX` for a leaf                        |
//! | `next`              | u32  | `n_nodes`    | a split's left child, counted from its tree's root (the right one  |
//! |                     |      |              | follows); a leaf's class, or `n_classes` plus its number among the |
//! |                     |      |              | mixed leaves of its tree                                           |
//! | `tree_mixed_leaves` | u32  | `n_trees`    | mixed leaves a tree                                                |
//! | `mixed_size`        | u32  | `n_mixed`    | classes in each mixed leaf                                         |
//! | `mixed_class`       | u32  | `n_shares`   | those classes, ascending within a leaf                             |
//! | `mixed_probability` | f64  | `n_shares`   | their probabilities, above 0, summing to 1 within a leaf           |
//!
//! Nodes are in breadth-first order: the children of a split are the next two nodes that no split before it has.
//! A file may be damaged or hostile; checking this order proves that each tree is one, whose walks end.

use crate::error::{Error, Result};
use crate::tensors::{Tensors, Values};

use super::Forest;
use super::cuts::Cuts;
use super::predict::Packed;
use super::tree::Tree;

/// The stored feature of a leaf.
const LEAF: u32 = u32::MAX;

/// The forest's arrays.
pub(super) fn to_tensors(forest: &Forest) -> Tensors {
    let trees = &forest.trees;
    let (mut threshold, mut feature, mut next) = (Vec::new(), Vec::new(), Vec::new());
    for tree in trees {
        for (i, node) in tree.nodes().iter().enumerate() {
            let is_leaf = tree.is_leaf(i);
            threshold.push(if is_leaf { 0.0 } else { node.threshold });
            feature.push(if is_leaf { LEAF } else { node.feature });
            next.push(if is_leaf { tree.leaf(i) } else { node.next });
        }
    }
    let mixed = || trees.iter().flat_map(Tree::mixed_leaves);
    let mut tensors = Tensors::new();
    let mut insert = |name: &str, values: Values| tensors.insert(name, &[values.len()], values);
    insert("n_classes", Values::U32(vec![forest.n_classes as u32]));
    insert("importances", Values::F64(forest.importances.clone()));
    insert("tree_size", Values::U32(trees.iter().map(|tree| tree.nodes().len() as u32).collect()));
    insert("threshold", Values::F32(threshold));
    insert("feature", Values::U32(feature));
    insert("next", Values::U32(next));
    let tree_mixed_leaves = trees.iter().map(|tree| tree.mixed_leaves().count() as u32);
    insert("tree_mixed_leaves", Values::U32(tree_mixed_leaves.collect()));
    insert("mixed_size", Values::U32(mixed().map(|leaf| leaf.len() as u32).collect()));
    insert("mixed_class", Values::U32(mixed().flatten().map(|(class, _)| *class).collect()));
    insert("mixed_probability", Values::F64(mixed().flatten().map(|(_, p)| *p).collect()));
    tensors
}

/// The forest of these arrays, of a kind that they do not say.
pub(super) fn from_tensors(cuts: Cuts, mut tensors: Tensors) -> Result<Forest> {
    let n_classes = tensors.take_u32("n_classes", &[1])?[0] as usize;
    let n_features = length(&tensors, "importances")?;
    let importances = tensors.take_f64("importances", &[n_features])?;
    if let Some(i) = importances.iter().position(|v| !v.is_finite()) {
        return Err(Error::stored(format!("importance {i} is {}, expected a finite number", importances[i])));
    }
    let n_trees = length(&tensors, "tree_size")?;
    if n_classes == 0 || n_trees == 0 || n_features == 0 {
        return Err(Error::stored(format!(
            "a forest of {n_trees} trees, {n_features} features and {n_classes} classes, expected at least one each"
        )));
    }
    let sizes = tensors.take_u32("tree_size", &[n_trees])?;
    let mixed_leaves = tensors.take_u32("tree_mixed_leaves", &[n_trees])?;
    let mut arrays = Arrays::take(&mut tensors)?;
    tensors.check_empty("a forest")?;
    arrays.check_lengths(&sizes, &mixed_leaves)?;
    let mut trees = Vec::new();
    for (t, (&size, &n_mixed)) in sizes.iter().zip(&mixed_leaves).enumerate() {
        let tree = arrays.next_tree(size as usize, n_mixed as usize, n_classes, n_features);
        trees.push(tree.map_err(|why| Error::stored(format!("tree {t}: {why}")))?);
    }
    Ok(Forest { cuts, n_features, n_classes, trees, importances, oob: None, packed: Packed::default() })
}

fn length(tensors: &Tensors, name: &str) -> Result<usize> {
    match tensors.shape(name)? {
        [n] => Ok(*n),
        shape => Err(Error::stored(format!("tensor `{name}` has shape {shape:?}, expected one axis"))),
    }
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

    fn next_tree(
        &mut self,
        size: usize,
        n_mixed: usize,
        n_classes: usize,
        n_features: usize,
    ) -> std::result::Result<Tree, String> {
        let mut tree = Tree::new(n_classes);
        for i in 0..n_mixed {
            let shares = self.next_shares();
            check_shares(&shares, n_classes).map_err(|why| format!("mixed leaf {i} {why}"))?;
            tree.add_mixed(shares.into_iter());
        }
        let nodes = self.threshold.by_ref().zip(self.feature.by_ref()).zip(self.next.by_ref());
        for (i, ((threshold, feature), next)) in nodes.take(size).enumerate() {
            if i >= tree.nodes().len() {
                return Err(format!("node {i} is not a child of any node"));
            }
            let next = next as usize;
            if feature == LEAF {
                if next >= n_classes + n_mixed {
                    return Err(format!(
                        "leaf {i} is number {next} of {n_classes} classes and {n_mixed} mixed leaves"
                    ));
                }
                tree.refer_leaf(i, next as u32);
            } else {
                check_split(threshold, feature, n_features).map_err(|why| format!("node {i} {why}"))?;
                let left = tree.set_split(i, feature, threshold);
                if next != left {
                    return Err(format!("node {i} has child {next}, expected {left}"));
                }
            }
        }
        if tree.nodes().len() != size {
            return Err(format!("it has {size} nodes, but they refer to {}", tree.nodes().len()));
        }
        Ok(tree)
    }

    fn next_shares(&mut self) -> Vec<(u32, f64)> {
        let n = self.mixed_size.next().unwrap_or(0) as usize;
        self.mixed_class.by_ref().zip(self.mixed_probability.by_ref()).take(n).collect()
    }
}

fn check_split(threshold: f32, feature: u32, n_features: usize) -> std::result::Result<(), String> {
    if feature as usize >= n_features {
        return Err(format!("compares feature {feature}, but there are {n_features}"));
    }
    if !threshold.is_finite() {
        return Err(format!("has the threshold {threshold}, expected a finite number"));
    }
    Ok(())
}

fn check_shares(shares: &[(u32, f64)], n_classes: usize) -> std::result::Result<(), String> {
    let ascending = shares.is_sorted_by(|a, b| a.0 < b.0);
    if !ascending || shares.last().is_none_or(|(class, _)| *class as usize >= n_classes) {
        return Err(format!("does not list ascending classes below {n_classes}"));
    }
    let sum: f64 = shares.iter().map(|(_, p)| p).sum();
    if shares.iter().all(|(_, p)| *p > 0.0) && (sum - 1.0).abs() < 1e-6 {
        Ok(())
    } else {
        Err("has probabilities that are not a distribution".to_owned())
    }
}
