//! One random cut of a tree's node by each of eight features at once: one feature in each lane.
//!
//! The values of a row lie next to one another, so the rows of a small node are read where they are: the features of a row are
//! gathered into a vector, and least, greatest, threshold and the rows on the left are those of all lanes in a few instructions
//! a row. Sums are added up run after run in each lane, so every version gives the same bytes.

#![allow(unsafe_code)]

use crate::MatRef;
use crate::philox::LANES as WORDS;

/// Features that are cut together.
pub const LANES: usize = WORDS;

/// Rows of a node, one after another, that have a class and a weight in common.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Run {
    /// The number of the class, below the number of the sums.
    pub class: u32,
    /// How many they are, below 2^31.
    pub n_rows: u32,
    /// The weight of each.
    pub weight: f64,
}

/// The cuts of a node, one by each feature; and memory that the next node reuses.
#[derive(Debug, Clone, Default)]
pub struct RandomCuts {
    /// The thresholds: of rows with values up to them is the left side.
    pub thresholds: [f32; LANES],
    /// The features whose values do not differ by more than was asked: their other results mean nothing.
    pub is_constant: [bool; LANES],
    /// How many rows are left.
    pub n_left: [u32; LANES],
    /// For each class, the weight of its rows on the left.
    pub left: Vec<[f64; LANES]>,
    values: Vec<[f32; LANES]>,
}

impl RandomCuts {
    /// Cuts `rows` of `x`, which have finite values and the classes and weights in `runs`, by each of `features`, at thresholds from the
    /// least value on and below the greatest, uniform if the `words` are. There are `n_classes`; features whose values differ by
    /// no more than `same` are constant.
    ///
    /// # Panics
    /// When a row, a feature or a class does not exist, or the runs are of another number of rows.
    pub fn cut(
        &mut self,
        x: MatRef<'_>,
        (rows, runs): (&[u32], &[Run]),
        (features, words): (&[u32; LANES], &[u32; LANES]),
        n_classes: usize,
        same: f32,
    ) {
        let n_rows: usize = runs.iter().map(|run| run.n_rows as usize).sum();
        assert_eq!(rows.len(), n_rows, "runs of all rows");
        assert!(features.iter().all(|&feature| (feature as usize) < x.n_cols()), "features {features:?}");
        self.left.clear();
        self.left.resize(n_classes, [0.0; LANES]);
        if self.values.len() < rows.len() {
            self.values.resize(rows.len(), [0.0; LANES]);
        }
        let node = Node { x, rows, runs, features, words, same };
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the machine has the instructions, and the features exist.
            return unsafe { x86::avx2(self, node) };
        }
        self.cut_with(node, pick);
    }

    /// The cuts, where `pick` gives the values of the features in a row.
    #[inline(always)]
    fn cut_with(&mut self, node: Node<'_>, pick: impl Fn(&[f32], &[u32; LANES]) -> [f32; LANES]) {
        let values = &mut self.values[..node.rows.len()];
        let ends = gather(values, node, pick);
        let lanes = || ends[0].into_iter().zip(ends[1]);
        for (is_constant, (low, high)) in self.is_constant.iter_mut().zip(lanes()) {
            *is_constant = high <= low + node.same;
        }
        for ((threshold, (low, high)), word) in self.thresholds.iter_mut().zip(lanes()).zip(node.words) {
            *threshold = between(low, high, *word);
        }
        self.n_left = sum(values, node.runs, &self.thresholds, &mut self.left);
    }
}

#[derive(Clone, Copy)]
struct Node<'a> {
    x: MatRef<'a>,
    rows: &'a [u32],
    runs: &'a [Run],
    features: &'a [u32; LANES],
    words: &'a [u32; LANES],
    same: f32,
}

