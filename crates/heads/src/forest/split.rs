//! The best split of a node over randomly drawn features (scikit-learn: `node_split_best`).
//!
//! Features are drawn without replacement until `max_features` have been looked at and at least one of them was
//! not constant in the node. Features found constant in a node are constant in all nodes below it: they stay in
//! front of `features`, are still drawn, but not looked at again.

use headsmith_kernels::philox::Sequence;

use super::columns::{Column, Columns, Position};
use super::criterion::{ClassSums, Criterion, EntropyScan, GiniScan, Scan};
use super::entry::Entry;
use super::order::Sorter;
use super::params::Settings;

/// The rows of a node, and the entry of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeRows<'a, E> {
    pub(super) rows: &'a [u32],
    pub(super) entries: &'a [E],
}

/// How a node is split.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: u32,
    /// Rows whose value is not above it go left.
    pub(super) threshold: f32,
    pub(super) cut: Cut,
}

/// A cut of the rows of a node in the order of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    gain: f64,
    /// The place in the sorted column of the last row on the left.
    pub(super) last_left: usize,
    first_right: usize,
    pub(super) n_left: usize,
}

/// Draws features and finds their best split; one a tree.
#[derive(Debug)]
pub(super) struct Splitter<E> {
    features: Vec<u32>,
    /// What stands in front of `features`, in the order in which ancestors found it constant.
    constant: Vec<u32>,
    sorter: Sorter<E>,
}

impl<E: Entry> Splitter<E> {
    pub(super) fn new(n_samples: usize, n_features: usize) -> Splitter<E> {
        Splitter {
            features: (0..n_features as u32).collect(),
            constant: vec![0; n_features],
            sorter: Sorter::new(n_samples),
        }
    }

    /// The best split of `node`, whose classes are summed up in `sums`; `None` when every feature is constant or no
    /// cut leaves enough rows on both sides. `n_constant` is the number of features known to be constant, before
    /// and after.
    pub(super) fn best_split<P: Position>(
        &mut self,
        columns: &Columns<'_, P>,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        settings: &Settings,
        n_constant: &mut usize,
        random: &mut Sequence,
    ) -> Option<Split> {
        match settings.criterion {
            Criterion::Gini => self.search::<P, GiniScan>(columns, node, sums, settings, n_constant, random),
            Criterion::Entropy => {
                self.search::<P, EntropyScan>(columns, node, sums, settings, n_constant, random)
            }
        }
    }

    fn search<P: Position, S: Scan>(
        &mut self,
        columns: &Columns<'_, P>,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        settings: &Settings,
        n_constant: &mut usize,
        random: &mut Sequence,
    ) -> Option<Split> {
        let mut best = None;
        let mut gain = f64::NEG_INFINITY;
        let perfect = S::perfect_gain(sums);
        let n_known = *n_constant;
        let (mut n_drawn_constant, mut n_found, mut n_visited) = (0, 0, 0);
        let mut undrawn = self.features.len();
        // `features` is cut into: constants drawn | known constants | constants found here | undrawn | drawn.
        while undrawn > n_known + n_found
            && (n_visited < settings.max_features || n_visited <= n_found + n_drawn_constant)
            && gain < perfect
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
            let cut = match self.best_cut::<P, S>(columns.column(feature), node, sums, settings, gain) {
                Found::Constant => {
                    self.features.swap(drawn, n_known + n_found);
                    n_found += 1;
                    continue;
                }
                Found::Nothing => None,
                Found::Cut(cut) => Some(cut),
            };
            undrawn -= 1;
            self.features.swap(undrawn, drawn);
            if let Some(cut) = cut {
                gain = cut.gain;
                best = Some((feature, cut));
            }
        }
        // Siblings and descendants rely on the order of the constants.
        self.features[..n_known].copy_from_slice(&self.constant[..n_known]);
        self.constant[n_known..n_known + n_found].copy_from_slice(&self.features[n_known..n_known + n_found]);
        *n_constant = n_known + n_found;
        best.map(|(feature, cut)| {
            let column = columns.column(feature);
            let value = |place| column.value_at(place, node.rows);
            Split { feature, threshold: midpoint(value(cut.last_left), value(cut.first_right)), cut }
        })
    }

    /// The best cut by a feature with a gain above `floor`.
    #[inline(always)]
    fn best_cut<P: Position, S: Scan>(
        &mut self,
        column: Column<'_, P>,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        settings: &Settings,
        floor: f64,
    ) -> Found {
        let (n, min_leaf) = (node.rows.len(), settings.min_samples_leaf);
        let sorted = self.sorter.sort(column.places, node.rows, node.entries);
        let (first, last) = sorted.ends();
        if !column.differ(first, last, node.rows) {
            sorted.clear();
            return Found::Constant;
        }
        let mut best = Cut { gain: floor, last_left: 0, first_right: 0, n_left: 0 };
        let mut scan = S::new(sums);
        let (mut n_left, mut last_left) = (0, first);
        sorted.visit(|place, entry| {
            if scan.is_promising(best.gain) && n_left >= min_leaf && n - n_left >= min_leaf {
                let gain = scan.gain(sums);
                if gain > best.gain && column.differ(last_left, place, node.rows) {
                    best = Cut { gain, last_left, first_right: place, n_left };
                }
            }
            scan.push(sums, entry);
            n_left += 1;
            last_left = place;
        });
        if best.n_left > 0 { Found::Cut(best) } else { Found::Nothing }
    }
}

/// What there is of a feature in a node.
enum Found {
    /// Its values do not differ.
    Constant,
    /// No cut is better than what was found before.
    Nothing,
    Cut(Cut),
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
