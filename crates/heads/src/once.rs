//! A fit that is a single step, for heads that have no others.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::head::{Fitted, Fitting, Job, Resume, Step};

/// A fit under way whose only step is `fit`.
struct Once<'a, F> {
    job: Job<'a>,
    fit: F,
    fitted: Option<Arc<dyn Fitted>>,
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
    match resume {
        None => Ok(Box::new(Once { job, fit, fitted: None })),
        Some(_) => Err(Error::stored("a fit in one step is not resumed: it is done again")),
    }
}

impl<T: Fitted + 'static, F: Fn(Job<'_>) -> Result<T>> Fitting for Once<'_, F> {
    fn unit(&self) -> &'static str {
        "pass"
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
        self.fitted.clone()
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Fitted>> {
        self.fitted.ok_or_else(|| Error::samples("the fit was stopped before its only step"))
    }
}
