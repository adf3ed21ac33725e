//! The thread that predicts, batch after batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use headsmith_kernels::{MatRef, Matrix, Pool};

use crate::aside;
use crate::failure::Failure;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::models::ServedModel;
use crate::queue::{Bounds, Job, Queue};

/// The most rows of a request for each thread that are predicted at once: cutting many such requests into pieces would cost them all.
const WHOLE_ROWS: usize = 64;

/// The rows of a larger request that a thread predicts before others have their turn: of a network of 330,000 weights it takes .2 ms. Fewer would cost the large
/// requests more than they give the small ones: a product of so few rows is bound by reading the weights.
const PIECE_ROWS: usize = 16;

/// The work of the thread that predicts.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) queue: Arc<Queue>,
    pub(crate) pool: Pool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Arc<Log>,
    pub(crate) batch_rows: usize,
    pub(crate) batch_wait: Duration,
}

impl Worker {
    /// Predicts until the queue is closed.
    pub(crate) fn run(self) {
        // A row's prediction does not depend on the rows beside it, so threads may decide how many there are.
        let of_threads = |n_rows: usize| (n_rows * self.pool.n_threads()).min(self.batch_rows);
        let (whole_rows, piece_rows) = (of_threads(WHOLE_ROWS), of_threads(PIECE_ROWS));
        let bounds = Bounds { rows: self.batch_rows, whole_rows, piece_rows, wait: self.batch_wait };
        while let Some(mut jobs) = self.queue.take(bounds) {
            jobs.retain(|job| !job.is_abandoned());
            let Some(first) = jobs.first() else { continue };
            let model = first.model.clone();
            // A panic would be a defect of ours: it must not end the service of all others.
            match catch_unwind(AssertUnwindSafe(|| self.predict(&model, &jobs))) {
                Ok(Ok((proba, decided))) => self.hand_out(&model, jobs, proba.view(), &decided),
                Ok(Err(failure)) => jobs.into_iter().for_each(|job| job.fail(failure.clone())),
                Err(_) => {
                    self.log.event("error", "the prediction panicked", &model.name);
                    jobs.into_iter().for_each(|job| job.fail(Failure::internal()));
                }
            }
        }
    }

    /// The probabilities and the classes of all pieces, one after another.
    fn predict(&self, model: &ServedModel, jobs: &[Job]) -> Result<(Matrix, Vec<u32>), Failure> {
        let n_rows = jobs.iter().map(|job| job.piece().n_rows()).sum();
        self.metrics.batch(n_rows);
        let predicted = match jobs {
            [job] => model.model.predict_decided(job.piece(), &self.pool),
            _ => {
                let values: Vec<&[f32]> = jobs.iter().map(|job| job.piece().as_slice()).collect();
                let values = values.concat();
                let all = MatRef::new(&values, n_rows, model.model.n_features());
                model.model.predict_decided(all, &self.pool)
            }
        };
        predicted.map_err(|error| Failure::bad(error.to_string()))
    }

    /// Counts predictions and gives each job those of its piece.
    fn hand_out(&self, model: &ServedModel, jobs: Vec<Job>, proba: MatRef<'_>, decided: &[u32]) {
        for class in decided {
            model.predicted[*class as usize].fetch_add(1, Ordering::Relaxed);
        }
        let mut start = 0;
        for job in jobs {
            let piece = job.piece();
            let end = start + piece.n_rows();
            if let Some(drift) = &model.drift {
                drift.add(piece);
            }
            if let Some(unfinished) = job.add(proba.rows(start, end), &decided[start..end]) {
                self.queue.put_back(unfinished);
                aside::pause();
            }
            start = end;
        }
    }
}
