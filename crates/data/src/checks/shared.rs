//! Groups of rows that are in two tables.

use super::counted;
use crate::rows::N_SHOWN;
use crate::{Finding, Groups, Severity, Table};
use std::collections::HashMap;

/// A table, its role and its groups.
pub type Grouped<'a> = (&'a str, &'a Table, &'a Groups);

/// The groups of `later` that are also in `earlier`: scores on their rows do not show how well new groups are
/// predicted.
pub fn shared_groups(earlier: Grouped<'_>, later: Grouped<'_>) -> Option<Finding> {
    let (role, table, groups) = later;
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    let (_, _, known) = earlier;
    for (row, &code) in known.codes().iter().enumerate() {
        first_of.entry(known.names()[code as usize].as_str()).or_insert(row);
    }
    let there: Vec<Option<usize>> =
        groups.names().iter().map(|name| first_of.get(name.as_str()).copied()).collect();
    let shared = |row: &usize| there[groups.codes()[*row] as usize].is_some();
    let rows: Vec<usize> = (0..table.n_rows()).filter(shared).collect();
    let first = *rows.first()?;
    let group = groups.codes()[first] as usize;
    let n_shared = there.iter().flatten().count();
    let message = format!(
        "{n_shared} of {} of column \"{}\" {} in {} too, with {} here, first \"{}\" at {}, which is at {} there: scores on \
         them say little about new groups",
        counted(groups.names().len(), "group"),
        groups.column(),
        if n_shared == 1 { "is" } else { "are" },
        earlier.0,
        counted(rows.len(), "row"),
        groups.names()[group],
        table.location(first),
        earlier.1.location(there[group]?),
    );
    let places = rows.iter().take(N_SHOWN).map(|&row| table.location(row)).collect();
    let (severity, code, table) = (Severity::Warning, "group-leakage", role.to_owned());
    Some(Finding { severity, code, table, message, count: rows.len(), places })
}
