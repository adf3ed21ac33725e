//! ROC and precision-recall curves, one class against the rest, with as few points as necessary.

use headsmith_kernels::MatRef;

use crate::confusion::ratio;
use crate::ranking::{ThresholdCounts, thresholds};

/// A point of a curve: the result of one threshold on the class's probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The smallest probability that counts as positive; infinite if nothing does.
    pub threshold: f64,
    /// False positive rate (ROC), or recall.
    pub x: f64,
    /// True positive rate (ROC), or precision.
    pub y: f64,
}

/// False against true positive rate of `class` at every threshold from above all probabilities down to the lowest:
/// scikit-learn's `roc_curve(y_true == class, proba[:, class], drop_intermediate=False)`. Empty if no sample or every
/// sample has the class.
///
/// Points closer than `resolution` to the previous one in both directions are left out, except the last one: any
/// number of samples gives about `2 / resolution` points. 0 leaves none out.
///
/// # Panics
/// If the number of labels differs from that of the rows, or `class` is not below the number of columns.
pub fn roc_curve(y_true: &[u32], proba: MatRef<'_>, class: usize, resolution: f64) -> Vec<Point> {
    roc_of(&thresholds(y_true, proba, class), resolution)
}

fn roc_of(found: &[ThresholdCounts], resolution: f64) -> Vec<Point> {
    let all = found.last().copied().unwrap_or_default();
    if all.hits == 0 || all.false_alarms == 0 {
        return Vec::new();
    }
    let first = Point { threshold: f64::INFINITY, x: 0.0, y: 0.0 };
    let point = |now: &ThresholdCounts| Point {
        threshold: f64::from(now.threshold),
        x: ratio(now.false_alarms, all.false_alarms),
        y: ratio(now.hits, all.hits),
    };
    thinned(first, found.iter().map(point), resolution)
}

/// Recall against precision of `class`, with thresholds, thinning and panics as in [`roc_curve`]: scikit-learn's
/// `precision_recall_curve(y_true == class, proba[:, class])` in reverse, where the precision without positives is 1
/// by convention. Empty if no sample has the class.
pub fn precision_recall_curve(
    y_true: &[u32],
    proba: MatRef<'_>,
    class: usize,
    resolution: f64,
) -> Vec<Point> {
    precision_recall_of(&thresholds(y_true, proba, class), resolution)
}

/// [`roc_curve`] and [`precision_recall_curve`] at once: the rows are sorted only once.
pub fn both_curves(
    y_true: &[u32],
    proba: MatRef<'_>,
    class: usize,
    resolution: f64,
) -> (Vec<Point>, Vec<Point>) {
    let found = thresholds(y_true, proba, class);
    (roc_of(&found, resolution), precision_recall_of(&found, resolution))
}

fn precision_recall_of(found: &[ThresholdCounts], resolution: f64) -> Vec<Point> {
    let n_class = found.last().map_or(0, |all| all.hits);
    if n_class == 0 {
        return Vec::new();
    }
    let first = Point { threshold: f64::INFINITY, x: 0.0, y: 1.0 };
    let point = |now: &ThresholdCounts| Point {
        threshold: f64::from(now.threshold),
        x: ratio(now.hits, n_class),
        y: ratio(now.hits, now.hits + now.false_alarms),
    };
    thinned(first, found.iter().map(point), resolution)
}

fn thinned(first: Point, points: impl Iterator<Item = Point>, resolution: f64) -> Vec<Point> {
    let mut kept = vec![first];
    let (mut last, mut pending) = (first, None);
    for point in points {
        let far = (point.x - last.x).abs().max((point.y - last.y).abs());
        pending = if far >= resolution {
            kept.push(point);
            last = point;
            None
        } else {
            Some(point)
        };
    }
    kept.extend(pending);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_ends_and_stays_near() {
        let n = 5_000u32;
        let y: Vec<u32> = (0..n).map(|i| u32::from(i * 7 % 13 < 4 + 4 * (i / 2_500))).collect();
        let proba: Vec<f32> = (0..n).flat_map(|i| [1.0 - i as f32 / n as f32, i as f32 / n as f32]).collect();
        let proba = MatRef::new(&proba, n as usize, 2);
        for curve in [roc_curve, precision_recall_curve] {
            let (all, few) = (curve(&y, proba, 1, 0.0), curve(&y, proba, 1, 0.01));
            assert_eq!((all.len(), all[0], all.last()), (5_001, few[0], few.last()));
            assert!(few.len() < 300, "{}", few.len());
            for point in &all {
                let near = |kept: &Point| (kept.x - point.x).abs() < 0.01 && (kept.y - point.y).abs() < 0.01;
                assert!(few.iter().any(near), "{point:?}");
            }
        }
        assert_eq!(roc_curve(&y, proba, 0, 0.0).last().map(|p| (p.x, p.y)), Some((1.0, 1.0)));
    }

    #[test]
    fn a_class_without_samples_has_no_curve() {
        let proba = MatRef::new(&[0.5, 0.5, 0.2, 0.8], 2, 2);
        assert!(roc_curve(&[0, 0], proba, 0, 0.0).is_empty() && roc_curve(&[0, 0], proba, 1, 0.0).is_empty());
        assert!(precision_recall_curve(&[0, 0], proba, 1, 0.0).is_empty());
    }
}
