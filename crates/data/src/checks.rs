//! Checks of tables: their contents and their problems.

mod between;
pub(crate) mod hashes;
mod lda;
mod sample;
mod shared;
mod summary;
mod suspects;
mod tree;
mod within;

use crate::{Finding, Labels, RowLocation, Severity, Table};
pub use shared::{Grouped, shared_groups};
pub use summary::{Summary, summary};

use hashes::Hashes;
use headsmith_kernels::{MatRef, Pool};

/// Inspects tables, each with its role (`train`, `val`, `test`), and returns findings: table by table, the worst
/// first, then those about two tables. Other tables are compared with the first.
///
/// Labels of a table with the role `test`, or read with
/// [`placeholder_labels`](crate::ReadOptions::placeholder_labels), are placeholders: they cause no errors.
pub fn inspect(tables: &[(&str, &Table)], pool: &Pool) -> Vec<Finding> {
    let hashed_tables: Vec<HashedTable<'_>> =
        tables.iter().map(|(role, table)| HashedTable::new(role, table, pool)).collect();
    let mut findings = Vec::new();
    for (i, hashed) in hashed_tables.iter().enumerate() {
        let mut found = within::findings(hashed);
        // Suspicious columns of the first table are also in the others, so they are reported once.
        found.extend(if i == 0 { suspects::findings(hashed, pool) } else { Vec::new() });
        found.extend(
            hashed
                .table
                .warnings()
                .iter()
                .cloned()
                .map(|finding| Finding { table: hashed.role.to_owned(), ..finding }),
        );
        found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings.extend(found);
    }
    for (i, later) in hashed_tables.iter().enumerate() {
        if i > 0 {
            findings.extend(between::mismatches(&hashed_tables[0], later));
        }
        findings.extend(hashed_tables[..i].iter().filter_map(|earlier| between::leakage(earlier, later)));
    }
    findings
}

/// A hash of each row of features: equal rows have equal hashes.
pub fn row_hashes(x: MatRef<'_>, pool: &Pool) -> Vec<u128> {
    hashes::rows(x, pool)
}

/// A hash of the features and labels, in hexadecimal: equal for the same rows in any file format.
pub fn fingerprint(table: &Table) -> String {
    let x = table.x();
    let mut hash = hashes::fold(hashes::fold(0, x.n_rows() as u64), x.n_cols() as u64);
    for i in 0..x.n_rows() {
        let row = hashes::row(x.row(i));
        hash = hashes::fold(hashes::fold(hash, row as u64), (row >> 64) as u64);
        if let Some(labels) = table.labels() {
            hash = hashes::fold_text(hash, labels.name(i));
        }
    }
    format!("{hash:032x}")
}

/// A table, its role and its hashes.
struct HashedTable<'a> {
    role: &'a str,
    table: &'a Table,
    hashes: Hashes,
    /// The rows sorted by hash; equal ones in the order of the table.
    by_hash: Vec<u32>,
}

impl<'a> HashedTable<'a> {
    fn new(role: &'a str, table: &'a Table, pool: &Pool) -> HashedTable<'a> {
        let hashes = hashes::of(table.x(), pool);
        let mut by_hash: Vec<u32> = (0..table.n_rows() as u32).collect();
        by_hash.sort_unstable_by_key(|&row| (hashes.rows[row as usize], row));
        HashedTable { role, table, hashes, by_hash }
    }

    fn has_placeholders(&self) -> bool {
        self.role == "test" || self.table.columns().placeholders
    }

    fn labels(&self) -> Option<&Labels> {
        self.table.labels()
    }

    fn location(&self, row: usize) -> RowLocation {
        self.table.location(row)
    }

    /// The first row with this hash.
    fn find(&self, hash: u128) -> Option<usize> {
        let at = self.by_hash.partition_point(|&row| self.hashes.rows[row as usize] < hash);
        let row = *self.by_hash.get(at)? as usize;
        (self.hashes.rows[row] == hash).then_some(row)
    }

    fn finding(&self, severity: Severity, code: &'static str, message: String, rows: &[usize]) -> Finding {
        let places = rows.iter().take(crate::rows::N_SHOWN).map(|&row| self.location(row)).collect();
        Finding { severity, code, table: self.role.to_owned(), message, count: rows.len(), places }
    }
}

/// `1 row`, `2 rows`.
fn counted(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}
