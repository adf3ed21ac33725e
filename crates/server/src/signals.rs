//! Signals: SIGTERM and Ctrl-C end a server, SIGHUP has it read its models again.

use crate::server::Handle;

/// Listens until it is aborted.
#[cfg(unix)]
pub(crate) async fn listen(handle: Handle) {
    use tokio::signal::unix::{SignalKind, signal};

    let (Ok(mut term), Ok(mut int), Ok(mut hup)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = term.recv() => handle.stop(),
            _ = int.recv() => handle.stop(),
            _ = hup.recv() => {
                let handle = handle.clone();
                // Reading takes its time; requests go on meanwhile.
                let _ = tokio::task::spawn_blocking(move || handle.reload_and_log()).await;
            }
        }
    }
}

/// Listens until it is aborted.
#[cfg(not(unix))]
pub(crate) async fn listen(handle: Handle) {
    while tokio::signal::ctrl_c().await.is_ok() {
        handle.stop();
    }
}
