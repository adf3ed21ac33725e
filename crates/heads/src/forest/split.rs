//! The best split of a node over randomly drawn features (scikit-learn: `node_split_best`).
//!
//! Features are drawn without replacement until `max_features` have been looked at and at least one of them was
//! not constant in the node. Features found constant in a node are constant in all nodes below it: they stay in
//! front of `features`, are still drawn, but not looked at again.

use headsmith_kernels::MatRef;
use headsmith_kernels::philox::Sequence;

use super::columns::Position;
use super::criterion::{ClassSums, Sorted};
use super::order::Sorter;
use super::params::Settings;

/// Values that differ by no more count as equal (scikit-learn: `FEATURE_THRESHOLD`).
const SAME_VALUE: f32 = 1e-7;

/// The columns of all samples: values, and places ([`super::columns`]).
#[derive(Debug)]
pub(super) struct Columns<'a, P> {
    pub(super) x: MatRef<'a>,
    pub(super) positions: &'a [P],
}

/// The rows of a node, with the class and the weight of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeRows<'a> {
    pub(super) rows: &'a [u32],
    pub(super) classes: &'a [u32],
    pub(super) weights: &'a [f64],
}

/// How a node is split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: u32,
    /// Rows whose value is not above it go left.
    pub(super) threshold: f32,
    /// The place in the sorted column of the last row that goes left.
    pub(super) last_left: usize,
    pub(super) n_left: usize,
    gain: f64,
}

/// Draws features and finds their best split; one a tree.
#[derive(Debug)]
pub(super) struct Splitter<P> {
    features: Vec<u32>,
    /// What stands in front of `features`, in the order in which ancestors found it constant.
    constant: Vec<u32>,
    sorter: Sorter<P>,
    order: Vec<P>,
}

impl<P: Position> Columns<'_, P> {
    fn column(&self, feature: u32) -> &[P] {
        let n = self.x.n_rows();
        &self.positions[feature as usize * n..][..n]
    }

    fn value(&self, row: u32, feature: u32) -> f32 {
        self.x.row(row as usize)[feature as usize]
    }

    /// Whether `row` goes left of `split`.
    pub(super) fn goes_left(&self, split: &Split) -> impl Fn(u32) -> bool {
        let column = self.column(split.feature);
        let last_left = split.last_left;
        move |row| column[row as usize].index() <= last_left
    }
}

impl<P: Position> Splitter<P> {
    pub(super) fn new(n_samples: usize, n_features: usize) -> Splitter<P> {
        Splitter {
            features: (0..n_features as u32).collect(),
            constant: vec![0; n_features],
            sorter: Sorter::new(n_samples),
            order: vec![P::default(); n_samples],
        }
    }

    /// The best split of `node`, whose classes are summed up in `sums`; `None` when every feature is constant or no
    /// cut leaves enough rows on both sides. `n_constant` is the number of features known to be constant, before
    /// and after.
    pub(super) fn best_split(
        &mut self,
        columns: &Columns<'_, P>,
        node: NodeRows<'_>,
        sums: &mut ClassSums,
        settings: &Settings,
        n_constant: &mut usize,
        random: &mut Sequence,
    ) -> Option<Split> {
        let mut best = None;
        let perfect = sums.perfect_gain(settings.criterion);
        let perfect = perfect - 1e-14 * sums.total();
        let n_known = *n_constant;
        let (mut n_drawn_constant, mut n_found) = (0, 0);
        let mut undrawn = self.features.len();
        let mut n_visited = 0;
        // `features` is cut into: constants drawn | known constants | constants found here | undrawn | drawn.
        while undrawn > n_known + n_found
            && (n_visited < settings.max_features || n_visited <= n_found + n_drawn_constant)
        {
            n_visited += 1;
            let range = undrawn - n_found - n_drawn_constant;
            let drawn = n_drawn_constant + random.below(range as u32) as usize;
            if drawn < n_known {
                self.features.swap(n_drawn_constant, drawn);
                n_drawn_constant += 1;
                continue;
            }
            let drawn = drawn + n_found;
            let feature = self.features[drawn];
            if self.sort(columns, node.rows, feature) {
                self.features.swap(drawn, n_known + n_found);
                n_found += 1;
                continue;
            }
            undrawn -= 1;
            self.features.swap(undrawn, drawn);
            self.improve(columns, node, sums, settings, feature, &mut best);
            // No later feature can do better than leave one class on each side, and nothing grows below that.
            if best.is_some_and(|split: Split| split.gain >= perfect) {
                break;
            }
        }
        // Siblings and descendants rely on the order of the constants.
        self.features[..n_known].copy_from_slice(&self.constant[..n_known]);
        self.constant[n_known..n_known + n_found].copy_from_slice(&self.features[n_known..n_known + n_found]);
        *n_constant = n_known + n_found;
        best
    }

    /// Sorts the rows by `feature`; whether it is constant.
    fn sort(&mut self, columns: &Columns<'_, P>, rows: &[u32], feature: u32) -> bool {
        let n = rows.len();
        self.sorter.sort(columns.column(feature), rows, &mut self.order[..n]);
        let value = |k: usize| columns.value(rows[self.order[k].index()], feature);
        value(n - 1) <= value(0) + SAME_VALUE
    }

    /// Puts the best split by `feature`, by which the rows are sorted, in the place of `best` if it is better.
    fn improve(
        &mut self,
        columns: &Columns<'_, P>,
        node: NodeRows<'_>,
        sums: &mut ClassSums,
        settings: &Settings,
        feature: u32,
        best: &mut Option<Split>,
    ) {
        let order = &self.order[..node.rows.len()];
        let row = |k: usize| node.rows[order[k].index()];
        let value = |k: usize| columns.value(row(k), feature);
        let floor = best.map_or(f64::NEG_INFINITY, |split| split.gain);
        let sorted = Sorted { order, classes: node.classes, weights: node.weights };
        let is_cut = |n_left: usize| value(n_left) > value(n_left - 1) + SAME_VALUE;
        if let Some(cut) =
            sums.best_cut(settings.criterion, sorted, settings.min_samples_leaf, floor, is_cut)
        {
            *best = Some(Split {
                feature,
                threshold: midpoint(value(cut.n_left - 1), value(cut.n_left)),
                last_left: columns.column(feature)[row(cut.n_left - 1) as usize].index(),
                n_left: cut.n_left,
                gain: cut.gain,
            });
        }
    }
}

/// The greatest `f32` that is not above the middle between `low < high`, which is at least `low` and below `high`.
///
/// scikit-learn compares with the middle itself, in double precision; for values in single precision that is the
/// same comparison.
fn midpoint(low: f32, high: f32) -> f32 {
    let middle = f64::from(low) / 2.0 + f64::from(high) / 2.0;
    let rounded = middle as f32;
    if f64::from(rounded) > middle { rounded.next_down() } else { rounded }
}
