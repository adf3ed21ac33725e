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

/// The targets of a batch.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'t> {
    /// The class of each row, and the weight of each row where rows have weights.
    Classes(&'t [u32], Option<&'t [f32]>),
    /// The class of each row for the scores; for the loss a number for each class, `n_rows x n_classes`: the target times the
    /// weight of the row.
    Soft(&'t [u32], &'t [f32]),
}

impl<'t> Targets<'t> {
    /// The class of each row.
    pub fn classes(self) -> &'t [u32] {
        match self {
            Targets::Classes(classes, _) | Targets::Soft(classes, _) => classes,
        }
    }
}

/// Soft targets of rows of `classes`, `n_rows x n_classes`, with label smoothing (Szegedy et al., "Rethinking the inception
/// architecture for computer vision", 2016) as Keras has it: `(1 - smoothing) onehot(y) + smoothing / n_classes`. With `weights`,
/// one for each row, a row is multiplied by its weight.
///
/// # Panics
/// When the lengths do not fit, or a class is not below `n_classes`.
pub fn smooth(
    targets: &mut [f32],
    n_classes: usize,
    classes: &[u32],
    weights: Option<&[f32]>,
    smoothing: f64,
) {
    let (even, own) = ((smoothing / n_classes as f64) as f32, (1.0 - smoothing) as f32);
    for (i, (target, &class)) in targets.chunks_exact_mut(n_classes).zip(classes).enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[i]);
        target.fill(even * weight);
        target[class as usize] += own * weight;
    }
}

/// The same as [`softmax_loss`] for a soft target: `-sum(target ln(p))`.
pub fn soft_loss(row: &mut [f32], target: &[f32]) -> f32 {
    // Of differences to the largest logit, which cancel less.
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weighted: f32 = row.iter().zip(target).map(|(z, t)| t * (z - largest)).sum();
    let mut log_sum = [0.0];
    let width = row.len();
    softmax(row, &mut log_sum, width);
    target.iter().sum::<f32>() * (log_sum[0] - largest) - weighted
}

/// Probabilities below count as zero in a gradient: what flows back of them would become subnormal on its way, and could
/// not move a weight.
const MIN_PROBABILITY: f32 = 1e-20;

/// Turns the probabilities of rows into the gradient of their mean loss with respect to the logits. The loss of a row is
/// multiplied by its weight; the mean is still over the number of rows, as in Keras.
///
/// # Panics
/// When the lengths do not fit.
pub fn gradient(probabilities: &mut [f32], targets: Targets<'_>) {
    match targets {
        Targets::Classes(y, weights) => gradient_of_classes(probabilities, y, weights),
        Targets::Soft(y, targets) => soft_gradient(probabilities, targets, y.len()),
    }
}

/// `sum(target) p - target` of each row, over the number of rows.
fn soft_gradient(probabilities: &mut [f32], targets: &[f32], n_rows: usize) {
    let mean = 1.0 / n_rows as f32;
    let width = (probabilities.len() / n_rows.max(1)).max(1);
    for (row, target) in probabilities.chunks_exact_mut(width).zip(targets.chunks_exact(width)) {
        let total: f32 = target.iter().sum();
        for (p, target) in row.iter_mut().zip(target) {
            let probability = if *p < MIN_PROBABILITY { 0.0 } else { *p };
            *p = (total * probability - target) * mean;
        }
    }
}

fn gradient_of_classes(probabilities: &mut [f32], y: &[u32], weights: Option<&[f32]>) {
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
            gradient(&mut got, Targets::Classes(&y, None));
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
        gradient(&mut plain, Targets::Classes(&[0, 2], None));
        gradient(&mut weighted, Targets::Classes(&[0, 2], Some(&[4.0, 0.5])));
        let expected = plain.iter().enumerate().map(|(i, value)| value * if i < 3 { 4.0 } else { 0.5 });
        assert_eq!(weighted.to_vec(), expected.collect::<Vec<_>>());
    }

    /// Keras: `y_true * (1 - label_smoothing) + label_smoothing / n_classes`.
    #[test]
    fn smoothed_targets_by_hand() {
        let mut targets = [9.0; 8];
        smooth(&mut targets, 4, &[2, 0], Some(&[1.0, 2.0]), 0.25);
        assert_eq!(targets, [0.0625, 0.0625, 0.8125, 0.0625, 1.625, 0.125, 0.125, 0.125]);
    }

    #[test]
    fn soft_loss_and_gradient_agree_with_finite_differences() {
        let (width, y) = (5, [0, 3, 4]);
        let mut targets = vec![0.0; 15];
        smooth(&mut targets, width, &y, Some(&[1.0, 0.5, 2.0]), 0.3);
        let logits: Vec<f32> = (0..15).map(|i| ((i * 29 % 23) as f32 - 11.0) * 0.3).collect();
        let mean_loss = |logits: &[f32]| {
            let losses = logits.chunks(width).zip(targets.chunks(width)).map(|(row, target)| {
                let sum: f64 = row.iter().map(|z| f64::from(*z).exp()).sum();
                row.iter().zip(target).map(|(z, t)| f64::from(*t) * (sum.ln() - f64::from(*z))).sum::<f64>()
            });
            losses.sum::<f64>() / 3.0
        };
        let mut got = logits.clone();
        let losses =
            got.chunks_mut(width).zip(targets.chunks(width)).map(|(row, target)| soft_loss(row, target));
        let loss = losses.map(f64::from).sum::<f64>() / 3.0;
        assert!((loss - mean_loss(&logits)).abs() < 1e-6, "{loss}, expected {}", mean_loss(&logits));
        gradient(&mut got, Targets::Soft(&y, &targets));
        for i in 0..logits.len() {
            let at = |step: f32| {
                let mut logits = logits.clone();
                logits[i] += step;
                (mean_loss(&logits), f64::from(logits[i]))
            };
            let ((up, to), (down, from)) = (at(1e-2), at(-1e-2));
            assert!((f64::from(got[i]) - (up - down) / (to - from)).abs() < 1e-5);
        }
    }

    /// A target of one class alone gives what the class gives.
    #[test]
    fn hard_soft_targets_are_classes() {
        let (mut a, mut b) = ([1.0, -2.0, 0.5], [1.0, -2.0, 0.5]);
        assert!((softmax_loss(&mut a, 1) - soft_loss(&mut b, &[0.0, 1.0, 0.0])).abs() < 1e-6);
        assert_eq!(a, b);
        assert!(!soft_loss(&mut [f32::NAN, 0.0], &[0.5, 0.5]).is_finite());
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
        gradient(&mut rows, Targets::Classes(&[0, 0], None));
        assert_eq!([rows[0], rows[1], rows[2], rows[3], rows[5]], [0.0, 5e-20, 0.0, 0.5 - 0.5, 0.0]);
        assert!(rows[4].is_nan());
    }
}
