//! Suspicious feature columns: identifiers, and columns that give the label away.
//!
//! Only for tables with one column per feature, so that a column can be left out. Columns are judged by their values
//! in a sample of rows; names count little.

use super::{HashedTable, lda, sample, tree};
use crate::labels::without_fraction;
use crate::{Finding, RowLocation, Severity};
use headsmith_kernels::Pool;
use std::collections::HashMap;

/// The number of rows in the sample.
const N_ROWS: usize = 2000;
/// With fewer rows nothing is reported.
const MIN_ROWS: usize = 20;
/// From this number of rows on, whole numbers that are all different are no accident: bytes, with 256 values, would
/// hardly ever be.
const MIN_UNIQUE: usize = 100;
/// The maximum number of other columns that a suspicious one is compared with.
const N_OTHERS: usize = 256;
/// The maximum number of classes for which trees are grown.
const MAX_CLASSES: usize = 100;
/// The share of the error of guessing that a single column must remove to be suspicious.
const SUSPICIOUS: f64 = 0.6;
/// How much better a single column must be than all others together.
const MARGIN: f64 = 0.02;
/// The maximum number of columns that are compared with all others.
const MAX_COMPARED: usize = 8;

/// Names of columns that are not features, whole or as the end of a name.
const NAMES: [&str; 12] = [
    "id", "idx", "index", "patient", "subject", "user", "fold", "split", "group", "session", "speaker", "uid",
];

/// The findings about the columns of a table with labels.
pub(super) fn findings(hashed: &HashedTable<'_>, pool: &Pool) -> Vec<Finding> {
    let (Some(names), Some(labels)) = (hashed.table.feature_names(), hashed.labels()) else {
        return Vec::new();
    };
    let n_rows = hashed.table.n_rows();
    // In a table with a model or a training table, it is too late to leave a column out.
    let is_beside = !hashed.table.options.feature_names.is_empty();
    if is_beside
        || hashed.has_placeholders()
        || n_rows < MIN_ROWS
        || names.len() < 2
        || labels.names().len() < 2
    {
        return Vec::new();
    }
    // If most classes have one row, every column determines the label.
    if labels.names().len() * 2 > n_rows {
        return Vec::new();
    }
    let rows = sample::rows(n_rows, N_ROWS);
    let y: Vec<u32> = rows.iter().map(|&row| labels.codes()[row]).collect();
    let class_values = class_values(hashed, &names);
    let better = better_alone(hashed, &rows, &y, &class_values, pool);
    let mut findings = Vec::new();
    for (column, name) in names.iter().enumerate() {
        let found = match (&class_values[column], &better[column]) {
            (Some(how), _) => Some(class_values_finding(hashed, name, how)),
            (None, Some(accuracies)) => Some(better_alone_finding(hashed, name, *accuracies)),
            (None, None) => identifier(hashed, name, column, &rows),
        };
        findings.extend(found);
    }
    findings
}

/// For each value of a column, the name of its only class, sorted by value.
type ClassValues = Vec<(f32, String)>;

/// The columns whose values and classes correspond one to one.
fn class_values(hashed: &HashedTable<'_>, names: &[String]) -> Vec<Option<ClassValues>> {
    let Some(labels) = hashed.labels() else { return vec![None; names.len()] };
    let (x, n_classes) = (hashed.table.x(), labels.names().len());
    let mut values: Vec<Option<Vec<Option<f32>>>> = vec![Some(vec![None; n_classes]); names.len()];
    for (row, &code) in labels.codes().iter().enumerate() {
        for (value, of_column) in x.row(row).iter().zip(&mut values) {
            let Some(of_class) = of_column.as_mut().map(|of_column| &mut of_column[code as usize]) else {
                continue;
            };
            if *of_class.get_or_insert(*value) != *value {
                *of_column = None;
            }
        }
    }
    let named = |of_column: Vec<Option<f32>>| {
        let pairs = of_column.into_iter().zip(labels.names());
        let mut class_values: ClassValues =
            pairs.filter_map(|(value, name)| Some((value?, name.clone()))).collect();
        class_values.sort_by(|a, b| a.0.total_cmp(&b.0));
        class_values.windows(2).all(|pair| pair[0].0 != pair[1].0).then_some(class_values)
    };
    values.into_iter().map(|of_column| of_column.and_then(named)).collect()
}

fn class_values_finding(hashed: &HashedTable<'_>, name: &str, class_values: &ClassValues) -> Finding {
    let shown: Vec<String> =
        class_values.iter().take(3).map(|(value, class)| format!("{value} is {class}")).collect();
    let more = if class_values.len() > shown.len() { ", .." } else { "" };
    let is_label = |(value, class): &(f32, String)| {
        without_fraction(class).parse::<f32>().is_ok_and(|class| class == *value)
    };
    let (severity, code, what) = match class_values.iter().all(is_label) {
        true => (
            Severity::Error,
            "label-as-feature",
            format!("column \"{name}\" is a feature and equals the label in every row"),
        ),
        false => {
            let what = format!(
                "column \"{name}\" determines the label: it has one value for each class ({}{more})",
                shown.join(", ")
            );
            (Severity::Warning, "label-leak", what)
        }
    };
    finding(hashed, severity, code, name, &what)
}

