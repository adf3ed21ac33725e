//! Natural order: numbers in names are compared by value.

use std::cmp::Ordering;
use std::path::Path;

/// Compares paths component by component, with numbers by value: `part-2` before `part-10`.
pub(super) fn compare(a: &Path, b: &Path) -> Ordering {
    let parts = |path: &Path| -> Vec<String> {
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (parts_a, parts_b) = (parts(a), parts(b));
    let differing =
        parts_a.iter().zip(&parts_b).map(|(a, b)| compare_names(a, b)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| parts_a.len().cmp(&parts_b.len())).then_with(|| a.cmp(b))
}

fn compare_names(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    while let (Some(first_a), Some(first_b)) = (rest_a.chars().next(), rest_b.chars().next()) {
        let (run_a, run_b) = (digits(rest_a), digits(rest_b));
        let order = if run_a.is_empty() || run_b.is_empty() {
            (rest_a, rest_b) = (&rest_a[first_a.len_utf8()..], &rest_b[first_b.len_utf8()..]);
            first_a.cmp(&first_b)
        } else {
            (rest_a, rest_b) = (&rest_a[run_a.len()..], &rest_b[run_b.len()..]);
            let value = |run: &str| run.trim_start_matches('0').to_owned();
            let (a, b) = (value(run_a), value(run_b));
            a.len().cmp(&b.len()).then_with(|| a.cmp(&b))
        };
        if order.is_ne() {
            return order;
        }
    }
    rest_a.len().cmp(&rest_b.len())
}

/// The digits at the start of a text.
fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        let sorted =
            ["a/part-2.csv", "a/part-10.csv", "a/part-0010b.csv", "a/part-x.csv", "b/part-1.csv", "ä"];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| compare(Path::new(a), Path::new(b)));
        assert_eq!(names, sorted);
        let long = ["n99999999999999999999999999.csv", "n100000000000000000000000000.csv"];
        assert_eq!(compare(Path::new(long[0]), Path::new(long[1])), Ordering::Less);
    }
}
