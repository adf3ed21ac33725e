//! Cuts at random thresholds (Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006; scikit-learn:
//! `node_split_random`), by many features at once ([`headsmith_kernels::random_cuts`]).
//!
//! A threshold is uniform between the least and the greatest value of the node's rows, known to within a part of the codes where they spread widely; no column is sorted.

use headsmith_kernels::LaneSequence;
use headsmith_kernels::random_cuts::{LANES, Lanes, Node, RandomCuts, Run, Table};

use super::columns::SAME_VALUE;
use super::criterion::{ClassSums, Scan};
use super::entry::Entry;
use super::split::{Cut, FeatureSearch};

/// Features that are looked at together.
pub(super) const AT_ONCE: usize = LANES;

/// The random cuts of a tree's nodes.
#[derive(Debug)]
pub(super) struct DrawnCuts<'a> {
    table: &'a Table,
    cuts: RandomCuts,
    /// The rows of the node, which are sorted as by [`sort`], their classes as numbers among those of the node.
    runs: Vec<Run>,
    random: LaneSequence,
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
    /// For a tree of the rows of `table`, with thresholds from `random`.
    pub(super) fn new(table: &'a Table, random: LaneSequence) -> DrawnCuts<'a> {
        DrawnCuts { table, cuts: RandomCuts::default(), runs: Vec::new(), random }
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
    }

    /// Makes ready for the features of the node last summed up.
    pub(super) fn begin(&mut self, rows: &[u32], n_classes: usize) {
        self.cuts.begin(self.table, Node { rows, runs: &self.runs, n_classes });
    }

    /// Cuts the node last begun by up to [`LANES`] `features`; the best of them has a gain above `floor`. Of equal cuts the first is taken.
    #[inline(always)]
    pub(super) fn look<S: Scan>(
        &mut self,
        features: &[u32],
        rows: &[u32],
        sums: &ClassSums,
        (min_leaf, floor): (usize, f64),
    ) -> FeatureSearch {
        let words = self.words(features.len());
        let node = Node { rows, runs: &self.runs, n_classes: sums.n_present() };
        self.cuts.cut(self.table, node, (features, &words), SAME_VALUE);
        let cuts = &self.cuts;
        let gains = S::gains(sums, &cuts.left, features.len());
        let (n_left, is_constant) = (cuts.n_left.as_flattened(), cuts.is_constant.as_flattened());
        let (mut best, mut constant) = (None::<(usize, f64)>, 0);
        for (lane, &gain) in gains.as_flattened().iter().enumerate().take(features.len()) {
            let n_left = n_left[lane] as usize;
            let is_wide = n_left >= min_leaf && rows.len() - n_left >= min_leaf;
            if !is_constant[lane] && is_wide && gain > best.map_or(floor, |(_, gain)| gain) {
                best = Some((lane, gain));
            }
            constant |= u32::from(is_constant[lane]) << lane;
        }
        let cut = |(lane, gain): (usize, f64)| {
            let threshold = cuts.thresholds.as_flattened()[lane];
            (lane, Cut { n_left: n_left[lane] as usize, threshold: Some(threshold), ..Cut::none(gain) })
        };
        FeatureSearch { best: best.map(cut), constant }
    }

    /// A word for each of `n` features.
    fn words(&mut self, n: usize) -> Lanes<u32> {
        let mut words = Lanes::default();
        let width = words[0].len();
        words.iter_mut().take(n.div_ceil(width)).for_each(|words| *words = self.random.next_words());
        words
    }
}
