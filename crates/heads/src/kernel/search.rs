//! A fit under way: first the screen, then the search on all rows.

use std::sync::Arc;

use headsmith_kernels::{Matrix, Pool};

use super::features::total_variance;
use super::machine::Machine;
use super::plan::Plan;
use super::problem::Problem;
use super::refine::{MOST_FITS, N_WINNERS, Refine};
use super::screen::Screen;
use crate::calibration;
use crate::error::{Error, Result};
use crate::head::{Fitted, Fitting, Folds, Job, Step};

/// The operations of a calibration for each of its outputs.
const CALIBRATION: u64 = 3000;

/// A fit under way.
pub(super) struct Search<'a> {
    plan: Plan,
    problem: Problem,
    screen: Option<Screen>,
    n_screen: usize,
    refine: Option<Refine>,
    done: usize,
    pool: &'a Pool,
}

impl<'a> Search<'a> {
    /// Begins a fit.
    ///
    /// # Errors
    /// When the samples cannot be learnt from, or the parameters are of another head.
    pub(super) fn begin(job: Job<'a>) -> Result<Search<'a>> {
        let mut plan = Plan::new(job.params)?;
        job.train.check_shape("a kernel machine")?;
        job.train.check_finite("", job.pool)?;
        let problem = Problem::new(job.train, job.params, job.pool)?;
        if total_variance(problem.x.view(), job.pool) == 0.0 {
            plan.leave_features();
        }
        let screen = (!plan.is_fixed()).then(|| Screen::new(problem.thinned(plan.screen_rows), &plan));
        let n_screen = if screen.is_some() { plan.features().len() } else { 0 };
        Ok(Search { plan, problem, screen, n_screen, refine: None, done: 0, pool: job.pool })
    }

    fn begin_refining(&mut self) -> Refine {
        let winners = self.screen.take().map(|screen| screen.winners(N_WINNERS)).unwrap_or_default();
        Refine::new(if winners.is_empty() { self.plan.only() } else { winners })
    }

    fn head(&self) -> Option<Machine> {
        let refine = self.refine.as_ref()?;
        Machine::new(&self.problem, refine.prepared()?, refine.best()?, &refine.history, self.pool)
    }

    /// Steps of the screen that are left.
    fn left_to_screen(&self) -> usize {
        self.screen.as_ref().map_or(0, |screen| self.n_screen - screen.done())
    }

    fn operations_of_screening(&self) -> u64 {
        let of = |screen: &Screen| screen.n_fits(&self.plan) * operations(screen.problem());
        self.screen.as_ref().map_or(0, of)
    }

    fn is_over(&self) -> bool {
        self.refine.as_ref().is_some_and(Refine::is_done)
    }
}

/// The operations of a fit: the inner products, the factor, the coefficients, and the calibration.
fn operations(problem: &Problem) -> u64 {
    let [n, f, outputs] = [problem.n(), problem.x.n_cols(), problem.one_hot.width()].map(|n| n as u64);
    let of_row = n.saturating_mul(2 * n / 3 + f + 2 * outputs);
    n.saturating_mul(of_row.saturating_add(CALIBRATION * outputs))
}

impl Fitting for Search<'_> {
    fn unit(&self) -> &'static str {
        "candidate"
    }

    /// Where a move makes nothing better, there are fewer.
    fn total(&self) -> usize {
        match (self.is_over(), self.plan.is_fixed()) {
            (true, _) => self.done,
            (false, true) => 1,
            (false, false) => self.n_screen + MOST_FITS,
        }
    }

    fn done(&self) -> usize {
        self.done
    }

    fn step(&mut self) -> Result<Step> {
        match &mut self.screen {
            Some(screen) if screen.done() < self.n_screen => screen.step(&self.plan, self.pool)?,
            _ => {
                let mut refine = self.refine.take().unwrap_or_else(|| self.begin_refining());
                let stepped = refine.step(&self.problem, &self.plan, self.pool);
                let verified = match stepped {
                    Ok(()) if refine.is_done() => refine.verify(&self.problem, self.pool),
                    other => other,
                };
                self.refine = Some(refine);
                verified?;
            }
        }
        self.done += 1;
        Ok(Step::default())
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        self.head().map(|head| Arc::new(head) as Arc<dyn Fitted>)
    }

    fn out_of_fold(&self, folds: Folds<'_>) -> Option<Matrix> {
        let (refine, problem) = (self.refine.as_ref()?, &self.problem);
        let (form, one_hot) = (refine.best()?.setting.form, &problem.one_hot);
        let outputs = refine.leave_fold_out(problem, folds, self.pool)?;
        Some(one_hot.spread(&calibration::cross_fitted(one_hot.outputs(&outputs), form, folds, self.pool)))
    }

    fn next_operations(&self) -> Option<u64> {
        Some(match self.left_to_screen() {
            0 => operations(&self.problem),
            _ => self.operations_of_screening(),
        })
    }

    fn operations_to_first(&self) -> Vec<u64> {
        if self.refine.as_ref().and_then(Refine::best).is_some() {
            return Vec::new();
        }
        let mut all = vec![self.operations_of_screening(); self.left_to_screen()];
        all.push(operations(&self.problem));
        all
    }

    fn conclude(&mut self) -> Result<()> {
        // A fit that was stopped has at most a few rows' worth of a screen: then its best point is fitted on all rows.
        while self.refine.as_ref().and_then(Refine::best).is_none() {
            let mut refine = self.refine.take().unwrap_or_else(|| self.begin_refining());
            let stepped = refine.step(&self.problem, &self.plan, self.pool);
            self.refine = Some(refine);
            stepped?;
        }
        match &mut self.refine {
            // The last step has verified the best fit.
            Some(refine) if !refine.is_done() => refine.verify(&self.problem, self.pool),
            _ => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        self.conclude()?;
        match self.head() {
            Some(head) => Ok(Arc::new(head)),
            None => Err(Error::samples("the fit was stopped before its first candidate")),
        }
    }
}
