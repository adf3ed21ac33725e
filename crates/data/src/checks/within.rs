//! Checks of one table.

use super::{HashedTable, counted};
use crate::columns::{ONE_LABEL, SEVERAL};
use crate::rows::N_SHOWN;
use crate::{Finding, Labels, RowLocation, Severity};
use std::collections::HashMap;

/// With fewer rows, the kind of the labels is not judged.
const MIN_ROWS: usize = 20;

/// A class with less than this share of the rows is rare.
const RARE: f64 = 0.05;

pub(super) fn findings(hashed: &HashedTable<'_>) -> Vec<Finding> {
    let mut findings = vec![shape(hashed)];
    findings.extend(classes(hashed));
    findings.extend(constant_columns(hashed));
    findings.extend(duplicate_columns(hashed));
    findings.extend(duplicate_rows(hashed));
    findings
}

fn shape(hashed: &HashedTable<'_>) -> Finding {
    let table = hashed.table;
    let message = format!(
        "{}, {}, all finite ({})",
        counted(table.n_rows(), "row"),
        counted(table.n_features(), "feature"),
        table.format()
    );
    Finding { count: table.n_rows(), ..hashed.finding(Severity::Note, "shape", message, &[]) }
}

fn classes(hashed: &HashedTable<'_>) -> Vec<Finding> {
    let Some(labels) = hashed.labels() else {
        return vec![hashed.finding(Severity::Note, "no-labels", "no labels".to_owned(), &[])];
    };
    let n_rows = hashed.table.n_rows();
    let share = |n: usize| n as f64 / n_rows as f64;
    let classes: Vec<(&String, usize)> = labels.names().iter().zip(labels.counts()).collect();
    let mut shown: Vec<String> =
        classes.iter().take(20).map(|(name, n)| format!("{name} {n} ({:.1}%)", share(*n) * 100.0)).collect();
    if classes.len() > shown.len() {
        shown.push(format!("and {} more", classes.len() - shown.len()));
    }
    let message =
        format!("{} in column \"{}\": {}", plural_classes(classes.len()), labels.column(), shown.join(", "));
    let mut findings =
        vec![Finding { count: classes.len(), ..hashed.finding(Severity::Note, "classes", message, &[]) }];
    if hashed.has_placeholders() {
        return findings;
    }
    if classes.len() == 1 {
        // Rows that judge a model may be of one class: its share of them is a score.
        let (severity, so) = match hashed.role {
            "val" | "data" => (Severity::Warning, "scores that compare classes say little"),
            _ => (Severity::Error, "there is nothing to tell apart"),
        };
        let message = format!("all rows are of the one class \"{}\": {so}", classes[0].0);
        findings.push(Finding { count: 1, ..hashed.finding(severity, "one-class", message, &[]) });
    }
    findings.extend(kind_of_labels(hashed, labels));
    let single: Vec<String> =
        classes.iter().filter(|(_, n)| *n == 1).map(|(name, _)| name.to_string()).collect();
    // Of many rows, all with labels of their own, the labels are no classes at all.
    if !single.is_empty() && (n_rows >= MIN_ROWS) != (single.len() == classes.len()) {
        let message = format!(
            "{} {} one row alone, which cannot be both learnt from and judged by: {}",
            plural_classes(single.len()),
            if single.len() == 1 { "has" } else { "have" },
            first_of(&single)
        );
        findings.push(Finding {
            count: single.len(),
            ..hashed.finding(Severity::Warning, "one-row-classes", message, &[])
        });
    }
    // With many classes each one is small, so the threshold is relative.
    let rare = RARE.min(0.2 / classes.len() as f64);
    let rare: Vec<String> =
        classes.iter().filter(|(_, n)| share(*n) < rare).map(|(name, n)| format!("{name} {n}")).collect();
    if !rare.is_empty() {
        let message = format!(
            "{} {} few rows: {}; scores of {} will be uncertain",
            plural_classes(rare.len()),
            if rare.len() == 1 { "has" } else { "have" },
            first_of(&rare),
            if rare.len() == 1 { "it" } else { "them" }
        );
        findings.push(Finding {
            count: rare.len(),
            ..hashed.finding(Severity::Warning, "rare-classes", message, &[])
        });
    }
    findings
}

