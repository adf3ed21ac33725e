//! The terminal while the view uses it. Whatever ends the view or the process, the terminal is restored: raw mode off,
//! the cursor shown, the normal screen in front.

use std::io::{BufWriter, Stderr, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::theme::Theme;
use super::{draw, state};

/// Whether the view uses the terminal. Check it before writing to the terminal, while holding the lock of `WRITING`.
static IS_UP: AtomicBool = AtomicBool::new(false);
static WRITING: Mutex<()> = Mutex::new(());

/// The time after which writing a frame counts as blocked.
const PATIENCE: Duration = Duration::from_millis(500);

/// The terminal, for drawing.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stderr>>>,
    theme: Theme,
}

impl Screen {
    /// Switches the terminal to the view.
    pub(super) fn take() -> std::io::Result<Screen> {
        restore_on_panic();
        let _writing = writing();
        enable_raw_mode()?;
        IS_UP.store(true, Ordering::SeqCst);
        let taken = execute!(std::io::stderr(), EnterAlternateScreen, Hide).and_then(|()| {
            Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(1 << 16, std::io::stderr())))
        });
        drop(_writing);
        match taken {
            Ok(terminal) => Ok(Screen { terminal, theme: Theme::of_environment() }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Draws a frame. The state is locked during the layout but not while writing: a slow terminal blocks nothing.
    pub(super) fn draw(&mut self, state: &Mutex<state::State>, now: Duration) -> std::io::Result<()> {
        let _writing = writing();
        if !IS_UP.load(Ordering::SeqCst) {
            return Ok(());
        }
        let theme = self.theme;
        let drawn = self.terminal.draw(|frame| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.now = now;
            let area = frame.area();
            draw::frame(&state, theme, area, frame.buffer_mut());
        });
        drawn.map(drop)
    }
}

/// Whether the view uses the terminal.
pub(super) fn is_up() -> bool {
    IS_UP.load(Ordering::SeqCst)
}

/// Restores the terminal, once, with a limited wait for a blocked terminal.
pub(super) fn give_back() {
    if !IS_UP.swap(false, Ordering::SeqCst) {
        return;
    }
    let _writing = writing_soon();
    let _ = disable_raw_mode();
    // If the system refuses the thread, the screen stays as it is.
    let back = thread::Builder::new().spawn(|| {
        let mut stderr = std::io::stderr();
        let _ = execute!(stderr, LeaveAlternateScreen, Show);
        let _ = stderr.flush();
    });
    let mut waited = Duration::ZERO;
    const A_MOMENT: Duration = Duration::from_millis(1);
    while back.as_ref().is_ok_and(|back| !back.is_finished()) && waited < PATIENCE {
        thread::sleep(A_MOMENT);
        waited += A_MOMENT;
    }
}

fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a frame that is being written, for a limited time.
fn writing_soon() -> Option<MutexGuard<'static, ()>> {
    const A_MOMENT: Duration = Duration::from_millis(5);
    let mut waited = Duration::ZERO;
    loop {
        match WRITING.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if waited >= PATIENCE => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(A_MOMENT),
        }
        waited += A_MOMENT;
    }
}

/// A panic is printed on the normal screen. One in a trial is caught and ends only the trial: it goes to the log.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if is_up() && !super::log_panic(info) {
                give_back();
            }
            if !is_up() {
                before(info);
            }
        }));
    });
}
