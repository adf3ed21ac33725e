//! Columns of features that are none: identifiers, and columns that tell the label.
//!
//! Only where every feature has a column of its own, so that one can be left out. What a column is called says little:
//! it is judged by its values, in a bounded number of rows.

use super::{Look, lda, sample, tree};
use crate::labels::without_fraction;
use crate::{Finding, Place, Severity};
use headsmith_kernels::Pool;
use std::collections::HashMap;

/// Rows that are looked at.
const N_ROWS: usize = 2000;
/// Fewer rows say nothing.
const MIN_ROWS: usize = 20;
/// From so many rows on, whole numbers that are all different are no accident: bytes, of which there are 256, would
/// hardly ever be.
const MIN_UNIQUE: usize = 100;
/// The other columns that a suspicious one is compared with at most.
const N_OTHERS: usize = 256;
/// The most classes for which trees are grown.
const MAX_CLASSES: usize = 100;
/// The share of what guessing leaves open that a single column has to tell to be suspicious.
const SUSPICIOUS: f64 = 0.6;
/// By how much a single column has to be better than all others together.
const MARGIN: f64 = 0.02;
/// The columns that are compared with all others at most.
const MAX_COMPARED: usize = 8;

/// Words that columns beside the features are called by, whole or at an end of a name.
const NAMES: [&str; 12] = [
    "id", "idx", "index", "patient", "subject", "user", "fold", "split", "group", "session", "speaker", "uid",
];

/// What is suspicious of the columns of a table with labels.
pub(super) fn findings(look: &Look<'_>, pool: &Pool) -> Vec<Finding> {
    let (Some(names), Some(labels)) = (look.table.feature_names(), look.labels()) else { return Vec::new() };
    let n_rows = look.table.n_rows();
    // Beside a model or a training table it is too late to leave a column out.
    let is_beside = !look.table.options.feature_names.is_empty();
    if is_beside
        || look.has_placeholders()
        || n_rows < MIN_ROWS
        || names.len() < 2
        || labels.names().len() < 2
    {
        return Vec::new();
    }
    // Where most classes have one row, every column tells them.
    if labels.names().len() * 2 > n_rows {
        return Vec::new();
    }
    let rows = sample::rows(n_rows, N_ROWS);
    let y: Vec<u32> = rows.iter().map(|&row| labels.codes()[row]).collect();
    let told = told(look, &names);
    let better = better(look, &rows, &y, &told, pool);
    let mut findings = Vec::new();
    for (column, name) in names.iter().enumerate() {
        let found = match (&told[column], &better[column]) {
            (Some(how), _) => Some(told_finding(look, name, how)),
            (None, Some(accuracies)) => Some(better_finding(look, name, *accuracies)),
            (None, None) => identifier(look, name, column, &rows),
        };
        findings.extend(found);
    }
    findings
}

/// For each value of a column, the name of the one class that has it, in the order of the values.
type Told = Vec<(f32, String)>;

/// The columns that have one value for each class.
fn told(look: &Look<'_>, names: &[String]) -> Vec<Option<Told>> {
    let Some(labels) = look.labels() else { return vec![None; names.len()] };
    let (x, n_classes) = (look.table.x(), labels.names().len());
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
        let mut told: Told = pairs.filter_map(|(value, name)| Some((value?, name.clone()))).collect();
        told.sort_by(|a, b| a.0.total_cmp(&b.0));
        told.windows(2).all(|pair| pair[0].0 != pair[1].0).then_some(told)
    };
    values.into_iter().map(|of_column| of_column.and_then(named)).collect()
}

fn told_finding(look: &Look<'_>, name: &str, told: &Told) -> Finding {
    let shown: Vec<String> =
        told.iter().take(3).map(|(value, class)| format!("{value} is {class}")).collect();
    let more = if told.len() > shown.len() { ", .." } else { "" };
    let is_label = |(value, class): &(f32, String)| {
        without_fraction(class).parse::<f32>().is_ok_and(|class| class == *value)
    };
    let (severity, code, what) = match told.iter().all(is_label) {
        true => (
            Severity::Error,
            "label-as-feature",
            format!("column \"{name}\" is a feature and equals the label in every row"),
        ),
        false => {
            let what = format!(
                "column \"{name}\" tells the label exactly: it has one value for each class ({}{more})",
                shown.join(", ")
            );
            (Severity::Warning, "label-leak", what)
        }
    };
    finding(look, severity, code, name, &what)
}

/// The columns on which a small tree does better than a linear model of all others: its accuracy, and that of the others.
fn better(
    look: &Look<'_>,
    rows: &[usize],
    y: &[u32],
    told: &[Option<Told>],
    pool: &Pool,
) -> Vec<Option<(f64, f64)>> {
    let (x, n_columns) = (look.table.x(), told.len());
    let n_classes = look.labels().map_or(0, |labels| labels.names().len());
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
        (0..n_columns).filter(|&i| accuracies[i] >= least && told[i].is_none()).collect();
    suspects.sort_by(|&a, &b| accuracies[b].total_cmp(&accuracies[a]).then(a.cmp(&b)));
    for &column in suspects.iter().take(MAX_COMPARED) {
        let others: Vec<usize> =
            (0..n_columns).filter(|&other| other != column && told[other].is_none()).collect();
        let others: Vec<usize> =
            sample::rows(others.len(), N_OTHERS).into_iter().map(|i| others[i]).collect();
        let of_others = lda::out_of_fold(x, rows, y, n_classes, &others);
        if accuracies[column] > of_others.max(guess) + MARGIN {
            better[column] = Some((accuracies[column], of_others));
        }
    }
    better
}

fn better_finding(look: &Look<'_>, name: &str, (alone, others): (f64, f64)) -> Finding {
    let what = format!(
        "column \"{name}\" alone tells the label better than all others together, as one made from the label would: \
         accuracy {alone:.3} of a tree of depth 3 on it, {others:.3} of a linear model of the others"
    );
    finding(look, Severity::Warning, "label-leak", name, &what)
}

/// A column of whole numbers that are all different, that rise from row to row, or that is called as identifiers are.
fn identifier(look: &Look<'_>, name: &str, column: usize, rows: &[usize]) -> Option<Finding> {
    let x = look.table.x();
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
    Some(finding(look, Severity::Warning, "identifier-column", name, &what))
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
    // `group_0`, `user_1`, .. are features that are numbered.
    let is_numbered = name.ends_with(|c: char| c.is_ascii_digit());
    !is_numbered && NAMES.iter().any(|word| is_end(word))
}

fn finding(look: &Look<'_>, severity: Severity, code: &'static str, name: &str, what: &str) -> Finding {
    let message = format!("{what}; leave it out with --drop {}", quoted_word(name));
    let places = vec![Place::whole().in_column(name)];
    Finding { count: 1, places, ..look.finding(severity, code, message, &[]) }
}

/// A name as a shell takes it for one word.
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
