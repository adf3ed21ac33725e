//! Transfers that run in the background.

use std::future::Future;
use std::io;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, sync_channel};

use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

/// The threads of all transfers. They decrypt and copy; two keep up with more than a machine's network.
const N_THREADS: usize = 2;

/// The result of a transfer that may still be running. It is aborted when dropped.
pub(crate) struct InFlight<T> {
    result: Receiver<io::Result<T>>,
    task: AbortHandle,
}

impl<T: Send + 'static> InFlight<T> {
    /// Starts `work`.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub(crate) fn start(
        work: impl Future<Output = io::Result<T>> + Send + 'static,
    ) -> io::Result<InFlight<T>> {
        let (sender, result) = sync_channel(1);
        let task = runtime()?.spawn(async move {
            // Without a receiver, nobody waits.
            let _ = sender.send(work.await);
        });
        Ok(InFlight { result, task: task.abort_handle() })
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) fn wait(self) -> io::Result<T> {
        self.result.recv().unwrap_or_else(|_| Err(io::Error::other("the transfer was aborted")))
    }
}

impl<T> Drop for InFlight<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs `work` to its end. Unlike tokio's `block_on`, it may be called from a thread of another runtime.
///
/// # Errors
/// Those of the work.
pub(crate) fn run<T: Send + 'static>(
    work: impl Future<Output = io::Result<T>> + Send + 'static,
) -> io::Result<T> {
    InFlight::start(work)?.wait()
}

fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    let build =
        || Builder::new_multi_thread().worker_threads(N_THREADS).thread_name("objects").enable_all().build();
    match RUNTIME.get_or_init(build) {
        Ok(runtime) => Ok(runtime),
        Err(error) => Err(io::Error::new(error.kind(), format!("no threads for transfers: {error}"))),
    }
}
