//! The requests that wait for a prediction. Those that came while the last batch was predicted are the next one, so that batches grow with the load and
//! a lone request waits for nobody.
//!
//! A request of many rows is predicted in pieces, one a batch, and waits behind the others between two of them: whoever asks for one row never waits
//! for thousands of somebody else's.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headsmith_kernels::{MatRef, Matrix};
use tokio::sync::oneshot;

use crate::failure::{Failure, Result};
use crate::memory::Leased;
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

/// The end of a job: its prediction, and its rows, so that the thread that predicts need not give their memory back.
type Predicted = Result<(Prediction, Leased<Rows>)>;

impl Prediction {
    /// About how many bytes its probabilities have as text.
    pub(crate) fn text_bytes(&self) -> usize {
        TEXT_BYTES * self.proba.as_slice().len()
    }

    /// About how many bytes the probabilities of so many rows and classes take, as numbers and as text.
    pub(crate) fn bytes(n_rows: usize, n_classes: usize) -> usize {
        (size_of::<f32>() + TEXT_BYTES).saturating_mul(n_rows).saturating_mul(n_classes)
    }
}

/// A probability as text, such as `0.00012345,`.
const TEXT_BYTES: usize = 12;

/// The bounds of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Rows of all its requests, and at least one request.
    pub(crate) rows: usize,
    /// Rows of one request that is predicted as a whole.
    pub(crate) whole_rows: usize,
    /// Rows of one that has more.
    pub(crate) piece_rows: usize,
    /// How long it waits for more requests.
    pub(crate) wait: Duration,
}

/// The rows of a request that wait.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) model: Arc<ServedModel>,
    rows: Leased<Rows>,
    answer: oneshot::Sender<Predicted>,
    /// The predictions of the first rows.
    proba: Vec<f32>,
    decided: Vec<u32>,
    /// How many rows the present batch has.
    n_next: usize,
}

impl Job {
    /// A job for `rows`, and where its answer arrives.
    fn new(model: Arc<ServedModel>, rows: Leased<Rows>) -> (Job, oneshot::Receiver<Predicted>) {
        let (answer, predicted) = oneshot::channel();
        (Job { model, rows, answer, proba: Vec::new(), decided: Vec::new(), n_next: 0 }, predicted)
    }

    fn n_left(&self) -> usize {
        self.rows.n_rows - self.n_done()
    }

    /// How many of its rows are predicted.
    pub(crate) fn n_done(&self) -> usize {
        self.decided.len()
    }

    /// The rows that the present batch has (`n_next x n_features`).
    pub(crate) fn piece(&self) -> MatRef<'_> {
        let start = self.decided.len();
        self.rows.view().rows(start, start + self.n_next)
    }

    /// Whether the client has gone away, so that it needs no answer.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    /// Adds the prediction of its piece. Answers if that was the last; otherwise gives the job back.
    pub(crate) fn add(mut self, proba: MatRef<'_>, decided: &[u32]) -> Option<Job> {
        self.proba.extend_from_slice(proba.as_slice());
        self.decided.extend_from_slice(decided);
        if self.n_left() > 0 {
            return Some(self);
        }
        let proba = Matrix::new(self.proba, self.rows.n_rows, proba.n_cols());
        // The client may have gone away meanwhile.
        let _ = self.answer.send(Ok((Prediction { proba, decided: self.decided }, self.rows)));
        None
    }

    /// Answers that there is no prediction.
    pub(crate) fn fail(self, failure: Failure) {
        let _ = self.answer.send(Err(failure));
    }
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
    pub(crate) async fn predict(&self, model: Arc<ServedModel>, rows: Leased<Rows>) -> Predicted {
        let (job, predicted) = Job::new(model, rows);
        self.push(job)?;
        // A job that was dropped without an answer was in a batch that panicked.
        predicted.await.unwrap_or_else(|_| Err(Failure::internal()))
    }

    fn push(&self, job: Job) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.jobs.len() >= self.limit {
            waiting.drop_abandoned();
        }
        if waiting.jobs.len() >= self.limit {
            return Err(Failure::overloaded(format!(
                "{} requests wait already: try again later",
                self.limit
            )));
        }
        if waiting.is_closed {
            return Err(Failure::overloaded("the server ends"));
        }
        waiting.add(job);
        drop(waiting);
        self.came.notify_one();
        Ok(())
    }

    /// Takes a job that the last batch had a piece of: it waits behind all others, whatever the limit.
    pub(crate) fn put_back(&self, job: Job) {
        self.lock().add(job);
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

    /// Waits for jobs, and takes those of one model, the first's; `None` when the queue is closed and empty.
    pub(crate) fn take(&self, bounds: Bounds) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() {
            if waiting.is_closed {
                return None;
            }
            waiting = self.came.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let end = Instant::now() + bounds.wait;
        while waiting.may_wait(bounds) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            waiting = self.came.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Some(waiting.batch(bounds))
    }
}

impl Waiting {
    fn add(&mut self, job: Job) {
        self.n_rows += job.n_left();
        self.jobs.push_back(job);
    }

    /// Drops the jobs of clients that have gone away: they keep no others out.
    fn drop_abandoned(&mut self) {
        self.jobs.retain(|job| !job.is_abandoned());
        self.n_rows = self.jobs.iter().map(Job::n_left).sum();
    }

