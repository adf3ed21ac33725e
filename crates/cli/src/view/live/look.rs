//! What a terminal can show, and how things look there.

use std::io::IsTerminal;

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

/// What may be used to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) colour: bool,
    pub(super) unicode: bool,
}

/// Whether text may have other characters than those of ASCII.
pub(crate) fn has_unicode() -> bool {
    Look::of_environment().unicode
}

/// What a line or curve stands for. The colours differ in brightness too, for those who see few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Train,
    Val,
    Best,
    Other,
    Bad,
}

impl Look {
    /// What the environment says of the terminal.
    pub(super) fn of_environment() -> Look {
        Look::of(|name| std::env::var(name).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Look {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        // As the C library has it: the first that is set counts.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        Look {
            colour: set("NO_COLOR").is_none() && !term.starts_with("vt") && !term.ends_with("-m"),
            // The console of Linux knows the encoding but has no such characters.
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

    /// The character that draws a curve where dots cannot tell curves apart.
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

    /// Text in the characters that there are.
    pub(super) fn text(self, text: &str) -> String {
        let known = |c: char| if self.unicode || c.is_ascii() { c } else { '?' };
        text.chars().map(known).collect()
    }
}

/// Why there can be no full view here, if there cannot.
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

/// Who is in the background is stopped when it touches the terminal.
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

    fn look(variables: &[(&str, &str)]) -> (bool, bool) {
        let variable =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let Look { colour, unicode } = Look::of(variable);
        (colour, unicode)
    }

    #[test]
    fn the_environment_says_what_may_be_used() {
        assert_eq!(look(&[("TERM", "xterm-256color"), ("LANG", "de_DE.UTF-8")]), (true, true));
        assert_eq!(look(&[("TERM", "xterm"), ("LANG", "C.utf8"), ("NO_COLOR", "1")]), (false, true));
        assert_eq!(look(&[("TERM", "xterm"), ("LANG", "C.utf8"), ("NO_COLOR", "")]), (true, true));
        assert_eq!(look(&[("TERM", "xterm"), ("LANG", "C")]), (true, false));
        assert_eq!(look(&[("TERM", "xterm"), ("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]), (true, false));
        assert_eq!(look(&[("TERM", "linux"), ("LANG", "de_DE.UTF-8")]), (true, false));
        assert_eq!(look(&[("TERM", "vt100")]), (false, false));
    }

    #[test]
    fn dumb_terminals_get_lines() {
        assert!(knows_how_to_move(Some("xterm")));
        assert!(!knows_how_to_move(Some("dumb")) && !knows_how_to_move(Some("")) && !knows_how_to_move(None));
    }
}
