//! The confusion matrix: the number of samples of each class that were predicted as each class.
//!
//! Every metric of predicted classes (accuracy, F1, MCC ..) is a function of it, so it can be filled in batches and
//! merged from parts.

use serde::{Deserialize, Serialize};

use crate::{Predictions, accuracy, f1, weighted_average};

/// An `n_classes x n_classes` table of counts: row = true class, column = predicted class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Vec<u64>>", try_from = "Vec<Vec<u64>>")]
pub struct Confusion {
    counts: Vec<u64>,
    /// The sums of the rows and of the columns, kept up to date because every metric needs them.
    support: Vec<u64>,
    predicted: Vec<u64>,
}

impl Confusion {
    /// A table of zeros.
    pub fn new(n_classes: usize) -> Confusion {
        Confusion {
            counts: vec![0; n_classes * n_classes],
            support: vec![0; n_classes],
            predicted: vec![0; n_classes],
        }
    }

    /// Counts every sample: its class in `y_true` against the class of its row of `predictions` (`n_samples x
    /// n_classes`).
    ///
    /// # Panics
    /// If the number of labels differs from that of the rows, or a class is not below the number of columns.
    pub fn of<'p>(y_true: &[u32], predictions: impl Into<Predictions<'p>>) -> Confusion {
        let predictions = predictions.into();
        assert_eq!(y_true.len(), predictions.n_samples(), "one label a row of probabilities");
        let mut confusion = Confusion::new(predictions.n_classes());
        for (i, &class) in y_true.iter().enumerate() {
            confusion.add(class as usize, predictions.class(i));
        }
        confusion
    }

    /// Counts one sample of class `true_class` that was predicted as `predicted`.
    ///
    /// # Panics
    /// If a class is not below `n_classes`.
    #[inline]
    pub fn add(&mut self, true_class: usize, predicted: usize) {
        self.add_many(true_class, predicted, 1);
    }

    /// Counts `n` samples of class `true_class` that were predicted as `predicted`.
    ///
    /// # Panics
    /// If a class is not below `n_classes`.
    #[inline]
    pub fn add_many(&mut self, true_class: usize, predicted: usize, n: u64) {
        self.support[true_class] += n;
        self.predicted[predicted] += n;
        self.counts[true_class * self.support.len() + predicted] += n;
    }

    /// Sets every count to zero.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.support.fill(0);
        self.predicted.fill(0);
    }

    /// Sets the counts of `cells` (true class, predicted class) to zero; all others must be zero already. With many
    /// classes this is much faster than [`clear`](Confusion::clear).
    ///
    /// # Panics
    /// If a class is not below `n_classes`.
    pub fn clear_cells(&mut self, cells: impl IntoIterator<Item = (usize, usize)>) {
        let n_classes = self.n_classes();
        for (true_class, predicted) in cells {
            self.counts[true_class * n_classes + predicted] = 0;
        }
        self.support.fill(0);
        self.predicted.fill(0);
    }

    /// Adds the counts of `other`.
    ///
    /// # Panics
    /// If the numbers of classes differ.
    pub fn merge(&mut self, other: &Confusion) {
        assert_eq!(self.n_classes(), other.n_classes(), "classes of the two tables");
        for class in 0..other.n_classes() {
            other.row(class).iter().enumerate().for_each(|(p, &n)| self.add_many(class, p, n));
        }
    }

    /// The number of classes.
    pub fn n_classes(&self) -> usize {
        self.support.len()
    }

    /// The number of samples counted.
    pub fn n_samples(&self) -> u64 {
        self.support.iter().sum()
    }

    /// The number of samples of `true_class` that were predicted as each class.
    ///
    /// # Panics
    /// If `true_class` is not below `n_classes`.
    pub fn row(&self, true_class: usize) -> &[u64] {
        &self.counts[true_class * self.n_classes()..(true_class + 1) * self.n_classes()]
    }

    /// The number of samples of `class` that were recognised.
    pub fn hits(&self, class: usize) -> u64 {
        self.row(class)[class]
    }

    /// The number of samples of `class`: its support.
    pub fn support(&self, class: usize) -> u64 {
        self.support[class]
    }

    /// The number of samples that were predicted as `class`.
    pub fn predicted(&self, class: usize) -> u64 {
        self.predicted[class]
    }

    /// The share of samples whose predicted class is the true one; see [`accuracy()`].
    pub fn accuracy(&self) -> f64 {
        accuracy(self)
    }

    /// F1 per class, weighted by support; see [`weighted_average`].
    pub fn weighted_f1(&self) -> f64 {
        weighted_average(self, f1)
    }
}

