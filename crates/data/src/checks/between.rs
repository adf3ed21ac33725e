//! Checks of two tables against each other.

use super::{HashedTable, counted};
use crate::columns::quoted;
use crate::nearest::nearest;
use crate::{Classes, Finding, Severity};

/// The differences between `other` and `train`: width, feature names, classes.
pub(super) fn mismatches(train: &HashedTable<'_>, other: &HashedTable<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(width(train, other).or_else(|| names(train, other)));
    findings.extend(classes(train, other));
    findings
}

fn width(train: &HashedTable<'_>, other: &HashedTable<'_>) -> Option<Finding> {
    let (expected, found) = (train.table.n_features(), other.table.n_features());
    let message = format!("{found} features a row; {} has {expected}", train.role);
    (expected != found)
        .then(|| Finding { count: 1, ..other.finding(Severity::Error, "width-mismatch", message, &[]) })
}

fn names(train: &HashedTable<'_>, other: &HashedTable<'_>) -> Option<Finding> {
    let (expected, found) = (train.table.feature_names()?, other.table.feature_names()?);
    let differing: Vec<usize> = (0..expected.len()).filter(|&i| expected[i] != found[i]).collect();
    let first = *differing.first()?;
    let message = format!(
        "{} other names or another order than those of {}: feature {} is \"{}\", not \"{}\"",
        if differing.len() == 1 {
            "1 feature has".to_owned()
        } else {
            format!("{} features have", differing.len())
        },
        train.role,
        first + 1,
        found[first],
        expected[first]
    );
    Some(Finding { count: differing.len(), ..other.finding(Severity::Error, "feature-names", message, &[]) })
}

fn classes(train: &HashedTable<'_>, other: &HashedTable<'_>) -> Vec<Finding> {
    let (Some(labels), Ok(classes)) = (other.labels(), Classes::of(train.table)) else { return Vec::new() };
    if other.has_placeholders() {
        return Vec::new();
    }
    let known = classes.classes_of(labels.names());
    let rows = |is: &dyn Fn(usize) -> bool| -> Vec<usize> {
        labels
            .codes()
            .iter()
            .enumerate()
            .filter(|(_, code)| is(**code as usize))
            .map(|(row, _)| row)
            .collect()
    };
    let mut findings = Vec::new();
    let unknown = rows(&|code| known[code].is_none());
    if let Some(&row) = unknown.first() {
        let name = labels.name(row);
        let meant = nearest(name, classes.names().iter().map(String::as_str));
        let hint = meant.map_or(String::new(), |class| format!(" (did you mean \"{class}\"?)"));
        let message = format!(
            "{} of a class that {} does not have, first \"{name}\" at {}{hint}",
            counted(unknown.len(), "row"),
            train.role,
            other.location(row)
        );
        findings.push(other.finding(Severity::Error, "unknown-class", message, &unknown));
    }
    let spelled = |code: usize| {
        known[code].is_some_and(|class| classes.names()[class as usize] != labels.names()[code])
    };
    let respelled = rows(&spelled);
    if let Some(&row) = respelled.first() {
        let message = format!(
            "{} spelled otherwise than in {}, first \"{}\" at {}: they count as the same class",
            counted(respelled.len(), "label"),
            train.role,
            labels.name(row),
            other.location(row)
        );
        findings.push(other.finding(Severity::Warning, "label-variants", message, &respelled));
    }
    let absent: Vec<String> = (0..classes.len())
        .filter(|&i| !known.contains(&Some(i as u32)))
        .map(|i| classes.names()[i].clone())
        .collect();
    if !absent.is_empty() {
        let message = format!("no row of {}, which {} has", quoted(&absent), train.role);
        findings.push(Finding {
            count: absent.len(),
            ..other.finding(Severity::Warning, "absent-class", message, &[])
        });
    }
    findings
}

/// Rows of `later` whose features also occur in `earlier`.
pub(super) fn leakage(earlier: &HashedTable<'_>, later: &HashedTable<'_>) -> Option<Finding> {
    let found = |row: usize| earlier.find(later.hashes.rows[row]);
    let rows: Vec<usize> = (0..later.table.n_rows()).filter(|&row| found(row).is_some()).collect();
    let first = *rows.first()?;
    let message = format!(
        "{} {} in {} too, first {} which is {} there: scores on them say little about new rows",
        counted(rows.len(), "row"),
        if rows.len() == 1 { "is" } else { "are" },
        earlier.role,
        later.location(first),
        earlier.location(found(first)?)
    );
    Some(later.finding(Severity::Warning, "leakage", message, &rows))
}
