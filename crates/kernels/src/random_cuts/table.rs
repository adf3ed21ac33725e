//! The values of a table, and a code of one byte for each: whatever is less has a code that is not greater.

#![allow(unsafe_code)]

use super::WIDE;
use crate::multiversion::multiversion;
use crate::{MatRef, Pages, Pool};

/// Features whose codes are copied into columns together: a cache line of each row.
const COLUMNS_A_PIECE: usize = 64;
/// Features whose quantiles are looked up together.
const FEATURES_A_PIECE: usize = 16;
/// Rows that are coded together.
const ROWS_A_PIECE: usize = 256;
/// Columns are read in whole vectors.
const STRIDE: usize = 64;

/// Rows that are a greater share of all are many in each cache line of the columns.
const FEWEST_NODES: usize = 4;
/// The fewest rows of a node whose columns are read as a whole: the masks of fewer take as long as their cuts.
const FEWEST_ROWS: usize = 256;

/// A table with finite values, to be cut.
#[derive(Debug)]
pub struct Table {
    n_rows: usize,
    scales: Vec<Scale>,
    /// Row after row.
    values: Pages<f32>,
    codes: Pages<u8>,
    /// Column after column, each `stride` long.
    columns: Pages<u8>,
    stride: usize,
}

/// How the values of a feature are coded: the least is 0, the greatest 255, and what lies between is cut at quantiles into [`SEGMENTS`], and each of them
/// into [`PARTS`] equal parts: so there are about as many rows of each code, however skewed they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) least: f32,
    pub(super) most: f32,
    /// Where the segments begin, in their order.
    knots: [f32; SEGMENTS],
    /// Parts a unit of each segment, and the length of one.
    factors: [f32; SEGMENTS],
    lengths: [f32; SEGMENTS],
}

const SEGMENTS: usize = 8;
const PARTS: u8 = 31;
/// Equal parts between the least and the greatest value that the quantiles are found in.
const BINS: usize = 256;

impl Scale {
    const NONE: Scale = Scale {
        least: f32::INFINITY,
        most: f32::NEG_INFINITY,
        knots: [0.0; SEGMENTS],
        factors: [0.0; SEGMENTS],
        lengths: [0.0; SEGMENTS],
    };

    /// Sets the segments by the ends and the weights of the values in [`BINS`] equal parts between them.
    fn divide(&mut self, weights: &[f64; BINS]) {
        let range = f64::from(self.most) - f64::from(self.least);
        let total: f64 = weights.iter().sum();
        let mut knots = [self.least; SEGMENTS + 1];
        let (mut sum, mut k) = (0.0, 1);
        for (bin, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            while k < SEGMENTS && (sum + weight) * SEGMENTS as f64 >= total * k as f64 {
                let share = (total * k as f64 / SEGMENTS as f64 - sum) / weight;
                knots[k] = (f64::from(self.least) + range * (bin as f64 + share) / BINS as f64) as f32;
                k += 1;
            }
            sum += weight;
        }
        knots[k..].fill(self.most);
        for (k, ends) in knots.windows(2).enumerate() {
            // Finite, so that no part is no number.
            let length = (ends[1] - ends[0]).clamp(0.0, f32::MAX);
            self.knots[k] = ends[0];
            self.factors[k] = (f32::from(PARTS) / length).min(f32::MAX);
            self.lengths[k] = length / f32::from(PARTS);
        }
    }

    /// The ends of the values with codes from `least` to `most`, to within a part; `None` where that is not near enough.
    #[inline(always)]
    pub(super) fn ends(&self, least: u8, most: u8) -> Option<[f32; 2]> {
        // Parts of a range that overflows are not equal.
        if most - least < WIDE || self.most - self.least > f32::MAX {
            return None;
        }
        // The middle of a part: its rows are as often above it as below.
        let at = |code: u8| match code {
            0 => self.least,
            u8::MAX => self.most,
            _ => {
                let segment = usize::from((code - 1) / PARTS) % SEGMENTS;
                self.knots[segment] + (f32::from((code - 1) % PARTS) + 0.5) * self.lengths[segment]
            }
        };
        Some([at(least), at(most)])
    }

    /// The code of a value.
    #[inline(always)]
    pub(super) fn code(&self, value: f32) -> u8 {
        code(value, [self.least, self.most], |k| (self.knots[k], self.factors[k]))
    }
}

