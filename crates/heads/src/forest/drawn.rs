//! Cuts at random thresholds (Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006; scikit-learn:
//! `node_split_random`), by eight features at once.
//!
//! A threshold is uniform between the least and the greatest value of the node's rows; no column is sorted. The rows of a large node are many
//! in each column: it is read as a whole, and masks say which of its rows count. Those of a small node are read in the samples, row by row
//! ([`headsmith_kernels::random_cuts`]): with the rows of its subtree they stay in the second-level cache. Both ways find the same.

use headsmith_kernels::random_cuts::{LANES, RandomCuts, Run, between};
use headsmith_kernels::{LaneSequence, MatRef, ranges};

use super::columns::{NodeColumns, Position, SAME_VALUE, ascending_bits, from_ascending_bits};
use super::criterion::{ClassSums, Scan};
use super::entry::Entry;
use super::lanes::LaneSearch;
use super::split::{Cut, NodeRows};

/// The random cuts of a tree's nodes.
#[derive(Debug)]
pub(super) struct DrawnCuts<'a> {
    x: MatRef<'a>,
    /// The most rows of a node that is read row by row.
    most_rows: usize,
    cuts: RandomCuts,
    /// The rows of the node, which are sorted as by [`sort`], their classes as numbers among those of the node.
    runs: Vec<Run>,
    n_rows: usize,
    masks: Masks,
    random: LaneSequence,
}

/// Rows of a large node, one bit for each of the samples.
#[derive(Debug, Default)]
struct Masks {
    node: Vec<u64>,
    /// The rows of each of the node's classes, class after class, where all rows of a class weigh the same; else empty.
    classes: Vec<u64>,
    /// The weight of a row of each class.
    weights: Vec<f64>,
    left: Vec<u64>,
}

/// Values of a node's rows at most: with those of other features they fill a second-level cache.
const VALUES: usize = 1 << 18;

/// Rows that are a greater share of the samples are many in each cache line of the columns, too.
const FEWEST_NODES: usize = 8;

/// More classes are counted row by row.
const MOST_CLASSES: usize = 16;

/// The most rows of a node that is read row by row.
pub(super) fn most_rows(n_samples: usize, n_features: usize) -> usize {
    (VALUES / n_features.max(1)).max(n_samples / FEWEST_NODES)
}

/// Sorts rows so that those of a class and a weight lie together. The order of equal ones is kept.
pub(super) fn sort<E: Entry>(rows: &mut [u32], entries: &mut [E]) {
    let mut pairs: Vec<(u32, E)> = rows.iter().copied().zip(entries.iter().copied()).collect();
    pairs.sort_by_key(|(_, entry)| (entry.class(), entry.weight().to_bits()));
    for ((row, entry), sorted) in rows.iter_mut().zip(entries).zip(pairs) {
        (*row, *entry) = sorted;
    }
}

