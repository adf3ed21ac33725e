//! Work without the interpreter's lock, that Ctrl-C ends and a listener follows.
//!
//! The work has a thread of its own. The caller's thread, which alone may handle signals, waits for it, passes its events to the listener, and
//! looks for signals in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use headsmith::events::event_json;
use headsmith::heads::event::Event;
use headsmith::kernels::pool::{Stopped, unless_stopped};
use headsmith::{Context, Metric, Pool, Progress, Result};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError};
use pyo3::prelude::*;

use crate::words::{self, Caller};
use crate::{errors, pools};

/// The longest time between two looks for signals.
const PERIOD: Duration = Duration::from_millis(40);
/// The stack of the thread, as large as that of a main thread.
const STACK: usize = 8 << 20;

/// How work is done, beside what it is.
pub(crate) struct Conditions<'p> {
    pub(crate) seed: u64,
    pub(crate) metric: Metric,
    pub(crate) n_jobs: usize,
    /// Receives events as JSON; what it returns decides whether the work ends with its best so far.
    pub(crate) listener: &'p Bound<'p, PyAny>,
    /// Whether it receives all events, or warnings alone.
    pub(crate) follows: bool,
    /// In whose words errors and warnings are.
    pub(crate) caller: Caller,
}

impl<'p> Conditions<'p> {
    /// The same for tables in files.
    pub(crate) fn of_files(self) -> Conditions<'p> {
        Conditions { caller: Caller::Files, ..self }
    }
}

/// An event, and the way back for the answer.
struct Message {
    event: String,
    answer: Sender<bool>,
}

/// The requests to end the work.
#[derive(Clone, Default)]
struct Requests {
    /// With the best so far, after the current step.
    stop: Arc<AtomicBool>,
    /// At once, without a result.
    abort: Arc<AtomicBool>,
}

/// Does `work`.
///
/// # Errors
/// Its error, that of the listener, or that of a signal's handler: `KeyboardInterrupt` after Ctrl-C.
pub(crate) fn run<T: Send>(
    conditions: &Conditions<'_>,
    work: impl FnOnce(&mut Context<'_>) -> Result<T> + Send,
) -> PyResult<T> {
    let requests = Requests::default();
    let pool = pools::start(conditions.n_jobs)?.stopped_by(requests.abort.clone());
    let Conditions { seed, metric, follows, caller, .. } = *conditions;
    let listener = conditions.listener.clone().unbind();
    conditions.listener.py().detach(|| {
        scope(|scope| {
            let (sender, events) = channel();
            let own = requests.clone();
            let work = move || {
                let mut view = |progress: &Progress<'_>| {
                    if follows || matches!(progress, Progress::Warning(_)) {
                        tell((progress, caller), &sender, &own);
                    }
                };
                let pool: &Pool = &pool;
                let mut context = Context { seed, metric, pool, stop: &own.stop, view: &mut view };
                unless_stopped(|| work(&mut context))
            };
            let worker = start(scope, work)?;
            let failure = attend(&events, &listener, &requests);
            result(worker, failure, caller)
        })
    })
}

fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> PyResult<ScopedJoinHandle<'scope, T>> {
    let thread = Builder::new().name("headsmith".to_owned()).stack_size(STACK);
    let failed = |cause| PyRuntimeError::new_err(format!("the system cannot start a thread: {cause}"));
    thread.spawn_scoped(scope, work).map_err(failed)
}

/// Sends an event and waits for the answer, so that it is the same step in every run that a listener ends.
fn tell((progress, caller): (&Progress<'_>, Caller), events: &Sender<Message>, requests: &Requests) {
    let event = match progress {
        Progress::Warning(text) => event_json(&Progress::Warning(&words::of_python(text, caller))),
        progress => event_json(progress),
    };
    let Some(event) = event else { return };
    let has_result = has_result(progress);
    let (answer, answers) = channel();
    let is_sent = events.send(Message { event: event.to_string(), answer }).is_ok();
    if is_sent && answers.recv() == Ok(true) && has_result {
        requests.stop.store(true, Ordering::Relaxed);
    }
}

/// Whether there may be a best so far after this event: a listener that ends the work before would get nothing.
fn has_result(progress: &Progress<'_>) -> bool {
    !matches!(
        progress,
        Progress::Reading { .. }
            | Progress::Read(_)
            | Progress::Found(_)
            | Progress::Split(_)
            | Progress::Fitting { .. }
            | Progress::Searching { .. }
            | Progress::Warning(_)
            | Progress::Fit(Event::Started { .. })
    )
}

/// Attends to events and signals until the work has ended; gives the error that ended it from here.
fn attend(events: &Receiver<Message>, listener: &Py<PyAny>, requests: &Requests) -> Option<PyErr> {
    let mut failure = None;
    let mut failed = |error| {
        requests.stop.store(true, Ordering::Relaxed);
        requests.abort.store(true, Ordering::Relaxed);
        failure.get_or_insert(error);
    };
    loop {
        match events.recv_timeout(PERIOD) {
            Err(RecvTimeoutError::Disconnected) => return failure,
            Err(RecvTimeoutError::Timeout) => (),
            Ok(Message { event, answer }) => {
                let asked = Python::attach(|py| listener.call1(py, (event,))?.is_truthy(py));
                let stops = *asked.as_ref().unwrap_or(&true);
                asked.err().into_iter().for_each(&mut failed);
                // Work that has ended meanwhile needs no answer.
                let _ = answer.send(stops);
            }
        }
        Python::attach(|py| py.check_signals()).err().into_iter().for_each(&mut failed);
    }
}

fn result<T>(
    worker: ScopedJoinHandle<'_, std::result::Result<Result<T>, Stopped>>,
    failure: Option<PyErr>,
    caller: Caller,
) -> PyResult<T> {
    match (worker.join(), failure) {
        (_, Some(failure)) => Err(failure),
        (Ok(Ok(done)), None) => done.map_err(errors::to_caller(caller)),
        (Ok(Err(Stopped)), None) => Err(PyKeyboardInterrupt::new_err(())),
        (Err(panic), None) => Err(errors::of_panic(panic.as_ref())),
    }
}