/// The code of a value between `least` and `most`, given where a segment begins and its parts a unit. Each step keeps the order.
#[inline(always)]
fn code(value: f32, [least, most]: [f32; 2], segment: impl Fn(usize) -> (f32, f32)) -> u8 {
    let mut sum = 0.0;
    for k in 0..SEGMENTS {
        let (knot, factor) = segment(k);
        let parts = (value - knot) * factor;
        let parts = if parts > 0.0 { parts } else { 0.0 };
        sum += if parts < f32::from(PARTS) { parts } else { f32::from(PARTS) };
    }
    const LAST: f32 = (SEGMENTS as u8 * PARTS - 1) as f32;
    let sum = if sum < LAST { sum } else { LAST };
    // SAFETY: the sum is from 0 to `LAST`.
    let inside = 1 + unsafe { sum.to_int_unchecked::<i32>() };
    let code = if value >= most { 255 } else { inside };
    (if value <= least { 0 } else { code }) as u8
}

/// The scales of all features, one quantity after another, as many values are coded at once.
struct Scales {
    least: Vec<f32>,
    most: Vec<f32>,
    knots: [Vec<f32>; SEGMENTS],
    factors: [Vec<f32>; SEGMENTS],
}

impl Scales {
    fn of(scales: &[Scale]) -> Scales {
        let all = |of: &dyn Fn(&Scale) -> f32| scales.iter().map(of).collect();
        Scales {
            least: all(&|scale| scale.least),
            most: all(&|scale| scale.most),
            knots: std::array::from_fn(|k| all(&|scale| scale.knots[k])),
            factors: std::array::from_fn(|k| all(&|scale| scale.factors[k])),
        }
    }
}

multiversion! {
    fn encode(values: &[f32], scales: &Scales, codes: &mut [u8]) {
        let n = scales.least.len();
        // Slices of a known length: the loop over the features is then one over vectors of them.
        let (least, most) = (&scales.least[..n], &scales.most[..n]);
        let knots: [&[f32]; SEGMENTS] = std::array::from_fn(|k| &scales.knots[k][..n]);
        let factors: [&[f32]; SEGMENTS] = std::array::from_fn(|k| &scales.factors[k][..n]);
        for (values, codes) in values.chunks_exact(n).zip(codes.chunks_exact_mut(n)) {
            for f in 0..n {
                codes[f] = code(values[f], [least[f], most[f]], |k| (knots[k][f], factors[k][f]));
            }
        }
    }

    fn widen(row: &[f32], least: &mut [f32], most: &mut [f32]) {
        for ((value, least), most) in row.iter().zip(least).zip(most) {
            *least = if *value < *least { *value } else { *least };
            *most = if *value > *most { *value } else { *most };
        }
    }
}

