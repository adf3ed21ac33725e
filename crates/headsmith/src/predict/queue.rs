//! Blocks of rows that several threads predict, and that are handed on in their order.
//!
//! A thread takes a whole block while others wait, so that no thread waits for another at the end of a block. Where none
//! wait (at the end of the table, or if it is read more slowly than it is predicted), threads share a block by pieces. Rows
//! are predicted independently: the results are the same either way.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The number of blocks that wait while each thread predicts one.
const N_WAITING: usize = 2;

/// The queue between a reader of blocks of the type `B`, threads that predict, and whoever takes the predictions, parts of
/// the type `P`.
pub(super) struct Queue<B, P> {
    /// The number of threads that predict.
    n_threads: usize,
    /// The rows of a piece.
    n_rows: usize,
    state: Mutex<State<B, P>>,
    changed: Condvar,
}

struct State<B, P> {
    blocks: VecDeque<Entry<B, P>>,
    /// The index in `blocks` of the first that has rows that nobody has taken.
    next: usize,
    ended: bool,
    /// Nobody takes predictions any more, or a thread has panicked.
    closed: bool,
}

struct Entry<B, P> {
    block: Arc<B>,
    n_rows: usize,
    n_taken: usize,
    n_predicted: usize,
    /// With the first row of each.
    parts: Vec<(usize, P)>,
}

/// A block whose rows are all predicted, with the parts in the order of the rows.
pub(super) struct Predicted<B, P> {
    pub(super) block: Arc<B>,
    pub(super) parts: Vec<P>,
}

/// Closes a queue when it goes out of scope while the thread panics: the others would wait for its part.
pub(super) struct Closing<'a, B, P>(&'a Queue<B, P>);

impl<B, P> Drop for Closing<'_, B, P> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

impl<B, P> Queue<B, P> {
    /// An empty queue for `n_threads` that share a block by pieces of `n_rows`.
    pub(super) fn new(n_threads: usize, n_rows: usize) -> Queue<B, P> {
        let state = State { blocks: VecDeque::new(), next: 0, ended: false, closed: false };
        Queue { n_threads, n_rows: n_rows.max(1), state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Closes the queue if this thread panics before the result is dropped.
    pub(super) fn closing(&self) -> Closing<'_, B, P> {
        Closing(self)
    }

    /// Calls `read`, which [pushes](Queue::push) all blocks.
    pub(super) fn fill<T>(&self, read: impl FnOnce() -> T) -> T {
        let _closing = self.closing();
        let done = read();
        self.lock().ended = true;
        self.changed.notify_all();
        done
    }

    /// Adds a block of `n_rows`, after waiting for room; one without rows is left out. Breaks if the queue is closed.
    pub(super) fn push(&self, block: B, n_rows: usize) -> ControlFlow<()> {
        if n_rows == 0 {
            return ControlFlow::Continue(());
        }
        let is_full = |state: &State<B, P>| state.blocks.len() >= self.n_threads + N_WAITING;
        let mut state = self.wait_while(|state| is_full(state) && !state.closed);
        if state.closed {
            return ControlFlow::Break(());
        }
        let block = Arc::new(block);
        state.blocks.push_back(Entry { block, n_rows, n_taken: 0, n_predicted: 0, parts: Vec::new() });
        self.changed.notify_all();
        ControlFlow::Continue(())
    }

    /// Lets everybody stop: the rest is not needed.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Predicts rows until there are no more: `predict(block, rows)`. Each of the threads calls it.
    pub(super) fn work(&self, predict: impl Fn(&B, Range<usize>) -> P) {
        let _closing = self.closing();
        while let Some((block, rows)) = self.take() {
            let part = predict(&block, rows.clone());
            let mut state = self.lock();
            let entry = state.blocks.iter_mut().find(|entry| Arc::ptr_eq(&entry.block, &block));
            drop(block);
            if let Some(entry) = entry {
                entry.parts.push((rows.start, part));
                entry.n_predicted += rows.len();
            }
            self.changed.notify_all();
        }
    }

    /// The next rows to predict.
    fn take(&self) -> Option<(Arc<B>, Range<usize>)> {
        let mut guard = self.wait_while(|state| !state.closed && !state.ended && state.n_waiting() == 0);
        let state = &mut *guard;
        if state.closed || state.n_waiting() == 0 {
            return None;
        }
        let takes_all = !state.ended && state.n_waiting() >= N_WAITING;
        let entry = state.blocks.get_mut(state.next)?;
        let start = entry.n_taken;
        let n_rows = if takes_all { entry.n_rows } else { self.n_rows };
        entry.n_taken = entry.n_rows.min(start + n_rows);
        let taken = (entry.block.clone(), start..entry.n_taken);
        if entry.n_taken == entry.n_rows {
            state.next += 1;
        }
        Some(taken)
    }

    /// The next block, when all of its rows are predicted; none after the last one, or if the queue is closed.
    pub(super) fn next(&self) -> Option<Predicted<B, P>> {
        let mut state = self.wait_while(|state| {
            let is_ready =
                state.blocks.front().map_or(state.ended, |entry| entry.n_predicted == entry.n_rows);
            !state.closed && !is_ready
        });
        if state.closed {
            return None;
        }
        let mut entry = state.blocks.pop_front()?;
        state.next -= 1;
        self.changed.notify_all();
        entry.parts.sort_unstable_by_key(|(start, _)| *start);
        Some(Predicted { block: entry.block, parts: entry.parts.into_iter().map(|(_, part)| part).collect() })
    }

    fn lock(&self) -> MutexGuard<'_, State<B, P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, waits: impl Fn(&State<B, P>) -> bool) -> MutexGuard<'_, State<B, P>> {
        self.changed.wait_while(self.lock(), |state| waits(state)).unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B, P> State<B, P> {
    /// The number of blocks with rows that nobody has taken.
    fn n_waiting(&self) -> usize {
        self.blocks.len() - self.next
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    use super::*;

    /// Sends blocks of the given lengths through a queue; each row is predicted as its number in the table.
    fn predicted(
        n_threads: usize,
        lengths: &[usize],
        delay: impl Fn(usize) -> Duration + Sync,
    ) -> Vec<Vec<usize>> {
        let queue = Queue::new(n_threads, 3);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut first = 0;
                let push = |&n_rows: &usize| {
                    assert!(queue.push(first, n_rows).is_continue());
                    first += n_rows;
                };
                queue.fill(|| lengths.iter().for_each(push));
            });
            for _ in 0..n_threads {
                scope.spawn(|| {
                    queue.work(|first, rows| {
                        std::thread::sleep(delay(first + rows.start));
                        rows.map(|row| first + row).collect::<Vec<usize>>()
                    })
                });
            }
            std::iter::from_fn(|| queue.next()).map(|block| block.parts.concat()).collect()
        })
    }

