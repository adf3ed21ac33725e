//! Downloads in progress: a bar with the speed for each file on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use headsmith_aicrowd::Event;
use indicatif::{DecimalBytes, MultiProgress, ProgressBar, ProgressStyle};

const PLAIN_EVERY: Duration = Duration::from_secs(5);
const BAR: &str = "  {msg:20!} {bar:24} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";

/// The view on standard error.
pub(crate) struct TransferView {
    quiet: bool,
    plain: bool,
    bars: MultiProgress,
    files: Mutex<BTreeMap<usize, Transfer>>,
}

/// A file being downloaded.
struct Transfer {
    name: String,
    bar: ProgressBar,
    n_bytes: u64,
    from: u64,
    total: Option<u64>,
    started: Instant,
    last_line: Instant,
}

impl TransferView {
    pub(crate) fn new(quiet: bool) -> TransferView {
        let plain = !std::io::IsTerminal::is_terminal(&std::io::stderr());
        TransferView { quiet, plain, bars: MultiProgress::new(), files: Mutex::default() }
    }

    pub(crate) fn update(&self, event: &Event<'_>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Started { file, name, from, total } => {
                files.insert(*file, self.start(name, *from, *total));
            }
            Event::Advanced { file, n_bytes } => {
                if let Some(transfer) = files.get_mut(file) {
                    self.advance(transfer, *n_bytes);
                }
            }
            Event::Done { file } => {
                if let Some(transfer) = files.remove(file) {
                    transfer.bar.finish_and_clear();
                    self.line(&format!("{}: {}", transfer.name, transfer.summary()));
                }
            }
            Event::Retrying { file, name, error, wait } => {
                if let Some(transfer) = files.remove(file) {
                    transfer.bar.finish_and_clear();
                }
                self.print_line(&format!(
                    "warning: {name}: {error}; retrying in {:.1} s",
                    wait.as_secs_f64()
                ));
            }
            Event::Warning(text) => self.print_line(&format!("warning: {text}")),
            _ => {}
        }
    }

    fn start(&self, name: &str, from: u64, total: Option<u64>) -> Transfer {
        let bar = if self.quiet || self.plain {
            ProgressBar::hidden()
        } else {
            self.bars.add(
                total.map_or_else(ProgressBar::no_length, ProgressBar::new).with_message(name.to_owned()),
            )
        };
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        bar.set_position(from);
        // The speed is that of the new bytes only.
        bar.reset_eta();
        let now = Instant::now();
        Transfer { name: name.to_owned(), bar, n_bytes: from, from, total, started: now, last_line: now }
    }

    fn advance(&self, transfer: &mut Transfer, n_bytes: u64) {
        transfer.n_bytes += n_bytes;
        transfer.bar.inc(n_bytes);
        if self.plain && transfer.last_line.elapsed() >= PLAIN_EVERY {
            transfer.last_line = Instant::now();
            let of = transfer.total.map_or(String::new(), |total| format!(" of {}", DecimalBytes(total)));
            let (done, speed) = (DecimalBytes(transfer.n_bytes), DecimalBytes(transfer.speed()));
            self.line(&format!("{}: {done}{of}, {speed}/s", transfer.name));
        }
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            self.print_line(text);
        }
    }

    fn print_line(&self, text: &str) {
        self.bars.suspend(|| eprintln!("{text}"));
    }
}

impl Transfer {
    fn speed(&self) -> u64 {
        let seconds = self.started.elapsed().as_secs_f64().max(1e-3);
        ((self.n_bytes - self.from) as f64 / seconds) as u64
    }

    fn summary(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        format!("{} in {seconds:.2} s ({}/s)", DecimalBytes(self.n_bytes), DecimalBytes(self.speed()))
    }
}