/// Reports labels that are no classes: numbers of a regression, a different text in every row, several labels in one
/// cell.
fn kind_of_labels(hashed: &HashedTable<'_>, labels: &Labels) -> Option<Finding> {
    let (column, names, n_rows) = (labels.column(), labels.names(), hashed.table.n_rows());
    let finding = |severity, code, message: String| {
        Some(Finding { count: names.len(), ..hashed.finding(severity, code, message, &[]) })
    };
    let is_number = |name: &String| name.parse::<f64>().is_ok_and(f64::is_finite);
    let has_fraction = names.iter().any(|name| name.parse::<f64>().is_ok_and(|value| value.fract() != 0.0));
    // Numbers, even whole ones, that are nearly all different are no classes.
    if n_rows >= MIN_ROWS && names.len() * 2 > n_rows && names.iter().all(is_number) {
        let message = format!(
            "column \"{column}\" is a regression target{}: {} different numbers in {n_rows} rows; Headsmith fits classifiers: \
             cut the numbers into classes, e.g. with pandas cut, or name another column with --label-column",
            if has_fraction { "" } else { " or an identifier" },
            names.len()
        );
        return finding(Severity::Error, "regression-target", message);
    }
    if n_rows >= MIN_ROWS && names.len() * 10 > n_rows * 9 {
        let message = format!(
            "column \"{column}\" has {} different labels in {n_rows} rows: is it an identifier or free text? Name the \
             column of the classes with --label-column",
            names.len()
        );
        return finding(Severity::Warning, "distinct-labels", message);
    }
    let example = |is: &dyn Fn(&str) -> bool| {
        let row = (0..n_rows).find(|&row| is(labels.name(row)))?;
        Some(format!("\"{}\" at {}", labels.name(row), hashed.location(row)))
    };
    if names.iter().filter(|name| is_list(name)).count() * 2 > names.len() {
        let example = example(&|name| is_list(name) && name.contains(','))?;
        let message = format!("column \"{column}\" holds lists, {SEVERAL}, e.g. {example}; {ONE_LABEL}");
        return finding(Severity::Error, "several-labels", message);
    }
    let separator = [";", "|", ","].into_iter().find(|separator| are_several(names, separator))?;
    let message = format!(
        "column \"{column}\" seems to hold {SEVERAL}, separated by \"{separator}\", e.g. {}: each combination counts as a \
         class of its own; {ONE_LABEL}",
        example(&|name| name.contains(separator))?
    );
    finding(Severity::Warning, "several-labels", message)
}

/// Whether a label is a list as Python prints one.
fn is_list(name: &str) -> bool {
    [('[', ']'), ('{', '}'), ('(', ')')]
        .iter()
        .any(|(open, close)| name.starts_with(*open) && name.ends_with(*close))
}

/// Whether names are lists of a smaller number of names, which occur in several of them.
fn are_several(names: &[String], separator: &str) -> bool {
    let n_lists = names.iter().filter(|name| name.contains(separator)).count();
    let mut times: HashMap<&str, usize> = HashMap::new();
    names
        .iter()
        .flat_map(|name| name.split(separator))
        .for_each(|part| *times.entry(part.trim()).or_default() += 1);
    let are_shared = |name: &&String| name.split(separator).all(|part| times[part.trim()] > 1);
    let shared = names.iter().filter(|name| name.contains(separator)).filter(are_shared);
    n_lists >= 2 && times.len() <= names.len() && shared.count() * 2 > n_lists
}

fn plural_classes(n: usize) -> String {
    if n == 1 { "1 class".to_owned() } else { format!("{n} classes") }
}

