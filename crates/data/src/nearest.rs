//! Finds the name nearest to a mistyped one.

/// The candidate nearest to `name` by edit distance, if one is near enough.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = head(name.trim());
    let distances =
        candidates.into_iter().map(|candidate| (strsim::levenshtein(&folded, &head(candidate)), candidate));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    let len = folded.chars().count();
    (distance * 3 <= len.max(3) && distance < len).then_some(candidate)
}

/// The first characters of a name in lower case: longer than any mistyped name, to limit the cost of hostile labels.
fn head(name: &str) -> String {
    name.to_lowercase().chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_name() {
        let names = ["positive", "negative", "neutral"];
        assert_eq!(nearest("positve", names), Some("positive"));
        assert_eq!(nearest("Neutrall", names), Some("neutral"));
        assert_eq!(nearest("angry", names), None);
        assert_eq!(nearest("c", ["a", "b"]), None);
    }
}
