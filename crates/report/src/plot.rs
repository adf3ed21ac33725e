//! Drawings in SVG: one frame, one style. Colours come from the style sheet by class, so that they suit light, dark and paper.

use std::fmt::Write;

use crate::axis::Axis;
use crate::text::escape;

/// The classes of series, in the order in which they are taken: colours of Okabe and Ito that people of all kinds of
/// colour vision tell apart, and where they run out the same colours dashed.
pub(crate) fn series(i: usize) -> String {
    let dash = if i >= 7 { " dashed" } else { "" };
    format!("c{}{dash}", i % 7)
}

/// The room around a drawing.
const TOP: f64 = 10.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 42.0;
/// About the width of a character of an axis.
const CHARACTER: f64 = 6.3;

/// A drawing in a frame with two axes.
pub(crate) struct Plot {
    width: f64,
    height: f64,
    left: f64,
    x: Axis,
    y: Axis,
    body: String,
}

impl Plot {
    /// A drawing of the size of most: half a page wide.
    pub(crate) fn new(x: Axis, y: Axis) -> Plot {
        Plot::sized(440.0, 290.0, x, y)
    }

    pub(crate) fn sized(width: f64, height: f64, x: Axis, y: Axis) -> Plot {
        let longest = y.ticks.iter().map(|(_, name)| name.chars().count()).max().unwrap_or(0);
        let left = longest as f64 * CHARACTER + if y.name.is_empty() { 14.0 } else { 30.0 };
        Plot { width, height, left, x, y, body: String::new() }
    }

    /// The place of a point.
    pub(crate) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (width, height) = (self.width - self.left - RIGHT, self.height - TOP - BOTTOM);
        (self.left + width * self.x.place(x), TOP + height * (1.0 - self.y.place(y)))
    }

    pub(crate) fn line(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let mut path = String::new();
        for (x, y) in points {
            let (x, y) = self.at(x, y);
            let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
        }
        let _ = write!(self.body, "<path class=\"line {class}\" d=\"{path}\"/>");
    }

    /// A line that keeps its value until the next point.
    pub(crate) fn steps(&mut self, class: &str, points: &[(f64, f64)]) {
        let corner = |pair: &[(f64, f64)]| [(pair[1].0, pair[0].1), pair[1]];
        let all = points.first().copied().into_iter().chain(points.windows(2).flat_map(corner));
        self.line(class, all.collect::<Vec<_>>());
    }

    /// A dot, with a tooltip.
    pub(crate) fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, said: &str) {
        let (x, y) = self.at(x, y);
        let _ = write!(
            self.body,
            "<circle class=\"dot {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\">{}</circle>",
            title(said)
        );
    }

    /// A rectangle between two corners, with a tooltip.
    pub(crate) fn bar(&mut self, class: &str, a: (f64, f64), b: (f64, f64), said: &str) {
        let ((ax, ay), (bx, by)) = (self.at(a.0, a.1), self.at(b.0, b.1));
        let (width, height) = ((ax - bx).abs().max(0.5), (ay - by).abs().max(0.5));
        let _ = write!(
            self.body,
            "<rect class=\"bar {class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">{}</rect>",
            ax.min(bx),
            ay.min(by),
            title(said)
        );
    }

    /// A dot with a whisker from `low` to `high`, both on the horizontal axis.
    pub(crate) fn whisker(&mut self, class: &str, y: f64, value: f64, ends: Option<(f64, f64)>, said: &str) {
        if let Some((low, high)) = ends {
            self.line(&format!("{class} whisker"), [(low, y), (high, y)]);
            for end in [low, high] {
                let (x, y) = self.at(end, y);
                let _ = write!(self.body, "<path class=\"line {class}\" d=\"M{x:.1} {:.1}v8\"/>", y - 4.0);
            }
        }
        self.dot(class, (value, y), 5.0, said);
    }

    /// Words at a point, `dx` and `dy` away from it.
    pub(crate) fn words(&mut self, class: &str, (x, y): (f64, f64), (dx, dy): (f64, f64), words: &str) {
        let (x, y) = self.at(x, y);
        let _ = write!(
            self.body,
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + dx,
            y + dy,
            escape(words)
        );
    }

    /// A vertical line over the whole height, with its name.
    pub(crate) fn mark(&mut self, x: f64, name: &str) {
        let (at, _) = self.at(x, 0.0);
        let (bottom, is_right) = (self.height - BOTTOM, at > self.width * 0.6);
        let (class, dx) = if is_right { ("end", -5.0) } else { ("", 5.0) };
        let _ = write!(
            self.body,
            "<path class=\"mark\" d=\"M{at:.1} {TOP}V{bottom}\"/><text class=\"{class}\" x=\"{:.1}\" y=\"{}\">{}</text>",
            at + dx,
            TOP + 12.0,
            escape(name)
        );
    }

    /// The whole drawing; `said` is its text for screen readers.
    pub(crate) fn svg(self, said: &str) -> String {
        let (right, bottom) = (self.width - RIGHT, self.height - BOTTOM);
        let mut frame = String::new();
        for (value, name) in &self.y.ticks {
            let y = TOP + (bottom - TOP) * (1.0 - self.y.place(*value));
            let _ = write!(
                frame,
                "<path class=\"rule\" d=\"M{:.1} {y:.1}H{right:.1}\"/><text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                self.left,
                self.left - 6.0,
                y + 4.0,
                escape(name)
            );
        }
        for (value, name) in &self.x.ticks {
            let x = self.left + (right - self.left) * self.x.place(*value);
            let _ = write!(
                frame,
                "<path class=\"rule\" d=\"M{x:.1} {TOP}V{bottom:.1}\"/><text class=\"tick middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                bottom + 16.0,
                escape(name)
            );
        }
        let (middle, centre) = (0.5 * (self.left + right), 0.5 * (TOP + bottom));
        let _ = write!(
            frame,
            "<text class=\"name middle\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>\
             <text class=\"name middle\" transform=\"translate(12 {centre:.1}) rotate(-90)\">{}</text>\
             <path class=\"frame\" d=\"M{:.1} {TOP}V{bottom:.1}H{right:.1}\"/>",
            bottom + 36.0,
            escape(&self.x.name),
            escape(&self.y.name),
            self.left
        );
        svg(self.width, self.height, said, &(frame + &self.body))
    }
}

