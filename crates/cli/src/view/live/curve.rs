//! A growing curve in bounded memory, and drawing several of them into cells.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// The maximum number of stored points: more than any terminal has columns of dots.
const N_KEPT: usize = 2_048;

/// Values by step. A long curve is thinned evenly; its last value is always kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    points: Vec<(f64, f64)>,
    stride: u64,
    n_seen: u64,
    last: Option<(f64, f64)>,
}

impl Default for Curve {
    fn default() -> Curve {
        Curve { points: Vec::new(), stride: 1, n_seen: 0, last: None }
    }
}

impl Curve {
    /// Adds the value of a step. NaN and infinities are ignored.
    pub(super) fn push(&mut self, step: f64, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.n_seen.is_multiple_of(self.stride) {
            self.points.push((step, value));
        }
        self.n_seen += 1;
        self.last = Some((step, value));
        if self.points.len() > N_KEPT {
            let mut i = 0;
            self.points.retain(|_| {
                i += 1;
                i % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// The points, in the order of their steps.
    pub(super) fn points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let last = self.last.filter(|last| self.points.last() != Some(last));
        self.points.iter().copied().chain(last)
    }

    /// The last value.
    pub(super) fn last(&self) -> Option<f64> {
        self.last.map(|(_, value)| value)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}

/// A curve with its style.
pub(super) struct StyledCurve<'c> {
    pub(super) curve: &'c Curve,
    pub(super) style: Style,
    /// The character that draws it without dots.
    pub(super) mark: char,
    /// Whether its points are joined by lines.
    pub(super) is_joined: bool,
}

/// The extent of both axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
}

impl Extent {
    /// The extent of all points; `None` without points.
    pub(super) fn of<'c>(curves: impl Iterator<Item = &'c Curve>) -> Option<Extent> {
        let mut extent: Option<Extent> = None;
        for (x, y) in curves.flat_map(Curve::points) {
            let e = extent.get_or_insert(Extent { x: (x, x), y: (y, y) });
            e.x = (e.x.0.min(x), e.x.1.max(x));
            e.y = (e.y.0.min(y), e.y.1.max(y));
        }
        extent
    }

    /// The position of a point, as shares of width and height from the upper left.
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let share = |v: f64, (low, high): (f64, f64)| if high > low { (v - low) / (high - low) } else { 0.5 };
        let x = if self.x.1 > self.x.0 { share(x, self.x) } else { 0.0 };
        (x, 1.0 - share(y, self.y))
    }
}

/// Draws the curves into `area`; later ones are drawn over earlier ones. With `dots` a cell has two by four dots
/// (Braille), without it is one mark.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, extent: Extent, curves: &[StyledCurve<'_>], dots: bool) {
    if area.is_empty() {
        return;
    }
    let (fine_x, fine_y) = if dots { (2, 4) } else { (1, 1) };
    let (width, height) = (usize::from(area.width) * fine_x, usize::from(area.height) * fine_y);
    let at = |share: f64, n: usize| ((share * (n - 1) as f64).round().max(0.0) as usize).min(n - 1);
    for drawn in curves {
        let mut before: Option<(usize, usize)> = None;
        for point in drawn.curve.points() {
            let (x, y) = extent.place(point);
            let here = (at(x, width), at(y, height));
            line(before.filter(|_| drawn.is_joined).unwrap_or(here), here, |x, y| {
                let cell = (area.x + (x / fine_x) as u16, area.y + (y / fine_y) as u16);
                let Some(cell) = buffer.cell_mut(cell) else { return };
                let symbol = if dots { with_dot(cell.symbol(), x % 2, y % 4) } else { drawn.mark };
                cell.set_char(symbol).set_style(drawn.style);
            });
            before = Some(here);
        }
    }
}

/// A Braille character with one more dot.
fn with_dot(symbol: &str, x: usize, y: usize) -> char {
    const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    const EMPTY: u32 = 0x2800;
    let there = symbol.chars().next().map_or(EMPTY, u32::from);
    let there = if (EMPTY..=EMPTY + 0xFF).contains(&there) { there } else { EMPTY };
    char::from_u32(there | DOTS[x][y]).unwrap_or(' ')
}

