//! One fit for a given kernel function and strength, and its leave-one-out loss.

use headsmith_kernels::Pool;

use super::gram::Gram;
use super::logistic::{self, CURVATURES};
use super::problem::Problem;
use super::ridge::{Solution, Targets, solve};
use crate::calibration::{self, Calibration, Form};
use crate::head::Folds;
use crate::kernel_function::{Evaluate, Function};
use crate::linalg::tiles::Factor;

/// The objective that is minimised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Loss {
    /// `sum_i w_i (y_i - f_i)^2 + alpha |f|^2`.
    Squared,
    /// `sum_i w_i loss_i + alpha |f|^2 / 2`.
    Logistic,
}

/// A fit.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) solution: Solution,
    /// The outputs for each row without it or its unit: exact for the squared loss, by the last step's ridge regression for the logistic one.
    pub(super) outputs: Vec<f64>,
    /// Whether units were left out as a whole: not where one leaves no rows.
    in_units: bool,
    pub(super) calibration: Calibration,
    /// The mean log loss of calibrated outputs.
    pub(super) log_loss: f64,
    /// The diagonal of the inverse of the factored matrix.
    diagonal: Vec<f64>,
    /// The curvature of the logistic loss that was used.
    curvature: f64,
    targets: Option<Vec<f64>>,
}

/// A kernel machine to fit: all but the rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) function: Function,
    pub(super) alpha: f64,
    pub(super) loss: Loss,
    pub(super) form: Form,
}

impl Setting {
    /// Whether leave-one-out outputs are exact.
    pub(super) fn is_closed_form(self) -> bool {
        self.loss == Loss::Squared
    }

    /// The ridge of the matrix whose factor the fit uses.
    fn ridge(self, curvature: f64) -> f64 {
        match self.loss {
            Loss::Squared => self.alpha,
            Loss::Logistic => self.alpha / curvature,
        }
    }

    /// The factor of the kernel matrix with the ridge.
    fn factor<T: Evaluate>(
        self,
        gram: &Gram<T>,
        problem: &Problem,
        curvature: f64,
        pool: &Pool,
    ) -> Option<Factor<T>> {
        let ridge = self.ridge(curvature);
        Factor::new(gram.matrix(self.function, |i| ridge / problem.in_fit[i], pool), pool)
    }

    /// Fits, and returns the factor, too; `None` when the matrix has no factor in this precision.
    pub(super) fn fit<T: Evaluate>(
        self,
        gram: &Gram<T>,
        problem: &Problem,
        pool: &Pool,
    ) -> Option<(Trial, Factor<T>)> {
        for curvature in CURVATURES {
            let factor = self.factor(gram, problem, curvature, pool)?;
            let one_hot = problem.targets();
            let (solution, targets) = match self.loss {
                Loss::Squared => (solve(&factor, one_hot, pool), None),
                Loss::Logistic => {
                    let strength = (self.alpha, curvature);
                    match logistic::minimise(&factor, one_hot, &problem.in_fit, strength, pool) {
                        Some(minimum) => (minimum.solution, Some(minimum.targets)),
                        None => continue,
                    }
                }
            };
            let of = targets.as_ref().map_or(one_hot, |values| Targets { values, width: one_hot.width });
            let diagonal = factor.inverse_diagonal(pool);
            let alone = solution.leave_one_out(of, &diagonal);
            let without_units = match problem.units.is_empty() {
                true => None,
                false => {
                    solution.leave_sets_out(of, &factor.inverse(pool), &problem.units, alone.clone(), pool)
                }
            };
            let in_units = without_units.is_some();
            let outputs = without_units.unwrap_or(alone);
            if !outputs.iter().all(|v| v.is_finite()) {
                return None;
            }
            let (calibration, log_loss) =
                calibration::fit(problem.one_hot.outputs(&outputs), self.form, pool);
            let trial =
                Trial { solution, outputs, in_units, calibration, log_loss, diagonal, curvature, targets };
            return Some((trial, factor));
        }
        None
    }

