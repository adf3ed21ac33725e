//! Groups of rows with the same value in a column, such as a patient or a recording.

use crate::other_column::OtherColumn;
use crate::{Error, Result, Table};
use std::collections::HashMap;

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

const COLUMN: OtherColumn = OtherColumn {
    what: "group",
    flag: "--group-column",
    content: "text or numbers that name groups",
    kind: "text or numbers",
    hint: "write the embeddings, the labels and the groups to one Parquet or CSV file",
};

fn read(table: &Table, column: &str) -> Result<Groups> {
    let mut groups = Groups { column: column.to_owned(), names: Vec::new(), codes: Vec::new() };
    let mut numbers: HashMap<String, u32> = HashMap::new();
    COLUMN.for_each_cell(table, column, &mut |row, text| {
        let value = value(text).ok_or_else(|| missing(table, row, column))?;
        let code = numbers.get(value).copied().unwrap_or_else(|| {
            let code = groups.names.len() as u32;
            groups.names.push(value.to_owned());
            numbers.insert(value.to_owned(), code);
            code
        });
        groups.codes.push(code);
        Ok(())
    })?;
    Ok(groups)
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
