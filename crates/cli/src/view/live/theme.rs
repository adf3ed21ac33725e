//! The capabilities of a terminal, and styles that fit them.

use std::io::IsTerminal;

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

/// The capabilities that drawing may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Theme {
    pub(super) colour: bool,
    pub(super) unicode: bool,
}

/// Whether text may contain non-ASCII characters.
pub(crate) fn has_unicode() -> bool {
    Theme::of_environment().unicode
}

/// The meaning of a line or curve. The colours also differ in brightness, for people with colour blindness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Train,
    Val,
    Best,
    Other,
    Bad,
}

impl Theme {
    /// The capabilities according to the environment.
    pub(super) fn of_environment() -> Theme {
        Theme::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Theme {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        // As in the C library, the first one that is set counts.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        Theme {
            colour: set("NO_COLOR").is_none() && !term.starts_with("vt") && !term.ends_with("-m"),
            // The Linux console knows the encoding but lacks the characters.
            unicode: (utf8 || cfg!(windows)) && term != "linux",
        }
    }

    pub(super) fn style(self, role: Role) -> Style {
        let style = Style::new();
        if !self.colour {
            return match role {
                Role::Bad => style.add_modifier(Modifier::BOLD),
                _ => style,
            };
        }
        match role {
            Role::Train => style.fg(Color::Blue),
            Role::Val => style.fg(Color::Yellow),
            Role::Best => style.fg(Color::Cyan),
            Role::Other => style.fg(Color::DarkGray),
            Role::Bad => style.fg(Color::LightRed),
        }
    }

    /// The character that draws a curve without dots.
    pub(super) fn mark(role: Role) -> char {
        match role {
            Role::Train => '.',
            Role::Val => '*',
            Role::Best => 'o',
            Role::Other => '-',
            Role::Bad => 'x',
        }
    }

    /// Whether curves are drawn in dots: without colours they would all look the same.
    pub(super) fn dots(self) -> bool {
        self.unicode && self.colour
    }

    pub(super) fn border(self) -> border::Set<'static> {
        const ASCII: border::Set<'static> = border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        };
        if self.unicode { border::PLAIN } else { ASCII }
    }

    /// Text, restricted to the available characters.
    pub(super) fn text(self, text: &str) -> String {
        let known = |c: char| if self.unicode || c.is_ascii() { c } else { '?' };
        text.chars().map(known).collect()
    }
}

/// The reason why a full view is impossible, if it is.
pub(super) fn obstacle() -> Option<&'static str> {
    if !std::io::stderr().is_terminal() {
        return Some("standard error is not a terminal");
    }
    if !knows_how_to_move(std::env::var("TERM").ok().as_deref()) {
        return Some("the terminal (TERM) cannot move its cursor");
    }
    let size = ratatui::crossterm::terminal::size();
    if size.is_ok_and(|(width, height)| width == 0 || height == 0) {
        return Some("the terminal has no size");
    }
    is_in_background().then_some("the command runs in the background")
}

fn knows_how_to_move(term: Option<&str>) -> bool {
    cfg!(windows) || !matches!(term, None | Some("" | "dumb" | "unknown"))
}

/// A background process is stopped when it accesses the terminal.
#[cfg(unix)]
fn is_in_background() -> bool {
    rustix::termios::tcgetpgrp(std::io::stderr()).is_ok_and(|group| group != rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_in_background() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theme(variables: &[(&str, &str)]) -> (bool, bool) {
        let variable =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let Theme { colour, unicode } = Theme::of(variable);
        (colour, unicode)
    }

    #[test]
    fn the_environment_determines_the_theme() {
        assert_eq!(theme(&[("TERM", "xterm-256color"), ("LANG", "de_DE.UTF-8")]), (true, true));
        assert_eq!(theme(&[("TERM", "xterm"), ("LANG", "C.utf8"), ("NO_COLOR", "1")]), (false, true));
        assert_eq!(theme(&[("TERM", "xterm"), ("LANG", "C.utf8"), ("NO_COLOR", "")]), (true, true));
        assert_eq!(theme(&[("TERM", "xterm"), ("LANG", "C")]), (true, false));
        assert_eq!(theme(&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]), (true, false));
        assert_eq!(theme(&[("TERM", "linux"), ("LANG", "de_DE.UTF-8")]), (true, false));
        assert_eq!(theme(&[("TERM", "vt100")]), (false, false));
    }

    #[test]
    fn dumb_terminals_get_lines() {
        assert!(knows_how_to_move(Some("xterm")));
        assert!(!knows_how_to_move(Some("dumb")) && !knows_how_to_move(Some("")) && !knows_how_to_move(None));
    }
}
