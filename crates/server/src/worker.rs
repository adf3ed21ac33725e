//! The thread that predicts, batch after batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use headsmith_kernels::{MatRef, Matrix, Pool};
use headsmith_model::first_overflow;

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
        // A panic would be a defect of ours: it must not end the service of all others. The jobs that it drops are answered with a failure.
        while catch_unwind(AssertUnwindSafe(|| self.step(bounds))).unwrap_or_else(|_| {
            self.log.event("error", "the prediction panicked", "");
            true
        }) {}
    }

    /// Predicts the next batch; `false` when the queue is closed and empty.
    fn step(&self, bounds: Bounds) -> bool {
        let Some(mut jobs) = self.queue.take(bounds) else { return false };
        jobs.retain(|job| !job.is_abandoned());
        let Some(first) = jobs.first() else { return true };
        let model = first.model.clone();
        match self.predict(&model, &jobs) {
            Ok((proba, decided)) => self.hand_out(&model, jobs, proba.view(), &decided),
            Err(failure) => jobs.into_iter().for_each(|job| job.fail(failure.clone())),
        }
        true
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

    /// Gives each job the predictions of its piece, and counts them.
    fn hand_out(&self, model: &ServedModel, jobs: Vec<Job>, proba: MatRef<'_>, decided: &[u32]) {
        let mut start = 0;
        for job in jobs {
            let end = start + job.piece().n_rows();
            self.give(model, job, proba.rows(start, end), &decided[start..end]);
            start = end;
        }
    }

    /// Gives a job the predictions of its piece, unless one of them is no number: that is a fault of this job's rows alone.
    fn give(&self, model: &ServedModel, job: Job, proba: MatRef<'_>, decided: &[u32]) {
        if let Some(row) = first_overflow(proba) {
            let row = job.n_done() + row;
            return job.fail(Failure::bad(format!(
                "the probabilities of row {row} are no finite numbers: its values are probably too large for the model"
            )));
        }
        for class in decided {
            model.predicted[*class as usize].fetch_add(1, Ordering::Relaxed);
        }
        if let Some(drift) = &model.drift {
            drift.add(job.piece());
        }
        if let Some(unfinished) = job.add(proba, decided) {
            self.queue.put_back(unfinished);
            aside::pause();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{rows, served};

    fn worker(queue: &Arc<Queue>) -> Worker {
        Worker {
            queue: queue.clone(),
            pool: Pool::inline(),
            metrics: Arc::default(),
            log: Log::new(true),
            batch_rows: 1024,
            batch_wait: Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn a_panic_fails_its_requests_alone() {
        let queue = Arc::new(Queue::new(9));
        let worker = worker(&queue);
        let thread = std::thread::spawn(move || worker.run());
        let (sound, mut broken) = (served(), served());
        // Counting its predictions panics.
        Arc::get_mut(&mut broken).unwrap().predicted.clear();
        let failure = queue.predict(broken, rows(vec![1.0])).await.unwrap_err();
        assert_eq!(failure.status.as_u16(), 500);
        assert_eq!(queue.predict(sound, rows(vec![1.0])).await.unwrap().0.decided, [0]);
        queue.close();
        thread.join().unwrap();
    }

    #[tokio::test]
    async fn values_too_large_fail_their_request_alone() {
        let queue = Arc::new(Queue::new(9));
        let (model, worker) = (served(), worker(&queue));
        let asked = [rows(vec![1.0]), rows(vec![0.5, f32::MAX, f32::MAX]), rows(vec![-1.0])];
        let [a, b, c] = asked.map(|rows| queue.predict(model.clone(), rows));
        // All three wait before the first batch.
        let steps = async {
            assert!(worker.step(Bounds { rows: 9, whole_rows: 9, piece_rows: 9, wait: Duration::ZERO }));
        };
        let (a, b, c, ()) = tokio::join!(a, b, c, steps);
        assert_eq!((a.unwrap().0.decided, c.unwrap().0.decided), (vec![0], vec![1]));
        let failure = b.unwrap_err();
        assert!(failure.status.as_u16() == 400 && failure.message.contains("row 1 "), "{failure:?}");
        let n: Vec<u64> = model.predicted.iter().map(|n| n.load(Ordering::Relaxed)).collect();
        assert_eq!(n, [1, 1]);
    }
}
