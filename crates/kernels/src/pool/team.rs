//! The threads behind a pool, and how a job gets to them.
//!
//! A job is open while there may be pieces left. Who finds it open goes in, takes pieces until there are none, and
//! leaves; the caller does the same, then closes the job and waits for those inside. A thread that wakes too late finds
//! it closed, and nobody waits for that thread.
//!
//! A thread that wakes on the core of its caller moves away: the system would leave both there for a tenth of a second,
//! which is half a short fit.
//!
//! Each thread has a share of the pieces, the same in every job of as many pieces, and begins with it: what it worked on
//! in the step before still stands in its core's cache. Who is done with his own share goes on with those of others.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::place;

/// How long a thread waits awake: longer than what a training step does between jobs, and too short to be seen among
/// what else the machine does.
const AWAKE: Duration = Duration::from_micros(100);

/// The state of the board: how many threads are inside in the low bits, whether the job is open, and above that the
/// number of the job.
const INSIDE: u64 = (1 << 16) - 1;
const OPEN: u64 = 1 << 16;
const JOB: u64 = 1 << 17;

/// Threads that wait for jobs; they end with it.
#[derive(Debug)]
pub(super) struct Team {
    board: Arc<Board>,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads share.
struct Board {
    state: AtomicU64,
    /// Changed by a caller only while the job is closed and nobody inside, read by those inside.
    job: UnsafeCell<Option<Job>>,
    /// The next piece of each thread's share.
    next: Vec<Next>,
    /// Whether a caller has the board.
    taken: AtomicBool,
    ended: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    n_asleep: AtomicUsize,
    /// The core of the caller who last woke them.
    core: AtomicUsize,
    asleep: Mutex<()>,
    wake: Condvar,
    /// How long to wait awake.
    awake: Duration,
}

/// On a cache line of its own (two, for they are fetched in pairs): else one thread's pieces would slow the others'.
#[repr(align(128))]
struct Next(AtomicUsize);

#[derive(Clone, Copy)]
struct Job {
    n: usize,
    piece: *const (dyn Fn(usize) + Sync),
}

// SAFETY: `job` is changed only by whoever has taken the board, while nobody is inside; and what it points to may be
// called from any thread, and lives until the caller has seen everybody leave.
unsafe impl Sync for Board {}
// SAFETY: as above.
unsafe impl Send for Board {}

impl Team {
    /// `n_threads`, one of which is the caller's.
    pub(super) fn new(n_threads: usize) -> std::io::Result<Team> {
        // More threads than cores had better leave the cores to those who work.
        let enough = std::thread::available_parallelism().is_ok_and(|n| n.get() >= n_threads);
        let mut team = Team {
            board: Arc::new(Board::new(n_threads, if enough { AWAKE } else { Duration::ZERO })),
            threads: Vec::new(),
        };
        for i in 1..n_threads {
            let board = team.board.clone();
            let thread = std::thread::Builder::new().name(format!("headsmith-{i}"));
            team.threads.push(thread.spawn(move || board.serve(i))?);
        }
        Ok(team)
    }

    pub(super) fn n_threads(&self) -> usize {
        self.threads.len() + 1
    }

