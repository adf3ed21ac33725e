//! A fit under way, of one step.

use std::sync::Arc;

use headsmith_kernels::Matrix;

use super::fit::{LeftOut, Path};
use super::folds::leave_fold_out;
use super::head::{Chosen, Ridge};
use super::params::TABLE;
use crate::affine::Affine;
use crate::calibration::{self, Form};
use crate::error::{Error, Result};
use crate::head::{Fitted, Fitting, Folds, Job, Step};
use crate::one_hot::OneHot;

/// A fit under way.
pub(super) struct Solving<'a> {
    job: Job<'a>,
    targets: OneHot,
    alpha: Option<f64>,
    form: Form,
    done: Option<Done>,
}

/// The result of the step.
struct Done {
    path: Path,
    left_out: LeftOut,
    ridge: Arc<Ridge>,
}

impl<'a> Solving<'a> {
    /// Begins a fit.
    ///
    /// # Errors
    /// When the samples cannot be learnt from, or the parameters are of another head.
    pub(super) fn begin(job: Job<'a>) -> Result<Solving<'a>> {
        let params = job.params.of(&TABLE)?;
        job.train.check_shape("a ridge regression")?;
        job.train.check_finite("", job.pool)?;
        let (alpha, form) = (params.float("alpha"), Form::of(params.text("calibration")));
        Ok(Solving { targets: OneHot::new(job.train, params)?, alpha, form, done: None, job })
    }
}

impl Fitting for Solving<'_> {
    fn unit(&self) -> &'static str {
        "step"
    }

    fn total(&self) -> usize {
        1
    }

    fn done(&self) -> usize {
        usize::from(self.done.is_some())
    }

    fn step(&mut self) -> Result<Step> {
        let (samples, targets, pool) = (self.job.train, &self.targets, self.job.pool);
        let path = Path::new(samples, targets, self.alpha, pool)?;
        let left_out = path.leave_out(samples, targets, pool);
        if !left_out.outputs.iter().all(|v| v.is_finite()) {
            return Err(Error::samples("the features are too large for single precision; scale them"));
        }
        let (calibration, log_loss) = calibration::fit(targets.outputs(&left_out.outputs), self.form, pool);
        let alpha = path.alphas[left_out.best];
        let (coef, intercept) = path.coefficients(alpha);
        let tried = path.alphas.iter().copied().zip(left_out.errors.iter().copied()).collect();
        let ridge = Ridge {
            affine: Affine::new(coef.view(), intercept),
            calibration,
            classes: targets.classes.clone(),
            n_classes: targets.n_classes,
            chosen: Chosen { alpha, log_loss: Some(log_loss), tried },
        };
        self.done = Some(Done { path, left_out, ridge: Arc::new(ridge) });
        Ok(Step::default())
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        self.done.as_ref().map(|done| done.ridge.clone() as Arc<dyn Fitted>)
    }

    fn out_of_fold(&self, folds: Folds<'_>) -> Option<Matrix> {
        let (done, targets, pool) = (self.done.as_ref()?, &self.targets, self.job.pool);
        let (alpha, left_out) = (done.ridge.chosen.alpha, &done.left_out);
        let outputs = leave_fold_out(&done.path, alpha, self.job.train, targets, (folds, left_out), pool)?;
        let proba = calibration::cross_fitted(targets.outputs(&outputs), self.form, folds, pool);
        Some(targets.spread(&proba))
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        match self.done {
            Some(done) => Ok(done.ridge),
            None => Err(Error::samples("the fit was stopped before its only step")),
        }
    }
}
