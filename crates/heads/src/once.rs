//! A fit that is a single step, for heads that have no others.

use std::sync::Arc;

use headsmith_kernels::Matrix;

use crate::error::{Error, Result};
use crate::head::{Fitted, Fitting, Folds, Job, Resume, Step};

/// A fit under way whose only step is `fit`.
struct Once<'a, T, F, O> {
    job: Job<'a>,
    fit: F,
    out_of_fold: O,
    fitted: Option<Arc<T>>,
}

/// A fit of `job` in one step, which calls `fit`. It is never resumed.
///
/// # Errors
/// When it is to be resumed.
pub fn once<'a, T: Fitted + 'static>(
    job: Job<'a>,
    resume: Option<Resume>,
    fit: impl Fn(Job<'_>) -> Result<T> + 'a,
) -> Result<Box<dyn Fitting + 'a>> {
    once_with_folds(job, resume, fit, |_, _, _| None)
}

/// As [`once`], for a head whose closed form gives out-of-fold predictions: `out_of_fold` computes them from the fitted head.
///
/// # Errors
/// When it is to be resumed.
pub fn once_with_folds<'a, T: Fitted + 'static>(
    job: Job<'a>,
    resume: Option<Resume>,
    fit: impl Fn(Job<'_>) -> Result<T> + 'a,
    out_of_fold: impl Fn(&T, Job<'_>, Folds<'_>) -> Option<Matrix> + 'a,
) -> Result<Box<dyn Fitting + 'a>> {
    match resume {
        None => Ok(Box::new(Once { job, fit, out_of_fold, fitted: None })),
        Some(_) => Err(Error::stored("a fit in one step is not resumed: it is done again")),
    }
}

impl<T, F, O> Fitting for Once<'_, T, F, O>
where
    T: Fitted + 'static,
    F: Fn(Job<'_>) -> Result<T>,
    O: Fn(&T, Job<'_>, Folds<'_>) -> Option<Matrix>,
{
    fn unit(&self) -> &'static str {
        "step"
    }

    fn total(&self) -> usize {
        1
    }

    fn done(&self) -> usize {
        usize::from(self.fitted.is_some())
    }

    fn step(&mut self) -> Result<Step> {
        self.fitted = Some(Arc::new((self.fit)(self.job)?));
        Ok(Step::default())
    }

    fn best(&self) -> Option<Arc<dyn Fitted>> {
        self.fitted.clone().map(|fitted| fitted as Arc<dyn Fitted>)
    }

    fn out_of_fold(&self, folds: Folds<'_>) -> Option<Matrix> {
        (self.out_of_fold)(self.fitted.as_deref()?, self.job, folds)
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        match self.fitted {
            Some(fitted) => Ok(fitted),
            None => Err(Error::samples("the fit was stopped before its only step")),
        }
    }
}
