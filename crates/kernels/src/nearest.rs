//! The search for nearest rows: which scores of a product may matter, and the exact distances of those that do.

#![allow(unsafe_code)]

use crate::gemm::Block;
use crate::multiversion::multiversion;

/// Columns that are compared at a time, and lanes of the sums of squares.
const LANES: usize = 16;

/// A row's part in the upper bounds of its scores: `value * factor + slack * column slack + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RowTerms {
    /// The factor of the row's values of the product.
    pub factor: f32,
    /// The factor of the slack of the column.
    pub slack: f32,
    /// The constant.
    pub offset: f32,
}

/// An upper bound of a score that is above the threshold of its column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The row of the product.
    pub row: u32,
    /// The column of the product.
    pub column: u32,
    /// The upper bound.
    pub bound: f32,
}

/// Rows of features in single precision, each with the factor by which it is multiplied in double precision.
#[derive(Debug, Clone, Copy)]
pub struct Scaled<'a> {
    /// The values, row after row.
    pub values: &'a [f32],
    /// A factor for each row.
    pub factors: &'a [f64],
}

multiversion! {
    /// Appends the upper bounds of the block's scores that are above the thresholds of their columns to `hits`, row after
    /// row. `rows`, `slacks` and `thresholds` are those of the whole product.
    pub fn collect_above(
        block: &mut Block<'_>,
        rows: &[RowTerms],
        slacks: &[f32],
        thresholds: &[f32],
        hits: &mut Vec<Hit>,
    ) {
        let (first_row, first_column) = (block.first_row(), block.first_column());
        let columns = first_column..first_column + block.n_columns();
        let (slacks, last_slacks) = slacks[columns.clone()].as_chunks::<LANES>();
        let (thresholds, last_thresholds) = thresholds[columns].as_chunks::<LANES>();
        for i in 0..block.n_rows() {
            let terms = rows[first_row + i];
            let row = (first_row + i) as u32;
            let (values, last) = block.row(i).0.as_chunks::<LANES>();
            for (piece, (values, (slacks, thresholds))) in values.iter().zip(slacks.iter().zip(thresholds)).enumerate() {
                collect_piece((row, first_column + piece * LANES), terms, (values, slacks, thresholds), hits);
            }
            if !last.is_empty() {
                let padded = |from: &[f32], rest: f32| {
                    let mut to = [rest; LANES];
                    to[..from.len()].copy_from_slice(from);
                    to
                };
                let (values, slacks) = (padded(last, 0.0), padded(last_slacks, 0.0));
                let thresholds = padded(last_thresholds, f32::INFINITY);
                let first = first_column + block.n_columns() / LANES * LANES;
                collect_piece((row, first), terms, (&values, &slacks, &thresholds), hits);
            }
        }
    }

    /// The squared Euclidean distances of `pairs` of a row of `rows` and one of `queries`, both of `n_features` values and each multiplied by its
    /// factor first: one for each element of `distances`. The sums have fixed lanes.
    pub fn squared_distances(
        distances: &mut [f64],
        pairs: &[(u32, u32)],
        rows: Scaled<'_>,
        queries: Scaled<'_>,
        n_features: usize,
    ) {
        for (distance, &(row, query)) in distances.iter_mut().zip(pairs) {
            let (row, query) = (row as usize, query as usize);
            let factors = [rows.factors[row], queries.factors[query]];
            let (whole, rest) = rows.values[row * n_features..][..n_features].as_chunks::<LANES>();
            let (others, last) = queries.values[query * n_features..][..n_features].as_chunks::<LANES>();
            let mut lanes = [0.0; LANES];
            for (row, query) in whole.iter().zip(others) {
                add_squares(&mut lanes, row, query, factors);
            }
            if !rest.is_empty() {
                let (mut row, mut query) = ([0.0; LANES], [0.0; LANES]);
                row[..rest.len()].copy_from_slice(rest);
                query[..last.len()].copy_from_slice(last);
                add_squares(&mut lanes, &row, &query, factors);
            }
            let mut width = LANES / 2;
            while width > 0 {
                for i in 0..width {
                    lanes[i] += lanes[i + width];
                }
                width /= 2;
            }
            *distance = lanes[0];
        }
    }
}