/// A number from `low` on and below `high`, at the share of the way that `word` is of 2^32.
#[inline(always)]
pub fn between(low: f32, high: f32, word: u32) -> f32 {
    let share = f64::from(word) * (1.0 / (1u64 << 32) as f64);
    let rounded = (f64::from(low) + share * (f64::from(high) - f64::from(low))) as f32;
    // Zero has one sign: which of two zeros is the lower depends on the order of the rows.
    (if rounded < high { rounded } else { low }) + 0.0
}

/// For each lane `sum_c L_c^2 / w_l + sum_c R_c^2 / w_r`, where `L_c` is the weight of a class on the left, as `left` has it, `R_c` the rest of
/// its weight in `totals`, and `w_l` and `w_r` their sums, of which `total` is the sum: the greater, the better is the cut by Gini impurity.
#[inline(always)]
pub fn gini(left: &[[f64; LANES]], totals: impl Iterator<Item = f64>, total: f64) -> [f64; LANES] {
    let (mut weight, mut squares, mut right_squares) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for (left, total) in left.iter().zip(totals) {
        for lane in 0..LANES {
            let right = total - left[lane];
            weight[lane] += left[lane];
            squares[lane] += left[lane] * left[lane];
            right_squares[lane] += right * right;
        }
    }
    std::array::from_fn(|lane| squares[lane] / weight[lane] + right_squares[lane] / (total - weight[lane]))
}

/// Copies the features of the rows into `values` and returns the least and the greatest of each.
#[inline(always)]
fn gather(
    values: &mut [[f32; LANES]],
    node: Node<'_>,
    pick: impl Fn(&[f32], &[u32; LANES]) -> [f32; LANES],
) -> [[f32; LANES]; 2] {
    let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    for (values, &row) in values.iter_mut().zip(node.rows) {
        *values = pick(node.x.row(row as usize), node.features);
        for lane in 0..LANES {
            low[lane] = if values[lane] < low[lane] { values[lane] } else { low[lane] };
            high[lane] = if values[lane] > high[lane] { values[lane] } else { high[lane] };
        }
    }
    [low, high]
}

/// Adds the weights of the rows up to the thresholds to their classes in `left`, and returns how many there are. Rows of a run are counted in
/// registers: a sum in memory that the next row adds to again would wait for itself.
#[inline(always)]
fn sum(
    values: &[[f32; LANES]],
    runs: &[Run],
    thresholds: &[f32; LANES],
    left: &mut [[f64; LANES]],
) -> [u32; LANES] {
    let (mut n_left, mut rest) = ([0; LANES], values);
    for run in runs {
        let (values, behind) = rest.split_at(run.n_rows as usize);
        rest = behind;
        let mut counts = [0i32; LANES];
        for values in values {
            for lane in 0..LANES {
                counts[lane] += i32::from(values[lane] <= thresholds[lane]);
            }
        }
        let left = &mut left[run.class as usize];
        for lane in 0..LANES {
            n_left[lane] += counts[lane] as u32;
            left[lane] += f64::from(counts[lane]) * run.weight;
        }
    }
    n_left
}

