//! The rows of a request: so many numbers each, and no more than a request may have.

use headsmith_kernels::MatRef;

use crate::aside;
use crate::failure::{Failure, Result};
use crate::json::Cursor;

/// Rows of a request (`n_rows x n_features`), all finite.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) values: Vec<f32>,
    pub(crate) n_rows: usize,
}

impl Rows {
    /// The rows as a matrix.
    pub(crate) fn view(&self) -> MatRef<'_> {
        MatRef::new(&self.values, self.n_rows, self.values.len() / self.n_rows.max(1))
    }
}

/// The rows that a request may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) n_features: usize,
    pub(crate) max_rows: usize,
}

impl Shape {
    /// Refuses more rows than a request may have, and none.
    pub(crate) fn check_rows(self, n_rows: usize) -> Result<()> {
        match n_rows {
            0 => Err(Failure::bad("the request has no rows, expected at least one")),
            n if n > self.max_rows => Err(self.too_many()),
            _ => Ok(()),
        }
    }

    /// The most bytes that the rows of a JSON text can have: before each number but the first there is a comma, and a row that is refused has its place.
    pub(crate) fn most_bytes(self, json: &[u8]) -> usize {
        let n_commas: usize = json.chunks(PIECE).enumerate().map(commas).sum();
        let most = self.n_features.saturating_mul(self.max_rows);
        size_of::<f32>().saturating_mul((n_commas + 1 + self.n_features).min(most))
    }

    fn too_many(self) -> Failure {
        Failure::too_large(format!(
            "the request has more than {} rows: send them in several requests",
            self.max_rows
        ))
    }

    /// Reads `[[..], ..]`: an array of rows. An array of numbers is one row.
    pub(crate) fn read(self, cursor: &mut Cursor<'_>) -> Result<Rows> {
        let (values, n_rows) = self.numbers(cursor, Cursor::number)?;
        // An empty array may be of rows as well as of numbers.
        let n_rows = n_rows.unwrap_or(usize::from(!values.is_empty()));
        self.check_rows(n_rows)?;
        self.check_width(0, values.len() / n_rows)?;
        Ok(Rows { values, n_rows })
    }

    /// Reads an array of numbers, or of rows, each number with `number`; of rows it also tells how many.
    pub(crate) fn numbers<'b>(
        self,
        cursor: &mut Cursor<'b>,
        number: impl Fn(&mut Cursor<'b>) -> Result<f32>,
    ) -> Result<(Vec<f32>, Option<usize>)> {
        let (mut values, mut n_rows) = (Vec::new(), None);
        cursor.array(|i, cursor| match (cursor.peek(), n_rows) {
            (Some(b'['), None) if i > 0 => Err(cursor.fault("a number, as before")),
            (Some(b'['), _) if i == self.max_rows => Err(self.too_many()),
            (Some(b'['), _) => {
                n_rows = Some(i + 1);
                self.row_of(i, cursor, &number, &mut values)
            }
            (_, Some(_)) => Err(cursor.fault("a row, as before")),
            _ if values.len() == self.n_features.saturating_mul(self.max_rows) => Err(self.too_many()),
            _ => number(cursor).map(|number| values.push(number)),
        })?;
        Ok((values, n_rows))
    }

    /// Reads row `i` and appends it.
    pub(crate) fn row(self, i: usize, cursor: &mut Cursor<'_>, values: &mut Vec<f32>) -> Result<()> {
        self.row_of(i, cursor, &Cursor::number, values)
    }

    fn row_of<'b>(
        self,
        i: usize,
        cursor: &mut Cursor<'b>,
        number: &impl Fn(&mut Cursor<'b>) -> Result<f32>,
        values: &mut Vec<f32>,
    ) -> Result<()> {
        let before = values.len();
        cursor.array(|j, cursor| match j < self.n_features {
            true => number(cursor).map(|number| values.push(number)),
            false => Err(self.wrong_width(i, &format!("more than {}", self.n_features))),
        })?;
        self.check_width(i, values.len() - before)
    }

    fn check_width(self, row: usize, width: usize) -> Result<()> {
        match width == self.n_features {
            true => Ok(()),
            false => Err(self.wrong_width(row, &width.to_string())),
        }
    }

    fn wrong_width(self, row: usize, width: &str) -> Failure {
        Failure::bad(format!(
            "row {row} has {width} numbers, expected {} as the model was fitted on",
            self.n_features
        ))
    }
}

/// Bytes of a text that are looked at before others have their turn.
const PIECE: usize = 1 << 20;

/// The commas of a piece. A small text has one, which is read by the thread that all connections share: it must not pause.
fn commas((at, text): (usize, &[u8])) -> usize {
    if at > 0 {
        aside::pause();
    }
    text.iter().filter(|byte| **byte == b',').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rows> {
        Shape { n_features: 2, max_rows: 3 }.read(&mut Cursor::new(text.as_bytes()))
    }

    #[test]
    fn rows_have_the_width_of_the_model() {
        let rows = read("[[1, 2], [3, 4]]").unwrap();
        assert_eq!((rows.view().row(1), rows.n_rows), (&[3.0, 4.0][..], 2));
        assert_eq!(read("[5, 6]").unwrap().values, [5.0, 6.0]);
        let message = |text: &str| read(text).unwrap_err().message;
        assert_eq!(message("[[1, 2], [3]]"), "row 1 has 1 numbers, expected 2 as the model was fitted on");
        assert!(message("[[1, 2, 3]]").starts_with("row 0 has more than 2 numbers"));
        assert!(message("[1, 2, 3]").starts_with("row 0 has 3 numbers"));
        assert!(message("[1, [2, 3]]").contains("expected a number, as before"));
        assert!(message("[[1, 2], 3]").contains("expected a row, as before"));
        assert!(message("[]").contains("no rows"));
        assert!(message("[[]]").contains("row 0 has 0 numbers"));
        assert!(message("[[1, 2], [1, 2], [1, 2], [1, 2]]").contains("more than 3 rows"));
        assert!(message("[1, 2, 3, 4, 5, 6, 7, 8]").contains("more than 3 rows"));
        assert!(message("{}").contains("expected an array"));
    }

    #[test]
    fn the_memory_of_rows_is_known_before_they_are_read() {
        let shape = Shape { n_features: 2, max_rows: 3 };
        let bytes = |text: &str| shape.most_bytes(text.as_bytes()) / size_of::<f32>();
        assert_eq!((bytes("[[1, 2]]"), bytes("[[1, 2], [3, 4], [5, 6], [7, 8]]")), (4, 6));
        for text in ["[5, 6]", "[[1, 2], [3, 4]]", "[[1,2],[3,4],[5,6]]"] {
            assert!(read(text).unwrap().values.len() <= bytes(text), "{text}");
        }
    }
}
