//! Errors for multiple labels per row: a classifier gives each row one class.

/// Describes them.
pub(crate) const SEVERAL: &str = "several labels a row (multi-label)";

/// The hint for the user.
pub(crate) const ONE_LABEL: &str = "each row has one class: keep one label a row, or write a column of 0 and 1 for each label and fit \
     a head for each, with that column as --label-column and the others in --drop";

/// The error for the label column `name`, which holds lists, such as `example`.
pub(crate) fn lists_of_labels(name: &str, example: &str) -> crate::Error {
    let example = if example.is_empty() { String::new() } else { format!(", e.g. {example}") };
    crate::Error::column(format!("the label column \"{name}\" holds lists, {SEVERAL}{example}"))
        .with_hint(ONE_LABEL)
}
