//! A chart: curves in a frame, with numbers at the ends of its axes.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Canvas, split_columns, split_rows};
use crate::view::live::curve::{self, Curve, Extent, StyledCurve};
use crate::view::live::theme::{Role, Theme};

/// A curve with its label.
pub(super) struct ChartLine<'c> {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) curve: &'c Curve,
    pub(super) in_front: bool,
    /// Whether its points are joined by lines.
    pub(super) is_joined: bool,
}

/// The horizontal axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct XAxis {
    /// The name of a step.
    pub(super) unit: &'static str,
    /// The text of a chart without points.
    pub(super) empty: &'static str,
}

impl XAxis {
    pub(super) const EPOCHS: XAxis = XAxis { unit: "epoch", empty: "no epoch yet" };
}

/// Draws `lines` by the steps of `x`, with a legend.
pub(super) fn draw(title: &str, lines: &[ChartLine<'_>], x: XAxis, area: Rect, canvas: &mut Canvas<'_>) {
    // The width of the y axis with its numbers.
    const MARGIN: u16 = 8;
    let inside = canvas.frame(area, title);
    let Some(extent) = Extent::of(lines.iter().map(|line| line.curve)) else {
        return canvas.put(inside, x.empty, Style::new());
    };
    if inside.width < MARGIN + 4 || inside.height < 2 {
        return;
    }
    let (plot, x_axis) = split_rows(inside, inside.height - 1);
    let (y_axis, plot) = split_columns(plot, MARGIN);
    let vertical = canvas.theme.border().vertical_left;
    for row in super::rows(y_axis) {
        canvas.put(split_columns(row, MARGIN - 1).1, vertical, Style::new());
    }
    canvas.put(y_axis, &number(extent.y.1), Style::new());
    if plot.height > 1 {
        canvas.put(split_rows(y_axis, plot.height - 1).1, &number(extent.y.0), Style::new());
    }
    let (_, x_axis) = split_columns(x_axis, MARGIN);
    x_numbers(extent, lines, x, x_axis, canvas);
    let theme = canvas.theme;
    let drawn: Vec<StyledCurve<'_>> = lines
        .iter()
        .map(|line| StyledCurve {
            curve: line.curve,
            style: theme.style(line.role),
            mark: Theme::mark(line.role),
            is_joined: line.is_joined,
        })
        .collect();
    curve::draw(canvas.buffer, plot, extent, &drawn, theme.dots());
}

/// The first and the last step, and the legend between them.
fn x_numbers(extent: Extent, lines: &[ChartLine<'_>], x: XAxis, area: Rect, canvas: &mut Canvas<'_>) {
    let (first, last) = (format!("{:.0}", extent.x.0), format!("{} {:.0}", x.unit, extent.x.1));
    canvas.put(area, &first, Style::new());
    let Some(at) = area.width.checked_sub(last.len() as u16).filter(|at| usize::from(*at) > first.len())
    else {
        return;
    };
    let (before, end) = split_columns(area, at);
    canvas.put(end, &last, Style::new());
    let mut room = split_columns(before, first.len() as u16 + 2).1;
    for line in lines.iter().rev().filter(|line| line.in_front) {
        let theme = canvas.theme;
        let name = match theme.dots() {
            true => line.name.clone(),
            false => format!("{} {}", Theme::mark(line.role), line.name),
        };
        if name.chars().count() + 1 > usize::from(room.width) {
            return;
        }
        canvas.put(room, &name, theme.style(line.role));
        room = split_columns(room, name.chars().count() as u16 + 2).1;
    }
}

/// A number in seven columns.
fn number(value: f64) -> String {
    let text = if value.abs() < 100.0 { format!("{value:7.4}") } else { format!("{value:7.1}") };
    if text.len() > 7 { format!("{value:7.0e}") } else { text }
}
