//! The categorical cross-entropy of a softmax: `-ln(p[y])`, in nats, with `p = softmax(z)`.
//!
//! It is computed from the logits, `ln(sum(exp(z))) - z[y]`, and its gradient with respect to them is
//! `p - onehot(y)`. Keras does the same where it can see the logits behind a softmax (TensorFlow); on its other
//! backends it clips the probabilities to `1e-7 .. 1 - 1e-7`, which differs only beyond those.

use headsmith_kernels::softmax::softmax;

/// Turns a row of logits into probabilities and gives the loss of the true class. Not finite if a logit is not.
///
/// # Panics
/// When `true_class` is not below the length of the row.
pub fn softmax_loss(row: &mut [f32], true_class: usize) -> f32 {
    let true_logit = row[true_class];
    let mut log_sum = [0.0];
    let width = row.len();
    softmax(row, &mut log_sum, width);
    log_sum[0] - true_logit
}

/// Probabilities below count as zero in a gradient: what flows back of them would become subnormal on its way, and could
/// not move a weight.
const MIN_PROBABILITY: f32 = 1e-20;

/// Turns the probabilities of `y.len()` rows into the gradient of their mean loss with respect to the logits. With
/// `weights`, one for each row, its loss is multiplied by its weight; the mean is still over the number of rows, as in Keras.
///
/// # Panics
/// When the lengths do not fit.
pub fn gradient(probabilities: &mut [f32], y: &[u32], weights: Option<&[f32]>) {
    let mean = 1.0 / y.len() as f32;
    let width = probabilities.len() / y.len().max(1);
    for (i, (row, true_class)) in probabilities.chunks_exact_mut(width.max(1)).zip(y).enumerate() {
        let true_class = *true_class as usize;
        let scale = weights.map_or(mean, |weights| mean * weights[i]);
        // NaN stays, so that a divergence is detected.
        row.iter_mut().for_each(|p| *p = if *p < MIN_PROBABILITY { 0.0 } else { *p * scale });
        row[true_class] -= scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_loss(logits: &[f32], y: &[u32], width: usize) -> f64 {
        let losses = logits.chunks(width).zip(y).map(|(row, y)| {
            let sum: f64 = row.iter().map(|z| f64::from(*z).exp()).sum();
            sum.ln() - f64::from(row[*y as usize])
        });
        losses.sum::<f64>() / y.len() as f64
    }

    #[test]
    fn loss_and_gradient_agree_with_finite_differences() {
        for width in [2, 3, 20] {
            let y = [0, 1, 1, 0];
            let logits: Vec<f32> = (0..4 * width).map(|i| ((i * 29 % 23) as f32 - 11.0) * 0.3).collect();
            let mut probabilities = logits.clone();
            let losses = probabilities.chunks_mut(width).zip(y).map(|(row, y)| softmax_loss(row, y as usize));
            let loss = losses.map(f64::from).sum::<f64>() / 4.0;
            assert!((loss - mean_loss(&logits, &y, width)).abs() < 1e-6);
            let mut got = probabilities;
            gradient(&mut got, &y, None);
            for i in 0..logits.len() {
                let at = |step: f32| {
                    let mut logits = logits.clone();
                    logits[i] += step;
                    (mean_loss(&logits, &y, width), f64::from(logits[i]))
                };
                let ((up, to), (down, from)) = (at(1e-2), at(-1e-2));
                assert!((f64::from(got[i]) - (up - down) / (to - from)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn the_gradient_of_a_row_is_times_its_weight() {
        let probabilities = [0.5, 0.25, 0.25, 0.125, 0.5, 0.375];
        let (mut plain, mut weighted) = (probabilities, probabilities);
        gradient(&mut plain, &[0, 2], None);
        gradient(&mut weighted, &[0, 2], Some(&[4.0, 0.5]));
        let expected = plain.iter().enumerate().map(|(i, value)| value * if i < 3 { 4.0 } else { 0.5 });
        assert_eq!(weighted.to_vec(), expected.collect::<Vec<_>>());
    }

    #[test]
    fn hopeless_rows_have_a_finite_loss_and_broken_ones_none() {
        assert_eq!(softmax_loss(&mut [200.0, 0.0], 1), 200.0);
        assert!(!softmax_loss(&mut [f32::NAN, 0.0], 1).is_finite());
        assert!(!softmax_loss(&mut [f32::INFINITY, 0.0], 1).is_finite());
    }

    #[test]
    fn what_could_not_move_a_weight_does_not_flow_back() {
        let mut rows = [1.0, 1e-19, 1e-21, 1.0, f32::NAN, 1e-38];
        gradient(&mut rows, &[0, 0], None);
        assert_eq!([rows[0], rows[1], rows[2], rows[3], rows[5]], [0.0, 5e-20, 0.0, 0.5 - 0.5, 0.0]);
        assert!(rows[4].is_nan());
    }
}
