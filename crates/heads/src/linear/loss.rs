//! The losses of a block of rows and their residuals, the derivatives with respect to the scores.
//!
//! Scores are `f32`. Where a row is classified with confidence, its loss and its residual are differences of nearly equal
//! numbers; both are computed from the probability of the other classes instead, which is as exact as the scores are.

use headsmith_kernels::softmax::softmax;

/// A row's target: the position of its class among the scores (0 or 1 with one score), and its weight in the loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) class: usize,
    pub(super) weight: f64,
}

/// Turns scores, `targets.len() x n_scores`, into residuals, and returns the sum of the losses. With one score it is the
/// logistic loss: the score is the logarithm of the odds of class 1.
pub(super) fn residuals(scores: &mut [f32], n_scores: usize, targets: &[Target]) -> f64 {
    let mut sum = 0.0;
    residuals_each(scores, n_scores, targets, |i, loss| sum += targets[i].weight * loss);
    sum
}

/// As [`residuals`]; `each` gets every row and its loss, which is not weighted.
pub(super) fn residuals_each(
    scores: &mut [f32],
    n_scores: usize,
    targets: &[Target],
    mut each: impl FnMut(usize, f64),
) {
    match n_scores {
        1 => scores
            .iter_mut()
            .zip(targets)
            .enumerate()
            .for_each(|(i, (score, target))| each(i, logistic(score, *target))),
        _ => multinomial(scores, n_scores, targets, each),
    }
}

/// `ln(1 + exp(m))` with m the score against the row's class.
fn logistic(score: &mut f32, Target { class, weight }: Target) -> f64 {
    let sign = if class == 1 { -1.0 } else { 1.0 };
    let against = sign * f64::from(*score);
    let small = (-against.abs()).exp();
    let probability = if against > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
    *score = (weight * sign * probability) as f32;
    against.max(0.0) + small.ln_1p()
}

/// `-ln(p[class])` with p the softmax of the scores; the residuals are `p - onehot(class)`.
fn multinomial(scores: &mut [f32], n_scores: usize, targets: &[Target], mut each: impl FnMut(usize, f64)) {
    let own: Vec<f32> =
        scores.chunks_exact(n_scores).zip(targets).map(|(row, target)| row[target.class]).collect();
    let mut log_sums = vec![0.0; targets.len()];
    softmax(scores, &mut log_sums, n_scores);
    let rows = scores.chunks_exact_mut(n_scores).zip(targets).zip(own.iter().zip(&log_sums));
    for (i, ((row, &Target { class, weight }), (own, log_sum))) in rows.enumerate() {
        row[class] = 0.0;
        let others: f64 = row.iter().map(|p| f64::from(*p)).sum();
        row.iter_mut().for_each(|p| *p = (weight * f64::from(*p)) as f32);
        row[class] = (-weight * others) as f32;
        let loss = if others < 0.5 { -(-others).ln_1p() } else { f64::from(*log_sum) - f64::from(*own) };
        each(i, loss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(scores: &[f64], class: usize) -> f64 {
        let scores = if let [score] = scores { vec![0.0, *score] } else { scores.to_vec() };
        let max = scores.iter().copied().fold(f64::MIN, f64::max);
        scores.iter().map(|s| (s - max).exp()).sum::<f64>().ln() + max - scores[class]
    }

    #[test]
    fn losses_and_residuals_agree_with_finite_differences() {
        for n_scores in [1, 2, 3, 20] {
            let targets: Vec<Target> =
                (0..8).map(|i| Target { class: i % n_scores.max(2), weight: 0.5 + i as f64 }).collect();
            let scores: Vec<f32> = (0..8 * n_scores).map(|i| (i * 29 % 23) as f32 * 0.5 - 5.0).collect();
            let mut got = scores.clone();
            let sum = residuals(&mut got, n_scores, &targets);
            let loss = |i: usize, step: f64| {
                let mut row: Vec<f64> =
                    scores[i / n_scores * n_scores..][..n_scores].iter().map(|s| f64::from(*s)).collect();
                row[i % n_scores] += step;
                targets[i / n_scores].weight * naive(&row, targets[i / n_scores].class)
            };
            let expected: f64 = (0..8).map(|row| loss(row * n_scores, 0.0)).sum();
            assert!((sum - expected).abs() < 1e-5 * expected, "{sum}, expected {expected}");
            for (i, got) in got.iter().enumerate() {
                let slope = (loss(i, 1e-4) - loss(i, -1e-4)) / 2e-4;
                assert!((f64::from(*got) - slope).abs() < 1e-5, "{got}, expected {slope}");
            }
        }
    }

    #[test]
    fn confident_rows_keep_their_digits() {
        let target = |class| [Target { class, weight: 1.0 }];
        for margin in [5.0, 14.0, 30.0, 60.0] {
            let tail = (-f64::from(margin)).exp();
            let mut scores = [20.0 + margin, 20.0, 20.0];
            let loss = residuals(&mut scores, 3, &target(0));
            assert!((loss / (2.0 * tail).ln_1p() - 1.0).abs() < 1e-6);
            assert!((f64::from(scores[0]) / (-2.0 * tail / (1.0 + 2.0 * tail)) - 1.0).abs() < 1e-6);
            let mut score = [margin];
            assert!((residuals(&mut score, 1, &target(1)) / tail.ln_1p() - 1.0).abs() < 1e-12);
            assert!((f64::from(score[0]) / (-tail / (1.0 + tail)) - 1.0).abs() < 1e-6);
            // And hopeless ones have their loss.
            let mut scores = [0.0, margin * 10.0, -1.0];
            assert_eq!(residuals(&mut scores, 3, &target(0)), f64::from(margin * 10.0));
            assert_eq!(residuals(&mut [margin * 100.0], 1, &target(0)), f64::from(margin * 100.0));
        }
    }

    #[test]
    fn what_is_no_number_is_no_loss() {
        let target = [Target { class: 0, weight: 1.0 }];
        assert!(!residuals(&mut [f32::NAN, 0.0], 2, &target).is_finite());
        assert!(!residuals(&mut [f32::INFINITY, 0.0], 2, &target).is_finite());
        assert!(!residuals(&mut [f32::NAN], 1, &target).is_finite());
    }
}
