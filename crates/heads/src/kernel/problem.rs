//! The rows of a fit, with their targets and weights.

use headsmith_kernels::{Matrix, Pool};

use super::ridge::Targets;
use crate::error::Result;
use crate::one_hot::OneHot;
use crate::params::{AUTO, Params, TRANSFORM};
use crate::samples::Samples;
use crate::transform::NONE;

/// A row without weight has this share of the mean weight in the fit: it changes nothing, but has an out-of-fold prediction.
pub(super) const NO_WEIGHT: f64 = 1e-9;

/// The fewest rows of a class by which settings are compared.
const ROWS_A_CLASS: usize = 8;

/// Rows with their targets.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) x: Matrix,
    pub(super) one_hot: OneHot,
    /// The weights in the fit: none is 0.
    pub(super) in_fit: Vec<f64>,
    /// The rows of each unit that has more than one.
    pub(super) units: Vec<Vec<usize>>,
    /// The transform that the rows have had, as text.
    transform: String,
}

impl Problem {
    /// The rows of `samples`, as a head sees them.
    pub(super) fn new(samples: Samples<'_>, params: &Params, pool: &Pool) -> Result<Problem> {
        let mut buffer = Vec::new();
        let x = samples.rows(0, samples.n_samples(), &mut buffer, pool).to_matrix();
        let transform = params.text(TRANSFORM).filter(|text| *text != AUTO).unwrap_or(NONE).to_owned();
        Ok(Problem::of(x, OneHot::new(samples, params)?, samples.larger_units(), transform))
    }

    fn of(x: Matrix, one_hot: OneHot, units: Vec<Vec<usize>>, transform: String) -> Problem {
        let total: f64 = one_hot.weights.iter().sum();
        let least = NO_WEIGHT * total / one_hot.weights.len() as f64;
        let in_fit = one_hot.weights.iter().map(|weight| weight.max(least)).collect();
        Problem { x, one_hot, in_fit, units, transform }
    }

    /// The transform that the rows have had, and then `own`, as text.
    pub(super) fn with_transform(&self, own: &str) -> String {
        match (self.transform.as_str(), own) {
            (NONE, own) => own.to_owned(),
            (before, NONE) => before.to_owned(),
            (before, own) => format!("{before}+{own}"),
        }
    }

    /// The rows.
    pub(super) fn n(&self) -> usize {
        self.in_fit.len()
    }

    /// The targets.
    pub(super) fn targets(&self) -> Targets<'_> {
        Targets { values: &self.one_hot.values, width: self.one_hot.width() }
    }

    /// At most `n` of the rows that have weight, evenly from every class; from some classes alone where there are so many that few rows of each would be
    /// left.
    pub(super) fn thinned(&self, n: usize) -> Problem {
        let mut by_class: Vec<usize> = (0..self.n()).filter(|&i| self.one_hot.weights[i] > 0.0).collect();
        by_class.sort_by_key(|&i| self.one_hot.target[i]);
        let (n_classes, most) = (self.one_hot.width(), (n / ROWS_A_CLASS).max(2));
        if n_classes > most {
            // The classes at which the number of classes kept rises.
            let is_kept = |class: usize| (class + 1) * most / n_classes > class * most / n_classes;
            by_class.retain(|&i| is_kept(self.one_hot.target[i]));
        }
        let n = n.min(by_class.len());
        let mut picked: Vec<usize> = (0..n).map(|at| by_class[at * by_class.len() / n]).collect();
        picked.sort_unstable();
        let mut units: Vec<Vec<usize>> = self.units.iter().map(|unit| positions(&picked, unit)).collect();
        units.retain(|unit| unit.len() > 1);
        Problem::of(
            self.x.view().gather(&picked),
            self.one_hot.picked(&picked),
            units,
            self.transform.clone(),
        )
    }
}

/// The positions of `rows` among the sorted `picked`, of those that are there.
fn positions(picked: &[usize], rows: &[usize]) -> Vec<usize> {
    rows.iter().filter_map(|row| picked.binary_search(row).ok()).collect()
}

#[cfg(test)]
mod tests {
    use headsmith_kernels::MatRef;

    use super::*;

    /// The classes of the rows that are left of 6 rows of each class, and how many of each.
    fn thinned(n_classes: usize, n: usize) -> Vec<(usize, usize)> {
        let y: Vec<u32> = (0..6 * n_classes).map(|i| (i % n_classes) as u32).collect();
        let x: Vec<f32> = (0..y.len()).map(|i| i as f32).collect();
        let samples = Samples::new(MatRef::new(&x, y.len(), 1), &y, n_classes).unwrap();
        let params = crate::kernel::params::TABLE.defaults();
        let problem = Problem::new(samples, &params, &Pool::inline()).unwrap().thinned(n);
        let count = |at: usize| problem.one_hot.target.iter().filter(|&&target| target == at).count();
        problem.one_hot.classes.iter().enumerate().map(|(at, &class)| (class, count(at))).collect()
    }

    #[test]
    fn few_rows_are_of_few_classes() {
        assert_eq!(thinned(3, 9), [(1, 5), (2, 4)]);
        assert_eq!(thinned(3, 100), [(0, 6), (1, 6), (2, 6)]);
        let some = thinned(100, 80);
        assert_eq!(
            some.iter().map(|(class, _)| *class).collect::<Vec<_>>(),
            (9..100).step_by(10).collect::<Vec<_>>()
        );
        assert!(some.iter().all(|(_, n_rows)| *n_rows == 6));
    }
}
