//! Reports columns that are neither features nor labels, in tables with one column per feature.

use crate::columns::Columns;
use crate::rows::N_SHOWN;
use crate::{Finding, RowLocation, Severity};

/// A text column whose cells are mostly numbers.
#[derive(Debug)]
pub(crate) struct NumericTexts {
    pub(crate) column: usize,
    pub(crate) n_cells: usize,
    /// The number of cells that are not numbers, including empty ones.
    pub(crate) n_others: usize,
    /// The first of them.
    pub(crate) first: Option<RowLocation>,
}

/// The finding that columns of `table` are not used as features.
pub(crate) fn finding(table: &str, columns: &Columns, numerals: &[NumericTexts]) -> Option<Finding> {
    let left_out = &columns.left_out;
    let name = |column: usize| format!("\"{}\"", columns.names[column]);
    let shown: Vec<String> = left_out.iter().take(N_SHOWN).map(|&column| name(column)).collect();
    let (shown, more) = (shown.join(", "), if left_out.len() > N_SHOWN { ", .." } else { "" });
    let what = match left_out.len() {
        0 => return None,
        1 => format!("1 column is neither feature nor label and is ignored: {shown}"),
        n => format!("{n} columns are neither features nor labels and are ignored: {shown}{more}"),
    };
    let mend: Vec<String> =
        numerals.iter().take(N_SHOWN).map(|numerals| mend(&name(numerals.column), numerals)).collect();
    let mend = if mend.is_empty() { "features are columns of numbers".to_owned() } else { mend.join("; ") };
    let location = |&column: &usize| {
        let known = numerals
            .iter()
            .find(|numerals| numerals.column == column)
            .and_then(|numerals| numerals.first.clone());
        let whole = RowLocation::whole();
        known.unwrap_or_else(|| whole.in_column(&columns.names[column]))
    };
    Some(Finding {
        severity: Severity::Warning,
        code: "left-out-columns",
        table: table.to_owned(),
        message: format!("{what}; {mend}"),
        count: left_out.len(),
        places: left_out.iter().take(N_SHOWN).map(location).collect(),
    })
}

fn mend(name: &str, numerals: &NumericTexts) -> String {
    let NumericTexts { n_cells, n_others, first, .. } = numerals;
    match first {
        None => format!("{name} holds numbers stored as text: store them as numbers"),
        Some(first) => {
            let first = RowLocation { column: None, ..first.clone() };
            let are = if *n_others == 1 { "is not a number, at" } else { "are not numbers, first at" };
            format!(
                "{name} holds numbers stored as text, but {n_others} of its {n_cells} cells {are} {first}: \
                 mend them and store numbers"
            )
        }
    }
}
