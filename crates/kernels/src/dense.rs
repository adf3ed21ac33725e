//! The parts of a dense layer around its matrix products: bias, ReLU and their gradients.

#![allow(unsafe_code)]

use crate::gemm::Block;
use crate::multiversion::multiversion;

multiversion! {
    /// Adds `bias` to each row.
    pub fn add_bias(block: &mut Block<'_>, bias: &[f32]) {
        let bias = &bias[block.first_column()..][..block.n_columns()];
        for i in 0..block.n_rows() {
            for (value, bias) in block.row(i).0.iter_mut().zip(bias) {
                *value += bias;
            }
        }
    }

    /// `max(row + bias, 0)` for each row. NaN stays NaN, so that divergence is detected. The mask, if
    /// there is one, marks the values above zero.
    pub fn add_bias_relu(block: &mut Block<'_>, bias: &[f32]) {
        let bias = &bias[block.first_column()..][..block.n_columns()];
        for i in 0..block.n_rows() {
            let (values, mask) = block.row(i);
            for (value, bias) in values.iter_mut().zip(bias) {
                let z = *value + bias;
                *value = if z < 0.0 { 0.0 } else { z };
            }
            for (mask, value) in mask.iter_mut().zip(values) {
                *mask = u8::from(*value > 0.0);
            }
        }
    }

    /// Zeroes the values whose byte in `mask` is 0, and multiplies those by `scale` whose byte is 1. The mask is
    /// that of the whole matrix.
    pub fn apply_mask(block: &mut Block<'_>, mask: &[u8], scale: f32) {
        let width = block.width();
        for i in 0..block.n_rows() {
            let mask = &mask[(block.first_row() + i) * width + block.first_column()..];
            for (value, mask) in block.row(i).0.iter_mut().zip(mask) {
                // No branch: it would be mispredicted as often as not.
                *value = f32::from_bits(value.to_bits() & u32::from(*mask).wrapping_neg()) * scale;
            }
        }
    }

    /// The sums of the columns `first ..` of `rows` of `width` values, one for each element of `sums`.
    pub fn column_sums(sums: &mut [f32], rows: &[f32], first: usize, width: usize) {
        sums.fill(0.0);
        for row in rows.chunks_exact(width) {
            for (sum, value) in sums.iter_mut().zip(&row[first..]) {
                *sum += value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bias_and_rectifier_by_hand() {
        let (mut rows, mut mask) = ([1.0, -2.0, 3.0, -4.0], [9; 4]);
        add_bias(&mut Block::of_rows(&mut rows, &mut [], 2, 0), &[0.5, 1.0]);
        assert_eq!(rows, [1.5, -1.0, 3.5, -3.0]);
        add_bias_relu(&mut Block::of_rows(&mut rows, &mut mask, 2, 0), &[-2.0, 2.0]);
        assert_eq!((rows, mask), ([0.0, 1.0, 1.5, 0.0], [0, 1, 1, 0]));
        let mut gradient = [3.0, 4.0];
        apply_mask(&mut Block::of_rows(&mut gradient, &mut [], 2, 1), &mask, 2.0);
        assert_eq!(gradient, [6.0, 0.0]);
        add_bias_relu(&mut Block::of_rows(&mut rows, &mut mask, 2, 0), &[f32::NAN, 0.0]);
        assert!(rows[0].is_nan());
    }

    #[test]
    fn columns_are_summed_for_any_width() {
        for (n_rows, width) in [(1, 1), (3, 7), (10, 64), (5, 33)] {
            let rows: Vec<f32> = (0..n_rows * width).map(|v| v as f32).collect();
            let mut sums = vec![f32::NAN; width];
            column_sums(&mut sums, &rows, 0, width);
            for (j, sum) in sums.iter().enumerate() {
                assert_eq!(*sum, (0..n_rows).map(|i| rows[i * width + j]).sum::<f32>());
            }
            let mut some = vec![f32::NAN; width / 2];
            column_sums(&mut some, &rows, width / 3, width);
            assert_eq!(some, sums[width / 3..][..width / 2]);
        }
    }
}
