//! Draws a search over heads: the progress of the current fit, the score as it grew, and the candidates.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::chart::{self, ChartLine, XAxis};
use super::{Canvas, fit, split_columns, split_rows};
use crate::view::lines::counted;
use crate::view::live::auto::{Candidate, Search};
use crate::view::live::fit::Fit;
use crate::view::live::theme::Role;

/// The width of the list of candidates with its frame.
const LIST: u16 = 44;

/// Draws a search and its current fit.
pub(super) fn draw(search: &Search, current: &Fit, now: Duration, area: Rect, canvas: &mut Canvas<'_>) {
    let (head, body) = split_rows(area, 3);
    let progress = fit::progress(current, now, area.width, canvas.theme);
    let best = canvas.theme.style(Role::Best).add_modifier(Modifier::BOLD);
    canvas.put_lines(head, [(progress, Style::new()), (best_line(search), best)]);
    if body.height < 4 {
        return;
    }
    let (left, right) = match area.width {
        0..80 => split_rows(body, if body.height < 12 { 0 } else { body.height / 2 }),
        width => split_columns(body, width - LIST),
    };
    if !left.is_empty() {
        growth(search, left, canvas);
    }
    let inside = canvas.frame(right, &format!(" head, {}, log loss, s, at s ", search.metric));
    candidates(search, inside, canvas);
}

fn best_line(search: &Search) -> String {
    match search.best() {
        None => "best: no candidate yet".to_owned(),
        Some(Candidate { head, score, log_loss, .. }) => format!(
            "best {} {score:.4}, log loss {log_loss:.4} ({head}) of {}",
            search.metric,
            counted(search.candidates.len(), "candidate")
        ),
    }
}

/// The score against time.
fn growth(search: &Search, area: Rect, canvas: &mut Canvas<'_>) {
    let line = |name: &str, role, curve, is_joined| ChartLine {
        name: name.to_owned(),
        role,
        curve,
        in_front: true,
        is_joined,
    };
    let lines = [
        line("candidates", Role::Val, &search.scores, false),
        line("best so far", Role::Best, &search.best_so_far, true),
    ];
    let x = XAxis { unit: "second", empty: "no candidate yet" };
    chart::draw(&format!(" {} against time ", search.metric), &lines, x, area, canvas);
}

/// The candidates, the last one first; the best is marked.
fn candidates(search: &Search, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let widest = search.candidates.iter().map(|candidate| candidate.head.chars().count()).max().unwrap_or(0);
    let line = |(i, candidate): (usize, &Candidate)| {
        let Candidate { head, score, log_loss, seconds, at_seconds } = candidate;
        let is_best = i == search.best;
        let (mark, role) = if is_best { ('*', theme.style(Role::Best)) } else { (' ', Style::new()) };
        let text =
            format!("{mark} {head:<widest$}  {score:.4}  {log_loss:.4}  {seconds:>6.1}  {at_seconds:>6.1}");
        (text, role)
    };
    let lines: Vec<(String, Style)> = search.candidates.iter().enumerate().rev().map(line).collect();
    canvas.put_lines(area, lines);
}
