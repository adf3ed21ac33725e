//! Pixels, and drawing on them: rectangles, lines, text.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use png::{ColorType, Encoder, EncodingError, Filter};

/// Red, green, blue.
pub type Color = [u8; 3];

/// Pixels from the upper left corner to the lower right one. Drawing beyond an edge has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    rgb: Vec<u8>,
}

/// The part of a text that is at the given position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

pub(super) const WHITE: Color = [255, 255, 255];
pub(super) const INK: Color = [38, 38, 43];
pub(super) const FAINT: Color = [205, 205, 210];

const HEIGHT: RasterHeight = RasterHeight::Size16;
const WEIGHT: FontWeight = FontWeight::Regular;
/// The height of a line of text.
pub(super) const TEXT_HEIGHT: i64 = HEIGHT.val() as i64;
/// The width of a character.
pub(super) const TEXT_WIDTH: i64 = get_raster_width(WEIGHT, HEIGHT) as i64;

impl Canvas {
    /// A white canvas.
    pub fn new(width: usize, height: usize) -> Canvas {
        Canvas { width, rgb: vec![255; 3 * width * height] }
    }

    /// Its width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Its height in pixels.
    pub fn height(&self) -> usize {
        self.rgb.len() / (3 * self.width).max(1)
    }

    /// The pixel at `x`, `y`; `None` beyond the edges.
    pub fn pixel(&self, x: i64, y: i64) -> Option<Color> {
        self.index(x, y).map(|i| [self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]])
    }

    /// The picture as a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        // Writing to memory cannot fail; without a pixel there is no PNG.
        match self.encode(&mut file) {
            Ok(()) => file,
            Err(_) => Vec::new(),
        }
    }

    fn encode(&self, file: &mut Vec<u8>) -> Result<(), EncodingError> {
        let mut encoder = Encoder::new(file, self.width() as u32, self.height() as u32);
        encoder.set_color(ColorType::Rgb);
        // The pictures are flat: unfiltered lines compress best.
        encoder.set_filter(Filter::NoFilter);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.rgb)?;
        writer.finish()
    }

    /// Fills the rectangle whose upper left corner is at `x`, `y`.
    pub(super) fn fill(&mut self, [x, y]: [i64; 2], [width, height]: [i64; 2], color: Color) {
        for y in y..y + height {
            for x in x..x + width {
                self.blend(x, y, color, 255);
            }
        }
    }

    /// Draws a rectangle's edges, one pixel wide, inside it.
    pub(super) fn frame(&mut self, [x, y]: [i64; 2], [width, height]: [i64; 2], color: Color) {
        self.fill([x, y], [width, 1], color);
        self.fill([x, y + height - 1], [width, 1], color);
        self.fill([x, y], [1, height], color);
        self.fill([x + width - 1, y], [1, height], color);
    }

    /// Draws a line between two points, `thickness` pixels wide.
    pub(super) fn line(&mut self, from: [f64; 2], to: [f64; 2], thickness: i64, color: Color) {
        let steps = (to[0] - from[0]).abs().max((to[1] - from[1]).abs()).ceil().max(1.0);
        for step in 0..=steps as i64 {
            let at = |k: usize| (from[k] + (to[k] - from[k]) * step as f64 / steps).round() as i64;
            self.fill([at(0) - thickness / 2, at(1) - thickness / 2], [thickness; 2], color);
        }
    }

    /// Draws `text` with the middle of its line at `y`, and returns its right end. A character that the font does not
    /// have becomes a question mark.
    pub(super) fn text(&mut self, [x, y]: [i64; 2], anchor: Anchor, text: &str, color: Color) -> i64 {
        let width = TEXT_WIDTH * text.chars().count() as i64;
        let left = match anchor {
            Anchor::Left => x,
            Anchor::Middle => x - width / 2,
            Anchor::Right => x - width,
        };
        for (i, c) in text.chars().enumerate() {
            self.character([left + TEXT_WIDTH * i as i64, y - TEXT_HEIGHT / 2], c, color);
        }
        left + width
    }

    fn character(&mut self, [x, y]: [i64; 2], c: char, color: Color) {
        let raster = get_raster(c, WEIGHT, HEIGHT).or_else(|| get_raster('?', WEIGHT, HEIGHT));
        let lines = raster.iter().flat_map(|raster| raster.rows()).enumerate();
        for (dy, line) in lines {
            for (dx, &weight) in line.iter().enumerate() {
                self.blend(x + dx as i64, y + dy as i64, color, weight);
            }
        }
    }

    /// Blends `color` into a pixel; a weight of 255 replaces it.
    fn blend(&mut self, x: i64, y: i64, color: Color, weight: u8) {
        let Some(i) = self.index(x, y) else { return };
        for (old, new) in self.rgb[i..i + 3].iter_mut().zip(color) {
            *old = mix(*old, new, weight);
        }
    }

    fn index(&self, x: i64, y: i64) -> Option<usize> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        (x < self.width && y < self.height()).then_some(3 * (y * self.width + x))
    }
}

/// `from` at a weight of 0, `to` at 255.
pub(super) fn mix(from: u8, to: u8, weight: u8) -> u8 {
    let (from, to, weight) = (u32::from(from), u32::from(to), u32::from(weight));
    ((from * (255 - weight) + to * weight + 127) / 255) as u8
}

/// Shortens `text` to `width` characters; a shortened text ends with two dots.
pub(super) fn cut(text: &str, width: usize) -> String {
    match text.chars().count() <= width {
        true => text.to_owned(),
        false => text.chars().take(width.saturating_sub(2)).chain("..".chars()).take(width).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_beyond_the_edges_has_no_effect() {
        let mut canvas = Canvas::new(8, 6);
        canvas.fill([-3, -3], [5, 5], INK);
        canvas.fill([7, 5], [50, 50], INK);
        canvas.line([-9.0, 4.0], [90.0, 4.0], 1, INK);
        canvas.text([4, 3], Anchor::Middle, "much too long", INK);
        let at = [canvas.pixel(1, 1), canvas.pixel(7, 5), canvas.pixel(0, 4), canvas.pixel(8, 0)];
        assert_eq!(at, [Some(INK), Some(INK), Some(INK), None]);
    }

    #[test]
    fn a_png_has_the_pixels() {
        let mut canvas = Canvas::new(300, 20);
        canvas.text([4, 10], Anchor::Left, "any text", INK);
        let mut reader = png::Decoder::new(std::io::Cursor::new(canvas.to_png())).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (300, 20, ColorType::Rgb));
        assert!(rgb == canvas.rgb);
        assert!(Canvas::new(0, 0).to_png().is_empty());
    }

    #[test]
    fn text_is_drawn_at_its_anchor() {
        let inked = |anchor| {
            let mut canvas = Canvas::new(60, 20);
            canvas.text([30, 10], anchor, "HH", INK);
            let dark: Vec<i64> =
                (0..60).filter(|&x| (0..20).any(|y| canvas.pixel(x, y).unwrap()[0] < 128)).collect();
            (dark[0], dark[dark.len() - 1])
        };
        let (left, right) = inked(Anchor::Left);
        assert!(left >= 30 && right < 30 + 2 * TEXT_WIDTH, "{left} {right}");
        assert_eq!(inked(Anchor::Middle), (left - TEXT_WIDTH, right - TEXT_WIDTH));
        assert_eq!(inked(Anchor::Right), (left - 2 * TEXT_WIDTH, right - 2 * TEXT_WIDTH));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!([cut("happy", 5), cut("happiness", 5), cut("happy", 1)], ["happy", "hap..", "."]);
    }
}
