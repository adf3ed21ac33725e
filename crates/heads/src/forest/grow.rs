//! Growing one tree, depth first, left before right (scikit-learn: `DepthFirstTreeBuilder`).

use headsmith_kernels::philox::Sequence;

use super::bootstrap::Sample;
use super::columns::Position;
use super::criterion::ClassSums;
use super::params::Settings;
use super::split::{Columns, NodeRows, Split, Splitter};
use super::tree::Tree;

/// A tree with what is only needed until its importances are known: impurity and weight of every node.
#[derive(Debug)]
pub(super) struct Grown {
    pub(super) tree: Tree,
    pub(super) impurity: Vec<f64>,
    pub(super) weight: Vec<f64>,
}

/// A node that waits to be split.
struct Pending {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
    n_constant: usize,
}

/// The rows of all nodes: each node has a range of them, in which rows ascend.
struct Rows {
    rows: Vec<u32>,
    classes: Vec<u32>,
    weights: Vec<f64>,
    right: Vec<(u32, u32, f64)>,
}

/// Grows a tree on `sample`.
pub(super) fn grow<P: Position>(
    columns: &Columns<'_, P>,
    y: &[u32],
    n_classes: usize,
    sample: Sample,
    settings: &Settings,
    random: &mut Sequence,
) -> Grown {
    let mut rows = Rows::new(y, sample);
    let mut splitter = Splitter::new(columns.x.n_rows(), columns.x.n_cols());
    let mut sums = ClassSums::new(n_classes);
    let mut grown = Grown { tree: Tree::new(n_classes), impurity: vec![0.0], weight: vec![0.0] };
    let total: f64 = rows.weights.iter().sum();
    let mut pending = vec![Pending { node: 0, start: 0, end: rows.rows.len(), depth: 0, n_constant: 0 }];
    while let Some(mut at) = pending.pop() {
        let node = rows.range(at.start, at.end);
        sums.set(node.classes, node.weights);
        let impurity = sums.impurity(settings.criterion);
        grown.impurity[at.node] = impurity;
        grown.weight[at.node] = sums.total();
        let split = if is_leaf(&at, impurity, settings) {
            None
        } else {
            splitter.best_split(columns, node, &mut sums, settings, &mut at.n_constant, random)
        };
        let split = split.filter(|split| {
            settings.min_impurity_decrease <= 0.0
                || sums.total() / total * (impurity - children_impurity(columns, node, split, n_classes, settings))
                    + f64::EPSILON
                    >= settings.min_impurity_decrease
        });
        let Some(split) = split else {
            grown.tree.set_leaf(at.node, &sums.shares());
            continue;
        };
        rows.partition(at.start, at.end, columns.goes_left(&split));
        let left = grown.tree.set_split(at.node, split.feature, split.threshold);
        grown.impurity.resize(left + 2, 0.0);
        grown.weight.resize(left + 2, 0.0);
        let (middle, depth) = (at.start + split.n_left, at.depth + 1);
        pending.push(Pending { node: left + 1, start: middle, depth, ..at });
        pending.push(Pending { node: left, end: middle, depth, ..at });
    }
    grown
}

fn is_leaf(at: &Pending, impurity: f64, settings: &Settings) -> bool {
    let n = at.end - at.start;
    at.depth >= settings.max_depth
        || n < settings.min_samples_split
        || n < settings.min_samples_leaf.saturating_mul(2)
        || impurity <= f64::EPSILON
}

/// The mean impurity of the two sides, by weight.
fn children_impurity<P: Position>(
    columns: &Columns<'_, P>,
    node: NodeRows<'_>,
    split: &Split,
    n_classes: usize,
    settings: &Settings,
) -> f64 {
    let goes_left = columns.goes_left(split);
    let side = |left: bool| {
        let here = |row: &u32| goes_left(*row) == left;
        let rows = || (0..node.rows.len()).filter(|&i| here(&node.rows[i]));
        let classes: Vec<u32> = rows().map(|i| node.classes[i]).collect();
        let weights: Vec<f64> = rows().map(|i| node.weights[i]).collect();
        let mut sums = ClassSums::new(n_classes);
        sums.set(&classes, &weights);
        (sums.total(), sums.impurity(settings.criterion))
    };
    let ((left, left_impurity), (right, right_impurity)) = (side(true), side(false));
    (left * left_impurity + right * right_impurity) / (left + right)
}

impl Rows {
    fn new(y: &[u32], sample: Sample) -> Rows {
        let classes: Vec<u32> = sample.rows.iter().map(|&row| y[row as usize]).collect();
        let right = vec![(0, 0, 0.0); classes.len()];
        Rows { rows: sample.rows, classes, weights: sample.weights, right }
    }

    fn range(&self, start: usize, end: usize) -> NodeRows<'_> {
        NodeRows {
            rows: &self.rows[start..end],
            classes: &self.classes[start..end],
            weights: &self.weights[start..end],
        }
    }

    /// Moves rows that go left before those that do not; both keep their order, so that gathering from a column
    /// walks through memory in one direction.
    fn partition(&mut self, start: usize, end: usize, goes_left: impl Fn(u32) -> bool) {
        let (mut n_left, mut n_right) = (start, 0);
        for i in start..end {
            let (row, class, weight) = (self.rows[i], self.classes[i], self.weights[i]);
            // Written to both sides: the one that is not meant is overwritten by the next row.
            let left = goes_left(row);
            self.rows[n_left] = row;
            self.classes[n_left] = class;
            self.weights[n_left] = weight;
            self.right[n_right] = (row, class, weight);
            n_left += usize::from(left);
            n_right += usize::from(!left);
        }
        for (i, &(row, class, weight)) in (n_left..end).zip(&self.right[..n_right]) {
            self.rows[i] = row;
            self.classes[i] = class;
            self.weights[i] = weight;
        }
    }
}