/// A drawing of this size.
pub(crate) fn svg(width: f64, height: f64, said: &str, body: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" style=\"--w:{width}\" role=\"img\" aria-label=\"{}\">{body}</svg>",
        escape(said)
    )
}

/// The tooltip.
pub(crate) fn title(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("<title>{}</title>", escape(said)) }
}

/// Some of the points: the first, the last, and of the others so many that the drawing stays small.
pub(crate) fn thinned<T: Copy>(points: &[T], most: usize) -> Vec<T> {
    let step = points.len().div_ceil(most.max(2)).max(1);
    let shown = |i: &usize| i.is_multiple_of(step) || i + 1 == points.len();
    (0..points.len()).filter(shown).map(|i| points[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_the_axes_say() {
        let mut plot = Plot::sized(200.0, 152.0, Axis::linear("x", 0.0, 1.0), Axis::linear("", 0.0, 10.0));
        let left = plot.left;
        assert_eq!(plot.at(0.0, 0.0), (left, 110.0));
        assert_eq!(plot.at(1.0, 10.0), (186.0, 10.0));
        plot.line("c0", [(0.0, 5.0), (1.0, 0.0)]);
        assert!(plot.body.contains(&format!("M{left:.1} 60.0L186.0 110.0")), "{}", plot.body);
        let svg = plot.svg("<all>");
        assert!(svg.contains("aria-label=\"&lt;all&gt;\"") && svg.contains(">10</text>"));
    }

    #[test]
    fn ends_stay_when_points_are_thinned() {
        let points: Vec<i32> = (0..1001).collect();
        let some = thinned(&points, 100);
        assert!(some.len() <= 102 && some[0] == 0 && some[some.len() - 1] == 1000);
        assert_eq!(thinned(&points[..5], 100), [0, 1, 2, 3, 4]);
    }
}
