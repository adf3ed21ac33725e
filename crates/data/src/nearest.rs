//! Did you mean: the nearest of some names.

/// The candidate nearest to `name` by edits of single characters, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = head(name.trim());
    let distances =
        candidates.into_iter().map(|candidate| (strsim::levenshtein(&folded, &head(candidate)), candidate));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    let len = folded.chars().count();
    (distance * 3 <= len.max(3) && distance < len).then_some(candidate)
}

/// The beginning of a name in lower case: longer than any that one mistypes, so that hostile labels are cheap.
fn head(name: &str) -> String {
    name.to_lowercase().chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["positive", "negative", "neutral"];
        assert_eq!(nearest("positve", names), Some("positive"));
        assert_eq!(nearest("Neutrall", names), Some("neutral"));
        assert_eq!(nearest("angry", names), None);
        assert_eq!(nearest("c", ["a", "b"]), None);
    }
}
