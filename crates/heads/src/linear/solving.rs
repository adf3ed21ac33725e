//! A fit under way: iterations of L-BFGS.

use std::sync::Arc;

use super::objective::Objective;
use super::params::TABLE;
use super::targets::Targets;
use super::{Linear, Solution};
use crate::error::{Error, Result};
use crate::head::{Fitted, Fitting, Job, Step};
use crate::optim::lbfgs::Lbfgs;

/// The weights so far.
pub(super) struct Solving<'a> {
    lbfgs: Lbfgs<'a, Objective<'a>>,
    max_iter: usize,
    done: usize,
}

impl<'a> Solving<'a> {
    /// Begins at coefficients of zero.
    ///
    /// # Errors
    /// When the samples cannot be learnt from, or the parameters are of another head.
    pub(super) fn begin(job: Job<'a>) -> Result<Solving<'a>> {
        let (samples, params) = (job.train, job.params.of(&TABLE)?);
        samples.check_shape("a logistic regression")?;
        samples.check_finite("", job.pool)?;
        let targets = Targets::new(samples, params)?;
        let penalised = (params.number("c")?, params.flag("fit_intercept"));
        let objective = Objective::new(samples, targets, penalised, job.pool);
        let (n, tol) = (objective.n_weights(), params.number("tol")?);
        let lbfgs = Lbfgs::new(objective, n, tol, job.pool)
            .ok_or_else(|| Error::diverged("the features are too large for a finite loss; scale them"))?;
        Ok(Solving { lbfgs, max_iter: params.count("max_iter")?, done: 0 })
    }

    /// The head of the iterations so far.
    pub(super) fn head(&self) -> Linear {
        let (n_iter, objective, converged) = (self.done, self.lbfgs.value(), self.lbfgs.is_done());
        let affine = self.lbfgs.function.affine(self.lbfgs.weights());
        let solution = Some(Solution { n_iter, objective, converged });
        Linear { affine, solution, choice: None, chosen: None, n_nonzero: None }
    }
}

impl Fitting for Solving<'_> {
    fn unit(&self) -> &'static str {
        "iteration"
    }

    /// At the minimum there are no more.
    fn total(&self) -> usize {
        if self.done > 0 && self.lbfgs.is_done() { self.done } else { self.max_iter }
    }

    fn done(&self) -> usize {
        self.done
    }

    fn step(&mut self) -> Result<Step> {
        // Where all weights are zero at the minimum, the first finds nothing to do.
        if !self.lbfgs.is_done() {
            self.lbfgs.iterate();
        }
        self.done += 1;
        Ok(Step::default())
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        (self.done > 0).then(|| Arc::new(self.head()) as Arc<dyn Fitted>)
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        Ok(Arc::new(self.head()))
    }
}
