//! A fit under way: a search where values are left to it, the machines of all pairs of classes, and their calibration.

use std::sync::Arc;

use super::folds::scores;
use super::machine::Svm;
use super::params::{C, CALIBRATION, GAMMA, TABLE, TOL};
use super::rows::Rows;
use super::search::{Search, Tried, log_loss, outputs};
use super::solve::solve;
use super::source::{MOST_BYTES, Source};
use crate::calibration::{self, Form};
use crate::error::{Error, Result};
use crate::head::{Fitted, Fitting, Job, Step};
use crate::params::AUTO;

/// A step of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Search,
    Solve,
    Calibrate,
}

/// A fit under way.
pub(super) struct Solving<'a> {
    job: Job<'a>,
    rows: Rows,
    tol: f64,
    /// `None`: without calibration.
    form: Option<Form>,
    passes: Vec<Pass>,
    n_done: usize,
    /// C and gamma, as they are given or were chosen.
    values: (f64, f64),
    tried: Vec<Tried>,
    source: Option<Source>,
    svm: Option<Arc<Svm>>,
}

impl<'a> Solving<'a> {
    /// Begins a fit.
    ///
    /// # Errors
    /// When the samples cannot be learnt from, or the parameters are of another head.
    pub(super) fn begin(job: Job<'a>) -> Result<Solving<'a>> {
        let params = job.params.of(&TABLE)?;
        job.train.check_shape("a support vector machine")?;
        job.train.check_finite("", job.pool)?;
        let rows = Rows::new(job.train, params, job.pool)?;
        let form = match params.word(CALIBRATION)? {
            "none" => None,
            word => Some(Form::of(Some(word))),
        };
        let is_free = |name| params.text(name) == Some(AUTO);
        let mut passes = vec![Pass::Solve];
        // Nothing tells the values of c apart where there is one class.
        if rows.classes.len() > 1 {
            if is_free(C) || is_free(GAMMA) {
                passes.insert(0, Pass::Search);
            }
            passes.extend(form.map(|_| Pass::Calibrate));
        }
        let values = (params.float(C).unwrap_or(1.0), rows.gamma(params));
        let tol = params.number(TOL)?;
        let (tried, source, svm) = (Vec::new(), None, None);
        Ok(Solving { job, rows, tol, form, passes, n_done: 0, values, tried, source, svm })
    }

    fn search(&mut self) -> Result<()> {
        let free = [C, GAMMA].map(|name| self.job.params.text(name) == Some(AUTO));
        let form = self.form.unwrap_or(Form::Quadratic);
        let mut search = Search::new(&self.rows, self.tol, form, self.job.pool);
        self.values = search.best(self.values, (free[0], free[1]))?;
        self.tried = search.tried;
        Ok(())
    }

    fn solve(&mut self) -> Result<()> {
        let ((c, gamma), pool) = (self.values, self.job.pool);
        let source = Source::new(self.rows.scaled(gamma, pool)?, MOST_BYTES, pool);
        let bounds: Vec<f64> = self.rows.weights.iter().map(|weight| c * weight).collect();
        let sets = [self.rows.of_classes(|_| true)];
        let solutions = solve(&source, &sets, (&bounds, self.tol), pool);
        let mut svm = Svm::new(&self.rows, source.x.view(), &solutions, (c, gamma), pool);
        svm.summary.tried = std::mem::take(&mut self.tried);
        self.svm = Some(Arc::new(svm));
        self.source = Some(source);
        Ok(())
    }

    fn calibrate(&mut self) -> Result<()> {
        let (Some(svm), Some(source), Some(form)) = (self.svm.take(), self.source.take(), self.form) else {
            return Err(Error::samples("nothing was fitted that could be calibrated"));
        };
        let ((c, _), pool) = (self.values, self.job.pool);
        let values = scores(&self.rows, &source, (c, self.tol), pool);
        drop(source);
        let (calibration, _) = calibration::fit(outputs(&self.rows, &values), form, pool);
        let log_loss = log_loss(&self.rows, &values, form, pool);
        let mut svm = Arc::unwrap_or_clone(svm);
        svm.calibration = calibration;
        svm.summary.log_loss = Some(log_loss);
        self.svm = Some(Arc::new(svm));
        Ok(())
    }
}

/// Fits a support vector machine.
///
/// # Errors
/// When the samples cannot be learnt from, or the parameters are of another head.
pub fn fit(job: Job<'_>) -> Result<Arc<Svm>> {
    let mut solving = Solving::begin(job)?;
    while solving.n_done < solving.passes.len() {
        solving.step()?;
    }
    solving.svm.ok_or_else(|| Error::samples("nothing was fitted"))
}

impl Fitting for Solving<'_> {
    fn unit(&self) -> &'static str {
        "step"
    }

    fn total(&self) -> usize {
        self.passes.len()
    }

    fn done(&self) -> usize {
        self.n_done
    }

    fn calibrates(&self) -> bool {
        self.passes.get(self.n_done) == Some(&Pass::Calibrate)
    }

    fn step(&mut self) -> Result<Step> {
        match self.passes[self.n_done] {
            Pass::Search => self.search()?,
            Pass::Solve => self.solve()?,
            Pass::Calibrate => self.calibrate()?,
        }
        self.n_done += 1;
        Ok(Step::default())
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        self.svm.clone().map(|svm| svm as Arc<dyn Fitted>)
    }

    fn finish(mut self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        if self.svm.is_none() {
            // Stopped after the search.
            self.solve()?;
        }
        self.best().ok_or_else(|| Error::samples("nothing was fitted"))
    }
}
