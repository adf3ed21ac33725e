//! The labels of a table, as in its file.

use crate::rows::{N_SHOWN, NO_LABEL};
use crate::{Finding, RowLocation, Severity};
use std::collections::HashMap;

/// The labels of a table: the distinct names, and the name of each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    column: String,
    names: Vec<String>,
    codes: Vec<u32>,
}

impl Labels {
    /// Labels from stored names and codes; `None` if a code has no name.
    pub(crate) fn from_parts(column: String, names: Vec<String>, codes: Vec<u32>) -> Option<Labels> {
        codes.iter().all(|&code| (code as usize) < names.len()).then_some(Labels { column, names, codes })
    }

    /// The same labels under another column name.
    pub(crate) fn with_column(self, column: &str) -> Labels {
        Labels { column: column.to_owned(), ..self }
    }

    /// The name of their column (the common prefix, for one-hot columns).
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The distinct names in class order: by value if all are integers, else by code points. Surrounding white space
    /// is removed, and names that differ only in case are merged. In every format, whole numbers have no fraction and
    /// booleans are `False` and `True`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// For each row, the index of its name in [`Labels::names`].
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The name of row `row`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn name(&self, row: usize) -> &str {
        &self.names[self.codes[row] as usize]
    }

    /// The number of rows of each name in [`Labels::names`].
    pub fn counts(&self) -> Vec<usize> {
        count(&self.codes, self.names.len())
    }
}

fn count(codes: &[u32], n_names: usize) -> Vec<usize> {
    let mut counts = vec![0; n_names];
    codes.iter().filter(|&&code| code != NO_LABEL).for_each(|&code| counts[code as usize] += 1);
    counts
}

/// The form that all spellings of a class share. Single characters keep their case: `a` and `A` are two letter classes
/// far more often than a typo.
pub(crate) fn folded(name: &str) -> String {
    let name = name.trim();
    if name.chars().nth(1).is_none() { name.to_owned() } else { name.to_lowercase() }
}

/// Sorts names in class order: by value if all are integers, else by code points, as scikit-learn sorts text.
pub(crate) fn sort_names(names: &mut [String]) {
    let value = |name: &String| name.parse::<i128>();
    if names.iter().all(|name| value(name).is_ok()) {
        names.sort_by_key(|name| (value(name).unwrap_or_default(), name.clone()));
    } else {
        names.sort();
    }
}

/// A whole number without its fraction: `1` for `1.0`.
pub(crate) fn without_fraction(name: &str) -> &str {
    let Some((whole, fraction)) = name.split_once('.') else { return name };
    let is_whole = whole.parse::<i128>().is_ok() && fraction.bytes().all(|digit| digit == b'0');
    match whole {
        _ if !is_whole => name,
        "-0" => "0",
        _ => whole,
    }
}

/// Unifies the spellings of different formats, if all labels are whole numbers or booleans: `1.0` and `1`, `true` and
/// `True`.
fn unify(names: &mut [String], is_used: impl Fn(usize) -> bool) {
    let used = || (0..names.len()).filter(|&code| is_used(code)).map(|code| names[code].trim());
    let is_bool = |name: &str| name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false");
    let spelled: fn(&str) -> String = if used().all(is_bool) {
        |name| if name.eq_ignore_ascii_case("true") { "True" } else { "False" }.to_owned()
    } else if used().all(|name| without_fraction(name).parse::<i128>().is_ok()) {
        |name| without_fraction(name).to_owned()
    } else {
        return;
    };
    for name in names.iter_mut().filter(|name| !name.trim().is_empty()) {
        let trimmed = name.trim();
        *name = name.replacen(trimmed, &spelled(trimmed), 1);
    }
}

/// Labels that arrive block by block, with their names as in the file.
#[derive(Debug, Default)]
pub(crate) struct LabelBuilder {
    by_name: HashMap<String, u32>,
    names: Vec<String>,
    codes: Vec<u32>,
    any: bool,
}

impl LabelBuilder {
    pub(crate) fn add(&mut self, names: &[String], codes: &[u32]) {
        let global: Vec<u32> = names.iter().map(|name| self.code(name)).collect();
        let recoded =
            codes.iter().map(|&code| if code == NO_LABEL { NO_LABEL } else { global[code as usize] });
        self.codes.extend(recoded);
        self.any |= codes.iter().any(|&code| code != NO_LABEL);
    }

