//! The threads of a pool, and how they get a job.
//!
//! A job is open while there may be pieces left. A thread that finds it open enters, takes pieces until there are
//! none, and leaves; the caller does the same, then closes the job and waits for those inside. A thread that wakes too
//! late finds it closed, and nobody waits for that thread.
//!
//! A thread that wakes on the core of its caller moves away: the system would leave both there for a tenth of a
//! second, which is half of a short fit.
//!
//! Each thread has a share of the pieces, the same in every job with as many pieces, and starts with it: its data of
//! the previous step is still in its core's cache. A thread that finishes its own share continues with those of
//! others.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::affinity;

/// How long a thread spins before it sleeps: longer than the time between the jobs of a training step, and too short
/// to be noticed otherwise.
const AWAKE: Duration = Duration::from_micros(100);

/// The state of the board: the number of threads inside in the low bits, then whether the job is open, then the number
/// of the job.
const INSIDE: u64 = (1 << 16) - 1;
const OPEN: u64 = 1 << 16;
const JOB: u64 = 1 << 17;

/// Threads that wait for jobs; they end when this value is dropped.
#[derive(Debug)]
pub(super) struct Team {
    board: Arc<TeamState>,
    threads: Vec<JoinHandle<()>>,
}

/// The state shared by the threads.
struct TeamState {
    state: AtomicU64,
    /// Changed by a caller only while the job is closed and nobody is inside; read by those inside.
    job: UnsafeCell<Option<Job>>,
    /// The next piece of each thread's share.
    next: Vec<PieceCounter>,
    /// Whether a caller uses the board.
    taken: AtomicBool,
    ended: AtomicBool,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    n_asleep: AtomicUsize,
    /// The core of the caller that last woke them.
    core: AtomicUsize,
    asleep: Mutex<()>,
    wake: Condvar,
    /// How long to spin before sleeping.
    awake: Duration,
}

/// On its own cache line (two, because they are fetched in pairs), so that threads do not slow each other down.
#[repr(align(128))]
struct PieceCounter(AtomicUsize);

#[derive(Clone, Copy)]
struct Job {
    n: usize,
    piece: *const (dyn Fn(usize) + Sync),
}

// SAFETY: `job` is changed only by the owner of the board, while nobody is inside; its target may be called from any
// thread, and lives until the caller has seen everybody leave.
unsafe impl Sync for TeamState {}
// SAFETY: as above.
unsafe impl Send for TeamState {}

impl Team {
    /// A team of `n_threads`, including the caller.
    pub(super) fn new(n_threads: usize) -> std::io::Result<Team> {
        // With more threads than cores, spinning would take the cores from working threads.
        let enough = std::thread::available_parallelism().is_ok_and(|n| n.get() >= n_threads);
        let mut team = Team {
            board: Arc::new(TeamState::new(n_threads, if enough { AWAKE } else { Duration::ZERO })),
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

    /// Runs `piece(0) .. piece(n - 1)`, each once.
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
            // Threads catch panics, so joining cannot fail.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for TeamState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

impl TeamState {
    fn new(n_threads: usize, awake: Duration) -> TeamState {
        TeamState {
            state: AtomicU64::new(0),
            job: UnsafeCell::new(None),
            next: (0..n_threads).map(|_| PieceCounter(AtomicUsize::new(0))).collect(),
            taken: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            panic: Mutex::new(None),
            n_asleep: AtomicUsize::new(0),
            core: AtomicUsize::new(affinity::ELSEWHERE),
            asleep: Mutex::new(()),
            wake: Condvar::new(),
            awake,
        }
    }

    /// Opens a job, works on it, closes it, waits for those inside, and returns the panic if there was one. The caller
    /// owns the board.
    fn lead(&self, n: usize, piece: &(dyn Fn(usize) + Sync)) -> Option<Box<dyn Any + Send>> {
        // SAFETY: only the lifetime changes; nobody calls it after this function, which waits for those inside.
        let piece =
            unsafe { std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(piece) };
        let job = Job { n, piece };
        // SAFETY: the caller owns the board, the previous job is closed, and everybody has left it.
        unsafe { *self.job.get() = Some(job) };
        for (share, next) in self.next.iter().enumerate() {
            next.0.store(self.share(n, share), Relaxed);
        }
        let before = self.state.load(Relaxed);
        self.state.store(before.wrapping_add(JOB) | OPEN, SeqCst);
        if self.n_asleep.load(SeqCst) > 0 {
            self.core.store(affinity::current_core(), Relaxed);
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

    /// The loop of a thread in the team.
    fn serve(&self, thread: usize) {
        let mut last = 0;
        while let Some(job) = self.next_job(last) {
            last = job;
            // Entering fails if the job has been closed meanwhile.
            let enter =
                |state: u64| (state & OPEN != 0 && state & !(OPEN | INSIDE) == job).then_some(state + 1);
            if self.state.fetch_update(AcqRel, Acquire, enter).is_err() {
                continue;
            }
            // SAFETY: the job is not changed while a thread is inside.
            if let Some(job) = unsafe { *self.job.get() } {
                self.take_pieces(job, thread);
            }
            self.state.fetch_sub(1, Release);
        }
    }

    /// Waits for a job other than the `last`, spinning at first; `None` at the end.
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
        affinity::move_from(self.core.load(Relaxed));
        job
    }

    fn wake_all(&self) {
        // With the lock, a thread about to sleep has either seen the change or is already asleep.
        drop(self.asleep.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_all();
    }

    /// The first piece of a thread's share, which ends where the next thread's starts.
    fn share(&self, n: usize, thread: usize) -> usize {
        n * thread / self.next.len()
    }

    /// Computes pieces until there are none, starting with the thread's own share. A panic ends the job and is stored
    /// for the caller.
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
                // Dropping it might panic again, and this thread must leave.
                Some(_) => std::mem::forget(panic),
            }
        }
    }
}

/// Waits for a working thread: spinning at first, then yielding the core.
fn wait_a_little(looks: &mut u32) {
    *looks = looks.saturating_add(1);
    if *looks < 2048 { std::hint::spin_loop() } else { std::thread::yield_now() }
}
