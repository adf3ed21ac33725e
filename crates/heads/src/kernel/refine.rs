//! The search on all rows: the winners of the screen are compared, and from the better one strength and width are moved while that
//! makes the leave-one-out log loss smaller.

use headsmith_kernels::{MatRef, Matrix, Pool};

use super::features::{Features, total_variance};
use super::gram::Gram;
use super::machine::{FittedKernel, Machine};
use super::plan::Plan;
use super::problem::Problem;
use super::screen::Scored;
use super::trial::{Setting, Trial};
use crate::error::{Error, Result};
use crate::head::Folds;
use crate::linalg::tiles::Factor;
use crate::transform::{Pipeline, Spec};

/// Choices of features that are compared on all rows.
pub(super) const N_WINNERS: usize = 2;
/// The most fits on all rows.
pub(super) const MOST_FITS: usize = 10;
/// Factors by which alpha and gamma are moved.
const ALPHA_STEP: f64 = 2.0;
const GAMMA_STEP: f64 = 1.5;
/// The largest error of leave-one-out outputs that rounding to single precision may make.
const MOST_ERROR: f64 = 1e-4;

/// The rows after a choice of features.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) features: Features,
    pub(super) pipeline: Pipeline,
    pub(super) rows: Matrix,
    pub(super) variance: f64,
}

/// A fit on all rows.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    pub(super) winner: usize,
    pub(super) gamma: f64,
    pub(super) alpha: f64,
    pub(super) setting: Setting,
    pub(super) trial: Trial,
    /// Whether double precision was needed.
    pub(super) double: bool,
}

/// The search under way.
#[derive(Debug)]
pub(super) struct Refine {
    winners: Vec<Scored>,
    /// The winner whose rows are ready, with their inner products.
    ready: Option<(usize, Prepared, Gram<f32>)>,
    /// Places that were fitted: the winner, and the moves of gamma and alpha from its own.
    places: Vec<(GridPoint, f64)>,
    best: Option<Fit>,
    /// The factor of the best fit, if that was done in single precision.
    factor: Option<Factor<f32>>,
    /// The log losses of all fits, in their order.
    pub(super) history: Vec<Scored>,
    is_done: bool,
}

/// A winner, and moves of gamma and alpha.
type GridPoint = (usize, i32, i32);

impl Refine {
    pub(super) fn new(winners: Vec<Scored>) -> Refine {
        let (places, history) = (Vec::new(), Vec::new());
        Refine { winners, ready: None, places, best: None, factor: None, history, is_done: false }
    }

    /// Whether there is nothing left to try.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Frees the matrices of the best fit.
    pub(super) fn free(&mut self) {
        (self.ready, self.factor) = (None, None);
    }

    /// The best fit so far.
    pub(super) fn best(&self) -> Option<&Fit> {
        self.best.as_ref()
    }

    /// Does the next fit.
    ///
    /// # Errors
    /// When a transform cannot be fitted, or the first matrix has no factor in any precision.
    pub(super) fn step(&mut self, problem: &Problem, plan: &Plan, pool: &Pool) -> Result<()> {
        let Some(place) = self.next(plan) else {
            self.is_done = true;
            return Ok(());
        };
        let (winner, by_gamma, by_alpha) = place;
        let start = self.winners[winner];
        let gamma = start.gamma * GAMMA_STEP.powi(by_gamma);
        let alpha = start.alpha * ALPHA_STEP.powi(by_alpha);
        self.prepare(winner, problem, pool)?;
        let Some((_, prepared, gram)) = &self.ready else { return Ok(()) };
        let setting = plan.setting(gamma, alpha, prepared.variance)?;
        let single = match setting.function.is_bounded() {
            true => setting.fit(gram, problem, pool),
            false => None,
        };
        let found = match single {
            Some((trial, factor)) => Some((trial, Some(factor))),
            None => {
                // Double precision needs the memory.
                self.factor = None;
                let gram = Gram::<f64>::new(prepared.rows.view(), pool);
                setting.fit(&gram, problem, pool).map(|(trial, _)| (trial, None))
            }
        };
        let log_loss = found.as_ref().map_or(f64::INFINITY, |(trial, _)| trial.log_loss);
        self.places.push((place, log_loss));
        self.history.push(Scored { gamma, alpha, log_loss, ..start });
        match found {
            Some((trial, factor)) if self.best.as_ref().is_none_or(|best| log_loss < best.trial.log_loss) => {
                let double = factor.is_none();
                self.factor = factor;
                self.best = Some(Fit { winner, gamma, alpha, setting, trial, double });
            }
            None if self.best.is_none() => {
                return Err(Error::samples(
                    "the kernel matrix is singular: alpha is too small for these rows; make it larger",
                ));
            }
            _ => (),
        }
        self.is_done = self.next(plan).is_none();
        Ok(())
    }

