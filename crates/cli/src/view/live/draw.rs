//! Draws a frame from the state.

mod auto;
mod chart;
mod fit;
mod study;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Block, Clear, Widget};

use super::state::{Stage, State};
use super::theme::{Role, Theme};

const HELP: [&str; 9] = [
    "s, Ctrl-C       stop cleanly and keep the results so far",
    "Ctrl-C again    quit at once",
    "p, then y       prune the selected trial: the study records this and",
    "                is no longer reproducible",
    "Tab, right, n   the next running trial",
    "left, b         the previous running trial",
    "q               leave this view; the work continues, in lines",
    "?, h            this help",
    "any other key   close it",
];

/// A buffer for text, with the style of the terminal.
struct Canvas<'b> {
    buffer: &'b mut Buffer,
    theme: Theme,
}

impl Canvas<'_> {
    /// Puts a line of text at the upper left of `area`, truncated to its width.
    fn put(&mut self, area: Rect, text: &str, style: Style) {
        if !area.is_empty() {
            self.buffer.set_stringn(area.x, area.y, self.theme.text(text), usize::from(area.width), style);
        }
    }

    /// Puts lines below each other, as many as fit.
    fn put_lines(&mut self, area: Rect, lines: impl IntoIterator<Item = (String, Style)>) {
        for (row, (line, style)) in rows(area).zip(lines) {
            self.put(row, &line, style);
        }
    }

    /// Draws a frame with a title; returns the area inside.
    fn frame(&mut self, area: Rect, title: &str) -> Rect {
        let block = Block::bordered().border_set(self.theme.border()).title(self.theme.text(title));
        let inside = block.inner(area);
        block.render(area, self.buffer);
        inside
    }
}

/// The rows of an area.
fn rows(area: Rect) -> impl Iterator<Item = Rect> {
    (area.y..area.bottom()).map(move |y| Rect::new(area.x, y, area.width, 1))
}

/// The first `n` rows of an area, and the others.
fn split_rows(area: Rect, n: u16) -> (Rect, Rect) {
    let n = n.min(area.height);
    let top = Rect { height: n, ..area };
    (top, Rect { y: area.y + n, height: area.height - n, ..area })
}

/// The first `n` columns of an area, and the others.
fn split_columns(area: Rect, n: u16) -> (Rect, Rect) {
    let n = n.min(area.width);
    let left = Rect { width: n, ..area };
    (left, Rect { x: area.x + n, width: area.width - n, ..area })
}

/// Draws everything.
pub(super) fn frame(state: &State, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let mut canvas = Canvas { buffer, theme };
    let (title, rest) = split_rows(area, 1);
    let (rest, footer) = split_rows(rest, rest.height.saturating_sub(1));
    canvas.put(title, &headline(state), bold());
    let clock = clock(state.now);
    if usize::from(title.width) > clock.len() {
        let at = title.width - clock.len() as u16;
        canvas.put(split_columns(title, at).1, &clock, bold());
    }
    let n_lines = match rest.height {
        0..16 => 0,
        16..28 => 3,
        _ => 6,
    };
    let (body, log) = split_rows(rest, rest.height - n_lines);
    match &state.stage {
        Stage::Beginning | Stage::Reading(_) => (),
        Stage::Fit(of) => match state.search.as_ref().filter(|_| of.is_of_candidate) {
            Some(search) => auto::draw(search, of, state.now, body, &mut canvas),
            None => fit::draw(of, state.now, body, &mut canvas),
        },
        Stage::Study(of) => study::draw(of, state.now, body, &mut canvas),
    }
    messages(state, log, &mut canvas);
    canvas.put(footer, &keys(state), footer_style(state, theme));
    if state.help {
        help(area, &mut canvas);
    }
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn headline(state: &State) -> String {
    match &state.stage {
        Stage::Beginning => "headsmith".to_owned(),
        Stage::Reading(path) => format!("reading {path}"),
        Stage::Fit(fit) if fit.is_of_candidate => {
            let fold =
                if fit.purpose.starts_with("fold ") { format!(" ({})", fit.purpose) } else { String::new() };
            format!("search: fitting {}{fold}", fit.head)
        }
        Stage::Fit(fit) if fit.purpose.is_empty() => format!("fitting {}", fit.head),
        Stage::Fit(fit) => format!("fitting {} ({})", fit.head, fit.purpose),
        Stage::Study(study) => format!("study {}", study.name),
    }
}

/// The last lines of the log.
fn messages(state: &State, area: Rect, canvas: &mut Canvas<'_>) {
    let n_skipped = state.log.len().saturating_sub(usize::from(area.height));
    let log_line = state.log.iter().skip(n_skipped);
    let lines: Vec<(&str, bool)> =
        log_line.flat_map(|log_line| log_line.text.lines().map(|line| (line, log_line.always))).collect();
    let last = &lines[lines.len().saturating_sub(usize::from(area.height))..];
    let style = |bad| canvas.theme.style(if bad { Role::Bad } else { Role::Other });
    let lines: Vec<(String, Style)> =
        last.iter().map(|(line, bad)| ((*line).to_owned(), style(*bad))).collect();
    canvas.put_lines(area, lines);
}

fn keys(state: &State) -> String {
    if let Some(trial) = state.asking {
        return format!("prune trial {trial}? y: yes, any other key: no");
    }
    if state.stopping {
        return "stopping: the current step ends first; Ctrl-C again quits at once".to_owned();
    }
    match state.stage {
        Stage::Study(_) => "s stop  p prune trial  Tab next trial  q leave view  ? help",
        _ => "s stop  q leave view  ? help",
    }
    .to_owned()
}

fn footer_style(state: &State, theme: Theme) -> Style {
    if state.asking.is_some() || state.stopping {
        return theme.style(Role::Bad).add_modifier(Modifier::BOLD);
    }
    Style::new().add_modifier(Modifier::REVERSED)
}

fn help(area: Rect, canvas: &mut Canvas<'_>) {
    let longest = HELP.iter().map(|line| line.len()).max().unwrap_or(0) as u16;
    let (width, height) = ((longest + 4).min(area.width), (HELP.len() as u16 + 2).min(area.height));
    let middle =
        Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    Clear.render(middle, canvas.buffer);
    let mut inside = canvas.frame(middle, " keys ");
    (inside.x, inside.width) = (inside.x + 1, inside.width.saturating_sub(2));
    canvas.put_lines(inside, HELP.map(|line| (line.to_owned(), Style::new())));
}

/// `0:05`, `12:34`, `3:00:00`
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A bar of `width` columns, filled to a share.
fn bar(share: f64, width: usize, unicode: bool) -> String {
    let (full, empty) = if unicode { ('█', '░') } else { ('#', '.') };
    let n = (share.clamp(0.0, 1.0) * width as f64).round() as usize;
    (0..width).map(|i| if i < n { full } else { empty }).collect()
}

/// The finished and the total number of steps in one line, with a bar if the total is known.
fn progress_line(what: &str, done: usize, total: usize, left: &str, width: u16, theme: Theme) -> String {
    if total == 0 {
        return format!("{what} {done}");
    }
    let share = done as f64 / total as f64;
    let text = format!("{what} {done}/{total} ");
    let after = format!(" {:3.0} %  {left}", 100.0 * share);
    let room = usize::from(width).saturating_sub(text.len() + after.len());
    if room < 6 {
        return format!("{text}{}", after.trim_start());
    }
    format!("{text}{}{after}", bar(share, room.min(40), theme.unicode))
}
