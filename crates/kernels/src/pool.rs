//! A pool of threads that execute work in numbered pieces.
//!
//! The caller chooses the pieces, by the shape of the problem alone. Then the result is the same for any
//! number of threads, because one thread computes a whole piece.
//!
//! A training step has a dozen jobs of some ten microseconds each, so the overhead of a job matters:
//! the caller's thread works too, and the others spin for a while before they sleep.

#![allow(unsafe_code)]

mod affinity;
mod chunks;
mod stop;
mod team;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chunks::Chunks;
use team::Team;

pub use stop::{Stopped, unless_stopped};

/// The number of values below which a piece of work that passes over them once is not worth another thread.
pub const MIN_PIECE: usize = 1 << 14;

/// Runs numbered pieces of work on a fixed number of threads, including the caller's. With one thread, it starts none.
///
/// A piece may use the same pool, and so may several threads at once: a caller that finds the pool busy computes its
/// pieces alone.
#[derive(Debug)]
pub struct Pool {
    team: Option<Team>,
    stop: Option<Arc<AtomicBool>>,
}

impl Pool {
    /// A pool of `n_threads` threads; 0 counts as 1.
    ///
    /// # Errors
    /// If the system cannot start the threads.
    pub fn new(n_threads: usize) -> std::io::Result<Pool> {
        let team = (n_threads > 1).then(|| Team::new(n_threads)).transpose()?;
        Ok(Pool { team, stop: None })
    }

    /// The pool of one thread: the caller's own.
    pub fn inline() -> Pool {
        Pool { team: None, stop: None }
    }

    /// The pool of the caller's thread alone, which is stopped as this one is.
    pub fn alone(&self) -> Pool {
        Pool { team: None, stop: self.stop.clone() }
    }

    /// The same pool, whose work ends when `stop` is set, between two pieces: whatever waits for it unwinds to
    /// [`unless_stopped`], around which it must have been called.
    pub fn stopped_by(self, stop: Arc<AtomicBool>) -> Pool {
        Pool { stop: Some(stop), ..self }
    }

    /// The number of threads that work at once.
    pub fn n_threads(&self) -> usize {
        self.team.as_ref().map_or(1, Team::n_threads)
    }

    /// Calls `piece(0) .. piece(n - 1)`, each once, in any order, and returns when all are done. A panic in a piece is
    /// resumed in the caller, and pieces that have not started are skipped.
    pub fn for_each(&self, n: usize, piece: impl Fn(usize) + Sync) {
        match &self.stop {
            None => self.work(n, piece),
            Some(_) => self.work(n, |i| {
                self.check_stop();
                piece(i);
            }),
        }
    }

    /// Ends the work here if the pool [was stopped](Pool::stopped_by): for long pieces.
    pub fn check_stop(&self) {
        if self.stop.as_ref().is_some_and(|asked| asked.load(Ordering::Relaxed)) {
            stop::unwind();
        }
    }

    fn work(&self, n: usize, piece: impl Fn(usize) + Sync) {
        match &self.team {
            Some(team) if n > 1 => team.work(n, &piece),
            _ => (0..n).for_each(piece),
        }
    }

    /// The results of `piece(0) .. piece(n - 1)` in that order; they are computed in any order.
    pub fn map<T: Send>(&self, n: usize, piece: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let mut results: Vec<Option<T>> = (0..n).map(|_| None).collect();
        self.for_each_chunk(&mut results, 1, |i, result| result[0] = Some(piece(i)));
        results.into_iter().flatten().collect()
    }

    /// Cuts `values` into chunks of `chunk_len` (the last may be shorter) and calls `piece(index, chunk)` once for
    /// each.
    ///
    /// # Panics
    /// If `chunk_len` is zero.
    pub fn for_each_chunk<T: Send>(
        &self,
        values: &mut [T],
        chunk_len: usize,
        piece: impl Fn(usize, &mut [T]) + Sync,
    ) {
        let chunks = Chunks::new(values, chunk_len);
        // SAFETY: each index is handed out once.
        self.for_each(chunks.n(), |i| piece(i, unsafe { chunks.take(i) }));
    }

