//! A pool of threads to which work is handed in numbered pieces.
//!
//! The pieces are the caller's to choose, by the shape of the problem alone: then the result is the same for any
//! number of threads, because a piece is computed whole by one thread.

use rayon::prelude::*;

/// Runs numbered pieces of work on a fixed number of threads. With one thread, it runs them inline and starts
/// none.
#[derive(Debug)]
pub struct Pool {
    threads: Option<rayon::ThreadPool>,
}

impl Pool {
    /// A pool of `n_threads` threads; 0 counts as 1.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn new(n_threads: usize) -> std::io::Result<Pool> {
        if n_threads <= 1 {
            return Ok(Pool::inline());
        }
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .thread_name(|i| format!("headsmith-{i}"))
            .build()
            .map_err(std::io::Error::other)?;
        Ok(Pool { threads: Some(threads) })
    }

    /// The pool of one thread: the caller's own.
    pub fn inline() -> Pool {
        Pool { threads: None }
    }

    /// The number of threads that work at once.
    pub fn n_threads(&self) -> usize {
        self.threads.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Calls `work` on one of the threads: pieces that it hands out need no other thread to wake for them first, as
    /// they do when they are handed out from outside.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.threads {
            Some(threads) => threads.install(work),
            None => work(),
        }
    }

    /// Calls `piece(0) .. piece(n - 1)`, each once, in no order, and returns when all are done.
    pub fn for_each(&self, n: usize, piece: impl Fn(usize) + Sync + Send) {
        match &self.threads {
            Some(threads) if n > 1 => {
                threads.install(|| (0..n).into_par_iter().with_max_len(1).for_each(piece))
            }
            _ => (0..n).for_each(piece),
        }
    }

    /// The results of `piece(0) .. piece(n - 1)` in that order, computed in any.
    pub fn map<T: Send>(&self, n: usize, piece: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
        match &self.threads {
            Some(threads) if n > 1 => {
                threads.install(|| (0..n).into_par_iter().with_max_len(1).map(piece).collect())
            }
            _ => (0..n).map(piece).collect(),
        }
    }

    /// Cuts `values` into chunks of `chunk_len` (the last may be shorter) and calls `piece(index, chunk)` once for
    /// each.
    ///
    /// # Panics
    /// When `chunk_len` is zero.
    pub fn for_each_chunk<T: Send>(
        &self,
        values: &mut [T],
        chunk_len: usize,
        piece: impl Fn(usize, &mut [T]) + Sync + Send,
    ) {
        match &self.threads {
            Some(threads) if values.len() > chunk_len => threads.install(|| {
                values
                    .par_chunks_mut(chunk_len)
                    .with_max_len(1)
                    .enumerate()
                    .for_each(|(i, chunk)| piece(i, chunk));
            }),
            _ => values.chunks_mut(chunk_len).enumerate().for_each(|(i, chunk)| piece(i, chunk)),
        }
    }

    /// Like [`for_each_chunk`](Pool::for_each_chunk) for two slices at once, each cut into chunks of its own
    /// length: `piece(index, chunk_of_a, chunk_of_b)`.
    ///
    /// # Panics
    /// When a chunk length is zero.
    pub fn for_each_chunk2<A: Send, B: Send>(
        &self,
        (a, a_len): (&mut [A], usize),
        (b, b_len): (&mut [B], usize),
        piece: impl Fn(usize, &mut [A], &mut [B]) + Sync + Send,
    ) {
        match &self.threads {
            Some(threads) if a.len() > a_len => threads.install(|| {
                let chunks = a.par_chunks_mut(a_len).with_max_len(1).zip(b.par_chunks_mut(b_len));
                chunks.enumerate().for_each(|(i, (a, b))| piece(i, a, b));
            }),
            _ => {
                let chunks = a.chunks_mut(a_len).zip(b.chunks_mut(b_len));
                chunks.enumerate().for_each(|(i, (a, b))| piece(i, a, b));
            }
        }
    }

    /// Like [`for_each_chunk`](Pool::for_each_chunk) for three slices of one length.
    ///
    /// # Panics
    /// When `chunk_len` is zero.
    pub fn for_each_chunk3<T: Send>(
        &self,
        [a, b, c]: [&mut [T]; 3],
        chunk_len: usize,
        piece: impl Fn(usize, [&mut [T]; 3]) + Sync + Send,
    ) {
        match &self.threads {
            Some(threads) if a.len() > chunk_len => threads.install(|| {
                let chunks = a.par_chunks_mut(chunk_len).with_max_len(1);
                let chunks = chunks.zip(b.par_chunks_mut(chunk_len)).zip(c.par_chunks_mut(chunk_len));
                chunks.enumerate().for_each(|(i, ((a, b), c))| piece(i, [a, b, c]));
            }),
            _ => {
                let chunks =
                    a.chunks_mut(chunk_len).zip(b.chunks_mut(chunk_len)).zip(c.chunks_mut(chunk_len));
                chunks.enumerate().for_each(|(i, ((a, b), c))| piece(i, [a, b, c]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_once_for_any_thread_count() {
        for n_threads in [0, 1, 2, 5] {
            let pool = Pool::new(n_threads).unwrap();
            assert_eq!(pool.run(|| pool.map(3, |i| i + 1)), [1, 2, 3]);
            assert_eq!(pool.map(100, |i| i * i), (0..100).map(|i| i * i).collect::<Vec<_>>());
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
            pool.for_each_chunk3([&mut a, &mut b, &mut c], 3, |i, [a, b, c]| {
                for ((a, b), c) in a.iter().zip(b).zip(c) {
                    *c = a + *b + i;
                }
            });
            assert_eq!(c, [3, 3, 3, 4, 4, 4, 5]);
        }
    }
}