/// The features of a row, one by one.
fn pick(row: &[f32], features: &[u32; LANES]) -> [f32; LANES] {
    features.map(|feature| row[feature as usize])
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{LANES, Node, RandomCuts};

    /// # Safety
    /// The features are columns of the node's table.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn avx2(cuts: &mut RandomCuts, node: Node<'_>) {
        // Loads one by one: a gather takes longer on most machines.
        cuts.cut_with(node, |row: &[f32], features: &[u32; LANES]| {
            // SAFETY: the caller guarantees the features of every row.
            features.map(|feature| unsafe { *row.get_unchecked(feature as usize) })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Philox;

    #[test]
    fn cuts_agree_with_their_naive_twin() {
        let mut cuts = RandomCuts::default();
        for seed in 0..40 {
            let mut random = Philox::new(seed, 0, 0).sequence(0, 0);
            let (n_rows, n_cols) = (1 + random.below(60) as usize, 1 + random.below(30));
            let levels = [3, 1000][seed as usize % 2];
            let mut value = || random.below(levels) as f32 - 1.0;
            let x: Vec<f32> = (0..n_rows * n_cols as usize).map(|_| value()).collect();
            let x = MatRef::new(&x, n_rows, n_cols as usize);
            let rows: Vec<u32> = (0..1 + random.below(80)).map(|_| random.below(n_rows as u32)).collect();
            let mut runs = Vec::new();
            let mut n_left = rows.len() as u32;
            while n_left > 0 {
                let n_rows = (1 + random.below(9)).min(n_left);
                runs.push(Run { class: random.below(3), n_rows, weight: f64::from(random.below(5)) / 4.0 });
                n_left -= n_rows;
            }
            let codes: Vec<Run> = runs.iter().flat_map(|run| vec![*run; run.n_rows as usize]).collect();
            let features: [u32; LANES] = std::array::from_fn(|_| random.below(n_cols));
            let words: [u32; LANES] = std::array::from_fn(|_| random.next_u32());
            cuts.cut(x, (&rows, &runs), (&features, &words), 3, 0.5);
            let mut naive = RandomCuts { left: vec![[7.0; LANES]; 3], ..RandomCuts::default() };
            naive.values.resize(rows.len(), [0.0; LANES]);
            naive.left.fill([0.0; LANES]);
            let node = Node { x, rows: &rows, runs: &runs, features: &features, words: &words, same: 0.5 };
            naive.cut_with(node, pick);
            assert_eq!(
                (cuts.thresholds, cuts.n_left, &cuts.left),
                (naive.thresholds, naive.n_left, &naive.left)
            );
            for (lane, feature) in features.into_iter().enumerate() {
                let of = |i: usize| x.row(rows[i] as usize)[feature as usize];
                let values = || (0..rows.len()).map(of);
                let (low, high) = (values().fold(f32::MAX, f32::min), values().fold(f32::MIN, f32::max));
                assert_eq!(cuts.is_constant[lane], low == high);
                let threshold = cuts.thresholds[lane];
                assert!(low == high || (low <= threshold && threshold < high));
                assert_eq!(cuts.n_left[lane] as usize, values().filter(|v| *v <= threshold).count());
                for class in 0..3 {
                    let here = (0..rows.len()).filter(|&i| of(i) <= threshold && codes[i].class == class);
                    let sum = here.fold(0.0, |sum, i| sum + codes[i].weight);
                    assert_eq!(cuts.left[class as usize][lane], sum);
                }
            }
        }
    }

    #[test]
    fn gini_adds_up_both_sides() {
        let left = [std::array::from_fn(|lane| lane as f64), [1.0; LANES]];
        let gains = gini(&left, [9.0, 4.0].into_iter(), 13.0);
        assert_eq!(gains[0], 1.0 + (81.0 + 9.0) / 12.0);
        assert_eq!(gains[7], (49.0 + 1.0) / 8.0 + (4.0 + 9.0) / 5.0);
    }

    #[test]
    fn thresholds_stay_below_the_greatest_value() {
        for low in [-1.0f32, 0.0, 1.0, -3.4e38, f32::MIN_POSITIVE] {
            assert_eq!(between(low, low.next_up(), u32::MAX), low);
            assert_eq!(between(low, f32::MAX, 0), low);
        }
        assert_eq!(between(-2.0, 2.0, 1 << 31), 0.0);
        assert_eq!(between(-1.0, 3.0, 1 << 31), 1.0);
        assert!(between(-0.0, 1.0, 0).is_sign_positive());
    }

    #[test]
    #[should_panic(expected = "features")]
    fn a_missing_feature_is_refused() {
        let run = [Run { class: 0, n_rows: 1, weight: 1.0 }];
        RandomCuts::default().cut(
            MatRef::new(&[1.0], 1, 1),
            (&[0], &run),
            (&[1; LANES], &[0; LANES]),
            1,
            0.0,
        );
    }
}