    /// The largest error of the leave-one-out outputs that rounding makes in this precision, as an estimate: the residuals of the
    /// solution, and of some columns of the inverse, in double precision, solved for by the fit's `factor`.
    pub(super) fn error<T: Evaluate>(
        self,
        (trial, factor): (&Trial, &Factor<T>),
        gram: &Gram<T>,
        problem: &Problem,
        pool: &Pool,
    ) -> f64 {
        let ridge = self.ridge(trial.curvature);
        let (n, width) = (problem.n(), problem.one_hot.width());
        let probes: Vec<usize> = (0..N_PROBES.min(n)).map(|at| at * n / N_PROBES.min(n)).collect();
        // Of many classes, some stand for all.
        let classes: Vec<usize> =
            (0..width.min(N_CLASSES)).map(|at| at * width / width.min(N_CLASSES)).collect();
        let n_classes = classes.len();
        let columns = n_classes + 1 + probes.len();
        let of = trial.targets.as_deref().unwrap_or(problem.targets().values);
        let mut rhs = vec![0.0; n * columns];
        for (i, row) in rhs.chunks_exact_mut(columns).enumerate() {
            row.iter_mut().zip(&classes).for_each(|(to, class)| *to = of[i * width + class]);
            row[n_classes] = 1.0;
            probes
                .iter()
                .enumerate()
                .for_each(|(at, probe)| row[n_classes + 1 + at] = f64::from(i == *probe));
        }
        let solved = |rhs: &[f64]| -> Vec<f64> {
            let mut values: Vec<T> = rhs.iter().map(|v| T::from_f64(*v)).collect();
            factor.solve(&mut values, pool);
            values.into_iter().map(|v| v.to_f64()).collect()
        };
        let x = solved(&rhs);
        let matrix = gram.matrix(self.function, |i| ridge / problem.in_fit[i], pool);
        let product = matrix.symmetric_product(&x, columns, pool);
        let residual: Vec<f64> = rhs.iter().zip(product).map(|(b, p)| b - p).collect();
        let correction = solved(&residual);
        // Of the inverse's diagonal, as a share of it.
        let share = probes.iter().enumerate().map(|(at, &i)| {
            let at = i * columns + n_classes + 1 + at;
            (correction[at] / x[at]).abs()
        });
        let share = share.fold(0.0, f64::max);
        let diagonal = trial.solution.with_intercept(&trial.diagonal);
        let of_row = |i: usize| {
            let alpha = classes.iter().map(|class| trial.solution.alpha[i * width + class]);
            let errors = alpha.zip(&correction[i * columns..]);
            errors.map(|(a, e)| (e.abs() + a.abs() * share) / diagonal[i]).fold(0.0, f64::max)
        };
        (0..n).map(of_row).fold(0.0, |worst, error| if error.is_nan() { error } else { worst.max(error) })
    }

    /// The outputs for each row of the fit without the rows of its fold, from the fit's factor where that was kept; `None` for the logistic loss, which has no closed form of
    /// them, and when a fold leaves no rows.
    pub(super) fn leave_fold_out<T: Evaluate>(
        self,
        (trial, factor): (&Trial, Option<&Factor<T>>),
        gram: &Gram<T>,
        problem: &Problem,
        folds: Folds<'_>,
        pool: &Pool,
    ) -> Option<Vec<f64>> {
        if !self.is_closed_form() || folds.is_one() {
            return None;
        }
        let units = if trial.in_units { &problem.units[..] } else { &[] };
        // The others need no inverse.
        let sets = folds.sets_other_than(units, problem.n());
        if sets.is_empty() {
            return Some(trial.outputs.clone());
        }
        let inverse = match factor {
            Some(factor) => factor.inverse(pool),
            None => self.factor(gram, problem, trial.curvature, pool)?.inverse(pool),
        };
        trial.solution.leave_sets_out(problem.targets(), &inverse, &sets, trial.outputs.clone(), pool)
    }
}

/// Classes whose outputs are looked at.
const N_CLASSES: usize = 32;
/// Columns of the inverse whose error is estimated.
const N_PROBES: usize = 8;
