//! Draws a fit: its progress, and its losses and scores as curves.

use std::time::Duration;

use headsmith::heads::EpochScores;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::chart::{self, ChartLine, XAxis};
use super::{Canvas, progress_line, split_columns, split_rows};
use crate::view::lines::time_left;
use crate::view::live::curve::Curve;
use crate::view::live::fit::Fit;
use crate::view::live::theme::{Role, Theme};

/// Draws a fit.
pub(super) fn draw(fit: &Fit, now: Duration, area: Rect, canvas: &mut Canvas<'_>) {
    let (head, body) = split_rows(area, 3);
    let mut lines = vec![progress(fit, now, area.width, canvas.theme)];
    lines.extend(scores(fit));
    canvas.put_lines(head, lines.into_iter().map(|line| (line, Style::new())));
    if fit.last.is_none() || body.height < 4 {
        return;
    }
    let (loss, score) = if area.width >= 70 {
        split_columns(body, body.width / 2)
    } else {
        split_rows(body, if body.height < 8 { 0 } else { body.height / 2 })
    };
    let metric = format!(" {} ", fit.shown());
    for (title, curves, area) in [(" loss ", &fit.losses, loss), (&metric, &fit.scores, score)] {
        if !area.is_empty() {
            chart::draw(title, &sides(curves), XAxis::EPOCHS, area, canvas);
        }
    }
}

/// The finished steps of a fit in one line.
pub(super) fn progress(fit: &Fit, now: Duration, width: u16, theme: Theme) -> String {
    let left = time_left(now.saturating_sub(fit.started), fit.done, fit.total);
    let what = if fit.unit.is_empty() { String::new() } else { format!("{}s", fit.unit) };
    progress_line(&what, fit.done, fit.total, &left, width, theme)
}

fn scores(fit: &Fit) -> Vec<String> {
    let Some(last) = &fit.last else { return Vec::new() };
    let of = |side: &str, scores: &EpochScores| {
        format!("{side} loss {:.4}, {} {:.4}", scores.loss, fit.shown(), scores.get(fit.shown()))
    };
    let train = of("train", &last.train);
    let rate = format!("learning rate {:.3e}", last.learning_rate);
    let Some(val) = &last.val else { return vec![format!("{train}, {rate}")] };
    let best =
        fit.best.map_or(String::new(), |(epoch, best)| format!(", best {best:.4} at epoch {}", epoch + 1));
    vec![of("val  ", val) + &best, format!("{train}, {rate}")]
}

fn sides([train, val]: &[Curve; 2]) -> Vec<ChartLine<'_>> {
    let line = |name: &str, role, curve| ChartLine {
        name: name.to_owned(),
        role,
        curve,
        in_front: true,
        is_joined: true,
    };
    let sides = [line("train", Role::Train, train), line("val", Role::Val, val)];
    sides.into_iter().filter(|side| !side.curve.is_empty()).collect()
}