    /// Has `piece(0) .. piece(n - 1)` done, each once.
    pub(super) fn work(&self, n: usize, piece: &(dyn Fn(usize) + Sync)) {
        if self.board.taken.swap(true, Acquire) {
            return (0..n).for_each(piece);
        }
        let panic = self.board.lead(n, piece);
        self.board.taken.store(false, Release);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.board.ended.store(true, SeqCst);
        self.board.wake_all();
        for thread in self.threads.drain(..) {
            // A thread catches what panics.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

impl Board {
    fn new(n_threads: usize, awake: Duration) -> Board {
        Board {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            next: (0..n_threads).map(|_| Next(AtomicUsize::new(0))).collect(),
            taken: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            panic: Mutex::new(None),
            n_asleep: AtomicUsize::new(0),
            core: AtomicUsize::new(place::ELSEWHERE),
            asleep: Mutex::new(()),
            wake: Condvar::new(),
            awake,
        }
    }

    /// Opens a job, works along, closes it, waits for those inside, and gives what panicked. The board is the caller's.
    fn lead(&self, n: usize, piece: &(dyn Fn(usize) + Sync)) -> Option<Box<dyn Any + Send>> {
        // SAFETY: only the lifetime changes; nobody calls it after this function, which waits for those inside.
        let piece =
            unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(piece) };
        let job = Job { n, piece };
        // SAFETY: the board is the caller's, the job before is closed, and everybody has left it.
        unsafe { *self.job.get() = Some(job) };
        for (share, next) in self.next.iter().enumerate() {
            next.0.store(self.share(n, share), Relaxed);
        }
        let before = self.state.load(Relaxed);
        self.state.store(before.wrapping_add(JOB) | OPEN, SeqCst);
        if self.n_asleep.load(SeqCst) > 0 {
            self.core.store(place::core(), Relaxed);
            self.wake_all();
        }
        self.take_pieces(job, 0);
        self.state.fetch_and(!OPEN, AcqRel);
        let mut looks = 0u32;
        while self.state.load(Acquire) & INSIDE != 0 {
            wait_a_little(&mut looks);
        }
        self.panic.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What a thread of the team does until the end.
    fn serve(&self, thread: usize) {
        let mut last = 0;
        while let Some(job) = self.next_job(last) {
            last = job;
            // Going in fails when the job has been closed meanwhile.
            let enter =
                |state: u64| (state & OPEN != 0 && state & !(OPEN | INSIDE) == job).then_some(state + 1);
            if self.state.fetch_update(AcqRel, Acquire, enter).is_err() {
                continue;
            }
            // SAFETY: the job is not changed while somebody is inside.
            if let Some(job) = unsafe { *self.job.get() } {
                self.take_pieces(job, thread);
            }
            self.state.fetch_sub(1, Release);
        }
    }

    /// Waits for a job other than the `last`, awake at first; none at the end.
    fn next_job(&self, last: u64) -> Option<u64> {
        let look = || {
            let state = self.state.load(SeqCst);
            (state & OPEN != 0 && state & !(OPEN | INSIDE) != last).then_some(state & !(OPEN | INSIDE))
        };
        let begin = Instant::now();
        while begin.elapsed() < self.awake {
            for _ in 0..32 {
                if let Some(job) = look() {
                    return Some(job);
                }
                std::hint::spin_loop();
            }
        }
        let mut asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        self.n_asleep.fetch_add(1, SeqCst);
        let job = loop {
            if self.ended.load(SeqCst) {
                break None;
            }
            if let Some(job) = look() {
                break Some(job);
            }
            asleep = self.wake.wait(asleep).unwrap_or_else(PoisonError::into_inner);
        };
        self.n_asleep.fetch_sub(1, SeqCst);
        drop(asleep);
        place::leave(self.core.load(Relaxed));
        job
    }

    fn wake_all(&self) {
        // The lock makes sure that a thread about to sleep has either seen what there is to see, or sleeps already.
        drop(self.asleep.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_all();
    }

    /// The first piece of a thread's share, which ends where that of the next thread begins.
    fn share(&self, n: usize, thread: usize) -> usize {
        n * thread / self.next.len()
    }

    /// Does pieces while there are any, those of the thread's own share first. A panic ends the job: it is kept for the
    /// caller.
    fn take_pieces(&self, job: Job, thread: usize) {
        // SAFETY: the caller is inside, or leads, and the piece lives as long.
        let piece = unsafe { &*job.piece };
        let work = || {
            for share in (thread..self.next.len()).chain(0..thread) {
                let end = self.share(job.n, share + 1);
                while let i = self.next[share].0.fetch_add(1, Relaxed)
                    && i < end
                {
                    piece(i);
                }
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            self.next.iter().for_each(|next| next.0.store(job.n, Relaxed));
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            match &*first {
                None => *first = Some(panic),
                // What it would drop might panic in its turn, and this thread must leave.
                Some(_) => std::mem::forget(panic),
            }
        }
    }
}

/// Waits for a thread that is at work: awake at first, then leaving the core to others, that one perhaps.
fn wait_a_little(looks: &mut u32) {
    *looks = looks.saturating_add(1);
    if *looks < 2048 { std::hint::spin_loop() } else { std::thread::yield_now() }
}