fn first_of(names: &[String]) -> String {
    let shown = names.iter().take(N_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > N_SHOWN { format!("{shown}, ..") } else { shown }
}

/// A feature's name: that of its column, or its number in the list, from 1.
fn feature(hashed: &HashedTable<'_>, names: Option<&[String]>, i: usize) -> (String, RowLocation) {
    let location = RowLocation::whole();
    match (names, hashed.table.embeddings_column()) {
        (Some(names), _) => (format!("\"{}\"", names[i]), location.in_column(&names[i])),
        (None, Some(column)) => {
            (format!("element {}", i + 1), location.in_column(column).at_element(i as u64 + 1))
        }
        (None, None) => (format!("element {}", i + 1), location.at_element(i as u64 + 1)),
    }
}

fn column_finding(
    hashed: &HashedTable<'_>,
    code: &'static str,
    columns: &[usize],
    message: impl Fn(&str) -> String,
) -> Option<Finding> {
    if columns.is_empty() {
        return None;
    }
    let names = hashed.table.feature_names();
    let named = columns.iter().map(|&i| feature(hashed, names.as_deref(), i));
    let (shown, mut places): (Vec<String>, Vec<RowLocation>) = named.unzip();
    places.truncate(N_SHOWN);
    let finding = hashed.finding(Severity::Warning, code, message(&first_of(&shown)), &[]);
    Some(Finding { count: columns.len(), places, ..finding })
}

fn constant_columns(hashed: &HashedTable<'_>) -> Option<Finding> {
    if hashed.table.n_rows() < 2 {
        return None;
    }
    let columns: Vec<usize> =
        (0..hashed.hashes.constant.len()).filter(|&i| hashed.hashes.constant[i]).collect();
    let n = columns.len();
    column_finding(hashed, "constant-columns", &columns, |shown| {
        format!(
            "{} the same value in every row: {shown}",
            if n == 1 { "1 feature has".to_owned() } else { format!("{n} features have") }
        )
    })
}

/// Columns that equal an earlier one in every row; constant ones are reported separately.
fn duplicate_columns(hashed: &HashedTable<'_>) -> Option<Finding> {
    let x = hashed.table.x();
    let equal = |i: usize, j: usize| (0..x.n_rows()).all(|row| x.row(row)[i] == x.row(row)[j]);
    let mut first: HashMap<u64, usize> = HashMap::new();
    let mut columns = Vec::new();
    for i in (0..x.n_cols()).filter(|&i| !hashed.hashes.constant[i]) {
        let earlier = *first.entry(hashed.hashes.columns[i]).or_insert(i);
        if earlier != i && equal(earlier, i) {
            columns.push(i);
        }
    }
    let n = columns.len();
    column_finding(hashed, "duplicate-columns", &columns, |shown| {
        format!(
            "{} an earlier one in every row: {shown}",
            if n == 1 { "1 feature equals".to_owned() } else { format!("{n} features equal") }
        )
    })
}

/// Rows with the same features as an earlier one, and those of them with another label.
fn duplicate_rows(hashed: &HashedTable<'_>) -> Vec<Finding> {
    let mut repeats: Vec<(usize, usize)> = Vec::new();
    let hash = |row: u32| hashed.hashes.rows[row as usize];
    for equal in hashed.by_hash.chunk_by(|&a, &b| hash(a) == hash(b)) {
        repeats.extend(equal[1..].iter().map(|&row| (row as usize, equal[0] as usize)));
    }
    repeats.sort_unstable();
    let mut findings = Vec::new();
    if let Some(&(row, first)) = repeats.first() {
        let rows: Vec<usize> = repeats.iter().map(|(row, _)| *row).collect();
        let verb = if rows.len() == 1 { "has" } else { "have" };
        let message = format!(
            "{} {verb} the features of an earlier row, first {} those of {}",
            counted(rows.len(), "row"),
            hashed.location(row),
            hashed.location(first)
        );
        findings.push(hashed.finding(Severity::Warning, "duplicate-rows", message, &rows));
    }
    let Some(labels) = hashed.labels().filter(|_| !hashed.has_placeholders()) else { return findings };
    repeats.retain(|(row, first)| labels.codes()[*row] != labels.codes()[*first]);
    if let Some(&(row, first)) = repeats.first() {
        let rows: Vec<usize> = repeats.iter().map(|(row, _)| *row).collect();
        let verb = if rows.len() == 1 { "has" } else { "have" };
        let message = format!(
            "{} {verb} the features of an earlier row and another label, first {} ({}) those of {} ({})",
            counted(rows.len(), "row"),
            hashed.location(row),
            labels.name(row),
            hashed.location(first),
            labels.name(first)
        );
        findings.push(hashed.finding(Severity::Warning, "conflicting-duplicates", message, &rows));
    }
    findings
}
