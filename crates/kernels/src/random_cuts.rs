//! One random cut of a tree's node by each of up to [`LANES`] features at once: one feature in each lane.
//!
//! The rows of a node lie far apart, and so do the features that are drawn: nearly every value costs a cache line. So each value also has a
//! [code](table) of one byte, in the same order, and with a quarter of the memory: only rows with the code of the threshold need their values. There are
//! two ways to the same cuts: the codes of [some rows](codes), and of many rows the codes of [whole columns](columns).

#![allow(unsafe_code)]

mod codes;
mod columns;
mod table;

pub use table::Table;

use std::ops::Range;

use columns::Masks;

/// Lanes of a vector of single precision, and how many of them are filled at most.
const WIDTH: usize = 8;
const CHUNKS: usize = 4;

/// Features that are cut together.
pub const LANES: usize = WIDTH * CHUNKS;

/// The ends of values whose codes are so far apart need not be exact: those of the range that a threshold is drawn from are then the middles of their
/// parts, and seldom does a threshold leave no row on one side. (The outer ends of the parts gave trees with half a percent more nodes than
/// scikit-learn's.)
const WIDE: u8 = 64;

/// A value for each lane, chunk after chunk.
pub type Lanes<T> = [[T; WIDTH]; CHUNKS];

/// Rows of a node, one after another, that have a class and a weight in common.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Run {
    /// The number of the class among those of the node.
    pub class: u32,
    /// How many they are, below 2^31.
    pub n_rows: u32,
    /// The weight of each.
    pub weight: f64,
}

/// The rows of a node, and their classes and weights.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    /// Rows of the table.
    pub rows: &'a [u32],
    /// All of them in their order, in runs.
    pub runs: &'a [Run],
    /// The number of classes.
    pub n_classes: usize,
}

impl<'a> Node<'a> {
    /// The runs, each with the places of its rows.
    #[inline(always)]
    fn places(self) -> impl Iterator<Item = (Run, Range<usize>)> + use<'a> {
        self.runs.iter().scan(0, |end, run| {
            let start = *end;
            *end += run.n_rows as usize;
            Some((*run, start..*end))
        })
    }
}

/// The cuts of a node, one by each feature; and memory that the next node reuses. Lanes without a feature mean nothing.
#[derive(Debug, Clone, Default)]
pub struct RandomCuts {
    /// The thresholds: of rows with values up to them is the left side.
    pub thresholds: Lanes<f32>,
    /// The features whose values do not differ by more than was asked: their other results mean nothing.
    pub is_constant: Lanes<bool>,
    /// How many rows are left.
    pub n_left: Lanes<u32>,
    /// For each class, the weight of its rows on the left.
    pub left: Vec<Lanes<f64>>,
    codes: Vec<[u8; LANES]>,
    masks: Masks,
}

/// A node and the features to cut it by.
#[derive(Clone, Copy)]
struct Search<'a> {
    table: &'a Table,
    node: Node<'a>,
    /// The features, and repeated ones behind them.
    features: Lanes<u32>,
    n_features: usize,
    words: Lanes<u32>,
    /// Values that differ by no more are the same.
    same: f32,
}

impl RandomCuts {
    /// Makes ready for a node, which is then [cut](Self::cut).
    ///
    /// # Panics
    /// When a row or a class does not exist, or the runs are of another number of rows.
    pub fn begin(&mut self, table: &Table, node: Node<'_>) {
        let n_rows: usize = node.runs.iter().map(|run| run.n_rows as usize).sum();
        assert_eq!(node.rows.len(), n_rows, "runs of all rows");
        if table.is_large(n_rows) {
            self.masks.set(table.n_rows(), node);
        }
    }

    /// Cuts the node last begun by each of `features`, at thresholds from the least value on and below the greatest, uniform if the `words` are. Where
    /// values spread widely, these ends are known to within a part of the [table](Table)'s codes.
    /// Features whose values differ by no more than `same` are constant.
    ///
    /// # Panics
    /// When a row, a feature or a class does not exist, or there is no feature or more than [`LANES`].
    pub fn cut(
        &mut self,
        table: &Table,
        node: Node<'_>,
        (features, words): (&[u32], &Lanes<u32>),
        same: f32,
    ) {
        let search = Search::new(table, node, (features, words), same);
        self.n_left = Lanes::default();
        self.left.clear();
        self.left.resize(node.n_classes, Lanes::default());
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
            // SAFETY: the machine has the instructions.
            return unsafe { x86::avx2(self, search) };
        }
        self.cut_with(search, equal);
    }

    /// The cuts, where `equal` says as [`equal`] does which codes are the same.
    #[inline(always)]
    fn cut_with(&mut self, search: Search<'_>, equal: impl Fn(&[u8; LANES], &[u8; LANES]) -> u32) {
        let n_rows = search.node.rows.len();
        if search.table.is_large(n_rows) {
            self.cut_by_columns(search, equal);
        } else {
            self.cut_by_codes(search, equal);
        }
    }

    /// Draws the thresholds between the least and the greatest values.
    #[inline(always)]
    fn draw(&mut self, search: Search<'_>, low: &Lanes<f32>, high: &Lanes<f32>) {
        for chunk in 0..search.n_chunks() {
            for lane in 0..WIDTH {
                let (low, high) = (low[chunk][lane], high[chunk][lane]);
                self.is_constant[chunk][lane] = high <= low + search.same;
                self.thresholds[chunk][lane] = between(low, high, search.words[chunk][lane]);
            }
        }
    }

    /// Adds the counts of a run's rows on the left.
    #[inline(always)]
    fn add(&mut self, search: Search<'_>, run: Run, counts: &Lanes<u32>) {
        let left = &mut self.left[run.class as usize];
        for chunk in 0..search.n_chunks() {
            for lane in 0..WIDTH {
                self.n_left[chunk][lane] += counts[chunk][lane];
                left[chunk][lane] += f64::from(counts[chunk][lane] as i32) * run.weight;
            }
        }
    }
}