    fn code(&mut self, name: &str) -> u32 {
        if let Some(&code) = self.by_name.get(name) {
            return code;
        }
        let code = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), code);
        code
    }

    /// Whether any row has a label.
    pub(crate) fn any(&self) -> bool {
        self.any
    }

    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    pub(crate) fn retain_labelled(&mut self) {
        self.codes.retain(|&code| code != NO_LABEL);
    }

    /// Merges spellings that differ only in case or white space into the most frequent one (the first of equals), and
    /// reports it.
    pub(crate) fn finish(
        &mut self,
        column: &str,
        table: &str,
        location: impl Fn(usize) -> RowLocation,
    ) -> (Labels, Vec<Finding>) {
        let counts = count(&self.codes, self.names.len());
        unify(&mut self.names, |code| counts[code] > 0);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut by_fold: HashMap<String, usize> = HashMap::new();
        for (code, name) in self.names.iter().enumerate().filter(|(code, _)| counts[*code] > 0) {
            let group = *by_fold.entry(folded(name)).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(code);
        }
        let mut names = Vec::new();
        let mut new_code = vec![0; self.names.len()];
        let mut variant = vec![false; self.names.len()];
        for (group, codes) in groups.iter().enumerate() {
            let best = codes.iter().copied().rev().max_by_key(|&code| counts[code]).unwrap_or_default();
            let spelling = self.names[best].trim().to_owned();
            for &code in codes {
                new_code[code] = group as u32;
                variant[code] = self.names[code] != spelling;
            }
            names.push(spelling);
        }
        let findings = self.findings(&names, &variant, table, column, location);
        let mut sorted = names.clone();
        sort_names(&mut sorted);
        let rank: HashMap<&String, u32> = sorted.iter().zip(0..).collect();
        new_code
            .iter_mut()
            .for_each(|code| *code = rank.get(&names[*code as usize]).copied().unwrap_or_default());
        let codes = std::mem::take(&mut self.codes).iter().map(|&code| new_code[code as usize]).collect();
        let names = sorted;
        (Labels { column: column.to_owned(), names, codes }, findings)
    }

    fn findings(
        &self,
        names: &[String],
        variant: &[bool],
        table: &str,
        column: &str,
        location: impl Fn(usize) -> RowLocation,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut warn = |code, message, rows: &mut dyn Iterator<Item = usize>| {
            let rows: Vec<usize> = rows.collect();
            let places = rows.iter().take(N_SHOWN).map(|&row| location(row)).collect();
            let table = table.to_owned();
            let count = rows.len();
            findings.push(Finding { severity: Severity::Warning, code, table, message, count, places });
        };
        let rows = |is: &dyn Fn(&String, usize) -> bool| -> Vec<usize> {
            let codes = self.codes.iter().enumerate();
            codes
                .filter(|(_, code)| is(&self.names[**code as usize], **code as usize))
                .map(|(row, _)| row)
                .collect()
        };
        let varied = rows(&|_, code| variant[code]);
        if let Some(&first) = varied.first() {
            let found = &self.names[self.codes[first] as usize];
            let message = format!(
                "{} in column \"{column}\" differ from others in white space or case alone and count as the same class, \
                 first \"{}\" at {}",
                n_labels(varied.len()),
                found.escape_debug(),
                location(first)
            );
            warn("label-variants", message, &mut varied.iter().copied());
        }
        let missing: Vec<&String> = names.iter().filter(|name| is_missing_word(name)).collect();
        if let Some(name) = missing.first() {
            let rows = rows(&|name, _| is_missing_word(name.trim()));
            let message = format!(
                "{} in column \"{column}\" read \"{name}\", which is kept as a class, not treated as missing",
                n_labels(rows.len())
            );
            warn("missing-word-label", message, &mut rows.iter().copied());
        }
        findings
    }
}

fn n_labels(n: usize) -> String {
    if n == 1 { "1 label".to_owned() } else { format!("{n} labels") }
}

/// Whether other readers treat the word as a missing value.
fn is_missing_word(name: &str) -> bool {
    ["na", "n/a", "nan", "null", "none", "nil"].iter().any(|word| name.eq_ignore_ascii_case(word))
}
