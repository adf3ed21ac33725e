//! The rows that calibrate prediction sets, and the thresholds that they give.

use std::collections::{BTreeMap, BTreeSet};

use headsmith_kernels::MatRef;

use super::{ConformalSets, SetScores, check_level, scores};
use crate::check::{self, Error, Result};

/// A sum of weights lacks this share of the wanted one by rounding alone.
const ROUNDING: f64 = 1e-10;

/// The request for prediction sets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The probability with which a set contains the true class: above 0, below 1.
    pub level: f64,
    /// Whether each class is covered with the level by a threshold of its own. Otherwise all classes together are.
    pub by_class: bool,
}

impl Options {
    /// The least rows, or groups, that give a threshold for this level; with fewer every class is in every set.
    pub fn least_rows(self) -> usize {
        (self.level / (1.0 - self.level) * (1.0 - ROUNDING)).ceil() as usize
    }

    /// Sets that cover all classes together with this level.
    ///
    /// # Errors
    /// When it is not above 0 and below 1.
    pub fn new(level: f64) -> Result<Options> {
        check_level(level)?;
        Ok(Options { level, by_class: false })
    }

    /// The same with each class covered by itself.
    pub fn by_class(self) -> Options {
        Options { by_class: true, ..self }
    }
}

/// Rows of known classes that the classifier did not learn from.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    pub(super) proba: MatRef<'a>,
    pub(super) y: &'a [u32],
    weights: Option<&'a [f32]>,
    pub(super) groups: Option<&'a [u32]>,
}

