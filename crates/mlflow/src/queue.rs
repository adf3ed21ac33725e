//! The buffer between the callers and the sending thread.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::message::Message;

/// A bounded buffer that never blocks a caller.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    n_waiting: usize,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Message>,
    n_records: usize,
    /// The number of records that did not fit.
    n_refused: u64,
    /// The time of the close.
    closed: Option<Instant>,
}

impl Queue {
    /// A buffer for so many metrics, and half as many more of other records, without which metrics would be useless.
    pub(crate) fn new(n_waiting: usize) -> Queue {
        Queue { state: Mutex::default(), changed: Condvar::new(), n_waiting }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `message` if there is room.
    pub(crate) fn put(&self, message: Message) {
        let mut state = self.state();
        let n_records = message.n_records();
        let room = if message.is_numbers() { self.n_waiting } else { self.n_waiting + self.n_waiting / 2 };
        if state.closed.is_some() || state.n_records + n_records > room {
            state.n_refused += n_records as u64;
            return;
        }
        state.n_records += n_records;
        state.messages.push(message);
    }

    /// Closes the queue: no more messages are accepted.
    pub(crate) fn close(&self) {
        self.state().closed.get_or_insert_with(Instant::now);
        self.changed.notify_all();
    }

    /// The time of the close.
    pub(crate) fn closed(&self) -> Option<Instant> {
        self.state().closed
    }

    /// The number of records that did not fit so far.
    pub(crate) fn n_refused(&self) -> u64 {
        self.state().n_refused
    }

    /// The messages after a pause, which a close ends early. `None` if the queue is closed and empty.
    pub(crate) fn take(&self, pause: Duration) -> Option<Vec<Message>> {
        self.pause_for(pause);
        let mut state = self.state();
        state.n_records = 0;
        let messages = std::mem::take(&mut state.messages);
        (!messages.is_empty() || state.closed.is_none()).then_some(messages)
    }

    /// Waits until the queue is closed, at most this long.
    pub(crate) fn pause_for(&self, pause: Duration) {
        let waited = self.changed.wait_timeout_while(self.state(), pause, |state| state.closed.is_none());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Metric, Status};

    fn numbers(n: usize) -> Message {
        let metric = Metric { key: "a".to_owned(), value: 1.0, step: 0, time: 0 };
        Message::metrics(0, vec![metric; n])
    }

    #[test]
    fn metrics_leave_room_for_other_records() {
        let queue = Queue::new(10);
        queue.put(numbers(8));
        queue.put(numbers(3));
        queue.put(numbers(2));
        for _ in 0..7 {
            queue.put(Message::End { run: 0, status: Status::Finished, time: 0 });
        }
        assert_eq!(queue.n_refused(), 3 + 2);
        assert_eq!(queue.take(Duration::ZERO).unwrap().len(), 2 + 5);
        assert_eq!(queue.take(Duration::ZERO), Some(Vec::new()));
        queue.put(numbers(10));
        queue.close();
        queue.put(numbers(1));
        assert_eq!((queue.n_refused(), queue.take(Duration::MAX).unwrap().len()), (6, 1));
        assert_eq!(queue.take(Duration::MAX), None);
    }
}