    #[test]
    fn blocks_come_in_their_order_for_any_number_of_threads() {
        let lengths = [7, 1, 4, 10, 2, 9, 9, 3, 1, 1, 20];
        let mut first = 0;
        let expected: Vec<Vec<usize>> = lengths
            .iter()
            .map(|n| {
                first += n;
                (first - n..first).collect()
            })
            .collect();
        for n_threads in [1, 2, 5] {
            let late_first = |row: usize| Duration::from_micros(500 * u64::from(row.is_multiple_of(4)));
            assert_eq!(predicted(n_threads, &lengths, late_first), expected);
        }
        assert!(predicted(2, &[], |_| Duration::ZERO).is_empty());
    }

    #[test]
    fn blocks_are_taken_whole_while_others_wait() {
        let queue = Queue::<(), ()>::new(2, 3);
        for n_rows in [5, 6, 7] {
            assert!(queue.push((), n_rows).is_continue());
        }
        let take = || queue.take().map(|(_, rows)| rows);
        assert_eq!([take(), take(), take()], [Some(0..5), Some(0..6), Some(0..3)]);
        queue.fill(|| assert!(queue.push((), 4).is_continue()));
        assert_eq!(
            [take(), take(), take(), take(), take()],
            [Some(3..6), Some(6..7), Some(0..3), Some(3..4), None]
        );
    }

    #[test]
    fn blocks_without_rows_are_left_out() {
        assert_eq!(predicted(2, &[0, 2, 0, 0, 1, 0], |_| Duration::ZERO), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn a_closed_queue_lets_everybody_go() {
        let queue = Arc::new(Queue::<usize, usize>::new(1, 1));
        let (ended, ends) = std::sync::mpsc::channel();
        let (of_reader, reader, of_worker, worker) = (ended.clone(), queue.clone(), ended, queue.clone());
        std::thread::spawn(move || of_reader.send((0..).any(|i| reader.push(i, 1).is_break())));
        std::thread::spawn(move || {
            worker.work(|block, _| *block);
            of_worker.send(true)
        });
        assert_eq!(queue.next().map(|block| block.parts), Some(vec![0]));
        queue.close();
        for _ in 0..2 {
            assert_eq!(ends.recv_timeout(Duration::from_secs(60)), Ok(true), "a thread still waits");
        }
        assert!(queue.next().is_none());
    }

    #[test]
    fn a_panic_closes_the_queue() {
        let queue = Queue::<usize, usize>::new(2, 1);
        assert!(queue.push(1, 1).is_continue());
        let work = || queue.work(|_, _| std::panic::resume_unwind(Box::new("stopped")));
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        assert!(queue.next().is_none());
        assert!(queue.push(2, 1).is_break());
    }
}
