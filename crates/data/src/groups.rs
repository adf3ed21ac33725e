//! Groups of rows with the same value in a column, such as a patient or a recording.

use crate::columns::{Role, position};
use crate::predictions::source::ReopenedTable;
use crate::predictions::{WriteError, plain};
use crate::{Error, Result, Table};
use std::collections::HashMap;
use std::io;

/// The groups of a table's rows: those with the same value in a column form a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    column: String,
    names: Vec<String>,
    codes: Vec<u32>,
}

impl Groups {
    /// Reads the column `column` from the files of `table` again. Its values are text, or numbers as pandas writes
    /// them; surrounding white space is ignored, and `1.0` equals `1`.
    ///
    /// # Errors
    /// If there is no such column, it is a feature or the label, it holds neither text nor numbers or has no value in
    /// a row, or a file cannot be read again or has changed.
    pub fn read(table: &Table, column: &str) -> Result<Groups> {
        read(table, column).map_err(|error| error.at(table.path()))
    }

    /// The name of the column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The values of the column, in the order in which they first occur.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The group of each row, an index into [`names`](Groups::names).
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }
}

fn read(table: &Table, column: &str) -> Result<Groups> {
    if let Some(part) = table.parts.iter().find(|part| part.format.is_arrays()) {
        let what = format!("{} has no columns, so there is no group column \"{column}\"", part.format.name());
        let hint = "write the embeddings, the labels and the groups to one Parquet or CSV file";
        return Err(Error::column(what).at(part.source.path()).with_hint(hint));
    }
    let at = position(table.columns().names.iter(), column, "group")?;
    let opened = ReopenedTable::for_other_columns(table)?;
    let is_other = matches!(table.columns().roles[at], Role::Other | Role::Index);
    if !is_other || !opened.can_be_written(at) {
        let found = if is_other { "neither text nor numbers" } else { "the features or the label" };
        let what = format!("column \"{column}\" holds {found}, expected text or numbers that name groups");
        return Err(Error::column(what).with_hint("name a column of text or numbers with --group-column"));
    }
    let mut groups = Groups { column: column.to_owned(), names: Vec::new(), codes: Vec::new() };
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let read = opened.for_each_row(table, &[at], &mut |row, cells| {
        let text = cells.first().map(|cell| plain(*cell)).unwrap_or_default();
        let Some(value) = value(&text) else { return Err(missing(table, row, column).into()) };
        let code = numbers.get(value).copied().unwrap_or_else(|| {
            let code = groups.names.len() as u32;
            groups.names.push(value.to_owned());
            numbers.insert(value.to_owned(), code);
            code
        });
        groups.codes.push(code);
        Ok(())
    });
    match read {
        Ok(()) => Ok(groups),
        Err(WriteError::Input(error)) => Err(error),
        Err(WriteError::Output(error)) => Err(Error::unread(io::Error::other(error))),
    }
}

/// The value of a cell; `None` if it is missing.
fn value(text: &str) -> Option<&str> {
    let text = text.trim();
    let missing = ["", "nan", "none", "null", "<na>"];
    if missing.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return None;
    }
    // pandas converts whole numbers to floats if one of them is missing.
    let whole = text.strip_suffix(".0").filter(|whole| {
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    Some(whole.unwrap_or(text))
}

fn missing(table: &Table, row: usize, column: &str) -> Error {
    Error::row(table.location(row).in_column(column), "expected a group, found nothing")
        .with_hint("a row without a value belongs to no group: fill it in, or remove the row")
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn missing_cells_have_no_value_and_whole_numbers_have_no_fraction() {
        for missing in ["", "  ", "nan", "NaN", "None", "null", "<NA>"] {
            assert_eq!(value(missing), None, "{missing}");
        }
        for (text, expected) in [
            (" a b ", "a b"),
            ("7", "7"),
            ("7.0", "7"),
            ("-7.0", "-7"),
            ("7.5", "7.5"),
            (".0", ".0"),
            ("v1.0", "v1.0"),
            ("007", "007"),
        ] {
            assert_eq!(value(text), Some(expected));
        }
    }
}
