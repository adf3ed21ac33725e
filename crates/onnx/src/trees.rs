//! Trees as operators of `ai.onnx.ml`.
//!
//! Version 3 has `TreeEnsembleClassifier`, which all runtimes have: leaves with several classes, sums in single precision. Leaves weigh their shares, and the sums are
//! divided by the number of trees afterwards, so that leaves of one class add up without rounding. Version 5 has `TreeEnsemble`: numbers in double precision, but one
//! class a leaf. A tree is then written once for each share that a leaf has at most, with the first shares of its leaves, the second ones, and so on; what has no
//! such share is cut off.

use headsmith_heads::graph::{Branch, Tree, Trees};
use tract_onnx::pb::tensor_proto::DataType;

use crate::proto::{f32s, f64s, floats, int, ints, string, strings, tensor, u8s};
use crate::writer::Writer;

/// The domain of the operators.
pub(crate) const DOMAIN: &str = "ai.onnx.ml";

/// The version of the operators of machine learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MlOpset {
    /// 3: all runtimes.
    #[default]
    Three,
    /// 5: runtimes from 2025 on, in double precision.
    Five,
}

impl MlOpset {
    /// The version of this number: `3` or `5`.
    pub fn named(number: &str) -> Option<MlOpset> {
        match number {
            "3" => Some(MlOpset::Three),
            "5" => Some(MlOpset::Five),
            _ => None,
        }
    }

    /// Its number.
    pub fn number(self) -> i64 {
        match self {
            MlOpset::Three => 3,
            MlOpset::Five => 5,
        }
    }
}

/// Writes trees of the rows `x`; returns the name of the mean shares of the classes.
pub(crate) fn write(writer: &mut Writer, x: String, trees: &Trees, opset: MlOpset) -> String {
    let n_trees = trees.trees.len() as f64;
    match opset {
        MlOpset::Three => {
            let outputs = [writer.output(), writer.output()];
            writer.ml_op("TreeEnsembleClassifier", &[x], &outputs, classifier(trees));
            let n = writer.constant(|name| f32s(name, &[1, 1], &[n_trees as f32]));
            let [_, sums] = outputs;
            writer.op("Div", &[sums, n], Vec::new())
        }
        MlOpset::Five => {
            let x = writer.cast(x, DataType::Double);
            let sums = writer.output();
            writer.ml_op("TreeEnsemble", &[x], std::slice::from_ref(&sums), ensemble(trees));
            let n = writer.constant(|name| f64s(name, &[1, 1], &[n_trees]));
            let mean = writer.op("Div", &[sums, n], Vec::new());
            writer.cast(mean, DataType::Float)
        }
    }
}

/// The arrays of nodes of version 3.
#[derive(Default)]
struct Nodes {
    trees: Vec<i64>,
    ids: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<Vec<u8>>,
    values: Vec<f32>,
    yes: Vec<i64>,
    no: Vec<i64>,
}

/// The arrays of leaves of version 3.
#[derive(Default)]
struct Leaves {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    classes: Vec<i64>,
    weights: Vec<f32>,
}

impl Leaves {
    fn push(&mut self, tree: usize, node: usize, class: u32, weight: f64) {
        self.trees.push(tree as i64);
        self.nodes.push(node as i64);
        self.classes.push(i64::from(class));
        self.weights.push(weight as f32);
    }
}

fn classifier(trees: &Trees) -> Vec<tract_onnx::pb::AttributeProto> {
    let (mut nodes, mut leaves) = (Nodes::default(), Leaves::default());
    for (t, tree) in trees.trees.iter().enumerate() {
        for (i, node) in tree.nodes.iter().enumerate() {
            nodes.trees.push(t as i64);
            nodes.ids.push(i as i64);
            let (mode, feature, value, yes, no) = match *node {
                Branch::Split { feature, threshold, left } => {
                    ("BRANCH_LEQ", i64::from(feature), threshold, i64::from(left), i64::from(left) + 1)
                }
                Branch::Leaf { start, end } => {
                    let shares = &tree.shares[start as usize..end as usize];
                    shares.iter().for_each(|&(class, share)| leaves.push(t, i, class, share));
                    // Of two classes, onnxruntime takes a row that reached leaves of one class alone for a score of another meaning.
                    if let ([(class, _)], 2) = (shares, trees.n_classes) {
                        leaves.push(t, i, 1 - class, 0.0);
                    }
                    ("LEAF", 0, 0.0, 0, 0)
                }
            };
            nodes.modes.push(mode.as_bytes().to_vec());
            nodes.features.push(feature);
            nodes.values.push(value);
            nodes.yes.push(yes);
            nodes.no.push(no);
        }
    }
    vec![
        ints("nodes_treeids", nodes.trees),
        ints("nodes_nodeids", nodes.ids),
        ints("nodes_featureids", nodes.features),
        strings("nodes_modes", nodes.modes),
        floats("nodes_values", nodes.values),
        ints("nodes_truenodeids", nodes.yes),
        ints("nodes_falsenodeids", nodes.no),
        ints("class_treeids", leaves.trees),
        ints("class_nodeids", leaves.nodes),
        ints("class_ids", leaves.classes),
        floats("class_weights", leaves.weights),
        ints("classlabels_int64s", (0..trees.n_classes as i64).collect()),
        string("post_transform", "NONE"),
    ]
}