    /// Like [`for_each_chunk`](Pool::for_each_chunk) for two slices at once, each cut into chunks of its own
    /// length: `piece(index, chunk_of_a, chunk_of_b)`.
    ///
    /// # Panics
    /// If a chunk length is zero.
    pub fn for_each_chunk2<A: Send, B: Send>(
        &self,
        (a, a_len): (&mut [A], usize),
        (b, b_len): (&mut [B], usize),
        piece: impl Fn(usize, &mut [A], &mut [B]) + Sync,
    ) {
        let (a, b) = (Chunks::new(a, a_len), Chunks::new(b, b_len));
        self.for_each(a.n().min(b.n()), |i| {
            // SAFETY: each index is handed out once.
            let (a, b) = unsafe { (a.take(i), b.take(i)) };
            piece(i, a, b);
        });
    }

    /// Like [`for_each_chunk`](Pool::for_each_chunk) for several slices of one length.
    ///
    /// # Panics
    /// If `chunk_len` is zero.
    pub fn for_each_chunk_of<T: Send, const N: usize>(
        &self,
        slices: [&mut [T]; N],
        chunk_len: usize,
        piece: impl Fn(usize, [&mut [T]; N]) + Sync,
    ) {
        let chunks = slices.map(|values| Chunks::new(values, chunk_len));
        let n = chunks.iter().map(Chunks::n).min().unwrap_or(0);
        // SAFETY: each index is handed out once.
        self.for_each(n, |i| piece(i, chunks.each_ref().map(|chunks| unsafe { chunks.take(i) })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_once_for_any_thread_count() {
        for n_threads in [0, 1, 2, 5] {
            let pool = Pool::new(n_threads).unwrap();
            assert_eq!(pool.n_threads(), n_threads.max(1));
            for n in 0..40 {
                assert_eq!(pool.map(n, |i| i * i), (0..n).map(|i| i * i).collect::<Vec<_>>());
            }
            let mut values = vec![0; 23];
            pool.for_each_chunk(&mut values, 5, |i, chunk| chunk.iter_mut().for_each(|v| *v += i + 1));
            let expected: Vec<usize> = (0..23).map(|i| i / 5 + 1).collect();
            assert_eq!(values, expected);
        }
    }

    #[test]
    fn slices_are_cut_together() {
        for n_threads in [1, 3] {
            let pool = Pool::new(n_threads).unwrap();
            let (mut rows, mut sums) = ((0..12).collect::<Vec<usize>>(), vec![0; 4]);
            pool.for_each_chunk2((&mut rows, 6), (&mut sums, 2), |i, rows, sums| {
                for (row, sum) in rows.chunks(3).zip(sums) {
                    *sum = row.iter().sum::<usize>() + 100 * i;
                }
            });
            assert_eq!(sums, [3, 12, 121, 130]);
            let [mut a, mut b, mut c] = [vec![1; 7], vec![2; 7], vec![0; 7]];
            pool.for_each_chunk_of([&mut a, &mut b, &mut c], 3, |i, [a, b, c]| {
                for ((a, b), c) in a.iter().zip(b).zip(c) {
                    *c = a + *b + i;
                }
            });
            assert_eq!(c, [3, 3, 3, 4, 4, 4, 5]);
        }
    }

    #[test]
    fn pieces_may_use_the_pool_and_so_may_several_threads() {
        let pool = Pool::new(3).unwrap();
        let sum = |n: usize| {
            pool.map(n, |i| pool.map(i, |j| j).into_iter().sum::<usize>()).into_iter().sum::<usize>()
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| (0..50).map(sum).sum::<usize>())).collect();
            let expected: usize = (0..50).flat_map(|n| (0..n).flat_map(|i| 0..i)).sum();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), expected);
            }
        });
    }

    #[test]
    fn sleepers_wake_for_the_next_job() {
        let pool = Pool::new(2).unwrap();
        for _ in 0..5 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            // Two pieces that wait for each other, so one thread cannot do both.
            let barrier = std::sync::Barrier::new(2);
            pool.for_each(2, |_| {
                barrier.wait();
            });
        }
    }

    #[test]
    fn a_panic_of_a_piece_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(3).unwrap();
        for panicking in [0, 7, 19] {
            let work = || pool.for_each(20, |i| assert!(i != panicking, "piece {i}"));
            let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
            assert_eq!(payload.downcast_ref::<String>(), Some(&format!("piece {panicking}")));
            assert_eq!(pool.map(4, |i| i), [0, 1, 2, 3]);
        }
    }

    #[test]
    #[should_panic(expected = "chunk length")]
    fn empty_chunks_are_refused() {
        Pool::inline().for_each_chunk(&mut [1], 0, |_, _| ());
    }
}