    /// Makes sure that the best fit is exact to [`MOST_ERROR`]: where single precision is not, it is done again in double.
    ///
    /// # Errors
    /// When a transform cannot be fitted.
    pub(super) fn verify(&mut self, problem: &Problem, pool: &Pool) -> Result<()> {
        let Some(best) = &self.best else { return Ok(()) };
        let (winner, setting) = (best.winner, best.setting);
        self.prepare(winner, problem, pool)?;
        let (Some(best), Some((_, prepared, gram))) = (&mut self.best, &self.ready) else { return Ok(()) };
        if best.double {
            return Ok(());
        }
        if self.factor.is_none() {
            self.factor = setting.fit(gram, problem, pool).map(|(_, factor)| factor);
        }
        let error = self
            .factor
            .as_ref()
            .map_or(f64::INFINITY, |factor| setting.error((&best.trial, factor), gram, problem, pool));
        // A NaN is no small error.
        if error <= MOST_ERROR {
            return Ok(());
        }
        self.factor = None;
        let double = Gram::<f64>::new(prepared.rows.view(), pool);
        if let Some((trial, _)) = setting.fit(&double, problem, pool) {
            (best.trial, best.double) = (trial, true);
        }
        Ok(())
    }

    /// The best fit on the rows of `problem`; `None` while those of another winner are ready.
    pub(super) fn machine(&self, problem: &Problem, pool: &Pool) -> Option<Machine> {
        let (fit, prepared, _) = self.best_with_rows()?;
        let fitted = FittedKernel {
            prepared,
            rows: prepared.rows.view(),
            coefficients: &fit.trial.solution.alpha,
            intercept: &fit.trial.solution.intercept,
            calibration: &fit.trial.calibration,
            setting: fit.setting,
            scored: self.scored(fit),
            double: fit.double,
        };
        Some(Machine::new(problem, fitted, &self.history, pool))
    }

    /// The point of the grid that is best so far.
    pub(super) fn best_point(&self) -> Option<Scored> {
        self.best.as_ref().map(|fit| self.scored(fit))
    }

    fn scored(&self, fit: &Fit) -> Scored {
        let features = self.winners[fit.winner].features;
        Scored { features, gamma: fit.gamma, alpha: fit.alpha, log_loss: fit.trial.log_loss }
    }

    /// The outputs of the best fit for each row without those of its fold.
    pub(super) fn leave_fold_out(
        &self,
        problem: &Problem,
        folds: Folds<'_>,
        pool: &Pool,
    ) -> Option<Vec<f64>> {
        let (best, prepared, gram) = self.best_with_rows()?;
        let (setting, trial) = (best.setting, &best.trial);
        if best.double {
            let gram = Gram::<f64>::new(prepared.rows.view(), pool);
            return setting.leave_fold_out((trial, None), &gram, problem, folds, pool);
        }
        setting.leave_fold_out((trial, self.factor.as_ref()), gram, problem, folds, pool)
    }

    fn best_with_rows(&self) -> Option<(&Fit, &Prepared, &Gram<f32>)> {
        let (best, (winner, prepared, gram)) = (self.best.as_ref()?, self.ready.as_ref()?);
        (*winner == best.winner).then_some((best, prepared, gram))
    }

    /// The next place: every winner's own, then those next to the best.
    fn next(&self, plan: &Plan) -> Option<GridPoint> {
        let is_new = |place: &GridPoint| !self.places.iter().any(|(other, _)| other == place);
        if let Some(place) = (0..self.winners.len()).map(|winner| (winner, 0, 0)).find(is_new) {
            return Some(place);
        }
        if self.places.len() >= MOST_FITS {
            return None;
        }
        let (best, _) = self.places.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let (winner, by_gamma, by_alpha) = *best;
        let (gamma, alpha) = plan.is_open();
        let of_alpha = [(0, -1), (0, 1)].into_iter().filter(|_| alpha);
        let moves = of_alpha.chain([(-1, 0), (1, 0)].into_iter().filter(|_| gamma));
        moves.map(|(g, a)| (winner, by_gamma + g, by_alpha + a)).find(is_new)
    }

    fn prepare(&mut self, winner: usize, problem: &Problem, pool: &Pool) -> Result<()> {
        if self.ready.as_ref().is_some_and(|(ready, ..)| *ready == winner) {
            return Ok(());
        }
        // The old products are freed first.
        self.ready = None;
        let prepared = Prepared::new(self.winners[winner].features, problem.x.view(), pool)?;
        let gram = Gram::new(prepared.rows.view(), pool);
        self.ready = Some((winner, prepared, gram));
        Ok(())
    }
}

impl Prepared {
    pub(super) fn new(features: Features, x: MatRef<'_>, pool: &Pool) -> Result<Prepared> {
        let pipeline = features.spec().parse::<Spec>()?.fit(x, pool)?;
        let rows = pipeline.apply(x, pool);
        let variance = total_variance(rows.view(), pool);
        Ok(Prepared { features, pipeline, rows, variance })
    }
}
