//! The best split of a node over randomly drawn features (scikit-learn: `node_split_best`).
//!
//! Features are drawn without replacement until `max_features` have been looked at and at least one of them was
//! not constant in the node. Features found constant in a node are constant in all nodes below it: they stay in
//! front of `features`, are still drawn, but not looked at again.

use headsmith_kernels::philox::Sequence;

use super::buckets::Buckets;
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
    /// The quantity at the head of [`super::criterion`]: the greater, the better.
    pub(super) gain: f64,
    /// The place in the sorted column of the last row on the left.
    pub(super) last_left: usize,
    /// The place of the first row on the right.
    pub(super) first_right: usize,
    pub(super) n_left: usize,
}

/// What there is of a feature in a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found {
    /// Its values do not differ.
    Constant,
    /// No cut is better than what was found before.
    Nothing,
    Cut(Cut),
}

impl Cut {
    /// No cut yet: one will have to have more than this gain.
    pub(super) fn none(gain: f64) -> Cut {
        Cut { gain, last_left: 0, first_right: 0, n_left: 0 }
    }
}

impl From<Cut> for Found {
    fn from(cut: Cut) -> Found {
        if cut.n_left > 0 { Found::Cut(cut) } else { Found::Nothing }
    }
}

/// Draws features and finds their best split; one a tree.
#[derive(Debug)]
pub(super) struct Splitter<E> {
    features: Vec<u32>,
    /// What stands in front of `features`, in the order in which ancestors found it constant.
    constant: Vec<u32>,
    sorter: Sorter<E>,
    buckets: Buckets<E>,
}

impl<E: Entry> Splitter<E> {
    pub(super) fn new(n_samples: usize, n_features: usize) -> Splitter<E> {
        Splitter {
            features: (0..n_features as u32).collect(),
            constant: vec![0; n_features],
            sorter: Sorter::new(n_samples),
            buckets: Buckets::new(n_samples),
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
            let (column, min_leaf) = (columns.column(feature), settings.min_samples_leaf);
            let found = if settings.criterion == Criterion::Gini
                && self.buckets.suit(node.rows.len(), sums.n_classes())
            {
                self.buckets.best_cut(column, node, sums, min_leaf, gain)
            } else {
                best_cut::<P, E, S>(&mut self.sorter, column, node, sums, min_leaf, gain)
            };
            if found == Found::Constant {
                self.features.swap(drawn, n_known + n_found);
                n_found += 1;
                continue;
            }
            undrawn -= 1;
            self.features.swap(undrawn, drawn);
            if let Found::Cut(cut) = found {
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
}

/// The best cut by the feature of `column` with a gain above `floor`: all cuts are looked at in their order.
#[inline(always)]
fn best_cut<P: Position, E: Entry, S: Scan>(
    sorter: &mut Sorter<E>,
    column: Column<'_, P>,
    node: NodeRows<'_, E>,
    sums: &mut ClassSums,
    min_leaf: usize,
    floor: f64,
) -> Found {
    let n = node.rows.len();
    let sorted = sorter.sort(column.places, node.rows, node.entries);
    let (first, last) = sorted.ends();
    if !column.differ(first, last, node.rows) {
        sorted.clear();
        return Found::Constant;
    }
    let mut best = Cut::none(floor);
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
    best.into()
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

#[cfg(test)]
mod tests {
    use headsmith_kernels::{MatRef, Pool};
    use proptest::prelude::*;

    use super::*;

    /// Every cut, each with its classes counted anew.
    fn naive(column: &[(f32, usize, f64)], n_classes: usize, min_leaf: usize) -> Option<(f64, usize)> {
        let mut sorted = column.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let side = |rows: &[(f32, usize, f64)]| {
            let mut sums = vec![0.0; n_classes];
            rows.iter().for_each(|&(_, class, weight)| sums[class] += weight);
            sums.iter().map(|s| s * s).sum::<f64>() / sums.iter().sum::<f64>()
        };
        let cuts = (min_leaf..=sorted.len() - min_leaf).filter(|&k| sorted[k].0 > sorted[k - 1].0 + 1e-7);
        let gains = cuts.map(|k| (side(&sorted[..k]) + side(&sorted[k..]), k));
        gains.fold(None, |best: Option<(f64, usize)>, cut| match best {
            Some(best) if best.0 >= cut.0 - 1e-9 => Some(best),
            _ => Some(cut),
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn buckets_and_sorting_find_what_looking_at_every_cut_finds(
            n in prop_oneof![40usize..100, 500usize..1500],
            n_classes in 2usize..6,
            levels in prop_oneof![Just(1u32 << 20), 5u32..40],
            signal in 0.0f32..0.5,
            min_leaf in 1usize..20,
            weighted: bool,
            seed: u64,
        ) {
            let mut random = headsmith_kernels::Philox::new(seed, 0, 0).sequence(0, 0);
            let y: Vec<u32> = (0..n).map(|_| random.below(n_classes as u32)).collect();
            let x: Vec<f32> = y
                .iter()
                .map(|&class| ((random.uniform() as f32 + signal * class as f32) * levels as f32).floor() / levels as f32)
                .collect();
            let counts: Vec<u32> = (0..n).map(|_| 1 + random.below(3)).collect();
            let weights: Vec<f64> = (0..n_classes).map(|c| if weighted { 0.3 + c as f64 * 0.7 } else { 1.0 }).collect();
            let columns = Columns::<u16>::new(MatRef::new(&x, n, 1), &Pool::inline());
            let rows: Vec<u32> = (0..n as u32).filter(|i| i % 7 != 3).collect();
            let entries: Vec<u16> = rows.iter().map(|&i| Entry::new(y[i as usize], counts[i as usize])).collect();
            let node = NodeRows { rows: &rows, entries: &entries };
            let mut sums = ClassSums::new(&weights);
            sums.set(&entries);
            let column: Vec<(f32, usize, f64)> = rows
                .iter()
                .map(|&i| i as usize)
                .map(|i| (x[i], y[i] as usize, weights[y[i] as usize] * f64::from(counts[i])))
                .collect();
            let expected = naive(&column, n_classes, min_leaf);
            for floor in [f64::NEG_INFINITY, expected.map_or(0.0, |(gain, _)| gain * 0.999)] {
                let mut sorter = Sorter::new(n);
                let mut buckets = Buckets::new(n);
                for _ in 0..2 {
                    let sorted = best_cut::<_, _, GiniScan>(&mut sorter, columns.column(0), node, &mut sums, min_leaf, floor);
                    let bucketed = buckets.best_cut(columns.column(0), node, &mut sums, min_leaf, floor);
                    for found in [sorted, bucketed] {
                        match (found, expected) {
                            (Found::Cut(cut), Some((gain, n_left))) => {
                                prop_assert!((cut.gain - gain).abs() < 1e-9 * gain);
                                prop_assert!(weighted || cut.n_left == n_left);
                            }
                            (found, expected) => prop_assert!(found != Found::Constant && expected.is_none()),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_middle_is_never_the_upper_value() {
        for low in [-1.0f32, 0.0, 1.0, 3.4e38, f32::MIN_POSITIVE, -3.4e38] {
            let high = low.next_up();
            assert_eq!(midpoint(low, high), low);
            assert_eq!(midpoint(low, high.next_up()), high);
        }
        assert_eq!(midpoint(1.0, 2.0), 1.5);
        assert_eq!(midpoint(f32::MIN, f32::MAX), 0.0);
    }
}
