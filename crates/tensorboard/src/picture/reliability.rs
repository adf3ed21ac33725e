//! The reliability diagram: accuracy over confidence. The bins of a well calibrated head are on the diagonal. Below
//! it, the number of samples in each bin.

use super::Canvas;
use super::canvas::{Anchor, Color, FAINT, INK, TEXT_HEIGHT, TEXT_WIDTH};

/// A bin of samples with similar confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// The mean of their largest probabilities.
    pub confidence: f64,
    /// The share of correct predictions.
    pub accuracy: f64,
    /// The number of samples.
    pub n_samples: u64,
}

const CURVE: Color = [8, 69, 148];
const BARS: Color = [158, 188, 218];
/// The side of the diagram, and the height of the bars below it.
const SIDE: i64 = 480;
const BAR_HEIGHT: i64 = 90;
const MARGIN: i64 = 12;
const LEFT: i64 = MARGIN + 5 * TEXT_WIDTH;
const TOP: i64 = MARGIN + 2 * TEXT_HEIGHT;
const BARS_TOP: i64 = TOP + SIDE + 3 * TEXT_HEIGHT;

/// Draws the bins that have samples, with the expected calibration error above them.
pub fn reliability(bins: &[Bin], ece: f64) -> Canvas {
    let height = BARS_TOP + BAR_HEIGHT + TEXT_HEIGHT + MARGIN;
    let mut canvas = Canvas::new((LEFT + SIDE + 2 * MARGIN + 2 * TEXT_WIDTH) as usize, height as usize);
    let title = format!("accuracy over confidence; expected calibration error {ece:.4}");
    canvas.text([MARGIN, MARGIN + TEXT_HEIGHT / 2], Anchor::Left, &title, INK);
    draw_axes(&mut canvas);
    let bins: Vec<&Bin> = bins.iter().filter(|bin| bin.n_samples > 0).collect();
    for pair in bins.windows(2) {
        canvas.line(place(pair[0]), place(pair[1]), 2, CURVE);
    }
    for bin in &bins {
        let [x, y] = place(bin).map(|v| v.round() as i64);
        canvas.fill([x - 4, y - 4], [9, 9], CURVE);
    }
    draw_bars(&mut canvas, &bins);
    canvas
}

/// The position of a bin.
fn place(bin: &Bin) -> [f64; 2] {
    at(bin.confidence, bin.accuracy)
}

fn at(confidence: f64, accuracy: f64) -> [f64; 2] {
    [LEFT as f64 + confidence * SIDE as f64, TOP as f64 + (1.0 - accuracy) * SIDE as f64]
}

fn draw_axes(canvas: &mut Canvas) {
    for tick in 0..=5 {
        let value = f64::from(tick) / 5.0;
        let [x, y] = at(value, value).map(|v| v.round() as i64);
        canvas.fill([x, TOP], [1, SIDE], FAINT);
        canvas.fill([LEFT, y], [SIDE, 1], FAINT);
        canvas.text([LEFT - TEXT_WIDTH, y], Anchor::Right, &format!("{value:.1}"), INK);
        canvas.text([x, TOP + SIDE + TEXT_HEIGHT], Anchor::Middle, &format!("{value:.1}"), INK);
    }
    canvas.line(at(0.0, 0.0), at(1.0, 1.0), 1, INK);
    canvas.frame([LEFT, TOP], [SIDE + 1, SIDE + 1], INK);
}

fn draw_bars(canvas: &mut Canvas, bins: &[&Bin]) {
    let most = bins.iter().map(|bin| bin.n_samples).max().unwrap_or(0);
    for bin in bins {
        let height = (bin.n_samples as f64 / most.max(1) as f64 * BAR_HEIGHT as f64).ceil() as i64;
        let x = place(bin)[0].round() as i64;
        canvas.fill([x - 5, BARS_TOP + BAR_HEIGHT - height], [11, height], BARS);
    }
    canvas.fill([LEFT, BARS_TOP + BAR_HEIGHT], [SIDE + 1, 1], INK);
    let label = format!("samples, at most {most}");
    canvas.text([LEFT, BARS_TOP + BAR_HEIGHT + TEXT_HEIGHT], Anchor::Left, &label, INK);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_drawn_at_their_confidence_and_accuracy() {
        let bins = [
            Bin { confidence: 0.25, accuracy: 0.5, n_samples: 10 },
            Bin { confidence: 0.9, accuracy: 0.1, n_samples: 0 },
            Bin { confidence: 0.75, accuracy: 0.75, n_samples: 40 },
        ];
        let canvas = reliability(&bins, 0.05);
        let pixel = |confidence, accuracy| {
            let [x, y] = at(confidence, accuracy).map(|v| v as i64);
            canvas.pixel(x, y).unwrap()
        };
        assert_eq!([pixel(0.25, 0.5), pixel(0.75, 0.75), pixel(0.5, 0.625)], [CURVE; 3]);
        assert_ne!(pixel(0.9, 0.1), CURVE);
        let bar = |confidence: f64, height: i64| {
            let x = at(confidence, 0.0)[0] as i64;
            canvas.pixel(x, BARS_TOP + BAR_HEIGHT - height).unwrap()
        };
        assert_eq!([bar(0.75, BAR_HEIGHT), bar(0.25, 23)], [BARS; 2]);
        assert_ne!(bar(0.25, 24), BARS);
    }
}
