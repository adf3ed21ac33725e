//! The confusion matrix: one row per true class, one column per predicted one; a cell's shade is its share of the row.

use super::Canvas;
use super::canvas::{Anchor, Color, FAINT, INK, TEXT_HEIGHT, TEXT_WIDTH, WHITE, cut, mix};

/// The darkest shade: all of a row's samples.
const FULL: Color = [8, 69, 148];
/// The number of pixels of all cells on one side.
const SIDE: i64 = 640;
/// The range of a cell's size.
const CELL: std::ops::RangeInclusive<i64> = 3..=112;
/// The maximum length of a class's name next to its row.
const NAME: usize = 16;
const MARGIN: i64 = 12;

/// Draws the matrix of `counts`, row = true class, column = predicted class. Names and counts are left out if cells
/// are too small for them.
pub fn confusion_matrix(classes: &[String], counts: &[Vec<u64>]) -> Canvas {
    let n_classes = counts.len().max(1) as i64;
    let cell = (SIDE / n_classes).clamp(*CELL.start(), *CELL.end());
    let has_names = cell >= TEXT_HEIGHT;
    let names = if has_names { longest(classes) } else { 0 };
    let left = MARGIN + names * TEXT_WIDTH + if has_names { MARGIN } else { 0 };
    let top = MARGIN + 2 * TEXT_HEIGHT;
    let bottom = if has_names { 2 * TEXT_HEIGHT } else { TEXT_HEIGHT };
    let side = cell * n_classes;
    let width = (left + side + MARGIN).max(2 * MARGIN + TEXT_WIDTH * TITLE.len() as i64);
    let mut canvas = Canvas::new(width as usize, (top + side + bottom + MARGIN) as usize);
    canvas.text([MARGIN, MARGIN + TEXT_HEIGHT / 2], Anchor::Left, TITLE, INK);
    for (row, counts) in (0..).zip(counts) {
        let y = top + row * cell;
        for (column, &count) in (0..).zip(counts) {
            draw_cell(&mut canvas, [left + column * cell, y], cell, count, counts.iter().sum());
        }
        if let Some(name) = classes.get(row as usize).filter(|_| has_names) {
            canvas.text([left - MARGIN / 2, y + cell / 2], Anchor::Right, &cut(name, NAME), INK);
            let room = (cell / TEXT_WIDTH) as usize;
            let below = [left + row * cell + cell / 2, top + side + TEXT_HEIGHT];
            canvas.text(below, Anchor::Middle, &cut(name, room), INK);
        }
    }
    canvas.frame([left - 1, top - 1], [side + 2, side + 2], INK);
    canvas
}

const TITLE: &str = "rows: true class, columns: predicted class; share of the row";

fn longest(classes: &[String]) -> i64 {
    classes.iter().map(|name| name.chars().count().min(NAME)).max().unwrap_or(0) as i64
}

fn draw_cell(canvas: &mut Canvas, [x, y]: [i64; 2], cell: i64, count: u64, of_row: u64) {
    let share = count as f64 / of_row.max(1) as f64;
    let shade = shade(share);
    canvas.fill([x, y], [cell, cell], shade);
    if cell >= TEXT_HEIGHT {
        canvas.frame([x, y], [cell, cell], FAINT);
    }
    let ink = if share > 0.5 { WHITE } else { INK };
    let middle = [x + cell / 2, y + cell / 2];
    let (count, share) = (count.to_string(), format!("{:.1}%", 100.0 * share));
    let room = (cell / TEXT_WIDTH) as usize;
    if count.len() > room {
        return;
    }
    if share.len() <= room && cell >= 3 * TEXT_HEIGHT {
        canvas.text([middle[0], middle[1] - TEXT_HEIGHT / 2], Anchor::Middle, &count, ink);
        canvas.text([middle[0], middle[1] + TEXT_HEIGHT / 2], Anchor::Middle, &share, ink);
    } else if cell >= TEXT_HEIGHT {
        canvas.text(middle, Anchor::Middle, &count, ink);
    }
}

fn shade(share: f64) -> Color {
    let weight = (255.0 * share).round() as u8;
    std::array::from_fn(|k| mix(WHITE[k], FULL[k], weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cells_shade_is_its_share_of_the_row() {
        let classes = ["no".to_owned(), "yes".to_owned()];
        let canvas = confusion_matrix(&classes, &[vec![3, 1], vec![0, 2]]);
        let (left, top) = (12 + 3 * TEXT_WIDTH + 12, 12 + 2 * TEXT_HEIGHT);
        let corner = |row: i64, column: i64| canvas.pixel(left + 112 * column + 3, top + 112 * row + 3);
        assert_eq!(corner(0, 0), Some(shade(0.75)));
        assert_eq!(corner(0, 1), Some(shade(0.25)));
        assert_eq!(corner(1, 0), Some(WHITE));
        assert_eq!(corner(1, 1), Some(FULL));
    }

    #[test]
    fn any_number_of_classes_is_drawn() {
        for n in [0, 1, 2, 9, 40, 300] {
            let classes: Vec<String> = (0..n).map(|i| format!("class number {i} of many")).collect();
            let counts: Vec<Vec<u64>> = (0..n).map(|i| (0..n).map(|j| (i * j) as u64).collect()).collect();
            let canvas = confusion_matrix(&classes, &counts);
            assert!(canvas.width() <= 1000 && canvas.height() <= 1000, "{n}: {}", canvas.width());
        }
    }
}