impl<'a> Search<'a> {
    fn new(
        table: &'a Table,
        node: Node<'a>,
        (features, words): (&[u32], &Lanes<u32>),
        same: f32,
    ) -> Search<'a> {
        assert!((1..=LANES).contains(&features.len()), "{} features", features.len());
        assert!(
            features.iter().all(|&feature| (feature as usize) < table.n_features()),
            "features {features:?}"
        );
        assert!(node.rows.iter().all(|&row| (row as usize) < table.n_rows()), "rows of the table");
        let mut padded = [[features[0]; WIDTH]; CHUNKS];
        padded.as_flattened_mut()[..features.len()].copy_from_slice(features);
        Search { table, node, features: padded, n_features: features.len(), words: *words, same }
    }

    fn n_chunks(&self) -> usize {
        self.n_features.div_ceil(WIDTH)
    }

    /// The value of the feature in a lane.
    #[inline(always)]
    fn value(&self, row: u32, lane: usize) -> f32 {
        self.table.value(row, self.features.as_flattened()[lane])
    }
}

/// A number from `low` on and below `high`, at the share of the way that `word` is of 2^32.
#[inline(always)]
fn between(low: f32, high: f32, word: u32) -> f32 {
    let share = f64::from(word) * (1.0 / (1u64 << 32) as f64);
    let rounded = (f64::from(low) + share * (f64::from(high) - f64::from(low))) as f32;
    // Zero has one sign: which of two zeros is the lower depends on the order of the rows.
    (if rounded < high { rounded } else { low }) + 0.0
}

/// For each of the first `n` lanes `sum_c L_c^2 / w_l + sum_c R_c^2 / w_r`, where `L_c` is the weight of a class on the left, as `left` has it, `R_c` the
/// rest of its weight in `totals`, and `w_l` and `w_r` their sums, of which `total` is the sum: the greater, the better is the cut by Gini impurity.
#[inline(always)]
pub fn gini(
    left: &[Lanes<f64>],
    totals: impl Iterator<Item = f64> + Clone,
    total: f64,
    n: usize,
) -> Lanes<f64> {
    let mut gains = Lanes::default();
    for (chunk, gains) in gains.iter_mut().enumerate().take(n.div_ceil(WIDTH)) {
        let (mut weight, mut squares, mut right_squares) = ([0.0; WIDTH], [0.0; WIDTH], [0.0; WIDTH]);
        for (left, total) in left.iter().zip(totals.clone()) {
            for (lane, left) in left[chunk].into_iter().enumerate() {
                let right = total - left;
                weight[lane] += left;
                squares[lane] += left * left;
                right_squares[lane] += right * right;
            }
        }
        *gains = std::array::from_fn(|lane| {
            squares[lane] / weight[lane] + right_squares[lane] / (total - weight[lane])
        });
    }
    gains
}

/// One bit for each lane: whether both codes are the same.
fn equal(codes: &[u8; LANES], others: &[u8; LANES]) -> u32 {
    codes.iter().zip(others).rev().fold(0, |bits, (code, other)| bits << 1 | u32::from(code == other))
}

/// Calls `visit` with the number of each bit that is set.
#[inline(always)]
fn for_each_bit(mut bits: u32, mut visit: impl FnMut(usize)) {
    while bits != 0 {
        visit(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{LANES, RandomCuts, Search};

    /// The version for AVX2.
    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn avx2(cuts: &mut RandomCuts, search: Search<'_>) {
        cuts.cut_with(search, |codes, others| equal(codes, others));
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn equal(codes: &[u8; LANES], others: &[u8; LANES]) -> u32 {
        // SAFETY: both are vectors.
        let [codes, others] =
            [codes, others].map(|codes| unsafe { _mm256_loadu_si256(codes.as_ptr().cast()) });
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(codes, others)) as u32
    }
}

#[cfg(test)]
mod tests;
