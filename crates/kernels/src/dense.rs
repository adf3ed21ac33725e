//! What surrounds the matrix products of a dense layer: bias, rectifier and their gradients.

#![allow(unsafe_code)]

use crate::multiversion::multiversion;

multiversion! {
    /// Adds `bias` to each row of `rows`.
    pub fn add_bias(rows: &mut [f32], bias: &[f32]) {
        for row in rows.chunks_exact_mut(bias.len()) {
            for (value, bias) in row.iter_mut().zip(bias) {
                *value += bias;
            }
        }
    }

    /// `max(row + bias, 0)` for each row of `rows`. NaN stays NaN, so that a divergence is seen.
    pub fn add_bias_relu(rows: &mut [f32], bias: &[f32]) {
        for row in rows.chunks_exact_mut(bias.len()) {
            for (value, bias) in row.iter_mut().zip(bias) {
                let z = *value + bias;
                *value = if z < 0.0 { 0.0 } else { z };
            }
        }
    }

    /// Turns the gradient of a rectifier's output into that of its input: zero where the output was.
    pub fn relu_backward(gradient: &mut [f32], output: &[f32]) {
        for (gradient, output) in gradient.iter_mut().zip(output) {
            *gradient = if *output > 0.0 { *gradient } else { 0.0 };
        }
    }

    /// The sums of the columns of `rows`, one for each element of `sums`.
    pub fn column_sums(sums: &mut [f32], rows: &[f32]) {
        sums.fill(0.0);
        for row in rows.chunks_exact(sums.len()) {
            for (sum, value) in sums.iter_mut().zip(row) {
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
        let mut rows = [1.0, -2.0, 3.0, -4.0];
        add_bias(&mut rows, &[0.5, 1.0]);
        assert_eq!(rows, [1.5, -1.0, 3.5, -3.0]);
        add_bias_relu(&mut rows, &[-2.0, 2.0]);
        assert_eq!(rows, [0.0, 1.0, 1.5, 0.0]);
        let mut gradient = [1.0, 2.0, 3.0, 4.0];
        relu_backward(&mut gradient, &rows);
        assert_eq!(gradient, [0.0, 2.0, 3.0, 0.0]);
        add_bias_relu(&mut rows, &[f32::NAN, 0.0]);
        assert!(rows[0].is_nan());
    }

    #[test]
    fn columns_are_summed_for_any_width() {
        for (n_rows, width) in [(1, 1), (3, 7), (10, 64), (5, 33)] {
            let rows: Vec<f32> = (0..n_rows * width).map(|v| v as f32).collect();
            let mut sums = vec![f32::NAN; width];
            column_sums(&mut sums, &rows);
            for (j, sum) in sums.iter().enumerate() {
                assert_eq!(*sum, (0..n_rows).map(|i| rows[i * width + j]).sum::<f32>());
            }
        }
    }
}
