//! The trees of a file in parts, for the check: `tract` looks for the weights of a tree's leaf from the first one of its operator on, so that an operator of many
//! trees takes quadratic time.

use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto};

use crate::proto::node;

/// Weights of leaves in a part, unless there would be too many parts.
const WEIGHTS: usize = 512;
/// The most parts of an operator: each takes time to load.
const MOST_PARTS: usize = 256;

/// Makes every operator of trees a sum of operators of some trees each; returns the steps that a row takes in them, about.
pub(super) fn divide(file: &mut ModelProto) -> u64 {
    let mut n_steps = 0;
    if let Some(graph) = &mut file.graph {
        let nodes = std::mem::take(&mut graph.node);
        graph.node = nodes.into_iter().flat_map(|node| divided(node, &mut n_steps)).collect();
    }
    n_steps
}

fn divided(whole: NodeProto, n_steps: &mut u64) -> Vec<NodeProto> {
    let trees = ints(&whole, "class_treeids");
    if whole.op_type != "TreeEnsembleClassifier" || trees.is_empty() {
        return vec![whole];
    }
    let size = WEIGHTS.max(trees.len().div_ceil(MOST_PARTS));
    let (mut parts, mut sums, mut start) = (Vec::new(), Vec::new(), 0);
    while start < trees.len() {
        let (first, last) = (trees[start], trees[(start + size).min(trees.len()) - 1]);
        let end = trees.partition_point(|tree| *tree <= last);
        let name = format!("{}_{}", whole.name, parts.len());
        sums.push(format!("{name}_sums"));
        let outputs = [format!("{name}_labels"), format!("{name}_sums")];
        let attributes = whole.attribute.iter().map(|all| part_of(&whole, all, first..=last)).collect();
        let part = node(&whole.op_type, &whole.input, &outputs, attributes);
        parts.push(NodeProto { domain: whole.domain.clone(), ..part });
        *n_steps += (last - first + 1).unsigned_abs() * (end - start) as u64 / 2;
        start = end;
    }
    parts.push(node("Sum", &sums, &whole.output[1..], Vec::new()));
    parts
}

/// The part of an attribute that is about these trees; all of one that is about the classes.
fn part_of(
    whole: &NodeProto,
    attribute: &AttributeProto,
    trees: std::ops::RangeInclusive<i64>,
) -> AttributeProto {
    let of = match attribute.name.split_once('_') {
        Some(("nodes", _)) => ints(whole, "nodes_treeids"),
        Some(("class", _)) => ints(whole, "class_treeids"),
        _ => return attribute.clone(),
    };
    // The trees are in order.
    let start = of.partition_point(|tree| tree < trees.start());
    let end = of.partition_point(|tree| tree <= trees.end());
    let mut part = AttributeProto {
        ints: slice(&attribute.ints, start, end),
        floats: slice(&attribute.floats, start, end),
        strings: slice(&attribute.strings, start, end),
        ..attribute.clone()
    };
    if attribute.name.ends_with("_treeids") {
        part.ints.iter_mut().for_each(|tree| *tree -= trees.start());
    }
    part
}

fn slice<T: Clone>(values: &[T], start: usize, end: usize) -> Vec<T> {
    values.get(start..end).unwrap_or_default().to_vec()
}

fn ints<'n>(node: &'n NodeProto, name: &str) -> &'n [i64] {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(&[], |attribute| &attribute.ints)
}