/// The columns on which a small tree beats a linear model of all others: both accuracies.
fn better_alone(
    hashed: &HashedTable<'_>,
    rows: &[usize],
    y: &[u32],
    class_values: &[Option<ClassValues>],
    pool: &Pool,
) -> Vec<Option<(f64, f64)>> {
    let (x, n_columns) = (hashed.table.x(), class_values.len());
    let n_classes = hashed.labels().map_or(0, |labels| labels.names().len());
    let mut better = vec![None; n_columns];
    if n_classes > MAX_CLASSES {
        return better;
    }
    let mut counts = vec![0usize; n_classes];
    y.iter().for_each(|&class| counts[class as usize] += 1);
    let guess = counts.iter().max().copied().unwrap_or(0) as f64 / y.len() as f64;
    let (even, odd): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|i| i % 2 == 0);
    let accuracies = pool.map(n_columns, |column| {
        let values = sample::column(x, column, rows);
        let of = |train: &[usize], test: &[usize]| tree::accuracy(&values, y, n_classes, [train, test]);
        (of(&even, &odd) + of(&odd, &even)) / 2.0
    });
    let least = guess + SUSPICIOUS * (1.0 - guess);
    let mut suspects: Vec<usize> =
        (0..n_columns).filter(|&i| accuracies[i] >= least && class_values[i].is_none()).collect();
    suspects.sort_by(|&a, &b| accuracies[b].total_cmp(&accuracies[a]).then(a.cmp(&b)));
    for &column in suspects.iter().take(MAX_COMPARED) {
        let others: Vec<usize> =
            (0..n_columns).filter(|&other| other != column && class_values[other].is_none()).collect();
        let others: Vec<usize> =
            sample::rows(others.len(), N_OTHERS).into_iter().map(|i| others[i]).collect();
        let of_others = lda::out_of_fold(x, rows, y, n_classes, &others);
        if accuracies[column] > of_others.max(guess) + MARGIN {
            better[column] = Some((accuracies[column], of_others));
        }
    }
    better
}

fn better_alone_finding(hashed: &HashedTable<'_>, name: &str, (alone, others): (f64, f64)) -> Finding {
    let what = format!(
        "column \"{name}\" alone predicts the label better than all others together, as one made from the label would: \
         accuracy {alone:.3} of a tree of depth 3 on it, {others:.3} of a linear model of the others"
    );
    finding(hashed, Severity::Warning, "label-leak", name, &what)
}

/// Reports a column of whole numbers that are all different, that increase from row to row, or that has the name of an
/// identifier.
fn identifier(hashed: &HashedTable<'_>, name: &str, column: usize, rows: &[usize]) -> Option<Finding> {
    let x = hashed.table.x();
    let values = sample::column(x, column, rows);
    if values.iter().any(|value| value.fract() != 0.0) {
        return None;
    }
    let mut times: HashMap<u32, usize> = HashMap::new();
    values.iter().for_each(|value| *times.entry((value + 0.0).to_bits()).or_default() += 1);
    let rises =
        |is: fn(f32, f32) -> bool| (1..x.n_rows()).all(|row| is(x.row(row - 1)[column], x.row(row)[column]));
    let why = match () {
        () if times.len() < 2 => return None,
        () if times.len() > 2 && (rises(|a, b| a <= b) || rises(|a, b| a >= b)) => {
            "its whole numbers rise or fall from row to row"
        }
        () if times.len() == values.len() && values.len() >= MIN_UNIQUE => {
            "it has another whole number in every row"
        }
        () if is_called_identifier(name) => "it holds whole numbers and is called as such",
        () => return None,
    };
    let what = format!("column \"{name}\" looks like an identifier and no feature: {why}");
    Some(finding(hashed, Severity::Warning, "identifier-column", name, &what))
}

fn is_called_identifier(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let is_end = |word: &str| {
        name == word
            || name.strip_suffix(word).is_some_and(|rest| rest.ends_with(['_', '-', '.', ' ']))
            || name
                .strip_prefix(word)
                .is_some_and(|rest| rest.starts_with(['_', '-', '.', ' ']) && word != "id")
    };
    // `group_0`, `user_1`, .. are numbered features.
    let is_numbered = name.ends_with(|c: char| c.is_ascii_digit());
    !is_numbered && NAMES.iter().any(|word| is_end(word))
}

fn finding(
    hashed: &HashedTable<'_>,
    severity: Severity,
    code: &'static str,
    name: &str,
    what: &str,
) -> Finding {
    let message = format!("{what}; leave it out with --drop {}", quoted_word(name));
    let places = vec![RowLocation::whole().in_column(name)];
    Finding { count: 1, places, ..hashed.finding(severity, code, message, &[]) }
}

/// A name, quoted for the shell if necessary.
fn quoted_word(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.chars().all(is_plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::is_called_identifier;

    #[test]
    fn names_of_identifiers_are_words() {
        for name in ["patient", "Patient ID", "user_id", "fold", "fold_nr", "row-index", "group"] {
            assert!(is_called_identifier(name), "{name}");
        }
        for name in ["f0", "humidity", "grid", "group_3", "splitting", "x_index_7", "id3"] {
            assert!(!is_called_identifier(name), "{name}");
        }
    }
}
