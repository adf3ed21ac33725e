//! The best split of a node over randomly drawn features ([`super::features`]).

use headsmith_kernels::cuts::LANES;
use headsmith_kernels::{LaneSequence, Sequence};

use super::buckets::Buckets;
use super::columns::{Column, Columns, NodeColumns, Position};
use super::criterion::{ClassSums, Criterion, EntropyScan, GiniScan, Scan};
use super::drawn::{self, DrawnCuts};
use super::entry::Entry;
use super::features::Features;
use super::lanes::Lanes;
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
    /// The threshold, where it was drawn; `None`: halfway between the values on both sides.
    pub(super) threshold: Option<f32>,
}

/// The result of a feature's search in a node.
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
        Cut { gain, last_left: 0, first_right: 0, n_left: 0, threshold: None }
    }
}

/// The result of the search of some features in a node.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FeatureSearch {
    /// The number of the feature with the best cut, if that surpasses what was found before.
    pub(super) best: Option<(usize, Cut)>,
    /// One bit for each feature: whether it does not differ in the node.
    pub(super) constant: u32,
}

impl FeatureSearch {
    /// Whether the feature with that number does not differ in the node.
    pub(super) fn is_constant(&self, number: usize) -> bool {
        self.constant >> number & 1 == 1
    }
}

impl From<Found> for FeatureSearch {
    fn from(found: Found) -> FeatureSearch {
        let best = if let Found::Cut(cut) = found { Some((0, cut)) } else { None };
        FeatureSearch { best, constant: u32::from(found == Found::Constant) }
    }
}

impl From<Cut> for Found {
    fn from(cut: Cut) -> Found {
        if cut.n_left > 0 { Found::Cut(cut) } else { Found::Nothing }
    }
}

/// Draws features and finds their best split; one a tree.
#[derive(Debug)]
pub(super) struct Splitter<'a, E> {
    features: Features,
    drawn: Vec<u32>,
    lanes: Lanes,
    sorter: Sorter<E>,
    buckets: Buckets<E>,
    /// Where cuts are drawn.
    drawn_cuts: Option<DrawnCuts<'a>>,
}

impl<'a, E: Entry> Splitter<'a, E> {
    /// Memory for samples with `n_classes`, whose rows count up to `max_count` times, and which are cut at thresholds from `random` where cuts
    /// are drawn.
    pub(super) fn new<P: Position>(
        columns: &'a Columns<'_, P>,
        n_classes: usize,
        max_count: u32,
        random: LaneSequence,
    ) -> Splitter<'a, E> {
        let n_samples = columns.n_samples();
        Splitter {
            features: Features::new(columns.n_features()),
            drawn: Vec::new(),
            lanes: Lanes::new(n_samples, n_classes, max_count),
            sorter: Sorter::new(n_samples),
            buckets: Buckets::new(n_samples),
            drawn_cuts: columns.table().map(|table| DrawnCuts::new(table, random)),
        }
    }

    /// Sums up the classes of a node, which may then be split. Where cuts are drawn its rows are sorted as by [`drawn::sort`].
    pub(super) fn sum_up(&mut self, entries: &[E], sums: &mut ClassSums) {
        match &mut self.drawn_cuts {
            None => sums.set(entries),
            Some(drawn_cuts) => drawn_cuts.sum_up(entries, sums),
        }
    }

    /// The best split of the `node` last summed up, whose classes are summed up in `sums`; `None` when every feature is constant or no
    /// cut leaves enough rows on both sides. `n_constant` is the number of features known to be constant, before
    /// and after.
    pub(super) fn best_split<P: Position>(
        &mut self,
        columns: NodeColumns<'_, P>,
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
        columns: NodeColumns<'_, P>,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        settings: &Settings,
        n_constant: &mut usize,
        random: &mut Sequence,
    ) -> Option<Split> {
        let Splitter { features, drawn, lanes, sorter, buckets, drawn_cuts } = self;
        let min_leaf = settings.min_samples_leaf;
        let is_gini = settings.criterion == Criterion::Gini;
        let is_counted = is_gini && E::IS_COUNTED && drawn_cuts.is_none();
        if let Some(drawn_cuts) = drawn_cuts {
            drawn_cuts.begin(node.rows, sums.n_present());
        }
        let by_lanes = is_counted && lanes.take(node, sums);
        let by_buckets = is_counted && buckets.suit(node.rows.len(), sums.n_classes());
        // The same for any number of rows: a row of weight 2 is as two rows.
        let at_once = match () {
            () if drawn_cuts.is_some() => drawn::AT_ONCE,
            () if by_lanes => LANES,
            () => 1,
        };
        let mut best = None;
        let mut gain = f64::NEG_INFINITY;
        let perfect = S::perfect_gain(sums);
        let mut drawing = features.draw(*n_constant);
        while gain < perfect
            && let n_wanted @ 1.. = drawing.n_wanted(settings.max_features)
        {
            drawing.next(n_wanted.min(at_once), drawn, random);
            let [feature, ..] = drawn[..] else { continue };
            let look = if let Some(drawn_cuts) = drawn_cuts {
                drawn_cuts.look::<S>(drawn, node.rows, sums, (min_leaf, gain))
            } else if by_lanes {
                lanes.look(columns, drawn, node, sums, min_leaf, gain)
            } else if by_buckets {
                buckets.best_cut(columns.column(feature), node, sums, min_leaf, gain).into()
            } else {
                best_cut::<P, E, S>(sorter, columns.column(feature), node, sums, min_leaf, gain).into()
            };
            if let Some((i, cut)) = look.best {
                gain = cut.gain;
                best = Some((drawn[i], cut));
            }
            drawing.note_constant(drawn.len(), |i| look.is_constant(i));
        }
        *n_constant = drawing.finish();
        best.map(|(feature, cut)| Split { feature, cut })
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
    let sorted = sorter.sort(column.places, node.rows, node.entries);
    let (first, last) = sorted.ends();
    if !column.differ(first, last, node.rows) {
        sorted.clear();
        return Found::Constant;
    }
    let mut sweep = Sweep::<S>::new(sums, node.rows.len(), min_leaf, floor);
    sorted.visit(|place, entry| sweep.pass(place, entry, column, node, sums));
    sweep.best().into()
}

