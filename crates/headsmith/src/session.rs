//! The library's front door: seed, metric, threads and view in one value, with the steps as methods.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use headsmith_data::{Files, ReadOptions};
use headsmith_kernels::Pool;
use headsmith_metrics::Metric;
use headsmith_model::Model;

use crate::checked::Checked;
use crate::conformal::ConformalOptions;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::fit::{self, FitData, FitOptions, FittedHead};
use crate::head::HeadConfig;
use crate::predict::{self, PredictOptions};
use crate::progress::{Progress, View};
use crate::report::{PredictionReport, Report, StudyReport};
use crate::run::{self, RunConfig};
use crate::tables;
use crate::tune::{self, TuneConfig};

/// Everything that the steps of a job share. Its defaults: seed 0, weighted F1, all cores, no view.
///
/// The same seed gives the same bytes, for any number of threads.
pub struct Session {
    seed: u64,
    metric: Metric,
    conformal: Option<ConformalOptions>,
    n_threads: usize,
    pool: Option<Pool>,
    stop: Arc<AtomicBool>,
    view: Box<dyn View>,
}

impl Default for Session {
    fn default() -> Session {
        Session::new()
    }
}

impl Session {
    /// A session with the defaults.
    pub fn new() -> Session {
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        let view = Box::new(|_: &Progress<'_>| {});
        Session {
            seed: 0,
            metric: Metric::default(),
            conformal: None,
            n_threads,
            pool: None,
            stop: Arc::default(),
            view,
        }
    }

    /// With the source of all random numbers.
    pub fn seed(self, seed: u64) -> Session {
        Session { seed, ..self }
    }

    /// With the metric on validation rows that chooses epochs, trials and heads.
    pub fn metric(self, metric: Metric) -> Session {
        Session { metric, ..self }
    }

    /// With prediction sets of the models that [`fit`](Session::fit) fits.
    pub fn conformal(self, options: ConformalOptions) -> Session {
        Session { conformal: Some(options), ..self }
    }

    /// With so many threads; 1 at least.
    pub fn threads(self, n_threads: usize) -> Session {
        Session { n_threads: n_threads.max(1), pool: None, ..self }
    }

    /// With a view of the progress.
    pub fn view(self, view: impl View + 'static) -> Session {
        Session { view: Box::new(view), ..self }
    }

    /// The stop request: when it is set, at any time and by any thread, the current step ends with its best so far.
    pub fn stop(&self) -> Arc<AtomicBool> {
        self.stop.clone()
    }

    /// The context of the functions of this crate.
    ///
    /// # Errors
    /// When the threads cannot be started.
    pub fn context(&mut self) -> Result<Context<'_>> {
        let pool = match self.pool.take() {
            Some(pool) => pool,
            None => Pool::new(self.n_threads)
                .map_err(|cause| Error::usage(format!("cannot start {} threads: {cause}", self.n_threads)))?,
        };
        Ok(Context {
            seed: self.seed,
            metric: self.metric,
            pool: self.pool.insert(pool),
            stop: &self.stop,
            view: self.view.as_mut(),
        })
    }

    /// Reads a training table in any format that the command reads, checks it, and takes `val_share` of its rows to validate
    /// (0: none).
    ///
    /// # Errors
    /// When it cannot be read or learnt from, or the share leaves one side without rows.
    pub fn read(&mut self, path: impl AsRef<Path>, options: &ReadOptions, val_share: f64) -> Result<FitData> {
        let mut context = self.context()?;
        let files = Files::from(path.as_ref());
        let train = tables::read("train", &files, options, &mut context)?;
        Checked::new(train, None, &[], options, &mut context)?.into_data(val_share, &mut context)
    }

    /// Fits a head and evaluates it.
    ///
    /// # Errors
    /// When the rows cannot be learnt from, the training diverges, or there are no rows to calibrate prediction sets.
    pub fn fit(&mut self, head: &HeadConfig, data: &FitData) -> Result<FittedHead> {
        let options = FitOptions { conformal: self.conformal, ..FitOptions::default() };
        fit::fit(head, data, &options, &mut self.context()?)
    }

    /// Predicts a table in any format that the command reads, in constant memory.
    ///
    /// # Errors
    /// Those of [`predict`](crate::predict()).
    pub fn predict(
        &mut self,
        model: &Model,
        path: impl AsRef<Path>,
        read: &ReadOptions,
        options: &PredictOptions,
    ) -> Result<PredictionReport> {
        predict::predict(model, &Files::from(path.as_ref()), read, options, &mut self.context()?)
    }

    /// Runs a study, or resumes it.
    ///
    /// # Errors
    /// Those of [`tune::tune`].
    pub fn tune(&mut self, config: &TuneConfig) -> Result<StudyReport> {
        tune::tune(config, &mut self.context()?)
    }

    /// Does the whole job of the command `run`.
    ///
    /// # Errors
    /// Those of [`run::run`].
    pub fn run(&mut self, config: &RunConfig) -> Result<Report> {
        run::run(config, &mut self.context()?)
    }
}