impl<'a> DrawnCuts<'a> {
    /// For a tree of the rows of `x`, of which nodes of up to `most_rows` are read row by row, with thresholds from `random`.
    pub(super) fn new(x: MatRef<'a>, most_rows: usize, random: LaneSequence) -> DrawnCuts<'a> {
        DrawnCuts {
            x,
            most_rows,
            cuts: RandomCuts::default(),
            runs: Vec::new(),
            n_rows: 0,
            masks: Masks::default(),
            random,
        }
    }

    /// Sums up a node, whose features may then be looked at.
    pub(super) fn sum_up<E: Entry>(&mut self, entries: &[E], sums: &mut ClassSums) {
        self.runs.clear();
        sums.clear();
        let mut rest = entries;
        while let [first, ..] = rest {
            let n = rest.iter().take_while(|entry| *entry == first).count();
            let (class, n_rows) = (first.class() as u32, n as u32);
            let weight = sums.row_weight(class) * first.weight();
            let number = sums.add_run(class, f64::from(n_rows) * weight);
            self.runs.push(Run { class: number, n_rows, weight });
            rest = &rest[n..];
        }
        sums.end_runs();
        self.n_rows = entries.len();
    }

    /// Makes ready for the features of the node last summed up.
    pub(super) fn begin(&mut self, rows: &[u32], n_classes: usize) {
        if !self.is_by_rows() {
            self.masks.begin(self.x.n_rows(), rows, &self.runs, n_classes);
        }
    }

    fn is_by_rows(&self) -> bool {
        self.n_rows <= self.most_rows
    }

    /// The place of each row of the node last begun in the order of a feature, if it is read row by row: its values are still near.
    pub(super) fn places_by_row(&self, feature: u32) -> Option<impl Fn(u32) -> usize> {
        let x = self.x;
        let place = move |row: u32| ascending_bits(x.row(row as usize)[feature as usize]) as usize;
        (self.n_rows > 0 && self.is_by_rows()).then_some(place)
    }

    /// Cuts the node last begun by up to [`LANES`] `features`; the best of them has a gain above `floor`. Of equal cuts the first is taken.
    #[inline(always)]
    pub(super) fn look<P: Position, S: Scan, E>(
        &mut self,
        columns: NodeColumns<'_, P>,
        features: &[u32],
        node: NodeRows<'_, E>,
        sums: &ClassSums,
        (min_leaf, floor): (usize, f64),
    ) -> LaneSearch {
        let words = self.random.next_words();
        if self.is_by_rows() {
            let mut lanes = [features[0]; LANES];
            lanes[..features.len()].copy_from_slice(features);
            let rows = (node.rows, &self.runs[..]);
            self.cuts.cut(self.x, rows, (&lanes, &words), sums.n_present(), SAME_VALUE);
        } else {
            self.cuts.left.clear();
            self.cuts.left.resize(sums.n_present(), [0.0; LANES]);
            for (lane, &feature) in features.iter().enumerate() {
                self.cut(columns.column(feature).places, node.rows, words[lane], lane);
            }
        }
        let (cuts, gains) = (&self.cuts, S::gains(sums, &self.cuts.left));
        let mut best: Option<(usize, f64)> = None;
        for (lane, &gain) in gains.iter().enumerate().take(features.len()) {
            let n_left = cuts.n_left[lane] as usize;
            let is_wide = n_left >= min_leaf && node.rows.len() - n_left >= min_leaf;
            if !cuts.is_constant[lane] && is_wide && gain > best.map_or(floor, |(_, gain)| gain) {
                best = Some((lane, gain));
            }
        }
        let cut = |(lane, gain): (usize, f64)| {
            let threshold = cuts.thresholds[lane];
            let (last_left, n_left) = (ascending_bits(threshold) as usize, cuts.n_left[lane] as usize);
            (lane, Cut { gain, last_left, first_right: last_left + 1, n_left, threshold: Some(threshold) })
        };
        LaneSearch { best: best.map(cut), is_constant: cuts.is_constant }
    }

    /// Cuts the node by one feature, of which `places` are the [bits](ascending_bits) of the values.
    fn cut<P: Position>(&mut self, places: &[P], rows: &[u32], word: u32, lane: usize) {
        let (masks, cuts) = (&mut self.masks, &mut self.cuts);
        let [low, high] = P::ends(places, &masks.node).map(from_ascending_bits);
        cuts.is_constant[lane] = high <= low + SAME_VALUE;
        cuts.thresholds[lane] = between(low, high, word);
        let last = ascending_bits(cuts.thresholds[lane]);
        cuts.n_left[lane] = P::up_to(places, &masks.node, last, &mut masks.left);
        if masks.classes.is_empty() {
            let is_left =
                |row: &u32| masks.left[*row as usize / ranges::ROWS] >> (*row as usize % ranges::ROWS) & 1;
            let mut rest = rows;
            for run in &self.runs {
                let (rows, behind) = rest.split_at(run.n_rows as usize);
                rest = behind;
                let n_left: u64 = rows.iter().map(is_left).sum();
                cuts.left[run.class as usize][lane] += n_left as f64 * run.weight;
            }
            return;
        }
        let classes = masks.classes.chunks_exact(masks.left.len()).zip(&masks.weights);
        for ((class, weight), left) in classes.zip(&mut cuts.left) {
            left[lane] = f64::from(ranges::in_both(class, &masks.left)) * weight;
        }
    }
}

impl Masks {
    fn begin(&mut self, n_samples: usize, rows: &[u32], runs: &[Run], n_classes: usize) {
        let n_words = n_samples.div_ceil(ranges::ROWS);
        let Masks { node, classes, weights, left } = self;
        for mask in [&mut *node, left] {
            mask.clear();
            mask.resize(n_words, 0);
        }
        rows.iter().for_each(|&row| set(node, row));
        classes.clear();
        weights.clear();
        weights.resize(n_classes, 0.0);
        runs.iter().for_each(|run| weights[run.class as usize] = run.weight);
        let is_even = runs.iter().all(|run| weights[run.class as usize] == run.weight);
        if is_even && n_classes <= MOST_CLASSES {
            classes.resize(n_classes * n_words, 0);
            let mut rest = rows;
            for run in runs {
                let (rows, behind) = rest.split_at(run.n_rows as usize);
                rest = behind;
                let class = &mut classes[run.class as usize * n_words..];
                rows.iter().for_each(|&row| set(class, row));
            }
        }
    }
}

/// Puts a row into a mask.
fn set(mask: &mut [u64], row: u32) {
    mask[row as usize / ranges::ROWS] |= 1 << (row as usize % ranges::ROWS);
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::{Philox, Pool};

    use super::super::columns::Columns;
    use super::super::criterion::{EntropyScan, GiniScan};
    use super::super::entry::Weighted;
    use super::*;

    fn assert_both_ways_agree<S: Scan, E: Entry>(n_classes: usize, entry: impl Fn(u32, usize) -> E) {
        let (n_rows, n_features) = (333, LANES + 3);
        let mut random = Philox::new(1, 2, 0).sequence(0, 0);
        // The last feature is constant.
        let value =
            |i: usize, word: u32| if i % n_features == 10 { 4.0 } else { f32::from(word as u16) - 3e4 };
        let x: Vec<f32> = (0..n_rows * n_features).map(|i| value(i, random.next_u32())).collect();
        let x = MatRef::new(&x, n_rows, n_features);
        let columns = Columns::of_values(x, &Pool::inline());
        let mut rows: Vec<u32> = (0..n_rows as u32).filter(|row| row % 5 != 2).collect();
        let mut entries: Vec<E> =
            rows.iter().map(|&row| entry(random.below(n_classes as u32), row as usize)).collect();
        sort(&mut rows, &mut entries);
        let node = NodeRows { rows: &rows, entries: &entries };
        let mut sums = ClassSums::new(&vec![0.7; n_classes]);
        let looks = [0, n_rows].map(|most_rows| {
            let thresholds = Philox::new(3, 0, 0).lane_sequence(0, 0);
            let mut cuts = DrawnCuts::new(x, most_rows, thresholds);
            cuts.sum_up(&entries, &mut sums);
            cuts.begin(&rows, sums.n_present());
            assert_eq!(cuts.places_by_row(0).is_some(), most_rows > 0);
            let features = [[0u32, 1, 2, 3, 4, 5, 6, 7].as_slice(), &[8, 9, 10]];
            let wanted = (2, f64::NEG_INFINITY);
            features.map(|of| cuts.look::<u32, S, E>(NodeColumns::of_all(&columns), of, node, &sums, wanted))
        });
        let [[first, rest], by_rows] = looks;
        for (look, other) in [first, rest].into_iter().zip(by_rows) {
            assert!(look.best.is_some() && look.best == other.best);
            assert_eq!(look.is_constant[..3], other.is_constant[..3]);
        }
    }

    #[test]
    fn columns_and_rows_give_the_same_cuts() {
        for n_classes in [2, 5, MOST_CLASSES + 3] {
            assert_both_ways_agree::<GiniScan, u16>(n_classes, |class, _| Entry::new(class, 1));
            assert_both_ways_agree::<GiniScan, u16>(n_classes, |class, row| {
                Entry::new(class, 1 + row as u32 % 3)
            });
            assert_both_ways_agree::<EntropyScan, Weighted>(n_classes, |class, row| Weighted {
                class,
                weight: (1 + row % 2) as f64,
            });
        }
    }
}