/// The best cut of rows that pass from right to left one by one.
#[derive(Debug)]
pub(super) struct Sweep<S> {
    scan: S,
    best: Cut,
    n_rows: usize,
    n_left: usize,
    last_left: usize,
    min_leaf: usize,
}

impl<S: Scan> Sweep<S> {
    /// All `n_rows` are right; cuts are to leave `min_leaf` rows on both sides and have a gain above `floor`.
    #[inline(always)]
    pub(super) fn new(sums: &mut ClassSums, n_rows: usize, min_leaf: usize, floor: f64) -> Sweep<S> {
        Sweep { scan: S::new(sums), best: Cut::none(floor), n_rows, n_left: 0, last_left: 0, min_leaf }
    }

    /// Looks at the cut before the row at `place`, the next in order, and moves the row to the left.
    #[inline(always)]
    pub(super) fn pass<P: Position, E: Entry>(
        &mut self,
        place: usize,
        entry: E,
        column: Column<'_, P>,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
    ) {
        let (n_left, last_left) = (self.n_left, self.last_left);
        if self.scan.is_promising(self.best.gain)
            && n_left >= self.min_leaf
            && self.n_rows - n_left >= self.min_leaf
        {
            let gain = self.scan.gain(sums);
            if gain > self.best.gain && column.differ(last_left, place, node.rows) {
                self.best = Cut { gain, last_left, first_right: place, n_left, threshold: None };
            }
        }
        self.scan.push(sums, entry);
        self.n_left += 1;
        self.last_left = place;
    }

    /// The best cut; none of its rows is left where there is none.
    pub(super) fn best(&self) -> Cut {
        self.best
    }
}

/// The greatest `f32` that is not above the middle between `low < high`, which is at least `low` and below `high`.
///
/// scikit-learn compares with the middle itself, in double precision; for values in single precision that is the
/// same comparison.
pub(super) fn midpoint(low: f32, high: f32) -> f32 {
    let middle = f64::from(low) / 2.0 + f64::from(high) / 2.0;
    let rounded = middle as f32;
    if f64::from(rounded) > middle { rounded.next_down() } else { rounded }
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{MatRef, Pool};
    use proptest::prelude::*;

    use super::super::columns::Columns;
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
        fn lanes_buckets_and_sorting_find_what_looking_at_every_cut_finds(
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
            let columns = Columns::<u16>::new(MatRef::new(&x, n, 1), 0, &Pool::inline());
            let columns = NodeColumns::of_all(&columns);
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
                    let mut lanes = Lanes::new(n, n_classes, 3);
                    if lanes.take(node, &sums) {
                        let look = lanes.look(columns, &[0, 0, 0], node, &mut sums, min_leaf, floor);
                        let cut = if let Found::Cut(cut) = sorted { Some((0, cut)) } else { None };
                        prop_assert_eq!(look.best, cut);
                        prop_assert_eq!(look.is_constant(0), sorted == Found::Constant);
                    }
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
