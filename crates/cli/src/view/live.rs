//! The live view: the whole terminal while a fit or a study goes on. The run changes a [`State`]; a thread of the view's
//! own draws it ten times a second and reads the keys, so that no terminal, however slow, holds the run up.

mod curve;
mod draw;
mod fit;
mod look;
mod screen;
mod state;
mod study;
#[cfg(test)]
mod tests;

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use headsmith::{Progress, View, Wish};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec};

use super::lines::Told;
use super::progress::StderrView;
use crate::interrupt;
pub(crate) use look::has_unicode;
use screen::Screen;
use state::{Act, Key, State};

/// How long a run must last to get the screen: none flashes up for a moment.
const DELAY: Duration = Duration::from_millis(400);
/// The time from frame to frame.
const FRAME: Duration = Duration::from_millis(100);

/// How progress is shown.
// What `--live` means is in its help, not in that of each word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    // `Full` where the terminal can do it, `Plain` elsewhere.
    Auto,
    // The whole terminal.
    Full,
    // A line an event.
    Plain,
    // Not at all; warnings are said.
    Off,
}

/// The view of a run in this mode.
pub(crate) fn view(mode: Mode, quiet: bool) -> Box<dyn View> {
    let obstacle = look::obstacle();
    match (mode, obstacle) {
        _ if quiet => Box::new(StderrView::new(true)),
        (Mode::Off, _) => Box::new(StderrView::new(true)),
        (Mode::Auto | Mode::Full, None) => Box::new(LiveView::begin()),
        (Mode::Full, Some(obstacle)) => {
            super::say(&format!("warning: no full view, for {obstacle}: lines instead"));
            Box::new(StderrView::in_lines())
        }
        (Mode::Auto | Mode::Plain, _) => Box::new(StderrView::in_lines()),
    }
}

/// What the run, the thread that draws, and who else has something to say share.
struct Shared {
    state: Mutex<State>,
    /// The run is over.
    is_over: AtomicBool,
    /// The view gave the screen back: from here on the lines go to standard error.
    is_left: AtomicBool,
    started: Instant,
    /// The thread of the run.
    owner: ThreadId,
}

/// The view that has the screen now.
static SHOWN: Mutex<Option<Arc<Shared>>> = Mutex::new(None);

fn shown() -> MutexGuard<'static, Option<Arc<Shared>>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the screen back and prints what was told meanwhile, once.
    fn leave(&self) {
        screen::give_back();
        let mut state = self.state();
        if !self.is_left.swap(true, Ordering::SeqCst) {
            state.log.drain(..).for_each(|told| super::print_line(&told.text));
        }
    }
}

/// Keeps a line for those who see the screen; false when nobody has it.
pub(super) fn tell(text: &str) -> bool {
    let Some(shared) = shown().clone().filter(|_| screen::is_up()) else { return false };
    shared.state().tell(Told { text: text.to_owned(), always: true });
    true
}

/// Gives the screen back, if a view has it: the process ends.
pub(crate) fn close() {
    let shared = shown().take();
    screen::give_back();
    if let Some(shared) = shared {
        shared.is_over.store(true, Ordering::SeqCst);
        shared.leave();
    }
}

/// Tells of a panic among the lines, if it is one that may be survived: neither in the thread of the run nor in that
/// of the view.
fn tell_panic(info: &PanicHookInfo<'_>) -> bool {
    let here = thread::current();
    let is_fatal = |shared: &Shared| shared.owner == here.id() || here.name() == Some(THREAD);
    let Some(shared) = shown().clone().filter(|shared| !is_fatal(shared)) else { return false };
    let Ok(mut state) = shared.state.try_lock() else { return false };
    state.tell(Told::warning(&info.to_string()));
    true
}

/// The name of the thread that draws.
const THREAD: &str = "live view";

/// The view on the whole terminal.
struct LiveView {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Goes on when the screen is left.
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
            state.see(progress, self.shared.started.elapsed());
        }
        drop(state);
        self.lines.mute(!is_left);
        self.lines.see(progress);
    }

    fn wish(&mut self) -> Option<Wish> {
        self.shared.state().wish()
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A view that panicked has given the screen back.
            let _ = thread.join();
        }
        shown().take();
        self.shared.leave();
    }
}

/// Shows the state until the run is over or the view is left.
fn show(shared: &Arc<Shared>) {
    let begin = Instant::now();
    while begin.elapsed() < DELAY && !shared.is_over.load(Ordering::SeqCst) {
        thread::park_timeout(DELAY.saturating_sub(begin.elapsed()));
    }
    if shared.is_over.load(Ordering::SeqCst) {
        return;
    }
    *shown() = Some(shared.clone());
    // Without a screen, or when it fails, there are lines.
    if let Ok(mut screen) = Screen::take() {
        let _ = watch(shared, &mut screen);
    }
    shown().take();
    shared.leave();
}

/// Draws and reads keys.
fn watch(shared: &Shared, screen: &mut Screen) -> std::io::Result<()> {
    let mut next_frame = Instant::now();
    while !shared.is_over.load(Ordering::SeqCst) {
        if next_frame <= Instant::now() {
            shared.state().stopping = interrupt::was_asked();
            screen.draw(&shared.state, shared.started.elapsed())?;
            next_frame = Instant::now() + FRAME;
        }
        // Short, so that the end of the run is seen at once.
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
            Act::Interrupt => interrupt::ask(),
            Act::Leave => return Ok(()),
            Act::Nothing => (),
        }
        next_frame = Instant::now();
    }
    Ok(())
}

/// Waits for keys so long at most; false when the terminal has gone. Crossterm would read its end for ever.
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