/// The class with a sample's largest probability, the first of equals: `numpy.argmax`.
///
/// 0 for an empty row. Probabilities are never NaN; a row that starts with NaN gives class 0.
#[inline]
pub fn predicted_class(row: &[f32]) -> usize {
    let mut best = 0;
    for (class, p) in row.iter().enumerate() {
        if *p > row[best] {
            best = class;
        }
    }
    best
}

/// `part / whole`, or 0 if `whole` is 0: scikit-learn's `zero_division=0`.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl From<Confusion> for Vec<Vec<u64>> {
    fn from(confusion: Confusion) -> Vec<Vec<u64>> {
        (0..confusion.n_classes()).map(|c| confusion.row(c).to_vec()).collect()
    }
}

impl TryFrom<Vec<Vec<u64>>> for Confusion {
    type Error = String;

    fn try_from(rows: Vec<Vec<u64>>) -> Result<Confusion, String> {
        if let Some(row) = rows.iter().find(|row| row.len() != rows.len()) {
            return Err(format!("a confusion matrix of {} rows with a row of {}", rows.len(), row.len()));
        }
        if rows.iter().flatten().try_fold(0u64, |sum, &n| sum.checked_add(n)).is_none() {
            return Err("a confusion matrix of more samples than can be counted".into());
        }
        let mut confusion = Confusion::new(rows.len());
        for (class, row) in rows.iter().enumerate() {
            row.iter().enumerate().for_each(|(p, &n)| confusion.add_many(class, p, n));
        }
        Ok(confusion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Confusion {
        Confusion::try_from(vec![vec![3, 1, 0], vec![2, 2, 0], vec![1, 0, 0]]).unwrap()
    }

    #[test]
    fn counts_and_scores_by_hand() {
        let c = example();
        assert_eq!((c.n_samples(), c.support(0), c.predicted(0), c.hits(1)), (9, 4, 6, 2));
        assert_eq!(c.accuracy(), 5.0 / 9.0);
        assert!((c.weighted_f1() - (4.0 * 0.6 + 4.0 * (4.0 / 7.0)) / 9.0).abs() < 1e-15);
        assert_eq!((Confusion::new(3).accuracy(), Confusion::new(0).weighted_f1()), (0.0, 0.0));
    }

    #[test]
    fn parts_merge_to_the_same_counts() {
        let mut parts = Confusion::new(3);
        parts.add(0, 1);
        parts.merge(&example());
        assert_eq!(parts.row(0), [3, 2, 0]);
        parts.clear();
        assert_eq!(parts, Confusion::new(3));
    }

    #[test]
    fn the_first_of_equal_probabilities_is_predicted() {
        assert_eq!(predicted_class(&[0.2, 0.4, 0.4]), 1);
        assert_eq!(predicted_class(&[0.0, -0.0]), 0);
        assert_eq!(predicted_class(&[]), 0);
    }

    #[test]
    fn only_square_tables_are_accepted() {
        assert!(Confusion::try_from(vec![vec![1, 2], vec![3]]).unwrap_err().contains("a row of 1"));
        let huge = vec![vec![u64::MAX, 0], vec![0, 1]];
        assert!(Confusion::try_from(huge).unwrap_err().contains("more samples than can be counted"));
    }

    #[test]
    fn cleared_cells_equal_a_new_table() {
        let mut confusion = Confusion::new(3);
        let cells = [(0, 2), (1, 1), (2, 0)];
        for (class, predicted) in cells {
            confusion.add_many(class, predicted, 4);
        }
        confusion.clear_cells(cells);
        assert_eq!(confusion, Confusion::new(3));
    }
}