impl<'a> Rows<'a> {
    /// Rows with these probabilities (`n_samples x n_classes`) and classes.
    pub fn new(proba: MatRef<'a>, y: &'a [u32]) -> Rows<'a> {
        Rows { proba, y, weights: None, groups: None }
    }

    /// With the weight of each row, at least 0.
    pub fn weighted(self, weights: Option<&'a [f32]>) -> Rows<'a> {
        Rows { weights, ..self }
    }

    /// With the number of each row's group.
    pub fn grouped(self, groups: Option<&'a [u32]>) -> Rows<'a> {
        Rows { groups, ..self }
    }

    /// The prediction sets that these rows calibrate.
    ///
    /// # Errors
    /// When there are no rows, the probabilities are none, labels, weights or groups are not one a row, a weight is negative or not finite, or the level is not
    /// above 0 and below 1.
    pub fn calibrate(&self, options: Options) -> Result<ConformalSets> {
        check_level(options.level)?;
        check::check(self.y, self.proba.into())?;
        self.check_beside()?;
        let n_classes = self.proba.n_cols();
        let all: Vec<usize> = (0..self.y.len()).collect();
        let thresholds = match options.by_class {
            false => vec![self.threshold(&all, options.level); n_classes],
            true => self.of_each_class().iter().map(|own| self.threshold(own, options.level)).collect(),
        };
        ConformalSets::new(options, thresholds)
    }

    /// The scores of `sets` on these rows, each of which counts alike; the intervals draw groups.
    ///
    /// # Errors
    /// When there are no rows, the probabilities are none, labels or groups are not one a row, or the sets are of another number of classes.
    pub fn score(&self, sets: &ConformalSets) -> Result<SetScores> {
        check::check(self.y, self.proba.into())?;
        self.check_beside()?;
        scores::score(self, sets)
    }

    /// How many groups, or rows without groups, there are of each class.
    pub fn n_units_of_class(&self) -> Vec<usize> {
        let units = |rows: &Vec<usize>| match self.groups {
            None => rows.len(),
            Some(groups) => rows.iter().map(|&row| groups[row]).collect::<BTreeSet<u32>>().len(),
        };
        self.of_each_class().iter().map(units).collect()
    }

    /// The number of groups; `None` without groups.
    pub fn n_groups(&self) -> Option<usize> {
        self.groups.map(|groups| groups.iter().collect::<BTreeSet<&u32>>().len())
    }

    fn check_beside(&self) -> Result<()> {
        let n = self.y.len();
        for (name, length) in
            [("weights", self.weights.map(<[f32]>::len)), ("groups", self.groups.map(<[u32]>::len))]
        {
            if let Some(length) = length.filter(|length| *length != n) {
                return Err(Error(format!("{length} {name} for {n} rows, expected one a row")));
            }
        }
        match self.weights.and_then(|weights| weights.iter().position(|w| !(w.is_finite() && *w >= 0.0))) {
            Some(row) => Err(Error(format!("the weight of row {row} is no number of at least 0"))),
            None => Ok(()),
        }
    }

    fn of_each_class(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.proba.n_cols()];
        self.y.iter().enumerate().for_each(|(row, &class)| rows[class as usize].push(row));
        rows
    }

    /// The largest probability that a share `level` of `rows` and a new row, which may have any probability, gives at least to its class; 0 if they are too few.
    fn threshold(&self, rows: &[usize], level: f64) -> f64 {
        let masses = self.masses(rows);
        let of_new = if self.groups.is_some() { 1.0 } else { masses.iter().copied().fold(0.0, f64::max) };
        let wanted = level * (masses.iter().sum::<f64>() + of_new) * (1.0 - ROUNDING);
        let mut found: Vec<(f64, f64)> = rows.iter().map(|&row| self.own(row)).zip(masses).collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut sum = 0.0;
        for (p, mass) in found {
            sum += mass;
            if mass > 0.0 && sum >= wanted {
                return p;
            }
        }
        0.0
    }

    /// The probability that a row gives to its class.
    fn own(&self, row: usize) -> f64 {
        f64::from(self.proba.row(row)[self.y[row] as usize])
    }

    /// How much each of `rows` counts: by its weight, and those of a group together as one.
    fn masses(&self, rows: &[usize]) -> Vec<f64> {
        let weight = |row: usize| self.weights.map_or(1.0, |weights| f64::from(weights[row]));
        let Some(groups) = self.groups else { return rows.iter().map(|&row| weight(row)).collect() };
        let mut sums = BTreeMap::<u32, f64>::new();
        rows.iter().for_each(|&row| *sums.entry(groups[row]).or_default() += weight(row));
        let mass = |&row: &usize| match sums[&groups[row]] {
            sum if sum > 0.0 => weight(row) / sum,
            _ => 0.0,
        };
        rows.iter().map(mass).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes; row i gives `p[i]` to its class, 0.
    fn proba(p: &[f32]) -> Vec<f32> {
        p.iter().flat_map(|&p| [p, 1.0 - p]).collect()
    }

    fn calibrate(p: &[f32], level: f64) -> f64 {
        let (values, y) = (proba(p), vec![0; p.len()]);
        let rows = Rows::new(MatRef::new(&values, p.len(), 2), &y);
        rows.calibrate(Options::new(level).unwrap()).unwrap().thresholds()[0]
    }

    fn evenly(n: usize) -> Vec<f32> {
        (1..=n).map(|i| i as f32 / 64.0).collect()
    }

    /// The k-th largest of n with k = ceil((n + 1) level), computed in whole numbers.
    #[test]
    fn thresholds_are_the_finite_sample_quantiles() {
        for n in 1..60_usize {
            for percent in [50, 70, 80, 90, 95, 99] {
                let k = ((n + 1) * percent).div_ceil(100);
                let expected = if k > n { 0.0 } else { (n - k + 1) as f64 / 64.0 };
                let found = calibrate(&evenly(n), percent as f64 / 100.0);
                assert_eq!(found, expected, "{n} rows at {percent} %");
            }
        }
        for (level, least) in [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)] {
            assert_eq!(Options::new(level).unwrap().least_rows(), least);
            assert_eq!(calibrate(&[0.5; 100][..least], level), 0.5);
            assert!(least == 1 || calibrate(&[0.5; 100][..least - 1], level) == 0.0);
        }
    }

    #[test]
    fn whole_weights_are_copies_but_for_the_new_row() {
        // Masses 1, 1, 2 and a new row of 2: 0.5 of 6 are 3: the largest has 2, with the next 3.
        let values = proba(&[0.25, 0.5, 0.75]);
        let rows = Rows::new(MatRef::new(&values, 3, 2), &[0, 0, 0]).weighted(Some(&[1.0, 1.0, 2.0]));
        let at = |level| rows.calibrate(Options::new(level).unwrap()).unwrap().thresholds()[0];
        assert_eq!([at(0.33), at(0.5), at(0.6), at(0.67)], [0.75, 0.5, 0.25, 0.0]);
        let alike = Rows { weights: Some(&[3.0; 3]), ..rows };
        let plain = Rows { weights: None, ..rows };
        for level in [0.2, 0.5, 0.75, 0.76] {
            let options = Options::new(level).unwrap();
            assert_eq!(alike.calibrate(options), plain.calibrate(options));
        }
        // A row of weight 0 is none.
        let without = Rows { weights: Some(&[0.0, 1.0, 1.0]), ..rows };
        let options = Options::new(0.6).unwrap();
        assert_eq!(without.calibrate(options).unwrap().thresholds(), [0.5; 2]);
    }

    #[test]
    fn a_group_counts_as_one() {
        // Group 7 has three rows of a third each, group 1 a single row.
        let values = proba(&[0.125, 0.25, 0.5, 0.75]);
        let y = [0; 4];
        let rows = Rows::new(MatRef::new(&values, 4, 2), &y).grouped(Some(&[7, 7, 7, 1]));
        let at = |level| rows.calibrate(Options::new(level).unwrap()).unwrap().thresholds()[0];
        // Of two groups and a new one, a third is group 1, and each ninth another row.
        assert_eq!([at(0.33), at(0.34), at(0.5), at(0.66), at(0.67)], [0.75, 0.5, 0.25, 0.125, 0.0]);
        let single = rows.grouped(Some(&[0, 1, 2, 3])).calibrate(Options::new(0.7).unwrap());
        assert_eq!(single, Rows { groups: None, ..rows }.calibrate(Options::new(0.7).unwrap()));
    }

    #[test]
    fn a_class_has_its_own_threshold() {
        let values = proba(&[0.25, 0.5, 0.875, 0.375, 0.75]);
        let rows = Rows::new(MatRef::new(&values, 5, 2), &[0, 0, 0, 1, 1]);
        let sets = rows.calibrate(Options::new(0.75).unwrap().by_class()).unwrap();
        // Three rows suffice for 0.75, two do not.
        assert_eq!((sets.thresholds(), sets.is_by_class()), (&[0.25, 0.0][..], true));
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let values = proba(&[0.25, 0.5]);
        let rows = Rows::new(MatRef::new(&values, 2, 2), &[0, 1]);
        let options = Options::new(0.9).unwrap();
        let message = |rows: Rows<'_>, options| rows.calibrate(options).unwrap_err().to_string();
        assert_eq!(message(rows.weighted(Some(&[1.0])), options), "1 weights for 2 rows, expected one a row");
        assert_eq!(message(rows.grouped(Some(&[1])), options), "1 groups for 2 rows, expected one a row");
        assert_eq!(
            message(rows.weighted(Some(&[1.0, -1.0])), options),
            "the weight of row 1 is no number of at least 0"
        );
        let none = Rows::new(MatRef::new(&[], 0, 2), &[]);
        assert_eq!(message(none, options), "there are no samples to score");
        for level in [0.0, 1.0, -0.5, 90.0, f64::NAN] {
            let error = Options::new(level).unwrap_err().to_string();
            assert!(error.contains("above 0 and below 1"), "{error}");
            assert!(message(rows, Options { level, by_class: false }).contains("above 0 and below 1"));
        }
    }
}
