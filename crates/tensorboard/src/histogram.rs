//! Histograms with 30 buckets of equal width, like those of `tf.summary.histogram` and Keras's callback.
//!
//! With `min` and `max` the smallest and the largest value and `width = (max - min) / 30`, value `v` falls into bucket
//! `min(floor((v - min) / width), 29)`; all in f64. Source: `_buckets` in
//! `tensorboard/plugins/histogram/summary_v2.py`.

use crate::proto::{Tensor, Value};

/// The number of buckets.
const N_BUCKETS: usize = 30;
/// The number of values that are processed together, so that they stay in the cache between two loops.
const CHUNK: usize = 1024;
/// The number of separate counts, so that equal neighbours do not wait for each other.
const LANES: usize = 4;

/// Values counted in 30 buckets.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    min: f64,
    max: f64,
    counts: [u64; N_BUCKETS],
}

/// A histogram, for the Histograms and Distributions pages.
pub fn histogram(tag: impl Into<String>, histogram: &Histogram) -> Value {
    let rows = (0..N_BUCKETS).flat_map(|i| histogram.bucket(i));
    Value::new(tag, "histograms", Vec::new(), Tensor::doubles(&[N_BUCKETS, 3], rows))
}

impl Histogram {
    /// Counts `values`. Values that are not finite are left out.
    pub fn of(values: &[f32]) -> Histogram {
        let Some((min, max)) = range(values) else {
            return Histogram { min: 0.0, max: 0.0, counts: [0; N_BUCKETS] };
        };
        let (min, max) = (f64::from(min), f64::from(max));
        Histogram { min, max, counts: count(values, min, max) }
    }

    /// Left edge, right edge and count of bucket `i`. Without values all are 0; if all values are equal, all edges are
    /// that value, and the last bucket has all the counts.
    fn bucket(&self, i: usize) -> [f64; 3] {
        [self.edge(i), self.edge(i + 1), self.counts[i] as f64]
    }

    fn edge(&self, i: usize) -> f64 {
        match i {
            N_BUCKETS => self.max,
            _ => i as f64 * self.width() + self.min,
        }
    }

    fn width(&self) -> f64 {
        (self.max - self.min) / N_BUCKETS as f64
    }
}

/// The smallest and the largest finite value.
fn range(values: &[f32]) -> Option<(f32, f32)> {
    let (mut min, mut max) = ([f32::INFINITY; 16], [f32::NEG_INFINITY; 16]);
    let (chunks, rest) = values.as_chunks::<16>();
    for chunk in chunks {
        for ((min, max), v) in min.iter_mut().zip(&mut max).zip(chunk) {
            // A value that is not finite is replaced by one that changes neither.
            let is_finite = v.abs() < f32::INFINITY;
            *min = min.min(if is_finite { *v } else { f32::INFINITY });
            *max = max.max(if is_finite { *v } else { f32::NEG_INFINITY });
        }
    }
    let finite = || rest.iter().copied().filter(|v| v.is_finite());
    let min = min.into_iter().chain(finite()).fold(f32::INFINITY, f32::min);
    let max = max.into_iter().chain(finite()).fold(f32::NEG_INFINITY, f32::max);
    (min <= max).then_some((min, max))
}

fn count(values: &[f32], min: f64, max: f64) -> [u64; N_BUCKETS] {
    let width = (max - min) / N_BUCKETS as f64;
    // One more bucket, for values that are not finite.
    let mut lanes = [[0u32; N_BUCKETS + 1]; LANES];
    let mut counts = [0; N_BUCKETS];
    let mut buckets = [0u32; CHUNK];
    for chunk in values.chunks(CHUNK) {
        let buckets = &mut buckets[..chunk.len()];
        for (bucket, value) in buckets.iter_mut().zip(chunk) {
            *bucket = bucket_of(*value, min, width);
        }
        for (i, bucket) in buckets.iter().enumerate() {
            lanes[i % LANES][*bucket as usize] += 1;
        }
    }
    for lane in lanes {
        counts.iter_mut().zip(lane).for_each(|(sum, n)| *sum += u64::from(n));
    }
    counts
}

#[inline]
fn bucket_of(value: f32, min: f64, width: f64) -> u32 {
    // If all values are equal, 0 / 0 is NaN, and `min` returns the last bucket, as required.
    let bucket = ((f64::from(value) - min) / width).min((N_BUCKETS - 1) as f64);
    if value.is_finite() { bucket as u32 } else { N_BUCKETS as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source's algorithm, one value at a time.
    fn naive(values: &[f32]) -> [u64; N_BUCKETS] {
        let values: Vec<f64> = values.iter().filter(|v| v.is_finite()).map(|v| f64::from(*v)).collect();
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut counts = [0; N_BUCKETS];
        for v in &values {
            let bucket = ((v - min) / ((max - min) / 30.0)).floor();
            counts[if min == max { 29 } else { (bucket as usize).min(29) }] += 1;
        }
        counts
    }

    fn some_values(n: usize) -> Vec<f32> {
        let mut state = 9u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..n).map(|_| next() + next() * next()).collect()
    }

    #[test]
    fn counts_match_the_plain_loop() {
        for n in [1, 2, 15, 16, 17, 1023, 1024, 1025, 5000] {
            let mut values = some_values(n);
            assert_eq!(Histogram::of(&values).counts, naive(&values), "{n} values");
            values[n / 2] = f32::NAN;
            values[n / 3] = f32::INFINITY;
            values[n - 1] = f32::NEG_INFINITY;
            assert_eq!(Histogram::of(&values).counts, naive(&values), "{n} values, some not finite");
        }
    }

    #[test]
    fn values_on_edges_fall_into_the_upper_bucket() {
        let values: Vec<f32> = (0..=30).map(|i| i as f32).collect();
        let expected: Vec<u64> = (0..30).map(|i| if i == 29 { 2 } else { 1 }).collect();
        assert_eq!(Histogram::of(&values).counts, expected[..]);
    }

    #[test]
    fn equal_values_fill_the_last_bucket() {
        let histogram = Histogram::of(&[2.5; 7]);
        assert_eq!(histogram.bucket(0), [2.5, 2.5, 0.0]);
        assert_eq!(histogram.bucket(29), [2.5, 2.5, 7.0]);
    }

    #[test]
    fn no_values_give_no_counts() {
        for values in [&[][..], &[f32::NAN]] {
            assert!((0..30).all(|i| Histogram::of(values).bucket(i) == [0.0; 3]));
        }
    }
}
