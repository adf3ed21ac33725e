//! The best Gini cut of a node among eight features at once, one in each lane of a register.
//!
//! The rows of each feature are sorted by a network, and single precision bounds how good its best cut may be. Only
//! features that may surpass what has been found are then looked at cut by cut, in double precision: what is found is
//! what looking at each feature in turn would find.

use headsmith_kernels::cuts::{self, KeyBits, LANES, MOST_CLASSES};

use super::columns::{NodeColumns, Position};
use super::criterion::{ClassSums, GiniScan};
use super::entry::Entry;
use super::split::{Cut, FeatureSearch, NodeRows, Sweep};

/// Fewer rows are cut perfectly so soon that it does not pay to look at eight features.
const FEWEST_ROWS: usize = 5;

/// The keys of more rows leave the first cache.
const MOST_ROWS: usize = 1024;

/// How much more than its value in single precision a gain may be.
const ROOM: f64 = 1.0 + 3e-5;

/// The memory of keys.
#[derive(Debug)]
pub(super) struct Lanes {
    /// `None` when places, classes and counts do not fit into a key.
    bits: Option<KeyBits>,
    keys: Vec<[u32; LANES]>,
    /// Class and count of each row of the node, as in its keys.
    codes: Vec<u32>,
    /// The number of each class among those of the node.
    numbers: Vec<u32>,
}

impl Lanes {
    /// Memory for places below `n_samples` and rows that count up to `max_count` times.
    pub(super) fn new(n_samples: usize, n_classes: usize, max_count: u32) -> Lanes {
        let n_bits = |n: usize| usize::BITS - n.leading_zeros();
        let bits = KeyBits { class: n_bits(MOST_CLASSES - 1), count: n_bits(max_count as usize) };
        // One bit is left: no key is that of a row that is not there.
        let fits = n_bits(n_samples) + bits.class + bits.count < u32::BITS;
        Lanes { bits: fits.then_some(bits), keys: Vec::new(), codes: Vec::new(), numbers: vec![0; n_classes] }
    }

    /// Makes ready for a node, whose features are then looked at; `false` if it had better be looked at otherwise.
    pub(super) fn take<E: Entry>(&mut self, node: NodeRows<'_, E>, sums: &ClassSums) -> bool {
        let n = node.rows.len();
        let Some(bits) = self.bits else { return false };
        if !(FEWEST_ROWS..=MOST_ROWS).contains(&n) || sums.n_present() > MOST_CLASSES {
            return false;
        }
        for (number, (class, _)) in sums.weights().enumerate() {
            self.numbers[class as usize] = number as u32;
        }
        let numbers = &self.numbers;
        self.codes.clear();
        self.codes.extend(node.entries.iter().map(|e| e.count() << bits.class | numbers[e.class()]));
        true
    }

    /// Looks at up to [`LANES`] `features` of the node last taken, for a cut with a gain above `floor`. Of equal cuts the
    /// first is taken.
    pub(super) fn look<P: Position, E: Entry>(
        &mut self,
        columns: NodeColumns<'_, P>,
        features: &[u32],
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        min_leaf: usize,
        floor: f64,
    ) -> FeatureSearch {
        let (n, bits) = (node.rows.len(), self.bits.unwrap_or(KeyBits { class: 0, count: 0 }));
        let shift = bits.class + bits.count;
        self.fill(columns, features, node, shift);
        cuts::sort(&mut self.keys);
        let mut classes = [(0.0, 0.0); MOST_CLASSES];
        for (class, (id, total)) in classes.iter_mut().zip(sums.weights()) {
            *class = (total as f32, sums.row_weight(id) as f32);
        }
        let mut bounds = cuts::greatest_gini(&self.keys, n, min_leaf, bits, &classes[..sums.n_present()]);
        let mut look = FeatureSearch::default();
        for (lane, &feature) in features.iter().enumerate() {
            let place = |k: usize| (self.keys[k][lane] >> shift) as usize;
            let is_constant = !columns.column(feature).differ(place(0), place(n - 1), node.rows);
            look.constant |= u32::from(is_constant) << lane;
        }
        loop {
            let (mut lane, mut bound) = (0, f32::NEG_INFINITY);
            for (i, &b) in bounds.iter().enumerate().take(features.len()) {
                if b > bound && !look.is_constant(i) {
                    (lane, bound) = (i, b);
                }
            }
            let best = look.best.map_or(floor, |(_, cut)| cut.gain);
            if bound == f32::NEG_INFINITY || f64::from(bound) * ROOM <= best {
                return look;
            }
            bounds[lane] = f32::NEG_INFINITY;
            // An earlier feature is taken where it is as good.
            let is_earlier = look.best.is_some_and(|(other, _)| lane < other);
            let to_surpass = if is_earlier { best.next_down() } else { best };
            let cut = self.cut(lane, columns, features[lane], node, sums, (min_leaf, to_surpass));
            if cut.n_left > 0 {
                look.best = Some((lane, cut));
            }
        }
    }

    fn fill<P: Position, E: Entry>(
        &mut self,
        columns: NodeColumns<'_, P>,
        features: &[u32],
        node: NodeRows<'_, E>,
        shift: u32,
    ) {
        self.keys.clear();
        self.keys.resize(cuts::padded(node.rows.len()), [u32::MAX; LANES]);
        for (lane, &feature) in features.iter().enumerate() {
            let places = columns.column(feature).places;
            for ((keys, &row), code) in self.keys.iter_mut().zip(node.rows).zip(&self.codes) {
                keys[lane] = (places[row as usize].index() as u32) << shift | code;
            }
        }
    }

    /// The best cut in `lane` with a gain above a floor, in double precision.
    fn cut<P: Position, E: Entry>(
        &self,
        lane: usize,
        columns: NodeColumns<'_, P>,
        feature: u32,
        node: NodeRows<'_, E>,
        sums: &mut ClassSums,
        (min_leaf, floor): (usize, f64),
    ) -> Cut {
        let bits = self.bits.unwrap_or(KeyBits { class: 0, count: 0 });
        let mut sweep = Sweep::<GiniScan>::new(sums, node.rows.len(), min_leaf, floor);
        let column = columns.column(feature);
        for keys in &self.keys[..node.rows.len()] {
            let key = keys[lane];
            let class = sums.present(key as usize & (MOST_CLASSES - 1));
            let count = key >> bits.class & ((1 << bits.count) - 1);
            let place = (key >> (bits.class + bits.count)) as usize;
            sweep.pass(place, E::new(class, count), column, node, sums);
        }
        sweep.best()
    }
}