    /// Whether a batch may wait for more: a request that is under way has waited already.
    fn may_wait(&self, bounds: Bounds) -> bool {
        let is_under_way = |job: &Job| !job.decided.is_empty();
        self.n_rows < bounds.rows && !self.is_ending && !self.jobs.iter().any(is_under_way)
    }

    /// The next batch: jobs in their order, as many as fit, and of those that are cut the first alone.
    fn batch(&mut self, bounds: Bounds) -> Vec<Job> {
        let mut batch: Vec<Job> = Vec::new();
        let (mut others, mut n_rows, mut has_piece, mut is_full) = (VecDeque::new(), 0, false, false);
        while let Some(mut job) = self.jobs.pop_front() {
            let is_cut = job.rows.n_rows > bounds.whole_rows;
            job.n_next = if is_cut { job.n_left().min(bounds.piece_rows) } else { job.n_left() };
            let is_of_first = batch.first().is_none_or(|first| Arc::ptr_eq(&first.model, &job.model));
            let is_next = is_of_first && !(is_cut && has_piece);
            is_full |= is_next && !batch.is_empty() && n_rows + job.n_next > bounds.rows;
            if !is_next || is_full {
                others.push_back(job);
                continue;
            }
            has_piece |= is_cut;
            n_rows += job.n_next;
            self.n_rows -= job.n_left();
            batch.push(job);
        }
        self.jobs = others;
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{rows, served};

    /// A job whose rows are `first`, `first + 1` and so on, and its answer.
    fn job(model: &Arc<ServedModel>, first: u16, n_rows: u16) -> (Job, oneshot::Receiver<Predicted>) {
        let values = (first..first + n_rows).map(f32::from).collect();
        Job::new(model.clone(), rows(values))
    }

    /// The rows of the next batch. Every row is its own prediction.
    fn next(queue: &Queue, bounds: Bounds) -> Vec<f32> {
        let jobs = queue.take(bounds).unwrap();
        let mut rows = Vec::new();
        for job in jobs {
            let piece = job.piece().to_matrix();
            rows.extend_from_slice(piece.as_slice());
            let decided = vec![0; piece.n_rows()];
            job.add(piece.view(), &decided).into_iter().for_each(|job| queue.put_back(job));
        }
        rows
    }

    #[test]
    fn large_requests_let_others_pass() {
        let (model, other) = (served(), served());
        let bounds = Bounds { rows: 6, whole_rows: 4, piece_rows: 4, wait: Duration::from_secs(3600) };
        let queue = Queue::new(4);
        let (jobs, answers): (Vec<_>, Vec<_>) =
            [(&model, 100, 9), (&model, 0, 1), (&model, 200, 5), (&other, 10, 2)]
                .into_iter()
                .map(|(model, first, n_rows)| job(model, first, n_rows))
                .unzip();
        jobs.into_iter().for_each(|job| queue.push(job).unwrap());
        assert!(queue.push(job(&model, 0, 1).0).is_err(), "four wait already");
        assert_eq!(
            next(&queue, bounds),
            [100.0, 101.0, 102.0, 103.0, 0.0],
            "a piece, and the row that came after it"
        );
        assert_eq!(next(&queue, bounds), [200.0, 201.0, 202.0, 203.0]);
        assert_eq!(next(&queue, bounds), [10.0, 11.0], "another model's rows");
        assert_eq!(next(&queue, bounds), [104.0, 105.0, 106.0, 107.0]);
        queue.push(job(&model, 1, 1).0).unwrap();
        assert_eq!(next(&queue, bounds), [204.0, 1.0], "whoever comes passes the rest of a large request");
        assert_eq!(next(&queue, bounds), [108.0]);
        for (mut answer, n_rows) in answers.into_iter().zip([9, 1, 5, 2]) {
            let (prediction, _) = answer.try_recv().unwrap().unwrap();
            let rows = prediction.proba.as_slice();
            assert_eq!((rows.len(), prediction.decided.len()), (n_rows, n_rows));
            assert!(rows.is_sorted(), "{rows:?}");
        }
        queue.close();
        assert!(queue.take(bounds).is_none());
    }

    #[test]
    fn jobs_without_a_client_keep_no_others_out() {
        let (model, queue) = (served(), Queue::new(2));
        let bounds = Bounds { rows: 9, whole_rows: 9, piece_rows: 9, wait: Duration::ZERO };
        let ((gone, answer), (second, _second), (third, _third)) =
            (job(&model, 0, 3), job(&model, 5, 1), job(&model, 7, 1));
        queue.push(gone).unwrap();
        queue.push(second).unwrap();
        drop(answer);
        queue.push(third).unwrap();
        assert!(queue.push(job(&model, 0, 1).0).is_err());
        assert_eq!(next(&queue, bounds), [5.0, 7.0]);
    }

    #[test]
    fn batches_take_no_more_rows_than_they_may() {
        let model = served();
        let bounds = Bounds { rows: 6, whole_rows: 4, piece_rows: 2, wait: Duration::ZERO };
        let queue = Queue::new(9);
        let jobs = [3, 2, 3, 1, 4];
        let _answers: Vec<_> = jobs
            .into_iter()
            .map(|n_rows| {
                let (job, answer) = job(&model, 0, n_rows);
                queue.push(job).unwrap();
                answer
            })
            .collect();
        // The third does not fit any more, and the fourth does not pass it.
        assert_eq!([5, 4, 4], [(); 3].map(|()| next(&queue, bounds).len()));
        assert_eq!(queue.len(), 0);
    }
}
