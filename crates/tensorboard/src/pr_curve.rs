//! Precision-recall curves for the PR Curves page, as `pr_curve.summary.pb` counts them.
//!
//! At threshold `t / (n - 1)`, `t` = 0 .. n - 1, a sample is predicted as positive when
//! `floor(probability * (n - 1)) >= t`. The tensor is `[6, n]`: true and false positives, true and false negatives,
//! precision, recall. Source: `tensorboard/plugins/pr_curve/summary.py`.

use prost::Message;

use crate::proto::{Tensor, Value};

/// TensorBoard's own number.
const N_THRESHOLDS: usize = 201;
/// The minimum of a quotient's denominator.
const MINIMUM_COUNT: f64 = 1e-7;

/// The PR Curves page's metadata of a tag.
#[derive(Clone, PartialEq, Message)]
struct CurveMetadata {
    #[prost(int32, tag = "1")]
    version: i32,
    #[prost(uint32, tag = "2")]
    n_thresholds: u32,
}

/// The precision-recall curve of one class. A sample is its probability of the class, in 0 to 1, and whether it has
/// the class.
pub fn pr_curve(tag: impl Into<String>, samples: impl IntoIterator<Item = (f32, bool)>) -> Value {
    let content = CurveMetadata { version: 0, n_thresholds: N_THRESHOLDS as u32 }.encode_to_vec();
    let rows = rows(samples).into_iter().flatten().map(|value| value as f32);
    Value::new(tag, "pr_curves", content, Tensor::floats(&[6, N_THRESHOLDS], rows))
}

fn rows(samples: impl IntoIterator<Item = (f32, bool)>) -> [[f64; N_THRESHOLDS]; 6] {
    let (mut tp, mut fp) = ([0.0; N_THRESHOLDS], [0.0; N_THRESHOLDS]);
    for (probability, is_positive) in samples {
        let counts = if is_positive { &mut tp } else { &mut fp };
        // In f32, like the probabilities.
        let bucket = (probability * (N_THRESHOLDS - 1) as f32).floor() as usize;
        counts[bucket.min(N_THRESHOLDS - 1)] += 1.0;
    }
    sum_from_the_right(&mut tp);
    sum_from_the_right(&mut fp);
    let (tn, fn_) = (fp.map(|n| fp[0] - n), tp.map(|n| tp[0] - n));
    let share =
        |other: &[f64; N_THRESHOLDS]| std::array::from_fn(|t| tp[t] / MINIMUM_COUNT.max(tp[t] + other[t]));
    let (precision, recall) = (share(&fp), share(&fn_));
    [tp, fp, tn, fn_, precision, recall]
}

fn sum_from_the_right(counts: &mut [f64]) {
    let mut sum = 0.0;
    for count in counts.iter_mut().rev() {
        sum += *count;
        *count = sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_that_can_be_counted_by_hand() {
        let [tp, fp, tn, fn_, precision, recall] =
            rows([(0.9, true), (0.5, false), (0.5, true), (0.1, false), (1.0, true)]);
        let at = |t: usize| [tp[t], fp[t], tn[t], fn_[t], precision[t], recall[t]];
        assert_eq!(at(0), [3.0, 2.0, 0.0, 0.0, 0.6, 1.0]);
        assert_eq!(at(100), [3.0, 1.0, 1.0, 0.0, 0.75, 1.0]);
        assert_eq!(at(101), [2.0, 0.0, 2.0, 1.0, 1.0, 2.0 / 3.0]);
        assert_eq!(at(200), [1.0, 0.0, 2.0, 2.0, 1.0, 1.0 / 3.0]);
    }

    #[test]
    fn no_samples_give_zeros_without_nan() {
        assert!(rows([]).iter().flatten().all(|value| *value == 0.0));
    }
}