/// Appends the hits among the values of a row from column `first` on.
#[inline(always)]
fn collect_piece(
    (row, first): (u32, usize),
    RowTerms { factor, slack, offset }: RowTerms,
    (values, slacks, thresholds): (&[f32; LANES], &[f32; LANES], &[f32; LANES]),
    hits: &mut Vec<Hit>,
) {
    let (mut bounds, mut bits) = ([0.0; LANES], [0u32; LANES]);
    for j in 0..LANES {
        bounds[j] = values[j] * factor + slack * slacks[j] + offset;
        bits[j] = if bounds[j] > thresholds[j] { 1 << j } else { 0 };
    }
    let mut width = LANES / 2;
    while width > 0 {
        for j in 0..width {
            bits[j] |= bits[j + width];
        }
        width /= 2;
    }
    let mut left = bits[0];
    while left != 0 {
        let j = left.trailing_zeros() as usize;
        hits.push(Hit { row, column: (first + j) as u32, bound: bounds[j] });
        left &= left - 1;
    }
}

/// Adds the squares of the differences to the lanes.
#[inline(always)]
fn add_squares(lanes: &mut [f64; LANES], a: &[f32; LANES], b: &[f32; LANES], factors: [f64; 2]) {
    for i in 0..LANES {
        let difference = f64::from(a[i]) * factors[0] - f64::from(b[i]) * factors[1];
        lanes[i] += difference * difference;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Philox;

    #[test]
    fn hits_are_those_of_the_naive_twin() {
        let mut draws = Philox::new(3, 0, 0).sequence(0, 0);
        for (n_rows, n_columns) in [(1, 1), (3, 16), (5, 37), (9, 64), (2, 15)] {
            let mut values: Vec<f32> =
                (0..n_rows * n_columns).map(|_| draws.uniform() as f32 - 0.5).collect();
            let rows: Vec<RowTerms> = (0..n_rows)
                .map(|_| RowTerms {
                    factor: draws.uniform() as f32,
                    slack: draws.uniform() as f32,
                    offset: draws.uniform() as f32 - 0.5,
                })
                .collect();
            let slacks: Vec<f32> = (0..n_columns).map(|_| draws.uniform() as f32 * 0.1).collect();
            let thresholds: Vec<f32> = (0..n_columns).map(|_| draws.uniform() as f32 - 0.2).collect();
            let mut expected = Vec::new();
            for (i, row) in values.chunks(n_columns).enumerate() {
                for (j, value) in row.iter().enumerate() {
                    let bound = value * rows[i].factor + rows[i].slack * slacks[j] + rows[i].offset;
                    if bound > thresholds[j] {
                        expected.push(Hit { row: i as u32, column: j as u32, bound });
                    }
                }
            }
            let mut hits = Vec::new();
            let mut block = Block::of_rows(&mut values, &mut [], n_columns, 0);
            collect_above(&mut block, &rows, &slacks, &thresholds, &mut hits);
            assert_eq!(hits, expected);
        }
    }

    #[test]
    fn distances_are_those_of_the_naive_twin() {
        let mut draws = Philox::new(4, 0, 0).sequence(0, 0);
        for n_features in [1, 2, 15, 16, 17, 100] {
            let mut random =
                |n: usize| -> Vec<f32> { (0..n).map(|_| draws.uniform() as f32 - 0.5).collect() };
            let (values, queries) = (random(7 * n_features), random(2 * n_features));
            let factors: Vec<f64> = (1..8).map(f64::from).collect();
            let rows = Scaled { values: &values, factors: &factors };
            let others = Scaled { values: &queries, factors: &[0.25, 3.0] };
            let pairs = [(6, 0), (0, 1), (3, 0), (3, 1)];
            let mut distances = [f64::NAN; 4];
            squared_distances(&mut distances, &pairs, rows, others, n_features);
            for (distance, (row, query)) in distances.iter().zip(pairs) {
                let value = |of: Scaled<'_>, row: u32, j: usize| {
                    f64::from(of.values[row as usize * n_features + j]) * of.factors[row as usize]
                };
                let naive: f64 =
                    (0..n_features).map(|j| (value(rows, row, j) - value(others, query, j)).powi(2)).sum();
                assert!((distance - naive).abs() <= 1e-14 * naive, "{distance}, expected {naive}");
            }
            // A row has no distance to itself.
            squared_distances(&mut distances[..1], &[(2, 2)], rows, rows, n_features);
            assert_eq!(distances[0], 0.0);
        }
    }
}
