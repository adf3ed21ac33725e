//! Signals: SIGTERM and Ctrl-C end a server, the second of them at once; SIGHUP has it read its models again.

use std::io;

use crate::server::Handle;

/// The exit status of a process that SIGTERM, or Ctrl-C, ended before its requests were answered.
#[cfg(unix)]
const TERMINATED: i32 = 143;
const INTERRUPTED: i32 = 130;

/// The signals of the process, which are caught from now on.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct Signals {
    term: tokio::signal::unix::Signal,
    int: tokio::signal::unix::Signal,
    hup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// # Errors
    /// When the system does not let them be caught.
    pub(crate) fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Signals {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
        })
    }

    /// Does what they ask for, until it is aborted.
    pub(crate) async fn listen(self, handle: Handle) {
        let Signals { mut term, mut int, mut hup } = self;
        let reloads = async {
            while hup.recv().await.is_some() {
                reload(handle.clone()).await;
            }
        };
        let mut ends = async || {
            tokio::select! {
                _ = term.recv() => TERMINATED,
                _ = int.recv() => INTERRUPTED,
            }
        };
        let end = async {
            ends().await;
            handle.stop();
            std::process::exit(ends().await)
        };
        tokio::join!(reloads, end);
    }
}

/// Reads the models again while requests go on, in a thread that waits for no large body.
#[cfg(unix)]
async fn reload(handle: Handle) {
    let (done, waited) = tokio::sync::oneshot::channel();
    let read = move || {
        handle.reload_and_log();
        let _ = done.send(());
    };
    // Without a thread the models stay as they are, and the next signal tries again.
    let _ = std::thread::Builder::new().name("reload".to_owned()).spawn(read);
    let _ = waited.await;
}

/// Ctrl-C, which is caught once it is listened for.
#[cfg(not(unix))]
#[derive(Debug)]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    pub(crate) async fn listen(self, handle: Handle) {
        if tokio::signal::ctrl_c().await.is_ok() {
            handle.stop();
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(INTERRUPTED);
        }
    }
}