impl Table {
    /// Copies and codes the values of `x`. Codes depend on the values of the rows with a weight and on these weights alone, not on the order of the rows: a
    /// row of weight 2 is as two rows, and one without weight as none.
    pub fn new(x: MatRef<'_>, weights: Option<&[f32]>, pool: &Pool) -> Table {
        let (n_rows, n_features) = (x.n_rows(), x.n_cols());
        let stride = n_rows.next_multiple_of(STRIDE);
        let mut table = Table {
            n_rows,
            scales: scales(x, weights, pool),
            values: Pages::zeros(n_rows * n_features),
            codes: Pages::zeros(n_rows * n_features),
            columns: Pages::zeros(n_features * stride),
            stride,
        };
        if n_features == 0 {
            return table;
        }
        table.values.copy_from_slice(x.as_slice());
        let scales = Scales::of(&table.scales);
        let Table { values, codes, columns, .. } = &mut table;
        pool.for_each_chunk(codes, ROWS_A_PIECE * n_features, |piece, codes| {
            encode(&values[piece * ROWS_A_PIECE * n_features..][..codes.len()], &scales, codes);
        });
        pool.for_each_chunk(columns, COLUMNS_A_PIECE * stride, |piece, columns| {
            for (i, row) in codes.chunks_exact(n_features).enumerate() {
                let codes = &row[piece * COLUMNS_A_PIECE..];
                for (column, code) in columns.chunks_exact_mut(stride).zip(codes) {
                    column[i] = *code;
                }
            }
        });
        table
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of features.
    pub fn n_features(&self) -> usize {
        self.scales.len()
    }

    /// The value of a feature in a row.
    ///
    /// # Panics
    /// When there is none.
    #[inline(always)]
    pub fn value(&self, row: u32, feature: u32) -> f32 {
        self.values[row as usize * self.scales.len() + feature as usize]
    }

    /// Whether columns are read as a whole for a node of `n_rows`.
    pub(super) fn is_large(&self, n_rows: usize) -> bool {
        n_rows >= FEWEST_ROWS.max(self.n_rows / FEWEST_NODES)
    }

    pub(super) fn scale(&self, feature: u32) -> &Scale {
        &self.scales[feature as usize]
    }

    /// The code of a feature in a row.
    ///
    /// # Panics
    /// When there is none.
    #[inline(always)]
    fn code(&self, row: u32, feature: u32) -> u8 {
        self.codes[row as usize * self.scales.len() + feature as usize]
    }

    /// Whether the values of a feature are up to a threshold, in a row.
    ///
    /// # Panics
    /// When there is no such feature, or, of the result, when there is no such row.
    pub fn up_to(&self, feature: u32, threshold: f32) -> impl Fn(u32) -> bool + '_ {
        let shared = self.scale(feature).code(threshold);
        move |row| match self.code(row, feature) {
            code if code != shared => code < shared,
            // The least value alone has the code 0.
            0 => true,
            _ => self.value(row, feature) <= threshold,
        }
    }

    /// The codes, row after row.
    #[inline(always)]
    pub(super) fn codes(&self) -> &[u8] {
        &self.codes
    }

    /// The codes of a column; behind its end are zeros.
    pub(super) fn column(&self, feature: u32) -> &[u8] {
        &self.columns[feature as usize * self.stride..][..self.stride]
    }
}

