//! The log: JSON lines, a line for each request and each event. A thread writes them, so that no request waits for a slow terminal or disk.

use std::io::Write;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// How many bytes of lines may wait; further lines are counted instead.
const MOST_WAITING: usize = 1 << 20;
/// How long a line waits at most.
const WRITE_EVERY: Duration = Duration::from_millis(100);

/// A line about a request. It has the resource's pattern, not its address, which may hold anything.
#[derive(Debug, Serialize)]
pub(crate) struct RequestLine<'l> {
    pub(crate) time: String,
    pub(crate) level: &'static str,
    pub(crate) id: &'l str,
    pub(crate) method: &'l str,
    pub(crate) route: &'static str,
    pub(crate) status: u16,
    pub(crate) rows: usize,
    pub(crate) ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<&'l str>,
}

/// Lines that wait to be written.
#[derive(Debug)]
pub(crate) struct Log {
    waiting: Mutex<Waiting>,
    ended: Condvar,
    /// Whether requests are left out that were answered.
    is_quiet: bool,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    n_lost: u64,
    is_ended: bool,
}

impl Log {
    pub(crate) fn new(is_quiet: bool) -> Arc<Log> {
        Arc::new(Log { waiting: Mutex::default(), ended: Condvar::new(), is_quiet })
    }

    /// Starts the thread that writes to `out`. The channel closes when the thread ends.
    pub(crate) fn write_to(
        self: &Arc<Log>,
        out: impl Write + Send + 'static,
    ) -> std::io::Result<Receiver<()>> {
        let (log, (running, ended)) = (self.clone(), channel());
        let run = move || {
            let _running: Sender<()> = running;
            log.run(out);
        };
        std::thread::Builder::new().name("log".to_owned()).spawn(run)?;
        Ok(ended)
    }

    fn run(&self, mut out: impl Write) {
        loop {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = self.ended.wait_timeout_while(waiting, WRITE_EVERY, |waiting| !waiting.is_ended);
            let mut waiting = ended.unwrap_or_else(PoisonError::into_inner).0;
            let (lines, n_lost) = (std::mem::take(&mut waiting.lines), std::mem::take(&mut waiting.n_lost));
            let is_ended = waiting.is_ended;
            drop(waiting);
            // A log that cannot be written must not end the service.
            let _ = out.write_all(&lines);
            if n_lost > 0 {
                let _ = out.write_all(
                    line(&Event::new("warn", "lines of the log were lost", &n_lost.to_string())).as_bytes(),
                );
            }
            let _ = out.flush();
            if is_ended {
                return;
            }
        }
    }

    /// Adds a line about a request.
    pub(crate) fn request(&self, request: &RequestLine<'_>) {
        if !self.is_quiet || request.status >= 400 {
            self.add(&line(request));
        }
    }

    /// Adds a line about the server itself.
    pub(crate) fn event(&self, level: &str, message: &str, about: &str) {
        self.add(&line(&Event::new(level, message, about)));
    }

    fn add(&self, line: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.lines.len() + line.len() > MOST_WAITING {
            true => waiting.n_lost += 1,
            false => waiting.lines.extend_from_slice(line.as_bytes()),
        }
    }

    /// Ends the thread after all lines.
    pub(crate) fn end(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_ended = true;
        self.ended.notify_all();
    }
}

#[derive(Serialize)]
struct Event<'l> {
    time: String,
    level: &'l str,
    message: &'l str,
    about: &'l str,
}

impl<'l> Event<'l> {
    fn new(level: &'l str, message: &'l str, about: &'l str) -> Event<'l> {
        Event { time: now(), level, message, about }
    }
}

/// The present time, as lines have it.
pub(crate) fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

fn line(content: &impl Serialize) -> String {
    let mut line = serde_json::to_string(content).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Sends on whatever is written.
    struct Pipe(mpsc::Sender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_json_and_those_too_many_are_counted() {
        let log = Log::new(false);
        log.event("info", "a \"word\"\n", "x");
        let long = "x".repeat(MOST_WAITING);
        log.event("info", &long, "");
        let (sender, written) = mpsc::channel();
        let ended = log.write_to(Pipe(sender)).unwrap();
        log.end();
        assert!(ended.recv().is_err());
        let text = String::from_utf8(written.iter().flatten().collect()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["message"], "a \"word\"\n");
        assert_eq!((&lines[1]["about"], lines.len()), (&"1".into(), 2));
    }

    #[test]
    fn a_quiet_log_has_failures_alone() {
        let log = Log::new(true);
        let request = |status| RequestLine {
            time: now(),
            level: "info",
            id: "1",
            method: "GET",
            route: "/v2",
            status,
            rows: 0,
            ms: 0.5,
            error: None,
        };
        log.request(&request(200));
        assert!(log.waiting.lock().unwrap().lines.is_empty());
        log.request(&request(400));
        assert!(!log.waiting.lock().unwrap().lines.is_empty());
    }
}