/// The arrays of version 5, where nodes and leaves have numbers of their own.
#[derive(Default)]
struct Ensemble {
    roots: Vec<i64>,
    features: Vec<i64>,
    splits: Vec<f64>,
    yes: Vec<i64>,
    yes_is_leaf: Vec<i64>,
    no: Vec<i64>,
    no_is_leaf: Vec<i64>,
    classes: Vec<i64>,
    weights: Vec<f64>,
}

/// A child of a node: a node or a leaf, with its number.
type Child = (i64, i64);

impl Ensemble {
    /// The tree with share `nth` of its leaves. `is_needed` says of each node whether a leaf under it has so many shares.
    fn add(&mut self, tree: &Tree, nth: usize, is_needed: &[bool]) {
        let root = self.features.len() as i64;
        self.roots.push(root);
        // Nodes with their places here, in the order in which they are added.
        let mut open = vec![(0, None)];
        while let Some((at, parent)) = open.pop() {
            let child = match tree.nodes[at] {
                Branch::Split { feature, threshold, left } if is_needed[at] => {
                    let place = self.node(i64::from(feature), f64::from(threshold));
                    // The left child first: it is next to its parent.
                    open.push((left as usize + 1, Some((place, false))));
                    open.push((left as usize, Some((place, true))));
                    (place as i64, 0)
                }
                node => self.leaf(tree, node, nth),
            };
            self.set(parent, child);
        }
    }

    fn node(&mut self, feature: i64, split: f64) -> usize {
        self.features.push(feature);
        self.splits.push(split);
        for to in [&mut self.yes, &mut self.yes_is_leaf, &mut self.no, &mut self.no_is_leaf] {
            to.push(0);
        }
        self.features.len() - 1
    }

    fn leaf(&mut self, tree: &Tree, node: Branch, nth: usize) -> Child {
        let shares = match node {
            Branch::Leaf { start, end } => &tree.shares[start as usize..end as usize],
            Branch::Split { .. } => &[],
        };
        let (class, share) = shares.get(nth).copied().unwrap_or((0, 0.0));
        self.classes.push(i64::from(class));
        self.weights.push(share);
        (self.classes.len() as i64 - 1, 1)
    }

    fn set(&mut self, parent: Option<(usize, bool)>, (at, is_leaf): Child) {
        match parent {
            Some((parent, true)) => (self.yes[parent], self.yes_is_leaf[parent]) = (at, is_leaf),
            Some((parent, false)) => (self.no[parent], self.no_is_leaf[parent]) = (at, is_leaf),
            // A tree that is one leaf has a node with two such leaves: onnxruntime 1.21 and 1.22 read a leaf with two parents wrongly.
            None if is_leaf == 1 => {
                let node = self.node(0, 0.0);
                let (class, weight) = (self.classes[at as usize], self.weights[at as usize]);
                self.classes.push(class);
                self.weights.push(weight);
                self.set(Some((node, true)), (at, is_leaf));
                self.set(Some((node, false)), (at + 1, is_leaf));
            }
            None => {}
        }
    }
}

/// The most shares of a leaf under each node.
fn most_shares(tree: &Tree) -> Vec<u32> {
    let mut most = vec![0; tree.nodes.len()];
    for (i, node) in tree.nodes.iter().enumerate().rev() {
        most[i] = match *node {
            Branch::Leaf { start, end } => end - start,
            Branch::Split { left, .. } => most[left as usize].max(most[left as usize + 1]),
        };
    }
    most
}

fn ensemble(trees: &Trees) -> Vec<tract_onnx::pb::AttributeProto> {
    let mut all = Ensemble::default();
    for tree in &trees.trees {
        let most = most_shares(tree);
        for nth in 0..most[0].max(1) {
            let is_needed: Vec<bool> = most.iter().map(|most| *most > nth || nth == 0).collect();
            all.add(tree, nth as usize, &is_needed);
        }
    }
    let modes = vec![0; all.features.len()];
    vec![
        int("n_targets", trees.n_classes as i64),
        int("aggregate_function", 1),
        int("post_transform", 0),
        ints("tree_roots", all.roots),
        ints("nodes_featureids", all.features),
        tensor("nodes_splits", f64s("", &[all.splits.len()], &all.splits)),
        tensor("nodes_modes", u8s("", &[modes.len()], &modes)),
        ints("nodes_truenodeids", all.yes),
        ints("nodes_trueleafs", all.yes_is_leaf),
        ints("nodes_falsenodeids", all.no),
        ints("nodes_falseleafs", all.no_is_leaf),
        ints("leaf_targetids", all.classes),
        tensor("leaf_weights", f64s("", &[all.weights.len()], &all.weights)),
    ]
}