/// Bresenham's line.
fn line((x0, y0): (usize, usize), (x1, y1): (usize, usize), mut set: impl FnMut(usize, usize)) {
    let (mut x, mut y) = (x0 as i64, y0 as i64);
    let (x1, y1) = (x1 as i64, y1 as i64);
    let (dx, dy) = ((x1 - x).abs(), -(y1 - y).abs());
    let (step_x, step_y) = ((x1 - x).signum(), (y1 - y).signum());
    let mut error = dx + dy;
    loop {
        set(x as usize, y as usize);
        if (x, y) == (x1, y1) {
            return;
        }
        let twice = 2 * error;
        if twice >= dy {
            error += dy;
            x += step_x;
        }
        if twice <= dx {
            error += dx;
            y += step_y;
        }
    }
}

/// A curve as one line of blocks, scaled from its lowest to its highest value; the last `width` points if there are
/// more.
pub(super) fn sparkline(curve: &Curve, width: usize, unicode: bool) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const MARKS: [char; 4] = ['_', '.', '-', '\''];
    let levels: &[char] = if unicode { &BLOCKS } else { &MARKS };
    let values: Vec<f64> = curve.points().map(|(_, value)| value).collect();
    let shown = &values[values.len().saturating_sub(width)..];
    let low = shown.iter().copied().fold(f64::INFINITY, f64::min);
    let high = shown.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let level = |value: &f64| {
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        levels[(share * (levels.len() - 1) as f64).round() as usize]
    };
    shown.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[f64]) -> Curve {
        let mut curve = Curve::default();
        values.iter().enumerate().for_each(|(i, &value)| curve.push(i as f64, value));
        curve
    }

    #[test]
    fn a_long_curve_keeps_its_shape_and_its_last_value() {
        let curve = curve(&(0..100_001).map(f64::from).collect::<Vec<_>>());
        let points: Vec<_> = curve.points().collect();
        assert!(points.len() <= N_KEPT + 1 && points.len() > N_KEPT / 2, "{}", points.len());
        assert_eq!(points.first(), Some(&(0.0, 0.0)));
        assert_eq!(points.last(), Some(&(100_000.0, 100_000.0)));
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].0 == pair[0].1));
    }

    #[test]
    fn values_that_are_not_finite_are_ignored() {
        let curve = curve(&[1.0, f64::NAN, 3.0, f64::INFINITY]);
        assert_eq!(curve.points().collect::<Vec<_>>(), [(0.0, 1.0), (2.0, 3.0)]);
        assert_eq!(curve.last(), Some(3.0));
    }

    #[test]
    fn a_rising_curve_is_drawn_from_the_lower_left_to_the_upper_right() {
        let curve = curve(&[0.0, 1.0, 2.0, 3.0]);
        let extent = Extent::of([&curve].into_iter()).unwrap();
        let drawn = |dots| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 4));
            let of = [StyledCurve { curve: &curve, style: Style::new(), mark: '*', is_joined: true }];
            draw(&mut buffer, Rect::new(0, 0, 4, 4), extent, &of, dots);
            buffer
        };
        assert_eq!(drawn(false), Buffer::with_lines(["   *", "  * ", " *  ", "*   "]));
        let dots = drawn(true);
        assert_eq!(dots.cell((0, 3)).unwrap().symbol(), "⡜");
        assert_eq!(dots.cell((0, 0)).unwrap().symbol(), " ");
    }

    #[test]
    fn sparklines_go_from_lowest_to_highest() {
        assert_eq!(sparkline(&curve(&[0.0, 0.5, 1.0]), 8, true), "▁▅█");
        assert_eq!(sparkline(&curve(&[5.0, 0.0, 1.0, 2.0, 3.0]), 4, false), "_.-'");
        assert_eq!(sparkline(&curve(&[1.0, 1.0]), 8, false), "__");
        assert_eq!(sparkline(&Curve::default(), 8, true), "");
    }
}
