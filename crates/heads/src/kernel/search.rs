//! A fit under way: first the screen, then the search on all rows; or, with landmarks, the search on some of them and a fit on all.

use std::sync::Arc;

use headsmith_kernels::{Matrix, Pool};

use super::features::total_variance;
use super::machine::Machine;
use super::nystroem::Nystroem;
use super::plan::{Plan, search_rows};
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
    large: Option<Large<'a>>,
    done: usize,
    pool: &'a Pool,
}

/// A fit on landmarks.
struct Large<'a> {
    n_landmarks: usize,
    /// The rows of the search.
    sample: Problem,
    units: Option<&'a [u32]>,
    seed: u64,
    fit: Option<Nystroem>,
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
        let large = plan.n_landmarks(problem.n())?.map(|n_landmarks| Large {
            n_landmarks,
            sample: problem.thinned(search_rows(problem.n(), n_landmarks)),
            units: job.train.units(),
            seed: job.seed,
            fit: None,
        });
        Ok(Search { plan, problem, screen, n_screen, refine: None, large, done: 0, pool: job.pool })
    }

    fn begin_refining(&mut self) -> Refine {
        let winners = self.screen.take().map(|screen| screen.winners(N_WINNERS)).unwrap_or_default();
        Refine::new(if winners.is_empty() { self.plan.only() } else { winners })
    }

    fn head(&self) -> Option<Machine> {
        let Some(large) = &self.large else { return self.refine.as_ref()?.machine(&self.problem, self.pool) };
        let history = self.refine.as_ref().map_or(&[][..], |refine| &refine.history);
        large.fit.as_ref()?.machine(&self.problem, history, self.pool)
    }

    /// The rows of the search.
    fn searched(&self) -> &Problem {
        self.large.as_ref().map_or(&self.problem, |large| &large.sample)
    }

    /// Whether the search is over; one on some of the rows is not needed where there is nothing to choose.
    fn is_searched(&self) -> bool {
        let is_skipped = self.large.is_some() && self.plan.is_fixed();
        is_skipped || self.refine.as_ref().is_some_and(Refine::is_done)
    }

    fn refine(&mut self) -> Result<()> {
        let mut refine = self.refine.take().unwrap_or_else(|| self.begin_refining());
        let stepped = refine.step(self.searched(), &self.plan, self.pool);
        let verified = match stepped {
            Ok(()) if refine.is_done() && self.large.is_none() => refine.verify(&self.problem, self.pool),
            other => other,
        };
        self.refine = Some(refine);
        verified
    }

    /// Does the next step of the fit on landmarks.
    fn approximate(&mut self) -> Result<()> {
        let found = self.refine.as_ref().and_then(Refine::best_point).or_else(|| self.plan.only().pop());
        let (Some(large), Some(point)) = (&mut self.large, found) else { return Ok(()) };
        if let Some(fit) = &mut large.fit {
            return fit.step(&self.problem, self.pool);
        }
        // The search is over: its matrices are not needed any more.
        if let Some(refine) = &mut self.refine {
            refine.free();
        }
        let of = (large.n_landmarks, large.units, large.seed);
        large.fit = Some(Nystroem::begin(&self.problem, &self.plan, point, of, self.pool)?);
        Ok(())
    }

    /// The operations of the steps of the fit on landmarks that are left, of each.
    fn operations_of_approximation(&self) -> Vec<u64> {
        let Some(large) = &self.large else { return Vec::new() };
        let [of_chunk, of_fold] =
            Nystroem::operations(&self.problem, large.n_landmarks, self.plan.is_open().1);
        let (n_chunks, n_after) = match &large.fit {
            None => (Nystroem::n_chunks(self.problem.n()) + 1, Nystroem::AFTER_SUMS),
            Some(fit) => fit.n_left(),
        };
        let mut all = vec![of_chunk; n_chunks];
        all.resize(n_chunks + n_after, of_fold);
        all
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
        match &self.large {
            None => self.is_searched(),
            Some(large) => large.fit.as_ref().is_some_and(Nystroem::is_done),
        }
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
        if self.large.is_some() { "step" } else { "candidate" }
    }

    /// Where a move makes nothing better, there are fewer.
    fn total(&self) -> usize {
        if self.is_over() {
            return self.done;
        }
        let of_search = match (self.is_searched(), self.plan.is_fixed()) {
            (true, _) => self.done,
            (false, true) => 1,
            (false, false) => self.n_screen + MOST_FITS,
        };
        of_search + self.operations_of_approximation().len()
    }

    fn done(&self) -> usize {
        self.done
    }

    fn step(&mut self) -> Result<Step> {
        match &mut self.screen {
            Some(screen) if screen.done() < self.n_screen => screen.step(&self.plan, self.pool)?,
            _ => match self.is_searched() {
                true => self.approximate()?,
                false => self.refine()?,
            },
        }
        self.done += 1;
        Ok(Step::default())
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        self.head().map(|head| Arc::new(head) as Arc<dyn Fitted>)
    }

    fn out_of_fold(&self, folds: Folds<'_>) -> Option<Matrix> {
        let (form, one_hot) = (self.plan.form(), &self.problem.one_hot);
        let outputs = match &self.large {
            None => self.refine.as_ref()?.leave_fold_out(&self.problem, folds, self.pool)?,
            Some(large) => large.fit.as_ref()?.out_of_fold(folds)?.to_vec(),
        };
        Some(one_hot.spread(&calibration::cross_fitted(one_hot.outputs(&outputs), form, folds, self.pool)))
    }

    fn next_operations(&self) -> Option<u64> {
        Some(match (self.left_to_screen(), self.is_searched()) {
            (0, true) => self.operations_of_approximation().first().copied().unwrap_or_default(),
            (0, false) => operations(self.searched()),
            _ => self.operations_of_screening(),
        })
    }

    fn operations_to_first(&self) -> Vec<u64> {
        let has_searched = self.is_searched() || self.refine.as_ref().and_then(Refine::best).is_some();
        let mut all = vec![self.operations_of_screening(); self.left_to_screen()];
        all.resize(all.len() + usize::from(!has_searched), operations(self.searched()));
        if !self.is_over() {
            all.extend(self.operations_of_approximation());
        }
        all
    }

    fn conclude(&mut self) -> Result<()> {
        // A fit that was stopped has at most a few rows' worth of a screen: then its best point is fitted on all rows.
        while !self.is_searched() && self.refine.as_ref().and_then(Refine::best).is_none() {
            self.refine()?;
        }
        if self.large.is_some() {
            while !self.is_over() {
                self.approximate()?;
            }
            return Ok(());
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
