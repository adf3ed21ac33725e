//! The thread that predicts. Requests wait in a bounded queue; those that came while it predicted are its next batch, so that batches grow
//! with the load and a lone request waits for nobody.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headsmith_kernels::{MatRef, Matrix, Pool};
use tokio::sync::oneshot;

use crate::failure::{Failure, Result};
use crate::log::Log;
use crate::metrics::Metrics;
use crate::models::ServedModel;
use crate::rows::Rows;

/// The predictions of a request's rows.
#[derive(Debug)]
pub(crate) struct Prediction {
    /// The class probabilities (`n_samples x n_classes`).
    pub(crate) proba: Matrix,
    /// The class of each row.
    pub(crate) decided: Vec<u32>,
}

/// The rows of a request that wait.
#[derive(Debug)]
struct Job {
    model: Arc<ServedModel>,
    rows: Rows,
    answer: oneshot::Sender<Result<Prediction>>,
}

/// The jobs that wait.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    came: Condvar,
    limit: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    n_rows: usize,
    /// Whether nobody waits for others any more.
    is_ending: bool,
    is_closed: bool,
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Queue {
        Queue { waiting: Mutex::default(), came: Condvar::new(), limit }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Predicts `rows` when their turn comes.
    ///
    /// # Errors
    /// When too many others wait.
    pub(crate) async fn predict(&self, model: Arc<ServedModel>, rows: Rows) -> Result<Prediction> {
        let (answer, predicted) = oneshot::channel();
        self.push(Job { model, rows, answer })?;
        predicted.await.unwrap_or_else(|_| Err(Failure::overloaded("the server ends")))
    }

    fn push(&self, job: Job) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= self.limit {
            return Err(Failure::overloaded(format!("{} requests wait already: come back", self.limit)));
        }
        if waiting.is_closed {
            return Err(Failure::overloaded("the server ends"));
        }
        waiting.n_rows += job.rows.n_rows;
        waiting.jobs.push_back(job);
        drop(waiting);
        self.came.notify_one();
        Ok(())
    }

    /// How many requests wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Ends all waiting for others.
    pub(crate) fn hurry(&self) {
        self.lock().is_ending = true;
        self.came.notify_all();
    }

    /// Ends the worker when nothing waits any more.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        (waiting.is_ending, waiting.is_closed) = (true, true);
        drop(waiting);
        self.came.notify_all();
    }

    /// Waits for jobs, and takes those of one model, the first's, up to `max_rows` rows; `None` when the queue is closed and empty.
    fn take(&self, max_rows: usize, wait: Duration) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() {
            if waiting.is_closed {
                return None;
            }
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let end = Instant::now() + wait;
        while waiting.n_rows < max_rows && !waiting.is_ending {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            waiting = self.came.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(waiting.batch(max_rows))
    }
}

impl Waiting {
    fn batch(&mut self, max_rows: usize) -> Vec<Job> {
        let mut batch: Vec<Job> = Vec::new();
        let (mut others, mut n_rows, mut is_full) = (VecDeque::new(), 0, false);
        while let Some(job) = self.jobs.pop_front() {
            let is_of_first = batch.first().is_none_or(|first| Arc::ptr_eq(&first.model, &job.model));
            is_full |= is_of_first && !batch.is_empty() && n_rows + job.rows.n_rows > max_rows;
            match is_of_first && !is_full {
                true => {
                    n_rows += job.rows.n_rows;
                    batch.push(job);
                }
                false => others.push_back(job),
            }
        }
        self.jobs = others;
        self.n_rows -= n_rows;
        batch
    }
}

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
        while let Some(mut jobs) = self.queue.take(self.batch_rows, self.batch_wait) {
            // Clients that went away need no answer.
            jobs.retain(|job| !job.answer.is_closed());
            let Some(first) = jobs.first() else { continue };
            let model = first.model.clone();
            // A panic would be a defect of ours: it must not end the service of all others.
            match catch_unwind(AssertUnwindSafe(|| self.predict(&model, &jobs))) {
                Ok(predictions) => answer(&model, jobs, predictions),
                Err(_) => {
                    self.log.event("error", "the prediction panicked", &model.name);
                    let failures = jobs.iter().map(|_| Err(Failure::internal())).collect();
                    answer(&model, jobs, failures);
                }
            }
        }
    }

    fn predict(&self, model: &ServedModel, jobs: &[Job]) -> Vec<Result<Prediction>> {
        let n_rows: usize = jobs.iter().map(|job| job.rows.n_rows).sum();
        self.metrics.batch(n_rows);
        let predicted = match jobs {
            [job] => model.model.predict_decided(job.rows.view(), &self.pool),
            _ => {
                let values: Vec<&[f32]> = jobs.iter().map(|job| job.rows.values.as_slice()).collect();
                let all = Rows { values: values.concat(), n_rows };
                model.model.predict_decided(all.view(), &self.pool)
            }
        };
        match predicted {
            Err(error) => jobs.iter().map(|_| Err(Failure::bad(error.to_string()))).collect(),
            Ok((proba, decided)) => parts(proba, decided, jobs).into_iter().map(Ok).collect(),
        }
    }
}

/// Counts predictions and answers jobs with them.
fn answer(model: &ServedModel, jobs: Vec<Job>, predictions: Vec<Result<Prediction>>) {
    for (job, prediction) in jobs.into_iter().zip(predictions) {
        if let Ok(prediction) = &prediction {
            for class in &prediction.decided {
                model.predicted[*class as usize].fetch_add(1, Ordering::Relaxed);
            }
            if let Some(drift) = &model.drift {
                drift.add(job.rows.view());
            }
        }
        // The client may have gone away meanwhile.
        let _ = job.answer.send(prediction);
    }
}

/// The predictions of each job's rows.
fn parts(proba: Matrix, decided: Vec<u32>, jobs: &[Job]) -> Vec<Prediction> {
    if jobs.len() == 1 {
        return vec![Prediction { proba, decided }];
    }
    let mut start = 0;
    let part = |job: &Job| {
        let end = start + job.rows.n_rows;
        let rows: MatRef<'_> = proba.view().rows(start, end);
        let part = Prediction { proba: rows.to_matrix(), decided: decided[start..end].to_vec() };
        start = end;
        part
    };
    jobs.iter().map(part).collect()
}
