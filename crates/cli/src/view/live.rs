//! The live view: the whole terminal during a fit or a study. The run changes a [`State`]; the view's own thread draws
//! it ten times a second and reads the keys, so that no terminal, however slow, delays the run.

mod auto;
mod curve;
mod draw;
mod fit;
mod screen;
mod state;
mod study;
#[cfg(test)]
mod tests;
mod theme;

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use headsmith::{Progress, UserRequest, View};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::lines::LogLine;
use super::progress::StderrView;
use crate::interrupt;
use screen::Screen;
use state::{Key, KeyAction, State};
pub(crate) use theme::has_unicode;

/// How long a run must last to get the screen, so that it does not flash up briefly.
const DELAY: Duration = Duration::from_millis(400);
/// The time between frames.
const FRAME: Duration = Duration::from_millis(100);

/// How progress is shown.
// The help of `--live` explains the values, so that they have no help of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    // `Full` if the terminal supports it, else `Plain`.
    Auto,
    // The whole terminal.
    Full,
    // One line per event.
    Plain,
    // None; warnings are still printed.
    Off,
}

/// The view of a run in this mode.
pub(crate) fn view(mode: Mode, quiet: bool) -> Box<dyn View> {
    let obstacle = theme::obstacle();
    match (mode, obstacle) {
        _ if quiet => Box::new(StderrView::new(true)),
        (Mode::Off, _) => Box::new(StderrView::new(true)),
        (Mode::Auto | Mode::Full, None) => Box::new(LiveView::begin()),
        (Mode::Full, Some(obstacle)) => {
            super::print_message(&format!("warning: no full view, for {obstacle}: lines instead"));
            Box::new(StderrView::in_lines())
        }
        (Mode::Auto | Mode::Plain, _) => Box::new(StderrView::in_lines()),
    }
}

/// The state shared by the run, the drawing thread and other callers of [`log`].
struct Shared {
    state: Mutex<State>,
    /// The run is over.
    is_over: AtomicBool,
    /// The view has released the screen: from now on lines go to standard error.
    is_left: AtomicBool,
    started: Instant,
    /// The thread of the run.
    owner: ThreadId,
}

/// The view that has the screen.
static SHOWN: Mutex<Option<Arc<Shared>>> = Mutex::new(None);

fn shown() -> MutexGuard<'static, Option<Arc<Shared>>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Releases the screen and prints the lines that were collected meanwhile, once.
    fn release_screen(&self) {
        screen::give_back();
        let mut state = self.state();
        if !self.is_left.swap(true, Ordering::SeqCst) {
            state.log.drain(..).for_each(|log_line| super::print_line(&log_line.text));
        }
    }
}

/// Adds a line to the view on the screen; returns false if there is none.
pub(super) fn log(text: &str) -> bool {
    let Some(shared) = shown().clone().filter(|_| screen::is_up()) else { return false };
    shared.state().push_line(LogLine { text: text.to_owned(), always: true });
    true
}

/// Releases the screen, if a view has it, because the process ends.
pub(crate) fn close() {
    let shared = shown().take();
    screen::give_back();
    if let Some(shared) = shared {
        shared.is_over.store(true, Ordering::SeqCst);
        shared.release_screen();
    }
}

/// Adds the message of a panic to the lines, if the process may survive it: neither in the run's thread nor in the
/// view's.
fn log_panic(info: &PanicHookInfo<'_>) -> bool {
    let here = thread::current();
    let is_fatal = |shared: &Shared| shared.owner == here.id() || here.name() == Some(THREAD);
    let Some(shared) = shown().clone().filter(|shared| !is_fatal(shared)) else { return false };
    let Ok(mut state) = shared.state.try_lock() else { return false };
    state.push_line(LogLine::warning(&info.to_string()));
    true
}

/// The name of the drawing thread.
const THREAD: &str = "live view";

/// The view on the whole terminal.
struct LiveView {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Takes over after the screen was released.
    lines: StderrView,
}

impl LiveView {
    fn begin() -> LiveView {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            is_over: AtomicBool::new(false),
            is_left: AtomicBool::new(false),
            started: Instant::now(),
            owner: thread::current().id(),
        });
        let drawn = shared.clone();
        let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(move || show(&drawn));
        if thread.is_err() {
            shared.is_left.store(true, Ordering::SeqCst);
        }
        LiveView { shared, thread: thread.ok(), lines: StderrView::in_lines() }
    }
}

impl View for LiveView {
    fn see(&mut self, progress: &Progress<'_>) {
        let mut state = self.shared.state();
        let is_left = self.shared.is_left.load(Ordering::SeqCst);
        if !is_left {
            state.apply(progress, self.shared.started.elapsed());
        }
        drop(state);
        self.lines.mute(!is_left);
        self.lines.see(progress);
    }

    fn request(&mut self) -> Option<UserRequest> {
        self.shared.state().request()
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A view that panicked has released the screen.
            let _ = thread.join();
        }
        shown().take();
        self.shared.release_screen();
    }
}

/// Shows the state until the run is over or the view is closed.
fn show(shared: &Arc<Shared>) {
    let begin = Instant::now();
    while begin.elapsed() < DELAY && !shared.is_over.load(Ordering::SeqCst) {
        thread::park_timeout(DELAY.saturating_sub(begin.elapsed()));
    }
    if shared.is_over.load(Ordering::SeqCst) {
        return;
    }
    *shown() = Some(shared.clone());
    // Without a screen, or if it fails, lines are printed instead.
    if let Ok(mut screen) = Screen::take() {
        let _ = watch(shared, &mut screen);
    }
    shown().take();
    shared.release_screen();
}

/// Draws frames and reads keys.
fn watch(shared: &Shared, screen: &mut Screen) -> std::io::Result<()> {
    let mut next_frame = Instant::now();
    while !shared.is_over.load(Ordering::SeqCst) {
        if next_frame <= Instant::now() {
            shared.state().stopping = interrupt::was_asked();
            screen.draw(&shared.state, shared.started.elapsed())?;
            next_frame = Instant::now() + FRAME;
        }
        // Short, so that the end of the run is noticed at once.
        if !waited(FRAME / 4)? {
            return Ok(());
        }
        if !event::poll(Duration::ZERO)? {
            continue;
        }
        let Event::Key(key) = event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let act = shared.state().press(key_of(key));
        match act {
            KeyAction::Interrupt => interrupt::ask(),
            KeyAction::Leave => return Ok(()),
            KeyAction::Nothing => (),
        }
        next_frame = Instant::now();
    }
    Ok(())
}

/// Waits for keys, at most this long; returns false if the terminal is gone. Crossterm would read the end of file for
/// ever.
fn waited(how_long: Duration) -> std::io::Result<bool> {
    let stderr = std::io::stderr();
    let mut terminal = [PollFd::new(&stderr, PollFlags::IN)];
    let timeout = Timespec { tv_sec: 0, tv_nsec: how_long.subsec_nanos().into() };
    match rustix::event::poll(&mut terminal, Some(&timeout)) {
        Ok(_) => Ok(!terminal[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn key_of(key: KeyEvent) -> Key {
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char('s') => Key::Stop,
        KeyCode::Char('q') => Key::Leave,
        KeyCode::Char('p') => Key::Prune,
        KeyCode::Char('y') => Key::Yes,
        KeyCode::Tab | KeyCode::Right | KeyCode::Down | KeyCode::Char('n') => Key::Next,
        KeyCode::BackTab | KeyCode::Left | KeyCode::Up | KeyCode::Char('b') => Key::Previous,
        KeyCode::Char('?' | 'h') => Key::Help,
        _ => Key::Other,
    }
}
