//! Growing one tree, depth first, left before right (scikit-learn: `DepthFirstTreeBuilder`).

use headsmith_kernels::{LaneSequence, Pool, Sequence};

use super::block::Block;
use super::bootstrap::Sample;
use super::columns::{Columns, NodeColumns, Position};
use super::criterion::ClassSums;
use super::drawn;
use super::entry::{Entry, Weighted};
use super::params::Settings;
use super::split::{NodeRows, Split, Splitter, midpoint};
use super::tree::Tree;

/// A tree with impurity and weight of every node, which only its importances need.
#[derive(Debug)]
pub(super) struct Grown {
    pub(super) tree: Tree,
    pub(super) impurity: Vec<f64>,
    pub(super) weight: Vec<f64>,
}

/// The random numbers of a tree.
#[derive(Debug)]
pub(super) struct Draws {
    pub(super) features: Sequence,
    pub(super) thresholds: LaneSequence,
}

/// A node that waits to be split.
struct Pending {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
    n_constant: usize,
}

/// The rows of all nodes: each node has a range of them, in which rows ascend, or are sorted as by [`drawn::sort`].
struct Rows<E> {
    rows: Vec<u32>,
    entries: Vec<E>,
    right: Vec<(u32, E)>,
}

/// Grows a tree on `sample` of samples with classes `y`.
pub(super) fn grow<P: Position>(
    columns: &Columns<'_, P>,
    y: &[u32],
    sample: &Sample,
    (settings, pool): (&Settings, &Pool),
    random: Draws,
) -> Grown {
    let max_count = sample.counts.iter().copied().max().unwrap_or(0);
    if let Some(weights) = &sample.weights {
        let pairs = sample.rows.iter().zip(weights);
        let entries = pairs.map(|(&row, &weight)| Weighted { class: y[row as usize], weight });
        grow_with(columns, entries.collect(), sample, (settings, pool), random)
    } else if u16::fits(sample.class_weights.len() - 1, max_count) {
        grow_with(columns, counted::<u16>(y, sample), sample, (settings, pool), random)
    } else {
        grow_with(columns, counted::<u64>(y, sample), sample, (settings, pool), random)
    }
}

/// The entries of rows that weigh as their classes do, each time they were drawn.
fn counted<E: Entry>(y: &[u32], sample: &Sample) -> Vec<E> {
    let pairs = sample.rows.iter().zip(&sample.counts);
    pairs.map(|(&row, &count)| E::new(y[row as usize], count)).collect()
}

