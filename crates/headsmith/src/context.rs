//! The input that all steps of the pipeline share.

use std::sync::atomic::{AtomicBool, Ordering};

use headsmith_kernels::Pool;
use headsmith_metrics::Metric;

use crate::error::{Error, Result};
use crate::progress::{Progress, View};
use crate::record::{RecordedView, Recorder};

/// Seed, metric, threads, stop request and view.
pub struct Context<'a> {
    /// The source of all random numbers.
    pub seed: u64,
    /// The metric that chooses epochs, trials and heads.
    pub metric: Metric,
    /// The threads.
    pub pool: &'a Pool,
    /// The stop request: set from outside, at any time, it ends the work cleanly.
    pub stop: &'a AtomicBool,
    /// The view.
    pub view: &'a mut dyn View,
}

impl Context<'_> {
    /// Whether the work was asked to stop.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Calls `work`, and records its progress in `record`.
    pub fn recorded<T>(&mut self, record: impl Recorder, work: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let mut view = RecordedView::new(record, &mut *self.view);
        work(&mut Context {
            view: &mut view,
            seed: self.seed,
            metric: self.metric,
            pool: self.pool,
            stop: self.stop,
        })
    }

    /// Sends `progress` to the view.
    pub(crate) fn emit(&mut self, progress: &Progress<'_>) {
        self.view.see(progress);
    }

    /// Warns that something differs from what was asked for; the work continues.
    pub(crate) fn warn(&mut self, text: &str) {
        self.emit(&Progress::Warning(text));
    }

    /// Fails if the work was asked to stop.
    ///
    /// # Errors
    /// When it was.
    pub(crate) fn check_stop(&self) -> Result<()> {
        if self.stopping() {
            Err(Error::stopped("stopped before anything was fitted: nothing was written"))
        } else {
            Ok(())
        }
    }
}