/// The scales of the features of the rows with a weight.
fn scales(x: MatRef<'_>, weights: Option<&[f32]>, pool: &Pool) -> Vec<Scale> {
    let (n_rows, n_features) = (x.n_rows(), x.n_cols());
    let weight = |row: usize| weights.map_or(1.0, |weights| f64::from(weights[row]));
    let mut scales = vec![Scale::NONE; n_features];
    let of_piece = |piece: usize| {
        let (mut least, mut most) = (vec![Scale::NONE.least; n_features], vec![Scale::NONE.most; n_features]);
        let rows = piece * ROWS_A_PIECE..n_rows.min((piece + 1) * ROWS_A_PIECE);
        rows.filter(|row| weight(*row) > 0.0).for_each(|row| widen(x.row(row), &mut least, &mut most));
        (least, most)
    };
    for (least, most) in pool.map(n_rows.div_ceil(ROWS_A_PIECE), of_piece) {
        for ((scale, least), most) in scales.iter_mut().zip(least).zip(most) {
            scale.least = scale.least.min(least);
            scale.most = scale.most.max(most);
        }
    }
    pool.for_each_chunk(&mut scales, FEATURES_A_PIECE, |piece, scales| {
        let mut sums = [[0.0; BINS]; FEATURES_A_PIECE];
        let bins = |scale: &Scale| (BINS as f64 / (f64::from(scale.most) - f64::from(scale.least))) as f32;
        let bins: Vec<f32> = scales.iter().map(bins).collect();
        for row in (0..n_rows).filter(|row| weight(*row) > 0.0) {
            let (weight, values) = (weight(row), &x.row(row)[piece * FEATURES_A_PIECE..]);
            for (((value, scale), bins), sums) in values.iter().zip(&*scales).zip(&bins).zip(&mut sums) {
                // The least value has a code of its own, however often it occurs.
                let weight = if *value > scale.least { weight } else { 0.0 };
                sums[(((*value - scale.least) * bins) as usize).min(BINS - 1)] += weight;
            }
        }
        scales.iter_mut().zip(&sums).for_each(|(scale, sums)| scale.divide(sums));
    });
    scales
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_the_order() {
        let mut random = crate::Philox::new(1, 0, 0).sequence(0, 0);
        let mut n_wide = 0;
        let special = [-3.4e38, -1.0, -0.0, 0.0, f32::MIN_POSITIVE, 1.0, 1.0f32.next_up(), 3.4e38];
        for (least, most) in [(-3.4e38, 3.4e38), (0.0, 1.0), (1.0, 1.0f32.next_up()), (2.0, 2.0), (-0.0, 0.0)]
        {
            for power in [1, 2, 9] {
                let range = f64::from(most) - f64::from(least);
                let mut value = || (f64::from(least) + random.uniform().powi(power) * range) as f32;
                let mut values: Vec<f32> = (0..500).map(|_| value()).chain(special).collect();
                values.retain(|value| (least..=most).contains(value));
                values.sort_by(f32::total_cmp);
                let mut x = values.clone();
                x.extend([least, most]);
                let table = Table::new(MatRef::new(&x, x.len(), 1), None, &Pool::inline());
                let scale = table.scale(0);
                assert!(values.is_sorted_by_key(|value| scale.code(*value)), "{least} {most}");
                assert_eq!(scale.code(least), 0);
                assert!(most == least || scale.code(most) == 255);
                for (i, low) in values.iter().enumerate() {
                    for high in &values[i..] {
                        let Some(ends) = scale.ends(scale.code(*low), scale.code(*high)) else { continue };
                        n_wide += 1;
                        let codes = [*low, *high, ends[0], ends[1]].map(|end| i32::from(scale.code(end)));
                        assert!((codes[0] - codes[2]).abs() <= 1 && (codes[1] - codes[3]).abs() <= 1);
                    }
                }
            }
        }
        assert!(n_wide > 100_000, "{n_wide}");
    }

    #[test]
    fn codes_have_about_as_many_rows() {
        let mut random = crate::Philox::new(2, 0, 0).sequence(0, 0);
        // Most values are the least, and the others are skewed.
        let mut value = || (random.uniform() - 0.6).max(0.0).powi(3) as f32;
        let x: Vec<f32> = (0..20_000).map(|_| value()).collect();
        let table = Table::new(MatRef::new(&x, 10_000, 2), None, &Pool::inline());
        let mut counts = [0; 256];
        table.column(0)[..10_000].iter().for_each(|code| counts[usize::from(*code)] += 1);
        assert!((5_800..6_200).contains(&counts[0]), "{counts:?}");
        let n_used = counts.iter().filter(|count| **count > 0).count();
        assert!(n_used > 230 && counts[1..].iter().all(|count| *count < 300), "{n_used} {counts:?}");
    }

    #[test]
    fn a_row_of_weight_2_is_two_rows_and_one_without_weight_is_none() {
        let x: Vec<f32> = (0..90).map(|i| (i * i % 37) as f32).collect();
        let weights: Vec<f32> = (0..30).map(|i| (i % 3) as f32).collect();
        let row = |i: usize| x[i * 3..(i + 1) * 3].to_vec();
        let turned: Vec<f32> = (0..30).rev().flat_map(|i| row(i).repeat(i % 3)).collect();
        let weighted = Table::new(MatRef::new(&x, 30, 3), Some(&weights), &Pool::inline());
        let repeated = Table::new(MatRef::new(&turned, turned.len() / 3, 3), None, &Pool::inline());
        for f in 0..3 {
            assert_eq!(format!("{:?}", weighted.scale(f)), format!("{:?}", repeated.scale(f)));
        }
        let all = Table::new(MatRef::new(&x, 30, 3), None, &Pool::inline());
        assert_ne!(format!("{:?}", weighted.scale(0)), format!("{:?}", all.scale(0)));
    }

    #[test]
    fn columns_are_the_rows_turned() {
        let (n_rows, n_features) = (300, 130);
        let x: Vec<f32> = (0..n_rows * n_features).map(|i| (i * 7919 % 1013) as f32).collect();
        let table = Table::new(MatRef::new(&x, n_rows, n_features), None, &Pool::new(3).unwrap());
        for f in 0..n_features as u32 {
            let column = table.column(f);
            for (i, code) in column.iter().enumerate().take(n_rows) {
                assert_eq!(*code, table.scale(f).code(table.value(i as u32, f)));
                assert_eq!(*code, table.codes()[i * n_features + f as usize]);
            }
            assert!(column[n_rows..].iter().all(|code| *code == 0));
        }
    }
}
