//! Expected calibration error: the gap between confidence and accuracy (Naeini, Cooper and Hauskrecht 2015; Guo,
//! Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017).

use headsmith_kernels::MatRef;

use crate::predicted_class;

/// The usual number of bins.
pub const N_BINS: usize = 15;

/// The mean over the samples of `|accuracy - confidence|` of each sample's bin; 0 without samples.
///
/// `proba` is `n_samples x n_classes`. A sample's confidence is its largest probability. Bin `m` of `n_bins` contains
/// the confidences in `((m - 1) / n_bins, m / n_bins]`, so 1 belongs to the last bin; 0, which no distribution has as
/// its largest probability, belongs to the first. A bin's accuracy and confidence are the means of its samples; empty
/// bins are ignored. With 15 bins no `f32` but 1 is the upper edge of a bin, so it does not matter which side is
/// closed.
///
/// # Panics
/// If the number of labels differs from that of the rows, or `n_bins` is zero.
pub fn expected_calibration_error(y_true: &[u32], proba: MatRef<'_>, n_bins: usize) -> f64 {
    assert_eq!(y_true.len(), proba.n_rows(), "one label a row of probabilities");
    let mut gaps = vec![0.0; n_bins];
    for (i, &class) in y_true.iter().enumerate() {
        let (bin, gap) = sample_gap(class, proba.row(i), n_bins);
        gaps[bin] += gap;
    }
    mean_gap(&gaps, y_true.len())
}

/// The samples of a bin of confidences.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bin {
    /// The number of samples.
    pub n_samples: u64,
    /// The mean of their confidences; 0 without samples.
    pub confidence: f64,
    /// The share of correct predictions; 0 without samples.
    pub accuracy: f64,
}

/// The bins of [`expected_calibration_error`]: the points of a reliability diagram, empty ones too.
///
/// # Panics
/// If the number of labels differs from that of the rows, or `n_bins` is zero.
pub fn reliability(y_true: &[u32], proba: MatRef<'_>, n_bins: usize) -> Vec<Bin> {
    assert_eq!(y_true.len(), proba.n_rows(), "one label a row of probabilities");
    let mut bins = vec![Bin::default(); n_bins];
    for (i, &class) in y_true.iter().enumerate() {
        let row = proba.row(i);
        let (bin, gap) = sample_gap(class, row, n_bins);
        let hit = f64::from(u8::from(predicted_class(row) == class as usize));
        let bin = &mut bins[bin];
        bin.n_samples += 1;
        bin.accuracy += hit;
        bin.confidence += hit - gap;
    }
    for bin in bins.iter_mut().filter(|bin| bin.n_samples > 0) {
        bin.accuracy /= bin.n_samples as f64;
        bin.confidence /= bin.n_samples as f64;
    }
    bins
}

/// The calibration error from the sum of `gap` in each bin.
///
/// `(count / n) |hits / count - confidences / count|` is `|hits - confidences| / n`: no count is needed.
pub(crate) fn mean_gap(gaps: &[f64], n_samples: usize) -> f64 {
    gaps.iter().map(|gap| gap.abs()).sum::<f64>() / n_samples.max(1) as f64
}

/// The bin of a sample of class `class`, and its correctness (0 or 1) minus its confidence.
pub(crate) fn sample_gap(class: u32, row: &[f32], n_bins: usize) -> (usize, f64) {
    let predicted = predicted_class(row);
    let confidence = row.get(predicted).map_or(0.0, |&p| f64::from(p));
    let hit = f64::from(u8::from(predicted == class as usize));
    // The product is exact (24 bits by a few), so rounding does not move a confidence across an edge.
    let bin = (confidence * n_bins as f64).ceil() as usize;
    (bin.saturating_sub(1).min(n_bins - 1), hit - confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_closed_above() {
        let bin = |p: f32, n_bins| sample_gap(0, &[p, 1.0 - p], n_bins).0;
        assert_eq!([bin(1.0, 15), bin(0.5, 2), bin(0.75, 4)], [14, 0, 2]);
        assert_eq!([bin(0.75f32.next_up(), 4), bin(0.6, 15), bin(0.6f32.next_down(), 15)], [3, 9, 8]);
        assert_eq!(sample_gap(0, &[0.0], 15), (0, 1.0));
    }

    #[test]
    fn by_hand() {
        // Bin (0.5, 0.75]: one hit of two at 0.6 and 0.7; bin (0.75, 1]: no hit of one at 0.9.
        let proba = [0.6, 0.4, 0.3, 0.7, 0.1, 0.9];
        let ece = expected_calibration_error(&[0, 0, 0], MatRef::new(&proba, 3, 2), 4);
        assert!((ece - (0.3 + 0.9) / 3.0).abs() < 1e-7, "{ece}");
        let bins = reliability(&[0, 0, 0], MatRef::new(&proba, 3, 2), 4);
        let bins: Vec<_> =
            bins.iter().map(|bin| (bin.n_samples, bin.confidence as f32, bin.accuracy)).collect();
        assert_eq!(bins, [(0, 0.0, 0.0), (0, 0.0, 0.0), (2, 0.65, 0.5), (1, 0.9, 0.0)]);
    }
}