fn grow_with<P: Position, E: Entry>(
    columns: &Columns<'_, P>,
    entries: Vec<E>,
    sample: &Sample,
    (settings, pool): (&Settings, &Pool),
    mut random: Draws,
) -> Grown {
    let mut rows = Rows::new(sample.rows.clone(), entries);
    if columns.table().is_some() {
        drawn::sort(&mut rows.rows, &mut rows.entries);
    }
    let max_count = sample.counts.iter().copied().max().unwrap_or(0);
    let n_classes = sample.class_weights.len();
    let mut splitter = Splitter::new(columns, n_classes, max_count, random.thresholds);
    let mut sums = ClassSums::new(&sample.class_weights);
    let mut grown = Grown { tree: Tree::new(n_classes), impurity: vec![0.0], weight: vec![0.0] };
    let mut pending = vec![Pending { node: 0, start: 0, end: rows.rows.len(), depth: 0, n_constant: 0 }];
    let mut block = Block::new(columns);
    while let Some(mut at) = pending.pop() {
        pool.check_stop();
        splitter.sum_up(&rows.entries[at.start..at.end], &mut sums);
        let impurity = sums.impurity(settings.criterion);
        grown.impurity[at.node] = impurity;
        grown.weight[at.node] = sums.total();
        if is_leaf(&at, impurity, settings) {
            grown.tree.set_leaf(at.node, sums.shares());
            continue;
        }
        let columns = block.columns(columns, &mut rows.rows[at.start..at.end], at.end);
        let node = rows.range(at.start, at.end);
        let split =
            splitter.best_split(columns, node, &mut sums, settings, &mut at.n_constant, &mut random.features);
        let Some(split) = split.filter(|split| {
            let share = grown.weight[at.node] / grown.weight[0];
            settings.min_impurity_decrease <= 0.0
                || share * (impurity - children_impurity(columns, node, split, sample, settings))
                    + f64::EPSILON
                    >= settings.min_impurity_decrease
        }) else {
            grown.tree.set_leaf(at.node, sums.shares());
            continue;
        };
        let (range, cut) = ((at.start, at.end), split.cut);
        let threshold = match (columns.table(), cut.threshold) {
            (Some(table), Some(threshold)) => {
                rows.partition(range, table.up_to(split.feature, threshold), |_| ());
                threshold
            }
            _ => {
                let column = columns.column(split.feature);
                let place = |row: u32| column.places[row as usize].index();
                let mut ends = [rows.rows[at.start]; 2];
                rows.partition(
                    range,
                    |row| place(row) <= cut.last_left,
                    |row| {
                        let place = place(row);
                        ends[0] = if place == cut.last_left { row } else { ends[0] };
                        ends[1] = if place == cut.first_right { row } else { ends[1] };
                    },
                );
                midpoint(column.value(ends[0]), column.value(ends[1]))
            }
        };
        let left = grown.tree.set_split(at.node, split.feature, threshold);
        grown.impurity.resize(left + 2, 0.0);
        grown.weight.resize(left + 2, 0.0);
        let (middle, depth) = (at.start + split.cut.n_left, at.depth + 1);
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
fn children_impurity<P: Position, E: Entry>(
    columns: NodeColumns<'_, P>,
    node: NodeRows<'_, E>,
    split: &Split,
    sample: &Sample,
    settings: &Settings,
) -> f64 {
    let is_left = |row: u32| match (columns.table(), split.cut.threshold) {
        (Some(table), Some(threshold)) => table.up_to(split.feature, threshold)(row),
        _ => columns.column(split.feature).places[row as usize].index() <= split.cut.last_left,
    };
    let side = |left: bool| {
        let pairs = node.rows.iter().zip(node.entries);
        let here = pairs.filter(|(row, _)| is_left(**row) == left);
        let entries: Vec<E> = here.map(|(_, &entry)| entry).collect();
        let mut sums = ClassSums::new(&sample.class_weights);
        sums.set(&entries);
        (sums.total(), sums.impurity(settings.criterion))
    };
    let ((left, left_impurity), (right, right_impurity)) = (side(true), side(false));
    (left * left_impurity + right * right_impurity) / (left + right)
}

impl<E: Entry> Rows<E> {
    fn new(rows: Vec<u32>, entries: Vec<E>) -> Rows<E> {
        let right = vec![(0, E::default()); rows.len()];
        Rows { rows, entries, right }
    }

    fn range(&self, start: usize, end: usize) -> NodeRows<'_, E> {
        NodeRows { rows: &self.rows[start..end], entries: &self.entries[start..end] }
    }

    /// Moves rows that go left before those that do not; both keep their order, so that gathering from a column
    /// walks through memory in one direction. `visit` sees all rows.
    #[inline(always)]
    fn partition(
        &mut self,
        (start, end): (usize, usize),
        is_left: impl Fn(u32) -> bool,
        mut visit: impl FnMut(u32),
    ) {
        let (rows, entries) = (&mut self.rows[start..end], &mut self.entries[start..end]);
        let right = &mut self.right[..rows.len()];
        let (mut n_left, mut n_right) = (0, 0);
        for i in 0..rows.len() {
            let (row, entry) = (rows[i], entries[i]);
            visit(row);
            // Written to both sides: on the one that is not meant, the next row overwrites it.
            let left = is_left(row);
            rows[n_left] = row;
            entries[n_left] = entry;
            right[n_right] = (row, entry);
            n_left += usize::from(left);
            n_right += usize::from(!left);
        }
        let kept = rows[n_left..].iter_mut().zip(&mut entries[n_left..]);
        for ((row, entry), kept) in kept.zip(&self.right) {
            (*row, *entry) = *kept;
        }
    }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{MatRef, Philox, Pool};
    use serde::Deserialize;

    use super::super::block::most_rows;
    use super::super::bootstrap::Classes;
    use super::super::importances;
    use super::super::params::{EXTRA_TABLE, TABLE};
    use super::*;
    use crate::params::{Params, Value};
    use crate::samples::Samples;

    #[derive(Deserialize)]
    struct Recorded {
        cases: Vec<Case>,
    }

    /// A tree of scikit-learn, nodes in breadth-first order.
    #[derive(Deserialize)]
    struct Case {
        name: String,
        params: serde_json::Map<String, serde_json::Value>,
        n_features: usize,
        n_classes: usize,
        x: Vec<f32>,
        y: Vec<u32>,
        /// Of the rows; none where all weigh the same.
        #[serde(default)]
        weights: Vec<f32>,
        feature: Vec<i64>,
        threshold: Vec<f64>,
        impurity: Vec<f64>,
        weight: Vec<f64>,
        value: Vec<Vec<f64>>,
        importances: Vec<f64>,
    }

    fn grow_case<P: Position>(case: &Case, seed: u64) -> Grown {
        let given: Vec<(&str, Value)> = case
            .params
            .iter()
            .map(|(name, value)| (name.as_str(), serde_json::from_value(value.clone()).unwrap()))
            .chain([("bootstrap", Value::Bool(false)), ("max_features", Value::Text("all".to_owned()))])
            .collect();
        let x = MatRef::new(&case.x, case.y.len(), case.n_features);
        let params = TABLE.resolve(given).unwrap();
        let settings = Settings::new(&params, x.n_rows(), x.n_cols()).unwrap();
        let mut random = Philox::new(seed, 0, 0).sequence(0, 0);
        let mut samples = Samples::new(x, &case.y, case.n_classes).unwrap();
        if !case.weights.is_empty() {
            samples = samples.weighted(&case.weights).unwrap();
        }
        let sample = Classes::new(samples, &params, &settings).unwrap().sample(&settings, &mut random);
        grow(
            &Columns::<P>::new(
                x,
                most_rows::<P>(x.n_rows(), x.n_cols(), settings.max_features),
                &Pool::inline(),
            ),
            &case.y,
            &sample,
            (&settings, &Pool::inline()),
            Draws { features: random, thresholds: Philox::new(seed, 0, 0).lane_sequence(0, 1) },
        )
    }

    fn close(ours: f64, theirs: f64) -> bool {
        (ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0)
    }

    fn compare(case: &Case, grown: &Grown) {
        let name = &case.name;
        let mut order = vec![0];
        let mut i = 0;
        while i < order.len() {
            let at = order[i];
            assert_eq!(grown.tree.is_leaf(at), case.feature[i] < 0, "{name}: node {i}");
            assert!(close(grown.impurity[at], case.impurity[i]), "{name}: impurity of node {i}");
            assert!(close(grown.weight[at], case.weight[i]), "{name}: weight of node {i}");
            if grown.tree.is_leaf(at) {
                let mut sums = vec![0.0; case.n_classes];
                grown.tree.add_leaf(grown.tree.leaf(at), &mut sums);
                let equal = sums.iter().zip(&case.value[i]).all(|(&ours, &theirs)| close(ours, theirs));
                assert!(equal, "{name}: leaf {i}: {sums:?}, expected {:?}", case.value[i]);
            } else {
                let node = grown.tree.nodes()[at];
                assert_eq!(i64::from(node.feature), case.feature[i], "{name}: feature of node {i}");
                // The greatest number in single precision that is not above theirs in double precision.
                let (ours, theirs) = (node.threshold, case.threshold[i]);
                assert!(
                    f64::from(ours) <= theirs && theirs < f64::from(ours.next_up()),
                    "{name}: threshold of {i}"
                );
                order.extend([node.next as usize, node.next as usize + 1]);
            }
            i += 1;
        }
        assert_eq!(order.len(), case.feature.len(), "{name}");
        let ours = importances::of_tree(grown, case.n_features).unwrap_or(vec![0.0; case.n_features]);
        assert!(
            ours.iter().zip(&case.importances).all(|(&a, &b)| close(a, b)),
            "{name}: importances {ours:?}"
        );
    }

    #[test]
    fn trees_are_those_of_scikit_learn() {
        let recorded: Recorded =
            serde_json::from_str(include_str!("../../tests/data/forest_trees.json")).unwrap();
        assert_eq!(recorded.cases.len(), 20);
        for case in &recorded.cases {
            for seed in 0..3 {
                compare(case, &grow_case::<u16>(case, seed));
                compare(case, &grow_case::<u32>(case, seed));
            }
        }
    }

    /// Grows a tree on a bootstrap sample of 300 rows from entries of 16 and of 64 bits, and from the counts as weights of
    /// rows, whose cuts are looked at in another way.
    fn assert_the_same_tree<'x, P: Position>(
        (x, y, n_classes): (MatRef<'x>, &[u32], usize),
        params: &Params,
        columns: impl Fn(MatRef<'x>, usize, &Pool) -> Columns<'x, P>,
    ) {
        let settings = Settings::new(params, 300, x.n_cols()).unwrap();
        let samples = Samples::new(x, y, n_classes).unwrap();
        let classes = Classes::new(samples, params, &settings).unwrap();
        let sample = classes.sample(&settings, &mut Philox::new(1, 0, 0).sequence(0, 0));
        let columns = columns(x, most_rows::<P>(300, x.n_cols(), settings.max_features), &Pool::inline());
        let random = || {
            let random = Philox::new(2, 0, 0);
            Draws { features: random.sequence(0, 0), thresholds: random.lane_sequence(0, 1) }
        };
        let narrow =
            grow_with(&columns, counted::<u16>(y, &sample), &sample, (&settings, &Pool::inline()), random());
        let wide =
            grow_with(&columns, counted::<u64>(y, &sample), &sample, (&settings, &Pool::inline()), random());
        assert_eq!(narrow.tree, wide.tree);
        let weights = Some(sample.counts.iter().map(|&count| f64::from(count)).collect());
        let weighted = Sample { weights, ..sample.clone() };
        let weighted = grow(&columns, y, &weighted, (&settings, &Pool::inline()), random());
        assert_eq!((&weighted.tree, weighted.impurity), (&narrow.tree, narrow.impurity));
        assert!(narrow.tree.nodes().len() > 100);
    }

    #[test]
    fn wide_entries_grow_the_same_tree() {
        let y: Vec<u32> = (0..300).map(|i| i * i % 7 % 4).collect();
        let x: Vec<f32> = (0..900u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
        assert_the_same_tree((MatRef::new(&x, 300, 3), &y, 4), &TABLE.defaults(), Columns::<u16>::new);
    }

    /// Classes are counted in one code a row, in two, or one by one; large nodes of many features are looked at in columns, others row by row.
    #[test]
    fn drawn_cuts_grow_the_same_tree_from_entries_of_any_kind() {
        let x: Vec<f32> = (0..300 * 2500u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
        let params = EXTRA_TABLE.resolve([("bootstrap", Value::Bool(true))]).unwrap();
        for n_classes in [2, 4, 7, 12] {
            let y: Vec<u32> = (0..300).map(|i| i * i % 97 % n_classes as u32).collect();
            for n_features in [3, 2500] {
                let x = MatRef::new(&x[..300 * n_features], 300, n_features);
                assert_the_same_tree((x, &y, n_classes), &params, |x, _, pool| {
                    Columns::unsorted(x, None, pool)
                });
            }
        }
    }
}
