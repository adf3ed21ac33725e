//! Sample weights of a table's rows (scikit-learn: `sample_weight`).

use crate::other_column::OtherColumn;
use crate::{Error, Result, Table};

/// The weights of a table's rows, from a column of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    column: String,
    values: Vec<f32>,
}

const COLUMN: OtherColumn = OtherColumn {
    what: "weight",
    flag: "--weight-column",
    content: "numbers",
    kind: "numbers",
    hint: "write the embeddings, the labels and the weights to one Parquet or CSV file",
};

const EXPECTED: &str = "expected a weight: a number of at least 0 that single precision can hold";

impl Weights {
    /// Reads the column `column` from the files of `table` again.
    ///
    /// # Errors
    /// If there is no such column, it is a feature or the label, a value is missing or is not a finite number of at least
    /// 0, all are 0, or a file cannot be read again or has changed.
    pub fn read(table: &Table, column: &str) -> Result<Weights> {
        read(table, column).map_err(|error| error.at(table.path()))
    }

    /// The name of the column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The weight of each row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The weights alone.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }
}

fn read(table: &Table, column: &str) -> Result<Weights> {
    let mut values = Vec::with_capacity(table.n_rows());
    COLUMN.for_each_cell(table, column, &mut |row, text| {
        let refuse = |found: String| {
            let hint = "correct the value, or remove the row; a row of weight 0 is not learnt from";
            Error::row(table.location(row).in_column(column), format!("{EXPECTED}, found {found}"))
                .with_hint(hint)
        };
        let text = text.trim();
        match text.parse::<f32>() {
            Ok(value) if value.is_finite() && value >= 0.0 => values.push(value),
            _ if text.is_empty() => return Err(refuse("nothing".to_owned())),
            _ => return Err(refuse(text.to_owned())),
        }
        Ok(())
    })?;
    if values.iter().all(|weight| *weight == 0.0) {
        let error = format!("all weights in column \"{column}\" are 0, expected one above 0 at least");
        return Err(
            Error::column(error).with_hint("name another column with --weight-column, or leave it out")
        );
    }
    Ok(Weights { column: column.to_owned(), values })
}
